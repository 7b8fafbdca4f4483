#include "http/after_order_routes.hpp"

#include <charconv>
#include <limits>

#include "http/order_after_json.hpp"
#include "http/order_asker.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

constexpr auto any_amount = std::numeric_limits<std::int64_t>::max();
constexpr auto line_id_max = std::numeric_limits<std::uint32_t>::max();

order::line_counts read_lines(object_reader& read, std::vector<field_error>& errors) {
  order::line_counts lines;
  const auto* sent = read.optional_array("lines", limits::items_per_request_max);
  if (!sent) return lines;
  if (sent->items.empty()) read.report("lines", "too_small", "leave it out, or name a line");
  for (std::size_t i = 0; i < sent->items.size(); ++i) {
    object_reader item(sent->items[i], read.pointer_of("lines", i), errors);
    order::line_count line;
    line.line_id = static_cast<std::uint32_t>(item.required_int("line_id", 0, line_id_max));
    line.quantity = item.required_int("quantity", 1, any_amount);
    item.finish();
    lines.push_back(line);
  }
  return lines;
}

// 0, which no record has, for anything that is no number.
std::uint32_t number_of(const request& req) {
  const std::string_view text = req.param("number");
  std::uint32_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  return wrong == std::errc{} && end == text.data() + text.size() ? number : 0;
}

}  // namespace

void after_order_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (after_order_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/orders/{id}/shipments", bound(&after_order_routes::ship));
  routes.put("/api/orders/{id}/shipments/{number}/status", bound(&after_order_routes::deliver));
  routes.post("/api/orders/{id}/returns", bound(&after_order_routes::ask_return));
  routes.put("/api/orders/{id}/returns/{number}/status", bound(&after_order_routes::close_return));
  routes.post("/api/orders/{id}/refunds", bound(&after_order_routes::refund));
  routes.get("/api/orders/{id}/payments", bound(&after_order_routes::payments));
  routes.post("/api/orders/{id}/notes", bound(&after_order_routes::add_note));
  routes.get("/api/orders/{id}/notes", bound(&after_order_routes::notes));
}

task<response> after_order_routes::carry_out(request& req, const authority& who, const deed& what) {
  auto options = unsafe_options(req, who, what.key_required ? key_need::required : key_need::optional);
  if (!options) co_return std::move(options.error());
  const std::string id(req.param("id"));
  if (!is_url_id(id)) co_return refuse(req, 404, "no_such_order", "no such order");
  const auto asker = co_await asker_of(shop_, who, id);
  if (!asker) co_return failure_response(asker.error(), req);
  if (what.waits) options->wait = shop_.payment_patience;
  auto asked = ask(shop_, {"order", id}, order::encode(what.what), *asker, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = order::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const bool makes = what.number == 0;
  const std::uint32_t number = makes ? view->made : what.number;
  response shown = json_response(makes ? 201 : 200, what.show(id, *view, number));
  if (makes) {
    shown.add_header("Location", "/api/orders/" + id + '/' + what.path + '/' + std::to_string(number));
  }
  shown.add_header("ETag", etag_of(got.version));
  mark_replayed(shown, got);
  co_return shown;
}

task<response> after_order_routes::ship(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  order::ship wanted;
  wanted.carrier = read.optional_string("carrier", order::carrier_bytes_max).value_or("");
  wanted.tracking = read.optional_string("tracking", order::tracking_bytes_max).value_or("");
  wanted.lines = read_lines(read, errors);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const deed what{.what = std::move(wanted), .show = shipment_json, .path = "shipments"};
  co_return co_await carry_out(req, *who, what);
}

task<response> after_order_routes::deliver(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  read.required_word("status", {"delivered"});
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const std::uint32_t number = number_of(req);
  if (number == 0) co_return refuse(req, 404, "no_such_shipment", "no such shipment");
  const deed what{.what = order::deliver{number}, .show = shipment_json, .number = number};
  co_return co_await carry_out(req, *who, what);
}

task<response> after_order_routes::ask_return(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  order::ask_return wanted;
  wanted.lines = read_lines(read, errors);
  if (!read.has("lines")) read.report("lines", "missing", "name the lines that come back");
  wanted.reason = read.optional_string("reason", order::reason_bytes_max).value_or("");
  for (const char* name : {"received", "restock", "refund"}) {
    if (read.has(name) && !who->staff()) read.report(name, "forbidden", "the shop's staff say so");
  }
  wanted.received = read.optional_bool("received").value_or(false);
  wanted.restock = read.optional_bool("restock").value_or(true);
  wanted.refund = read.optional_bool("refund").value_or(true);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const bool pays = wanted.received && wanted.refund;
  const deed what{.what = std::move(wanted), .show = return_json, .path = "returns", .waits = pays};
  co_return co_await carry_out(req, *who, what);
}

task<response> after_order_routes::close_return(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  order::close_return wanted;
  const auto to = read.required_word("status", {"received", "refused"});
  wanted.to = to == 0 ? order::return_status::received : order::return_status::refused;
  wanted.restock = read.optional_bool("restock").value_or(true);
  wanted.refund = read.optional_bool("refund").value_or(true);
  wanted.reason = read.optional_string("reason", order::reason_bytes_max).value_or("");
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  wanted.number = number_of(req);
  if (wanted.number == 0) co_return refuse(req, 404, "no_such_return", "no such return");
  const bool pays = to == 0 && wanted.refund;
  const std::uint32_t number = wanted.number;
  const deed what{.what = std::move(wanted), .show = return_json, .number = number, .waits = pays};
  co_return co_await carry_out(req, *who, what);
}

task<response> after_order_routes::refund(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  order::give_refund wanted;
  wanted.amount = read.optional_money("amount", shop_.currency);
  wanted.lines = read_lines(read, errors);
  if (read.has("amount") == read.has("lines")) read.report("amount", "missing", "give amount or lines, not both");
  wanted.reason = read.optional_string("reason", order::reason_bytes_max).value_or("");
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const deed what{.what = std::move(wanted), .show = refund_json, .path = "refunds", .key_required = true, .waits = true};
  co_return co_await carry_out(req, *who, what);
}

task<response> after_order_routes::add_note(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  order::add_note wanted{read.required_string("text", order::note_bytes_max)};
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const deed what{.what = std::move(wanted), .show = note_json, .path = "notes"};
  co_return co_await carry_out(req, *who, what);
}

task<tl::expected<order::order_view, response>> after_order_routes::read_order(request& req, const std::string& id) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return tl::unexpected(std::move(who.error()));
  if (!is_url_id(id)) co_return tl::unexpected(refuse(req, 404, "no_such_order", "no such order"));
  auto asked = inquire(shop_, {"order", id}, order::encode(order::get{}), who->who);
  const answer got = co_await asked;
  if (!got.ok()) co_return tl::unexpected(failure_response(*got.failure, req));
  auto view = order::decode_reply(got.payload);
  if (!view) co_return tl::unexpected(failure_response(view.error(), req));
  co_return std::move(*view);
}

task<response> after_order_routes::notes(request& req) {
  const std::string id(req.param("id"));
  auto view = co_await read_order(req, id);
  if (!view) co_return std::move(view.error());
  co_return json_response(200, notes_json(*view));
}

task<response> after_order_routes::payments(request& req) {
  const std::string id(req.param("id"));
  auto view = co_await read_order(req, id);
  if (!view) co_return std::move(view.error());
  co_return json_response(200, payments_json(id, *view));
}

}  // namespace omnicart::http
