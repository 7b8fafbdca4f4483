#include <boost/test/unit_test.hpp>

#include "actors/order/order_codec.hpp"
#include "actors/payment/payment_messages.hpp"
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

// One of several refunds, as it is promised and then made.
order::event promised(std::uint32_t number, std::int64_t amount) {
  return order::refund_promised{.number = number,
                                .amount = pence(amount),
                                .lines = {},
                                .for_return = 0,
                                .reason = "scratched",
                                .at = {},
                                .cards = {}};
}
order::event made(std::uint32_t number) {
  return order::part_refund_made{.number = number, .at = {}};
}

// The orders of a cut and then one entry of the ledger.
ledger_comparison compare(const std::optional<order::state>& at_the_cut, const ledger_entry& entry) {
  ledger_comparison compared;
  if (at_the_cut) compared.add(order_id{"o"}, *at_the_cut);
  compared.take(entry);
  return compared;
}

ledger_entry entry_of(const std::string& kind, std::int64_t amount, const std::string& key = "") {
  return {.kind = kind,
          .order = "o",
          .currency = "GBP",
          .at = "t",
          .amount_minor = amount,
          .refund_key = key};
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
  const auto held = plus(charging, {order::authorised{pence(500), "4242", {}}});
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
      {"held, and captured with a shipment later", held, "capture", 500, 0, 0, 1},
      {"held, shipped and asked for",
       plus(held, {order::status_changed{order::order_status::processing, {}},
                   order::status_changed{order::order_status::shipped, {}}}),
       "capture", 500, 0, 1, 0},
      {"a void says nothing of money", std::nullopt, "void", 0, 0, 0, 0},
  };
  for (const auto& row : rows) {
    std::optional<order::state> known;
    if (row.at_the_cut) known = state_after(*row.at_the_cut);
    const auto compared = compare(known, entry_of(row.kind, row.amount));
    BOOST_TEST(compared.known() == row.known, row.name);
    BOOST_TEST(compared.awaited() == row.awaited, row.name);
    BOOST_TEST(compared.unknown().size() == row.unknown, row.name);
  }
}

BOOST_AUTO_TEST_CASE(a_refund_is_known_by_its_key_and_amount_and_awaited_while_the_order_owes_it) {
  const auto paid = plus(until_charging("o"), {order::paid{pence(500), "4242", {}}});
  const auto cancelled = plus(paid, {order::cancelled{"changed my mind", {}}});
  const auto in_part = plus(paid, {promised(1, 200), made(1)});
  const auto owed_in_part = plus(paid, {promised(1, 200)});
  const auto rest = plus(in_part, {order::cancelled{"changed my mind", {}}});
  const std::string cancel_again = "the order was not cancelled yet: cancel it again";
  const std::string no_such = "the order knows of no such refund: let it be told before it gives back more";
  const std::string other_amount = "the order knows of another amount";
  struct row {
    const char* name;
    std::optional<order::events> at_the_cut;
    std::string key;
    std::int64_t amount;
    std::size_t known, awaited;
    std::string why;  // unknown
  };
  const row rows[] = {
      {"all of it, later", paid, "cancel", 500, 0, 0, cancel_again},
      {"all of it, owed", cancelled, "cancel", 500, 0, 1, ""},
      {"all of it, made", plus(cancelled, {order::refund_made{}}), "cancel", 500, 1, 0, ""},
      {"a part, made", in_part, "refund-1", 200, 1, 0, ""},
      {"a part, owed", owed_in_part, "refund-1", 200, 0, 1, ""},
      {"a part, of another amount", owed_in_part, "refund-1", 201, 0, 0, other_amount},
      {"the first part, later", paid, "refund-1", 200, 0, 0, no_such},
      {"a second part, later", in_part, "refund-2", 100, 0, 0, no_such},
      {"a second part, later, the first is owed", owed_in_part, "refund-2", 200, 0, 0, no_such},
      {"the rest, later", in_part, "cancel", 300, 0, 0, cancel_again},
      {"the rest, owed", rest, "cancel", 300, 0, 1, ""},
      {"the rest, made", plus(rest, {order::refund_made{}}), "cancel", 300, 1, 0, ""},
      {"the rest, all of it given back", rest, "cancel", 500, 0, 0, other_amount},
      {"the part before the rest", rest, "refund-1", 200, 1, 0, ""},
      {"by the provider's own people, told", plus(paid, {order::refund_told{1, "by-hand", pence(50), {}}}),
       "by-hand", 50, 1, 0, ""},
      {"by the provider's own people, later", paid, "by-hand", 50, 0, 0, no_such},
      {"of a payment not heard of", until_charging("o"), "cancel", 500, 0, 0,
       "the order had not heard of a payment yet"},
      {"of an order placed later", std::nullopt, "cancel", 500, 0, 0, "the cut has no such order"},
  };
  for (const auto& row : rows) {
    std::optional<order::state> known;
    if (row.at_the_cut) known = state_after(*row.at_the_cut);
    const auto compared = compare(known, entry_of("refund", row.amount, row.key));
    BOOST_TEST(compared.known() == row.known, row.name);
    BOOST_TEST(compared.awaited() == row.awaited, row.name);
    BOOST_TEST_REQUIRE(compared.unknown().size() == (row.why.empty() ? 0u : 1u), row.name);
    if (!row.why.empty()) BOOST_TEST(compared.unknown().front().why == row.why, row.name);
  }
}

// What the order owes is what the ledger is compared with: the same keys and amounts.
BOOST_AUTO_TEST_CASE(refunds_that_are_owed_are_asked_for_again_under_the_keys_that_are_compared) {
  const auto restored = state_after(plus(until_charging("o"), {order::paid{pence(500), "4242", {}},
                                                               promised(1, 200),
                                                               order::cancelled{"no", {}}}));
  std::size_t asked = 0;
  for (const auto& owed : order::pending(restored, 10)) {
    if (owed.to.kind != "payment") continue;
    const auto what = payment::decode_command(owed.command);
    BOOST_TEST_REQUIRE(what.has_value());
    const auto& refund = std::get<payment::refund>(*what);
    const auto entry = entry_of("refund", refund.amount.amount_minor, refund.refund_key);
    BOOST_TEST(compare(restored, entry).awaited() == 1u, refund.refund_key);
    ++asked;
  }
  BOOST_TEST(asked == 2u);
}

BOOST_AUTO_TEST_CASE(an_order_paid_by_gift_card_in_part_asks_for_the_rest) {
  auto charging = state_after(until_charging("o"));
  order::promotion card;
  card.kind = cart::code_kind::gift_card;
  card.code = "CARD";
  card.state = order::claim_state::claimed;
  card.amount_minor = 200;
  charging.promotions.push_back(card);
  BOOST_TEST(compare(charging, entry_of("capture", 300)).awaited() == 1u);
  BOOST_TEST(compare(charging, entry_of("capture", 500)).unknown().size() == 1u);
}

BOOST_AUTO_TEST_CASE(payments_of_the_cut_that_the_ledger_has_not_are_missing) {
  const auto charging = until_charging("o");
  const auto paid = plus(charging, {order::paid{pence(500), "4242", {}}});
  ledger_comparison compared;
  compared.add(order_id{"c"}, state_after(paid));
  compared.add(order_id{"a"}, state_after(plus(paid, {order::cancelled{"no", {}}})));
  compared.add(order_id{"b"}, state_after(paid));
  compared.add(order_id{"asked"}, state_after(charging));
  compared.add(order_id{"declined"}, state_after(plus(charging, {order::declined{"no", "4242", {}}})));
  auto entry = entry_of("capture", 500);
  entry.order = "b";
  compared.take(entry);
  entry = entry_of("refund", 500, "cancel");  // a refund alone is no payment
  entry.order = "a";
  compared.take(entry);
  const auto missing = compared.missing();
  BOOST_TEST_REQUIRE(missing.size() == 2u);
  BOOST_TEST(missing[0].order == "a");
  BOOST_TEST(missing[1].order == "c");
  BOOST_TEST(missing[1].currency == "GBP");
  BOOST_TEST(missing[1].amount_minor == 500);
  BOOST_TEST(ledger_comparison().missing().empty());
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
