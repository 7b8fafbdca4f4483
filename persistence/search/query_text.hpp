#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// What somebody typed into the search box, understood. Pure: knows no index.
namespace omnicart::search {

inline constexpr std::size_t query_words_max = 16;  // further ones are not looked at

// One thing that is asked for, in any of these ways; each way is one word or several that must all
// be there.
struct wish {
  std::vector<std::string> words;  // as asked; several: written as one ("usb-c")
  std::vector<std::vector<std::string>> alternatives;  // other spellings and synonyms, worth less
  friend bool operator==(const wish&, const wish&) = default;
};

struct query_text {
  std::vector<wish> wishes;
  std::vector<std::vector<std::string>> phrases;   // in double quotes: these words side by side
  std::vector<std::vector<std::string>> unwanted;  // behind a "-": none of these
  std::string code;  // the whole text, folded, when it is short enough to be an id or a GTIN
  std::string code_key;  // of the whole text, when it may be a code that is written otherwise
  bool empty() const { return wishes.empty() && phrases.empty() && code.empty(); }
};

// Stop words are left out unless there is nothing else; a quote that is not closed is none.
// Synonyms: synonyms.hpp.
query_text parse_query(std::string_view text);

// A code however it is grouped or quoted: folded, without spaces, hyphens and quotes
// ("978-0-306-40615-7", "5901 234123457"). "" when what is left has no digit, and so may be words,
// or is longer than 64 bytes.
std::string code_key(std::string_view text);

// A GTIN (8 to 14 digits) without leading zeros, as EAN-13 and UPC-12 of one thing differ by them;
// "" when it is none.
std::string gtin_key(std::string_view text);

}  // namespace omnicart::search
