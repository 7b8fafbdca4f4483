#include "actors/order/order_promotions.hpp"

#include <algorithm>
#include <utility>

#include "actors/coupon/coupon_messages.hpp"
#include "actors/email/email.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "actors/order/order_refund.hpp"
#include "actors/order/order_steps.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::order {
namespace {

events reject(rejection why, timestamp_ms now) { return {rejected{.why = why, .at = now}}; }

// The one to ask next. Gift cards come when it is known what there is to pay.
std::optional<std::uint32_t> next_promotion(const state& s) {
  for (std::uint32_t i = 0; i < s.promotions.size(); ++i) {
    const promotion& each = s.promotions[i];
    if (each.state != claim_state::to_claim) continue;
    return is_card(each) && !s.prices ? std::nullopt : std::optional(i);
  }
  return std::nullopt;
}

bool asking(const state& s) {
  return s.at == step::pricing && s.unpriced.empty() && !s.lines.empty();
}

// What becomes of one that was used by an order that is cancelled: a card that refunds have filled
// again is owed nothing.
claim_state returned_from(const state& s, const promotion& used) {
  const bool done = is_card(used) && card_remainder(s, used) == 0;
  return done ? claim_state::returned : claim_state::to_return;
}

// Only what was given, or refused, is to be given back: a promotion still to be asked for never
// was.
claim_state released_from(claim_state now) {
  const bool asked = now == claim_state::claimed || now == claim_state::refused;
  return asked ? claim_state::to_unclaim : claim_state::idle;
}

// Cards that have nothing left to pay stay in the buyer's pocket.
void spare_needless_cards(state& s) {
  if (due(s).amount_minor > 0) return;
  for (promotion& each : s.promotions) {
    if (is_card(each) && each.state == claim_state::to_claim) each.state = claim_state::idle;
  }
}

pricing::question question_of(const state& s) {
  pricing::question asked{.of_shop = s.content.terms.value_or(pricing::terms{}),
                          .method = s.shipping_method};
  for (const line& each : s.lines) {
    asked.items.push_back({.line_id = each.line_id,
                           .product = each.product,
                           .category = each.category,
                           .quantity = each.quantity,
                           .unit_price = each.unit_price,
                           .weight_g = each.weight_g});
  }
  for (const promotion& each : s.promotions) {
    if (!is_card(each)) asked.coupons.push_back({each.code, each.rule});
  }
  return asked;
}

events refuse_set_aside(const state& s, const pricing::breakdown& prices, timestamp_ms now) {
  events out;
  for (const pricing::set_aside& each : prices.aside) {
    for (std::uint32_t i = 0; i < s.promotions.size(); ++i) {
      const bool same = !is_card(s.promotions[i]) && s.promotions[i].code == each.code;
      if (same) out.push_back(promotion_refused{.promotion = i, .why = each.why});
    }
  }
  out.push_back(rejected{.why = rejection::coupon_refused, .at = now});
  return out;
}

events apply_terms(const state& s, timestamp_ms now) {
  auto prices = pricing::price(question_of(s));
  if (!prices) return reject(rejection::total_overflow, now);
  events out{terms_applied{std::move(*prices)}};
  const state next = after(s, out.front());
  const auto then = [&](events more) {
    for (event& each : more) out.push_back(std::move(each));
    return std::move(out);
  };
  if (next.prices->not_deliverable) return then(reject(rejection::not_deliverable, now));
  if (!next.prices->aside.empty()) return then(refuse_set_aside(next, *next.prices, now));
  if (s.content.stated_total && *s.content.stated_total != next.total)
    return then(reject(rejection::total_mismatch, now));
  return then(weigh_promotions(next, now));
}

// --- effects

effect to_coupon(const promotion& each, std::string key, const coupon::command& what) {
  return {.key = std::move(key), .to = {"coupon", each.code}, .command = coupon::encode(what)};
}
effect to_card(const promotion& each, std::string key, const gift_card::command& what) {
  return {
      .key = std::move(key), .to = {"gift_card", each.code}, .command = gift_card::encode(what)};
}

effect effect_of(const state& s, std::uint32_t index) {
  const promotion& each = s.promotions[index];
  const order_id& id = s.content.id;
  const std::string tail = '/' + std::to_string(index);
  switch (each.state) {
    case claim_state::to_claim:
      if (is_card(each)) return to_card(each, "promise" + tail, gift_card::hold{id, due(s)});
      return to_coupon(each, "promise" + tail, coupon::claim{id, customer_of(s.content)});
    case claim_state::to_unclaim:
      if (is_card(each)) return to_card(each, "unpromise" + tail, gift_card::release{id});
      return to_coupon(each, "unpromise" + tail, coupon::release{id});
    case claim_state::to_settle:
      if (is_card(each)) return to_card(each, "redeem" + tail, gift_card::spend{id});
      return to_coupon(each, "redeem" + tail, coupon::redeem{id});
    case claim_state::to_return:
      if (is_card(each)) {
        const money rest{card_remainder(s, each), s.total.currency};
        return to_card(each, "give_back" + tail, gift_card::give_back{id, rest, {}});
      }
      return to_coupon(each, "give_back" + tail, coupon::give_back{id, customer_of(s.content)});
    case claim_state::idle:
    case claim_state::claimed:
    case claim_state::refused:
    case claim_state::settled:
    case claim_state::returned:
      break;
  }
  bug("a promotion that is owed nothing has no effect");
}

bool ends(claim_state now) {
  return now == claim_state::to_unclaim || now == claim_state::to_settle ||
         now == claim_state::to_return;
}

std::optional<command> granted(const promotion& each, std::uint32_t index, const answer& got) {
  if (!got.ok()) return promotion_denied{index, got.failure->number};
  if (is_card(each)) {
    const auto card = gift_card::decode_reply(got.payload);
    return card ? std::optional<command>(
                      promotion_granted{.promotion = index, .amount_minor = card->order_minor})
                : std::nullopt;
  }
  auto coupon = coupon::decode_reply(got.payload);
  return coupon ? std::optional<command>(promotion_granted{.promotion = index,
                                                           .rule = std::move(coupon->content.rule)})
                : std::nullopt;
}

// Coupon or card that know of no claim of the order have ended it before, and have forgotten that
// since.
bool known_as_over(const answer& got) {
  return got.ok() || got.failure->is(coupon::errc::coupon_released) ||
         got.failure->is(gift_card::errc::gift_card_released) ||
         got.failure->is(coupon::errc::no_such_coupon) ||
         got.failure->is(gift_card::errc::no_such_gift_card);
}

std::string reason_of(const promotion& each) {
  if (each.why != pricing::obstacle::none) return pricing::to_string(each.why);
  const char* name = is_card(each)
                         ? gift_card::to_string(static_cast<gift_card::errc>(each.refusal))
                         : coupon::to_string(static_cast<coupon::errc>(each.refusal));
  return *name ? name : "refused";
}

}  // namespace

std::string digest_of_guest(std::string_view address) {
  return to_base32(digest_128({"customer", "email:" + email::folded(address)}));
}

// Orders of builds before `guest` have the address in clear, and their coupons know them by it.
std::string customer_of(const place& order) {
  if (!order.buyer.user.empty()) return "user:" + order.buyer.user;
  if (!order.guest.empty()) return "guest:" + order.guest;
  if (!order.email.empty()) return "email:" + email::folded(order.email);
  return "order:" + order.id.str();
}

bool has_terms(const state& s) { return s.content.terms.has_value() || !s.promotions.empty(); }

money due(const state& s) {
  money left = s.total;
  for (const promotion& each : s.promotions) {
    const bool gives =
        is_card(each) && each.state != claim_state::idle && each.state != claim_state::refused;
    if (gives) left.amount_minor -= each.amount_minor;
  }
  return left;
}

events weigh_promotions(const state& s, timestamp_ms now) {
  if (next_promotion(s)) return {};
  if (!s.prices) return apply_terms(s, now);
  return {totalled{s.total}};
}

events on_granted(const state& s, const promotion_granted& what, timestamp_ms now) {
  if (!asking(s) || next_promotion(s) != what.promotion) return {};
  const promotion& asked = s.promotions[what.promotion];
  // A card that gives nothing, or more than it was asked for, would be a bug on its side.
  const bool sound =
      !is_card(asked) || (what.amount_minor > 0 && what.amount_minor <= due(s).amount_minor);
  if (!sound) return on_denied(s, {.promotion = what.promotion}, now);
  events out{promotion_held{what.promotion, what.rule, what.amount_minor}};
  for (event& each : weigh_promotions(after(s, out.front()), now)) out.push_back(std::move(each));
  return out;
}

events on_denied(const state& s, const promotion_denied& what, timestamp_ms now) {
  if (!asking(s) || next_promotion(s) != what.promotion) return {};
  const bool card = is_card(s.promotions[what.promotion]);
  return {
      promotion_refused{.promotion = what.promotion, .code = what.code},
      rejected{.why = card ? rejection::gift_card_refused : rejection::coupon_refused, .at = now}};
}

events on_done(const state& s, const promotion_done& what) {
  const bool awaited =
      what.promotion < s.promotions.size() && ends(s.promotions[what.promotion].state);
  return awaited ? events{promotion_ended{what.promotion}} : events{};
}

void ask_promotions(state& s, const cart::wishes& with) {
  const auto take = [&](std::vector<std::string> codes, const std::vector<std::string>& more,
                        cart::code_kind kind) {
    codes.insert(codes.end(), more.begin(), more.end());
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    for (std::string& code : codes) s.promotions.push_back({.kind = kind, .code = std::move(code)});
  };
  s.promotions.clear();
  take(s.content.coupons, with.coupons, cart::code_kind::coupon);
  take(s.content.gift_cards, with.gift_cards, cart::code_kind::gift_card);
  s.shipping_method = s.content.shipping_method.empty() ? with.method : s.content.shipping_method;
}

void on_event(state& s, const promotion_held& e) {
  promotion& each = s.promotions.at(e.promotion);
  each.state = claim_state::claimed;
  each.rule = e.rule;
  each.amount_minor = e.amount_minor;
  if (s.prices) spare_needless_cards(s);
}
void on_event(state& s, const promotion_refused& e) {
  promotion& each = s.promotions.at(e.promotion);
  each.state = claim_state::refused;
  each.refusal = e.code;
  each.why = e.why;
}
void on_event(state& s, const terms_applied& e) {
  s.prices = e.prices;
  s.total = {e.prices.total_minor, e.prices.currency};
  spare_needless_cards(s);
}
void on_event(state& s, const promotion_ended& e) {
  promotion& each = s.promotions.at(e.promotion);
  const bool cancelled = s.status == order_status::cancelled;
  switch (each.state) {
    case claim_state::to_unclaim:
      each.state = claim_state::idle;
      return;
    case claim_state::to_settle:
      each.state = cancelled ? returned_from(s, each) : claim_state::settled;
      return;
    case claim_state::to_return:
      each.state = claim_state::returned;
      return;
    case claim_state::idle:
    case claim_state::to_claim:
    case claim_state::claimed:
    case claim_state::refused:
    case claim_state::settled:
    case claim_state::returned:
      return;
  }
}

void release_promotions(state& s) {
  for (promotion& each : s.promotions) each.state = released_from(each.state);
}
void commit_promotions(state& s) {
  for (promotion& each : s.promotions) {
    if (each.state == claim_state::claimed) each.state = claim_state::to_settle;
  }
}
void return_promotions(state& s) {
  for (promotion& each : s.promotions) {
    if (each.state == claim_state::settled) each.state = returned_from(s, each);
  }
}

void append_promotion_effects(const state& s, std::size_t room, std::vector<effect>& owed) {
  if (s.promotions.empty()) return;
  if (asking(s)) {
    const auto next = next_promotion(s);
    if (next && room > 0) owed.push_back(effect_of(s, *next));
    return;
  }
  for (std::uint32_t i = 0; i < s.promotions.size() && room > 0; ++i) {
    if (!ends(s.promotions[i].state)) continue;
    owed.push_back(effect_of(s, i));
    --room;
  }
}

// A card takes back what it has been told is spent.
void append_card_effects(const state& s, const refund_record& of, std::size_t room,
                         std::vector<effect>& owed) {
  for (std::size_t i = 0; i < of.cards.size() && room > 0; ++i) {
    const card_share& part = of.cards[i];
    const auto card = std::find_if(
        s.promotions.begin(), s.promotions.end(),
        [&](const promotion& each) { return is_card(each) && each.code == part.code; });
    const bool spent = card != s.promotions.end() && card->state != claim_state::to_settle;
    if (part.made || !spent) continue;
    const std::string key = "card_part/" + std::to_string(of.number) + '.' + std::to_string(i);
    const money amount{part.amount_minor, s.total.currency};
    owed.push_back(to_card(*card, key, gift_card::give_back{s.content.id, amount, of.key}));
    --room;
  }
}

bool is_promotion_verb(std::string_view verb) {
  return verb == "promise" || verb == "unpromise" || verb == "redeem" || verb == "give_back";
}

std::optional<command> settle_promotion(const state& s, std::string_view verb, std::uint32_t index,
                                        const answer& got) {
  if (index >= s.promotions.size()) return std::nullopt;
  const promotion& each = s.promotions[index];
  if (verb == "promise") {
    return each.state == claim_state::to_claim ? granted(each, index, got) : std::nullopt;
  }
  const claim_state wanted = verb == "unpromise" ? claim_state::to_unclaim
                             : verb == "redeem"  ? claim_state::to_settle
                                                 : claim_state::to_return;
  // What is refused to be given back stays owed, in sight of the operator.
  const bool over = verb == "give_back" ? got.ok() : known_as_over(got);
  return each.state == wanted && over ? std::optional<command>(promotion_done{index})
                                      : std::nullopt;
}

void show_promotions(const state& s, order_view& shown) {
  shown.prices = s.prices;
  for (const promotion& each : s.promotions) {
    const bool refused = each.refusal != 0 || each.why != pricing::obstacle::none;
    if (refused) shown.refused_codes.push_back({each.kind, each.code, reason_of(each)});
    const bool used = each.state == claim_state::claimed || each.state == claim_state::to_settle ||
                      each.state == claim_state::settled || each.state == claim_state::to_return ||
                      each.state == claim_state::returned;
    if (!used) continue;
    if (is_card(each)) {
      shown.gift_payments.push_back(
          {each.code, {each.amount_minor, s.total.currency}, card_returned(s, each)});
    } else {
      shown.coupons.push_back(each.code);
    }
  }
}

void check_promotions(const state& s) {
  ensure(s.promotions.size() <= 4 * codes_max, "coupons and gift cards are few");
  ensure(due(s).amount_minor >= 0, "gift cards give no more than the total");
  ensure(!s.prices || s.prices->total_minor == s.total.amount_minor,
         "the total is that of the prices");
}

void check_prices(const state& s) {
  ensure(pricing::adds_up(*s.prices), "prices add up");
  ensure(s.prices->lines.size() == s.lines.size(), "every line has its price");
  for (std::size_t i = 0; i < s.lines.size(); ++i) {
    const auto goods = multiply(s.lines[i].unit_price, s.lines[i].quantity);
    ensure(goods && goods->amount_minor == s.prices->lines[i].goods_minor,
           "goods cost price times quantity");
  }
}

std::size_t promotion_bytes(const state& s) {
  constexpr std::size_t discount_bytes = sizeof(pricing::discount) + 64;
  std::size_t bytes = s.promotions.size() * (sizeof(promotion) + 256);
  if (s.content.terms) {
    bytes += s.content.terms->rates.size() * 192 + s.content.terms->methods.size() * 768;
  }
  if (!s.prices) return bytes;
  for (const auto& each : s.prices->lines) {
    bytes += sizeof(each) + 32 + each.discounts.size() * discount_bytes;
  }
  return bytes;
}

}  // namespace omnicart::order
