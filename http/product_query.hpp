#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persistence/search/fact_table.hpp"
#include "persistence/search/text_index.hpp"

namespace omnicart::http {

// What GET /api/products asks for.
struct search_query {
  std::string text;  // empty: everything, narrowed by the filters
  search::filters only;
  search::sort_by sort = search::sort_by::id;
  search::collapse collapsed = search::collapse::none;
  std::string cursor;
  std::size_t limit = 20;
};

struct search_page {
  std::vector<std::string> ids;
  std::string next_cursor;  // empty: that was all
  std::uint64_t total = 0;  // on all pages together
  search::facets counts;    // of all that matches, filters included
  bool relaxed = false;     // too little has every word: some has only a part of them
  std::vector<search::correction> corrections;
};

}  // namespace omnicart::http
