#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/order/order.hpp"
#include "tests/sim/broken_law.hpp"

namespace omnicart::sim {

// What becomes of one order once it stands, added up again from its events: units of each line that
// go out and come back, and money, by what it was paid with. In minor units.
class order_sum {
 public:
  struct refund {
    std::int64_t provider = 0;
    std::map<std::string, std::int64_t> cards;  // by code
    bool told = false;                          // made by the provider's own people
  };

  // `now`: the order after the event; lines and codes are looked up there.
  void add(const order::event& what, const order::state& now);
  // The first law that the events so far break.
  const std::optional<broken_law>& broken() const { return broken_; }

  std::int64_t given() const;              // by gift cards
  std::int64_t promised() const;           // by the provider, in refunds
  std::int64_t promised(const std::string& card) const;

  std::int64_t captured = 0;
  std::map<std::string, std::int64_t> cards;    // what each gift card gave
  std::map<std::string, refund> refunds;        // by key
  std::map<std::string, std::int64_t> shelved;  // units by product that came back for the shelf

 private:
  struct adder;
  struct units {
    std::int64_t shipped = 0, asked_back = 0, refunded = 0;
  };
  void require(bool holds_true, const char* law, const std::string& what);
  void check_paid();

  std::map<std::uint32_t, units> lines_;
  std::map<std::uint32_t, order::line_counts> returns_;  // that are asked for
  std::set<std::uint32_t> refunded_returns_;
  std::set<std::string> made_;  // parts of refunds
  std::optional<broken_law> broken_;
};

}  // namespace omnicart::sim
