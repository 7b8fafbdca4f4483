#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Picks single members out of an answer without building a tree: the hot answers are read for one
// or two members only. Made for well-formed JSON; on anything else the answer is "absent", never a
// crash.
namespace omnicart::load {

// The raw text of a member of the outermost object (a string with its quotes); empty if absent.
std::string_view json_member(std::string_view object, std::string_view name);

// A string member, unescaped; empty if absent or no string.
std::string json_string(std::string_view object, std::string_view name);

std::optional<std::int64_t> json_integer(std::string_view object, std::string_view name);

// True only for a literal true.
bool json_true(std::string_view object, std::string_view name);

// A string as a JSON literal with its quotes. Bytes above 0x7F are taken as UTF-8 and kept.
std::string json_quoted(std::string_view text);

}  // namespace omnicart::load
