#include "http/stock_routes.hpp"

#include <algorithm>
#include <limits>

#include "http/catalogue_list.hpp"
#include "http/history_json.hpp"
#include "http/list_query.hpp"
#include "http/server/async_reply.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/session_tokens.hpp"
#include "http/stock_checks.hpp"
#include "http/stock_json.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t ttl_default_s = 900;
// A stock that comes to a hold too late for its count is asked again, with a new one.
constexpr int hold_tries_max = 2;

// A reservation's id names its product: "<26 characters>.<product id>".
std::optional<std::string> product_of(std::string_view reservation) {
  const auto dot = reservation.find('.');
  if (dot == reservation.npos || !is_product_id(reservation.substr(dot + 1))) return std::nullopt;
  return std::string(reservation.substr(dot + 1));
}

// The stock has said for good that it makes no such hold.
bool ended_by(const answer& got) {
  return refused_by_rules(got) && !got.failure->is(stock::errc::reservation_conflict);
}

std::string hold_json(const std::string& reservation, const std::string& product, const stock::stock_view& view) {
  std::string body;
  json_writer json(body);
  json.begin_object()
      .member("reservation_id", reservation)
      .member("product_id", product)
      .member("quantity", view.quantity);
  if (view.expires_at) json.member("expires_at", to_rfc3339(*view.expires_at));
  json.member("available", availability_of(view.available, view.promised).units).end_object();
  return body;
}

std::string low_json(const low_page& page) {
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (const auto& each : page.items) {
    json.begin_object()
        .member("product_id", each.id)
        .member("name", each.name)
        .member("available", std::max<std::int64_t>(each.available, 0))
        .member("owed", owed_of(each.available))
        .member("low_stock", each.low_stock)
        .end_object();
  }
  json.end_array().key("next_cursor");
  page.next_cursor.empty() ? json.null() : json.value(page.next_cursor);
  json.end_object();
  return body;
}

}  // namespace

void stock_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (stock_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/inventory/reserve", bound(&stock_routes::reserve));
  routes.remove("/api/inventory/reservations/{id}", bound(&stock_routes::release));
  routes.post("/api/inventory/reservations/{id}/extend", bound(&stock_routes::extend));
  routes.get("/api/inventory", bound(&stock_routes::list_low));
  routes.get("/api/inventory/{product_id}", bound(&stock_routes::show));
  routes.put("/api/inventory/{product_id}", bound(&stock_routes::set));
  routes.put("/api/inventory/{product_id}/terms", bound(&stock_routes::set_terms));
  routes.get("/api/inventory/{product_id}/history", bound(&stock_routes::history));
}

task<response> stock_routes::list_low(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const std::size_t limit = read.limit();
  const std::string cursor = read.cursor();
  const bool wanted = read.word("low", {"true"}).has_value();
  if (!wanted && !req.query("low")) read.report("low", "missing", "low=true: there is no other list of stock");
  if (auto bad = read.finish()) co_return std::move(*bad);
  auto page = co_await shop_.catalogue.low(cursor, limit);
  if (!page) co_return failure_response(page.error(), req);
  co_return json_response(200, low_json(*page));
}

task<response> stock_routes::show(request& req) {
  auto who = co_await authenticate(shop_, req);
  if (!who) co_return std::move(who.error());
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  auto asked = inquire(shop_, {"stock", id}, stock::encode(stock::get{}), who->who);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = stock::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const std::string tag = etag_of(got.version);
  if (not_modified(req, tag)) co_return not_modified_response(tag);
  response shown = json_response(200, who->staff() ? inventory_json(id, *view, got.version)
                                                   : offer_json(id, *view, got.version));
  shown.add_header("ETag", tag);
  co_return shown;
}

task<response> stock_routes::set(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const auto on_hand = read.optional_int("on_hand", 0, units_max);
  const auto delta = read.optional_int("delta", -units_max, units_max);
  auto reason = read.required_string("reason", 500);
  const std::string location = read_location_id(read, "location_id");
  if (on_hand.has_value() == delta.has_value()) read.report("on_hand", "missing", "give on_hand or delta, not both");
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (delta && !options->id && !options->expected_version) {
    co_return refuse(req, 400, "idempotency_key_required", "a delta needs an Idempotency-Key or If-Match");
  }
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  const auto use = on_hand || *delta > 0 ? location_use::target : location_use::source;
  if (auto unfit = co_await unfit_location(shop_, req, location, use, "location_id")) co_return std::move(*unfit);
  const stock::command what =
      on_hand ? stock::command{stock::set_on_hand{.on_hand = *on_hand, .reason = std::move(reason), .location = location}}
              : stock::command{stock::adjust{.delta = *delta, .reason = std::move(reason), .location = location}};
  auto asked = ask(shop_, {"stock", id}, stock::encode(what), who->who, *options);
  const answer got = co_await asked;
  co_return inventory_response(req, id, got);
}

task<response> stock_routes::set_terms(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const auto promised = read_terms(read, errors);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (!promised) co_return refuse_member(req, "invalid_terms", "pre_order", "back_order or pre_order, not both");
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  auto asked = ask(shop_, {"stock", id}, stock::encode(stock::set_terms{*promised}), who->who, *options);
  const answer got = co_await asked;
  co_return inventory_response(req, id, got);
}

task<stock_routes::counted> stock_routes::count_hold(request& req, const caller& who, const session::hold& what) {
  if (who.session.empty()) co_return std::nullopt;
  const entity_ref self{"session", who.session};
  for (bool tried = false;; tried = true) {
    auto asked = ask(shop_, self, session::encode(what), who);
    const answer got = co_await asked;
    if (got.ok()) {
      const auto view = session::decode_reply(got.payload);
      if (!view) co_return tl::unexpected(failure_response(view.error(), req));
      co_return view->hold_until;
    }
    if (!got.failure->is(session::errc::hold_limit)) co_return tl::unexpected(failure_response(*got.failure, req));
    const auto named = session::decode_holds(got.failure->data);
    if (tried) co_return timestamp_ms{};
    const bool dropped = co_await drop_ended(who, named);
    if (!dropped) co_return timestamp_ms{};
  }
}

// A checkout takes holds over, and a node may have died between a stock's answer and the session's: nobody told the
// session. It is full before it matters.
task<bool> stock_routes::drop_ended(const caller& who, const std::vector<session::counted_hold>& named) {
  std::vector<envelope> questions;
  for (const auto& hold : named) {
    const std::string product = product_of(hold.reservation.str()).value_or("");
    questions.push_back(make_envelope(shop_, {"stock", product}, stock::encode(stock::get{hold.reservation}), who,
                                      {.repeatable = true}));
  }
  const auto answers = co_await ask_all(shop_, std::move(questions));
  session::drop_holds ended;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto view = answers[i].ok() ? stock::decode_reply(answers[i].payload) : result<stock::reply>(fail(*answers[i].failure));
    if (view && !view->expires_at) ended.holds.push_back(named[i]);
  }
  if (ended.holds.empty()) co_return false;
  const entity_ref self{"session", who.session};
  auto asked = ask(shop_, self, session::encode(ended), who);
  const answer got = co_await asked;
  co_return got.ok();
}

// Should it fail, the session counts the hold until its time, or until it looks for holds that ended.
task<void> stock_routes::drop_hold(const caller& who, const reservation_id& reservation) {
  if (who.session.empty()) co_return;
  session::drop_holds what;
  what.holds.push_back({.reservation = reservation, .at = {}, .until = {}});
  const entity_ref self{"session", who.session};
  auto asked = ask(shop_, self, session::encode(what), who);
  (void)co_await asked;
}

task<response> stock_routes::reserve(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::string product = read.required_string("product_id", limits::product_id_bytes_max);
  stock::reserve wanted;
  wanted.quantity = read.required_int("quantity", 1, std::numeric_limits<std::int64_t>::max());
  wanted.ttl = std::chrono::seconds(read.optional_int("ttl_s", 1, 1'800).value_or(ttl_default_s));
  wanted.session = who->who.session;
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (auto none = co_await unknown_product(shop_, req, product)) co_return std::move(*none);
  const auto unique = options->id ? digest_128({"reservation", to_base32(options->id)}) : shop_.ids.next();
  const std::string id = to_base32(unique) + '.' + product;
  wanted.reservation = reservation_id(id);
  const session::hold counting{.reservation = wanted.reservation, .ttl = wanted.ttl};
  answer got;
  for (int tries = 0; tries < hold_tries_max; ++tries) {
    auto until = co_await count_hold(req, who->who, counting);
    if (!until) co_return std::move(until.error());
    wanted.counted_until = *until;
    auto asked = ask(shop_, {"stock", product}, stock::encode(wanted), who->who, *options);
    got = co_await asked;
    if (got.ok() || !got.failure->is(base_errc::expired)) break;
  }
  if (!got.ok()) {
    if (ended_by(got)) co_await drop_hold(who->who, wanted.reservation);
    co_return failure_response(*got.failure, req);
  }
  const auto view = stock::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const bool ended = !view->expires_at || *view->expires_at <= shop_.time.wall();
  if (got.replayed && ended) co_await drop_hold(who->who, wanted.reservation);
  response shown = json_response(201, hold_json(id, product, *view));
  mark_replayed(shown, got);
  co_return shown;
}

task<response> stock_routes::release(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const std::string id(req.param("id"));
  const auto product = product_of(id);
  if (!product) co_return refuse(req, 404, "no_such_reservation", "no such reservation");
  auto asked = ask(shop_, {"stock", *product}, stock::encode(stock::release{reservation_id(id)}), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  co_await drop_hold(who->who, reservation_id(id));
  response gone;
  gone.status = 204;
  mark_replayed(gone, got);
  co_return gone;
}

task<response> stock_routes::extend(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body.empty() ? "{}" : req.body, errors);
  object_reader read(body, errors);
  const auto ttl = std::chrono::seconds(read.optional_int("ttl_s", 1, 1'800).value_or(ttl_default_s));
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const std::string id(req.param("id"));
  const auto product = product_of(id);
  if (!product) co_return refuse(req, 404, "no_such_reservation", "no such reservation");
  const session::hold counting{.reservation = reservation_id(id), .ttl = ttl, .known_only = true};
  answer got;
  for (int tries = 0; tries < hold_tries_max; ++tries) {
    const auto until = co_await count_hold(req, who->who, counting);
    if (!until) co_return until.error();
    const stock::extend wanted{.reservation = counting.reservation, .ttl = ttl, .counted_until = *until};
    auto asked = ask(shop_, {"stock", *product}, stock::encode(wanted), who->who, *options);
    got = co_await asked;
    if (got.ok() || !got.failure->is(base_errc::expired)) break;
  }
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = stock::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  response shown = json_response(200, hold_json(id, *product, *view));
  mark_replayed(shown, got);
  co_return shown;
}

task<response> stock_routes::history(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  const entity_ref entity{"stock", id};
  auto asked = inquire(shop_, entity, stock::encode(stock::get{}), who->who);
  const answer now = co_await asked;
  if (!now.ok()) co_return failure_response(*now.failure, req);
  co_return co_await history_page(shop_, req, entity, now.version);
}

}  // namespace omnicart::http
