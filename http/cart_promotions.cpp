#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "http/cart_json.hpp"
#include "http/cart_routes.hpp"
#include "http/price_json.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"

// A cart's coupons, gift cards and destination, and what it comes to with them.
namespace omnicart::http {
namespace {

constexpr std::size_t code_bytes_max = 64;

// What is asked of a coupon or gift card before a cart takes its code.
std::pair<entity_ref, std::string> question_about(const cart::use_code& what, const caller& who,
                                                  currency_code currency) {
  if (what.kind == cart::code_kind::gift_card) {
    return {{"gift_card", what.code}, gift_card::encode(gift_card::check{currency})};
  }
  const std::string customer = who.user.empty() ? "session:" + who.session : "user:" + who.user;
  return {{"coupon", what.code}, coupon::encode(coupon::check{customer})};
}

}  // namespace

task<response> cart_routes::add_coupon(request& req) {
  return use_code(req, cart::code_kind::coupon);
}
task<response> cart_routes::add_gift_card(request& req) {
  return use_code(req, cart::code_kind::gift_card);
}
task<response> cart_routes::drop_coupon(request& req) {
  return drop_code(req, cart::code_kind::coupon);
}
task<response> cart_routes::drop_gift_card(request& req) {
  return drop_code(req, cart::code_kind::gift_card);
}

// A code that is good for nothing is refused at once; one that is held by an order on its way may
// be free again soon.
task<response> cart_routes::use_code(request& req, cart::code_kind kind) {
  auto at = co_await address(req);
  if (!at) co_return std::move(at.error());
  auto options = unsafe_options(req, at->who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::string typed = read.required_string("code", code_bytes_max);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const bool coupon = kind == cart::code_kind::coupon;
  const auto code = read_code(typed);
  if (!code)
    co_return refuse(req, 404, coupon ? "no_such_coupon" : "no_such_gift_card", "no such code");
  const cart::command look = cart::get{};
  const command_options asking{.repeatable = true};
  const answer before = co_await ask_cart(*at, look, asking);
  if (!before.ok()) co_return failure_response(*before.failure, req);
  const auto reply = cart::decode_reply(before.payload);
  const auto* view = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
  if (!view) co_return refuse(req, 500, "internal", "");
  const bool priced = view->subtotal.currency != currency_code{};
  const cart::use_code asked_for{kind, *code};
  auto [of, question] =
      question_about(asked_for, at->who.who, priced ? view->subtotal.currency : shop_.currency);
  auto asked = inquire(shop_, std::move(of), std::move(question), engine());
  const answer good = co_await asked;
  if (!good.ok() && !good.failure->is(coupon::errc::coupon_in_use) &&
      !good.failure->is(gift_card::errc::gift_card_in_use)) {
    co_return failure_response(*good.failure, req);
  }
  const cart::command what = asked_for;
  const answer got = co_await ask_cart(*at, what, *options);
  co_return co_await priced_cart(req, *at, got, 200);
}

task<response> cart_routes::drop_code(request& req, cart::code_kind kind) {
  auto at = co_await address(req);
  if (!at) co_return std::move(at.error());
  auto options = unsafe_options(req, at->who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const auto code = read_code(req.param("code"));
  if (!code) co_return refuse(req, 404, "no_such_code", "the cart has no such code");
  const cart::command what = cart::drop_code{kind, *code};
  const answer got = co_await ask_cart(*at, what, *options);
  co_return co_await priced_cart(req, *at, got, 200);
}

task<response> cart_routes::choose_shipping(request& req) {
  auto at = co_await address(req);
  if (!at) co_return std::move(at.error());
  auto options = unsafe_options(req, at->who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  cart::choose_shipping wish;
  wish.country = read.optional_string("country", 2).value_or("");
  wish.method = read.optional_string("method", code_bytes_max).value_or("");
  if (!wish.country.empty() && !is_country(wish.country)) {
    read.report("country", "malformed", "a country is two capital letters (ISO 3166)");
  }
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const cart::command what = wish;
  const answer got = co_await ask_cart(*at, what, *options);
  co_return co_await priced_cart(req, *at, got, 200);
}

task<response> cart_routes::priced_cart(request& req, const addressed& at, const answer& got,
                                        int status) {
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto reply = cart::decode_reply(got.payload);
  const auto* view = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
  if (!view) co_return refuse(req, 500, "internal", "");
  const auto quote = co_await quote_cart(shop_, board_, at.who.who, *view);
  const bool read = req.verb == method::get || req.verb == method::head;
  // A change has been made by now: only what was to be read fails.
  if (!quote && read) co_return failure_response(quote.error(), req);
  const cart_quote* priced = quote && *quote ? &**quote : nullptr;
  // What a coupon gives and what the shop charges may change without the cart: only a sum of lines
  // is known by its tag.
  const std::string tag = etag_of(got.version);
  if (read && !priced && not_modified(req, tag)) co_return not_modified_response(tag);
  response shown = json_response(
      status, quote ? cart_json(at.cart, *view, got.version, shop_.currency, priced)
                    : unpriced_cart_json(at.cart, *view, got.version, shop_.currency,
                                         problem_code(quote.error())));
  shown.add_header("ETag", tag);
  mark_replayed(shown, got);
  co_return shown;
}

response cart_routes::unpriced_change(const cart::change_view& changed, const answer& got,
                                      int status, how_many asked, const error& why) const {
  response shown = json_response(
      status,
      unpriced_change_json(changed, got.version, shop_.currency, asked, problem_code(why)));
  shown.add_header("ETag", etag_of(got.version));
  mark_replayed(shown, got);
  return shown;
}

task<response> cart_routes::priced_change(const addressed& at,
                                          const cart::change_view& changed, const answer& got,
                                          int status, how_many asked) {
  const cart::command look = cart::get{};
  const command_options asking{.repeatable = true};
  const answer all = co_await ask_cart(at, look, asking);
  if (!all.ok()) co_return unpriced_change(changed, got, status, asked, *all.failure);
  const auto reply = cart::decode_reply(all.payload);
  const auto* now = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
  if (!now) {
    co_return unpriced_change(changed, got, status, asked, make_error(base_errc::malformed));
  }
  const auto quote = co_await quote_cart(shop_, board_, at.who.who, *now);
  if (!quote) co_return unpriced_change(changed, got, status, asked, quote.error());
  const cart_quote priced = quote->value_or(cart_quote{});
  response shown = json_response(
      status, change_json(changed, *now, all.version, shop_.currency, priced, asked));
  shown.add_header("ETag", etag_of(all.version));
  mark_replayed(shown, got);
  co_return shown;
}

}  // namespace omnicart::http
