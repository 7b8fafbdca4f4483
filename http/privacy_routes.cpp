#include "http/privacy_routes.hpp"

#include <algorithm>

#include "actors/cart/cart_messages.hpp"
#include "actors/reviews/reviews_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "http/cart_json.hpp"
#include "http/order_json.hpp"
#include "http/order_list.hpp"
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

}  // namespace

void privacy_routes::add_to(router& routes) {
  routes.get("/api/users/profile/export", [this](request& req) { return export_all(req); });
  routes.remove("/api/users/profile", [this](request& req) { return erase(req); });
}

task<tl::expected<user::reply, response>> privacy_routes::own_record(request& req,
                                                                     const authority& who) {
  const entity_ref to{"user", who.who.user};
  if (to.id.empty()) {
    co_return tl::unexpected(
        refuse(req, 403, "forbidden", "a guest has no profile: register first"));
  }
  auto asked = inquire(shop_, to, user::encode(user::get{}), who.who);
  const answer got = co_await asked;
  if (!got.ok()) co_return tl::unexpected(failure_response(*got.failure, req));
  auto view = user::decode_reply(got.payload);
  if (!view) co_return tl::unexpected(failure_response(view.error(), req));
  co_return std::move(*view);
}

task<tl::expected<privacy_routes::found_orders, response>> privacy_routes::orders_of(
    request& req, const user::reply& mine, std::string user) {
  found_orders found;
  json_writer json(found.json);
  json.begin_array();
  order_query query;
  query.limit = orders_at_once;
  query.buyers = mine.absorbed;
  query.buyers.push_back(std::move(user));
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
    request& req, const user::reply& mine, std::string user,
    const std::set<std::string>& products) {
  reviews::get_of wanted;
  wanted.by.push_back("user:" + user);
  for (const auto& guest : mine.absorbed) wanted.by.push_back("session:" + guest);
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

task<tl::expected<std::string, response>> privacy_routes::carts_of(request& req,
                                                                   const user::reply& mine,
                                                                   const authority& who) {
  std::vector<envelope> questions;
  for (const auto& id : mine.sessions) {
    questions.push_back(make_envelope(shop_, {"session", id}, session::encode(session::authorize{}),
                                      engine(), {.repeatable = true}));
  }
  const auto sessions = co_await ask_all(shop_, std::move(questions));
  std::set<std::string> ids{mine.cart.str(), who.cart};
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
    if (view) json.raw(cart_json(id, *view, got.version, shop_.currency));
  }
  json.end_array();
  co_return text;
}

task<response> privacy_routes::export_all(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto mine = co_await own_record(req, *who);
  if (!mine) co_return std::move(mine.error());
  const std::string user = who->who.user;
  auto orders = co_await orders_of(req, *mine, user);
  if (!orders) co_return std::move(orders.error());
  auto said = co_await reviews_of(req, *mine, user, orders->products);
  if (!said) co_return std::move(said.error());
  auto carts = co_await carts_of(req, *mine, *who);
  if (!carts) co_return std::move(carts.error());
  std::string text;
  json_writer json(text);
  json.begin_object().member("exported_at", to_rfc3339(shop_.time.wall())).key("user");
  write_user(json, user, *mine);
  json.key("sessions").begin_array();
  for (const auto& session : mine->sessions) json.value(session);
  json.end_array().key("carts").raw(*carts).key("orders").raw(orders->json).key("reviews").raw(*said);
  if (orders->more) json.member("orders_left_out", true);
  json.end_object();
  response shown = json_response(200, std::move(text));
  shown.add_header("Content-Disposition", "attachment; filename=\"my-data.json\"");
  co_return shown;
}

task<response> privacy_routes::erase(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  if (who->who.user.empty())
    co_return refuse(req, 403, "forbidden", "a guest has no profile: register first");
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  std::string password = read.required_string("current_password", password_bytes_max);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const entity_ref to{"user", who->who.user};
  const std::string none;
  const auto shown = co_await check_own_password(shop_, req, to.id, std::move(password), none);
  if (!shown) co_return shown.error();
  command_options options;
  options.wait = settle_patience;
  auto asked = ask(shop_, to, user::encode(user::erase{}), who->who, options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (view->status != user::user_status::unregistered)
    co_return refuse(req, 503, "unavailable", "the record is still being erased");
  response done = json_response(204, "");
  expire_session_cookie(done, req);
  co_return done;
}

}  // namespace omnicart::http
