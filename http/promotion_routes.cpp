#include "http/promotion_routes.hpp"

#include "http/history_json.hpp"
#include "http/list_query.hpp"
#include "http/price_json.hpp"
#include "http/promotion_json.hpp"
#include "http/record_list.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t coupon_body_bytes_max = 65'536;
constexpr std::size_t card_code_bytes_min = 8;  // who has the code may spend the card

// The code that a path names; nothing: there can be no such coupon or card.
std::optional<std::string> named(const request& req) { return read_code(req.param("code")); }

response none(const request& req, const std::string& kind) {
  return refuse(req, 404, kind == "coupon" ? "no_such_coupon" : "no_such_gift_card",
                "no such code");
}

std::string get_of(const std::string& kind) {
  return kind == "coupon" ? coupon::encode(coupon::get{}) : gift_card::encode(gift_card::get{});
}

// The record as staff see it; empty when it cannot be read.
std::string json_of(const std::string& kind, const std::string& code, const answer& got) {
  if (kind == "coupon") {
    const auto view = coupon::decode_reply(got.payload);
    return view ? coupon_json(code, *view, got.version) : "";
  }
  const auto view = gift_card::decode_reply(got.payload);
  return view ? gift_card_json(code, *view, got.version) : "";
}

response shown(const request& req, const std::string& kind, const std::string& code,
               const answer& got, int status) {
  if (!got.ok()) return failure_response(*got.failure, req);
  std::string body = json_of(kind, code, got);
  if (body.empty()) return refuse(req, 500, "internal", "");
  response answered = json_response(status, std::move(body));
  answered.add_header("ETag", etag_of(got.version));
  mark_replayed(answered, got);
  return answered;
}

}  // namespace

void promotion_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (promotion_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/coupons", bound(&promotion_routes::define_coupon),
              {.body_bytes_max = coupon_body_bytes_max});
  routes.get("/api/coupons", bound(&promotion_routes::list_coupons));
  routes.get("/api/coupons/{code}", bound(&promotion_routes::show_coupon));
  routes.put("/api/coupons/{code}/status", bound(&promotion_routes::switch_coupon));
  routes.get("/api/coupons/{code}/history", bound(&promotion_routes::coupon_history));
  routes.post("/api/gift-cards", bound(&promotion_routes::issue_card));
  routes.get("/api/gift-cards", bound(&promotion_routes::list_cards));
  routes.get("/api/gift-cards/{code}", bound(&promotion_routes::show_card));
  routes.put("/api/gift-cards/{code}/status", bound(&promotion_routes::switch_card));
  routes.get("/api/gift-cards/{code}/history", bound(&promotion_routes::card_history));
}

task<response> promotion_routes::list_coupons(request& req) { return list(req, "coupon"); }
task<response> promotion_routes::show_coupon(request& req) { return show(req, "coupon"); }
task<response> promotion_routes::switch_coupon(request& req) { return switch_one(req, "coupon"); }
task<response> promotion_routes::coupon_history(request& req) { return history(req, "coupon"); }
task<response> promotion_routes::list_cards(request& req) { return list(req, "gift_card"); }
task<response> promotion_routes::show_card(request& req) { return show(req, "gift_card"); }
task<response> promotion_routes::switch_card(request& req) { return switch_one(req, "gift_card"); }
task<response> promotion_routes::card_history(request& req) { return history(req, "gift_card"); }

task<response> promotion_routes::define_coupon(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const auto code = read_code(read.required_string("code", 64));
  if (!code) read.report("code", "malformed", "3 to 64 letters, digits, - and _");
  coupon::define wanted{read_definition(read, shop_.currency)};
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  auto asked = ask(shop_, {"coupon", *code}, coupon::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  response made = shown(req, "coupon", *code, got, 201);
  if (got.ok()) made.add_header("Location", "/api/coupons/" + *code);
  co_return made;
}

task<response> promotion_routes::issue_card(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const auto typed = read.optional_string("code", 64);
  auto code = typed ? read_code(*typed) : std::nullopt;
  if (typed && (!code || code->size() < card_code_bytes_min)) {
    read.report("code", "malformed",
                "8 to 64 letters, digits, - and _; left out, the engine makes one");
  }
  // A code made from the key would be as guessable as the key, and a drawn one would be another at
  // each repetition.
  if (!typed && options->id)
    read.report("code", "missing", "with an Idempotency-Key the code is to be given");
  gift_card::issue wanted;
  wanted.value = read.required_money("value", shop_.currency, {.min_minor = 1});
  wanted.expires_at = read_time(read, "expires_at");
  wanted.note = read.optional_string("note", 200).value_or("");
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (!code) code = read_code(to_base32(shop_.ids.next()));
  auto asked = ask(shop_, {"gift_card", *code}, gift_card::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  response made = shown(req, "gift_card", *code, got, 201);
  if (got.ok()) made.add_header("Location", "/api/gift-cards/" + *code);
  co_return made;
}

task<response> promotion_routes::show(request& req, std::string kind) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  const auto code = named(req);
  if (!code) co_return none(req, kind);
  auto asked = inquire(shop_, {kind, *code}, get_of(kind), who->who);
  const answer got = co_await asked;
  co_return shown(req, kind, *code, got, 200);
}

task<response> promotion_routes::switch_one(request& req, std::string kind) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const bool enabled = read.required_word("status", {"disabled", "enabled"}) == 1;
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const auto code = named(req);
  if (!code) co_return none(req, kind);
  std::string command = kind == "coupon" ? coupon::encode(coupon::set_enabled{enabled})
                                         : gift_card::encode(gift_card::set_enabled{enabled});
  auto asked = ask(shop_, {kind, *code}, std::move(command), who->who, *options);
  const answer got = co_await asked;
  co_return shown(req, kind, *code, got, 200);
}

task<response> promotion_routes::history(request& req, std::string kind) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  const auto code = named(req);
  if (!code) co_return none(req, kind);
  auto asked = inquire(shop_, {kind, *code}, get_of(kind), who->who);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const entity_ref entity{kind, *code};
  co_return co_await history_page(shop_, req, entity, got.version);
}

task<response> promotion_routes::list(request& req, std::string kind) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const std::size_t limit = read.limit();
  const std::string cursor = read.cursor();
  if (!cursor.empty() && !read_code(cursor))
    read.report("cursor", "malformed", "not a cursor of this list");
  if (auto bad = read.finish()) co_return std::move(*bad);
  auto page = co_await shop_.records.page(kind, cursor, limit);
  if (!page) co_return failure_response(page.error(), req);
  std::vector<envelope> questions;
  for (const auto& code : page->ids) {
    questions.push_back(
        make_envelope(shop_, {kind, code}, get_of(kind), who->who, {.repeatable = true}));
  }
  const auto answers = co_await ask_all(shop_, std::move(questions));
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].failure && is_fault(answers[i].failure->number))
      co_return failure_response(*answers[i].failure, req);
    if (answers[i].ok()) json.raw(json_of(kind, page->ids[i], answers[i]));
  }
  json.end_array().key("next_cursor");
  page->next_cursor.empty() ? json.null() : json.value(page->next_cursor);
  json.end_object();
  co_return json_response(200, std::move(body));
}

}  // namespace omnicart::http
