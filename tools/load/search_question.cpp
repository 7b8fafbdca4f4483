#include "tools/load/search_question.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "runtime/base/text.hpp"
#include "tools/load/caller.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using nlohmann::json;

constexpr std::size_t suggestions_max = 10;

// Small ASCII letters; nothing when there are others.
std::optional<std::string> plain(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool lies_in(const std::string& category, const std::string& wanted) {
  const auto own = plain(category), above = plain(wanted);
  return !own || !above || *own == *above || own->starts_with(*above + " > ");
}

bool is_same(const std::string& one, const std::string& other) {
  const auto a = plain(one), b = plain(other);
  return !a || !b || *a == *b;
}

// The product's price in that currency: its own, or one of its others.
std::optional<std::int64_t> price_in(const json& product, currency_code currency) {
  const auto amount = [&](const json& price) -> std::optional<std::int64_t> {
    if (!price.is_object() || text_of(price, "currency") != currency.text()) return std::nullopt;
    return integer_of(price, "amount");
  };
  const auto own = product.find("price");
  if (own != product.end()) {
    if (const auto found = amount(*own)) return found;
  }
  const auto others = product.find("prices");
  if (others == product.end() || !others->is_array()) return std::nullopt;
  for (const auto& each : *others) {
    if (const auto found = amount(each)) return found;
  }
  return std::nullopt;
}

// The array of a page's items; nothing: the answer is no page.
std::optional<json> items_of(std::string_view answer) {
  auto page = json::parse(answer, nullptr, false);
  if (!page.is_object()) return std::nullopt;
  const auto items = page.find("items");
  if (items == page.end() || !items->is_array()) return std::nullopt;
  const bool objects =
      std::all_of(items->begin(), items->end(), [](const json& each) { return each.is_object(); });
  return objects ? std::optional<json>(std::move(*items)) : std::nullopt;
}

std::string objection_to_hit(const search_question& asked, const json& hit) {
  const std::string id = text_of(hit, "id");
  if (id.empty()) return "a hit without an id";
  const std::string category = text_of(hit, "category"), brand = text_of(hit, "brand");
  if (!asked.category.empty() && !lies_in(category, asked.category))
    return "product " + id + " of \"" + category + "\" for category \"" + asked.category + "\"";
  if (!asked.brand.empty() && !is_same(brand, asked.brand))
    return "product " + id + " of \"" + brand + "\" for brand \"" + asked.brand + "\"";
  if (!asked.min_minor && !asked.max_minor) return {};
  const auto price = price_in(hit, asked.currency);
  if (!price || (asked.min_minor && *price < *asked.min_minor) ||
      (asked.max_minor && *price > *asked.max_minor)) {
    return "product " + id + " costs " + (price ? std::to_string(*price) : "nothing known") +
           ", asked for " + (asked.min_minor ? std::to_string(*asked.min_minor) : "") + " to " +
           (asked.max_minor ? std::to_string(*asked.max_minor) : "");
  }
  return {};
}

void add_values(const json& from, const std::string& parameter, std::vector<facet_value>& into) {
  if (!from.is_array()) return;
  for (const auto& each : from) {
    if (!each.is_object()) continue;
    const auto count = integer_of(each, "count");
    auto value = text_of(each, "value");
    if (count && !value.empty()) into.push_back({parameter, std::move(value), *count});
  }
}

// Bands of prices, and "so many stars or more".
void add_limits(const json& facets, const search_question& asked, std::vector<facet_value>& into) {
  const auto each_of = [&](const char* name, const auto& take) {
    const auto list = facets.find(name);
    if (list == facets.end() || !list->is_array()) return;
    for (const auto& each : *list) {
      const auto count = each.is_object() ? integer_of(each, "count") : std::nullopt;
      if (count) take(each, *count);
    }
  };
  if (!asked.min_minor && !asked.max_minor) {
    each_of("price", [&](const json& band, std::int64_t count) {
      auto from = text_of(band, "min"), currency = text_of(band, "currency");
      if (from.empty() || currency.empty()) return;
      into.push_back({"min_price", std::move(from), count, text_of(band, "max"), std::move(currency)});
    });
  }
  each_of("rating", [&](const json& stars, std::int64_t count) {
    if (const auto least = integer_of(stars, "min")) into.push_back({"min_rating", std::to_string(*least), count});
  });
}

}  // namespace

std::string search_question::path() const {
  std::string out = "/api/products?limit=20";
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) out += '&' + percent_encoded(name) + '=' + percent_encoded(value);
  };
  add("q", text);
  add("category", category);
  add("brand", brand);
  if (min_minor) add("min_price", to_decimal({*min_minor, currency}));
  if (max_minor) add("max_price", to_decimal({*max_minor, currency}));
  if (in_stock) add("in_stock", "true");
  add("sort", sort);
  const bool priced = min_minor || max_minor || sort == "price" || sort == "-price";
  const bool by_band = narrowed && !narrowed->currency.empty();
  if (by_band) add("currency", narrowed->currency);
  if (priced && !by_band) add("currency", std::string(currency.text()));
  if (narrowed) add(narrowed->parameter, narrowed->value);
  if (narrowed) add("max_price", narrowed->max_price);
  return out;
}

std::string objection_to_hits(const search_question& asked, std::string_view answer) {
  const auto items = items_of(answer);
  if (!items) return "the answer is no page of products";
  for (const auto& hit : *items) {
    if (auto why = objection_to_hit(asked, hit); !why.empty())
      return why + " (" + asked.path() + ")";
  }
  return {};
}

std::string objection_to_order(const search_question& asked, std::string_view answer) {
  const bool up = asked.sort == "price", down = asked.sort == "-price";
  const auto items = items_of(answer);
  if ((!up && !down) || !items) return {};
  std::optional<std::int64_t> last;
  for (const auto& hit : *items) {
    const auto price = price_in(hit, asked.currency);
    if (!price) continue;  // behind the others, by a price of another currency
    if (last && (up ? *price < *last : *price > *last)) {
      return "product " + text_of(hit, "id") + " for " + std::to_string(*price) +
             " comes behind one for " + std::to_string(*last) + " (" + asked.path() + ")";
    }
    last = price;
  }
  return {};
}

std::string objection_to_suggestions(std::string_view answer) {
  constexpr std::array<std::string_view, 4> kinds{"query", "brand", "category", "product"};
  const auto items = items_of(answer);
  if (!items) return "the answer is no list of suggestions";
  if (items->size() > suggestions_max)
    return std::to_string(items->size()) + " suggestions, at most 10 were promised";
  for (const auto& each : *items) {
    const std::string kind = text_of(each, "kind");
    if (text_of(each, "text").empty()) return "a suggestion without a text";
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      return "a suggestion of the kind \"" + kind + "\"";
    if ((kind == "product") != !text_of(each, "product_id").empty())
      return "a suggestion of the kind \"" + kind + "\" with the product_id \"" +
             text_of(each, "product_id") + "\"";
  }
  return {};
}

std::vector<facet_value> facets_of(const search_question& asked, std::string_view answer) {
  std::vector<facet_value> all;
  const auto page = json::parse(answer, nullptr, false);
  if (!page.is_object() || asked.in_stock || asked.narrowed) return all;
  const auto facets = page.find("facets");
  if (facets == page.end() || !facets->is_object()) return all;
  if (asked.category.empty() && facets->contains("category"))
    add_values((*facets)["category"], "category", all);
  if (asked.brand.empty() && facets->contains("brand"))
    add_values((*facets)["brand"], "brand", all);
  add_limits(*facets, asked, all);
  const auto attributes = facets->find("attributes");
  if (attributes == facets->end() || !attributes->is_object()) return all;
  for (const auto& [name, values] : attributes->items()) add_values(values, "attr." + name, all);
  return all;
}

std::string objection_to_count(const search_question& narrowed, std::string_view answer) {
  if (!narrowed.narrowed) return {};
  const auto page = json::parse(answer, nullptr, false);
  const auto total = page.is_object() ? integer_of(page, "total") : std::nullopt;
  const auto& facet = *narrowed.narrowed;
  if (total && *total == facet.count) return {};
  return facet.parameter + " \"" + facet.value + "\"" +
         (facet.max_price.empty() ? "" : " to \"" + facet.max_price + "\"") + " was said to have " +
         std::to_string(facet.count) + " products and has " +
         (total ? std::to_string(*total) : "no total") + " (" + narrowed.path() + ")";
}

std::vector<std::string> typed_so_far(std::string_view text, std::size_t most) {
  std::vector<std::string> all;
  for (std::size_t end = 1; end <= text.size() && all.size() < most; ++end) {
    const bool inside = end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80;
    if (!inside) all.emplace_back(text.substr(0, end));
  }
  return all;
}

}  // namespace omnicart::load
