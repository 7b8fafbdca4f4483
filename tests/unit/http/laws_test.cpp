#include "http/laws.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "actors/coupon/coupon.hpp"
#include "actors/gift_card/gift_card.hpp"
#include "actors/order/order_codec.hpp"
#include "actors/stock/stock.hpp"
#include "tests/unit/http/manual_clock.hpp"

namespace omnicart::http {
namespace laws_test {

const currency_code gbp = *currency_code::parse("GBP");

// A shop as its records and the provider say it is, whether or not that can be.
struct books : public message_sink, public entity_directory {
  void send(envelope message) override {
    answer got;
    got.payload = payload_of(message.to);
    message.reply(std::move(got));
  }
  std::string payload_of(const entity_ref& of) const {
    if (of.kind == "order") return order::encode_reply(orders.at(of.id));
    if (of.kind == "coupon") return coupon::encode(coupons.at(of.id));
    if (of.kind == "gift_card") return gift_card::encode(cards.at(of.id));
    return stock::encode(stocks.at(of.id));
  }
  result<std::vector<std::string>> ids(std::string_view kind, std::uint16_t, std::string_view after,
                                       std::size_t) override {
    std::vector<std::string> found;
    const auto take = [&](const auto& all) {
      for (const auto& [id, view] : all) {
        if (id > after) found.push_back(id);
      }
    };
    if (kind == "order") take(orders);
    if (kind == "stock") take(stocks);
    if (kind == "coupon") take(coupons);
    if (kind == "gift_card") take(cards);
    return found;
  }
  std::uint16_t shard_count() const override { return 1; }

  law_report check() {
    const auto read = [this](const std::function<void(const law_check::ledger_entry&)>& take) -> status {
      for (const auto& entry : ledger) take(entry);
      return {};
    };
    return law_check(*this, *this, time, read, stopping).run(duration_ms{0}).value();
  }

  std::map<std::string, order::order_view> orders;
  std::map<std::string, stock::stock_view> stocks;
  std::map<std::string, coupon::coupon_view> coupons;
  std::map<std::string, gift_card::card_view> cards;
  std::vector<law_check::ledger_entry> ledger;
  trial::manual_clock time;
  std::atomic<bool> stopping{false};
};

order::order_view order_of(order::order_status status, std::int64_t quantity) {
  order::order_view view{.status = status};
  view.lines.push_back({.line_id = 1,
                        .product = product_id("tea"),
                        .name = "Tea",
                        .quantity = quantity,
                        .unit_price = {100, gbp},
                        .line_total = {100 * quantity, gbp}});
  view.total = {100 * quantity, gbp};
  view.captured = view.refunded = {0, gbp};
  return view;
}

// One order of two is paid, 150 by card and 50 by a gift card; another was declined; a session holds three, for a
// minute more. The paid one used a coupon that is there once and gave nothing.
struct sound_books : books {
  sound_books() {
    orders["paid"] = order_of(order::order_status::paid, 2);
    orders["paid"].captured = {150, gbp};
    orders["paid"].coupons = {"ONCE"};
    orders["paid"].gift_payments = {{"GIFT", {50, gbp}}};
    coupons["ONCE"].content.total_limit = 1;
    coupons["ONCE"].redeemed = 1;
    cards["GIFT"] = {.issued = {70, gbp}, .balance_minor = 20, .spent_minor = 50};
    orders["declined"] = order_of(order::order_status::declined, 1);
    stocks["tea"] = {.on_hand = 8, .reserved = 3, .available = 5, .received = 10, .sold = 2, .session_holds = 1};
    stocks["tea"].next_expiry = time.wall() + duration_ms{60'000};
    ledger.push_back({.kind = "capture", .key = "paid", .currency = "GBP", .amount = 150});
  }
};

// The names of the laws that do not hold.
std::string broken(books& shop) {
  std::string names;
  for (const auto& [name, holds] : shop.check().laws) {
    if (!holds) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

struct planted {
  const char* what;
  void (*change)(books&);
  const char* breaks;
};

// An order on its way, with its claim of one.
void begin_order(books& shop) {
  shop.orders["begun"] = order_of(order::order_status::pending, 1);
  shop.orders["begun"].owes = true;
  auto& tea = shop.stocks["tea"];
  tea.order_claims = 1;
  tea.reserved += 1;
  tea.available -= 1;
}

// One unit is on hand, three are held: two are owed, of a stock that may owe `at_most`.
void owe_two(books& shop, std::int64_t at_most) {
  auto& tea = shop.stocks["tea"];
  tea.on_hand = 1;
  tea.received = 3;
  tea.available = -2;
  tea.owed_floor = at_most;
}

const planted violations[] = {
    {"nothing", [](books&) {}, ""},
    {"an order on its way", begin_order, "no_order_in_doubt no_stray_claims"},
    {"a hold past its time",
     [](books& b) { b.time.pass(duration_ms{60'001}); },
     "no_hold_outlives_its_end"},
    {"a hold whose time is now",
     [](books& b) { b.time.pass(duration_ms{60'000}); },
     "no_hold_outlives_its_end"},
    {"a claim of an order that is over",
     [](books& b) {
       begin_order(b);
       b.orders["begun"] = order_of(order::order_status::declined, 1);
     },
     "no_hold_outlives_its_end no_stray_claims"},
    {"a second claim beside an order on its way",
     [](books& b) {
       begin_order(b);
       b.stocks["tea"].order_claims = 2;
     },
     "no_hold_outlives_its_end no_order_in_doubt no_stray_claims"},
    {"a claim of an order on its way for something else",
     [](books& b) {
       begin_order(b);
       b.orders["begun"].lines[0].product = product_id("milk");
     },
     "no_hold_outlives_its_end no_order_in_doubt no_stray_claims"},
    {"less than nothing on the shelf",
     [](books& b) { b.stocks["tea"].available = -1; },
     "no_oversell"},
    {"units sold that are not there, as the terms allowed",
     [](books& b) { owe_two(b, 2); },
     ""},
    {"more of them than the terms ever allowed",
     [](books& b) { owe_two(b, 1); },
     "no_oversell"},
    {"some of them where the terms allow none",
     [](books& b) { owe_two(b, 0); },
     "no_oversell"},
    {"more reserved than is on hand and owed",
     [](books& b) {
       owe_two(b, 2);
       b.stocks["tea"].reserved = 4;
     },
     "no_oversell"},
    {"a unit from nowhere", [](books& b) { b.stocks["tea"].received = 11; }, "stock_balance"},
    {"a sale nobody ordered",
     [](books& b) {
       b.stocks["tea"].sold = 3;
       b.stocks["tea"].received = 11;
     },
     "stock_matches_orders"},
    {"a total that is not that of the lines",
     [](books& b) {
       b.orders["paid"].lines[0].unit_price = {99, gbp};
     },
     "orders_add_up"},
    {"prices that do not add up",
     [](books& b) {
       pricing::breakdown prices{.currency = gbp, .subtotal_minor = 200, .total_minor = 200};
       prices.lines.push_back({.line_id = 1, .goods_minor = 200, .total_minor = 199});
       b.orders["paid"].prices = prices;
     },
     "orders_add_up"},
    {"a coupon used twice",
     [](books& b) { b.coupons["ONCE"].redeemed = 2; },
     "coupons_match_orders"},
    {"a coupon held by nobody", [](books& b) { b.coupons["ONCE"].held = 1; }, "coupons_match_orders"},
    {"a use without an order",
     [](books& b) { b.orders["paid"].coupons.clear(); },
     "coupons_match_orders"},
    {"a use of no coupon", [](books& b) { b.coupons.clear(); }, "coupons_match_orders"},
    {"a penny from nowhere",
     [](books& b) { b.cards["GIFT"].balance_minor = 21; },
     "gift_cards_match_orders"},
    {"a refund to a card that has it",
     [](books& b) {
       b.orders["paid"].gift_payments[0].returned_minor = 30;
       b.cards["GIFT"].balance_minor = 50;
       b.cards["GIFT"].returned_minor = 30;
     },
     ""},
    {"a refund that the card never had",
     [](books& b) { b.orders["paid"].gift_payments[0].returned_minor = 30; },
     "gift_cards_match_orders"},
    {"a refund to a card that no order made",
     [](books& b) {
       b.cards["GIFT"].balance_minor = 50;
       b.cards["GIFT"].returned_minor = 30;
     },
     "gift_cards_match_orders"},
    {"a refund to a card of more than it paid",
     [](books& b) {
       b.orders["paid"].gift_payments[0].returned_minor = 51;
       b.cards["GIFT"].balance_minor = 71;
       b.cards["GIFT"].returned_minor = 51;
     },
     "gift_cards_match_orders"},
    {"money held by nobody", [](books& b) { b.cards["GIFT"].holds = 1; }, "gift_cards_match_orders"},
    {"a card that is not there", [](books& b) { b.cards.clear(); }, "gift_cards_match_orders"},
    {"a gift that no order has",
     [](books& b) { b.orders["paid"].gift_payments.clear(); },
     "gift_cards_match_orders ledgers_agree"},
    {"a second capture",
     [](books& b) {
       b.ledger.push_back({.kind = "capture", .key = "paid", .currency = "GBP", .amount = 0});
     },
     "one_capture_per_order"},
    {"a capture of a stranger",
     [](books& b) {
       b.ledger.push_back({.kind = "capture", .key = "nobody", .currency = "GBP", .amount = 1});
     },
     "one_capture_per_order"},
    {"a stranger who has it back",
     [](books& b) {
       b.ledger.push_back({.kind = "capture", .key = "nobody", .currency = "GBP", .amount = 1});
       b.ledger.push_back({.kind = "refund", .key = "nobody", .currency = "GBP", .amount = 1});
     },
     ""},
    {"a refund the provider does not know",
     [](books& b) {
       b.orders["paid"].refunded = {50, gbp};
     },
     "ledgers_agree"},
    {"a refund that both know",
     [](books& b) {
       b.orders["paid"].refunded = {50, gbp};
       b.ledger.push_back({.kind = "refund", .key = "paid", .currency = "GBP", .amount = 50});
     },
     ""},
    {"a unit that is back for the order and not on the shelf",
     [](books& b) { b.orders["paid"].lines[0].restocked = 1; },
     "stock_matches_orders"},
    {"a unit that is back on the shelf",
     [](books& b) {
       b.orders["paid"].lines[0].restocked = 1;
       b.stocks["tea"].returned = 1;
       b.stocks["tea"].on_hand = 9;
       b.stocks["tea"].available = 6;
     },
     ""},
    {"an order shipped and not paid for",
     [](books& b) {
       b.orders["paid"].captured = {0, gbp};
       b.ledger.clear();
     },
     "ledgers_agree"},
    {"an order authorised, to be captured later",
     [](books& b) {
       b.orders["paid"].captured = {0, gbp};
       b.orders["paid"].status = order::order_status::authorised;
       b.orders["paid"].after.hold = order::holding::held;
       b.ledger.clear();
     },
     ""},
    {"a payment the provider does not know", [](books& b) { b.ledger.clear(); }, "ledgers_agree"},
};

BOOST_AUTO_TEST_SUITE(laws_suite)

BOOST_AUTO_TEST_CASE(each_planted_violation_breaks_its_law_and_no_other) {
  for (const auto& [what, change, breaks] : violations) {
    BOOST_TEST_CONTEXT(what) {
      sound_books shop;
      change(shop);
      BOOST_TEST(broken(shop) == breaks);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_law_is_broken_by_some_violation) {
  sound_books shop;
  for (const auto& [name, holds] : shop.check().laws) {
    const bool named = std::any_of(std::begin(violations), std::end(violations), [&](const planted& row) {
      return std::string(row.breaks).find(name) != std::string::npos;
    });
    BOOST_TEST(named, name);
  }
}

BOOST_AUTO_TEST_CASE(a_broken_law_says_what_was_found) {
  sound_books shop;
  shop.time.pass(duration_ms{60'001});
  BOOST_TEST(shop.check().detail["no_hold_outlives_its_end"].find("tea") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace laws_test
}  // namespace omnicart::http
