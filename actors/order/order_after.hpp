#pragma once

#include "actors/order/order.hpp"

// The rules of what follows once an order stands: shipments, returns, refunds and notes (order_after.cpp), and what
// their events do to the state (order_after_apply.cpp). For order.cpp and order_apply.cpp; see runtime/kind.hpp for
// what each function promises.
namespace omnicart::order {

// Refusals, in the order checked. Counts name lines of the order, each once, of 1 unit or more.
//   ship          forbidden (buyers), malformed (texts too long), illegal_step (nothing to ship now), no_such_line,
//                 invalid_quantity, exceeds_left, record_limit
//   deliver       forbidden, no_such_shipment
//   ask_return    forbidden (a buyer receives), malformed, no_lines, no_such_line, invalid_quantity, exceeds_left,
//                 record_limit
//   close_return  forbidden, malformed, no_such_return, illegal_step (closed otherwise)
//   give_refund   forbidden, malformed, no_such_line, invalid_quantity, exceeds_left, over_refund, record_limit
//   add_note      forbidden, malformed, record_limit
result<events> decide_after(const state& s, const ship& what, const context& ctx);
result<events> decide_after(const state& s, const deliver& what, const context& ctx);
result<events> decide_after(const state& s, const ask_return& what, const context& ctx);
result<events> decide_after(const state& s, const close_return& what, const context& ctx);
result<events> decide_after(const state& s, const give_refund& what, const context& ctx);
result<events> decide_after(const state& s, const add_note& what, const context& ctx);

// What the provider tells, and what operators say (order_told.cpp).
//   payment_told  forbidden (only the engine itself), illegal_step (not yet: tell it again), conflict (another amount)
//   retry         forbidden
//   resolve       forbidden, malformed, not_stuck
result<events> decide_after(const state& s, const payment_told& what, const context& ctx);
result<events> decide_after(const state& s, const retry& what, const context& ctx);
result<events> decide_after(const state& s, const resolve& what, const context& ctx);

void apply_after(state& s, const shipment_made& e);
void apply_after(state& s, const shipment_delivered& e);
void apply_after(state& s, const return_asked& e);
void apply_after(state& s, const return_received& e);
void apply_after(state& s, const return_refused& e);
void apply_after(state& s, const refund_promised& e);
void apply_after(state& s, const part_refund_made& e);
void apply_after(state& s, const card_refund_made& e);
void apply_after(state& s, const units_shelved& e);
void apply_after(state& s, const noted& e);
void apply_after(state& s, const captured_later& e);
void apply_after(state& s, const capture_failed& e);
void apply_after(state& s, const capture_asked_again& e);
void apply_after(state& s, const authorisation_voided& e);
void apply_after(state& s, const stray_charge& e);
void apply_after(state& s, const refund_told& e);
// What the provider owes of refunds counts as made.
void settle_refunds(state& s, timestamp_ms at);
// An order that became shipped or delivered: every line and shipment counts as that.
void fulfil(state& s, timestamp_ms at);

// Null: no such line.
const line* find_line(const state& s, std::uint32_t line_id);
// Without a charge: its payment is an invoice's.
bool accepted_on_invoice(const state& s);
// Accepted, and nothing says that all of it is on its way: it may be shipped, and still be cancelled.
bool awaits_shipping(const state& s);
bool anything_shipped(const state& s);
bool all_shipped(const state& s);
// A refund that somebody may wait for is on its way.
bool owes_refund(const state& s);
// The same of what the provider is to give back.
bool provider_owes_refund(const state& s);
// Whether every record names lines, stocks and gift cards of the order: false for damaged bytes.
bool records_fit(const state& s);
// The lines' counts, from records that fit.
void index_after(state& s);
void check_after(const state& s);       // O(1)
void check_after_full(const state& s);
// The record that the command made, by its kind's newest; 0 for commands that make none.
std::uint32_t newest_record(const state& s, const command& what);

}  // namespace omnicart::order
