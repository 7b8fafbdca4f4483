#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/store.hpp"

namespace omnicart::persistence {

// Rows of one projection and how far it has read each shard's log; written together or not at all.
// Not synced on its own: a crash takes back rows and positions alike, and the log is read again
// from there. One writer; reads from any thread.
class projection_store {
 public:
  // `name`: no NUL byte, not empty.
  projection_store(store& data, std::string name);

  struct change {
    std::string key;
    std::optional<std::string> value;  // nothing: the row goes
  };
  struct position {
    std::uint16_t shard = 0;
    std::uint64_t index = 0;
  };

  status write(const std::vector<change>& rows, const std::vector<position>& positions);
  result<std::optional<std::string>> get(std::string_view key) const;
  // Rows with from <= key < to in order (`to` empty: to the end) until `visit` returns false.
  status scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) const;
  // The same backwards: rows with from <= key < to, highest first.
  status scan_back(
      std::string_view from, std::string_view to,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const;
  // Last log index of the shard that the rows contain; 0: none.
  result<std::uint64_t> stored_position(std::uint16_t shard) const;
  // Drops every row and position: the projection starts over.
  status clear();

 private:
  status scan_between(std::string_view from, std::string_view to, bool backwards,
                      const std::function<bool(std::string_view, std::string_view)>& visit) const;

  store& store_;
  std::string name_;
};

// By shard: the last entry that every one of the named projections has read; none named: no limit.
result<std::vector<std::uint64_t>> consumed_through(store& data, const std::vector<std::string>& projections);

}  // namespace omnicart::persistence
