#include "tools/backup/ledger_comparison.hpp"

namespace omnicart::backup {

void ledger_comparison::add(const order_id& id, const order::state& what) {
  known_order known{.at = payment_state::to_come, .amount_minor = what.total.amount_minor};
  if (what.captured.amount_minor > 0) {
    known.at = what.refund_owed || what.refunded.amount_minor > 0 ? payment_state::refunding
                                                                  : payment_state::captured;
    known.amount_minor = what.captured.amount_minor;
  } else if (what.at == order::step::charging || what.at == order::step::voiding) {
    known.at = payment_state::asked;
  } else if (what.at == order::step::over) {
    known.at = payment_state::ended;
  }
  orders_[id.str()] = known;
}

void ledger_comparison::take(const ledger_entry& entry) {
  if (entry.kind == "capture") take_capture(entry);
  if (entry.kind == "refund") take_refund(entry);
}

void ledger_comparison::take_capture(const ledger_entry& entry) {
  const auto found = orders_.find(entry.order);
  if (found == orders_.end()) return unknown_.push_back({entry, "the cut has no such order"});
  const auto& [at, amount_minor] = found->second;
  switch (at) {
    case payment_state::to_come:
      return unknown_.push_back(
          {entry, "the order had not asked for it yet; it may ask again, or end otherwise"});
    case payment_state::ended:
      return unknown_.push_back({entry, "the order had ended without it"});
    case payment_state::asked:
    case payment_state::captured:
    case payment_state::refunding:
      break;
  }
  if (entry.amount_minor != amount_minor)
    return unknown_.push_back({entry, "the order knows of another amount"});
  ++(at == payment_state::asked ? awaited_ : known_);
}

void ledger_comparison::take_refund(const ledger_entry& entry) {
  const auto found = orders_.find(entry.order);
  if (found == orders_.end()) return unknown_.push_back({entry, "the cut has no such order"});
  if (found->second.at != payment_state::refunding) {
    return unknown_.push_back({entry, "the order was not cancelled yet: cancel it again"});
  }
  ++known_;
}

}  // namespace omnicart::backup
