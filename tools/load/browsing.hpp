#pragma once

#include "tools/load/search_question.hpp"
#include "tools/load/shop_floor.hpp"

namespace omnicart::load {

// How visitors find things: the front page, a search with filters, sorting and completions while
// they type, or a shelf; then some products. Every answer is judged in the floor's book.
class browsing {
 public:
  explicit browsing(shop_floor& floor) : floor_(floor) {}

  // False once the time is up.
  task<bool> look_around(visit& here);
  // Counts for the report.
  void summarise(scenario_outcome& out) const;

 private:
  task<bool> type_in(visit& here, std::string text);
  task<bool> find(visit& here, const char* op, const search_question& asked);
  task<bool> sample_facet(visit& here, const search_question& asked);
  std::optional<facet_value> facet_to_try(const std::vector<facet_value>& facets,
                                          const std::optional<facet_value>& before);
  search_question draw_search();
  search_question draw_shelf();
  void draw_prices(const shelf_item& liked, search_question& into);

  shop_floor& floor_;
  std::int64_t facets_sampled_ = 0;
};

}  // namespace omnicart::load
