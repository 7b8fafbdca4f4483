#include "actors/order/order_after.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "actors/order/order_refund.hpp"

namespace omnicart::order {
namespace {

status for_staff(const context& ctx, const char* what) {
  if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden, what);
  return {};
}

status text_fits(const std::string& text, std::size_t bytes_max, const char* name) {
  if (text.size() <= bytes_max) return {};
  return fail(base_errc::malformed,
              std::string(name) + " has at most " + std::to_string(bytes_max) + " bytes");
}

status room_for_one(std::size_t count, std::size_t most, const char* name) {
  if (count < most) return {};
  return fail(errc::record_limit, "an order has at most " + std::to_string(most) + ' ' + name);
}

// Every count is of a line of the order, named once, and at most what `left` says of it.
template <class Left>
status check_counts(const state& s, const line_counts& counts, Left left, const char* why) {
  std::map<std::uint32_t, std::int64_t> wanted;
  for (const line_count& each : counts) {
    const line* of = find_line(s, each.line_id);
    const std::string name = "line " + std::to_string(each.line_id);
    if (of == nullptr) return fail(errc::no_such_line, "the order has no " + name);
    if (each.quantity < 1) return fail(errc::invalid_quantity, name + ": a quantity is 1 or more");
    if (!wanted.try_emplace(each.line_id, each.quantity).second) {
      return fail(errc::invalid_quantity, name + " is named twice");
    }
    if (each.quantity > left(*of)) {
      return fail(errc::exceeds_left, name + " has " + std::to_string(left(*of)) + ' ' + why);
    }
  }
  return {};
}

std::int64_t to_ship(const line& of) { return of.quantity - of.shipped; }
std::int64_t to_return(const line& of) { return of.shipped - of.asked_back; }
std::int64_t to_refund(const line& of) { return of.quantity - of.refunded; }

line_counts all_unshipped(const state& s) {
  line_counts counts;
  for (const line& each : s.lines) {
    if (to_ship(each) > 0) counts.push_back({each.line_id, to_ship(each)});
  }
  return counts;
}

bool ships_the_rest(const state& s, const line_counts& counts) {
  std::int64_t left = 0;
  for (const line& each : s.lines) left += to_ship(each);
  for (const line_count& each : counts) left -= each.quantity;
  return left == 0;
}

std::uint32_t next_number(std::size_t count) { return static_cast<std::uint32_t>(count + 1); }

template <class Record>
const Record* find_record(const std::vector<Record>& records, std::uint32_t number) {
  const bool there = number >= 1 && number <= records.size();
  return there ? &records[number - 1] : nullptr;
}

event promise(const state& s, const sources& left, refund_share share, std::uint32_t for_return,
              const std::string& reason, timestamp_ms now) {
  return refund_promised{.number = next_number(s.after.refunds.size()),
                         .amount = share.amount,
                         .lines = std::move(share.lines),
                         .for_return = for_return,
                         .reason = reason,
                         .at = now,
                         .cards = split(share.amount.amount_minor, left).cards};
}

// What goes back to the buyer for units received: what was paid for them and is not given back yet,
// and no more than is left of the payment. For an order that was not paid here (an invoice) that is
// nothing.
void promise_refund(const state& s, std::uint32_t for_return, const line_counts& units,
                    timestamp_ms now, events& out) {
  refund_share share = share_of(s, units);
  const sources left = left_to_refund(s);
  share.amount.amount_minor = std::min(share.amount.amount_minor, left.sum_minor());
  if (share.amount.amount_minor <= 0 || s.after.refunds.size() >= refunds_max) return;
  out.push_back(promise(s, left, std::move(share), for_return, {}, now));
}

}  // namespace

const line* find_line(const state& s, std::uint32_t line_id) {
  const auto at = std::find_if(s.lines.begin(), s.lines.end(),
                               [&](const line& each) { return each.line_id == line_id; });
  return at == s.lines.end() ? nullptr : &*at;
}

result<events> decide_after(const state& s, const ship& what, const context& ctx) {
  if (auto staff = for_staff(ctx, "only staff ship"); !staff) return fail(std::move(staff.error()));
  if (auto fits = text_fits(what.carrier, carrier_bytes_max, "a carrier"); !fits)
    return fail(std::move(fits.error()));
  if (auto fits = text_fits(what.tracking, tracking_bytes_max, "a tracking number"); !fits)
    return fail(std::move(fits.error()));
  if (!awaits_shipping(s)) {
    return fail(errc::illegal_step,
                std::string("an order that is ") + to_string(s.status) + " is not shipped");
  }
  if (auto fits = check_counts(s, what.lines, to_ship, "left to ship"); !fits)
    return fail(std::move(fits.error()));
  if (auto room = room_for_one(s.after.shipments.size(), shipments_max, "shipments"); !room)
    return fail(std::move(room.error()));
  shipment_made made{.number = next_number(s.after.shipments.size()),
                     .carrier = what.carrier,
                     .tracking = what.tracking,
                     .lines = what.lines.empty() ? all_unshipped(s) : what.lines,
                     .at = ctx.now};
  const bool last = ships_the_rest(s, made.lines);
  events out{std::move(made)};
  if (s.status != order_status::processing)
    out.push_back(status_changed{order_status::processing, ctx.now});
  if (last) out.push_back(status_changed{order_status::shipped, ctx.now});
  return out;
}

result<events> decide_after(const state& s, const deliver& what, const context& ctx) {
  if (auto staff = for_staff(ctx, "only staff say what arrived"); !staff)
    return fail(std::move(staff.error()));
  const shipment* found = find_record(s.after.shipments, what.number);
  if (found == nullptr)
    return fail(errc::no_such_shipment, "the order has no shipment " + std::to_string(what.number));
  if (found->status == shipment_status::delivered) return events{};
  events out{shipment_delivered{what.number, ctx.now}};
  const auto under_way =
      std::count_if(s.after.shipments.begin(), s.after.shipments.end(),
                    [](const shipment& each) { return each.status == shipment_status::shipped; });
  if (s.status == order_status::shipped && under_way == 1)
    out.push_back(status_changed{order_status::delivered, ctx.now});
  return out;
}

result<events> decide_after(const state& s, const ask_return& what, const context& ctx) {
  if (what.received && !is_staff(ctx.asker.as))
    return fail(base_errc::forbidden, "only staff receive what comes back");
  if (auto fits = text_fits(what.reason, reason_bytes_max, "a reason"); !fits)
    return fail(std::move(fits.error()));
  if (what.lines.empty()) return fail(errc::no_lines, "a return names its lines");
  if (auto fits = check_counts(s, what.lines, to_return, "shipped and not returned"); !fits)
    return fail(std::move(fits.error()));
  if (auto room = room_for_one(s.after.returns.size(), returns_max, "returns"); !room)
    return fail(std::move(room.error()));
  const std::uint32_t number = next_number(s.after.returns.size());
  events out{return_asked{number, what.lines, what.reason, ctx.now}};
  if (!what.received) return out;
  out.push_back(return_received{number, what.restock, ctx.now});
  if (what.refund) promise_refund(s, number, what.lines, ctx.now, out);
  return out;
}

result<events> decide_after(const state& s, const close_return& what, const context& ctx) {
  if (auto staff = for_staff(ctx, "only staff receive what comes back"); !staff)
    return fail(std::move(staff.error()));
  if (auto fits = text_fits(what.reason, reason_bytes_max, "a reason"); !fits)
    return fail(std::move(fits.error()));
  const return_record* found = find_record(s.after.returns, what.number);
  if (found == nullptr)
    return fail(errc::no_such_return, "the order has no return " + std::to_string(what.number));
  if (found->status == what.to) return events{};
  if (found->status != return_status::requested) {
    return fail(errc::illegal_step, std::string("the return was ") + to_string(found->status));
  }
  if (what.to == return_status::refused)
    return events{return_refused{what.number, what.reason, ctx.now}};
  events out{return_received{what.number, what.restock, ctx.now}};
  if (what.refund) promise_refund(s, what.number, found->lines, ctx.now, out);
  return out;
}

result<events> decide_after(const state& s, const give_refund& what, const context& ctx) {
  if (auto staff = for_staff(ctx, "only staff refund"); !staff)
    return fail(std::move(staff.error()));
  if (auto fits = text_fits(what.reason, reason_bytes_max, "a reason"); !fits)
    return fail(std::move(fits.error()));
  if (what.amount.has_value() == !what.lines.empty())
    return fail(base_errc::malformed, "a refund names an amount or lines");
  if (what.amount && what.amount->amount_minor < 1)
    return fail(base_errc::malformed, "a refund is above nothing");
  if (auto fits = check_counts(s, what.lines, to_refund, "not refunded"); !fits)
    return fail(std::move(fits.error()));
  refund_share share = share_of(s, what.lines);
  if (what.amount) share.amount = *what.amount;
  const sources left = left_to_refund(s);
  const money most{left.sum_minor(), s.total.currency};
  const bool covered = share.amount.currency == most.currency && share.amount.amount_minor > 0 &&
                       share.amount.amount_minor <= most.amount_minor;
  if (!covered) {
    return fail(errc::over_refund, "of what was paid, " + to_decimal(most) + ' ' +
                                       std::string(most.currency.text()) + " can be refunded");
  }
  if (auto room = room_for_one(s.after.refunds.size(), refunds_max, "refunds"); !room)
    return fail(std::move(room.error()));
  return events{promise(s, left, std::move(share), 0, what.reason, ctx.now)};
}

result<events> decide_after(const state& s, const add_note& what, const context& ctx) {
  if (auto staff = for_staff(ctx, "notes are the staff's"); !staff)
    return fail(std::move(staff.error()));
  if (what.text.empty()) return fail(base_errc::malformed, "a note says something");
  if (auto fits = text_fits(what.text, note_bytes_max, "a note"); !fits)
    return fail(std::move(fits.error()));
  if (auto room = room_for_one(s.after.notes.size(), notes_max, "notes"); !room)
    return fail(std::move(room.error()));
  return events{noted{.number = next_number(s.after.notes.size()),
                      .text = what.text,
                      .as = ctx.asker.as,
                      .user = ctx.asker.user,
                      .at = ctx.now}};
}

}  // namespace omnicart::order
