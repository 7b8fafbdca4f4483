#include <algorithm>

#include "persistence/search/facet_order.hpp"
#include "persistence/search/fact_table.hpp"
#include "runtime/base/category_path.hpp"

// What fact_table::counter counts.
namespace omnicart::search {
namespace {

constexpr std::size_t facet_values_max = 20;
constexpr std::size_t attribute_facets_max = 10;
constexpr std::size_t attribute_values_max = 10;

std::vector<facet_count> most_frequent(const std::vector<std::uint32_t>& counts,
                                       const std::vector<std::string>& texts) {
  std::vector<facet_count> all;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0 && !texts[i].empty()) all.push_back({texts[i], counts[i]});
  }
  return search::most_frequent(std::move(all), facet_values_max);
}

void keep_each_once(std::vector<std::uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

}  // namespace

fact_table::counter::counter(const fact_table& of, const filters& only, collapse to)
    : of_(of),
      wanted_category_(only.category),
      currency_(only.currency),
      min_price_(only.min_price),
      max_price_(only.max_price),
      min_rating_centi_(only.min_rating_centi.value_or(0)),
      to_(to),
      categories_(of.categories_.texts.size()),
      brands_(of.brands_.texts.size()),
      pairs_(of.pairs_.size()),
      optional_(of.pairs_.size()),
      families_(of.family_members_.size()) {}

void fact_table::counter::add(const row& of) {
  if (to_ == collapse::none || of.family == 0) {
    ++shown_;
    return count(of);
  }
  if (!families_[of.family]) ++shown_;
  families_[of.family] = true;
  members_.emplace_back(of.family, &of);
}

void fact_table::counter::count(const row& of) {
  ++categories_[of.category];
  ++brands_[of.brand];
  for (const auto pair : of.attributes) ++pairs_[pair];
  for (const auto pair : of.options) optional_[pair] = true;
  if (const money* price = of.price_in(currency_)) prices_.add(price->amount_minor);
  count_rating(of.rating_centi);
  ++(of.available > 0 ? in_stock_ : out_of_stock_);
}

void fact_table::counter::count_rating(std::int64_t rating_centi) {
  if (rating_centi >= 0) ++by_stars_[std::min<std::size_t>(static_cast<std::size_t>(rating_centi) / 100, 5)];
}

// Rows that are shown as one: it has what any of them has.
void fact_table::counter::count_once(const member* from, const member* to) {
  std::vector<std::uint32_t> categories, brands, pairs;
  price_counter::steps prices;
  std::int64_t best_rating = -1;
  bool is_there = false, is_gone = false;
  for (const auto* each = from; each != to; ++each) {
    const row& of = *each->second;
    if (const money* price = of.price_in(currency_)) prices.set(price_step_of(price->amount_minor));
    best_rating = std::max(best_rating, of.rating_centi);
    (of.available > 0 ? is_there : is_gone) = true;
    categories.push_back(of.category);
    brands.push_back(of.brand);
    pairs.insert(pairs.end(), of.attributes.begin(), of.attributes.end());
    for (const auto pair : of.options) optional_[pair] = true;
  }
  prices_.add(prices);
  count_rating(best_rating);
  in_stock_ += is_there ? 1 : 0;
  out_of_stock_ += is_gone ? 1 : 0;
  for (auto* numbers : {&categories, &brands, &pairs}) keep_each_once(*numbers);
  for (const auto brand : brands) ++brands_[brand];
  for (const auto pair : pairs) ++pairs_[pair];
  if (categories.size() == 1) {
    ++categories_[categories.front()];
    return;
  }
  std::vector<std::string_view> levels;
  for (const auto category : categories) {
    each_level(of_.categories_.texts[category],
               [&](std::string_view path) { levels.push_back(path); });
  }
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  for (const auto path : levels) ++levels_[path];
}

void fact_table::counter::count_families() {
  std::sort(members_.begin(), members_.end());
  const member* const end = members_.data() + members_.size();
  for (const member* from = members_.data(); from != end;) {
    const auto* const to =
        std::find_if(from, end, [&](const member& each) { return each.first != from->first; });
    to == from + 1 ? count(*from->second) : count_once(from, to);
    from = to;
  }
  members_.clear();
}

facets fact_table::counter::result() {
  count_families();
  return {.categories = categories(),
          .brands = most_frequent(brands_, of_.brands_.texts),
          .attributes = attributes(),
          .prices = prices_.bands(min_price_, max_price_),
          .ratings = ratings(),
          .in_stock = in_stock_,
          .out_of_stock = out_of_stock_};
}

// A product counts for every number of stars that it has at least, as far as the filter reaches down.
std::vector<rating_count> fact_table::counter::ratings() const {
  std::vector<rating_count> all;
  std::uint64_t count = by_stars_[5];
  for (int stars = 4; stars >= 1 && stars * 100 >= min_rating_centi_; --stars) {
    count += by_stars_[static_cast<std::size_t>(stars)];
    if (count > 0) all.push_back({stars, count});
  }
  return all;
}

// A product counts for every category that it lies in, as far as the filter reaches up.
std::vector<facet_count> fact_table::counter::categories() const {
  auto in_categories = levels_;
  for (std::size_t i = 0; i < categories_.size(); ++i) {
    if (categories_[i] == 0) continue;
    each_level(of_.categories_.texts[i],
               [&](std::string_view path) { in_categories[path] += categories_[i]; });
  }
  std::vector<facet_count> all;
  for (const auto& [path, count] : in_categories) {
    if (lies_in(path, wanted_category_)) all.push_back({std::string(path), count});
  }
  return search::most_frequent(std::move(all), facet_values_max);
}

// The attributes that most of what matches has.
std::vector<std::pair<std::string, std::vector<facet_count>>> fact_table::counter::attributes()
    const {
  const auto is_counted = [this](std::size_t pair) {
    return pairs_[pair] > 0 && (of_.pairs_[pair].counted || optional_[pair]);
  };
  std::vector<std::uint64_t> having(of_.attribute_names_.size());
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (is_counted(i)) having[of_.pairs_[i].name] += pairs_[i];
  }
  std::vector<facet_count> names;
  for (std::size_t i = 0; i < having.size(); ++i) {
    if (having[i] > 0) names.push_back({of_.attribute_names_[i], having[i]});
  }
  names = search::most_frequent(std::move(names), attribute_facets_max);
  std::unordered_map<std::uint32_t, std::size_t> place;
  std::vector<std::vector<facet_count>> values(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    place.emplace(of_.name_numbers_.at(names[i].value), i);
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const auto at = is_counted(i) ? place.find(of_.pairs_[i].name) : place.end();
    if (at != place.end()) values[at->second].push_back({of_.pairs_[i].value, pairs_[i]});
  }
  std::vector<std::pair<std::string, std::vector<facet_count>>> all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    all.emplace_back(names[i].value,
                     search::most_frequent(std::move(values[i]), attribute_values_max));
  }
  return all;
}

}  // namespace omnicart::search
