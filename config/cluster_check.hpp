#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/options.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::config {

// Another node of the cluster: "2@10.0.0.2:7400".
struct named_peer {
  std::uint64_t node = 0;
  std::string host;
  std::uint16_t port = 0;
};
// Refusal: malformed, with the text.
result<named_peer> parse_peer(std::string_view text);

// What no single value of [cluster] shows. Refusal: malformed, naming the key.
status check_cluster(const options& all);

}  // namespace omnicart::config
