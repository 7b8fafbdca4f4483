#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/time.hpp"

// Where a record stands in a list that has the newest first: a key of its rows, and what a cursor is.
namespace omnicart::http {

// 8 bytes that sort a later time before an earlier one: big-endian, complement. `time`: not before 1970.
std::string newest_first(timestamp_ms time);

// newest_first(time), then the record's id.
std::string place_of(timestamp_ms time, std::string_view id);
std::string_view id_at(std::string_view place);

// The end of all keys with this prefix, which is not empty and does not end in FF.
std::string end_of_prefix(std::string prefix);

// A cursor is the place of the last record seen, in hexadecimal. Nothing: it is none.
std::string to_cursor(std::string_view place);
std::optional<std::string> place_of_cursor(std::string_view cursor);

}  // namespace omnicart::http
