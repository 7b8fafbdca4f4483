#include "http/cart_routes.hpp"

#include <charconv>
#include <limits>

#include "actors/product/product_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "http/cart_json.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

// How much is too much of one line is the cart's to say.
constexpr std::int64_t any_quantity = std::numeric_limits<std::int64_t>::max();

bool wants_representation(const request& req) {
  return req.header("Prefer").value_or("").find("return=representation") != std::string_view::npos;
}

std::optional<std::uint32_t> line_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void cart_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (cart_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/carts", bound(&cart_routes::create));
  for (const std::string base : {"/api/cart", "/api/cart/{user_id}", "/api/carts/{cart_id}"}) {
    routes.get(base, bound(&cart_routes::show));
    routes.remove(base, bound(&cart_routes::clear));
    routes.post(base + "/items", bound(&cart_routes::add));
    routes.put(base + "/items/{product_id}", bound(&cart_routes::set_by_product));
    routes.remove(base + "/items/{product_id}", bound(&cart_routes::remove_by_product));
    routes.put(base + "/lines/{line_id}", bound(&cart_routes::set_by_line));
    routes.remove(base + "/lines/{line_id}", bound(&cart_routes::remove_line));
    routes.post(base + "/coupons", bound(&cart_routes::add_coupon));
    routes.remove(base + "/coupons/{code}", bound(&cart_routes::drop_coupon));
    routes.post(base + "/gift-cards", bound(&cart_routes::add_gift_card));
    routes.remove(base + "/gift-cards/{code}", bound(&cart_routes::drop_gift_card));
    routes.put(base + "/shipping", bound(&cart_routes::choose_shipping));
  }
}

task<tl::expected<cart_routes::addressed, response>> cart_routes::address(request& req, beside* with) {
  auto who = co_await require_session(shop_, req, with);
  if (!who) co_return tl::unexpected(std::move(who.error()));
  addressed at{.who = std::move(*who), .cart = {}};
  const auto none = [&] { return tl::unexpected(refuse(req, 404, "not_found", "no such cart")); };
  if (req.route.starts_with("/api/carts/")) {
    at.cart = req.param("cart_id");
    if (!is_url_id(at.cart)) co_return none();
    if (at.cart == at.who.cart || at.who.sees_all()) co_return at;
    // A cart nobody opened would be anybody's: it must look like somebody else's.
    auto cart_asked = inquire(shop_, {"cart", at.cart}, cart::encode(cart::get{}), at.who.who);
    const answer found = co_await cart_asked;
    if (!found.ok() && is_fault(found.failure->number)) {
      co_return tl::unexpected(failure_response(*found.failure, req));
    }
    if (!found.ok() || found.version == 0) co_return none();
    co_return at;
  }
  if (!req.route.starts_with("/api/cart/{user_id}")) {
    at.cart = at.who.cart;
    if (at.cart.empty()) co_return tl::unexpected(refuse(req, 404, "not_found", "this token has no cart of its own"));
    co_return at;
  }
  const std::string user(req.param("user_id"));
  if (!is_url_id(user) || (!at.who.sees_all() && at.who.who.user != user)) co_return none();
  if (at.who.who.user == user && !at.who.cart.empty()) {
    at.cart = at.who.cart;
    co_return at;
  }
  auto asked = inquire(shop_, {"user", user}, user::encode(user::get{}), at.who.who);
  const answer got = co_await asked;
  if (!got.ok() && is_fault(got.failure->number)) co_return tl::unexpected(failure_response(*got.failure, req));
  const auto view = got.ok() ? user::decode_reply(got.payload) : result<user::reply>(fail(base_errc::not_found));
  if (!view) co_return none();
  at.cart = view->cart.str();
  co_return at;
}

// A session's or a user's cart comes into being with its first line. Staff may be the first to touch it.
task<bool> cart_routes::open_if_known(const std::string& cart) {
  cart::open opening;
  auto session_asked = inquire(shop_, {"session", cart}, session::encode(session::authorize{}), engine());
  const answer session = co_await session_asked;
  if (session.ok()) {
    const auto view = session::decode_reply(session.payload);
    opening.session = cart;
    if (view) opening.user = view->user;
  } else {
    auto user_asked = inquire(shop_, {"user", cart}, user::encode(user::get{}), engine());
    const answer user = co_await user_asked;
    if (!user.ok()) co_return false;
    opening.user = cart;
  }
  auto opened_asked = ask(shop_, {"cart", cart}, cart::encode(opening), engine());
  const answer opened = co_await opened_asked;
  co_return opened.ok();
}

task<answer> cart_routes::ask_cart(const addressed& at, const cart::command& what, command_options options) {
  auto asked = ask(shop_, {"cart", at.cart}, cart::encode(what), at.who.who, options);
  answer got = co_await asked;
  const bool unopened = got.failure && got.failure->is(base_errc::not_found) && got.version == 0 && at.who.staff();
  if (unopened && co_await open_if_known(at.cart)) {
    auto asked_again = ask(shop_, {"cart", at.cart}, cart::encode(what), at.who.who, options);
    got = co_await asked_again;
  }
  co_return got;
}

task<response> cart_routes::show(request& req) {
  auto at = co_await address(req);
  if (!at) co_return std::move(at.error());
  const cart::command what = cart::get{};
  const command_options asking{.repeatable = true};
  const answer got = co_await ask_cart(*at, what, asking);
  if (!got.ok()) co_return failure_response(*got.failure, req);
  co_return co_await priced_cart(req, *at, got, 200);
}

task<response> cart_routes::create(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  std::optional<json_value> body = json_value{.is = json_value::type::object};
  if (!req.body.empty()) body = parse_json(req.body, errors);
  object_reader read(body, errors);
  auto owner = read.optional_string("user_id", limits::url_id_bytes_max, 1);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (owner && *owner != who->who.user && !who->sees_all()) {
    co_return refuse(req, 404, "not_found", "no such user");
  }
  if (owner && *owner != who->who.user) {
    auto known_asked = inquire(shop_, {"user", *owner}, user::encode(user::get{}), who->who);
    const answer known = co_await known_asked;
    if (!known.ok()) co_return failure_response(*known.failure, req);
  }
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  addressed at{.who = *who, .cart = to_base32(options->id ? digest_128({"cart", to_base32(options->id)}) : shop_.ids.next())};
  cart::open opening{.session = owner ? "" : who->who.session, .user = owner.value_or(who->who.user)};
  auto asked = ask(shop_, {"cart", at.cart}, cart::encode(opening), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  response made = co_await priced_cart(req, at, got, 201);
  made.add_header("Location", "/api/carts/" + at.cart);
  co_return made;
}

cart_routes::wanted_items cart_routes::read_items(const request& req) const {
  wanted_items read_from;
  auto& [items, errors, asked] = read_from;
  const auto body = parse_json(req.body, errors);
  const bool several = body && body->is == json_value::type::array;
  asked = several ? how_many::several : how_many::one;
  const auto read_one = [&](object_reader read) {
    wanted item;
    item.product = read.required_string("product_id", limits::product_id_bytes_max);
    item.quantity = read.required_int("quantity", 1, any_quantity);
    item.unit_price = read.optional_money("unit_price", shop_.currency);
    if (const auto currency = read.optional_string("currency", 3)) {
      const auto code = currency_code::parse(*currency);
      if (!code) read.report("currency", "malformed", "three capital letters (ISO 4217)");
      if (code) item.currency = *code;
    }
    read.finish();
    items.push_back(std::move(item));
  };
  if (!several) {
    read_one(object_reader(body, errors));
  } else if (body->items.empty() || body->items.size() > limits::items_per_request_max) {
    errors.push_back({"", "out_of_range", "an array holds 1 to 500 items"});
  } else {
    for (std::size_t i = 0; i < body->items.size(); ++i) {
      read_one(object_reader(body->items[i], "/" + std::to_string(i), errors));
    }
  }
  return read_from;
}

void cart_routes::refuse_prices(wanted_items& of) {
  for (std::size_t i = 0; i < of.items.size(); ++i) {
    if (!of.items[i].unit_price) continue;
    const std::string pointer = (of.asked == how_many::several ? "/" + std::to_string(i) : "") + "/unit_price";
    of.errors.push_back({pointer, "forbidden", "only staff may set a price"});
  }
}

std::vector<envelope> cart_routes::quotes_of(const std::vector<wanted>& items) const {
  std::vector<envelope> questions;
  for (const auto& item : items) {
    questions.push_back(make_envelope(shop_, {"product", item.product}, product::encode(product::quote{item.currency}), engine(),
                                      {.repeatable = true}));
  }
  return questions;
}

tl::expected<std::vector<cart::new_line>, response> cart_routes::price(const request& req, const std::vector<wanted>& items,
                                                                      const std::vector<answer>& quotes) const {
  std::vector<cart::new_line> lines;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!quotes[i].ok()) return tl::unexpected(failure_response(*quotes[i].failure, req));
    auto reply = product::decode_reply(quotes[i].payload);
    if (!reply || !std::holds_alternative<product::quote_view>(*reply)) {
      return tl::unexpected(refuse(req, 500, "internal", ""));
    }
    auto& quote = std::get<product::quote_view>(*reply);
    lines.push_back({.product = product_id(items[i].product),
                     .name = std::move(quote.name),
                     .quantity = items[i].quantity,
                     .unit_price = items[i].unit_price.value_or(quote.price),
                     .list_price = !items[i].unit_price});
  }
  return lines;
}

task<response> cart_routes::add(request& req) {
  auto read = read_items(req);
  beside quotes;
  if (read.errors.empty()) quotes.questions = quotes_of(read.items);
  auto at = co_await address(req, &quotes);
  if (!at) co_return std::move(at.error());
  auto options = unsafe_options(req, at->who, key_need::optional);
  if (!options) co_return std::move(options.error());
  if (!at->who.staff()) refuse_prices(read);
  if (!read.errors.empty()) co_return invalid_body_response(std::move(read.errors), req.request_id);
  if (quotes.answers.empty()) quotes.answers = co_await ask_all(shop_, quotes_of(read.items));  // staff without a session
  auto lines = price(req, read.items, quotes.answers);
  if (!lines) co_return co_await added_before(req, *at, read.items, *options, read.asked, lines.error());
  const cart::command what = cart::add{std::move(*lines)};
  answer got = co_await ask_cart(*at, what, *options);
  if (take_currency(read.items, got)) {
    quotes.answers = co_await ask_all(shop_, quotes_of(read.items));
    auto again = price(req, read.items, quotes.answers);
    if (!again) co_return std::move(again.error());
    const cart::command in_its_currency = cart::add{std::move(*again)};
    // The refusal is kept under the key; a repetition comes by here again.
    if (options->id) options->id = digest_128({"in the cart's currency", to_base32(options->id)});
    got = co_await ask_cart(*at, in_its_currency, *options);
  }
  co_return co_await answer_change(req, *at, got, 201, read.asked);
}

bool cart_routes::take_currency(std::vector<wanted>& items, const answer& got) {
  if (!got.failure || !got.failure->is(cart::errc::currency_mismatch)) return false;
  const auto own = cart::decode_currency(got.failure->data);
  if (!own) return false;
  for (wanted& each : items) {
    if (each.unit_price || each.currency) return false;
    each.currency = own;
  }
  return true;
}

// A product may be retired, or unheard of, since a key added it: who repeats the key is answered all the same.
task<response> cart_routes::added_before(request& req, const addressed& at, const std::vector<wanted>& items,
                                         const command_options& options, how_many many, response& refusal) {
  if (!options.id) co_return std::move(refusal);
  cart::add again{.lines = {}, .again_only = true};
  for (const auto& item : items) {
    again.lines.push_back({.product = product_id(item.product),
                           .name = {},
                           .quantity = item.quantity,
                           .unit_price = item.unit_price.value_or(money{0, shop_.currency}),
                           .list_price = !item.unit_price});
  }
  auto asked = ask(shop_, {"cart", at.cart}, cart::encode(cart::command{std::move(again)}), at.who.who, options);
  const answer got = co_await asked;
  const bool ran = got.replayed || (got.failure && got.failure->is(base_errc::id_reused));
  if (!ran) co_return std::move(refusal);
  co_return co_await answer_change(req, at, got, 201, many);
}

task<response> cart_routes::change(request& req, const cart::command& what) {
  auto at = co_await address(req);
  if (!at) co_return std::move(at.error());
  auto options = unsafe_options(req, at->who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const answer got = co_await ask_cart(*at, what, *options);
  co_return co_await answer_change(req, *at, got, 200, how_many::one);
}

task<response> cart_routes::answer_change(request& req, const addressed& at, const answer& got, int status, how_many asked) {
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto reply = cart::decode_reply(got.payload);
  if (!reply) co_return failure_response(reply.error(), req);
  const auto* changed = std::get_if<cart::change_view>(&*reply);
  if (!changed) co_return co_await priced_cart(req, at, got, status);
  if (wants_representation(req)) {
    const cart::command what = cart::get{};
    const command_options asking{.repeatable = true};
    const answer all = co_await ask_cart(at, what, asking);
    if (!all.ok()) co_return unpriced_change(*changed, got, status, asked, *all.failure);
    response shown = co_await priced_cart(req, at, all, status);
    shown.add_header("Preference-Applied", "return=representation");
    mark_replayed(shown, got);
    co_return shown;
  }
  const auto tariff = co_await board_.current();
  if (!tariff) co_return unpriced_change(*changed, got, status, asked, tariff.error());
  if (changed->coded || !(*tariff)->blank()) co_return co_await priced_change(at, *changed, got, status, asked);
  response shown = json_response(status, change_json(*changed, got.version, shop_.currency, asked));
  shown.add_header("ETag", etag_of(got.version));
  mark_replayed(shown, got);
  co_return shown;
}

namespace {

tl::expected<std::int64_t, response> read_quantity(const request& req) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::int64_t quantity = read.required_int("quantity", 0, any_quantity);
  read.finish();
  if (!errors.empty()) return tl::unexpected(invalid_body_response(std::move(errors), req.request_id));
  return quantity;
}

}  // namespace

task<response> cart_routes::set_by_product(request& req) {
  const auto quantity = read_quantity(req);
  if (!quantity) co_return quantity.error();
  const cart::command what =
      cart::set_product_quantity{.product = product_id(std::string(req.param("product_id"))), .quantity = *quantity};
  co_return co_await change(req, what);
}

task<response> cart_routes::set_by_line(request& req) {
  const auto line = line_number(req.param("line_id"));
  if (!line) co_return refuse(req, 404, "no_such_line", "no such line");
  const auto quantity = read_quantity(req);
  if (!quantity) co_return quantity.error();
  const cart::command what = cart::set_quantity{.line_id = *line, .quantity = *quantity};
  co_return co_await change(req, what);
}

task<response> cart_routes::remove_by_product(request& req) {
  const cart::command what =
      cart::set_product_quantity{.product = product_id(std::string(req.param("product_id"))), .quantity = 0};
  co_return co_await change(req, what);
}

task<response> cart_routes::remove_line(request& req) {
  const auto line = line_number(req.param("line_id"));
  if (!line) co_return refuse(req, 404, "no_such_line", "no such line");
  const cart::command what = cart::set_quantity{.line_id = *line, .quantity = 0};
  co_return co_await change(req, what);
}

task<response> cart_routes::clear(request& req) {
  const cart::command what = cart::clear{};
  co_return co_await change(req, what);
}

}  // namespace omnicart::http
