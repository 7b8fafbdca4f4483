#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "actors/order/order_codec.hpp"
#include "actors/order/order_promotions.hpp"
#include "actors/order/order_refund.hpp"
#include "actors/product/product_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "runtime/base/assert.hpp"

// What the order owes others, and what their answers mean. Keys of effects:
//
//   seal | charge | void | capture | refund | cart_done | abandon
//   promise/CODE | unpromise/CODE | redeem/CODE | give_back/CODE        (order_promotions.cpp)
//   price/LINE | VERB/STOCK.ATTEMPT         VERB = claim | unclaim | settle | restock
//   part/REFUND | card_part/REFUND.CARD | shelve/RETURN.STOCK
namespace omnicart::order {
namespace {

// --- effects
// --------------------------------------------------------------------------------------------------

constexpr const char* cancel_key =
    "cancel";  // one refund and one return per order: its cancellation

std::string stock_key(const state& s, const char* verb, std::uint32_t stock) {
  return std::string(verb) + '/' + std::to_string(stock) + '.' + std::to_string(s.attempt);
}

effect to_cart(const state& s, std::string key, const cart::command& what) {
  return {
      .key = std::move(key), .to = {"cart", s.content.cart.str()}, .command = cart::encode(what)};
}

effect to_provider(const state& s, std::string key, const payment::command& what) {
  return {.key = std::move(key),
          .to = {"payment", s.content.id.str()},
          .command = payment::encode(what)};
}

effect seal_effect(const state& s) {
  return to_cart(s, "seal", cart::seal{.order = s.content.id, .on_behalf_of = s.content.buyer});
}

effect abandon_effect(const state& s) {
  cart::abandon_checkout what{.order = s.content.id};
  for (const moved_price& each : s.moved_prices)
    what.prices.push_back({each.product, each.name, each.is});
  return to_cart(s, "abandon", std::move(what));
}

effect complete_effect(const state& s) {
  return to_cart(s, "cart_done", cart::complete_checkout{.order = s.content.id});
}

// A cart's line stays in the currency it was put there in.
std::optional<currency_code> currency_of(const state& s, std::uint32_t line) {
  const currency_code known = s.lines[line].unit_price.currency;
  return known == currency_code{} ? s.content.currency : std::optional(known);
}

effect quote_effect(const state& s, std::uint32_t line) {
  return {.key = "price/" + std::to_string(line),
          .to = {"product", s.lines[line].product.str()},
          .command = product::encode(product::quote{currency_of(s, line)})};
}

effect charge_effect(const state& s) {
  if (s.content.capture == payment::capture_when::at_shipment) {
    return to_provider(s, "charge", payment::authorise{s.content.id, due(s), s.content.payment});
  }
  return to_provider(s, "charge", payment::charge{s.content.id, due(s), s.content.payment});
}

effect void_effect(const state& s) {
  return to_provider(s, "void", payment::void_charge{s.content.id});
}

effect capture_effect(const state& s) {
  return to_provider(s, "capture", payment::capture{s.content.id, due(s)});
}

effect refund_effect(const state& s) {
  return to_provider(s, "refund",
                     payment::refund{s.content.id, cancel_key, cancelled_remainder(s)});
}

effect part_refund_effect(const state& s, const refund_record& part) {
  return to_provider(s, "part/" + std::to_string(part.number),
                     payment::refund{s.content.id, part.key, provider_part(part)});
}

effect shelve_effect(const state& s, const shelving& owed) {
  const std::string back = std::to_string(owed.of_return);
  return {.key = "shelve/" + back + '.' + std::to_string(owed.stock),
          .to = {"stock", s.stocks[owed.stock].product.str()},
          .command = stock::encode(stock::restock{claim_id(s), "return-" + back, owed.quantity})};
}

// Whom a limit per customer and product counts. Stock records are the shop's, so they hold a digest and no address. Nobody
// for an order that names none.
std::string counted_as(const place& order) {
  if (order.buyer.user.empty() && !order.guest.empty()) return order.guest;
  if (order.buyer.user.empty() && order.email.empty()) return {};
  return to_base32(digest_128({"customer", customer_of(order)}));
}

effect stock_effect(const state& s, std::uint32_t stock) {
  const stock_claim& claim = s.stocks[stock];
  const auto send = [&](const char* verb, const stock::command& what) {
    return effect{.key = stock_key(s, verb, stock),
                  .to = {"stock", claim.product.str()},
                  .command = stock::encode(what)};
  };
  switch (claim.state) {
    case claim_state::to_claim:
      return send("claim", stock::claim{claim_id(s), claim.quantity, s.content.sessions, counted_as(s.content)});
    case claim_state::to_unclaim:
      return send("unclaim", stock::unclaim{claim_id(s)});
    case claim_state::to_settle:
      return send("settle", stock::settle{claim_id(s)});
    case claim_state::to_return:
      return send("restock", stock::restock{claim_id(s), cancel_key, claim.quantity});
    case claim_state::idle:
    case claim_state::claimed:
    case claim_state::refused:
    case claim_state::settled:
    case claim_state::returned:
      break;
  }
  bug("a stock that owes nothing has no effect");
}

// --- answers
// --------------------------------------------------------------------------------------------------

struct effect_name {
  std::string_view verb;
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
};

bool take_number(std::string_view& text, std::uint32_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::optional<effect_name> parse_key(std::string_view key) {
  const auto slash = key.find('/');
  effect_name name{.verb = key.substr(0, slash)};
  if (slash == key.npos) return name;
  std::string_view rest = key.substr(slash + 1);
  if (!take_number(rest, name.index)) return std::nullopt;
  if (rest.empty()) return name;
  if (!rest.starts_with('.')) return std::nullopt;
  rest.remove_prefix(1);
  if (!take_number(rest, name.attempt) || !rest.empty()) return std::nullopt;
  return name;
}

using settled = std::optional<command>;

settled on_seal(const effect_name&, const answer& got) {
  if (got.ok()) {
    auto reply = cart::decode_reply(got.payload);
    auto* sealed = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
    return sealed ? settled(cart_sealed{std::move(sealed->lines), std::move(sealed->with)})
                  : std::nullopt;
  }
  cart_refused refused{.code = got.failure->number};
  if (got.failure->is(cart::errc::checkout_in_progress)) {
    refused.other = decode_order_id(got.failure->data).value_or(order_id{});
  }
  return refused;
}

settled on_price(const effect_name& name, const answer& got) {
  if (!got.ok()) return unpriced{name.index};
  auto reply = product::decode_reply(got.payload);
  auto* quote = reply ? std::get_if<product::quote_view>(&*reply) : nullptr;
  if (!quote) return std::nullopt;
  return priced{name.index, std::move(quote->name), quote->price, std::move(quote->category),
                quote->weight_g};
}

settled on_claim(const effect_name& name, const answer& got) {
  if (got.ok()) {
    const auto stock = stock::decode_reply(got.payload);
    return claimed{name.index, name.attempt, stock ? stock->short_of : 0};
  }
  return claim_refused{.stock = name.index,
                       .contended = got.failure->is(stock::errc::contended),
                       .available = decode_available(got.failure->data).value_or(0),
                       .attempt = name.attempt,
                       .limited = got.failure->is(stock::errc::customer_limit) ||
                                  got.failure->is(stock::errc::customer_count_full)};
}

settled on_unclaim(const effect_name& name, const answer& got) {
  const bool released = got.ok() || got.failure->is(stock::errc::no_such_reservation);
  return released ? settled(unclaimed{name.index, name.attempt}) : std::nullopt;
}

// Only this order ends its claim, so a stock record that knows of none has settled it before, and
// has forgotten that after its 72 hours: the first answer was lost. (Should it ever mean anything
// else, the laws show it: sold units must be those of the orders.)
settled on_settle(const effect_name& name, const answer& got) {
  const bool done = got.ok() || got.failure->is(stock::errc::no_such_reservation);
  return done ? settled(sale_settled{name.index}) : std::nullopt;
}
// A refused return or refund would be a bug on one side. It stays owed, in sight of the operator.
settled on_restock(const effect_name& name, const answer& got) {
  return got.ok() ? settled(restocked{name.index}) : std::nullopt;
}
settled on_refund(const effect_name&, const answer& got) {
  return got.ok() ? settled(refunded{}) : std::nullopt;
}
settled on_part(const effect_name& name, const answer& got) {
  return got.ok() ? settled(part_refunded{name.index}) : std::nullopt;
}
settled on_card_part(const effect_name& name, const answer& got) {
  return got.ok() ? settled(card_refunded{name.index, name.attempt}) : std::nullopt;
}
settled on_shelve(const effect_name& name, const answer& got) {
  return got.ok() ? settled(shelved{name.index, name.attempt}) : std::nullopt;
}

// Only codes that say nothing was captured are believed; for anything else the question is asked
// again until the order gives up, since the void has a definite answer.
settled on_charge(const effect_name&, const answer& got) {
  if (got.ok()) {
    auto result = payment::decode_reply(got.payload);
    return result ? settled(charged{std::move(*result)}) : std::nullopt;
  }
  const error& refusal = *got.failure;
  const bool definite = refusal.is(payment::errc::voided) ||
                        refusal.is(payment::errc::key_reused) ||
                        refusal.is(payment::errc::unknown_method);
  return definite ? settled(charge_refused{refusal.number}) : std::nullopt;
}

settled on_void(const effect_name&, const answer& got) {
  if (got.ok()) {
    auto result = payment::decode_reply(got.payload);
    return result ? settled(voided{std::move(*result)}) : std::nullopt;
  }
  if (got.failure->is(payment::errc::captured))
    return voided{{.status = payment::charge_status::captured}};
  if (got.failure->is(payment::errc::voided))
    return voided{{.status = payment::charge_status::voided}};
  return std::nullopt;
}

settled on_capture(const effect_name&, const answer& got) {
  if (got.ok()) {
    auto result = payment::decode_reply(got.payload);
    return result ? settled(capture_answered{std::move(*result)}) : std::nullopt;
  }
  const error& refusal = *got.failure;
  const bool definite =
      refusal.is(payment::errc::voided) || refusal.is(payment::errc::not_authorised);
  return definite ? settled(capture_refused{refusal.number}) : std::nullopt;
}

// A cart that refuses (merged into another, gone) holds nothing for this order.
settled on_cart(const effect_name&, const answer&) { return cart_done{}; }

struct verb_rule {
  std::string_view verb;
  settled (*read)(const effect_name&, const answer&);
};
constexpr verb_rule verbs[] = {
    {"seal", on_seal},     {"price", on_price},     {"claim", on_claim},   {"unclaim", on_unclaim},
    {"settle", on_settle}, {"restock", on_restock}, {"charge", on_charge}, {"void", on_void},
    {"refund", on_refund}, {"cart_done", on_cart},  {"abandon", on_cart},  {"part", on_part},
    {"shelve", on_shelve}, {"capture", on_capture}, {"card_part", on_card_part}};

// The cart's answer counts for the duty it was asked for, and stock answers for the attempt they
// name.
bool outdated(const state& s, const effect_name& name) {
  if (name.verb == "cart_done") return s.cart != cart_duty::complete;
  if (name.verb == "abandon") return s.cart != cart_duty::abandon;
  const bool about_stock = name.verb == "claim" || name.verb == "unclaim" ||
                           name.verb == "settle" || name.verb == "restock";
  return about_stock && name.attempt != s.attempt;
}

}  // namespace

order_id claim_id(const state& s) {
  if (s.attempt == 0) return s.content.id;
  return order_id{s.content.id.str() + '.' + std::to_string(s.attempt)};
}

std::vector<effect> pending(const state& s, std::size_t limit) {
  std::vector<effect> owed;
  const auto room = [&] { return owed.size() < limit; };
  if (s.at == step::sealing && room()) owed.push_back(seal_effect(s));
  if (s.at == step::charging && room()) owed.push_back(charge_effect(s));
  const bool voids = s.at == step::voiding || s.after.hold == holding::to_void;
  if (voids && room()) owed.push_back(void_effect(s));
  if (s.after.hold == holding::to_capture && room()) owed.push_back(capture_effect(s));
  if (s.cart == cart_duty::complete && room()) owed.push_back(complete_effect(s));
  if (s.cart == cart_duty::abandon && room()) owed.push_back(abandon_effect(s));
  if (s.refund_owed && room()) owed.push_back(refund_effect(s));
  for (const refund_record& part : s.after.refunds) {
    if (owes_provider(part) && room()) owed.push_back(part_refund_effect(s, part));
    append_card_effects(s, part, limit - owed.size(), owed);
  }
  append_promotion_effects(s, limit - owed.size(), owed);
  for (auto line = s.unpriced.begin(); line != s.unpriced.end() && room(); ++line) {
    owed.push_back(quote_effect(s, *line));
  }
  const bool one_by_one = s.at == step::claiming && s.attempt > 0;
  for (auto stock = s.owing.begin(); stock != s.owing.end() && room(); ++stock) {
    owed.push_back(stock_effect(s, *stock));
    if (one_by_one) break;
  }
  for (const shelving& each : s.after.to_shelve) {
    const bool sold = s.stocks[each.stock].state == claim_state::settled;
    if (sold && room()) owed.push_back(shelve_effect(s, each));
  }
  return owed;
}

std::optional<command> settle(const state& s, std::string_view effect_key, const answer& got) {
  // A command that came after its deadline was not run; faults are the host's to retry.
  if (got.failure && (is_fault(got.failure->number) || got.failure->is(base_errc::expired)))
    return std::nullopt;
  const auto name = parse_key(effect_key);
  if (!name || outdated(s, *name)) return std::nullopt;
  if (is_promotion_verb(name->verb)) return settle_promotion(s, name->verb, name->index, got);
  const auto rule = std::find_if(std::begin(verbs), std::end(verbs),
                                 [&](const verb_rule& r) { return r.verb == name->verb; });
  if (rule == std::end(verbs)) return std::nullopt;
  settled what = rule->read(*name, got);
  // What nobody will look at is not stored.
  if (auto* quoted = what ? std::get_if<priced>(&*what) : nullptr; quoted && !has_terms(s)) {
    quoted->category.clear();
    quoted->weight_g = 0;
  }
  return what;
}

std::optional<timestamp_ms> wake_at(const state& s) {
  const bool waits = s.at == step::waiting || s.at == step::charging;
  return waits ? std::optional(s.due) : std::nullopt;
}

}  // namespace omnicart::order
