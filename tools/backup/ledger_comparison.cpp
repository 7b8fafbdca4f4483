#include "tools/backup/ledger_comparison.hpp"

#include <algorithm>

#include "actors/order/order_promotions.hpp"
#include "actors/order/order_refund.hpp"

namespace omnicart::backup {
namespace {

constexpr const char* remainder_key = "cancel";  // what goes back with a cancellation; see order_saga

}  // namespace

ledger_comparison::payment_state ledger_comparison::state_of(const order::state& what) {
  if (what.captured.amount_minor > 0) return payment_state::captured;
  switch (what.after.hold) {
    case order::holding::to_capture:
    case order::holding::to_void:
      return payment_state::asked;
    case order::holding::held:
    case order::holding::lost:
      return payment_state::to_come;
    case order::holding::none:
    case order::holding::taken:
    case order::holding::voided:
      break;
  }
  if (what.at == order::step::charging || what.at == order::step::voiding)
    return payment_state::asked;
  return what.at == order::step::over ? payment_state::ended : payment_state::to_come;
}

std::map<std::string, ledger_comparison::known_refund> ledger_comparison::refunds_of(
    const order::state& what) {
  std::map<std::string, known_refund> refunds;
  std::int64_t remainder_minor = what.captured.amount_minor;
  for (const auto& each : what.after.refunds) {
    const auto part_minor = order::provider_part(each).amount_minor;
    remainder_minor -= part_minor;
    refunds[each.key] = {.owed = order::owes_provider(each), .amount_minor = part_minor};
  }
  if (what.refund_owed || what.after.remainder_made)
    refunds[remainder_key] = {.owed = what.refund_owed, .amount_minor = remainder_minor};
  return refunds;
}

void ledger_comparison::add(const order_id& id, const order::state& what) {
  const money paid = what.captured.amount_minor > 0 ? what.captured : order::due(what);
  orders_[id.str()] = {.at = state_of(what),
                       .amount_minor = paid.amount_minor,
                       .currency = std::string(paid.currency.text()),
                       .refunds = refunds_of(what),
                       .capture_is_there = false};
}

void ledger_comparison::take(const ledger_entry& entry) {
  if (entry.kind == "capture") take_capture(entry);
  if (entry.kind == "refund") take_refund(entry);
}

void ledger_comparison::take_capture(const ledger_entry& entry) {
  const auto found = orders_.find(entry.order);
  if (found == orders_.end()) return unknown_.push_back({entry, "the cut has no such order"});
  known_order& here = found->second;
  here.capture_is_there = true;
  switch (here.at) {
    case payment_state::to_come:
      return unknown_.push_back(
          {entry, "the order had not asked for it yet; it may ask again, or end otherwise"});
    case payment_state::ended:
      return unknown_.push_back({entry, "the order had ended without it"});
    case payment_state::asked:
    case payment_state::captured:
      break;
  }
  if (entry.amount_minor != here.amount_minor)
    return unknown_.push_back({entry, "the order knows of another amount"});
  ++(here.at == payment_state::asked ? awaited_ : known_);
}

void ledger_comparison::take_refund(const ledger_entry& entry) {
  const auto found = orders_.find(entry.order);
  if (found == orders_.end()) return unknown_.push_back({entry, "the cut has no such order"});
  const known_order& here = found->second;
  const auto refund = here.refunds.find(entry.refund_key);
  if (refund != here.refunds.end()) {
    if (entry.amount_minor != refund->second.amount_minor)
      return unknown_.push_back({entry, "the order knows of another amount"});
    ++(refund->second.owed ? awaited_ : known_);
    return;
  }
  if (here.at != payment_state::captured)
    return unknown_.push_back({entry, "the order had not heard of a payment yet"});
  if (entry.refund_key == remainder_key)
    return unknown_.push_back({entry, "the order was not cancelled yet: cancel it again"});
  unknown_.push_back(
      {entry, "the order knows of no such refund: let it be told before it gives back more"});
}

std::vector<missing_capture> ledger_comparison::missing() const {
  std::vector<missing_capture> all;
  for (const auto& [id, here] : orders_) {
    if (here.at == payment_state::captured && !here.capture_is_there)
      all.push_back({.order = id, .currency = here.currency, .amount_minor = here.amount_minor});
  }
  std::ranges::sort(all, {}, &missing_capture::order);
  return all;
}

}  // namespace omnicart::backup
