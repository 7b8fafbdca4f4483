#include "actors/product/product_messages.hpp"
#include "actors/reviews/reviews_kind.hpp"
#include "rule_table.hpp"

namespace omnicart::reviews {
namespace reviews_test {

using namespace trial;
static_assert(entity_kind<kind>);

write by(const std::string& who, std::int64_t stars, const std::string& text = "") {
  return {.product = product_id("p1"),
          .by = who,
          .name = "",
          .stars = stars,
          .title = "",
          .text = text};
}

std::vector<rule<kind>> table() {
  const step<kind> ann{by("ann", 5)}, bob{by("bob", 2)};
  auto nobody_s = by("", 3), of_nothing = by("ann", 3), titled = by("ann", 3), named = by("ann", 3);
  of_nothing.product = {};
  titled.title = "a\nb";
  named.name = std::string(kept_author_bytes_max + 1, 'a');
  const auto malformed = number(base_errc::malformed), stars = number(errc::invalid_rating),
             text = number(errc::invalid_text);
  return {
      {"a buyer reviews", {}, ann, 0, "written"},
      {"the same again changes nothing", {ann}, ann, 0, ""},
      {"another word replaces the first", {ann, bob}, {by("ann", 1)}, 0, "written"},
      {"stars are at least one", {}, {by("ann", 0)}, stars, ""},
      {"stars are at most five", {}, {by("ann", 6)}, stars, ""},
      {"a text has a limit", {}, {by("ann", 3, std::string(text_bytes_max + 1, 'a'))}, text, ""},
      {"a text of the limit is taken",
       {},
       {by("ann", 3, std::string(text_bytes_max, 'a'))},
       0,
       "written"},
      {"a title is one line", {}, {titled}, text, ""},
      {"a name has a limit", {}, {named}, text, ""},
      {"somebody says it", {}, {nobody_s}, malformed, ""},
      {"of something", {}, {of_nothing}, malformed, ""},
      {"the product was told", {ann}, {told{1}}, 0, "noted"},
      {"and is told once", {ann, {told{1}}}, {told{1}}, 0, ""},
      {"never of more than there is", {ann}, {told{7}}, 0, "noted"},
      {"reading leaves nothing", {ann}, {get{}}, 0, ""},
      {"nor does asking for one author", {ann}, {get_of{{"ann"}}}, 0, ""},
  };
}

BOOST_AUTO_TEST_SUITE(reviews_rules)

BOOST_AUTO_TEST_CASE(reviews_follow_their_table) {
  const auto rows = table();
  check_rules(rows);
  check_every_code_is_in(rows, {number(errc::invalid_rating), number(errc::invalid_text)});
}

BOOST_AUTO_TEST_CASE(a_product_has_as_many_reviews_as_it_may_have) {
  subject<kind> one;
  for (std::size_t i = 0; i < reviews_max; ++i)
    BOOST_REQUIRE(one.give(by("u" + std::to_string(i), 3)) == 0);
  BOOST_TEST(one.give(by("late", 3)) == number(errc::full));
  BOOST_TEST(one.give(by("u7", 5)) == 0);
}

BOOST_AUTO_TEST_CASE(the_average_is_rounded_half_away_from_zero_and_owed_to_the_product) {
  subject<kind> one;
  for (const auto& [who, stars] : {std::pair{"a", 5}, std::pair{"b", 4}, std::pair{"c", 4}})
    one.give(by(who, stars));
  BOOST_TEST(average_centi(one.s) == 433);
  const auto owed = kind::pending(one.s, 5);
  BOOST_REQUIRE(owed.size() == 1u);
  BOOST_TEST(owed[0].to.str() == "product/p1");
  const auto wanted =
      product::encode(product::rate{.average_centi = 433, .count = 3, .revision = 3});
  BOOST_TEST(hex(owed[0].command) == hex(wanted));
  const auto settled = kind::settle(one.s, owed[0].key, {});
  BOOST_REQUIRE(settled.has_value());
  BOOST_TEST(one.give(*settled) == 0);
  BOOST_TEST(kind::pending(one.s, 5).empty());
  one.give(by("a", 1));
  BOOST_TEST(kind::pending(one.s, 5).size() == 1u);
  BOOST_TEST(kind::pending(one.s, 0).empty());
}

BOOST_AUTO_TEST_CASE(pages_show_the_newest_first_and_each_once) {
  subject<kind> one;
  for (int i = 0; i < 7; ++i) one.give(by("u" + std::to_string(i), 1 + i % 5));
  one.give(by("u2", 5, "again"));
  std::vector<std::uint64_t> seen;
  get wanted{.before = 0, .limit = 3};
  do {
    one.give(wanted);
    const auto page = decode_reply(one.reply);
    BOOST_REQUIRE(page.has_value());
    BOOST_TEST(page->count == 7);
    for (const auto& each : page->reviews) seen.push_back(each.number);
    wanted.before = page->next_before;
  } while (wanted.before != 0);
  const std::vector<std::uint64_t> all{8, 7, 6, 5, 4, 2, 1};
  BOOST_TEST(seen == all, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(random_reviews_keep_their_laws) {
  for (const auto seed : seeds(10)) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      subject<kind> one;
      for (int step = 0; step < 200; ++step) {
        const auto who = "u" + std::to_string(random() % 9);
        if (random() % 4 == 0) {
          one.give(told{random() % 300});
        } else {
          one.give(by(who, static_cast<std::int64_t>(random() % 7), random() % 2 ? "so" : ""));
        }
        check_full(one.s);
      }
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(what_some_have_said_is_told_without_what_others_have) {
  subject<kind> one;
  for (const char* who : {"ann", "bob", "cat"}) one.give(by(who, 3));
  one.give(get_of{{"cat", "ann", "nobody"}});
  const auto view = decode_reply(one.reply);
  BOOST_REQUIRE((view && view->reviews.size() == 2U));
  BOOST_TEST((view->reviews[0].by == "cat" && view->reviews[1].by == "ann"));
  one.give(get_of{});
  BOOST_TEST(decode_reply(one.reply)->reviews.empty());
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  subject<kind> one;
  one.give(by("u1", 5, "x"));
  BOOST_TEST(hex(encode(get{.before = 1, .limit = 2})) ==
             "9201920192"
             "0102");
  BOOST_TEST(hex(encode(get_of{{"u"}})) == "920192039191c40175");
  BOOST_TEST(hex(one.log.at(0)) ==
             "9201920092c402703197"
             "01c4027531c400c400c4017805ce000f4240");
  BOOST_TEST(hex(kind::encode_state(one.s)) ==
             "920195c402703191"
             "9701c4027531c400c400c4017805ce000f4240"
             "050100");
}

BOOST_AUTO_TEST_CASE(every_code_has_a_name) {
  BOOST_TEST(to_string(errc::invalid_rating) == "invalid_rating");
  BOOST_TEST(to_string(errc::invalid_text) == "invalid_text");
  BOOST_TEST(to_string(errc::full) == "reviews_full");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace reviews_test
}  // namespace omnicart::reviews
