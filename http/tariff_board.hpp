#pragma once

#include <utility>

#include <memory>
#include <mutex>

#include "actors/tariff/tariff_messages.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// The shop's taxes and shipping as this node knows them: asked of their record at most once a
// second, so that carts and checkouts do not all wait for one entity. A change is in force on the
// node that took it at once, and on every other within `freshness`. Thread-safe.
class tariff_board {
 public:
  static constexpr duration_ms freshness{1'000};
  // How much longer what is known serves while the record gives no answer.
  static constexpr duration_ms stale_max{60'000};
  using view = std::shared_ptr<const tariff::tariff_view>;

  // `in` outlives the board.
  explicit tariff_board(const shop& in) : shop_(in) {}

  // Never null. Faults: those of asking the record.
  task<result<view>> current();
  void post(tariff::tariff_view set);

 private:
  struct notice {
    tariff::tariff_view set;
    duration_ms good_until{0};  // monotonic
  };

  std::shared_ptr<const notice> posted() const;

  const shop& shop_;
  mutable std::mutex lock_;  // of posted_, held for a copy
  std::shared_ptr<const notice> posted_;
};

}  // namespace omnicart::http
