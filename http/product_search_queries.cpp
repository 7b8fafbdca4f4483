#include <algorithm>

#include "http/key_list.hpp"
#include "http/product_search.hpp"
#include "http/search_cursor.hpp"
#include "persistence/search/words.hpp"
#include "runtime/base/codec.hpp"

// What product_search answers.
namespace omnicart::http {
namespace {

constexpr std::size_t moved_meanwhile =
    50;  // results that may have come before a page since its cursor was given
constexpr std::size_t endings_max = 20;  // words that a half-typed one may become
constexpr std::size_t suggested_words_max = 4;
constexpr std::size_t suggested_brands_max = 2;
constexpr std::size_t suggested_categories_max = 2;

bool is_behind(const search::hit& hit, const std::string& id, const search_cursor& at) {
  return hit.score != at.score ? hit.score < at.score : id > at.id;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& each : words) text += (text.empty() ? "" : " ") + each;
  return text;
}

}  // namespace

result<search_page> product_search::find(const search_query& query, projection_rows& rows) {
  const query_times::running timed(search_times_);
  if (auto ready = catch_up(rows); !ready) return fail(ready.error());
  auto found = query.sort == search::sort_by::relevance ? by_relevance(query) : by_key(query);
  if (!found && found.error().is(base_errc::io)) {
    begin_anew();  // what lies there does not read
    live_ = false;
    return fail(base_errc::unavailable, "the search index is being made; try again");
  }
  return found;
}

result<search_page> product_search::by_relevance(const search_query& query) {
  std::optional<search_cursor> after;
  if (!query.cursor.empty()) {
    after = read_search_cursor(query.cursor);
    if (!after) return fail(base_errc::malformed, "not a cursor of this list");
  }
  const auto fits = facts_.compile(query.only);
  const auto words = search::parse_query(query.text);
  search_page page;
  std::size_t count = query.limit + 1;
  if (after)
    count += static_cast<std::size_t>(std::min<std::uint64_t>(after->before, facts_.slots())) +
             moved_meanwhile;
  for (;;) {
    search::fact_table::counter counts(facts_, query.only, query.collapsed);
    const auto take = [&](search::slot at) {
      const auto* row = facts_.find(at);
      const bool taken = row && fits(*row);
      if (taken) counts.add(*row);
      return taken;
    };
    auto found = index_->find(words, count, take, query.collapsed);
    if (!found) return fail(found.error());
    auto first = found->best.begin();
    while (after && first != found->best.end() &&
           !is_behind(*first, facts_.find(first->at)->id, *after))
      ++first;
    const auto left = static_cast<std::size_t>(found->best.end() - first);
    // More than expected came before this page: look at everything.
    if (left <= query.limit && found->best.size() < counts.shown() && count < facts_.slots()) {
      count = facts_.slots();
      continue;
    }
    const auto shown = std::min(left, query.limit);
    for (std::size_t i = 0; i < shown; ++i)
      page.ids.push_back(facts_.find(first[static_cast<std::ptrdiff_t>(i)].at)->id);
    if (left > query.limit) {
      const auto& last = first[static_cast<std::ptrdiff_t>(shown) - 1];
      const auto before = static_cast<std::uint64_t>(first - found->best.begin()) + shown;
      page.next_cursor =
          to_text({.key = {}, .id = page.ids.back(), .score = last.score, .before = before});
    }
    page.total = counts.shown();
    page.counts = counts.result();
    page.relaxed = found->relaxed;
    page.corrections = std::move(found->corrections);
    return page;
  }
}

result<search_page> product_search::by_key(const search_query& query) {
  auto list = key_list::begin(facts_, query);
  if (!list) return fail(list.error());
  if (query.text.empty()) {
    if (!query.only.family.empty()) {
      for (const auto at : facts_.family(query.only.family)) list->offer(at);
    } else {
      for (search::slot at = 0; at < facts_.slots(); ++at) list->offer(at);
    }
    return list->page();
  }
  auto found = index_->find(search::parse_query(query.text), 1, [&](search::slot at) { return list->offer(at); });
  if (!found) return fail(found.error());
  search_page page = list->page();
  page.relaxed = found->relaxed;
  page.corrections = std::move(found->corrections);
  return page;
}

std::vector<product_variant> product_search::variants_of(const std::string& product,
                                                         const std::string& family,
                                                         std::size_t limit,
                                                         projection_rows& rows) const {
  std::vector<const search::fact_table::row*> others;
  for (const auto at : facts_.family(family)) {
    const auto* row = facts_.find(at);
    if (row && row->id != product) others.push_back(row);
  }
  const auto shown = std::min(limit, others.size());
  std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shown),
                    others.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  others.resize(shown);
  std::vector<product_variant> all;
  for (const auto* row : others) {
    const auto bytes = rows.get(document_key(row->id));
    auto stored = bytes ? codec::decode<stored_document>(*bytes)
                        : result<stored_document>(fail(base_errc::not_found));
    if (!stored) continue;  // its row does not read
    const auto shelf = shelves_.find(row->id);
    all.push_back({.id = row->id,
                   .name = row->name,
                   .options = std::move(stored->about.options),
                   .price = row->price,
                   .available = row->available,
                   .promised = shelf == shelves_.end() ? stock::terms{} : shelf->second.at.promised});
  }
  return all;
}

result<std::vector<std::string>> product_search::alike(const std::string& product,
                                                       std::size_t limit, projection_rows& rows) {
  if (auto ready = catch_up(rows); !ready) return fail(ready.error());
  const auto known = slots_.find(product);
  if (known == slots_.end()) return fail(base_errc::not_found, "no such product");
  const auto found = index_->alike(known->second, limit,
                                   [this](search::slot at) { return facts_.find(at) != nullptr; });
  if (!found) return fail(found.error());
  std::vector<std::string> ids;
  for (const auto& each : *found) ids.push_back(facts_.find(each.at)->id);
  return ids;
}

// What is being typed: whole words, and one that may be a beginning.
result<std::vector<suggestion>> product_search::complete(const std::string& text,
                                                         std::size_t limit) {
  const query_times::running timed(suggest_times_);
  if (auto ready = be_ready(); !ready) return fail(ready.error());
  std::vector<suggestion> all;
  auto words = search::plain_words(text);
  if (words.empty()) return all;
  const auto add = [&](suggestion each) {
    const bool there = std::any_of(all.begin(), all.end(), [&](const auto& other) {
      return other.kind == each.kind && search::folded(other.text) == search::folded(each.text);
    });
    if (!there && all.size() < limit) all.push_back(std::move(each));
  };
  const std::string typed = joined(words);
  for (const auto& each : facts_.brands_beginning(typed, suggested_brands_max))
    add({each.value, "brand", ""});
  for (const auto& each : facts_.categories_beginning(typed, suggested_categories_max))
    add({each.value, "category", ""});

  const std::string last = words.back();
  words.pop_back();
  auto endings = index_->words_beginning(last, endings_max);
  if (!endings) return fail(endings.error());
  if (endings->empty()) {
    auto better = index_->corrected(last);
    if (!better) return fail(better.error());
    if (!better->empty()) endings->push_back({*better, 1});
  }
  for (auto& each : words) {
    auto better = index_->corrected(each);
    if (!better) return fail(better.error());
    if (!better->empty()) each = std::move(*better);
  }
  std::vector<std::string> possible;
  std::size_t offered = 0;
  for (const auto& ending : *endings) {
    possible.push_back(ending.text);
    if (offered >= suggested_words_max) continue;
    auto whole = words;
    whole.push_back(ending.text);
    const auto some = words.empty()
                          ? result<std::vector<search::slot>>(std::vector<search::slot>(1))
                          : index_->names_with(whole, {}, 1);
    if (!some) return fail(some.error());
    if (some->empty()) continue;
    ++offered;
    add({joined(whole), "query", ""});
  }
  if (possible.empty()) return all;
  const auto named = index_->names_with(words, possible, limit);
  if (!named) return fail(named.error());
  for (const auto at : *named) {
    if (const auto* row = facts_.find(at)) add({row->name, "product", row->id});
  }
  return all;
}

}  // namespace omnicart::http
