#include "http/stock_json.hpp"

#include <algorithm>

#include "http/promotion_json.hpp"
#include "http/server/headers.hpp"
#include "http/shop.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t few_units = 5;  // of a product whose terms do not say what is low

void write_sold_ahead(json_writer& json, std::string_view name, const stock::terms& promised) {
  json.key(name).begin_object().member("limit", promised.owed_max);
  if (promised.available_from) json.member("available_from", to_rfc3339(*promised.available_from));
  json.end_object();
}

// As read_terms() reads them.
void write_terms(json_writer& json, const stock::terms& promised) {
  json.key("terms").begin_object();
  switch (promised.more) {
    case stock::backorder::none:
      break;
    case stock::backorder::later:
      write_sold_ahead(json, "back_order", promised);
      break;
    case stock::backorder::ahead:
      write_sold_ahead(json, "pre_order", promised);
      break;
  }
  if (promised.low_stock > 0) json.member("low_stock", promised.low_stock);
  if (promised.customer_max > 0) json.member("customer_limit", promised.customer_max);
  json.end_object();
}

void write_transfer(json_writer& json, const stock::transfer_view& what,
                    std::optional<timestamp_ms> sent_at) {
  json.member("transfer_id", what.transfer);
  if (!what.from.empty()) json.member("from", what.from);
  if (!what.to.empty()) json.member("to", what.to);
  json.member("quantity", what.quantity);
  if (sent_at) json.member("sent_at", to_rfc3339(*sent_at));
}

void write_places(json_writer& json, const stock::stock_view& view) {
  json.key("locations").begin_array();
  for (const auto& place : view.places) {
    json.begin_object()
        .member("location_id", place.location)
        .member("on_hand", place.units)
        .end_object();
  }
  json.end_array()
      .member("at_no_location", view.at_no_location)
      .member("in_transfer", view.in_transfer)
      .key("transfers")
      .begin_array();
  for (const auto& each : view.transfers) {
    json.begin_object();
    write_transfer(json, each, each.sent_at);
    json.end_object();
  }
  json.end_array();
}

bool is_low(const stock::stock_view& view) {
  return view.promised.low_stock > 0 && view.available <= view.promised.low_stock;
}

// The members of back_order or pre_order.
void read_sold_ahead(object_reader read, stock::backorder kind, stock::terms& promised) {
  promised.more = kind;
  promised.owed_max = read.required_int("limit", 1, stock::owed_units_max);
  const json_value* said = read.any("available_from");
  promised.available_from = read_time(read, "available_from");
  if (kind == stock::backorder::ahead && (!said || said->is == json_value::type::null)) {
    read.report("available_from", "missing", "a pre-order says when the product is to be had");
  }
  read.finish();
}

}  // namespace

availability availability_of(std::int64_t available, const stock::terms& promised) {
  availability found;
  found.units = std::max<std::int64_t>(available, 0);
  if (found.units > 0) {
    const auto few = promised.low_stock > 0 ? promised.low_stock : few_units;
    found.state = found.units <= few ? "low_stock" : "in_stock";
    return found;
  }
  if (owed_of(available) >= promised.owed_max) return found;
  switch (promised.more) {
    case stock::backorder::none:
      return found;
    case stock::backorder::later:
      found.state = "back_order";
      break;
    case stock::backorder::ahead:
      found.state = "pre_order";
      break;
  }
  found.from = promised.available_from;
  return found;
}

availability availability_of(const answer& got) {
  const auto view = got.ok() ? stock::decode_reply(got.payload)
                             : result<stock::reply>(fail(base_errc::not_found));
  return view ? availability_of(view->available, view->promised) : availability{};
}

void write_availability(json_writer& json, const availability& stock) {
  json.member("available", stock.units).member("state", stock.state);
  if (stock.from) json.member("available_from", to_rfc3339(*stock.from));
}

std::string tag_of(const availability& stock) {
  std::string tag = std::to_string(stock.units);
  // Without units it is the terms that make the state.
  if (stock.units == 0 && stock.state != "out_of_stock") tag += '-' + std::string(stock.state);
  if (stock.from) tag += '-' + std::to_string(stock.from->time_since_epoch().count());
  return tag;
}

std::int64_t owed_of(std::int64_t available) { return available < 0 ? -available : 0; }

std::string inventory_json(const std::string& product, const stock::stock_view& view,
                           std::uint64_t version) {
  std::string body;
  json_writer json(body);
  json.begin_object()
      .member("product_id", product)
      .member("on_hand", view.on_hand)
      .member("reserved", view.reserved);
  write_availability(json, availability_of(view.available, view.promised));
  json.member("owed", owed_of(view.available))
      .member("received", view.received)
      .member("adjusted", view.adjusted)
      .member("sold", view.sold)
      .member("returned", view.returned);
  write_places(json, view);
  write_terms(json, view.promised);
  json.member("low", is_low(view)).member("version", version).end_object();
  return body;
}

std::string offer_json(const std::string& product, const stock::stock_view& view,
                       std::uint64_t version) {
  std::string body;
  json_writer json(body);
  json.begin_object().member("product_id", product);
  write_availability(json, availability_of(view.available, view.promised));
  json.member("version", version).end_object();
  return body;
}

response inventory_response(const request& req, const std::string& product, const answer& got) {
  if (!got.ok()) return failure_response(*got.failure, req);
  const auto view = stock::decode_reply(got.payload);
  if (!view) return failure_response(view.error(), req);
  response shown = json_response(200, inventory_json(product, *view, got.version));
  shown.add_header("ETag", etag_of(got.version));
  mark_replayed(shown, got);
  return shown;
}

std::string transfer_json(const std::string& product, const stock::transfer_view& what,
                          std::optional<timestamp_ms> sent_at) {
  std::string body;
  json_writer json(body);
  json.begin_object().member("product_id", product);
  write_transfer(json, what, sent_at);
  json.end_object();
  return body;
}

std::optional<stock::terms> read_terms(object_reader& read, std::vector<field_error>& errors) {
  stock::terms promised;
  const auto* later = read.optional_object("back_order");
  const auto* ahead = read.optional_object("pre_order");
  const auto inner = [&](const json_value& object, std::string_view name) {
    return object_reader(object, read.pointer_of(name), errors);
  };
  if (later) read_sold_ahead(inner(*later, "back_order"), stock::backorder::later, promised);
  if (ahead) read_sold_ahead(inner(*ahead, "pre_order"), stock::backorder::ahead, promised);
  promised.low_stock = read.optional_int("low_stock", 0, stock::owed_units_max).value_or(0);
  promised.customer_max =
      read.optional_int("customer_limit", 1, limits::line_quantity_max).value_or(0);
  if (later && ahead) return std::nullopt;
  return promised;
}

}  // namespace omnicart::http
