#include "tools/load/returns_book.hpp"

#include <algorithm>

namespace omnicart::load {
namespace {

std::string key_of(std::string_view customer, std::string_view code) {
  return std::string(customer) + '\n' + std::string(code);
}

// Takes up to `need` units from the newest lots that fit, and says what is still missing.
template <class Fits>
std::int64_t take(std::vector<returned_units>& lots, std::int64_t need, Fits fits,
                  std::vector<returned_units>& taken) {
  for (auto lot = lots.rbegin(); lot != lots.rend() && need > 0; ++lot) {
    if (lot->quantity == 0 || !fits(*lot)) continue;
    const std::int64_t units = std::min(need, lot->quantity);
    lot->quantity -= units;
    need -= units;
    taken.push_back(*lot);
    taken.back().quantity = units;
  }
  return need;
}

}  // namespace

void returns_book::sold(std::string_view customer, std::string_view code,
                        const returned_units& units) {
  if (!customer.empty()) left_[key_of(customer, code)].push_back(units);
}

bool returns_book::cancelled(std::string_view customer, std::string_view code, matched_return row,
                             std::int64_t quantity, std::int64_t unit_pence) {
  const auto found = left_.find(key_of(customer, code));
  std::int64_t left = 0;
  if (found != left_.end()) {
    for (const auto& lot : found->second) left += lot.quantity;
  }
  if (customer.empty() || left < quantity) {
    ++unmatched_rows;
    unmatched_pence += quantity * unit_pence;
    return false;
  }
  auto& sold = found->second;
  const auto own_price = [&](const returned_units& lot) { return lot.unit_pence == unit_pence; };
  const std::int64_t rest = take(sold, quantity, own_price, row.from);
  take(sold, rest, [](const returned_units&) { return true; }, row.from);
  ++matched_rows;
  matched_units += quantity;
  claimed_pence += quantity * unit_pence;
  for (const auto& units : row.from) refund_pence += units.quantity * units.unit_pence;
  const auto [at, fresh] = customer_at_.try_emplace(std::string(customer), by_customer_.size());
  if (fresh) by_customer_.emplace_back();
  by_customer_[at->second].push_back(std::move(row));
  return true;
}

}  // namespace omnicart::load
