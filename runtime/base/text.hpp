#pragma once

#include <cstddef>
#include <string_view>

// What the engine accepts as text from outside. Total functions over any bytes; no locale is
// consulted.
namespace omnicart {

// Length in bytes of the well-formed UTF-8 sequence that `text` starts with (Unicode 15, table
// 3-7); 0 when there is none: an empty text, a stray or cut sequence, an overlong form, a
// surrogate.
std::size_t utf8_sequence_length(std::string_view text);

bool is_valid_utf8(std::string_view text);

// Every byte is 0x20..0x7E. True for an empty text.
bool is_printable_ascii(std::string_view text);

// Valid UTF-8 without control characters (Unicode category Cc: U+0000-001F, U+007F-009F). A name, a
// label.
bool is_single_line(std::string_view text);

// As above, but line feed and tab are allowed. A description.
bool is_plain_text(std::string_view text);

}  // namespace omnicart
