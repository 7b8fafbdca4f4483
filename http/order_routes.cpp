#include "http/order_routes.hpp"

#include <algorithm>
#include <limits>

#include "actors/email/email.hpp"
#include "actors/session/session_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "http/history_json.hpp"
#include "http/list_query.hpp"
#include "http/order_asker.hpp"
#include "http/order_json.hpp"
#include "http/order_list.hpp"
#include "http/person_cipher.hpp"
#include "http/person_keys.hpp"
#include "http/price_json.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

// How many lines and units are too many is the order's to say.
constexpr auto any_amount = std::numeric_limits<std::int64_t>::max();
constexpr auto any_count = std::numeric_limits<std::size_t>::max();

// In the order of the enum.
const std::vector<std::string_view> status_words = {"pending", "paid", "processing", "shipped",
                                                    "delivered", "rejected", "declined", "cancelled",
                                                    "authorised"};

std::string order_id_of(const std::string& owner, const std::string& key) {
  return to_base32(digest_128({"order", owner, key}));
}

payment::method read_payment(object_reader read) {
  payment::method how;
  how.type = static_cast<payment::method_type>(read.required_word("type", {"card", "paypal", "invoice"}));
  if (how.type == payment::method_type::invoice) {
    how.token = read.optional_string("token", 200).value_or("");
  } else {
    how.token = read.required_string("token", 200);
  }
  read.finish();
  return how;
}

std::vector<order::wanted_line> read_items(object_reader& read, const json_value& items, const authority& who,
                                           currency_code currency, std::vector<field_error>& errors) {
  std::vector<order::wanted_line> lines;
  for (std::size_t i = 0; i < items.items.size(); ++i) {
    object_reader item(items.items[i], read.pointer_of("items", i), errors);
    order::wanted_line line;
    line.product = product_id(item.required_string("product_id", limits::product_id_bytes_max));
    line.quantity = item.required_int("quantity", 1, any_amount);
    line.unit_price = item.optional_money("unit_price", currency);
    if (line.unit_price && !who.staff()) item.report("unit_price", "forbidden", "only staff may set a price");
    item.finish();
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> read_codes(object_reader& read, std::string_view name) {
  constexpr std::size_t codes_max = 10;
  std::vector<std::string> codes = read.string_array(name, codes_max, 64);
  for (std::string& each : codes) {
    auto code = read_code(each);
    if (!code) read.report(name, "malformed", "a code has 3 to 64 letters, digits, - and _");
    if (code) each = std::move(*code);
  }
  return codes;
}

// Staff order for somebody without an account, or whose account nobody knows.
bool is_by_telephone(const order::place& wanted, const authority& who) {
  return who.staff() && wanted.buyer.user.empty() && wanted.buyer.session.empty() && !is_staff(wanted.buyer.as);
}

}  // namespace

void order_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (order_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/orders", bound(&order_routes::place));
  routes.get("/api/orders", bound(&order_routes::list));
  routes.get("/api/orders/{id}", bound(&order_routes::show));
  routes.put("/api/orders/{id}/status", bound(&order_routes::set_status));
  routes.remove("/api/orders/{id}", bound(&order_routes::cancel));
  routes.get("/api/orders/{id}/history", bound(&order_routes::history));
}

tl::expected<order::place, response> order_routes::read_place(const request& req, const authority& who) const {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  order::place wanted;
  wanted.buyer = who.who;
  const auto user = read.optional_string("user_id", limits::url_id_bytes_max, 1);
  const bool named = user.has_value();
  if (named && *user != who.who.user) {
    if (!who.staff()) read.report("user_id", "forbidden", "only staff may order for others");
    wanted.buyer.user = *user;
    wanted.buyer.session.clear();
    wanted.buyer.as = role::shopper;
  }
  wanted.cart = cart_id(read.optional_string("cart_id", limits::url_id_bytes_max, 1).value_or(""));
  if (const auto* items = read.optional_array("items", any_count)) {
    wanted.items = read_items(read, *items, who, shop_.currency, errors);
    if (items->items.empty()) read.report("items", "too_small", "leave it out to order the cart");
    if (!wanted.cart.empty()) read.report("cart_id", "not_with_items", "give cart_id or items, not both");
  }
  wanted.email = read.optional_string("email", 254, 3).value_or("");
  if (who.staff() && !named && !wanted.email.empty()) wanted.buyer = {};
  if (wanted.buyer.user.empty() && wanted.email.empty()) {
    read.report("email", "missing", "a guest's order needs an e-mail address");
  } else if (!wanted.email.empty() && !email::is_plausible_address(wanted.email)) {
    read.report("email", "malformed", "not an e-mail address");
  }
  if (const auto* address = read.optional_object("shipping_address")) {
    wanted.ship_to = read_address(object_reader(*address, read.pointer_of("shipping_address"), errors));
  }
  if (const auto* how = read.required_object("payment_method")) {
    wanted.payment = read_payment(object_reader(*how, read.pointer_of("payment_method"), errors));
  }
  wanted.coupons = read_codes(read, "coupons");
  wanted.gift_cards = read_codes(read, "gift_cards");
  wanted.shipping_method = read.optional_string("shipping_method", 64).value_or("");
  if (const auto currency = read.optional_string("currency", 3)) {
    const auto code = currency_code::parse(*currency);
    if (!code) read.report("currency", "malformed", "three capital letters (ISO 4217)");
    if (wanted.items.empty()) read.report("currency", "not_with_cart", "a cart has its own currency");
    if (code) wanted.currency = *code;
  }
  wanted.stated_total = read.optional_money("total_amount", shop_.currency);
  wanted.reference = read.optional_string("reference", limits::reference_bytes_max).value_or("");
  wanted.customer_reference = read.optional_string("customer_reference", limits::reference_bytes_max).value_or("");
  read.finish();
  if (wanted.items.empty() && wanted.cart.empty()) wanted.cart = cart_id(who.cart);
  if (wanted.items.empty() && wanted.cart.empty() && errors.empty()) {
    errors.push_back({"/items", "missing", "name a cart or items"});
  }
  if (!errors.empty()) return tl::unexpected(invalid_body_response(std::move(errors), req.request_id));
  if (is_by_telephone(wanted, who)) return wanted;
  if (!who.who.session.empty()) wanted.sessions.push_back(who.who.session);
  wanted.sessions.insert(wanted.sessions.end(), who.absorbed.begin(), who.absorbed.end());
  return wanted;
}

// Staff may order for any user there is.
task<std::optional<response>> order_routes::unknown_buyer(request& req, const authority& who, const caller& buyer) {
  if (buyer.user.empty() || buyer.user == who.who.user) co_return std::nullopt;
  auto asked = inquire(shop_, {"user", buyer.user}, user::encode(user::get{}), who.who);
  const answer known = co_await asked;
  if (known.ok()) co_return std::nullopt;
  co_return failure_response(*known.failure, req);
}

task<std::optional<response>> order_routes::take_terms(request& req, const authority& who, order::place& wanted) {
  const auto tariff = co_await board_.current();
  if (!tariff) co_return failure_response(tariff.error(), req);
  if ((*tariff)->blank()) co_return std::nullopt;
  const bool nowhere = !wanted.ship_to && !(*tariff)->carriage.methods.empty();
  if (nowhere && !who.staff()) {
    co_return refuse(req, 422, "shipping_address_required", "an order that is shipped needs a shipping_address");
  }
  wanted.terms = tariff::terms_for(**tariff, wanted.ship_to ? wanted.ship_to->country : "");
  co_return std::nullopt;
}

task<result<order_routes::keyed_order>> order_routes::order_of_key(const authority& who, const std::string& key) {
  for (const auto& guest : who.absorbed) {
    keyed_order found{.id = order_id_of("session:" + guest, key), .guest = guest};
    auto asked = inquire(shop_, {"order", found.id}, order::encode(order::get{}), engine());
    const answer got = co_await asked;
    if (!got.ok() && is_fault(got.failure->number)) co_return fail(*got.failure);
    if (got.version == 0) continue;
    const auto view = got.ok() ? order::decode_reply(got.payload) : result<order::reply>(fail(base_errc::not_found));
    found.in_clear = view && !has_sealed(*view);
    co_return found;
  }
  co_return keyed_order{.id = order_id_of(who.key_owner(), key)};
}

task<result<std::string>> order_routes::key_to_seal(const caller& buyer, const keyed_order& named) {
  const std::string user = buyer.user, session = buyer.session;
  // An order that this user placed as a guest, with the same key, is as the guest sent it.
  if (!named.guest.empty()) {
    const entity_ref guest{"session", named.guest};
    auto kept = co_await kept_key_of(shop_, guest);
    co_return kept;
  }
  auto made = user.empty() ? guest_key_of(shop_, session) : person_key_of(shop_, user);
  auto key = co_await std::move(made);
  // The account or the session came to its end while its order was on the way.
  if (key && key->empty()) co_return fail(base_errc::not_found);
  co_return key;
}

// Their buyer is the guest of a session that nobody has a token of: it has the key of this one order.
task<result<order_routes::keyed_order>> order_routes::order_by_telephone(const authority& who, const std::string& key) {
  keyed_order found{.id = order_id_of(who.key_owner(), key)};
  auto asked = inquire(shop_, {"order", found.id}, order::encode(order::get{}), engine());
  const answer got = co_await asked;
  if (got.ok()) {
    const auto view = order::decode_reply(got.payload);
    if (!view) co_return fail(view.error());
    found.guest = view->buyer.session;
    found.in_clear = !has_sealed(*view);
    co_return found;
  }
  if (is_fault(got.failure->number)) co_return fail(*got.failure);
  session::open opening{.id = session_id(found.id)};
  opening.refresh_digest = to_base32(digest_128({"no refresh token", found.id}));
  opening.expires_at = shop_.time.wall() + shop_.guest_session_ttl;
  auto opened = ask(shop_, {"session", found.id}, session::encode(opening), engine());
  const answer open = co_await opened;
  if (!open.ok()) co_return fail(*open.failure);
  co_return found;
}

task<result<std::string>> order_routes::seal_person(order::place& wanted, const keyed_order& named) {
  if (named.in_clear) co_return std::string();
  auto key = co_await key_to_seal(wanted.buyer, named);
  if (!key) co_return key;
  wanted.email = seal(wanted.email, *key);
  if (wanted.ship_to) seal(*wanted.ship_to, *key);
  co_return key;
}

task<response> order_routes::place(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::required);
  if (!options) co_return std::move(options.error());
  auto wanted = read_place(req, *who);
  if (!wanted) co_return std::move(wanted.error());
  if (auto none = co_await unknown_buyer(req, *who, wanted->buyer)) co_return std::move(*none);
  if (auto refused = co_await take_terms(req, *who, *wanted)) co_return std::move(*refused);
  const auto key = idempotency_key(req);
  const bool by_telephone = is_by_telephone(*wanted, *who);
  auto naming = by_telephone ? order_by_telephone(*who, **key) : order_of_key(*who, **key);
  const auto known = co_await std::move(naming);
  if (!known) co_return failure_response(known.error(), req);
  const keyed_order& named = *known;
  const std::string id = named.id;
  wanted->id = order_id(id);
  if (by_telephone) wanted->buyer.session = id;
  wanted->capture = shop_.capture;
  if (wanted->buyer.user.empty() && !wanted->email.empty()) wanted->guest = order::digest_of_guest(wanted->email);
  const auto sealed_with = co_await seal_person(*wanted, named);
  if (!sealed_with) co_return failure_response(sealed_with.error(), req);
  const std::string person_key = *sealed_with;
  options->expected_version.reset();
  options->wait = shop_.payment_patience;
  auto asked = ask(shop_, {"order", id}, order::encode(order::command{std::move(*wanted)}), who->who, *options);
  const answer got = co_await asked;
  co_return answer_checkout(req, id, got, person_key);
}

response order_routes::answer_checkout(const request& req, const std::string& id, const answer& got,
                                       const std::string& person_key) const {
  if (!got.ok()) {
    std::string members = "\"order_id\":\"" + id + '"';
    return failure_response(*got.failure, req, members);
  }
  auto view = order::decode_reply(got.payload);
  if (!view) return failure_response(view.error(), req);
  open_sealed(*view, person_key);
  const bool failed = view->status == order::order_status::rejected || view->status == order::order_status::declined;
  response shown = failed ? problem_response(checkout_problem(id, *view), req.request_id)
                          : json_response(201, order_json(id, *view, got.version));
  if (!failed) shown.add_header("Location", "/api/orders/" + id);
  mark_replayed(shown, got);
  return shown;
}

task<response> order_routes::show(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  const std::string id(req.param("id"));
  if (!is_url_id(id)) co_return refuse(req, 404, "no_such_order", "no such order");
  const auto asker = co_await asker_of(shop_, *who, id);
  if (!asker) co_return failure_response(asker.error(), req);
  auto asked = inquire(shop_, {"order", id}, order::encode(order::get{}), *asker);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  auto view = order::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const std::string tag = etag_of(got.version);
  if (not_modified(req, tag)) co_return not_modified_response(tag);
  person_keys keys(shop_);
  if (const auto failed = co_await keys.open(*view)) co_return failure_response(*failed, req);
  response shown = json_response(200, order_json(id, *view, got.version));
  shown.add_header("ETag", tag);
  co_return shown;
}

task<response> order_routes::list(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  order_query query;
  query.limit = read.limit();
  query.cursor = read.cursor();
  query.reference = read.text("reference", limits::reference_bytes_max).value_or("");
  query.customer_reference = read.text("customer_reference", limits::reference_bytes_max).value_or("");
  if (const auto status = read.word("status", status_words)) query.status = static_cast<order::order_status>(*status);
  auto user = read.text("userId", limits::url_id_bytes_max);
  if (auto alias = read.text("user_id", limits::url_id_bytes_max)) user = alias;
  if (auto bad = read.finish()) co_return std::move(*bad);

  if (who->sees_all()) {
    if (user) query.buyers.push_back(*user);
  } else if (user && *user != who->who.user && *user != who->who.session) {
    co_return refuse(req, 404, "not_found", "no such user");
  } else {
    if (!who->who.user.empty()) query.buyers.push_back(who->who.user);
    query.buyers.push_back(who->who.session);
    const auto guests = co_await guests_of(shop_, *who);
    if (!guests) co_return failure_response(guests.error(), req);
    query.buyers.insert(query.buyers.end(), guests->begin(), guests->end());
  }
  auto page = co_await shop_.orders.page(std::move(query));
  if (!page) co_return failure_response(page.error(), req);
  auto body = co_await page_json(req, std::move(page->ids), std::move(page->next_cursor));
  if (!body) co_return std::move(body.error());
  co_return json_response(200, std::move(*body));
}

task<tl::expected<std::string, response>> order_routes::page_json(request& req, std::vector<std::string> ids,
                                                                  std::string next_cursor) {
  // The list holds what the caller may see, so the orders are asked for in the engine's name.
  std::vector<envelope> questions;
  for (const auto& id : ids) {
    questions.push_back(make_envelope(shop_, {"order", id}, order::encode(order::get{}), engine(), {.repeatable = true}));
  }
  const auto answers = co_await ask_all(shop_, std::move(questions));
  auto opened = co_await opened_orders(shop_, answers);
  if (!opened) co_return tl::unexpected(failure_response(opened.error(), req));
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (const auto& each : *opened) json.raw(order_json(ids[each.at], each.view, answers[each.at].version));
  json.end_array().key("next_cursor");
  next_cursor.empty() ? json.null() : json.value(next_cursor);
  json.end_object();
  co_return body;
}

task<response> order_routes::change(request& req, const order::command& what) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const std::string id(req.param("id"));
  if (!is_url_id(id)) co_return refuse(req, 404, "no_such_order", "no such order");
  const auto asker = co_await asker_of(shop_, *who, id);
  if (!asker) co_return failure_response(asker.error(), req);
  auto asked = ask(shop_, {"order", id}, order::encode(what), *asker, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  auto view = order::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  person_keys keys(shop_);
  if (const auto failed = co_await keys.open(*view)) co_return failure_response(*failed, req);
  response shown = json_response(200, order_json(id, *view, got.version));
  shown.add_header("ETag", etag_of(got.version));
  mark_replayed(shown, got);
  co_return shown;
}

task<response> order_routes::set_status(request& req) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const auto to = static_cast<order::order_status>(read.required_word(
      "status", {"pending", "paid", "processing", "shipped", "delivered", "rejected", "declined", "cancelled"}));
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const order::command what = to == order::order_status::cancelled ? order::command{order::cancel{}}
                                                                   : order::command{order::set_status{to}};
  co_return co_await change(req, what);
}

task<response> order_routes::cancel(request& req) {
  const order::command what = order::cancel{};
  co_return co_await change(req, what);
}

task<response> order_routes::history(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  const entity_ref entity{"order", std::string(req.param("id"))};
  if (!is_url_id(entity.id)) co_return refuse(req, 404, "no_such_order", "no such order");
  const auto asker = co_await asker_of(shop_, *who, entity.id);
  if (!asker) co_return failure_response(asker.error(), req);
  auto allowed_asked = inquire(shop_, entity, order::encode(order::get{}), *asker);
  const answer allowed = co_await allowed_asked;
  if (!allowed.ok()) co_return failure_response(*allowed.failure, req);
  co_return co_await history_page(shop_, req, entity, allowed.version);
}

}  // namespace omnicart::http
