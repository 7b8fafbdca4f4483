#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "actors/coupon/coupon.hpp"
#include "actors/gift_card/gift_card.hpp"
#include "tests/sim/broken_law.hpp"

namespace omnicart::sim {

// One coupon, added up again from its events: who holds it, and who has used it.
class coupon_sum {
 public:
  void add(const coupon::event& what);
  // The first law that the events so far break.
  const std::optional<broken_law>& broken() const { return broken_; }

  coupon::definition content;
  std::map<std::string, std::string> claims, uses;  // by order: its customer

 private:
  struct adder;
  void require(bool holds_true, const char* law, const std::string& what);

  std::set<std::string> ended_;  // orders that will never have it (again)
  std::optional<broken_law> broken_;
};

// One gift card, added up again from its events. In minor units.
class card_sum {
 public:
  void add(const gift_card::event& what);
  const std::optional<broken_law>& broken() const { return broken_; }
  std::int64_t balance() const;
  std::int64_t held() const;

  std::int64_t issued = 0;
  std::map<std::string, std::int64_t> holds, spent, returned;  // by order

 private:
  struct adder;
  void require(bool holds_true, const char* law, const std::string& what);

  std::set<std::string> ended_;                            // as above
  std::set<std::pair<std::string, std::string>> refunds_;  // order and key
  std::optional<broken_law> broken_;
};

}  // namespace omnicart::sim
