#include "tools/load/browsing.hpp"

#include "runtime/base/text.hpp"
#include <algorithm>
#include <array>

#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using look = storefront_book::look;

constexpr std::size_t letters_max = 8;              // typed with completions
constexpr std::int64_t letter_ms_max = 150;         // mean pause between two of them
constexpr std::int64_t facets_sampled_max = 2'000;  // in a run
constexpr int facet_rounds_max = 4;                 // a catalogue may change between two questions
constexpr std::int64_t facet_wait_ms = 50;          // before the second; then twice, thrice as long

}  // namespace

task<bool> browsing::look_around(visit& here) {
  if (!co_await floor_.get(here, "browse", "/api/products?limit=20")) co_return false;
  if (floor_.luck.percent(50)) {
    const auto asked = draw_search();
    if (floor_.luck.percent(floor_.on.options.suggest_percent)) {
      if (!co_await type_in(here, asked.text)) co_return false;
    }
    if (!co_await find(here, "search", asked)) co_return false;
  } else {
    const auto asked = draw_shelf();
    if (!co_await find(here, "list", asked)) co_return false;
  }
  const auto looks = 1 + floor_.luck.below(3);
  for (std::size_t i = 0; i < looks; ++i) {
    const std::string path = "/api/products/" + percent_encoded(floor_.pick().id);
    if (!co_await floor_.get(here, "product", path)) co_return false;
  }
  co_return true;
}

// A word of a product that is wanted, and now and then what narrows it.
search_question browsing::draw_search() {
  auto& luck = floor_.luck;
  const shelf_item& liked = floor_.pick();
  search_question asked{.text = liked.word, .currency = floor_.currency()};
  if (!liked.category.empty() && luck.percent(25)) asked.category = liked.category;
  if (!liked.brand.empty() && luck.percent(15)) asked.brand = liked.brand;
  if (luck.percent(30)) draw_prices(liked, asked);
  if (luck.percent(15)) asked.in_stock = true;
  constexpr std::array<const char*, 7> orders{"relevance", "price", "-price", "rating",
                                              "newest",    "sales", "name"};
  if (luck.percent(40)) asked.sort = orders[luck.below(orders.size())];
  return asked;
}

search_question browsing::draw_shelf() {
  auto& luck = floor_.luck;
  const shelf_item& liked = floor_.pick();
  search_question asked{.category = liked.category, .currency = floor_.currency()};
  if (!liked.brand.empty() && luck.percent(30)) asked.brand = liked.brand;
  if (luck.percent(20)) asked.sort = luck.percent(50) ? "price" : "-price";
  if (luck.percent(20)) draw_prices(liked, asked);
  return asked;
}

// Around what the liked one costs.
void browsing::draw_prices(const shelf_item& liked, search_question& into) {
  const std::int64_t price_minor = liked.price.amount_minor;
  into.max_minor = price_minor + price_minor / 4;
  if (floor_.luck.percent(50)) into.min_minor = price_minor / 2;
}

task<bool> browsing::type_in(visit& here, std::string text) {
  const auto op = floor_.where.run().record.named("suggest");
  const std::int64_t pause_ms = std::min(letter_ms_max, floor_.on.options.think_ms);
  for (const auto& typed : typed_so_far(text, letters_max)) {
    co_await floor_.pause(pause_ms);
    const std::string path = "/api/products/suggest?query=" + percent_encoded(typed);
    const request ask{.method = "GET", .path = path, .as = &here.who};
    co_await here.by.call(op, ask);
    if (success(here.by.answer()))
      floor_.book.judge(look::suggestions, objection_to_suggestions(here.by.answer().body));
    if (floor_.time_is_up()) co_return false;
  }
  co_return true;
}

task<bool> browsing::find(visit& here, const char* op, const search_question& asked) {
  const bool goes_on = co_await floor_.get(here, op, asked.path());
  if (!success(here.by.answer())) co_return goes_on;
  const std::string& body = here.by.answer().body;
  floor_.book.judge(look::hits, objection_to_hits(asked, body));
  if (asked.sort == "price" || asked.sort == "-price")
    floor_.book.judge(look::order_of_hits, objection_to_order(asked, body));
  const bool sampled =
      facets_sampled_ < facets_sampled_max && floor_.luck.percent(floor_.on.options.facet_percent);
  if (!goes_on || !sampled) co_return goes_on;
  co_return co_await sample_facet(here, asked);
}

// Takes one facet of the answer at its word: the same question with it must find as many. Only a
// count that is wrong again and again, with both questions asked anew, is an objection.
task<bool> browsing::sample_facet(visit& here, const search_question& asked) {
  search_question narrowed = asked;
  std::string why;
  for (int round = 0; round < facet_rounds_max; ++round) {
    if (round > 0) {
      const std::chrono::milliseconds wait(facet_wait_ms * round);
      co_await sleep_for(floor_.where.run().io, wait);
      const bool goes_on = co_await floor_.get(here, "search", asked.path());
      if (!goes_on || !success(here.by.answer())) co_return goes_on;
    }
    auto facet = facet_to_try(facets_of(asked, here.by.answer().body), narrowed.narrowed);
    if (!facet) co_return true;
    narrowed.narrowed = std::move(facet);
    const bool goes_on = co_await floor_.get(here, "narrow by facet", narrowed.path());
    if (!success(here.by.answer())) co_return goes_on;
    why = objection_to_count(narrowed, here.by.answer().body);
    if (why.empty()) break;
    // Wrong once, and no time left to ask again: that says nothing.
    if (!goes_on && round + 1 < facet_rounds_max) co_return false;
  }
  ++facets_sampled_;
  floor_.book.judge(look::facets, std::move(why));
  co_return !floor_.time_is_up();
}

// Any of them, or the one that was tried before, as it is said to be now.
std::optional<facet_value> browsing::facet_to_try(const std::vector<facet_value>& facets,
                                                  const std::optional<facet_value>& before) {
  if (facets.empty()) return std::nullopt;
  if (!before) return facets[floor_.luck.below(facets.size())];
  const auto same = std::find_if(facets.begin(), facets.end(), [&](const facet_value& each) {
    return each.parameter == before->parameter && each.value == before->value && each.max_price == before->max_price;
  });
  return same == facets.end() ? std::nullopt : std::optional<facet_value>(*same);
}

void browsing::summarise(scenario_outcome& out) const {
  const auto& book = floor_.book;
  out.answers["searches_checked"] = book.looks(look::hits);
  out.answers["suggestions_checked"] = book.looks(look::suggestions);
  out.answers["facets_checked"] = book.looks(look::facets);
  out.answers["totals_checked"] = book.looks(look::totals);
}

}  // namespace omnicart::load
