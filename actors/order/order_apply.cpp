#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "actors/order/order_after.hpp"
#include "actors/order/order_lifecycle.hpp"
#include "actors/order/order_promotions.hpp"
#include "actors/order/order_refund.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::order {
namespace {

bool owes(claim_state at) {
  switch (at) {
    case claim_state::to_claim:
    case claim_state::to_unclaim:
    case claim_state::to_settle:
    case claim_state::to_return:
      return true;
    case claim_state::idle:
    case claim_state::claimed:
    case claim_state::refused:
    case claim_state::settled:
    case claim_state::returned:
      return false;
  }
  return false;
}

// The one place where a claim changes, so that `owing` always agrees.
void move_claim(state& s, std::uint32_t stock, claim_state to) {
  ensure(stock < s.stocks.size(), "an event names a stock of its order");
  s.stocks[stock].state = to;
  if (owes(to)) {
    s.owing.insert(stock);
  } else {
    s.owing.erase(stock);
  }
}

std::uint32_t stock_count(const state& s) { return static_cast<std::uint32_t>(s.stocks.size()); }

// Whatever was asked for is given back, also where the answer was no: a late copy of the claim
// could still succeed, and a stock record never lets an order claim that has unclaimed. What was
// never asked for needs nothing.
void release_claims(state& s) {
  for (std::uint32_t i = 0; i < stock_count(s); ++i) {
    const claim_state now = s.stocks[i].state;
    const bool asked = now == claim_state::claimed || now == claim_state::refused;
    move_claim(s, i, asked ? claim_state::to_unclaim : claim_state::idle);
  }
}

void commit_claims(state& s) {
  for (std::uint32_t i = 0; i < stock_count(s); ++i) move_claim(s, i, claim_state::to_settle);
}

bool from_cart(const state& s) { return s.content.items.empty(); }

// The one place where the status changes.
void move_to(state& s, order_status to, timestamp_ms at) {
  ensure(s.status == to || is_step(s.status, to), "an order takes the steps of its table");
  s.status = to;
  s.updated_at = at;
}

void finish(state& s, order_status status, timestamp_ms at, cart_duty duty) {
  const bool cart_sealed = from_cart(s) && s.at != step::sealing;
  s.cart = cart_sealed ? duty : cart_duty::none;
  s.at = step::over;
  move_to(s, status, at);
}

void take_lines(state& s, std::vector<line> lines) {
  s.lines = std::move(lines);
  s.at = step::pricing;
  index(s);
}

// With `terms` every line is quoted, if only for its category and weight.
std::vector<line> lines_of(const std::vector<wanted_line>& items, bool terms) {
  std::vector<line> lines;
  lines.reserve(items.size());
  for (const wanted_line& item : items) {
    line& added = lines.emplace_back();
    added.line_id = static_cast<std::uint32_t>(lines.size());
    added.product = item.product;
    added.quantity = item.quantity;
    added.unit_price = item.unit_price.value_or(money{});
    added.quote = item.unit_price && !terms ? quote_state::none : quote_state::needed;
    added.negotiated = item.unit_price.has_value() && terms;
    if (item.unit_price) added.name = item.product.str();
  }
  return lines;
}

std::vector<stock_claim> by_product(const std::vector<line>& lines) {
  std::map<product_id, std::int64_t> wanted;
  for (const line& each : lines) wanted[each.product] += each.quantity;
  std::vector<stock_claim> stocks;
  stocks.reserve(wanted.size());
  for (auto& [product, quantity] : wanted) {
    stocks.push_back({.product = product, .quantity = quantity, .state = claim_state::idle});
  }
  return stocks;
}

void take_quote(state& s, line& each, const line_priced& quote) {
  each.quote = quote_state::done;
  each.category = quote.category;
  each.weight_g = quote.weight_g;
  if (each.negotiated) return;
  if (!from_cart(s)) {
    each.unit_price = quote.unit_price;
    each.name = quote.name;
  } else if (each.unit_price != quote.unit_price) {
    s.moved_prices.push_back({each.product, quote.name, each.unit_price, quote.unit_price});
  }
}

// Runs `visit` on every line that shares the quote of the line `first`.
template <class Visit>
void for_each_sharing(state& s, std::uint32_t first, Visit visit) {
  ensure(s.unpriced.erase(first) == 1, "a quote is taken once");
  for (std::uint32_t i = first;;) {
    const std::uint32_t next = s.lines[i].next_same;
    visit(s.lines[i]);
    if (next == 0) return;
    i = next;
  }
}

void on(state& s, const placed& e) {
  s.content = e.content;
  s.placed_at = s.updated_at = e.at;
  s.at = step::sealing;
  ask_promotions(s, {});
  if (!from_cart(s)) take_lines(s, lines_of(s.content.items, has_terms(s)));
}
void on(state& s, const cart_taken& e) { take_lines(s, e.lines); }
void on(state& s, const line_priced& e) {
  for_each_sharing(s, e.line, [&](line& each) { take_quote(s, each, e); });
}
void on(state& s, const line_unpriced& e) {
  short_line missing{.product = s.lines.at(e.line).product};
  for_each_sharing(s, e.line, [&](line& each) {
    each.quote = quote_state::done;
    if (!each.negotiated) missing.wanted += each.quantity;
  });
  if (missing.wanted == 0) return;  // what was negotiated may be sold no longer
  s.short_lines.push_back(std::move(missing));
}
void on(state& s, const totalled& e) {
  s.total = e.total;
  s.captured.currency = s.refunded.currency = e.total.currency;
  s.stocks = by_product(s.lines);
  s.at = step::claiming;
  for (std::uint32_t i = 0; i < stock_count(s); ++i) move_claim(s, i, claim_state::to_claim);
}
void on(state& s, const rejected& e) {
  for (const refusal& each : s.refusals) {
    const stock_claim& claim = s.stocks.at(each.stock);
    s.short_lines.push_back({claim.product, claim.quantity, each.available, each.limited});
  }
  std::sort(s.short_lines.begin(), s.short_lines.end(),
            [](const short_line& a, const short_line& b) { return a.product < b.product; });
  s.refusals.clear();
  release_claims(s);
  release_promotions(s);
  s.why = e.why;
  s.other_order = e.other;
  finish(s, order_status::rejected, e.at, cart_duty::abandon);
}
void on(state& s, const stock_claimed& e) {
  move_claim(s, e.stock, claim_state::claimed);
  s.stocks.at(e.stock).short_of = e.short_of;
}
void on(state& s, const stock_refused& e) {
  move_claim(s, e.stock, claim_state::refused);
  s.refusals.push_back({e.stock, e.contended, e.available, e.limited});
}
void on(state& s, const claims_given_up&) {
  s.refusals.clear();
  release_claims(s);
  s.at = step::backing_off;
}
void on(state& s, const stock_unclaimed& e) {
  move_claim(s, e.stock, claim_state::idle);
  s.stocks.at(e.stock).short_of = 0;
}
void on(state& s, const retry_scheduled& e) {
  s.due = e.due;
  s.at = step::waiting;
}
void on(state& s, const claims_retried&) {
  s.attempt += 1;
  s.at = step::claiming;
  for (std::uint32_t i = 0; i < stock_count(s); ++i) move_claim(s, i, claim_state::to_claim);
}
void on(state& s, const payment_began& e) {
  s.due = e.give_up_at;
  s.at = step::charging;
}
void on(state& s, const giving_up&) { s.at = step::voiding; }
void on(state& s, const paid& e) {
  s.captured = e.captured;
  s.after.captured_at = e.at;
  s.last4 = e.last4;
  commit_claims(s);
  commit_promotions(s);
  finish(s, order_status::paid, e.at, cart_duty::complete);
}
void on(state& s, const authorised& e) {
  s.last4 = e.last4;
  s.after.hold = holding::held;
  s.after.authorised_at = e.at;
  commit_claims(s);
  commit_promotions(s);
  finish(s, order_status::authorised, e.at, cart_duty::complete);
}
void on(state& s, const invoiced& e) {
  commit_claims(s);
  commit_promotions(s);
  finish(s, order_status::pending, e.at, cart_duty::complete);
}
void on(state& s, const declined& e) {
  s.decline_code = e.code;
  s.last4 = e.last4;
  release_claims(s);
  release_promotions(s);
  finish(s, order_status::declined, e.at, cart_duty::abandon);
}
void on(state& s, const stock_settled& e) {
  const bool comes_back = s.status == order_status::cancelled;
  move_claim(s, e.stock, comes_back ? claim_state::to_return : claim_state::settled);
}
void on(state& s, const status_changed& e) {
  move_to(s, e.to, e.at);
  if (e.to != order_status::shipped && e.to != order_status::delivered) return;
  fulfil(s, e.at);
  if (s.after.hold == holding::held) s.after.hold = holding::to_capture;
}
void on(state& s, const cancelled& e) {
  move_to(s, order_status::cancelled, e.at);
  s.refund_owed = cancelled_remainder(s).amount_minor > 0;
  if (s.after.hold == holding::held) s.after.hold = holding::to_void;
  return_promotions(s);
  for (std::uint32_t i = 0; i < stock_count(s); ++i) {
    if (s.stocks[i].state == claim_state::settled) move_claim(s, i, claim_state::to_return);
  }
}
void on(state& s, const refund_made&) {
  s.refund_owed = false;
  s.refunded.amount_minor += cancelled_remainder(s).amount_minor;
  s.after.remainder_made = true;
}
void on(state& s, const stock_returned& e) { move_claim(s, e.stock, claim_state::returned); }
void on(state& s, const cart_released&) { s.cart = cart_duty::none; }
void on(state& s, const cart_resealed&) { s.cart = cart_duty::abandon; }
void on(state& s, const promotions_asked& e) { ask_promotions(s, e.with); }
void on(state& s, const promotion_held& e) { on_event(s, e); }
void on(state& s, const promotion_refused& e) { on_event(s, e); }
void on(state& s, const terms_applied& e) { on_event(s, e); }
void on(state& s, const promotion_ended& e) { on_event(s, e); }

// The operator has put right by hand what these are owed.
void forgive_stock(state& s) {
  for (std::uint32_t i = 0; i < stock_count(s); ++i) {
    if (s.stocks[i].state == claim_state::to_settle) move_claim(s, i, claim_state::settled);
    if (s.stocks[i].state == claim_state::to_return) move_claim(s, i, claim_state::returned);
    if (s.stocks[i].state == claim_state::to_unclaim) move_claim(s, i, claim_state::idle);
  }
  s.after.to_shelve.clear();
}
void on(state& s, const resolved& e) {
  switch (e.how) {
    case resolution::give_up:
      break;  // giving_up says it
    case resolution::refunds_done:
      if (s.refund_owed) on(s, refund_made{});
      settle_refunds(s, e.at);
      break;
    case resolution::stock_done:
      forgive_stock(s);
      break;
    case resolution::written_off:
      s.after.hold = holding::voided;
      break;
  }
  s.updated_at = e.at;
}

// What follows once an order stands has its own file.
template <class Event>
requires requires(state& s, const Event& e) { apply_after(s, e); }
void on(state& s, const Event& e) { apply_after(s, e); }

void check_money(const state& s) {
  const bool may_hold = s.status == order_status::paid || s.status == order_status::processing ||
                        s.status == order_status::shipped || s.status == order_status::delivered ||
                        s.status == order_status::cancelled;
  ensure(s.captured.amount_minor == 0 || s.captured == due(s) || s.after.stray,
         "all or nothing is captured");
  ensure(s.captured.amount_minor == 0 || may_hold ||
             (s.after.stray && (s.refund_owed || s.refunded == s.captured)),
         "money is held for a paid order only, or goes back");
  ensure(!s.refund_owed || ((s.status == order_status::cancelled || s.after.stray) &&
                            s.captured.amount_minor > 0),
         "a refund is owed by a cancelled order that was paid, or for a stray charge");
}

money sum_of_lines(const state& s) {
  money sum{0, s.total.currency};
  for (const line& each : s.lines) {
    const auto line_total = multiply(each.unit_price, each.quantity);
    ensure(line_total.has_value(), "a line total fits");
    const auto next = add(sum, *line_total);
    ensure(next.has_value(), "the lines add up in one currency");
    sum = *next;
  }
  return sum;
}

void check_stocks(const state& s) {
  const auto expected = by_product(s.lines);
  ensure(expected.size() == s.stocks.size(), "one claim per product");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ensure(
        expected[i].product == s.stocks[i].product && expected[i].quantity == s.stocks[i].quantity,
        "claims are the lines' quantities, in product order");
  }
}

bool same_counts(const std::vector<line>& a, const std::vector<line>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const line& x, const line& y) {
    return x.shipped == y.shipped && x.asked_back == y.asked_back && x.returned == y.returned &&
           x.restocked == y.restocked && x.refunded == y.refunded;
  });
}

}  // namespace

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { on(s, e); }, what);
}

void index(state& s) {
  s.unpriced.clear();
  s.owing.clear();
  std::map<product_id, std::uint32_t> last;
  for (std::uint32_t i = 0; i < s.lines.size(); ++i) {
    s.lines[i].next_same = 0;
    if (s.lines[i].quote != quote_state::needed) continue;
    const auto [at, fresh] = last.try_emplace(s.lines[i].product, i);
    if (fresh) {
      s.unpriced.insert(i);
    } else {
      s.lines[std::exchange(at->second, i)].next_same = i;
    }
  }
  for (std::uint32_t i = 0; i < stock_count(s); ++i) {
    if (owes(s.stocks[i].state)) s.owing.insert(i);
  }
  index_after(s);
}

void check(const state& s) {
  const bool exists = s.at != step::none;
  ensure(exists == !s.content.id.empty(), "an order that exists was placed");
  ensure(exists || s.status == order_status::pending, "an order that does not exist has no status");
  ensure(s.at == step::over || s.status == order_status::pending, "a running saga is pending");
  ensure((s.why != rejection::none) == (s.status == order_status::rejected),
         "a rejection has a reason");
  ensure(s.unpriced.empty() || s.at == step::pricing || s.status == order_status::rejected,
         "quotes are in before stock is claimed");
  ensure(s.owing.size() <= s.stocks.size(), "no stock is owed twice");
  ensure(
      s.owing.empty() || s.at == step::claiming || s.at == step::backing_off || s.at == step::over,
      "nothing is owed to stock while the order waits or is charged");
  ensure(s.attempt < claim_attempts_max, "attempts are counted");
  ensure(s.cart == cart_duty::none || (s.at == step::over && from_cart(s)),
         "the cart is freed at the end");
  check_money(s);
  check_after(s);
  check_promotions(s);
}

void check_full(const state& s) {
  check(s);
  if (!s.stocks.empty()) {
    ensure(s.prices || sum_of_lines(s) == s.total, "the total is the sum of the lines");
    if (s.prices) check_prices(s);
    check_stocks(s);
  }
  check_after_full(s);
  state again = s;
  index(again);
  ensure(same_counts(again.lines, s.lines), "a line counts what its records say");
  ensure(again.unpriced == s.unpriced, "unpriced lines are those that need a quote");
  ensure(again.owing == s.owing, "owing stocks are those in a to_ state");
}

}  // namespace omnicart::order
