#pragma once

#include <string_view>

// How words stand in the index: a prefix per field, and what a hit in it counts. Xapian's
// convention: prefixes are capitals, words never are.
namespace omnicart::search {

namespace prefix {
inline constexpr std::string_view any = "Z";   // a stem, anywhere
inline constexpr std::string_view name = "S";  // a stem in the name
inline constexpr std::string_view brand = "B";
inline constexpr std::string_view category = "C";
inline constexpr std::string_view head = "H";  // a stem of what the thing is called (head_words)
inline constexpr std::string_view written =
    "N";  // a word of name or brand as it is written: for completions
inline constexpr std::string_view id = "XI";
inline constexpr std::string_view gtin = "XG";
inline constexpr std::string_view code = "XK";  // code_key() of an id or a code, where it differs
}  // namespace prefix

// Occurrences that one word in a field counts as, in the ranking by BM25 over all fields together.
namespace occurrences {
inline constexpr unsigned name = 4;
inline constexpr unsigned brand = 3;
inline constexpr unsigned category = 3;
inline constexpr unsigned type_attribute = 3;
inline constexpr unsigned attribute = 1;
inline constexpr unsigned description = 2;
}  // namespace occurrences

// What the field's own BM25 adds, as a multiple.
namespace weight {
inline constexpr double any = 1.0;
inline constexpr double name = 0.8;
inline constexpr double brand = 1.0;
inline constexpr double category = 0.8;
inline constexpr double head = 1.6;
inline constexpr double other_head =
    0.3;  // of words before the one that names the thing: "printer" in "printer cable"
inline constexpr double synonym = 0.7;  // for any way to say it; the rest for the literal words
inline constexpr double all_wishes =
    0.5;  // of it once more, for documents that have everything asked for
inline constexpr double side_by_side = 0.3;
inline constexpr double code = 100.0;
}  // namespace weight

namespace bm25 {
inline constexpr double k1 = 1.2;
inline constexpr double b = 0.1;
inline constexpr double min_normlen = 0.5;
}  // namespace bm25

}  // namespace omnicart::search
