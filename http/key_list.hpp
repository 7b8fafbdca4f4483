#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/product_query.hpp"

namespace omnicart::http {

enum class facet_counting : std::uint8_t { wanted, left_out };

// Makes one page of a list that is ordered by a key of each product (not by relevance) out of the
// products it is offered, in any order, each once. Keeps no more than the page, and counts. Table and
// query outlive it, and stay as they are meanwhile.
class key_list {
 public:
  // Refusal: malformed, the query's cursor is none of such a list.
  static result<key_list> begin(const search::fact_table& facts, const search_query& query,
                                facet_counting counting = facet_counting::wanted);

  // Whether the filters take it.
  bool offer(search::slot at);
  // Of all that was offered; without total and facets where those are left out. Once.
  search_page page();

 private:
  using place = std::pair<std::string, std::string>;  // key, id
  key_list(const search::fact_table& facts, const search_query& query, facet_counting counting);
  void keep(place here);

  const search::fact_table* facts_;
  const search_query* query_;
  search::fact_table::matcher fits_;
  std::optional<search::fact_table::counter> counts_;
  std::optional<place> after_;
  std::vector<place> behind_;  // a heap of the first limit + 1 places behind the cursor, the last on top
  std::unordered_map<std::uint32_t, place> best_;  // of each family that is shown once
};

}  // namespace omnicart::http
