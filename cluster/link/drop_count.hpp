#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

#include "cluster/link/quiet_line.hpp"
#include "cluster/node_id.hpp"

namespace omnicart::cluster {

// Messages of other nodes that are dropped for one reason: each is counted, and a line a second
// tells of them. Thread-safe.
class drop_count {
 public:
  // `what`: the line; a literal.
  explicit drop_count(const char* what) : what_(what) {}

  // `why`: what is wrong with this one.
  void note(node_id from, std::string_view why);
  std::uint64_t count() const;

 private:
  const char* const what_;
  mutable std::mutex guard_;
  std::uint64_t count_ = 0;
  quiet_line line_;
};

}  // namespace omnicart::cluster
