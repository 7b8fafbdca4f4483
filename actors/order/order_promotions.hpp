#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "actors/order/order.hpp"

// The part of an order that shops without coupons, gift cards, taxes and shipping never see: what
// is held of coupons and gift cards, and what the terms of the shop make of the lines. Pure.
namespace omnicart::order {

inline constexpr std::size_t codes_max = 10;  // of each kind

inline bool is_card(const promotion& each) { return each.kind == cart::code_kind::gift_card; }

// Whom a coupon's limit per customer counts: the user, else the guest, else the order itself.
std::string customer_of(const place& order);
// Whether the lines are priced by the terms of the shop, and not just summed.
bool has_terms(const state& s);
// What the provider is to be paid: the total less what gift cards give.
money due(const state& s);

// What follows once every quote is in and after each answer of a coupon or gift card: nothing while
// one is out; else the terms are applied, the gift cards asked, and the order totalled or rejected.
events weigh_promotions(const state& s, timestamp_ms now);
// What follows from the order's own promotion_granted, promotion_denied and promotion_done.
events on_granted(const state& s, const promotion_granted& what, timestamp_ms now);
events on_denied(const state& s, const promotion_denied& what, timestamp_ms now);
events on_done(const state& s, const promotion_done& what);

// For apply().
void ask_promotions(state& s, const cart::wishes& with);
void on_event(state& s, const promotion_held& e);
void on_event(state& s, const promotion_refused& e);
void on_event(state& s, const terms_applied& e);
void on_event(state& s, const promotion_ended& e);
void release_promotions(state& s);  // what was asked for is given back
void commit_promotions(state& s);
void return_promotions(state& s);  // of a cancelled order, as far as refunds have not

// At most `room` effects. Keys: VERB/INDEX with VERB = promise | unpromise | redeem | give_back.
void append_promotion_effects(const state& s, std::size_t room, std::vector<effect>& owed);
// The parts of a refund that its gift cards have not had. Keys: card_part/REFUND.CARD.
void append_card_effects(const state& s, const refund_record& of, std::size_t room,
                         std::vector<effect>& owed);
bool is_promotion_verb(std::string_view verb);
// The answer to such an effect; nothing: ask again.
std::optional<command> settle_promotion(const state& s, std::string_view verb, std::uint32_t index,
                                        const answer& got);

void show_promotions(const state& s, order_view& shown);
// Invariants, after every event and in full.
void check_promotions(const state& s);
void check_prices(const state& s);
std::size_t promotion_bytes(const state& s);

}  // namespace omnicart::order
