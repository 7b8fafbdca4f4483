#include <boost/test/unit_test.hpp>

#include "actors/gift_card/gift_card_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::gift_card {
namespace gift_card_test {

static_assert(entity_kind<kind>);
using trial::number;

const caller boss{.as = role::admin, .session = {}, .user = {}};
const currency_code pounds = *currency_code::parse("GBP");
const currency_code euros = *currency_code::parse("EUR");
money gbp(std::int64_t pence) { return {pence, pounds}; }

const issue fifty{.value = gbp(5'000)};
const issue for_an_hour{.value = gbp(5'000), .expires_at = trial::at(4'600)};
hold take(const char* order, std::int64_t pence) { return {order_id{order}, gbp(pence)}; }
release off(const char* order) { return {order_id{order}}; }
spend pay(const char* order) { return {order_id{order}}; }
give_back back(const char* order, std::int64_t pence) { return {order_id{order}, gbp(pence)}; }

give_back part(const char* order, std::int64_t pence, const char* key) {
  return {order_id{order}, gbp(pence), key};
}

BOOST_AUTO_TEST_SUITE(gift_card_suite)

const std::vector<trial::rule<kind>> rules = {
    {"an admin issues a card", {}, {fifty, boss}, 0, "issued"},
    {"support does not", {}, {fifty, trial::support}, number(base_errc::forbidden), ""},
    {"the same again changes nothing", {{fifty}}, {fifty}, 0, ""},
    {"another of that code is refused",
     {{fifty}},
     {issue{.value = gbp(1)}},
     number(errc::gift_card_exists),
     ""},
    {"a card has money on it", {}, {issue{.value = gbp(0)}}, number(errc::invalid_gift_card), ""},
    {"and does not begin expired",
     {},
     {issue{.value = gbp(1), .expires_at = trial::at(1)}},
     number(errc::invalid_gift_card),
     ""},
    {"what is not there is not held", {}, {take("o1", 1)}, number(errc::no_such_gift_card), ""},
    {"an order holds what it costs", {{fifty}}, {take("o1", 3'000)}, 0, "held"},
    {"once", {{fifty}, {take("o1", 3'000)}}, {take("o1", 3'000)}, 0, ""},
    {"or all there is", {{fifty}}, {take("o1", 9'000)}, 0, "held"},
    {"two share a card that has enough for both",
     {{fifty}, {take("o1", 3'000)}},
     {take("o2", 2'000)},
     0,
     "held"},
    {"but nobody is given less because of another's hold",
     {{fifty}, {take("o1", 3'000)}},
     {take("o2", 2'001)},
     number(errc::gift_card_in_use),
     ""},
    {"nothing is held for nothing", {{fifty}}, {take("o1", 0)}, number(base_errc::malformed), ""},
    {"spent, the rest is there for the next",
     {{fifty}, {take("o1", 3'000)}, {pay("o1")}},
     {take("o2", 9'000)},
     0,
     "held"},
    {"and then nothing",
     {{fifty}, {take("o1", 9'000)}, {pay("o1")}},
     {take("o2", 1)},
     number(errc::gift_card_spent),
     ""},
    {"released, it is all there",
     {{fifty}, {take("o1", 5'000)}, {off("o1")}},
     {take("o2", 5'000)},
     0,
     "held"},
    {"but not for the one that released",
     {{fifty}, {off("o1")}},
     {take("o1", 1)},
     number(errc::gift_card_released),
     ""},
    {"release again: nothing", {{fifty}, {off("o1")}}, {off("o1")}, 0, ""},
    {"spent twice: nothing", {{fifty}, {take("o1", 1)}, {pay("o1")}}, {pay("o1")}, 0, ""},
    {"a hold that was spent is a hold still",
     {{fifty}, {take("o1", 1)}, {pay("o1")}},
     {take("o1", 1)},
     0,
     ""},
    {"nobody spends what they do not hold",
     {{fifty}},
     {pay("o1")},
     number(errc::gift_card_released),
     ""},
    {"a cancelled order gives its money back",
     {{fifty}, {take("o1", 700)}, {pay("o1")}},
     {back("o1", 700)},
     0,
     "gave_back"},
    {"once",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {back("o1", 700)}},
     {back("o1", 700)},
     0,
     ""},
    {"and no more than it had spent",
     {{fifty}, {take("o1", 700)}, {pay("o1")}},
     {back("o1", 701)},
     number(errc::invalid_gift_card),
     ""},
    {"what is held is not given back",
     {{fifty}, {take("o1", 700)}},
     {back("o1", 700)},
     number(errc::gift_card_released),
     ""},
    {"a purchase that is long forgotten is believed",
     {{fifty}, {take("o1", 700)}, {pay("o1")}},
     {back("o9", 700), trial::system, 400'000},
     0,
     "gave_back"},
    {"a refund gives a part back",
     {{fifty}, {take("o1", 700)}, {pay("o1")}},
     {part("o1", 200, "refund-1")},
     0,
     "gave_back"},
    {"once for each refund",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {part("o1", 200, "refund-1")}},
     {part("o1", 200, "refund-1"), trial::system, 9},
     0,
     ""},
    {"another refund gives another part",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {part("o1", 200, "refund-1")}},
     {part("o1", 500, "refund-2")},
     0,
     "gave_back"},
    {"all parts are no more than it had spent",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {part("o1", 200, "refund-1")}},
     {part("o1", 501, "refund-2")},
     number(errc::invalid_gift_card),
     ""},
    {"a cancellation gives back the rest",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {part("o1", 200, "refund-1")}},
     {back("o1", 500)},
     0,
     "gave_back"},
    {"a refund that comes after it is still taken",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {back("o1", 500)}},
     {part("o1", 200, "refund-1")},
     0,
     "gave_back"},
    {"a refund does not take what other orders spent",
     {{fifty}, {take("o1", 700)}, {pay("o1")}, {take("o2", 700)}, {pay("o2")}, {back("o1", 700)}},
     {part("o1", 1, "refund-1")},
     number(errc::invalid_gift_card),
     ""},
    {"refunds of a purchase that is long forgotten are believed, one by one",
     {{fifty},
      {take("o1", 700)},
      {pay("o1")},
      {take("o2", 1), trial::system, 400'000},
      {pay("o2")},
      {part("o1", 200, "refund-1")}},
     {part("o1", 500, "refund-2")},
     0,
     "gave_back"},
    {"in another currency it is nothing",
     {{fifty}},
     {hold{order_id{"o1"}, {1, euros}}},
     number(errc::gift_card_currency),
     ""},
    {"until it expires", {{for_an_hour}}, {take("o1", 1), trial::system, 3'599}, 0, "held"},
    {"not after",
     {{for_an_hour}},
     {take("o1", 1), trial::system, 3'600},
     number(errc::gift_card_expired),
     ""},
    {"money comes back to an expired card",
     {{for_an_hour}, {take("o1", 700)}, {pay("o1")}},
     {back("o1", 700), trial::system, 9'000},
     0,
     "gave_back"},
    {"blocked, it is refused",
     {{fifty}, {set_enabled{false}}},
     {take("o1", 1)},
     number(errc::gift_card_disabled),
     ""},
    {"what is held when it is blocked may be spent",
     {{fifty}, {take("o1", 1)}, {set_enabled{false}}},
     {pay("o1")},
     0,
     "spent"},
    {"only admins block",
     {{fifty}},
     {set_enabled{false}, trial::support},
     number(base_errc::forbidden),
     ""},
    {"a check holds nothing", {{fifty}}, {check{pounds}}, 0, ""},
    {"staff read it", {{fifty}}, {get{}, trial::support}, 0, ""},
    {"others do not", {{fifty}}, {get{}, trial::nobody}, number(base_errc::forbidden), ""},
};

BOOST_AUTO_TEST_CASE(a_gift_card_follows_its_rules) { trial::check_rules<kind>(rules); }

BOOST_AUTO_TEST_CASE(every_refusal_is_in_the_table) {
  std::initializer_list<error_number> codes = {
      number(errc::no_such_gift_card),  number(errc::gift_card_exists),
      number(errc::gift_card_disabled), number(errc::gift_card_expired),
      number(errc::gift_card_spent),    number(errc::gift_card_in_use),
      number(errc::gift_card_currency), number(errc::invalid_gift_card),
      number(errc::gift_card_released), number(base_errc::forbidden),
      number(base_errc::malformed)};
  trial::check_every_code_is_in<kind>(rules, codes);
}

BOOST_AUTO_TEST_CASE(the_answer_says_what_the_order_was_given) {
  trial::subject<kind> one;
  one.give(fifty);
  one.give(take("o1", 9'000));
  BOOST_TEST(decode_reply(one.reply)->order_minor == 5'000);
  BOOST_TEST(decode_reply(one.reply)->available_minor() == 0);
  one.give(pay("o1"));
  BOOST_TEST(decode_reply(one.reply)->order_minor == 5'000);
  BOOST_TEST(decode_reply(one.reply)->balance_minor == 0);
}

// Whatever orders do, no penny is spent twice: the law of the figures is checked after every event.
BOOST_AUTO_TEST_CASE(random_orders_never_spend_a_penny_twice) {
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      trial::subject<kind> one;
      one.give(issue{.value = gbp(1 + random() % 1'000)});
      for (int i = 0; i < 400; ++i) {
        one.now += std::chrono::seconds(random() % 20'000);
        const order_id order{"o" + std::to_string(random() % 12)};
        switch (random() % 6) {
          case 0:
          case 1:
            one.give(hold{order, gbp(random() % 400)});
            break;
          case 2:
            one.give(release{order});
            break;
          case 3:
            one.give(spend{order});
            break;
          case 4:
            one.give(give_back{order, gbp(random() % 400),
                               random() % 2 ? "refund-" + std::to_string(random() % 3) : ""});
            break;
          default:
            one.s = trial::reread<kind>(one.s);
        }
      }
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  trial::subject<kind> one;
  one.give(for_an_hour, boss);
  one.give(take("o1", 700));
  one.give(pay("o1"));
  BOOST_TEST(trial::hex(one.log.at(0)) ==
             "92019200939392cd1388c403474250ce004630c0c4009303c400c400ce000f4240");
  BOOST_TEST(trial::hex(one.log.at(1)) == "9201920293c4026f31cd02bcce000f4240");
  BOOST_TEST(trial::hex(one.log.at(2)) == "9201920492c4026f31ce000f4240");
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "92019bc39392cd1388c403474250ce004630c0c400c3ce000f4240cd10cc00cd02bc00909195c4026f31"
             "01cd02bcce000f42400090");
  BOOST_TEST(trial::hex(encode(command{take("o1", 700)})) ==
             "9201920392c4026f3192cd02bcc403474250");
  BOOST_TEST(trial::hex(one.reply) ==
             "92019b92cd1388c403474250cd10cc00cd02bc0000cd02bcc3ce004630c0c400ce000f4240");
  BOOST_TEST(decode_reply(trial::with_one_more_field(one.reply)).has_value());
  BOOST_TEST(!decode_reply(trial::of_unknown_schema(one.reply)).has_value());
  one.give(part("o1", 200, "refund-1"));
  BOOST_TEST(trial::hex(one.log.at(3)) == "9201920594c4026f31ccc8ce000f4240c408726566756e642d31");
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "92019bc39392cd1388c403474250ce004630c0c400c3ce000f4240cd119400cd02bcccc8909195c4026f"
             "3101cd02bcce000f4240ccc89193c40c323a6f31726566756e642d31ccc8ce000f4240");
}

// What builds before refunds to gift cards wrote.
BOOST_AUTO_TEST_CASE(what_older_builds_stored_is_read) {
  const auto event = decode_event(trial::unhex("9201920593c4026f31cd02bcce000f4240"));
  BOOST_TEST_REQUIRE(event.has_value());
  const auto& gave = std::get<gave_back>(*event);
  BOOST_TEST((gave.order.str() == "o1" && gave.amount_minor == 700 && gave.key.empty()));
  const auto command = decode_command(trial::unhex("9201920692c4026f3192cd02bcc403474250"));
  BOOST_TEST_REQUIRE(command.has_value());
  BOOST_TEST(std::get<give_back>(*command).key.empty());

  trial::subject<kind> spent_700;
  spent_700.s = decode_state(trial::unhex("92019ac39392cd1388c403474250ce004630c0c400c3ce000f4240cd10cc"
                                          "00cd02bc00909194c4026f3101cd02bcce000f4240"))
                    .value();
  check_full(spent_700.s);
  BOOST_TEST(spent_700.give(part("o1", 700, "refund-1")) == 0);
  BOOST_TEST(spent_700.give(part("o1", 1, "refund-2")) == number(errc::invalid_gift_card));

  // The same card after the order was cancelled: how = given_back, nothing left that it spent.
  trial::subject<kind> cancelled;
  cancelled.s = decode_state(trial::unhex("92019ac39392cd1388c403474250ce004630c0c400c3ce000f4240cd1388"
                                          "00cd02bccd02bc909194c4026f3102cd02bcce000f4240"))
                    .value();
  check_full(cancelled.s);
  BOOST_TEST(cancelled.give(back("o1", 700)) == 0);
  BOOST_TEST(cancelled.names == "");
  BOOST_TEST(cancelled.give(part("o1", 1, "refund-1")) == number(errc::invalid_gift_card));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gift_card_test
}  // namespace omnicart::gift_card
