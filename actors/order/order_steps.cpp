#include "actors/order/order_steps.hpp"
#include "actors/order/order_promotions.hpp"
#include "actors/order/order_refund.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::order {
namespace {

void append(events& out, events more) {
  for (event& each : more) out.push_back(std::move(each));
}

events reject(rejection why, timestamp_ms now, order_id other = {}) {
  return {rejected{why, std::move(other), now}};
}

bool in_one_currency(const std::vector<line>& lines) {
  return std::all_of(lines.begin(), lines.end(), [&](const line& each) {
    return each.unit_price.currency == lines.front().unit_price.currency;
  });
}

result<money> sum(const std::vector<line>& lines) {
  result<money> total = money{0, lines.front().unit_price.currency};
  for (const line& each : lines) {
    total = multiply(each.unit_price, each.quantity).and_then([&](money price) {
      return add(*total, price);
    });
    if (!total) break;
  }
  return total;
}

std::vector<line> lines_of(const std::vector<cart::line_view>& sealed, bool terms) {
  std::vector<line> lines;
  lines.reserve(sealed.size());
  for (const cart::line_view& from : sealed) {
    lines.push_back({.line_id = from.line_id,
                     .product = from.product,
                     .name = from.name,
                     .quantity = from.quantity,
                     .unit_price = from.unit_price,
                     .quote = from.list_price || terms ? quote_state::needed : quote_state::none,
                     .negotiated = !from.list_price && terms});
  }
  return lines;
}

events begin_payment(const state& s, timestamp_ms now) {
  if (due(s).amount_minor == 0)
    return {paid{.captured = due(s), .at = now}};  // nothing to ask a provider for
  if (s.content.payment.type == payment::method_type::invoice) return {invoiced{now}};
  return {payment_began{now + payment_patience}};
}

// What follows from the claims' answers so far. A parallel attempt waits for all of them, so that
// every short line can be named; a serial one stops at the first refusal.
events weigh_claims(const state& s, timestamp_ms now) {
  const bool serial = s.attempt > 0;
  if (!s.owing.empty() && (!serial || s.refusals.empty())) return {};
  if (s.refusals.empty()) return begin_payment(s, now);
  const bool contended = std::all_of(s.refusals.begin(), s.refusals.end(),
                                     [](const refusal& r) { return r.contended; });
  if (contended && s.attempt + 1 < claim_attempts_max) return {claims_given_up{}};
  const bool limited = std::all_of(s.refusals.begin(), s.refusals.end(),
                                   [](const refusal& r) { return r.limited; });
  return reject(limited ? rejection::customer_limit : rejection::out_of_stock, now);
}

// Differs between orders, so that two that refused each other do not meet again; the same at every
// replay.
duration_ms jitter(const order_id& order, std::uint32_t attempt) {
  const auto spread = static_cast<std::uint64_t>((claim_retry_max - claim_retry_min).count() + 1);
  const auto drawn =
      digest_128({"order claim retry", order.str(), std::to_string(attempt)}).low % spread;
  return claim_retry_min + duration_ms{static_cast<std::int64_t>(drawn)};
}

bool awaits_claim(const state& s, std::uint32_t stock, std::uint32_t attempt,
                  claim_state expected) {
  return attempt == s.attempt && stock < s.stocks.size() && s.stocks[stock].state == expected;
}

// Looking at the whole order is worth it only for an answer that may be the last.
events with_claim_answer(const state& s, event answered, bool refused, timestamp_ms now) {
  const bool last = s.owing.size() == 1;
  const bool decisive = last || (refused && s.attempt > 0);
  events out{std::move(answered)};
  if (decisive) append(out, weigh_claims(after(s, out.front()), now));
  return out;
}

events with_quote(const state& s, event quoted, timestamp_ms now) {
  const bool last = s.unpriced.size() == 1;
  events out{std::move(quoted)};
  if (last) append(out, finish_pricing(after(s, out.front()), now));
  return out;
}

bool awaits_quote(const state& s, std::uint32_t line) {
  return s.at == step::pricing && s.unpriced.contains(line);
}

events conclude_payment(const state& s, const payment::charge_result& result, timestamp_ms now) {
  switch (result.status) {
    case payment::charge_status::captured:
      return {paid{due(s), result.last4, now}};
    case payment::charge_status::declined:
      return {declined{result.decline_code, result.last4, now}};
    // Not by us, since there was no void and no refund: the provider's own staff. No money is held.
    case payment::charge_status::voided:
      return {declined{"voided", result.last4, now}};
    case payment::charge_status::refunded:
      return {declined{"refunded", result.last4, now}};
    case payment::charge_status::authorised:
      return {authorised{due(s), result.last4, now}};
  }
  return {};
}

rejection reason_of(error_number seal_refusal) {
  switch (static_cast<cart::errc>(seal_refusal)) {
    case cart::errc::empty:
      return rejection::cart_empty;
    case cart::errc::checkout_in_progress:
      return rejection::checkout_in_progress;
    default:
      return rejection::cart_not_found;  // any code of another module may stand here
  }
}

struct mover {
  const state& s;
  timestamp_ms now;

  events operator()(const cart_sealed& what) const {
    if (s.at == step::sealing) {
      return take_cart(what);
    }
    // A copy of the seal that came through late must not leave the cart sealed by an order that is
    // done with it.
    const bool done_with_cart =
        s.at == step::over && s.content.items.empty() && s.cart == cart_duty::none;
    return done_with_cart ? events{cart_resealed{}} : events{};
  }
  // Nor may one that comes through later, when there is something to seal, with an answer that this
  // order never hears since it lives elsewhere by then: the cart is told that the order is over.
  events operator()(const cart_refused& what) const {
    if (s.at != step::sealing) return {};
    const rejection why = reason_of(what.code);
    events out = reject(why, now, what.other);
    if (why == rejection::cart_empty || why == rejection::checkout_in_progress)
      out.push_back(cart_resealed{});
    return out;
  }
  events operator()(const priced& what) const {
    if (!awaits_quote(s, what.line)) return {};
    return with_quote(
        s, line_priced{what.line, what.name, what.unit_price, what.category, what.weight_g}, now);
  }
  events operator()(const unpriced& what) const {
    if (!awaits_quote(s, what.line)) return {};
    return with_quote(s, line_unpriced{what.line}, now);
  }
  events operator()(const claimed& what) const {
    if (!awaits_claim(s, what.stock, what.attempt, claim_state::to_claim)) return {};
    return with_claim_answer(s, stock_claimed{what.stock, what.short_of}, false, now);
  }
  events operator()(const claim_refused& what) const {
    if (!awaits_claim(s, what.stock, what.attempt, claim_state::to_claim)) return {};
    return with_claim_answer(
        s, stock_refused{what.stock, what.contended, what.available, what.limited}, true, now);
  }
  events operator()(const unclaimed& what) const {
    if (!awaits_claim(s, what.stock, what.attempt, claim_state::to_unclaim)) return {};
    events out{stock_unclaimed{what.stock}};
    const bool last = s.owing.size() == 1;
    if (last && s.at == step::backing_off)
      out.push_back(retry_scheduled{now + jitter(s.content.id, s.attempt)});
    return out;
  }
  // Also while the void is under way: a charge that was captured or declined is final, and the void
  // will hear so.
  events operator()(const charged& what) const {
    if (!paying(s)) return {};
    const bool final_word = what.result.status == payment::charge_status::captured ||
                            what.result.status == payment::charge_status::declined;
    if (s.at == step::voiding && !final_word) return {};
    return conclude_payment(s, what.result, now);
  }
  events operator()(const charge_refused& what) const {
    if (s.at != step::charging) return {};  // the void's own answer decides
    return {declined{.code = payment::to_string(static_cast<payment::errc>(what.code)), .at = now}};
  }
  events operator()(const voided& what) const {
    if (s.after.hold == holding::to_void) return void_of_authorisation(what.result);
    if (s.at != step::voiding) return {};
    const bool void_of_nothing_held = what.result.status == payment::charge_status::voided ||
                                      what.result.status == payment::charge_status::refunded;
    if (void_of_nothing_held) return reject(rejection::payment_timeout, now);
    return conclude_payment(s, what.result, now);
  }
  events operator()(const sale_settled& what) const {
    if (!awaits_claim(s, what.stock, s.attempt, claim_state::to_settle)) return {};
    return {stock_settled{what.stock}};
  }
  events operator()(const restocked& what) const {
    if (!awaits_claim(s, what.stock, s.attempt, claim_state::to_return)) return {};
    return {stock_returned{what.stock}};
  }
  events operator()(const refunded&) const {
    return s.refund_owed ? events{refund_made{}} : events{};
  }
  events operator()(const cart_done&) const {
    return s.cart == cart_duty::none ? events{} : events{cart_released{}};
  }
  events operator()(const wake&) const {
    if (now < s.due) return {};
    if (s.at == step::waiting) return {claims_retried{}};
    if (s.at == step::charging) return {giving_up{}};
    return {};
  }

  events void_of_authorisation(const payment::charge_result& result) const {
    if (result.status == payment::charge_status::captured)
      return {stray_charge{due(s), result.last4, now}};
    return {authorisation_voided{now}};
  }
  events operator()(const capture_answered& what) const {
    if (s.after.hold != holding::to_capture) return {};
    if (what.result.status != payment::charge_status::captured)
      return {capture_failed{"not_captured", now}};
    return {captured_later{due(s), now}};
  }
  events operator()(const capture_refused& what) const {
    if (s.after.hold != holding::to_capture) return {};
    return {capture_failed{payment::to_string(static_cast<payment::errc>(what.code)), now}};
  }
  events operator()(const shelved& what) const {
    const shelving* owed = nullptr;
    for (const shelving& each : s.after.to_shelve) {
      if (each.of_return == what.of_return && each.stock == what.stock) owed = &each;
    }
    return owed ? events{units_shelved{what.of_return, what.stock}} : events{};
  }
  events operator()(const part_refunded& what) const {
    const auto& all = s.after.refunds;
    const bool awaited = what.number >= 1 && what.number <= all.size() &&
                         owes_provider(all[what.number - 1]);
    return awaited ? events{part_refund_made{what.number, now}} : events{};
  }
  events operator()(const card_refunded& what) const {
    const auto& all = s.after.refunds;
    const bool there = what.number >= 1 && what.number <= all.size() &&
                       what.card < all[what.number - 1].cards.size();
    const bool awaited = there && !all[what.number - 1].cards[what.card].made;
    return awaited ? events{card_refund_made{what.number, what.card, now}} : events{};
  }

  events operator()(const promotion_granted& what) const { return on_granted(s, what, now); }
  events operator()(const promotion_denied& what) const { return on_denied(s, what, now); }
  events operator()(const promotion_done& what) const { return on_done(s, what); }

  // Asked from outside, decided in order.cpp.
  template <class Command>
  events operator()(const Command&) const {
    return {};
  }

 private:
  events take_cart(const cart_sealed& what) const {
    events out;
    const cart::wishes& with = what.with;
    const bool asks = !with.coupons.empty() || !with.gift_cards.empty() ||
                      (!with.method.empty() && s.content.terms);
    if (asks) out.push_back(promotions_asked{with});
    const state asked = asks ? after(s, out.front()) : s;
    out.push_back(cart_taken{lines_of(what.lines, has_terms(asked))});
    append(out, finish_pricing(after(asked, out.back()), now));
    return out;
  }
};

}  // namespace

events advance(const state& s, const command& what, timestamp_ms now) {
  return std::visit(mover{s, now}, what);
}

events finish_pricing(const state& s, timestamp_ms now) {
  if (!s.unpriced.empty()) return {};
  if (s.lines.empty()) return reject(rejection::cart_empty, now);
  if (!s.short_lines.empty()) return reject(rejection::unknown_product, now);
  if (!s.moved_prices.empty()) return reject(rejection::price_changed, now);
  if (!in_one_currency(s.lines)) return reject(rejection::currency_mismatch, now);
  if (has_terms(s)) return weigh_promotions(s, now);
  const auto total = sum(s.lines);
  if (!total) return reject(rejection::total_overflow, now);
  if (s.content.stated_total && *s.content.stated_total != *total)
    return reject(rejection::total_mismatch, now);
  return {totalled{*total}};
}

bool paying(const state& s) { return s.at == step::charging || s.at == step::voiding; }

state after(const state& s, const event& what) {
  state next = s;
  apply(next, what);
  return next;
}

}  // namespace omnicart::order
