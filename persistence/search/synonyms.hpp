#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace omnicart::search {

// Other words that shoppers and catalogues use for the same thing ("laptop": "notebook"; "hdd":
// "hard drive"), each as its words; none for most. `words`: folded, in singular or plural. The
// table is synonyms.cpp; it stands for trades in general and names no product.
std::vector<std::vector<std::string>> synonyms_of(const std::vector<std::string>& words);

// The most words that any entry of the table has.
inline constexpr std::size_t synonym_words_max = 3;

}  // namespace omnicart::search
