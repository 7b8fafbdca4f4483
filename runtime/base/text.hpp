#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What the engine accepts as text from outside, and how it names things in URLs. Total functions over any bytes; no locale is
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

// `text` as one path segment or query value: every byte but the unreserved ones as %XX (RFC 3986 sections 2.1 and 2.3).
std::string percent_encoded(std::string_view text);

// "host:port"; an IPv6 address stands in brackets (RFC 3986 section 3.2.2).
std::string address_text(const std::string& host, std::uint16_t port);

}  // namespace omnicart
