#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "runtime/base/time.hpp"

// What the node answered, for a person at a terminal. Total: a member that is missing or of another
// type is left out, so that an older tool reads a newer node. No I/O.
namespace omnicart::ctl {

// Above these, `status` says what is wrong.
inline constexpr std::int64_t lag_batches_calm = 1'000;          // a second or two of full traffic
inline constexpr std::int64_t journal_queue_items_calm = 8'192;  // two whole batches of the writer

struct report {
  std::string text;   // whole lines
  bool sound = true;  // false: exit code 1
};

// GET /status. Unsound: the node refuses work. A projection far behind is pointed out, but is
// sound.
report report_status(const nlohmann::ordered_json& status, std::string_view url);

// GET /laws. Unsound: a law does not hold, or none was checked.
report report_laws(const nlohmann::ordered_json& laws);

// One item of GET /entities/KIND/ID?history=1: version, time, by whom, event and its members.
std::string report_event(const nlohmann::ordered_json& event);

// A line for what the asked node's own copy may lack, by its answer's "behind"; "" without one.
std::string report_behind(const nlohmann::ordered_json& answer);

// "12,345"; "31.2 MiB"; "2 h 13 min".
std::string grouped(std::int64_t count);
std::string bytes_text(std::int64_t bytes);
std::string span_text(std::int64_t seconds);

// `text` with control characters (which could move a terminal's cursor) as spaces.
std::string printable(std::string text);

}  // namespace omnicart::ctl
