#include "tests/sim/cart_witness.hpp"

#include <utility>

namespace omnicart::sim {
namespace {

using kind = cart_call::kind;

constexpr std::uint64_t tries_max = 200'000;
constexpr std::int64_t price_minor = 100;

std::string describe(const observed_call<cart_call>& each) {
  static constexpr const char* names[] = {"add", "set", "clear", "look"};
  const auto& call = each.what;
  std::string text = std::string("\n    ") + names[static_cast<int>(call.what)];
  if (call.what == kind::add || call.what == kind::set)
    text += ' ' + call.product + ' ' + std::to_string(call.quantity);
  text += " [" + std::to_string(each.asked_at) + ", " +
          (each.answered_at ? std::to_string(*each.answered_at) : "?") + ']';
  if (call.refused) text += " refused";
  if (call.shown) text += " shows " + std::to_string(*call.shown);
  for (const auto& [product, units] : call.seen)
    text += ' ' + product + '*' + std::to_string(units);
  return text;
}

void violate_linearity(const std::string& cart, const cart_history& book, sim_checks& checks) {
  std::string detail = "no order explains what the owners of " + cart + " were told:";
  for (const auto& each : book) detail += describe(each);
  checks.violate("carts are linearizable", detail);
}

// A search that is given up says nothing, and must not pass for one that found something.
void heed(verdict found, const std::string& cart, const cart_history& book, sim_checks& checks) {
  if (found == verdict::broken) violate_linearity(cart, book, checks);
  if (found == verdict::undecided) {
    checks.violate("every history of a cart is judged",
                   "too much to search: " + std::to_string(book.size()) + " calls of " + cart);
  }
}

}  // namespace

std::optional<cart_model::state> cart_model::next(const state& now, const cart_call& call,
                                                  bool known) {
  if (call.what == kind::look) {
    if (known && now != call.seen) return std::nullopt;
    return now;
  }
  if (call.refused) {  // there was nothing to change
    if (call.shown && now.contains(call.product)) return std::nullopt;
    return now;
  }
  state after = now;
  if (call.what == kind::clear) {
    after.clear();
    return after;
  }
  auto& units = after[call.product];
  units = call.what == kind::add ? units + call.quantity : call.quantity;
  if (call.shown && units != *call.shown) return std::nullopt;
  if (units == 0) after.erase(call.product);
  return after;
}

std::string cart_model::key(const state& now) {
  std::string text;
  for (const auto& [product, units] : now) text += product + '*' + std::to_string(units) + ' ';
  return text;
}

cart_book::cart_book(std::string cart, const timeline& time, sim_checks& checks)
    : cart_(std::move(cart)), time_(time), checks_(checks), stretches_(tries_max) {}

std::size_t cart_book::begin(cart_call what) {
  ++open_;
  calls_.push_back({.what = std::move(what), .asked_at = time_.steps()});
  return calls_.size() - 1;
}

void cart_book::end(std::size_t call, outcome how) {
  if (how == outcome::known) calls_[call].answered_at = time_.steps();
  if (--open_ == 0) judge();
}

void cart_book::judge() {
  const auto from =
      calls_.begin() + static_cast<std::ptrdiff_t>(std::exchange(judged_, calls_.size()));
  heed(stretches_.add({from, calls_.end()}), cart_, calls_, checks_);
}

cart_witness::cart_witness(timeline& time, wire& node, sim_checks& checks, const std::string& name,
                           std::uint32_t actions, cart_book& book)
    : sim_client(time, node, checks, {.as = role::guest, .session = book.cart(), .user = {}}, name,
                 {.give_up_percent = 15, .repeat_most = duration_ms{8'000}}),
      left_(actions),
      book_(book) {}

void cart_witness::rest() {
  if (left_ == 0) return;
  after(duration_ms{time_.between(0, 900)}, [this] {
    --left_;
    act(draw());
  });
}

cart_call cart_witness::draw() {
  cart_call call;
  const auto lot = time_.below(100);
  if (lot < 40) return call;
  call.product = time_.chance(60) ? "pen" : "ink";
  call.quantity = time_.between(1, 3);
  call.what = lot < 80 ? kind::add : lot < 95 ? kind::set : kind::clear;
  return call;
}

std::string cart_witness::encode(const cart_call& call, const std::string& tag) {
  switch (call.what) {
    case kind::add: {
      cart::new_line line{.product = product_id(call.product), .quantity = call.quantity};
      line.name = tag;
      line.unit_price = {price_minor, *currency_code::parse("GBP")};
      return cart::encode(cart::add{{line}});
    }
    case kind::set:
      return cart::encode(cart::set_product_quantity{product_id(call.product), call.quantity});
    case kind::clear:
      return cart::encode(cart::clear{});
    case kind::look:
      return cart::encode(cart::get{});
  }
  return {};
}

void cart_witness::act(cart_call call) {
  busy_ = true;
  const auto place = book_.begin(std::move(call));
  const auto& asked = book_.at(place);
  const auto tag = "tag " + name() + ' ' + std::to_string(place);  // names this addition
  const auto known = [this, place, tag](const answer& got) {
    auto& made = book_.at(place);
    const bool tells = note_answer(made, got);
    if (made.what == kind::add)
      made.refused ? checks_.refused_to_add(tag) : checks_.added_to_cart(book_.cart(), tag);
    ended(place, tells ? cart_book::outcome::known : cart_book::outcome::unknown);
  };
  auto what = ask("witness", {"cart", book_.cart()}, encode(asked, tag),
                  asked.what == kind::look ? keyed::no : keyed::yes, known);
  what->given_up = [this, place] { ended(place, cart_book::outcome::unknown); };
  perform(what);
}

void cart_witness::ended(std::size_t call, cart_book::outcome how) {
  busy_ = false;
  book_.end(call, how);
  rest();
}

// False: it says nothing of the cart. A repeated answer shows it as it is by now, so of one only
// that it was done is believed.
bool cart_witness::note_answer(cart_call& call, const answer& got) {
  if (!got.ok() && call.what == kind::look)  // nobody has put anything in yet
    return got.failure->is(base_errc::not_found);
  call.refused = !got.ok();
  if (call.refused) {
    if (call.what == kind::set && !got.replayed) call.shown = 0;
    return true;
  }
  const auto reply = cart::decode_reply(got.payload);
  if (!reply) return false;
  if (call.what == kind::look) {
    for (const auto& line : std::get<cart::cart_view>(*reply).lines)
      call.seen[line.product.str()] += line.quantity;
    return true;
  }
  const auto* change = std::get_if<cart::change_view>(&*reply);
  if (change && !got.replayed && change->lines.size() == 1)
    call.shown = change->lines.front().quantity;
  return true;
}

void check_linearizable(const std::string& cart, const cart_history& book, sim_checks& checks) {
  heed(linear_search<cart_model, cart_call>(book, tries_max).run(), cart, book, checks);
}

}  // namespace omnicart::sim
