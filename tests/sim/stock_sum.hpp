#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "actors/stock/stock.hpp"
#include "tests/sim/broken_law.hpp"

namespace omnicart::sim {

// What a broken law of a stock record is called.
namespace stock_law {
inline constexpr const char* sound = "stock records are sound";
inline constexpr const char* no_oversell = "no oversell";
inline constexpr const char* by_terms = "no more is sold ahead than the terms allow";
inline constexpr const char* by_customer = "no customer has more than the limit";
inline constexpr const char* by_location = "units by location add up";
inline constexpr const char* once = "a transfer ends once";
inline constexpr const char* adds_up = "stock adds up";
}  // namespace stock_law

// One stock record, added up again from its events by arithmetic of its own. Constant time per
// event, but for a sale, which looks at every location.
class stock_sum {
 public:
  struct hold {
    std::int64_t quantity;
    timestamp_ms expires_at;
  };

  // What the shop knows of a claim's order; the argument is the order's id.
  struct order_facts {
    std::string customer;  // whom a limit counts; empty: nobody
  };
  using orders_fn = std::function<order_facts(const std::string&)>;
  explicit stock_sum(orders_fn orders) : orders_(std::move(orders)) {}

  // The first law that the events so far break.
  const std::optional<broken_law>& broken() const { return broken_; }
  void add(const stock::event& what);

  std::int64_t available() const { return on_hand - reserved; }
  std::int64_t at_no_location() const { return on_hand - placed - in_transfer; }
  // The difference to what the record says of itself; empty: none.
  std::string difference(const stock::stock_view& shown) const;
  std::string difference(const stock::state& kept) const;
  // The id of the order that an order's claim is named after.
  static std::string order_of(const std::string& claim) { return claim.substr(0, claim.find('.')); }

  std::int64_t on_hand = 0, put_in = 0, sold = 0, returned = 0, reserved = 0;
  std::int64_t may_owe = 0;  // the most that terms ever allowed
  std::int64_t placed = 0, in_transfer = 0;
  stock::terms promised;
  std::map<std::string, hold> holds;
  std::map<std::string, std::int64_t> claims, sales, places;
  std::map<std::string, std::int64_t> back;               // of sales, by claim
  std::map<std::string, std::int64_t> short_of;           // of every claim ever
  std::map<std::string, stock::transfer_sent> transfers;  // under way
  std::map<std::string, std::int64_t> arrived;            // of those that were received
  std::set<std::string> recalled;

 private:
  struct adder;
  void require(bool holds_true, const char* law, const std::string& what);
  void end_hold(const std::string& id);
  void put(const std::string& location, std::int64_t units);
  std::optional<stock::transfer_sent> end_transfer(const std::string& id);
  void check_drawn(const stock::settled& sale, std::int64_t units);
  void count_claim(const std::string& claim, std::int64_t units);
  void uncount_claim(const std::string& claim, std::int64_t units);

  orders_fn orders_;
  std::set<std::string> returns_, ended_, sent_;
  std::map<std::string, std::int64_t> counted_;           // units by customer, under a limit
  std::map<std::string, std::string> customer_of_claim_;  // of those that count
  std::string just_received_;  // the event before was the end of this transfer
  std::int64_t may_be_lost_ = 0;
  std::optional<broken_law> broken_;
};

}  // namespace omnicart::sim
