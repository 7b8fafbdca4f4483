#include <algorithm>
#include <map>

#include "actors/order/order_after.hpp"
#include "actors/order/order_refund.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::order {
namespace {

line& line_of(state& s, std::uint32_t line_id) {
  const auto at = std::find_if(s.lines.begin(), s.lines.end(),
                               [&](const line& each) { return each.line_id == line_id; });
  ensure(at != s.lines.end(), "an event names a line of its order");
  return *at;
}

// Adds the counts to one figure of each line.
void count(state& s, const line_counts& counts, std::int64_t line::*figure, std::int64_t sign = 1) {
  for (const line_count& each : counts) line_of(s, each.line_id).*figure += sign * each.quantity;
}

template <class Record>
Record& record_of(std::vector<Record>& records, std::uint32_t number) {
  ensure(number >= 1 && number <= records.size(), "an event names a record of its order");
  return records[number - 1];
}

template <class Record>
void append(std::vector<Record>& records, Record made) {
  ensure(made.number == records.size() + 1, "records are numbered as they are made");
  records.push_back(std::move(made));
}

std::uint32_t stock_of(const state& s, const product_id& product) {
  const auto at = std::lower_bound(
      s.stocks.begin(), s.stocks.end(), product,
      [](const stock_claim& claim, const product_id& wanted) { return claim.product < wanted; });
  ensure(at != s.stocks.end() && at->product == product, "every line's product was claimed");
  return static_cast<std::uint32_t>(at - s.stocks.begin());
}

// One debt to each stock record, however many lines of its product come back.
void owe_to_shelves(state& s, const return_record& back) {
  const auto first = s.after.to_shelve.size();
  for (const line_count& each : back.lines) {
    const std::uint32_t stock = stock_of(s, line_of(s, each.line_id).product);
    auto& all = s.after.to_shelve;
    const auto at = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(first), all.end(),
                                 [&](const shelving& owed) { return owed.stock == stock; });
    if (at == all.end()) {
      all.push_back({back.number, stock, each.quantity});
    } else {
      at->quantity += each.quantity;
    }
  }
}

// All of its parts are.
void end_if_made(refund_record& refund, timestamp_ms at) {
  const bool cards = std::all_of(refund.cards.begin(), refund.cards.end(),
                                 [](const card_share& each) { return each.made; });
  if (!cards || owes_provider(refund)) return;
  refund.status = refund_status::made;
  refund.made_at = at;
}

// No refund gives a card more than it paid.
bool cards_fit(const state& s) {
  std::map<std::string, std::int64_t> left;
  for (const promotion& each : s.promotions) {
    if (each.kind == cart::code_kind::gift_card) left.emplace(each.code, each.amount_minor);
  }
  for (const refund_record& refund : s.after.refunds) {
    std::int64_t amount = refund.amount.amount_minor;
    for (const card_share& each : refund.cards) {
      const auto card = left.find(each.code);
      const bool fits = card != left.end() && each.amount_minor >= 1 &&
                        each.amount_minor <= card->second && each.amount_minor <= amount;
      if (!fits) return false;
      card->second -= each.amount_minor;
      amount -= each.amount_minor;
    }
  }
  return true;
}

using line_table = std::map<std::uint32_t, line*>;

line_table lines_by_id(state& s) {
  line_table table;
  for (line& each : s.lines) table.emplace(each.line_id, &each);
  return table;
}

void count_records(state& s) {
  const line_table lines = lines_by_id(s);
  const auto tally = [&](const line_counts& counts, std::int64_t line::*figure) {
    for (const line_count& each : counts) lines.at(each.line_id)->*figure += each.quantity;
  };
  for (const shipment& each : s.after.shipments) tally(each.lines, &line::shipped);
  for (const return_record& each : s.after.returns) {
    if (each.status == return_status::refused) continue;
    tally(each.lines, &line::asked_back);
    if (each.status != return_status::received) continue;
    tally(each.lines, &line::returned);
    if (each.restock) tally(each.lines, &line::restocked);
  }
  for (const refund_record& each : s.after.refunds) tally(each.lines, &line::refunded);
}

bool is_fulfilled(const state& s) {
  return s.status == order_status::shipped || s.status == order_status::delivered;
}

}  // namespace

void apply_after(state& s, const shipment_made& e) {
  count(s, e.lines, &line::shipped);
  append(s.after.shipments, {.number = e.number,
                             .status = shipment_status::shipped,
                             .carrier = e.carrier,
                             .tracking = e.tracking,
                             .lines = e.lines,
                             .shipped_at = e.at,
                             .delivered_at = {}});
  if (s.after.hold == holding::held) s.after.hold = holding::to_capture;
  s.updated_at = e.at;
}

void apply_after(state& s, const shipment_delivered& e) {
  shipment& sent = record_of(s.after.shipments, e.number);
  sent.status = shipment_status::delivered;
  sent.delivered_at = e.at;
  s.updated_at = e.at;
}

void apply_after(state& s, const return_asked& e) {
  count(s, e.lines, &line::asked_back);
  append(s.after.returns, {.number = e.number,
                           .status = return_status::requested,
                           .lines = e.lines,
                           .reason = e.reason,
                           .requested_at = e.at,
                           .closed_at = {}});
  s.updated_at = e.at;
}

void apply_after(state& s, const return_received& e) {
  return_record& back = record_of(s.after.returns, e.number);
  back.status = return_status::received;
  back.restock = e.restock;
  back.closed_at = e.at;
  count(s, back.lines, &line::returned);
  if (e.restock) {
    count(s, back.lines, &line::restocked);
    owe_to_shelves(s, back);
  }
  s.updated_at = e.at;
}

void apply_after(state& s, const return_refused& e) {
  return_record& back = record_of(s.after.returns, e.number);
  back.status = return_status::refused;
  back.reason = e.reason.empty() ? back.reason : e.reason;
  back.closed_at = e.at;
  count(s, back.lines, &line::asked_back, -1);
  s.updated_at = e.at;
}

void apply_after(state& s, const refund_promised& e) {
  count(s, e.lines, &line::refunded);
  append(s.after.refunds, {.number = e.number,
                           .status = refund_status::owed,
                           .key = "refund-" + std::to_string(e.number),
                           .amount = e.amount,
                           .lines = e.lines,
                           .for_return = e.for_return,
                           .reason = e.reason,
                           .asked_at = e.at,
                           .made_at = {},
                           .cards = e.cards});
  if (e.for_return > 0) record_of(s.after.returns, e.for_return).refund = e.number;
  s.updated_at = e.at;
}

void apply_after(state& s, const part_refund_made& e) {
  refund_record& part = record_of(s.after.refunds, e.number);
  ensure(owes_provider(part), "a refund is made once");
  s.refunded.amount_minor += provider_part(part).amount_minor;
  part.provider_made = true;
  end_if_made(part, e.at);
  s.updated_at = e.at;
}

void apply_after(state& s, const card_refund_made& e) {
  refund_record& refund = record_of(s.after.refunds, e.number);
  ensure(e.card < refund.cards.size() && !refund.cards[e.card].made, "a refund is made once");
  refund.cards[e.card].made = true;
  end_if_made(refund, e.at);
  s.updated_at = e.at;
}

void apply_after(state& s, const units_shelved& e) {
  std::erase_if(s.after.to_shelve, [&](const shelving& owed) {
    return owed.of_return == e.of_return && owed.stock == e.stock;
  });
}

void apply_after(state& s, const noted& e) {
  append(s.after.notes,
         {.number = e.number, .text = e.text, .as = e.as, .user = e.user, .at = e.at});
}

void apply_after(state& s, const captured_later& e) {
  s.captured = e.amount;
  s.after.hold = holding::taken;
  s.after.captured_at = e.at;
  s.updated_at = e.at;
}

void apply_after(state& s, const capture_failed& e) {
  s.after.hold = holding::lost;
  s.after.capture_trouble = e.code;
  s.updated_at = e.at;
}

void apply_after(state& s, const capture_asked_again& e) {
  s.after.hold = holding::to_capture;
  s.updated_at = e.at;
}

void apply_after(state& s, const authorisation_voided& e) {
  s.after.hold = holding::voided;
  s.updated_at = e.at;
}

void apply_after(state& s, const stray_charge& e) {
  s.captured = e.amount;
  s.refunded.currency = e.amount.currency;
  if (!e.last4.empty()) s.last4 = e.last4;
  s.after.stray = true;
  s.after.captured_at = e.at;
  if (s.after.hold == holding::to_void) s.after.hold = holding::taken;
  s.refund_owed = true;
  s.updated_at = e.at;
}

void apply_after(state& s, const refund_told& e) {
  append(s.after.refunds, {.number = e.number,
                           .status = refund_status::made,
                           .key = e.key,
                           .amount = e.amount,
                           .lines = {},
                           .reason = "made at the provider",
                           .asked_at = e.at,
                           .made_at = e.at});
  s.refunded.amount_minor += e.amount.amount_minor;
  s.updated_at = e.at;
}

void settle_refunds(state& s, timestamp_ms at) {
  for (const refund_record& each : s.after.refunds) {
    if (owes_provider(each)) apply_after(s, part_refund_made{each.number, at});
  }
}

void fulfil(state& s, timestamp_ms at) {
  for (line& each : s.lines) each.shipped = each.quantity;
  if (s.status != order_status::delivered) return;
  for (shipment& each : s.after.shipments) {
    if (each.status == shipment_status::delivered) continue;
    each.status = shipment_status::delivered;
    each.delivered_at = at;
  }
}

bool accepted_on_invoice(const state& s) {
  return s.status == order_status::pending && s.at == step::over;
}

bool awaits_shipping(const state& s) {
  return accepted_on_invoice(s) || s.status == order_status::authorised ||
         s.status == order_status::paid || s.status == order_status::processing;
}

bool anything_shipped(const state& s) { return !s.after.shipments.empty() || is_fulfilled(s); }

bool all_shipped(const state& s) {
  return std::all_of(s.lines.begin(), s.lines.end(),
                     [](const line& each) { return each.shipped == each.quantity; });
}

bool owes_refund(const state& s) {
  return std::any_of(s.after.refunds.begin(), s.after.refunds.end(),
                     [](const refund_record& each) { return each.status == refund_status::owed; });
}

bool provider_owes_refund(const state& s) {
  return std::any_of(s.after.refunds.begin(), s.after.refunds.end(), owes_provider);
}

bool records_fit(const state& s) {
  std::map<std::uint32_t, std::int64_t> lines;
  for (const line& each : s.lines) lines.emplace(each.line_id, each.quantity);
  const auto fit = [&](const auto& records) {
    return std::all_of(records.begin(), records.end(), [&](const auto& record) {
      return std::all_of(record.lines.begin(), record.lines.end(), [&](const line_count& each) {
        const bool counted = each.quantity >= 1 && each.quantity <= limits::line_quantity_max;
        return counted && lines.contains(each.line_id);
      });
    });
  };
  const bool shelves =
      std::all_of(s.after.to_shelve.begin(), s.after.to_shelve.end(),
                  [&](const shelving& each) { return each.stock < s.stocks.size(); });
  return shelves && fit(s.after.shipments) && fit(s.after.returns) && fit(s.after.refunds) &&
         cards_fit(s);
}

void index_after(state& s) {
  for (line& each : s.lines) {
    each.shipped = each.asked_back = each.returned = each.restocked = each.refunded = 0;
  }
  count_records(s);
  if (is_fulfilled(s)) fulfil(s, s.updated_at);
}

void check_after(const state& s) {
  ensure(s.after.shipments.size() <= shipments_max && s.after.returns.size() <= returns_max &&
             s.after.refunds.size() <= refunds_max && s.after.notes.size() <= notes_max,
         "an order's records are counted");
  ensure(s.refunded.amount_minor <= s.captured.amount_minor,
         "no more is refunded than was captured");
}

void check_after_full(const state& s) {
  std::int64_t promised = 0, made = 0;
  for (const refund_record& each : s.after.refunds) {
    ensure(each.amount.amount_minor > 0 && each.amount.currency == s.total.currency,
           "a refund is above nothing and in the order's currency");
    const std::int64_t part = provider_part(each).amount_minor;
    ensure(part >= 0, "a refund is the sum of its parts");
    promised += part;
    if (each.status == refund_status::made || each.provider_made) made += part;
  }
  ensure(cards_fit(s), "no more goes back to a gift card than it paid");
  ensure(promised <= s.captured.amount_minor, "no more is promised back than was captured");
  ensure(made <= s.refunded.amount_minor, "what was refunded is counted");
  for (const line& each : s.lines) {
    ensure(each.shipped <= each.quantity, "no more is shipped than was ordered");
    ensure(each.asked_back <= each.shipped && each.returned <= each.asked_back &&
               each.restocked <= each.returned,
           "what comes back was shipped");
    ensure(each.refunded <= each.quantity, "a unit is refunded once");
  }
}

std::uint32_t newest_record(const state& s, const command& what) {
  std::size_t count = 0;
  if (std::holds_alternative<ship>(what)) count = s.after.shipments.size();
  if (std::holds_alternative<ask_return>(what)) count = s.after.returns.size();
  if (std::holds_alternative<give_refund>(what)) count = s.after.refunds.size();
  if (std::holds_alternative<add_note>(what)) count = s.after.notes.size();
  return static_cast<std::uint32_t>(count);
}

}  // namespace omnicart::order
