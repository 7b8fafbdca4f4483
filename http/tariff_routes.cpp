#include "http/tariff_routes.hpp"

#include "http/price_list.hpp"
#include "http/promotion_json.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t tariff_body_bytes_max = 1'048'576;
constexpr std::int64_t weight_g_max = 1'000'000'000;

// Runs `read_one` on a reader of each element of an array member, which may be absent.
template <class ReadOne>
void each_of(object_reader& read, std::string_view name, std::size_t most,
             std::vector<field_error>& errors, ReadOne read_one) {
  const auto* array = read.optional_array(name, most);
  if (!array) return;
  for (std::size_t i = 0; i < array->items.size(); ++i) {
    object_reader item(array->items[i], read.pointer_of(name, i), errors);
    read_one(item);
    item.finish();
  }
}

tariff::taxes read_taxes(object_reader& read, std::vector<field_error>& errors) {
  tariff::taxes set;
  set.prices_include_tax = read.optional_bool("prices_include_tax").value_or(false);
  set.home_country = read.optional_string("home_country", 2).value_or("");
  each_of(read, "rates", 2'000, errors, [&](object_reader& item) {
    tariff::country_rate rate;
    rate.country = item.required_string("country", 2);
    rate.rate.category = item.optional_string("category", 500).value_or("");
    rate.rate.rate_bps = item.required_int("rate_bps", 0, pricing::whole_bps);
    rate.rate.name = item.required_string("name", 200);
    set.rates.push_back(std::move(rate));
  });
  return set;
}

tariff::shipping read_shipping(object_reader& read, std::vector<field_error>& errors) {
  tariff::shipping set;
  each_of(read, "zones", 50, errors, [&](object_reader& item) {
    tariff::zone zone;
    zone.id = item.required_string("id", 64);
    zone.countries = item.string_array("countries", 300, 2);
    set.zones.push_back(std::move(zone));
  });
  each_of(read, "methods", 200, errors, [&](object_reader& item) {
    tariff::zone_method method;
    method.zone = item.required_string("zone", 64);
    method.method.id = item.required_string("id", 64);
    method.method.name = item.required_string("name", 200);
    each_of(item, "bands", 50, errors, [&](object_reader& band) {
      const std::int64_t weight_g = band.required_int("max_weight_g", 0, weight_g_max);
      method.method.bands.push_back({weight_g, read_some_prices(band, "prices")});
    });
    method.method.free_from = read_price_list(item, "free_from");
    set.methods.push_back(std::move(method));
  });
  return set;
}

std::string taxes_json(const tariff::taxes& set, std::uint64_t version) {
  std::string body;
  json_writer json(body);
  json.begin_object().member("prices_include_tax", set.prices_include_tax);
  if (!set.home_country.empty()) json.member("home_country", set.home_country);
  json.key("rates").begin_array();
  for (const auto& [country, rate] : set.rates) {
    json.begin_object().member("country", country);
    if (!rate.category.empty()) json.member("category", rate.category);
    json.member("rate_bps", rate.rate_bps).member("name", rate.name).end_object();
  }
  json.end_array().member("version", version).end_object();
  return body;
}

std::string shipping_json(const tariff::shipping& set, std::uint64_t version) {
  std::string body;
  json_writer json(body);
  json.begin_object().key("zones").begin_array();
  for (const auto& zone : set.zones) {
    json.begin_object().member("id", zone.id).key("countries").begin_array();
    for (const auto& country : zone.countries) json.value(country);
    json.end_array().end_object();
  }
  json.end_array().key("methods").begin_array();
  for (const auto& [zone, method] : set.methods) {
    json.begin_object().member("zone", zone).member("id", method.id).member("name", method.name);
    json.key("bands").begin_array();
    for (const auto& band : method.bands) {
      json.begin_object().member("max_weight_g", band.max_weight_g);
      write_amounts(json, "prices", band.prices);
      json.end_object();
    }
    json.end_array();
    if (!method.free_from.empty()) write_amounts(json, "free_from", method.free_from);
    json.end_object();
  }
  json.end_array().member("version", version).end_object();
  return body;
}

enum class part { taxes, shipping };

response part_response(const request& req, const answer& got, part of) {
  if (!got.ok()) return failure_response(*got.failure, req);
  const auto view = tariff::decode_reply(got.payload);
  if (!view) return failure_response(view.error(), req);
  const std::string tag = etag_of(got.version);
  if (req.verb == method::get && not_modified(req, tag)) return not_modified_response(tag);
  response answered =
      json_response(200, of == part::taxes ? taxes_json(view->tax, got.version)
                                           : shipping_json(view->carriage, got.version));
  answered.add_header("ETag", tag);
  mark_replayed(answered, got);
  return answered;
}

}  // namespace

void tariff_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (tariff_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  const route_options body{.body_bytes_max = tariff_body_bytes_max};
  routes.get("/api/tax-rates", bound(&tariff_routes::show_taxes));
  routes.put("/api/tax-rates", bound(&tariff_routes::set_taxes), body);
  routes.get("/api/shipping-methods", bound(&tariff_routes::show_shipping));
  routes.put("/api/shipping-methods", bound(&tariff_routes::set_shipping), body);
}

task<answer> tariff_routes::get(request&) {
  auto asked = inquire(shop_, {"tariff", tariff::shop_id}, tariff::encode(tariff::get{}), engine());
  co_return co_await asked;
}

task<response> tariff_routes::show_taxes(request& req) {
  const answer got = co_await get(req);
  co_return part_response(req, got, part::taxes);
}

task<response> tariff_routes::show_shipping(request& req) {
  const answer got = co_await get(req);
  co_return part_response(req, got, part::shipping);
}

task<response> tariff_routes::set_taxes(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const tariff::command what = tariff::set_taxes{read_taxes(read, errors)};
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  co_return co_await set(req, *who, what);
}

task<response> tariff_routes::set_shipping(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const tariff::command what = tariff::set_shipping{read_shipping(read, errors)};
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  co_return co_await set(req, *who, what);
}

task<response> tariff_routes::set(request& req, const authority& who, const tariff::command& what) {
  auto options = unsafe_options(req, who, key_need::optional);
  if (!options) co_return std::move(options.error());
  auto asked = ask(shop_, {"tariff", tariff::shop_id}, tariff::encode(what), who.who, *options);
  const answer got = co_await asked;
  if (auto view = got.ok() ? tariff::decode_reply(got.payload)
                           : result<tariff::reply>(fail(base_errc::not_found))) {
    board_.post(std::move(*view));
  }
  co_return part_response(req, got,
                  std::holds_alternative<tariff::set_taxes>(what) ? part::taxes : part::shipping);
}

}  // namespace omnicart::http
