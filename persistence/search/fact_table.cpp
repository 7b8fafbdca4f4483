#include "persistence/search/fact_table.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "persistence/search/facet_order.hpp"
#include "persistence/search/words.hpp"
#include "runtime/base/category_path.hpp"

namespace omnicart::search {
namespace {

constexpr std::size_t attribute_text_bytes_max = 64;  // longer ones are prose
constexpr std::size_t option_text_bytes_max = 100;
constexpr std::size_t category_depth_max = 12;

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
         !in_stock && attributes.empty() && family.empty() && options.empty();
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

void fact_table::release(slot at) {
  const row& of = rows_[at];
  if (of.id.empty()) return;
  --categories_.uses[of.category];
  --brands_.uses[of.brand];
  if (of.family != 0) std::erase(family_members_[of.family], at);
  --used_;
}

void fact_table::put(slot at, const document& of) {
  if (at >= rows_.size()) rows_.resize(at + 1);
  row& made = rows_[at];
  release(at);
  made.id = of.id;
  made.name = of.name;
  made.category = categories_.use(of.category);
  made.brand = brands_.use(of.brand);
  made.price = of.price;
  made.other_prices = of.other_prices;
  made.rating_centi = of.rating_centi;
  made.created_at = of.created_at;
  made.family = family_number(of.family);
  if (made.family != 0) family_members_[made.family].push_back(at);
  made.options = pair_numbers(of.options, option_text_bytes_max);
  const auto described = pair_numbers(of.attributes, attribute_text_bytes_max);
  made.attributes.clear();
  std::set_union(described.begin(), described.end(), made.options.begin(), made.options.end(),
                 std::back_inserter(made.attributes));
  made.attributes.shrink_to_fit();
  ++used_;
}

std::uint32_t fact_table::family_number(const std::string& name) {
  if (name.empty()) return 0;
  const auto [at, fresh] =
      family_numbers_.emplace(name, static_cast<std::uint32_t>(family_members_.size()));
  if (fresh) family_members_.emplace_back();
  return at->second;
}

const std::vector<slot>& fact_table::family(const std::string& name) const {
  const auto at = family_numbers_.find(name);
  return family_members_[at == family_numbers_.end() ? 0 : at->second];
}

// Sorted, each once; those with a longer text are left out.
std::vector<std::uint32_t> fact_table::pair_numbers(
    const std::vector<std::pair<std::string, std::string>>& of, std::size_t bytes_max) {
  std::vector<std::uint32_t> numbers;
  for (const auto& [name, value] : of) {
    if (!value.empty() && value.size() <= bytes_max && name.size() <= bytes_max)
      numbers.push_back(pair_number(name, value));
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
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
  release(at);
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
  const auto known = [&](const auto& numbers, const std::string& key) {
    const auto at = numbers.find(key);
    made.impossible_ = made.impossible_ || at == numbers.end();
    return at == numbers.end() ? 0 : at->second;
  };
  const auto add_pairs = [&](const auto& from, std::vector<std::uint32_t>& to) {
    for (const auto& [name, value] : from)
      to.push_back(known(pair_numbers_, pair_key(folded(name), folded(value))));
  };
  if (!wanted.family.empty()) made.family_ = known(family_numbers_, wanted.family);
  add_pairs(wanted.attributes, made.attributes_);
  add_pairs(wanted.options, made.options_);
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
  if (family_ != 0 && family_ != of.family) return false;
  const auto has_all = [](const auto& numbers, const auto& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](std::uint32_t pair) {
      return std::binary_search(numbers.begin(), numbers.end(), pair);
    });
  };
  return has_all(of.attributes, attributes_) && has_all(of.options, options_);
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
