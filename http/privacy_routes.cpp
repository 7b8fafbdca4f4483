#include "http/privacy_routes.hpp"

#include <algorithm>
#include <utility>

#include "actors/cart/cart_messages.hpp"
#include "actors/reviews/reviews_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "http/cart_json.hpp"
#include "http/given_reason.hpp"
#include "http/order_json.hpp"
#include "http/order_list.hpp"
#include "http/person_cipher.hpp"
#include "http/person_keys.hpp"
#include "http/review_json.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/problem.hpp"
#include "http/session_tokens.hpp"
#include "http/sign_in.hpp"
#include "http/user_json.hpp"

namespace omnicart::http {
namespace {

constexpr duration_ms settle_patience{5'000};
constexpr std::size_t orders_max = 10'000;
constexpr std::size_t orders_at_once = 100;
constexpr std::size_t products_at_once = 100;

response of_nobody(const request& req) {
  return refuse(req, 403, "forbidden", "this token belongs to no person: nothing is known of one");
}

// The door has written it down.
std::optional<response> without_reason(const request& req) {
  std::vector<field_error> errors;
  static_cast<void>(given_reason(req, errors));
  if (errors.empty()) return std::nullopt;
  return invalid_body_response(std::move(errors), req.request_id);
}

}  // namespace

void privacy_routes::add_to(router& routes) {
  routes.get("/api/users/profile/export", [this](request& req) { return export_own(req); });
  routes.remove("/api/users/profile", [this](request& req) { return erase_own(req); });
  routes.get("/api/users/{id}/export", [this](request& req) { return export_user(req); });
  routes.remove("/api/users/{id}", [this](request& req) { return erase_user(req); });
  routes.remove("/api/orders/{id}/guest", [this](request& req) { return erase_guest_of(req); });
}

task<tl::expected<user::reply, response>> privacy_routes::record_of(request& req, const entity_ref& to,
                                                                    const caller& asker) {
  auto asked = inquire(shop_, to, user::encode(user::get{}), asker);
  const answer got = co_await asked;
  if (!got.ok()) co_return tl::unexpected(failure_response(*got.failure, req));
  auto view = user::decode_reply(got.payload);
  if (!view) co_return tl::unexpected(failure_response(view.error(), req));
  co_return std::move(*view);
}

task<tl::expected<privacy_routes::person, response>> privacy_routes::own_person(request& req,
                                                                                const authority& who) {
  person whose{.user = who.who.user, .known = {}, .cart = who.cart};
  if (whose.user.empty() && who.who.session.empty()) co_return tl::unexpected(of_nobody(req));
  if (whose.user.empty()) {
    whose.known.absorbed.push_back(who.who.session);
    whose.known.sessions.push_back(who.who.session);
    co_return whose;
  }
  const entity_ref to{"user", whose.user};
  auto known = co_await record_of(req, to, who.who);
  if (!known) co_return tl::unexpected(std::move(known.error()));
  whose.known = std::move(*known);
  co_return whose;
}

task<tl::expected<privacy_routes::found_orders, response>> privacy_routes::orders_of(request& req,
                                                                                     const person& whose) {
  found_orders found;
  json_writer json(found.json);
  json.begin_array();
  order_query query;
  query.limit = orders_at_once;
  query.buyers = whose.known.absorbed;
  if (!whose.user.empty()) query.buyers.push_back(whose.user);
  for (std::size_t count = 0; count < orders_max; count += orders_at_once) {
    auto page = co_await shop_.orders.page(query);
    if (!page) co_return tl::unexpected(failure_response(page.error(), req));
    std::vector<envelope> questions;
    for (const auto& id : page->ids) {
      questions.push_back(make_envelope(shop_, {"order", id}, order::encode(order::get{}), engine(),
                                        {.repeatable = true}));
    }
    const auto answers = co_await ask_all(shop_, std::move(questions));
    const auto opened = co_await opened_orders(shop_, answers);
    if (!opened) co_return tl::unexpected(failure_response(opened.error(), req));
    for (const auto& each : *opened) {
      for (const auto& line : each.view.lines) found.products.insert(line.product.str());
      json.raw(order_json(page->ids[each.at], each.view, answers[each.at].version));
    }
    found.more = !page->next_cursor.empty();
    if (!found.more) break;
    query.cursor = page->next_cursor;
  }
  json.end_array();
  co_return found;
}

task<tl::expected<std::string, response>> privacy_routes::reviews_of(
    request& req, const person& whose, const std::set<std::string>& products) {
  reviews::get_of wanted;
  if (!whose.user.empty()) wanted.by.push_back("user:" + whose.user);
  for (const auto& guest : whose.known.absorbed) wanted.by.push_back("session:" + guest);
  const std::string question = reviews::encode(wanted);
  std::string text;
  json_writer json(text);
  json.begin_array();
  for (auto next = products.begin(); next != products.end();) {
    std::vector<envelope> questions;
    std::vector<std::string> of;
    for (; next != products.end() && of.size() < products_at_once; ++next) {
      of.push_back(*next);
      questions.push_back(
          make_envelope(shop_, {"reviews", *next}, question, engine(), {.repeatable = true}));
    }
    const auto answers = co_await ask_all(shop_, std::move(questions));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].ok()) co_return tl::unexpected(failure_response(*answers[i].failure, req));
      auto view = reviews::decode_reply(answers[i].payload);
      if (!view) co_return tl::unexpected(failure_response(view.error(), req));
      if (view->reviews.empty()) continue;
      if (const auto failed = co_await open_authors(shop_, view->reviews))
        co_return tl::unexpected(failure_response(*failed, req));
      for (const auto& each : view->reviews) write_review(json, each, of[i]);
    }
  }
  json.end_array();
  co_return text;
}

task<tl::expected<std::string, response>> privacy_routes::carts_of(request& req, const person& whose) {
  std::vector<envelope> questions;
  for (const auto& id : whose.known.sessions) {
    questions.push_back(make_envelope(shop_, {"session", id}, session::encode(session::authorize{}),
                                      engine(), {.repeatable = true}));
  }
  const auto sessions = co_await ask_all(shop_, std::move(questions));
  std::set<std::string> ids{whose.known.cart.str(), whose.cart};
  for (const auto& each : sessions) {
    if (!each.ok() && is_fault(each.failure->number))
      co_return tl::unexpected(failure_response(*each.failure, req));
    const auto view = each.ok() ? session::decode_reply(each.payload)
                                : result<session::reply>(fail(*each.failure));
    if (view) ids.insert(view->cart.str());
  }
  ids.erase("");
  std::string text;
  json_writer json(text);
  json.begin_array();
  for (const auto& id : ids) {
    auto asked = inquire(shop_, {"cart", id}, cart::encode(cart::get{}), engine());
    const answer got = co_await asked;
    if (!got.ok() && is_fault(got.failure->number))
      co_return tl::unexpected(failure_response(*got.failure, req));
    if (!got.ok() || got.version == 0) continue;  // nothing was ever in it
    const auto reply = cart::decode_reply(got.payload);
    const auto* view = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
    if (view) json.raw(exported_cart_json(id, *view, got.version, shop_.currency));
  }
  json.end_array();
  co_return text;
}

task<response> privacy_routes::export_all(request& req, const person& whose, std::string file) {
  auto orders = co_await orders_of(req, whose);
  if (!orders) co_return std::move(orders.error());
  auto said = co_await reviews_of(req, whose, orders->products);
  if (!said) co_return std::move(said.error());
  auto carts = co_await carts_of(req, whose);
  if (!carts) co_return std::move(carts.error());
  std::string text;
  json_writer json(text);
  json.begin_object().member("exported_at", to_rfc3339(shop_.time.wall()));
  if (!whose.user.empty()) {
    json.key("user");
    write_user(json, whose.user, whose.known);
  }
  json.key("sessions").begin_array();
  for (const auto& session : whose.known.sessions) json.value(session);
  json.end_array().key("carts").raw(*carts).key("orders").raw(orders->json).key("reviews").raw(*said);
  if (orders->more) json.member("orders_left_out", true);
  json.end_object();
  response shown = json_response(200, std::move(text));
  shown.add_header("Content-Disposition", "attachment; filename=\"" + file + '"');
  co_return shown;
}

task<response> privacy_routes::export_own(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto whose = co_await own_person(req, *who);
  if (!whose) co_return std::move(whose.error());
  const std::string file = "my-data.json";
  co_return co_await export_all(req, *whose, file);
}

task<response> privacy_routes::export_user(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  person whose;
  whose.user = req.param("id");
  if (!is_url_id(whose.user)) co_return refuse(req, 404, "no_such_user", "no such user");
  const entity_ref to{"user", whose.user};
  auto known = co_await record_of(req, to, who->who);
  if (!known) co_return std::move(known.error());
  whose.known = std::move(*known);
  const std::string file = "data-of-" + whose.user + ".json";
  co_return co_await export_all(req, whose, file);
}

task<std::optional<response>> privacy_routes::erase_account(request& req, const entity_ref& to, const caller& asker,
                                                            command_options options) {
  options.wait = settle_patience;
  auto asked = ask(shop_, to, user::encode(user::erase{}), asker, options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (view->status == user::user_status::unregistered) co_return std::nullopt;
  co_return refuse(req, 503, "unavailable", "the record is still being erased");
}

task<std::optional<response>> privacy_routes::forget_guest(request& req, std::string session, command_options options) {
  const entity_ref to{"session", session};
  // Asked for first: who is forgotten does not know their cart any more.
  auto looked = inquire(shop_, to, session::encode(session::authorize{}), engine());
  const answer known = co_await looked;
  if (!known.ok() && is_fault(known.failure->number)) co_return failure_response(*known.failure, req);
  const auto view = known.ok() ? session::decode_reply(known.payload) : result<session::reply>(fail(*known.failure));
  const std::string cart = view && !view->cart.empty() ? view->cart.str() : session;
  const session::command what = session::forget{.guest_only = true};
  auto asked = ask(shop_, to, session::encode(what), engine(), options);
  const answer got = co_await asked;
  if (got.ok()) {
    auto last = ask(shop_, {"cart", cart}, cart::encode(cart::forget{.session = session}), engine());
    const answer gone = co_await last;
    if (!gone.ok()) co_return failure_response(*gone.failure, req);
    co_return std::nullopt;
  }
  if (!got.failure->is(session::errc::taken_over)) co_return failure_response(*got.failure, req);
  co_return refuse(req, 409, "not_a_guests_order", "the guest has become a user: " + got.failure->data);
}

task<response> privacy_routes::erase_with_password(request& req, const authority& who) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  std::string password = read.required_string("current_password", password_bytes_max);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const entity_ref to{"user", who.who.user};
  const std::string none;
  const auto shown = co_await check_own_password(shop_, req, to.id, std::move(password), none);
  if (!shown) co_return shown.error();
  const command_options options;
  if (auto failed = co_await erase_account(req, to, who.who, options)) co_return std::move(*failed);
  co_return signed_out(req);
}

task<response> privacy_routes::erase_own(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  if (!who->who.user.empty()) co_return co_await erase_with_password(req, *who);
  if (who->who.session.empty()) co_return of_nobody(req);
  std::vector<field_error> errors;
  const auto body = parse_optional_json(req, errors);
  object_reader read(body, errors);
  static_cast<void>(read.optional_string("current_password", password_bytes_max));  // a guest has none
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const command_options options;
  if (auto failed = co_await forget_guest(req, who->who.session, options)) co_return std::move(*failed);
  co_return signed_out(req);
}

task<response> privacy_routes::erase_user(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  const auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return options.error();
  if (auto bad = without_reason(req)) co_return std::move(*bad);
  const entity_ref to{"user", std::string(req.param("id"))};
  if (!is_url_id(to.id)) co_return refuse(req, 404, "no_such_user", "no such user");
  if (to.id == who->who.user)
    co_return refuse(req, 409, "own_account", "one's own account is erased by DELETE /api/users/profile");
  if (auto failed = co_await erase_account(req, to, who->who, *options)) co_return std::move(*failed);
  co_return json_response(204, "");
}

task<response> privacy_routes::erase_guest_of(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  options->expected_version.reset();  // what is changed is not the order
  if (auto bad = without_reason(req)) co_return std::move(*bad);
  const entity_ref of{"order", std::string(req.param("id"))};
  if (!is_url_id(of.id)) co_return refuse(req, 404, "no_such_order", "no such order");
  auto asked = inquire(shop_, of, order::encode(order::get{}), engine());
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = order::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (!view->buyer.user.empty())
    co_return refuse(req, 409, "not_a_guests_order", "the order is that of a user: " + view->buyer.user);
  if (view->buyer.session.empty())
    co_return refuse(req, 409, "not_a_guests_order", "the order was placed by staff, for nobody's account");
  if (!has_sealed(*view))
    co_return refuse(req, 409, "in_clear", "the order is of a build that encrypted no guest's data");
  if (auto failed = co_await forget_guest(req, view->buyer.session, *options)) co_return std::move(*failed);
  co_return json_response(204, "");
}

}  // namespace omnicart::http
