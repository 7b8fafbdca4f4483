#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persistence/search/document.hpp"

namespace Xapian {
class Document;
class Stem;
}  // namespace Xapian

namespace omnicart::search {

// Values of a document in the index.
namespace value_slot {
inline constexpr unsigned hash = 0;  // 8 bytes, big-endian
inline constexpr unsigned id = 1;
inline constexpr unsigned family = 2;  // none: no value
}  // namespace value_slot

// The document as the index holds it.
Xapian::Document index_document(const document& of, std::uint64_t hash, const Xapian::Stem& stem);

// What typing errors are corrected to: the distinct words of name, brand and category, without
// those that hold digits.
std::vector<std::string> spelling_words(const document& of);

// The words, each behind a line feed: what is kept with a document to take them back; and read
// again.
std::string joined_words(const std::vector<std::string>& words);
std::vector<std::string> split_words(const std::string& joined);

}  // namespace omnicart::search
