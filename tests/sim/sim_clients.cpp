#include "tests/sim/sim_clients.hpp"

#include <algorithm>

#include "actors/product/product_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "runtime/base/limits.hpp"
#include "tests/sim/story.hpp"

namespace omnicart::sim {
namespace {

constexpr duration_ms patience{30'000};
constexpr const char* tokens[] = {"tok_ok",
                                  "tok_ok",
                                  "tok_ok",
                                  "tok_declined",
                                  "tok_timeout_before",
                                  "tok_timeout_after",
                                  "tok_twice",
                                  "tok_late",
                                  "tok_garbage",
                                  "tok_no_such_card"};

caller guest_of(const std::string& session) {
  return {.as = role::guest, .session = session, .user = {}};
}

bool accepted(const order::order_view& view) {
  using enum order::order_status;
  return view.status != rejected && view.status != declined && view.status != cancelled;
}

// Whether it is known what becomes of the order.
bool is_decided(const order::order_view& view) {
  if (view.status != order::order_status::pending) return true;
  return view.method == payment::method_type::invoice && !view.owes;
}

}  // namespace

std::string product_name(std::uint32_t number) { return "p" + std::to_string(number); }
std::string coupon_code(std::uint32_t number) { return "OFF" + std::to_string(number); }
std::string card_code(std::uint32_t number) { return "GIFT" + std::to_string(number); }

pricing::terms shop_terms() {
  const pricing::shipping_method post{.id = "post",
                                      .name = "Post",
                                      .bands = {{1'000'000, {{250, gbp}}}},
                                      .free_from = {{2'000, gbp}}};
  return {.country = "GB",
          .prices_include_tax = false,
          .rates = {{"", 2'000, "VAT"}},
          .ships = true,
          .methods = {post}};
}

shopper::shopper(timeline& time, wire& node, sim_checks& checks, std::string name,
                 const crowd_plan& plan, bool careful,
                 std::function<void(const std::string&)> ordered)
    : sim_client(time, node, checks, guest_of("s-" + name), name,
                 {.give_up_percent = careful ? 0U : 25U, .repeat_most = plan.long_pause * 3 / 2}),
      plan_(plan),
      careful_(careful),
      session_("s-" + name),
      email_((time.chance(40) ? "a" : name) + "@example.org"),
      ordered_(std::move(ordered)),
      left_(plan.actions) {}

shopper::operation_ptr shopper::keyed_ask(std::string label, entity_ref to, std::string command,
                                          std::function<void(const answer&)> known) {
  auto what =
      ask(std::move(label), std::move(to), std::move(command), keyed::yes, std::move(known));
  past_.push_back(what);
  return what;
}

void shopper::do_and_rest(const operation_ptr& what) {
  what->given_up = [this] { rest(); };
  perform(what);
}

std::string shopper::draw_product() {
  return product_name(static_cast<std::uint32_t>(time_.below(plan_.products)));
}

payment::method shopper::draw_payment() {
  if (time_.one_in(12)) return {.type = payment::method_type::invoice, .token = {}};
  if (time_.one_in(12)) return {.type = payment::method_type::paypal, .token = "tok_ok"};
  return {.type = payment::method_type::card, .token = tokens[time_.below(std::size(tokens))]};
}

void shopper::start() {
  session::open opening{.refresh_digest = "digest of " + session_, .id = session_id(session_)};
  opening.expires_at = time_.wall() + std::chrono::hours(24 * 30);
  perform(ask("open", {"session", session_}, session::encode(opening), keyed::no,
              [this](const answer&) { rest(); }));
}

void shopper::rest() {
  if (left_ == 0) {
    finished_ = true;
    return;
  }
  --left_;
  duration_ms pause{time_.between(0, 300)};
  if (time_.one_in(15)) pause = duration_ms{time_.between(1'000, plan_.long_pause.count())};
  after(pause, [this] { act(); });
}

void shopper::act() {
  const auto lot = time_.below(100);
  if (lot < 38) return add_lines([this] { rest(); });
  if (lot < 48) return set_quantity();
  if (lot < 50) return clear_cart();
  if (lot < 58) return reserve();
  if (lot < 63) return change_reservation();
  if (lot < 70) return look_at_cart([this] { rest(); });
  if (lot < 76) return repeat_something();
  if (lot < 78) return reuse_a_key();
  if (lot < 92) return check_out(true);
  if (lot < 95) return check_out(false);
  cancel_an_order();
}

// As the cart's route does: ask the product for name and price, then add.
void shopper::add_lines(std::function<void()> then) {
  const std::string product = draw_product();
  auto quote = ask("quote", {"product", product}, product::encode(product::quote{}), keyed::no, {});
  quote->message.asker = {.as = role::system, .session = {}, .user = {}};
  quote->given_up = then;
  quote->known = [this, product, then](const answer& got) {
    const auto reply =
        got.ok() ? product::decode_reply(got.payload) : result<product::reply>(fail(base_errc::io));
    if (!reply) return then();
    add_at(product, std::get<product::quote_view>(*reply).price, then);
  };
  perform(quote);
}

void shopper::add_at(const std::string& product, money price, std::function<void()> then) {
  cart::new_line line{
      .product = product_id(product), .quantity = time_.between(1, 3), .unit_price = price};
  line.name = "tag " + name() + ' ' + next_key();  // names this addition in the history
  const auto quantity = line.quantity;
  const auto tag = line.name;
  auto what = keyed_ask("add " + product + " x" + std::to_string(quantity), {"cart", session_},
                        cart::encode(cart::add{{line}}),
                        [this, tag, product, price, quantity, then](const answer& got) {
                          if (got.ok()) {
                            checks_.added_to_cart(session_, tag);
                            book_[{product, price.amount_minor}] += quantity;
                          } else {
                            checks_.refused_to_add(tag);
                          }
                          then();
                        });
  what->given_up = then;
  perform(what);
}

// The line that the cart's owner saw last.
void shopper::set_quantity() {
  if (!last_cart_ || last_cart_->lines.empty()) return look_at_cart([this] { rest(); });
  const auto& line = last_cart_->lines[time_.below(last_cart_->lines.size())];
  const auto quantity = time_.between(0, 4);
  const auto product = line.product.str();
  const auto price = line.unit_price.amount_minor;
  const cart::set_quantity command{.line_id = line.line_id, .quantity = quantity};
  do_and_rest(keyed_ask("set " + product + " to " + std::to_string(quantity), {"cart", session_},
                        cart::encode(command), [this, product, price, quantity](const answer& got) {
                          if (got.ok()) book_[{product, price}] = quantity;
                          rest();
                        }));
}

void shopper::clear_cart() {
  do_and_rest(keyed_ask("clear", {"cart", session_}, cart::encode(cart::clear{}),
                        [this](const answer& got) {
                          if (got.ok()) book_.clear();
                          rest();
                        }));
}

void shopper::look_at_cart(std::function<void()> then) {
  const bool raced = meanwhile_ > 0;  // what is added while this is asked may be seen or not
  auto what = ask("look", {"cart", session_}, cart::encode(cart::get{}), keyed::no,
                  [this, raced, then](const answer& got) {
                    const auto reply = got.ok() ? cart::decode_reply(got.payload)
                                                : result<cart::reply>(fail(base_errc::io));
                    if (reply) {
                      last_cart_ = std::get<cart::cart_view>(*reply);
                      if (!raced) compare(*last_cart_);
                    }
                    then();
                  });
  what->given_up = then;
  perform(what);
}

// What the cart says against what this shopper was told of each change.
void shopper::compare(const cart::cart_view& view) {
  std::int64_t subtotal = 0;
  cart_book shown;
  for (const auto& line : view.lines) {
    shown[{line.product.str(), line.unit_price.amount_minor}] += line.quantity;
    subtotal += line.quantity * line.unit_price.amount_minor;
  }
  if (subtotal != view.subtotal.amount_minor) checks_.violate("a cart adds up", session_);
  if (!careful_) return;
  std::erase_if(book_, [](const auto& each) { return each.second == 0; });
  if (shown == book_) return;
  std::string detail = session_ + " holds";
  for (const auto& [what, units] : shown)
    detail += ' ' + what.first + '@' + std::to_string(what.second) + '*' + std::to_string(units);
  detail += ", but was told";
  for (const auto& [what, units] : book_)
    detail += ' ' + what.first + '@' + std::to_string(what.second) + '*' + std::to_string(units);
  checks_.violate("every acknowledged cart write is there", detail);
}

void shopper::reserve() {
  const std::string product = draw_product();
  const std::string reservation = "r-" + next_key();
  stock::reserve command{.reservation = reservation_id(reservation),
                         .quantity = time_.between(1, 3),
                         .session = session_};
  command.ttl =
      duration_ms{time_.one_in(4) ? time_.between(1'000, 1'800'000) : time_.between(1'000, 30'000)};
  do_and_rest(keyed_ask("reserve", {"stock", product}, stock::encode(command),
                        [this, product, reservation](const answer& got) {
                          if (got.ok()) holds_.emplace_back(product, reservation);
                          rest();
                        }));
}

void shopper::change_reservation() {
  if (holds_.empty()) return reserve();
  const auto [product, reservation] = holds_[time_.below(holds_.size())];
  const auto id = reservation_id(reservation);
  const bool longer = time_.chance(50);
  const auto command =
      longer ? stock::encode(stock::extend{id, duration_ms{time_.between(1'000, 300'000)}})
             : stock::encode(stock::release{id});
  do_and_rest(keyed_ask(longer ? "extend" : "release", {"stock", product}, command,
                        [this](const answer&) { rest(); }));
}

void shopper::repeat_something() {
  if (past_.empty()) return rest();
  const auto what = past_[time_.below(past_.size())];
  if (!what->decided) return rest();
  repeat(what, [this] { rest(); });
}

// The key of an accepted command with another body: refused, and nothing happens.
void shopper::reuse_a_key() {
  if (past_.empty()) return rest();
  const auto& was = past_[time_.below(past_.size())];
  if (!was->decided || !was->first.ok() || was->message.to.kind != "cart") return rest();
  auto what = ask("reuse a key", was->message.to, cart::encode(cart::clear{}), keyed::no,
                  [this](const answer& got) {
                    if (got.ok() || !got.failure->is(base_errc::id_reused))
                      checks_.violate("a key belongs to one body", name());
                    rest();
                  });
  what->message.id = was->message.id;
  what->message.body = was->message.body + 1;
  if (what->message.command == was->message.command) what->message.body += 1;
  perform(what);
}

std::shared_ptr<order::place> shopper::draw_order(bool from_cart) {
  auto placed = std::make_shared<order::place>();
  const std::string key = next_key();
  placed->id = order_id(to_base32(digest_128({"order", "session:" + session_, key})));
  placed->reference = key;
  placed->buyer = who_;
  placed->sessions = {session_};
  if (!time_.one_in(20)) placed->email = email_;
  if (!placed->email.empty() && time_.one_in(4))
    placed->email[0] = static_cast<char>(placed->email[0] - ('a' - 'A'));
  placed->payment = draw_payment();
  if (time_.one_in(20)) placed->stated_total = money{1, gbp};
  if (plan_.codes > 0) draw_codes(*placed);
  if (from_cart) {
    placed->cart = cart_id(session_);
    return placed;
  }
  const auto count = time_.between(1, 2);
  for (std::int64_t i = 0; i < count; ++i) {
    placed->items.push_back(
        {.product = product_id(draw_product()), .quantity = time_.between(1, 4), .unit_price = {}});
  }
  return placed;
}

void shopper::draw_codes(order::place& order) {
  const auto draw = [this] { return static_cast<std::uint32_t>(time_.below(plan_.codes)); };
  if (time_.chance(50)) order.terms = shop_terms();
  if (time_.chance(40)) order.coupons.push_back(coupon_code(draw()));
  for (int i = 0; i < 2; ++i) {
    if (time_.chance(30)) order.gift_cards.push_back(card_code(draw()));
  }
}

void shopper::check_out(bool from_cart) {
  place(draw_order(from_cart), [this, from_cart] { from_cart ? await_unsealed() : rest(); });
  if (!from_cart) return;
  if (time_.chance(25)) {
    ++meanwhile_;
    add_lines([this] { --meanwhile_; });
  }
  if (time_.chance(15)) {  // in another window of the browser
    ++meanwhile_;
    place(draw_order(true), [this] { --meanwhile_; });
  }
}

// `then`: what became of the order is known, or nobody asks any more.
void shopper::place(const std::shared_ptr<order::place>& order, std::function<void()> then) {
  auto what = keyed_ask("check out " + order->reference, {"order", order->id.str()},
                        order::encode(*order), {});
  what->message.wait = patience;
  what->known = [this, order, then, raw = std::weak_ptr(what)](const answer& got) {
    follow(order, raw.lock(), got, then);
  };
  what->given_up = then;
  perform(what);
}

void shopper::follow(const std::shared_ptr<order::place>& order, const operation_ptr& placed,
                     const answer& got, const std::function<void()>& then) {
  const auto view =
      got.ok() ? order::decode_reply(got.payload) : result<order::reply>(fail(base_errc::io));
  if (!view) return then();
  if (is_decided(*view)) {
    settled(*order, *view);
    return then();
  }
  // Still in doubt: asks again, with the same key or by the order's name.
  after(duration_ms{time_.between(200, 3'000)}, [this, order, placed, then] {
    const bool same_key = time_.chance(50);
    auto again =
        ask("ask for " + order->reference, {"order", order->id.str()},
            same_key ? order::encode(*order) : order::encode(order::get{}), keyed::no,
            [this, order, placed, then](const answer& what) { follow(order, placed, what, then); });
    if (same_key) {
      again->message.id = placed->message.id;
      again->message.body = placed->message.body;
      again->message.wait = patience;
    }
    perform(again);
  });
}

void shopper::settled(const order::place& placed, const order::order_view& view) {
  time_.note(name() + " order " + placed.reference + ' ' + order::to_string(view.status) + ' ' +
             order::to_string(view.why));
  checks_.told({.id = placed.id.str(), .reference = placed.reference, .view = view});
  if (accepted(view)) {
    orders_.push_back(placed.id.str());
    ordered_(placed.id.str());
    if (!placed.items.empty() && view.lines.size() != placed.items.size()) {
      checks_.violate("an order has its lines", placed.reference);
    }
  }
  if (placed.items.empty()) unbooked_.push_back(view);
}

// The cart follows soon after its orders: bought lines leave it, and it may be checked out again.
void shopper::await_unsealed() {
  auto what = ask("await cart", {"cart", session_}, cart::encode(cart::get{}), keyed::no, {});
  what->given_up = [this] { rest(); };
  what->known = [this, raced = meanwhile_ > 0](const answer& got) {
    const auto reply =
        got.ok() ? cart::decode_reply(got.payload) : result<cart::reply>(fail(base_errc::io));
    if (!reply) return rest();
    const auto& shown = std::get<cart::cart_view>(*reply);
    if (careful_ && (shown.sealed_by || raced)) {
      return after(duration_ms{time_.between(50, 1'000)}, [this] { await_unsealed(); });
    }
    if (careful_) book_orders(shown);
    look_at_cart([this] { rest(); });
  };
  perform(what);
}

void shopper::book_orders(const cart::cart_view& shown) {
  // Of two windows one may have put the prices right, and the other, told sooner, bought at them.
  const bool prices_moved = std::any_of(unbooked_.begin(), unbooked_.end(), [](const auto& view) {
    return !view.price_changes.empty();
  });
  for (const auto& view : unbooked_) {
    if (!accepted(view)) continue;
    for (const auto& line : view.lines) {
      auto& units = book_[{line.product.str(), line.unit_price.amount_minor}];
      units -= line.quantity;
      if (units < 0 && !prices_moved) checks_.violate("an order has the cart's lines", session_);
    }
  }
  unbooked_.clear();
  if (prices_moved) take_over_prices(shown);
}

// An order refused for its prices has put them right in the cart: the same units, at the prices
// shown.
void shopper::take_over_prices(const cart::cart_view& shown) {
  std::map<std::string, std::int64_t> before, after_it;
  for (const auto& [what, units] : book_) before[what.first] += units;
  book_.clear();
  for (const auto& line : shown.lines) {
    book_[{line.product.str(), line.unit_price.amount_minor}] += line.quantity;
    after_it[line.product.str()] += line.quantity;
  }
  std::erase_if(before, [](const auto& each) { return each.second == 0; });
  if (before != after_it) checks_.violate("every acknowledged cart write is there", session_);
}

void shopper::cancel_an_order() {
  if (orders_.empty()) return rest();
  const auto id = orders_[time_.below(orders_.size())];
  do_and_rest(keyed_ask("cancel", {"order", id}, order::encode(order::cancel{"changed my mind"}),
                        [this, id](const answer& got) {
                          if (got.ok()) checks_.cancelled(id);
                          rest();
                        }));
}

}  // namespace omnicart::sim
