#include "http/product_items.hpp"

#include "actors/product/product_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "http/product_json.hpp"

namespace omnicart::http {
namespace {

void write_values(json_writer& json, const std::vector<search::facet_count>& values) {
  json.begin_array();
  for (const auto& each : values)
    json.begin_object().member("value", each.value).member("count", each.count).end_object();
  json.end_array();
}

// Limits as min_price and max_price take them.
void write_bands(json_writer& json, const std::vector<search::price_band>& bands, currency_code currency) {
  json.begin_array();
  for (const auto& each : bands) {
    json.begin_object().member("min", to_decimal({each.min_minor, currency}));
    if (each.max_minor) json.member("max", to_decimal({*each.max_minor, currency}));
    json.member("currency", currency.text()).member("count", each.count).end_object();
  }
  json.end_array();
}

void write_facets(json_writer& json, const search::facets& counts, currency_code currency) {
  write_values(json.key("facets").begin_object().key("category"), counts.categories);
  write_values(json.key("brand"), counts.brands);
  write_bands(json.key("price"), counts.prices, currency);
  json.key("rating").begin_array();
  for (const auto& each : counts.ratings)
    json.begin_object().member("min", each.stars_min).member("count", each.count).end_object();
  json.end_array().key("stock").begin_array();
  for (const bool there : {true, false}) {
    const auto count = there ? counts.in_stock : counts.out_of_stock;
    if (count > 0) json.begin_object().member("in_stock", there).member("count", count).end_object();
  }
  json.end_array().key("attributes").begin_object();
  for (const auto& [name, values] : counts.attributes) write_values(json.escaped_key(name), values);
  json.end_object().end_object();
}

// What was searched for in the end.
void write_search(json_writer& json, const search_query& query, const search_page& page) {
  json.key("search")
      .begin_object()
      .member("q", query.text)
      .member("relaxed", page.relaxed)
      .key("corrected")
      .begin_array();
  for (const auto& each : page.corrections) {
    json.begin_object().member("from", each.asked).member("to", each.used).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

task<tl::expected<std::string, response>> product_items(const shop& in, request& req,
                                                        std::vector<std::string> ids) {
  std::vector<envelope> questions;
  for (const auto& id : ids) {
    questions.push_back(make_envelope(in, {"product", id}, product::encode(product::get{}), engine(),
                                      {.repeatable = true}));
    questions.push_back(make_envelope(in, {"stock", id}, stock::encode(stock::get{}), engine(),
                                      {.repeatable = true}));
  }
  const auto answers = co_await ask_all(in, std::move(questions));
  std::string body;
  json_writer json(body);
  json.begin_array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const answer& about = answers[2 * i];
    if (about.failure && is_fault(about.failure->number)) {
      co_return tl::unexpected(failure_response(*about.failure, req));
    }
    auto reply = about.ok() ? product::decode_reply(about.payload)
                            : result<product::reply>(fail(base_errc::not_found));
    const auto* view = reply ? std::get_if<product::product_view>(&*reply) : nullptr;
    if (view) write_product(json, ids[i], *view, about.version, availability_of(answers[2 * i + 1]));
  }
  json.end_array();
  co_return body;
}

std::string variants_json(const std::vector<product_variant>& others) {
  std::string body;
  json_writer json(body);
  json.begin_array();
  for (const auto& each : others) {
    json.begin_object().member("product_id", each.id).member("name", each.name);
    write_pairs(json.key("options"), each.options);
    json.key("price").money_value(each.price.amount_minor, each.price.currency.text());
    write_availability(json.key("stock").begin_object(), availability_of(each.available, each.promised));
    json.end_object().end_object();
  }
  json.end_array();
  return body;
}

std::string search_page_json(const search_query& query, const search_page& page,
                             const std::string& items) {
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").raw(items).key("next_cursor");
  page.next_cursor.empty() ? json.null() : json.value(page.next_cursor);
  json.member("total", page.total);
  write_facets(json, page.counts, query.only.currency);
  if (!query.text.empty()) write_search(json, query, page);
  json.end_object();
  return body;
}

}  // namespace omnicart::http
