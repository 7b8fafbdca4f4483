#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "catalogue.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::sample {

// Puts a catalogue into a running shop through its public calls. One connection, one request at a
// time; blocks.
class shop {
 public:
  // `url` as "http://127.0.0.1:8080"; `token` of an admin.
  shop(std::string url, std::string token);

  // Whether a push of these products has run to its end: the last of them has a stock record, which
  // is written last. Fault: base_errc::unavailable when the shop does not answer.
  result<bool> holds(const std::vector<product>& products) const;

  // Imports all products, then sets the stock of each in order. Repeating it changes no product;
  // stock is set anew. Fault: base_errc::unavailable; refusal: base_errc::malformed with the shop's
  // answer as detail.
  status push(const std::vector<product>& products) const;

 private:
  std::string url_;
  std::string token_;
};

}  // namespace omnicart::sample
