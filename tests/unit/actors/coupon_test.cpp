#include <boost/test/unit_test.hpp>

#include "actors/coupon/coupon_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::coupon {
namespace coupon_test {

static_assert(entity_kind<kind>);
using trial::number;

const caller boss{.as = role::admin, .session = {}, .user = {}};

definition ten_percent() {
  return {.title = "Ten", .rule = {.type = pricing::discount_type::percentage, .rate_bps = 1'000}};
}
definition once() {
  definition d = ten_percent();
  d.total_limit = 1;
  return d;
}
definition once_each() {
  definition d = ten_percent();
  d.total_limit = 10;
  d.customer_limit = 1;
  return d;
}
// Valid from second 2000 to 3000; a subject starts at 1000.
definition for_a_while() {
  definition d = ten_percent();
  d.valid_from = trial::at(2'000);
  d.valid_until = trial::at(3'000);
  return d;
}
claim by(const char* order, const char* customer = "ann") { return {order_id{order}, customer}; }
release off(const char* order) { return {order_id{order}}; }
redeem used(const char* order) { return {order_id{order}}; }
give_back back(const char* order) { return {order_id{order}, "ann"}; }

BOOST_AUTO_TEST_SUITE(coupon_suite)

const std::vector<trial::rule<kind>> rules = {
    {"an admin defines a coupon", {}, {define{once()}, boss}, 0, "defined"},
    {"support does not", {}, {define{once()}, trial::support}, number(base_errc::forbidden), ""},
    {"the same again changes nothing", {{define{once()}}}, {define{once()}}, 0, ""},
    {"another of that code is refused",
     {{define{once()}}},
     {define{ten_percent()}},
     number(errc::coupon_exists),
     ""},
    {"one that gives nothing is none", {}, {define{{}}}, number(errc::invalid_coupon), ""},
    {"what is not there is not claimed", {}, {by("o1")}, number(errc::no_such_coupon), ""},
    {"nor switched", {}, {set_enabled{false}}, number(errc::no_such_coupon), ""},
    {"nor switched by support",
     {{define{once()}}},
     {set_enabled{false}, trial::support},
     number(base_errc::forbidden),
     ""},
    {"an order claims it", {{define{once()}}}, {by("o1")}, 0, "claimed"},
    {"once", {{define{once()}}, {by("o1")}}, {by("o1")}, 0, ""},
    {"a claim names its order", {{define{once()}}}, {by("")}, number(base_errc::malformed), ""},
    {"while one holds the last use, others are told so",
     {{define{once()}}, {by("o1")}},
     {by("o2")},
     number(errc::coupon_in_use),
     ""},
    {"once it is used, it is used up",
     {{define{once()}}, {by("o1")}, {used("o1")}},
     {by("o2")},
     number(errc::coupon_used_up),
     ""},
    {"released, it is free for the next",
     {{define{once()}}, {by("o1")}, {off("o1")}},
     {by("o2")},
     0,
     "claimed"},
    {"but not for the one that released",
     {{define{once()}}, {by("o1")}, {off("o1")}},
     {by("o1")},
     number(errc::coupon_released),
     ""},
    {"a release before its claim counts",
     {{define{once()}}, {off("o1")}},
     {by("o1")},
     number(errc::coupon_released),
     ""},
    {"release again: nothing", {{define{once()}}, {off("o1")}}, {off("o1")}, 0, ""},
    {"what is used is not released",
     {{define{once()}}, {by("o1")}, {used("o1")}},
     {off("o1")},
     0,
     ""},
    {"used twice: nothing", {{define{once()}}, {by("o1")}, {used("o1")}}, {used("o1")}, 0, ""},
    {"a used claim is a claim still",
     {{define{once()}}, {by("o1")}, {used("o1")}},
     {by("o1")},
     0,
     ""},
    {"nobody uses what they do not hold",
     {{define{once()}}},
     {used("o1")},
     number(errc::coupon_released),
     ""},
    {"a cancelled order gives its use back",
     {{define{once()}}, {by("o1")}, {used("o1")}},
     {back("o1")},
     0,
     "gave_back"},
    {"once", {{define{once()}}, {by("o1")}, {used("o1")}, {back("o1")}}, {back("o1")}, 0, ""},
    {"then it is free again",
     {{define{once()}}, {by("o1")}, {used("o1")}, {back("o1")}},
     {by("o2")},
     0,
     "claimed"},
    {"an open claim is not given back",
     {{define{once()}}, {by("o1")}},
     {back("o1")},
     number(errc::coupon_released),
     ""},
    {"a use that is long forgotten is believed",
     {{define{once()}}, {by("o1")}, {used("o1")}, {by("o1"), trial::system}},
     {back("o9"), trial::system, 400'000},
     0,
     "gave_back"},
    {"one may have it once",
     {{define{once_each()}}, {by("o1", "ann")}, {used("o1")}},
     {by("o2", "ann")},
     number(errc::coupon_customer_limit),
     ""},
    {"another may too",
     {{define{once_each()}}, {by("o1", "ann")}},
     {by("o2", "bob")},
     0,
     "claimed"},
    {"a release frees the customer",
     {{define{once_each()}}, {by("o1", "ann")}, {off("o1")}},
     {by("o2", "ann")},
     0,
     "claimed"},
    {"not before its time",
     {{define{for_a_while()}}},
     {by("o1")},
     number(errc::coupon_not_yet_valid),
     ""},
    {"from its first moment",
     {{define{for_a_while()}}},
     {by("o1"), trial::system, 1'000},
     0,
     "claimed"},
    {"to its last",
     {{define{for_a_while()}}},
     {by("o1"), trial::system, 2'000},
     number(errc::coupon_expired),
     ""},
    {"disabled, it is refused",
     {{define{once()}}, {set_enabled{false}}},
     {by("o1")},
     number(errc::coupon_disabled),
     ""},
    {"what is held when it is disabled may be used",
     {{define{once()}}, {by("o1")}, {set_enabled{false}}},
     {used("o1")},
     0,
     "redeemed"},
    {"a check is refused as the claim would be",
     {{define{once()}}, {by("o1")}},
     {check{"bob"}},
     number(errc::coupon_in_use),
     ""},
    {"a check claims nothing", {{define{once()}}}, {check{"bob"}}, 0, ""},
    {"staff read it", {{define{once()}}}, {get{}, trial::support}, 0, ""},
    {"others do not", {{define{once()}}}, {get{}, trial::nobody}, number(base_errc::forbidden), ""},
};

BOOST_AUTO_TEST_CASE(a_coupon_follows_its_rules) { trial::check_rules<kind>(rules); }

BOOST_AUTO_TEST_CASE(every_refusal_is_in_the_table) {
  std::initializer_list<error_number> codes = {
      number(errc::no_such_coupon),  number(errc::coupon_exists),
      number(errc::coupon_disabled), number(errc::coupon_not_yet_valid),
      number(errc::coupon_expired),  number(errc::coupon_used_up),
      number(errc::coupon_in_use),   number(errc::coupon_customer_limit),
      number(errc::invalid_coupon),  number(errc::coupon_released),
      number(base_errc::forbidden),  number(base_errc::malformed)};
  trial::check_every_code_is_in<kind>(rules, codes);
}

BOOST_AUTO_TEST_CASE(a_definition_says_what_it_gives_and_to_whom) {
  using type = pricing::discount_type;
  const money pound{100, *currency_code::parse("GBP")};
  const auto bad = [](auto change) {
    definition d = ten_percent();
    change(d);
    const char* member = first_bad_member(d);
    return std::string(member ? member : "");
  };
  BOOST_TEST(bad([](definition&) {}) == "");
  BOOST_TEST(bad([](definition& d) { d.title = std::string(201, 'x'); }) == "title");
  BOOST_TEST(bad([](definition& d) { d.rule.rate_bps = 10'001; }) == "rate_bps");
  BOOST_TEST(bad([](definition& d) { d.rule.rate_bps = 0; }) == "rate_bps");
  BOOST_TEST(bad([](definition& d) { d.rule.type = static_cast<type>(9); }) == "type");
  BOOST_TEST(bad([](definition& d) { d.rule.type = type::fixed; }) == "amounts");
  BOOST_TEST(bad([&](definition& d) {
               d.rule.type = type::fixed;
               d.rule.amounts = {pound, pound};
             }) == "amounts");
  BOOST_TEST(bad([&](definition& d) {
               d.rule.type = type::fixed;
               d.rule.amounts = {pound};
             }) == "");
  BOOST_TEST(bad([](definition& d) { d.rule.type = type::buy_x_get_y; }) == "buy");
  BOOST_TEST(bad([](definition& d) {
               d.rule.type = type::buy_x_get_y;
               d.rule.buy = 1;
             }) == "get");
  BOOST_TEST(bad([](definition& d) { d.rule.products.resize(501); }) == "products");
  BOOST_TEST(bad([](definition& d) { d.rule.category = "a\n"; }) == "category");
  BOOST_TEST(bad([&](definition& d) { d.rule.minimums = {{-1, pound.currency}}; }) == "minimums");
  BOOST_TEST(bad([](definition& d) { d.total_limit = 0; }) == "total_limit");
  BOOST_TEST(bad([](definition& d) { d.customer_limit = 1; }) == "total_limit");
  BOOST_TEST(bad([](definition& d) {
               d.customer_limit = 1;
               d.total_limit = counted_uses_max + 1;
             }) == "total_limit");
  BOOST_TEST(bad([](definition& d) {
               d.customer_limit = 0;
               d.total_limit = 1;
             }) == "customer_limit");
  BOOST_TEST(bad([](definition& d) { d.valid_from = d.valid_until = trial::at(1); }) ==
             "valid_until");
}

BOOST_AUTO_TEST_CASE(a_hundred_orders_at_once_use_it_once) {
  trial::subject<kind> one;
  one.give(define{once()});
  std::string winners;
  for (int i = 0; i < 100; ++i) {
    const std::string id = "o" + std::to_string(i);
    if (one.give(by(id.c_str())) == 0) winners += id;
  }
  BOOST_TEST(winners == "o0");
}

// Whatever orders do, in whatever order their messages come: the limits hold (the checks see to it
// after every event), and a replay gives the same bytes.
BOOST_AUTO_TEST_CASE(random_orders_keep_to_the_limits) {
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      trial::subject<kind> one;
      definition d = ten_percent();
      d.total_limit = 1 + random() % 5;
      if (random() % 2) d.customer_limit = 1 + random() % 2;
      one.give(define{d});
      for (int i = 0; i < 400; ++i) {
        one.now += std::chrono::seconds(random() % 20'000);
        const order_id order{"o" + std::to_string(random() % 12)};
        const std::string customer = "c" + std::to_string(order.str().back() % 3);
        switch (random() % 6) {
          case 0:
          case 1:
            one.give(claim{order, customer});
            break;
          case 2:
            one.give(release{order});
            break;
          case 3:
            one.give(redeem{order});
            break;
          case 4:
            one.give(give_back{order, customer});
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
  one.give(define{once()}, boss);
  one.give(by("o1"));
  one.give(used("o1"));
  BOOST_TEST(trial::hex(one.log.at(0)) ==
             "920192009396c40354656e9900cd03e8900000c4009090c2c0c001c09303c400c400ce000f4240");
  BOOST_TEST(trial::hex(one.log.at(1)) == "9201920293c4026f31c403616e6ece000f4240");
  BOOST_TEST(trial::hex(one.log.at(2)) == "9201920492c4026f31ce000f4240");
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "920199c396c40354656e9900cd03e8900000c4009090c2c0c001c0c3ce000f42400100909193c4026f31"
             "01ce000f424090");
  BOOST_TEST(trial::hex(encode(command{by("o1")})) == "9201920392c4026f31c403616e6e");
  BOOST_TEST(trial::hex(one.reply) ==
             "92019696c40354656e9900cd03e8900000c4009090c2c0c001c0c3000100ce000f4240");
  BOOST_TEST(decode_reply(trial::with_one_more_field(one.reply)).has_value());
  BOOST_TEST(!decode_reply(trial::of_unknown_schema(one.reply)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace coupon_test
}  // namespace omnicart::coupon
