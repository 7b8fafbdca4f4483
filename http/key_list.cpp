#include "http/key_list.hpp"

#include <algorithm>

#include "http/search_cursor.hpp"

namespace omnicart::http {

key_list::key_list(const search::fact_table& facts, const search_query& query, facet_counting counting)
    : facts_(&facts), query_(&query), fits_(facts.compile(query.only)) {
  if (counting == facet_counting::wanted) counts_.emplace(facts, query.only, query.collapsed);
}

result<key_list> key_list::begin(const search::fact_table& facts, const search_query& query, facet_counting counting) {
  key_list made(facts, query, counting);
  if (query.cursor.empty()) return made;
  auto read = read_search_cursor(query.cursor);
  if (!read) return fail(base_errc::malformed, "not a cursor of this list");
  made.after_ = place{std::move(read->key), std::move(read->id)};
  return made;
}

void key_list::keep(place here) {
  const auto limit = query_->limit;
  if ((after_ && here <= *after_) || (behind_.size() > limit && here >= behind_.front())) return;
  behind_.push_back(std::move(here));
  std::push_heap(behind_.begin(), behind_.end());
  if (behind_.size() > limit + 1) {
    std::pop_heap(behind_.begin(), behind_.end());
    behind_.pop_back();
  }
}

bool key_list::offer(search::slot at) {
  const auto* row = facts_->find(at);
  if (!row || !fits_(*row)) return false;
  if (counts_) counts_->add(*row);
  place here{search::fact_table::sort_key(*row, query_->sort, query_->only.currency), row->id};
  if (query_->collapsed == search::collapse::none || row->family == 0) {
    keep(std::move(here));
    return true;
  }
  const auto [known, fresh] = best_.try_emplace(row->family, here);
  if (!fresh && here < known->second) known->second = std::move(here);
  return true;
}

search_page key_list::page() {
  for (auto& each : best_) keep(std::move(each.second));
  std::sort_heap(behind_.begin(), behind_.end());
  const bool more = behind_.size() > query_->limit;
  if (more) behind_.pop_back();
  search_page page;
  for (const auto& each : behind_) page.ids.push_back(each.second);
  if (more) page.next_cursor = to_text({.key = behind_.back().first, .id = behind_.back().second});
  if (!counts_) return page;
  page.total = counts_->shown();
  page.counts = counts_->result();
  return page;
}

}  // namespace omnicart::http
