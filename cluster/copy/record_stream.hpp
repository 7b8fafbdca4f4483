#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::cluster {

// What makes up a shard's content, besides the log.
inline constexpr std::array copied_families = {
    persistence::family::events, persistence::family::snapshots, persistence::family::receipts,
    persistence::family::timers};

// Appends the record's bytes (copy_frame.hpp has the grammar).
void append_record(persistence::family which, std::string_view key, std::string_view value,
                   std::string& out);

// Puts records together again from bytes that were cut anywhere. A plain value.
class record_stream {
 public:
  using visitor =
      std::function<status(persistence::family, std::string_view key, std::string_view value)>;

  // Visits every record that is complete now; stops at the visitor's error. Refusal
  // base_errc::malformed: no such family, or a record of impossible size.
  status add(std::string_view bytes, const visitor& visit);
  // No record is cut short.
  bool at_end() const { return rest_.empty(); }

 private:
  std::string rest_;
};

}  // namespace omnicart::cluster
