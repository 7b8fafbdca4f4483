#include "http/review_routes.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "actors/order/order_messages.hpp"
#include "actors/product/product_messages.hpp"
#include "actors/reviews/reviews_messages.hpp"
#include "http/list_query.hpp"
#include "http/order_asker.hpp"
#include "http/order_list.hpp"
#include "http/person_cipher.hpp"
#include "http/person_keys.hpp"
#include "http/review_json.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t orders_looked_at_max = 500;  // of one caller, newest first

bool is_bought(order::order_status status) {
  switch (status) {
    case order::order_status::paid:
    case order::order_status::processing:
    case order::order_status::shipped:
    case order::order_status::delivered:
      return true;
    case order::order_status::pending:
    case order::order_status::rejected:
    case order::order_status::declined:
    case order::order_status::cancelled:
    case order::order_status::authorised:  // paid with the first shipment
      return false;
  }
  return false;
}

bool holds(const answer& got, const std::string& product) {
  const auto view = got.ok() ? order::decode_reply(got.payload)
                             : result<order::reply>(fail(base_errc::not_found));
  return view && is_bought(view->status) &&
         std::any_of(view->lines.begin(), view->lines.end(),
                     [&](const auto& line) { return line.product.str() == product; });
}

void write_summary(json_writer& json, const reviews::reply& view) {
  json.key("rating").begin_object().key("average");
  char stars[32];
  std::snprintf(stars, sizeof stars, "%lld.%02lld",
                static_cast<long long>(view.average_centi / 100),
                static_cast<long long>(view.average_centi % 100));
  view.count > 0 ? json.raw(stars) : json.null();
  json.member("count", view.count).key("stars").begin_array();
  for (const auto count : view.with_stars) json.value(count);
  json.end_array().end_object();
}

}  // namespace

void review_routes::add_to(router& routes) {
  routes.get("/api/products/{id}/reviews", [this](request& req) { return list(req); });
  routes.post("/api/products/{id}/reviews", [this](request& req) { return write(req); });
}

task<response> review_routes::list(request& req) {
  list_query read(req);
  reviews::get wanted;
  wanted.limit = static_cast<std::uint32_t>(read.limit());
  const std::string cursor = read.cursor();
  const auto number = std::from_chars(cursor.data(), cursor.data() + cursor.size(), wanted.before);
  if (!cursor.empty() &&
      (number.ec != std::errc{} || number.ptr != cursor.data() + cursor.size())) {
    read.report("cursor", "malformed", "not a cursor of this list");
  }
  if (auto bad = read.finish()) co_return std::move(*bad);
  const std::string id(req.param("id"));
  if (!is_product_id(id)) co_return refuse(req, 404, "no_such_product", "no such product");
  std::vector<envelope> questions;
  questions.push_back(make_envelope(shop_, {"product", id}, product::encode(product::quote{}),
                                    engine(), {.repeatable = true}));
  questions.push_back(make_envelope(shop_, {"reviews", id}, reviews::encode(wanted), engine(),
                                    {.repeatable = true}));
  const auto answers = co_await ask_all(shop_, std::move(questions));
  for (const auto& each : answers) {
    if (!each.ok()) co_return failure_response(*each.failure, req);
  }
  auto view = reviews::decode_reply(answers[1].payload);
  if (!view) co_return failure_response(view.error(), req);
  // Without the names that cannot be had now, rather than not at all.
  static_cast<void>(co_await open_authors(shop_, view->reviews));
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (const auto& each : view->reviews) write_review(json, each);
  json.end_array().key("next_cursor");
  view->next_before == 0 ? json.null() : json.value(std::to_string(view->next_before));
  write_summary(json, *view);
  json.end_object();
  co_return json_response(200, std::move(body));
}

task<response> review_routes::write(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  reviews::write said;
  said.stars = read.optional_int("rating", 1, 5).value_or(0);
  if (errors.empty() && said.stars == 0) read.report("rating", "required", "one to five stars");
  said.title = read.optional_string("title", reviews::title_bytes_max).value_or("");
  said.text = read.optional_string("text", reviews::text_bytes_max).value_or("");
  said.name = read.optional_string("author", reviews::author_bytes_max).value_or("");
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const std::string id(req.param("id"));
  if (!is_product_id(id)) co_return refuse(req, 404, "no_such_product", "no such product");
  auto priced = inquire(shop_, {"product", id}, product::encode(product::quote{}), engine());
  const answer there = co_await priced;
  if (!there.ok()) co_return failure_response(*there.failure, req);
  auto bought = co_await has_bought(req, *who, id);
  if (!bought) co_return std::move(bought.error());
  if (!*bought)
    co_return refuse(req, 403, "not_a_buyer",
                     "a review may be written by those who bought the product");
  said.product = product_id(id);
  said.by = who->key_owner();
  if (const auto owner = author_of(said.by); owner && !said.name.empty()) {
    auto asked_key = owner->kind == "user" ? person_key_of(shop_, owner->id) : guest_key_of(shop_, owner->id);
    const auto key = co_await std::move(asked_key);
    if (!key) co_return failure_response(key.error(), req);
    if (key->empty()) co_return refuse(req, 404, "not_found", "the account or the session has ended");
    said.name = seal(said.name, *key);
  }
  auto asked = ask(shop_, {"reviews", id}, reviews::encode(said), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  auto view = reviews::decode_reply(got.payload);
  if (!view || view->reviews.empty()) co_return refuse(req, 500, "internal", "");
  static_cast<void>(co_await open_authors(shop_, view->reviews));
  std::string shown;
  json_writer json(shown);
  write_review(json.begin_object().key("review"), view->reviews.front());
  write_summary(json, *view);
  json.end_object();
  response answered = json_response(201, std::move(shown));
  mark_replayed(answered, got);
  co_return answered;
}

task<tl::expected<bool, response>> review_routes::has_bought(request& req, authority who,
                                                             std::string product) {
  order_query query;
  query.limit = limits::list_page_max;
  auto asked_guests = guests_of(shop_, who);
  auto guests = co_await std::move(asked_guests);
  if (!guests) co_return tl::unexpected(failure_response(guests.error(), req));
  query.buyers = std::move(*guests);
  if (!who.who.user.empty()) query.buyers.push_back(who.who.user);
  if (!who.who.session.empty()) query.buyers.push_back(who.who.session);
  if (query.buyers.empty()) co_return false;
  for (std::size_t seen = 0; seen < orders_looked_at_max;) {
    const auto page = co_await shop_.orders.page(query);
    if (!page) co_return tl::unexpected(failure_response(page.error(), req));
    std::vector<envelope> questions;
    for (const auto& id : page->ids) {
      questions.push_back(make_envelope(shop_, {"order", id}, order::encode(order::get{}), engine(),
                                        {.repeatable = true}));
    }
    const auto answers = co_await ask_all(shop_, std::move(questions));
    for (const auto& each : answers) {
      if (holds(each, product)) co_return true;
    }
    seen += page->ids.size();
    if (page->next_cursor.empty()) break;
    query.cursor = page->next_cursor;
  }
  co_return false;
}

}  // namespace omnicart::http
