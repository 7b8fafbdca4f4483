#include "http/product_json.hpp"

#include <cstdio>

#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

void write_texts(json_writer& json, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(name).begin_array();
  for (const auto& text : texts) json.value(text);
  json.end_array();
}

void write_optional(json_writer& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.member(name, text);
}

}  // namespace

void write_pairs(json_writer& json, const std::vector<std::pair<std::string, std::string>>& pairs) {
  json.begin_object();
  for (const auto& [name, value] : pairs) json.escaped_key(name).value(value);
  json.end_object();
}

void write_product(json_writer& json, const std::string& id, const product::product_view& view, std::uint64_t version,
                   const availability& stock, std::string_view variants) {
  const product::details& about = view.content;
  json.begin_object().member("id", id).member("name", about.name);
  write_optional(json, "description", about.description);
  json.key("price").money_value(about.price.amount_minor, about.price.currency.text());
  if (!about.prices.empty()) {
    json.key("prices").begin_array();
    for (const auto& price : about.prices) json.money_value(price.amount_minor, price.currency.text());
    json.end_array();
  }
  write_optional(json, "category", about.category);
  write_optional(json, "brand", about.brand);
  write_texts(json, "gtin", about.gtin);
  if (!about.attributes.empty()) write_pairs(json.key("attributes"), about.attributes);
  write_optional(json, "family", about.family);
  if (!about.options.empty()) write_pairs(json.key("options"), about.options);
  write_texts(json, "images", about.images);
  if (about.weight_g) json.member("weight_g", *about.weight_g);
  if (about.rating_centi) {
    char stars[16];
    std::snprintf(stars, sizeof stars, "%d.%02d", static_cast<int>(*about.rating_centi / 100),
                  static_cast<int>(*about.rating_centi % 100));
    json.key("rating").raw(stars);
  }
  if (view.review_count > 0) json.member("review_count", view.review_count);
  json.key("stock").begin_object();
  write_availability(json, stock);
  json.end_object();
  if (!variants.empty()) json.key("variants").raw(variants);
  json.member("version", version)
      .member("created_at", to_rfc3339(view.created_at))
      .member("updated_at", to_rfc3339(view.updated_at))
      .end_object();
}

}  // namespace omnicart::http
