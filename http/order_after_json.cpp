#include "http/order_after_json.hpp"

#include <algorithm>

#include "http/shop.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

using order::order_view;

void write_time(json_writer& json, std::string_view name, timestamp_ms at) {
  if (at != timestamp_ms{}) json.member(name, to_rfc3339(at));
}

// The part of a refund that goes to gift cards; the rest goes to the provider.
std::int64_t to_cards_minor(const order::refund_record& of) {
  std::int64_t sum = 0;
  for (const auto& each : of.cards) sum += each.amount_minor;
  return sum;
}

void write_card_total(json_writer& json, const order::refund_record& of) {
  const money sum{to_cards_minor(of), of.amount.currency};
  if (sum.amount_minor > 0) json.money_member("gift_card_total", sum);
}

void write_card_shares(json_writer& json, const order::refund_record& of) {
  if (of.cards.empty()) return;
  json.key("gift_cards").begin_array();
  for (const auto& each : of.cards) {
    json.begin_object().member("code", each.code);
    json.member("status", to_string(each.made ? order::refund_status::made : order::refund_status::owed));
    json.money_member("amount", {each.amount_minor, of.amount.currency});
    json.end_object();
  }
  json.end_array();
  write_card_total(json, of);
}

void write_lines(json_writer& json, const order::line_counts& lines) {
  json.key("lines").begin_array();
  for (const auto& each : lines) {
    json.begin_object().member("line_id", each.line_id).member("quantity", each.quantity).end_object();
  }
  json.end_array();
}

void write_members(json_writer& json, const order_view&, const order::shipment& each) {
  json.member("number", each.number).member("status", to_string(each.status));
  json.text_member("carrier", each.carrier);
  json.text_member("tracking", each.tracking);
  write_lines(json, each.lines);
  write_time(json, "shipped_at", each.shipped_at);
  write_time(json, "delivered_at", each.delivered_at);
}

void write_members(json_writer& json, const order_view& view, const order::return_record& each) {
  json.member("number", each.number).member("status", to_string(each.status));
  write_lines(json, each.lines);
  json.text_member("reason", each.reason);
  if (each.status == order::return_status::received) json.member("restocked", each.restock);
  if (each.refund > 0 && each.refund <= view.after.refunds.size()) {
    const auto& refund = view.after.refunds[each.refund - 1];
    json.key("refund").begin_object().member("number", refund.number).member("status", to_string(refund.status));
    json.money_member("amount", refund.amount);
    write_card_total(json, refund);
    json.end_object();
  }
  write_time(json, "requested_at", each.requested_at);
  write_time(json, "closed_at", each.closed_at);
}

void write_members(json_writer& json, const order_view&, const order::refund_record& each) {
  json.member("number", each.number).member("status", to_string(each.status));
  json.money_member("amount", each.amount);
  write_card_shares(json, each);
  if (!each.lines.empty()) write_lines(json, each.lines);
  if (each.for_return > 0) json.member("return", each.for_return);
  json.text_member("reason", each.reason);
  write_time(json, "asked_at", each.asked_at);
  write_time(json, "made_at", each.made_at);
}

void write_members(json_writer& json, const order_view&, const order::note_record& each) {
  json.member("number", each.number).member("text", each.text);
  json.key("by").begin_object().member("role", role_name(each.as));
  json.text_member("user_id", each.user);
  json.end_object();
  write_time(json, "at", each.at);
}

template <class Record>
void write_list(json_writer& json, const order_view& view, std::string_view name,
                const std::vector<Record>& records) {
  if (records.empty()) return;
  json.key(name).begin_array();
  for (const auto& each : records) {
    json.begin_object();
    write_members(json, view, each);
    json.end_object();
  }
  json.end_array();
}

template <class Record>
std::string record_json(const std::string& order_id, const order_view& view,
                        const std::vector<Record>& records, std::uint32_t number) {
  std::string body;
  json_writer json(body);
  json.begin_object().member("order_id", order_id).member("order_status", to_string(view.status));
  if (number >= 1 && number <= records.size()) write_members(json, view, records[number - 1]);
  json.end_object();
  return body;
}

const char* fulfilment(const order_view& view) {
  if (view.status == order::order_status::delivered) return "delivered";
  const auto& lines = view.lines;
  const bool all = std::all_of(lines.begin(), lines.end(), [](const auto& l) { return l.shipped == l.quantity; });
  if (all) return "shipped";
  const bool any = std::any_of(lines.begin(), lines.end(), [](const auto& l) { return l.shipped > 0; });
  return any ? "partly_shipped" : "unshipped";
}

bool was_accepted(const order_view& view) {
  switch (view.status) {
    case order::order_status::authorised:
    case order::order_status::paid:
    case order::order_status::processing:
    case order::order_status::shipped:
    case order::order_status::delivered: return true;
    case order::order_status::pending:
    case order::order_status::rejected:
    case order::order_status::declined:
    case order::order_status::cancelled: return false;
  }
  return false;
}

struct ledger_line {
  const char* kind;
  const char* status;
  money amount;
  std::string key;
  timestamp_ms at;
  std::uint32_t number;
  std::string card = {};  // code of a gift card
};

void write(json_writer& json, const ledger_line& line) {
  json.begin_object().member("kind", line.kind).member("status", line.status);
  json.money_member("amount", line.amount);
  json.member("key", line.key);
  if (line.number > 0) json.member("refund", line.number);
  json.text_member("gift_card", line.card);
  write_time(json, "at", line.at);
  json.end_object();
}

// What the provider is asked for: what gift cards do not pay. They stay with an order that was authorised, whatever
// becomes of it.
money authorised_of(const order_view& view) {
  money left = view.total;
  for (const auto& each : view.gift_payments) left.amount_minor -= each.amount.amount_minor;
  return left;
}

// A void that the provider answered is not known by its time.
void write_authorisation(json_writer& json, const std::string& order_id, const order_view& view) {
  const order::holding hold = view.after.hold;
  if (hold == order::holding::none) return;
  const money held = authorised_of(view);
  write(json, {"authorisation", to_string(hold), held, order_id, view.after.authorised_at, 0});
  if (hold != order::holding::to_void && hold != order::holding::voided) return;
  write(json, {"void", hold == order::holding::voided ? "made" : "owed", held, order_id, timestamp_ms{}, 0});
}

const char* gift_status(const order_view& view, const order::gift_payment& paid) {
  if (view.status == order::order_status::cancelled)
    return paid.returned_minor == paid.amount.amount_minor ? "returned" : "to_return";
  const bool stands = was_accepted(view) || (view.status == order::order_status::pending && !view.owes);
  return stands ? "taken" : "held";
}

void write_gift_payments(json_writer& json, const std::string& order_id, const order_view& view) {
  const timestamp_ms at = view.after.hold == order::holding::none ? view.after.captured_at : view.after.authorised_at;
  for (const auto& each : view.gift_payments) {
    write(json, {"gift_card", gift_status(view, each), each.amount, order_id, at, 0, each.code});
  }
}

void write_refund(json_writer& json, const order::refund_record& each) {
  const auto status_of = [&](bool part_made) {
    const bool made = part_made || each.status == order::refund_status::made;
    return to_string(made ? order::refund_status::made : order::refund_status::owed);
  };
  const money provider{each.amount.amount_minor - to_cards_minor(each), each.amount.currency};
  if (provider.amount_minor > 0) {
    write(json, {"refund", status_of(each.provider_made), provider, each.key, each.made_at, each.number});
  }
  for (const auto& part : each.cards) {
    write(json, {"gift_card_refund", status_of(part.made), {part.amount_minor, each.amount.currency}, each.key,
                 each.made_at, each.number, part.code});
  }
}

// What a cancelled order's gift cards are given back besides its refunds.
void write_card_cancellation(json_writer& json, const order_view& view) {
  if (view.status != order::order_status::cancelled) return;
  for (const auto& paid : view.gift_payments) {
    money rest = paid.amount;
    std::int64_t by_refunds = 0;
    for (const auto& refund : view.after.refunds) {
      for (const auto& part : refund.cards) {
        if (part.code != paid.code) continue;
        rest.amount_minor -= part.amount_minor;
        if (part.made) by_refunds += part.amount_minor;
      }
    }
    if (rest.amount_minor <= 0) continue;
    const bool made = paid.returned_minor == by_refunds + rest.amount_minor;
    write(json, {"gift_card_refund", made ? "made" : "owed", rest, "cancel", made ? view.updated_at : timestamp_ms{}, 0,
                 paid.code});
  }
}

// A cancellation gives back what no refund did.
void write_cancellation(json_writer& json, const order_view& view) {
  write_card_cancellation(json, view);
  const bool goes_back = view.status == order::order_status::cancelled || view.after.stray;
  if (!goes_back || view.captured.amount_minor == 0) return;
  money rest = view.captured;
  for (const auto& each : view.after.refunds) rest.amount_minor -= each.amount.amount_minor - to_cards_minor(each);
  if (rest.amount_minor <= 0) return;
  const bool made = view.refunded == view.captured;
  write(json, {"refund", made ? "made" : "owed", rest, "cancel", made ? view.updated_at : timestamp_ms{}, 0});
}

}  // namespace

void write_aftermath(json_writer& json, const order_view& view) {
  if (was_accepted(view)) json.member("fulfilment", fulfilment(view));
  write_list(json, view, "shipments", view.after.shipments);
  write_list(json, view, "returns", view.after.returns);
  write_list(json, view, "refunds", view.after.refunds);
}

std::string shipment_json(const std::string& order_id, const order_view& view, std::uint32_t number) {
  return record_json(order_id, view, view.after.shipments, number);
}
std::string return_json(const std::string& order_id, const order_view& view, std::uint32_t number) {
  return record_json(order_id, view, view.after.returns, number);
}
std::string refund_json(const std::string& order_id, const order_view& view, std::uint32_t number) {
  return record_json(order_id, view, view.after.refunds, number);
}
std::string note_json(const std::string& order_id, const order_view& view, std::uint32_t number) {
  return record_json(order_id, view, view.after.notes, number);
}

std::string notes_json(const order_view& view) {
  std::string body;
  json_writer json(body);
  json.begin_object();
  if (view.after.notes.empty()) json.key("items").begin_array().end_array();
  write_list(json, view, "items", view.after.notes);
  json.end_object();
  return body;
}

std::string payments_json(const std::string& order_id, const order_view& view) {
  std::string body;
  json_writer json(body);
  json.begin_object().member("order_id", order_id).member("method", to_string(view.method));
  json.money_member("captured", view.captured);
  json.money_member("refunded", view.refunded);
  money by_cards{0, view.total.currency}, back{0, view.total.currency};
  for (const auto& each : view.gift_payments) {
    by_cards.amount_minor += each.amount.amount_minor;
    back.amount_minor += each.returned_minor;
  }
  if (by_cards.amount_minor > 0) {
    json.money_member("gift_card_total", by_cards);
    json.money_member("gift_card_refunded", back);
  }
  json.key("items").begin_array();
  write_gift_payments(json, order_id, view);
  write_authorisation(json, order_id, view);
  if (view.captured.amount_minor > 0) {
    write(json, {"capture", "made", view.captured, order_id, view.after.captured_at, 0});
  }
  for (const auto& each : view.after.refunds) write_refund(json, each);
  write_cancellation(json, view);
  json.end_array().end_object();
  return body;
}

}  // namespace omnicart::http
