#include <boost/test/unit_test.hpp>

#include "actors/order/order_codec.hpp"
#include "persistence/key_layout.hpp"
#include "tests/unit/persistence/store_fixture.hpp"
#include "tools/backup/ledger_comparison.hpp"
#include "tools/backup/shop_books.hpp"

namespace omnicart::backup {
namespace books_test {

using persistence::family;

const currency_code gbp = *currency_code::parse("GBP");

money pence(std::int64_t amount) { return {amount, gbp}; }

order::place content(const std::string& id) {
  order::place what;
  what.id = order_id{id};
  what.payment.type = payment::method_type::card;
  return what;
}

order::events until_charging(const std::string& id) {
  return {order::placed{content(id), {}},
          order::cart_taken{{{.line_id = 1,
                              .product = product_id{"p"},
                              .name = "P",
                              .quantity = 2,
                              .unit_price = pence(250)}}},
          order::totalled{pence(500)}, order::stock_claimed{0}, order::payment_began{}};
}

order::events plus(order::events before, order::events more) {
  before.insert(before.end(), more.begin(), more.end());
  return before;
}

order::state state_after(const order::events& all) {
  order::state s;
  for (const auto& each : all) order::apply(s, each);
  return s;
}

struct books {
  shop_books sums;
  void put(const entity_ref& entity, std::vector<std::string> events) {
    const auto prefix = persistence::entity_prefix(0, entity);
    std::uint64_t version = 0;
    for (auto& event : events) {
      const auto record = persistence::encode(persistence::event_at({}, std::move(event)));
      BOOST_TEST(
          sums.take(family::events, persistence::event_key(prefix, ++version), record).has_value());
    }
    const auto marker = persistence::event_key(prefix, persistence::timer_marker_version);
    BOOST_TEST(sums.take(family::events, marker, persistence::encode_time({})).has_value());
  }
  void put(const std::string& id, const order::events& all) {
    std::vector<std::string> events;
    for (const auto& each : all) events.push_back(order::encode_event(each));
    put({"order", id}, std::move(events));
  }
};

BOOST_FIXTURE_TEST_SUITE(backup_books, books)

BOOST_AUTO_TEST_CASE(orders_and_stock_are_added_up_from_their_histories) {
  put({"cart", "c"}, {"whatever a cart says"});
  put("a", until_charging("a"));
  put("b", plus(until_charging("b"), {order::paid{pence(500), "4242", {}}, order::stock_settled{0},
                                      order::cart_released{}}));
  put({"stock", "p"},
      {stock::encode_event(stock::counted{.on_hand = 10, .reason = "", .by = {}, .at = {}}),
       stock::encode_event(
           stock::claimed{.order = order_id{"a"}, .quantity = 2, .taken = {}, .at = {}})});
  const auto& got = sums.totals();
  BOOST_TEST(got.orders == 2u);
  BOOST_TEST(got.in_flight == 1u);
  BOOST_TEST(got.captures == 1u);
  BOOST_TEST(got.captured.at("GBP") == 500);
  BOOST_TEST(got.gross.at("GBP") == 500);
  BOOST_TEST(got.orders_by_status.at("paid") == 1u);
  BOOST_TEST(got.products == 1u);
  BOOST_TEST(got.on_hand == 10);
  BOOST_TEST(got.reserved == 2);
}

BOOST_AUTO_TEST_CASE(a_history_with_a_gap_is_no_history) {
  const auto prefix = persistence::entity_prefix(0, {"order", "a"});
  const auto record = persistence::encode(
      persistence::event_at({}, order::encode_event(order::placed{content("a"), {}})));
  const auto taken = sums.take(family::events, persistence::event_key(prefix, 2), record);
  BOOST_TEST_REQUIRE(!taken);
  BOOST_TEST(taken.error().detail.find("order/a, version 2") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(backup_ledger)

BOOST_AUTO_TEST_CASE(what_the_cut_knows_of_a_payment_follows_from_where_its_order_was) {
  const auto charging = until_charging("o");
  const auto paid = plus(charging, {order::paid{pence(500), "4242", {}}});
  order::events early = charging;
  early.resize(3);
  struct row {
    const char* name;
    std::optional<order::events> at_the_cut;
    std::string kind;
    std::int64_t amount;
    std::size_t known, awaited, unknown;
  };
  const row rows[] = {
      {"paid and captured", paid, "capture", 500, 1, 0, 0},
      {"asked, and the answer was not there yet", charging, "capture", 500, 0, 1, 0},
      {"giving up, and captured all the same", plus(charging, {order::giving_up{}}), "capture", 500,
       0, 1, 0},
      {"captured later, order not so far yet", early, "capture", 500, 0, 0, 1},
      {"captured for an order that had ended", plus(charging, {order::declined{"no", "4242", {}}}),
       "capture", 500, 0, 0, 1},
      {"captured for an order placed later", std::nullopt, "capture", 500, 0, 0, 1},
      {"another amount", paid, "capture", 400, 0, 0, 1},
      {"refunded later", paid, "refund", 500, 0, 0, 1},
      {"refund owed", plus(paid, {order::cancelled{"changed my mind", {}}}), "refund", 500, 1, 0,
       0},
      {"refund of an order placed later", std::nullopt, "refund", 500, 0, 0, 1},
      {"a void says nothing of money", std::nullopt, "void", 0, 0, 0, 0},
  };
  for (const auto& row : rows) {
    ledger_comparison compared;
    if (row.at_the_cut) compared.add(order_id{"o"}, state_after(*row.at_the_cut));
    compared.take(
        {.kind = row.kind, .order = "o", .currency = "GBP", .at = "t", .amount_minor = row.amount});
    BOOST_TEST(compared.known() == row.known, row.name);
    BOOST_TEST(compared.awaited() == row.awaited, row.name);
    BOOST_TEST(compared.unknown().size() == row.unknown, row.name);
  }
}

// What an order that had asked does where it is restored: the same question under the same key.
BOOST_AUTO_TEST_CASE(an_order_that_had_asked_asks_again_under_the_same_key_and_is_paid_once) {
  auto restored = state_after(until_charging("o"));
  const auto owed = order::pending(restored, 10);
  const auto charge = std::ranges::find_if(owed, [](const effect& e) { return e.key == "charge"; });
  BOOST_TEST_REQUIRE((charge != owed.end()));
  BOOST_TEST(charge->to.str() == "payment/o");
  BOOST_TEST(charge->command ==
             order::pending(state_after(until_charging("o")), 10).front().command);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace books_test
}  // namespace omnicart::backup
