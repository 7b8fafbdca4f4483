#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace omnicart::http {

// Where a page of search results ended. By key: the key and id of the last one. By relevance its
// score, which changes a little as others come and go, and how many stood before, where the next
// page begins to look.
struct search_cursor {
  std::string key;
  std::string id;
  double score = 0;
  std::uint64_t before = 0;
};

std::string to_text(const search_cursor& at);
std::optional<search_cursor> read_search_cursor(std::string_view text);

}  // namespace omnicart::http
