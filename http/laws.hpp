#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "http/entity_walk.hpp"
#include "runtime/base/time.hpp"
#include "runtime/clock.hpp"
#include "runtime/entity_directory.hpp"
#include "runtime/message.hpp"

namespace omnicart::http {

// What must be true of a whole shop whenever no order is in flight:
//
//   no_order_in_doubt         every order has ended, or is paid, and owes nothing any more
//   no_oversell               per product no more is owed than its terms ever allowed (without terms: nothing is), and
//                             on_hand = available + reserved
//   stock_balance             per product received + adjusted = on_hand + sold - returned
//   stock_matches_orders      per product the units sold and not returned are those of the orders that stand, less
//                             what they say is back on the shelf
//   no_stray_claims           no stock is claimed by an order that is over
//   no_hold_outlives_its_end  no session's hold is past its expiry, and no product has more claims than there are
//                             orders on their way that want it
//   orders_add_up             every order's lines, with discounts, shipping and tax, make its total
//   coupons_match_orders      no coupon was used more often than it may be, nor by others than the orders that stand;
//                             only orders on their way hold one
//   gift_cards_match_orders   what cards spent and have not back is what orders that stand were paid less their
//                             refunds; no card gave more than was on it or got back more than it paid
//   one_capture_per_order     the provider captured at most once per order, and for no stranger who has it not back
//   ledgers_agree             per order and in all: captured and refunded, here and at the provider; what stands is paid
struct law_report {
  std::map<std::string, bool> laws;
  std::map<std::string, std::string> detail;  // of the broken ones: the first few findings
  std::uint64_t products = 0;
  std::uint64_t orders = 0;       // that stand: paid, or accepted against invoice, and not cancelled
  std::uint64_t order_lines = 0;
  std::int64_t units = 0;
  std::map<std::string, std::int64_t> gross, captured, refunded;  // minor units by currency
  std::map<std::string, std::uint64_t> orders_by_status;

  bool all_hold() const;
  std::string json() const;
};

// Reads every stock record and order through its actor, and the provider's ledger, and compares. One check at a time;
// blocks the caller (an operator's thread) for as long as the shop is large, in steps of 256 records.
class law_check {
 public:
  // The provider's ledger from its first entry: calls back per entry. Fault: unavailable.
  struct ledger_entry {
    std::string kind, key, currency;
    std::int64_t amount = 0;
  };
  using ledger_reader = std::function<status(const std::function<void(const ledger_entry&)>&)>;

  // `stopping` outlives the check; once true, nothing is waited for any more.
  law_check(message_sink& entities, entity_directory& all, const clock& time, ledger_reader ledger,
            const std::atomic<bool>& stopping)
      : entities_(entities), all_(all), time_(time), ledger_(std::move(ledger)), stopping_(stopping) {}

  // Waits at most `patience` for orders in flight to end, then checks. Faults: what kept it from reading.
  result<law_report> run(duration_ms patience);

 private:
  struct paid_amounts {
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    std::uint64_t captures = 0;
    std::string currency;
  };
  struct gathered {
    std::map<std::string, std::int64_t> units;           // by product, of orders that stand
    std::map<std::string, paid_amounts> orders, ledger;  // by order id
    std::vector<std::string> open;                       // orders in flight
    std::map<std::string, std::uint64_t> wanted_by;      // by product, how many of those have it in a line
    std::map<std::string, std::uint64_t> coupon_uses;    // by code, of orders that stand
    std::map<std::string, std::int64_t> card_payments;   // the same, in minor units, less what was refunded
    std::map<std::string, std::vector<std::string>> found;  // by law
  };

  status each(const char* kind, const std::string& get, const entity_walk::taker& take);
  status wait_for_orders(duration_ms until, std::vector<std::string>& open);
  status take_order(const std::string& id, const answer& got, gathered& into, law_report& report) const;
  status take_stock(const std::string& id, const answer& got, timestamp_ms asked_at, gathered& into, law_report& report) const;
  // promotion_laws.cpp
  static void take_promotions(const order::order_view& view, gathered& into);
  status check_promotions(gathered& with);
  static void check_holds(const std::string& id, const stock::stock_view& view, timestamp_ms asked_at, gathered& into);
  static void compare_ledgers(gathered& with);

  message_sink& entities_;
  entity_directory& all_;
  const clock& time_;
  ledger_reader ledger_;
  const std::atomic<bool>& stopping_;
};

}  // namespace omnicart::http
