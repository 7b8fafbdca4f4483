#include "persistence/search/fact_table.hpp"

#include <algorithm>
#include <cstdio>

#include "persistence/search/words.hpp"
#include "runtime/base/category_path.hpp"

namespace omnicart::search {
namespace {

constexpr std::size_t facet_values_max = 20;
constexpr std::size_t attribute_facets_max = 10;
constexpr std::size_t attribute_values_max = 10;
constexpr std::size_t facet_text_bytes_max = 64;  // longer ones are prose
constexpr std::size_t category_depth_max = 12;

bool more_frequent(const facet_count& a, const facet_count& b) {
  return a.count != b.count ? a.count > b.count : a.value < b.value;
}

std::vector<facet_count> most_frequent(std::vector<facet_count> all, std::size_t most) {
  std::sort(all.begin(), all.end(), more_frequent);
  all.resize(std::min(all.size(), most));
  return all;
}

std::vector<facet_count> most_frequent(const std::vector<std::uint32_t>& counts,
                                       const std::vector<std::string>& texts) {
  std::vector<facet_count> all;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0 && !texts[i].empty()) all.push_back({texts[i], counts[i]});
  }
  return most_frequent(std::move(all), facet_values_max);
}

// A number as text that sorts as it does.
std::string sortable(std::int64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%020llu",
                static_cast<unsigned long long>(static_cast<std::uint64_t>(number) +
                                                (std::uint64_t{1} << 63)));
  return text;
}

std::string pair_key(std::string_view name, std::string_view value) {
  return std::string(name) + '\0' + std::string(value);
}

// Measures have as many values as there are products.
bool is_number(const std::string& value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

bool word_begins(const std::string& text, const std::string& beginning) {
  for (std::size_t at = text.find(beginning); at != text.npos; at = text.find(beginning, at + 1)) {
    if (at == 0 || text[at - 1] == ' ') return true;
  }
  return false;
}

void add_path(std::vector<category_node>& level, const std::string& path, std::size_t from,
              std::uint64_t count, std::size_t depth) {
  const auto end =
      depth + 1 < category_depth_max ? std::min(path.find(category_separator, from), path.size()) : path.size();
  const std::string name = path.substr(from, end - from);
  auto at =
      std::find_if(level.begin(), level.end(), [&](const auto& node) { return node.name == name; });
  if (at == level.end()) at = level.insert(level.end(), {name, path.substr(0, end), 0, {}});
  at->count += count;
  if (end < path.size()) add_path(at->children, path, end + category_separator.size(), count, depth + 1);
}

void sort_level(std::vector<category_node>& level) {
  std::sort(level.begin(), level.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& node : level) sort_level(node.children);
}

}  // namespace

bool filters::empty() const {
  return category.empty() && brand.empty() && !min_price && !max_price && !min_rating_centi &&
         !in_stock && attributes.empty();
}

std::uint32_t fact_table::text_numbers::use(const std::string& text) {
  const auto [at, fresh] = numbers.emplace(folded(text), static_cast<std::uint32_t>(texts.size()));
  if (fresh) {
    texts.push_back(text);
    uses.push_back(0);
  }
  // Whatever came first, every node shows the same.
  if (text < texts[at->second]) texts[at->second] = text;
  ++uses[at->second];
  return at->second;
}

std::vector<facet_count> fact_table::text_numbers::beginning(const std::string& prefix,
                                                             std::size_t count) const {
  std::vector<facet_count> all;
  for (const auto& [key, number] : numbers) {
    if (uses[number] > 0 && !key.empty() && word_begins(key, prefix))
      all.push_back({texts[number], uses[number]});
  }
  return most_frequent(std::move(all), count);
}

void fact_table::release(row& of) {
  if (of.id.empty()) return;
  --categories_.uses[of.category];
  --brands_.uses[of.brand];
  --used_;
}

void fact_table::put(slot at, const document& of) {
  if (at >= rows_.size()) rows_.resize(at + 1);
  row& made = rows_[at];
  release(made);
  made.id = of.id;
  made.name = of.name;
  made.category = categories_.use(of.category);
  made.brand = brands_.use(of.brand);
  made.price = of.price;
  made.other_prices = of.other_prices;
  made.rating_centi = of.rating_centi;
  made.created_at = of.created_at;
  made.attributes.clear();
  for (const auto& [name, value] : of.attributes) {
    if (value.empty() || value.size() > facet_text_bytes_max || name.size() > facet_text_bytes_max)
      continue;
    made.attributes.push_back(pair_number(name, value));
  }
  std::sort(made.attributes.begin(), made.attributes.end());
  made.attributes.erase(std::unique(made.attributes.begin(), made.attributes.end()),
                        made.attributes.end());
  made.attributes.shrink_to_fit();
  ++used_;
}

std::uint32_t fact_table::pair_number(const std::string& name, const std::string& value) {
  const std::string known_as = folded(name);
  const auto [at, fresh] = pair_numbers_.emplace(pair_key(known_as, folded(value)),
                                                 static_cast<std::uint32_t>(pairs_.size()));
  if (fresh) {
    const auto number =
        name_numbers_.emplace(known_as, static_cast<std::uint32_t>(attribute_names_.size()));
    if (number.second) attribute_names_.push_back(known_as);
    pairs_.push_back({.name = number.first->second, .value = value, .counted = !is_number(value)});
  }
  if (value < pairs_[at->second].value) pairs_[at->second].value = value;
  return at->second;
}

void fact_table::erase(slot at) {
  if (at >= rows_.size()) return;
  release(rows_[at]);
  rows_[at] = {};
}

void fact_table::stock(slot at, std::int64_t available, std::int64_t sold) {
  if (at >= rows_.size() || rows_[at].id.empty()) return;
  rows_[at].available = available;
  rows_[at].sold = sold;
}

void fact_table::clear() { *this = {}; }

const fact_table::row* fact_table::find(slot at) const {
  return at < rows_.size() && !rows_[at].id.empty() ? &rows_[at] : nullptr;
}

fact_table::matcher fact_table::compile(const filters& wanted) const {
  matcher made;
  made.wanted_ = wanted;
  for (const auto& text :
       wanted.category.empty() ? std::vector<std::string>() : categories_.texts) {
    made.categories_.push_back(lies_in(text, wanted.category));
  }
  if (const auto at = brands_.numbers.find(folded(wanted.brand)); at != brands_.numbers.end())
    made.brand_ = at->second;
  for (const auto& [name, value] : wanted.attributes) {
    const auto at = pair_numbers_.find(pair_key(folded(name), folded(value)));
    made.impossible_ = made.impossible_ || at == pair_numbers_.end();
    if (at != pair_numbers_.end()) made.attributes_.push_back(at->second);
  }
  return made;
}

bool fact_table::matcher::operator()(const row& of) const {
  if (impossible_ || (!wanted_.category.empty() && !categories_[of.category])) return false;
  if (!wanted_.brand.empty() && brand_ != of.brand) return false;
  if (wanted_.min_price || wanted_.max_price) {
    const money* price = of.price_in(wanted_.currency);
    if (!price) return false;
    if (wanted_.min_price && price->amount_minor < *wanted_.min_price) return false;
    if (wanted_.max_price && price->amount_minor > *wanted_.max_price) return false;
  }
  if (wanted_.min_rating_centi && of.rating_centi < *wanted_.min_rating_centi) return false;
  if (wanted_.in_stock && *wanted_.in_stock != (of.available > 0)) return false;
  return std::all_of(attributes_.begin(), attributes_.end(), [&](std::uint32_t pair) {
    return std::binary_search(of.attributes.begin(), of.attributes.end(), pair);
  });
}

fact_table::counter::counter(const fact_table& of, std::string wanted_category)
    : of_(of),
      wanted_category_(std::move(wanted_category)),
      categories_(of.categories_.texts.size()),
      brands_(of.brands_.texts.size()),
      pairs_(of.pairs_.size()) {}

void fact_table::counter::add(const row& of) {
  ++categories_[of.category];
  ++brands_[of.brand];
  for (const auto pair : of.attributes) ++pairs_[pair];
}

facets fact_table::counter::result() const {
  facets made;
  // A product counts for every category that it lies in, as far as the filter reaches up.
  std::unordered_map<std::string_view, std::uint64_t> in_categories;
  for (std::size_t i = 0; i < categories_.size(); ++i) {
    if (categories_[i] == 0) continue;
    each_level(of_.categories_.texts[i], [&](std::string_view path) {
      if (lies_in(path, wanted_category_)) in_categories[path] += categories_[i];
    });
  }
  std::vector<facet_count> categories;
  for (const auto& [path, count] : in_categories) categories.push_back({std::string(path), count});
  made.categories = most_frequent(std::move(categories), facet_values_max);
  made.brands = most_frequent(brands_, of_.brands_.texts);
  // The attributes that most of what matches has.
  std::vector<std::uint64_t> having(of_.attribute_names_.size());
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (of_.pairs_[i].counted) having[of_.pairs_[i].name] += pairs_[i];
  }
  std::vector<facet_count> names;
  for (std::size_t i = 0; i < having.size(); ++i) {
    if (having[i] > 0) names.push_back({of_.attribute_names_[i], having[i]});
  }
  names = most_frequent(std::move(names), attribute_facets_max);
  std::unordered_map<std::uint32_t, std::size_t> place;
  std::vector<std::vector<facet_count>> values(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    place.emplace(of_.name_numbers_.at(names[i].value), i);
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const auto& pair = of_.pairs_[i];
    const auto at = pairs_[i] > 0 && pair.counted ? place.find(pair.name) : place.end();
    if (at != place.end()) values[at->second].push_back({pair.value, pairs_[i]});
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    made.attributes.emplace_back(names[i].value,
                                 most_frequent(std::move(values[i]), attribute_values_max));
  }
  return made;
}

const money* fact_table::row::price_in(currency_code currency) const {
  if (price.currency == currency) return &price;
  const auto at = std::find_if(other_prices.begin(), other_prices.end(),
                               [&](const money& each) { return each.currency == currency; });
  return at == other_prices.end() ? nullptr : &*at;
}

std::string fact_table::sort_key(const row& of, sort_by by, currency_code in) {
  const auto priced = [&](std::int64_t sign) {
    const money* wanted = of.price_in(in);
    return (wanted ? std::string() : std::string(of.price.currency.text())) + ' ' +
           sortable(sign * (wanted ? *wanted : of.price).amount_minor);
  };
  switch (by) {
    case sort_by::relevance:
      return {};
    case sort_by::price_up:
      return priced(1);
    case sort_by::price_down:
      return priced(-1);
    case sort_by::rating:
      return sortable(-of.rating_centi);
    case sort_by::newest:
      return sortable(-of.created_at.time_since_epoch().count());
    case sort_by::sales:
      return sortable(-of.sold);
    case sort_by::name:
      return folded(of.name);
    case sort_by::id:
      return {};
  }
  return {};
}

std::vector<category_node> fact_table::category_tree() const {
  std::vector<category_node> roots;
  for (std::size_t i = 0; i < categories_.texts.size(); ++i) {
    if (categories_.uses[i] > 0 && !categories_.texts[i].empty())
      add_path(roots, categories_.texts[i], 0, categories_.uses[i], 0);
  }
  sort_level(roots);
  return roots;
}

std::vector<facet_count> fact_table::brands_beginning(const std::string& prefix,
                                                      std::size_t count) const {
  return brands_.beginning(prefix, count);
}
std::vector<facet_count> fact_table::categories_beginning(const std::string& prefix,
                                                          std::size_t count) const {
  return categories_.beginning(prefix, count);
}

}  // namespace omnicart::search
