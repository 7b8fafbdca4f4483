#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/order/order_kind.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::sim {

// Of an order in this state goods have left, or will.
bool sells(order::order_status status);
// What an order that was told as `from` may be told as later.
bool may_become(order::order_status from, order::order_status to);

template <class Lines>
std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> sorted_lines(const Lines& lines) {
  std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> all;
  for (const auto& l : lines)
    all.emplace_back(l.product.str(), l.unit_price.amount_minor, l.quantity);
  std::sort(all.begin(), all.end());
  return all;
}

// Whom a limit per customer counts, by what the order says; empty: nobody.
std::string customer_of(const order::state& order);

// What products cost, and since when.
class price_book {
 public:
  void add(const std::string& product, timestamp_ms since, std::int64_t minor) {
    prices_[product].emplace_back(since, minor);
  }
  // Each line has a price that its product had while the order was priced, and the total is their
  // sum, or what coupons and the shop's terms make of it. Says what is wrong; empty: nothing.
  std::string fault_of(const order::state& order, timestamp_ms priced_at) const;

 private:
  std::map<std::string, std::vector<std::pair<timestamp_ms, std::int64_t>>> prices_;
};

}  // namespace omnicart::sim
