#include <boost/test/unit_test.hpp>

#include "tests/sim/code_sums.hpp"
#include "tests/sim/order_sum.hpp"
#include "tests/sim/story.hpp"

// The sums of coupons, gift cards and orders see what they are there for, at the event that breaks
// it.
namespace omnicart::sim {
namespace sums_test {

constexpr timestamp_ms now{duration_ms{1'000}};
constexpr const char* fine = "none";

template <class Sum>
std::string law_of(const Sum& sum) {
  return sum.broken() ? sum.broken()->law : fine;
}

BOOST_AUTO_TEST_SUITE(simulated_sums)

coupon::event scarce() {
  return coupon::defined{.content = {.total_limit = 2, .customer_limit = 1}, .by = {}, .at = now};
}
coupon::event has(const char* order, const char* customer) {
  return coupon::claimed{order_id(order), customer, now};
}
coupon::event released(const char* order) { return coupon::released{order_id(order), now}; }
coupon::event used(const char* order) { return coupon::redeemed{order_id(order), now}; }
coupon::event back(const char* order) { return coupon::gave_back{order_id(order), "ann", now}; }

BOOST_AUTO_TEST_CASE(a_coupon_that_is_used_too_often_is_seen) {
  constexpr const char* limit = "a coupon is used no more often than it may be";
  constexpr const char* once = "an order uses a coupon once";
  struct row {
    const char* what;
    std::vector<coupon::event> events;
    const char* law;
  };
  const row rows[] = {
      {"two uses", {scarce(), has("o", "ann"), used("o"), has("p", "bob")}, fine},
      {"three", {scarce(), has("o", "ann"), used("o"), has("p", "bob"), has("q", "cat")}, limit},
      {"two by one customer", {scarce(), has("o", "ann"), used("o"), has("p", "ann")}, limit},
      {"given back", {scarce(), has("o", "ann"), used("o"), back("o"), has("p", "ann")}, fine},
      {"released", {scarce(), has("o", "ann"), released("o"), has("p", "ann")}, fine},
      {"claimed twice", {scarce(), has("o", "ann"), has("o", "bob")}, once},
      {"claimed after it was given up", {scarce(), released("o"), has("o", "ann")}, once},
      {"used without a claim", {scarce(), used("o")}, once},
      {"used twice", {scarce(), has("o", "ann"), used("o"), used("o")}, once},
      {"given back twice", {scarce(), has("o", "ann"), used("o"), back("o"), back("o")}, once},
      {"released after its use", {scarce(), has("o", "ann"), used("o"), released("o")}, once},
  };
  for (const auto& r : rows) {
    coupon_sum sum;
    for (std::size_t i = 0; i < r.events.size(); ++i) {
      if (i + 1 == r.events.size()) BOOST_TEST(law_of(sum) == fine, r.what);
      sum.add(r.events[i]);
    }
    BOOST_TEST(law_of(sum) == r.law, r.what);
  }
}

gift_card::event of_500() {
  return gift_card::issued{.content = {.value = {500, gbp}}, .by = {}, .at = now};
}
gift_card::event hold(const char* order, std::int64_t minor) {
  return gift_card::held{order_id(order), minor, now};
}
gift_card::event release(const char* order) { return gift_card::released{order_id(order), now}; }
gift_card::event spend(const char* order) { return gift_card::spent{order_id(order), now}; }
gift_card::event give_back(const char* order, std::int64_t minor, const char* key) {
  return gift_card::gave_back{order_id(order), minor, now, key};
}

BOOST_AUTO_TEST_CASE(money_that_a_gift_card_never_had_is_seen) {
  constexpr const char* on_card = "no more is held than is on a gift card";
  constexpr const char* once = "an order is paid by a gift card once";
  constexpr const char* no_more = "no more goes back to a gift card than it paid";
  struct row {
    const char* what;
    std::vector<gift_card::event> events;
    const char* law;
    std::int64_t balance;
  };
  const row rows[] = {
      {"spent", {of_500(), hold("o", 300), spend("o"), hold("p", 200)}, fine, 200},
      {"held beyond it", {of_500(), hold("o", 300), hold("p", 201)}, on_card, 500},
      {"spent beyond it", {of_500(), hold("o", 300), spend("o"), hold("p", 201)}, on_card, 200},
      {"released", {of_500(), hold("o", 300), release("o"), hold("p", 500)}, fine, 500},
      {"held again", {of_500(), hold("o", 300), release("o"), hold("o", 1)}, once, 500},
      {"spent twice", {of_500(), hold("o", 300), spend("o"), spend("o")}, once, 200},
      {"released after all", {of_500(), hold("o", 300), spend("o"), release("o")}, once, 200},
      {"two parts", {of_500(), hold("o", 300), spend("o"), give_back("o", 100, "refund-1"),
                     give_back("o", 200, "")}, fine, 500},
      {"too much", {of_500(), hold("o", 300), spend("o"), give_back("o", 100, "refund-1"),
                    give_back("o", 201, "")}, no_more, 501},
      {"the same refund twice", {of_500(), hold("o", 300), spend("o"),
                                 give_back("o", 100, "refund-1"),
                                 give_back("o", 100, "refund-1")}, no_more, 400},
      {"of what is only held", {of_500(), hold("o", 300), give_back("o", 1, "")}, no_more, 501},
  };
  for (const auto& r : rows) {
    card_sum sum;
    for (std::size_t i = 0; i < r.events.size(); ++i) {
      if (i + 1 == r.events.size()) BOOST_TEST(law_of(sum) == fine, r.what);
      sum.add(r.events[i]);
    }
    BOOST_TEST(law_of(sum) == r.law, r.what);
    BOOST_TEST(sum.balance() == r.balance, r.what);
  }
}

// --- orders ------------------------------------------------------------------------------------

// Three lamps, paid with 300: 100 by a gift card, 200 by the provider.
order::state three_lamps() {
  order::state now;
  now.lines.push_back({.line_id = 1, .product = product_id("lamp"), .quantity = 3});
  now.promotions.push_back({.kind = cart::code_kind::gift_card, .code = "GIFT"});
  return now;
}
order::event card_held() { return order::promotion_held{.promotion = 0, .amount_minor = 100}; }
order::event paid() { return order::paid{.captured = {200, gbp}, .at = now}; }
order::event ships(std::int64_t units) { return order::shipment_made{.number = 1, .lines = {{1, units}}, .at = now}; }
order::event asks(std::uint32_t number, std::int64_t units) {
  return order::return_asked{.number = number, .lines = {{1, units}}, .at = now};
}
order::event receives(std::uint32_t number) { return order::return_received{number, true, now}; }
order::event refuses(std::uint32_t number) { return order::return_refused{number, "", now}; }
order::event refunds(std::uint32_t number, std::int64_t minor, std::int64_t by_card = 0) {
  order::refund_promised made{.number = number, .amount = {minor, gbp}, .at = now};
  if (by_card > 0) made.cards.push_back({.code = "GIFT", .amount_minor = by_card});
  return made;
}
order::event refunds_unit(std::uint32_t number) {
  return order::refund_promised{.number = number, .amount = {1, gbp}, .lines = {{1, 2}}, .at = now};
}
order::event told(std::int64_t minor) {
  return order::refund_told{.number = 1, .key = "desk-1", .amount = {minor, gbp}, .at = now};
}
order::event made(std::uint32_t number) { return order::part_refund_made{number, now}; }
order::event made_to_card(std::uint32_t number) { return order::card_refund_made{number, 0, now}; }

BOOST_AUTO_TEST_CASE(units_and_money_that_an_order_never_had_are_seen) {
  constexpr const char* shipped = "no more is shipped than was ordered";
  constexpr const char* returned = "no more comes back than was shipped";
  constexpr const char* one_end = "a return ends once";
  constexpr const char* unit_once = "a unit is refunded once";
  constexpr const char* no_more = "no more is refunded than was paid";
  constexpr const char* once = "a refund is made once";
  struct row {
    const char* what;
    std::vector<order::event> events;
    const char* law;
  };
  const row rows[] = {
      {"all of it", {ships(2), ships(1), asks(1, 3), receives(1)}, fine},
      {"one lamp too many", {ships(2), ships(2)}, shipped},
      {"back before it left", {ships(1), asks(1, 2)}, returned},
      {"asked for twice", {ships(2), asks(1, 1), asks(2, 2)}, returned},
      {"refused, and asked for again", {ships(2), asks(1, 2), refuses(1), asks(2, 2)}, fine},
      {"received twice", {ships(2), asks(1, 1), receives(1), receives(1)}, one_end},
      {"received and refused", {ships(2), asks(1, 1), receives(1), refuses(1)}, one_end},
      {"what it was paid with", {card_held(), paid(), refunds(1, 300, 100), made(1),
                                 made_to_card(1)}, fine},
      {"by the provider, too much", {card_held(), paid(), refunds(1, 201)}, no_more},
      {"together too much", {card_held(), paid(), refunds(1, 150), told(51)}, no_more},
      {"to the card, too much", {card_held(), paid(), refunds(1, 60, 60), refunds(2, 41, 41)},
       no_more},
      {"to a card that paid nothing", {paid(), refunds(1, 60, 60)}, no_more},
      {"promised twice", {paid(), refunds(1, 1), refunds(1, 1)}, once},
      {"made twice", {paid(), refunds(1, 1), made(1), made(1)}, once},
      {"made to the card twice", {card_held(), paid(), refunds(1, 9, 9), made_to_card(1),
                                  made_to_card(1)}, once},
      {"told twice", {paid(), told(1), told(1)}, once},
      {"units twice", {paid(), refunds_unit(1), refunds_unit(2)}, unit_once},
  };
  const auto order = three_lamps();
  for (const auto& r : rows) {
    order_sum sum;
    for (std::size_t i = 0; i < r.events.size(); ++i) {
      if (i + 1 == r.events.size()) BOOST_TEST(law_of(sum) == fine, r.what);
      sum.add(r.events[i], order);
    }
    BOOST_TEST(law_of(sum) == r.law, r.what);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sums_test
}  // namespace omnicart::sim
