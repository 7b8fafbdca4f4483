#include "actors/tariff/tariff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "runtime/base/assert.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::tariff {
namespace {

constexpr std::string_view anywhere = "*";
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t category_bytes_max = 500;
constexpr std::int64_t price_max = 1'000'000'000'000;

bool is_country(const std::string& text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= name_bytes_max && is_single_line(text);
}

bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= id_bytes_max && is_printable_ascii(text) &&
         text.find_first_of(" /") == text.npos;
}

// One amount per currency, none negative.
bool is_price_list(const std::vector<money>& amounts) {
  std::set<std::string_view> seen;
  return amounts.size() <= currencies_max &&
         std::all_of(amounts.begin(), amounts.end(), [&](const money& m) {
           return m.amount_minor >= 0 && m.amount_minor <= price_max &&
                  seen.insert(m.currency.text()).second;
         });
}

std::string fault_of(const pricing::shipping_method& with) {
  if (!is_id(with.id)) return "id";
  if (!is_name(with.name)) return "name";
  if (with.bands.empty() || with.bands.size() > bands_max) return "bands";
  std::int64_t last = -1;
  for (const auto& band : with.bands) {
    if (band.max_weight_g <= last) return "bands: weights ascend";
    if (band.prices.empty() || !is_price_list(band.prices)) return "bands: one price per currency";
    last = band.max_weight_g;
  }
  return is_price_list(with.free_from) ? "" : "free_from";
}

struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const set_taxes& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (auto wrong = fault_of(c.content); !wrong.empty())
      return fail(errc::invalid_tax_rates, std::move(wrong));
    if (c.content == s.tax) return events{};
    return events{taxes_set{c.content, ctx.asker, ctx.now}};
  }
  result<events> operator()(const set_shipping& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (auto wrong = fault_of(c.content); !wrong.empty())
      return fail(errc::invalid_shipping_methods, std::move(wrong));
    if (c.content == s.carriage) return events{};
    return events{shipping_set{c.content, ctx.asker, ctx.now}};
  }
  result<events> operator()(const get&) const { return events{}; }
};

struct applier {
  state& s;
  void operator()(const taxes_set& e) const {
    s.tax = e.content;
    s.updated_at = e.at;
  }
  void operator()(const shipping_set& e) const {
    s.carriage = e.content;
    s.updated_at = e.at;
  }
};

// The zone that lists the country, else the one for anywhere; nullptr: the shop does not ship
// there.
const zone* zone_of(const shipping& all, std::string_view country) {
  const zone* rest = nullptr;
  for (const zone& each : all.zones) {
    for (const std::string& listed : each.countries) {
      if (listed == country) return &each;
      if (listed == anywhere && !rest) rest = &each;
    }
  }
  return rest;
}

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid_tax_rates:
      return "invalid_tax_rates";
    case errc::invalid_shipping_methods:
      return "invalid_shipping_methods";
  }
  return "";
}

std::string fault_of(const taxes& what) {
  if (!what.home_country.empty() && !is_country(what.home_country)) return "home_country";
  if (what.rates.size() > rates_max) return "rates: at most 2,000";
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::map<std::string_view, std::size_t> count;
  for (const auto& [country, rate] : what.rates) {
    if (country != anywhere && !is_country(country)) return "country: two capital letters, or *";
    if (rate.category.size() > category_bytes_max || !is_single_line(rate.category))
      return "category";
    if (rate.rate_bps < 0 || rate.rate_bps > rate_bps_max) return "rate_bps: 0 to 10,000";
    if (!is_name(rate.name)) return "name";
    if (++count[country] > rates_per_country_max) return "rates: at most 100 per country";
    if (!seen.insert({country, rate.category}).second) return "rates: one per country and category";
  }
  return "";
}

std::string fault_of(const shipping& what) {
  if (what.zones.size() > zones_max) return "zones: at most 50";
  if (what.methods.size() > methods_max) return "methods: at most 200";
  std::set<std::string_view> zones, countries;
  for (const zone& each : what.zones) {
    if (!is_id(each.id) || !zones.insert(each.id).second) return "zones: each has an id of its own";
    for (const std::string& country : each.countries) {
      if (country != anywhere && !is_country(country))
        return "countries: two capital letters, or *";
      if (!countries.insert(country).second) return "countries: each in one zone";
    }
  }
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::map<std::string_view, std::size_t> count;
  for (const auto& [zone, method] : what.methods) {
    if (!zones.contains(zone)) return "zone: none of the zones";
    if (auto wrong = fault_of(method); !wrong.empty()) return wrong;
    if (++count[zone] > methods_per_zone_max) return "methods: at most 20 per zone";
    if (!seen.insert({zone, method.id}).second) return "methods: an id once in each zone";
  }
  return "";
}

pricing::terms terms_for(const tariff_view& shop, std::string_view country) {
  const bool known = !country.empty();
  const std::string taxed_in = known ? std::string(country) : shop.tax.home_country;
  pricing::terms at{.country = taxed_in, .prices_include_tax = shop.tax.prices_include_tax};
  const auto take_rates = [&](std::string_view of) {
    for (const auto& [where, rate] : shop.tax.rates) {
      if (where == of) at.rates.push_back(rate);
    }
  };
  if (!taxed_in.empty()) take_rates(taxed_in);
  if (!taxed_in.empty() && at.rates.empty()) take_rates(anywhere);
  at.ships = known && !shop.carriage.methods.empty();
  const zone* there = at.ships ? zone_of(shop.carriage, country) : nullptr;
  for (const auto& [zone, method] : shop.carriage.methods) {
    if (there && zone == there->id) at.methods.push_back(method);
  }
  return at;
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}
void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check_rules(const state& now) {
  ensure(now.tax.rates.size() <= rates_max && now.carriage.methods.size() <= methods_max,
         "a tariff is bounded");
}
void check_full(const state& now) {
  check_rules(now);
  ensure(fault_of(now.tax).empty() && fault_of(now.carriage).empty(),
         "a tariff is within its rules");
}

tariff_view view_of(const state& now) {
  return {.tax = now.tax, .carriage = now.carriage, .updated_at = now.updated_at};
}

std::size_t memory_bytes(const state& now) {
  constexpr std::size_t rate_bytes = sizeof(country_rate) + 64;
  constexpr std::size_t method_bytes = sizeof(zone_method) + 512;
  return sizeof(state) + now.tax.rates.size() * rate_bytes +
         now.carriage.methods.size() * method_bytes + now.carriage.zones.size() * 256;
}

}  // namespace omnicart::tariff
