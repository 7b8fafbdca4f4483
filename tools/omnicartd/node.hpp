#pragma once

#include <memory>
#include <string>

#include "config/options.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::node {

// One node: every part of the engine, put together. The composition root; nothing else knows all parts.
class node {
 public:
  // Builds and starts everything in order. Faults name the part and why.
  static result<std::unique_ptr<node>> start(config::options options);
  // Stops what still runs, without patience.
  ~node();

  // Where it serves: "HOST:PORT", and the provider's URL.
  std::string http_address() const;
  std::string operator_address() const;
  std::string pay_url() const;

  // Stops accepting, lets requests in flight end, writes what is queued, closes the store.
  void stop(duration_ms deadline);
  // Takes over what may change while running. Returns the keys that wait for the next start.
  std::vector<std::string> reload(const config::options& fresh);

 private:
  struct parts;
  explicit node(std::unique_ptr<parts> all);
  std::unique_ptr<parts> parts_;
};

}  // namespace omnicart::node
