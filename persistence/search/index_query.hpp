#pragma once

#include <string>
#include <vector>

#include "persistence/search/query_text.hpp"
#include "persistence/search/text_index.hpp"

namespace Xapian {
class Database;
class Query;
class Stem;
}  // namespace Xapian

namespace omnicart::search {

// A query with what the index knows of its words: corrected, and other spellings added.
struct adapted_query {
  query_text query;
  std::vector<correction> corrections;
};

// Words that no document has become two words that are known ("harddrive"), or the nearest known
// one; two words that are known as one get that as an alternative ("lap top"). Throws
// Xapian::Error, as all here.
adapted_query adapt(const Xapian::Database& index, const query_text& query,
                    const Xapian::Stem& stem);

// The nearest word of the catalogue, or "".
std::string nearest_word(const Xapian::Database& index, const std::string& word);

// What has the whole text as its id or as a code, written otherwise; an empty query when nothing
// has, or when it is written as it stands there, which both queries below look for themselves.
Xapian::Query code_query(const Xapian::Database& index, const query_text& query);

// All that was asked for; and one of two wishes, two of more, with those that have everything before
// the others: for two wishes or more.
Xapian::Query strict_query(const Xapian::Database& index, const query_text& query,
                           const Xapian::Stem& stem);
Xapian::Query relaxed_query(const Xapian::Database& index, const query_text& query,
                            const Xapian::Stem& stem);

}  // namespace omnicart::search
