#pragma once

#include <string_view>

// A category is a path "a > b > c": it lies in "a > b", and in "a".
namespace omnicart {

inline constexpr std::string_view category_separator = " > ";

// Whether `category` is `above` or lies below it. Every one lies in the empty one.
inline bool lies_in(std::string_view category, std::string_view above) {
  if (above.empty() || category == above) return true;
  return category.starts_with(above) &&
         category.substr(above.size()).starts_with(category_separator);
}

// Calls take(path) for every category that `category` lies in, itself last: "a", "a > b",
// "a > b > c". None for the empty one.
template <class Take>
void each_level(std::string_view category, Take take) {
  for (auto end = category.find(category_separator); end != category.npos;
       end = category.find(category_separator, end + category_separator.size())) {
    if (end > 0) take(category.substr(0, end));
  }
  if (!category.empty()) take(category);
}

}  // namespace omnicart
