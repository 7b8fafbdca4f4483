#include "actors/stock/stock_kind.hpp"
#include "rule_table.hpp"

// Where units are, what is sold ahead of coming in, and what one customer may have.
namespace omnicart::stock {
namespace stock_places_test {

using namespace trial;
using rules = std::vector<rule<kind>>;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
const caller ann{.as = role::guest, .session = "ann", .user = {}};
const std::string long_name(65, 'x');

order_id order_named(const std::string& name) { return order_id{name}; }
step<kind> shelf(std::int64_t units, const std::string& location = "") {
  return {set_on_hand{units, "count", location}};
}
step<kind> came_in(std::int64_t units, const std::string& location = "") {
  return {adjust{units, "delivery", location}};
}
step<kind> sent(const std::string& id, const std::string& from, const std::string& to,
                std::int64_t units) {
  return {send_transfer{id, from, to, units, "balance"}};
}
step<kind> received(const std::string& id, std::int64_t units) {
  return {receive_transfer{id, units}};
}
step<kind> recalled(const std::string& id) { return {recall_transfer{id}}; }
step<kind> owing(std::int64_t units, backorder kind = backorder::later) {
  terms to{.more = kind, .owed_max = units};
  if (kind == backorder::ahead) to.available_from = at(9'000);
  return {set_terms{to}};
}
step<kind> limited(std::int64_t units) { return {set_terms{{.customer_max = units}}}; }
step<kind> claimed_by(const std::string& order, std::int64_t units, const std::string& customer = "") {
  return {claim{order_named(order), units, {}, customer}};
}
step<kind> sold_to(const std::string& order) { return {settle{order_named(order)}}; }
step<kind> given_up(const std::string& order) { return {unclaim{order_named(order)}}; }
step<kind> held(std::int64_t units) {
  return {reserve{reservation_id{"h"}, units, "ann", std::chrono::minutes{1}}};
}
step<kind> back(const std::string& order, std::int64_t units) {
  return {restock{order_named(order), "key", units}};
}
step<kind> by(step<kind> what, const caller& asker) {
  what.asker = asker;
  return what;
}

constexpr auto invalid = number(errc::invalid_quantity), out = number(errc::out_of_stock),
               contended = number(errc::contended), below = number(errc::below_reserved),
               not_there = number(errc::not_there), bad_terms = number(errc::invalid_terms),
               limit = number(errc::customer_limit), unknown = number(errc::no_such_transfer),
               conflict = number(errc::transfer_conflict), forbidden = number(base_errc::forbidden),
               malformed = number(base_errc::malformed);

rules place_table() {
  return {
      {"a first count at a location", {}, shelf(5, "leeds"), 0, "counted"},
      {"a count of nothing at a location says that it was counted", {}, shelf(0, "leeds"), 0, "counted"},
      {"the same count there again is no event", {shelf(5, "leeds")}, shelf(5, "leeds"), 0, ""},
      {"another location's count adds", {shelf(5, "leeds")}, shelf(5, "york"), 0, "counted"},
      {"a name has its length", {}, shelf(5, long_name), malformed, ""},
      {"of an adjustment too", {}, came_in(5, long_name), malformed, ""},
      {"units come in at a location", {shelf(5, "leeds")}, came_in(2, "york"), 0, "adjusted"},
      {"no more leaves a location than is there", {shelf(9), shelf(2, "leeds")}, came_in(-3, "leeds"), not_there, ""},
      {"what is at locations is not taken from nowhere", {shelf(5, "leeds")}, came_in(-1), not_there, ""},
      {"nor counted away", {shelf(5, "leeds")}, shelf(4), not_there, ""},
      {"the sum may be counted up", {shelf(5, "leeds")}, shelf(9), 0, "counted"},
      {"what is reserved stays", {shelf(5, "leeds"), claimed_by("o", 4)}, shelf(3, "leeds"), below, ""},
      {"figures stay in 64 bits", {shelf(most)}, came_in(1, "leeds"), invalid, ""},
      {"shoppers count nowhere", {}, by(shelf(5, "leeds"), ann), forbidden, ""},
  };
}

rules transfer_table() {
  const auto five = shelf(5, "leeds");
  return {
      {"units go to another location", {five}, sent("t", "leeds", "york", 3), 0, "transfer_sent"},
      {"the same again is no event", {five, sent("t", "leeds", "york", 3)}, sent("t", "leeds", "york", 3), 0, ""},
      {"an id is of one transfer", {five, sent("t", "leeds", "york", 3)}, sent("t", "leeds", "york", 2), conflict, ""},
      {"no more than is there", {five, shelf(5, "york")}, sent("t", "leeds", "york", 6), not_there, ""},
      {"nothing that is claimed", {five, claimed_by("o", 4)}, sent("t", "leeds", "york", 2), contended, ""},
      {"something", {five}, sent("t", "leeds", "york", 0), invalid, ""},
      {"from one to another", {five}, sent("t", "leeds", "leeds", 1), malformed, ""},
      {"with an id", {five}, sent("", "leeds", "york", 1), malformed, ""},
      {"of bounded length", {five}, sent(long_name, "leeds", "york", 1), malformed, ""},
      {"by staff", {five}, by(sent("t", "leeds", "york", 1), ann), forbidden, ""},
      {"units without a location get one", {shelf(5)}, sent("t", "", "york", 5), 0, "transfer_sent"},
      {"what is on its way is not sold", {five, sent("t", "leeds", "york", 3)}, claimed_by("o", 3), contended, ""},
      {"they arrive", {five, sent("t", "leeds", "york", 3)}, received("t", 3), 0, "transfer_received"},
      {"some were lost", {five, sent("t", "leeds", "york", 3)}, received("t", 1), 0, "transfer_received adjusted"},
      {"all were lost", {five, sent("t", "leeds", "", 3)}, received("t", 0), 0, "transfer_received adjusted"},
      {"no more arrive than were sent", {five, sent("t", "leeds", "york", 3)}, received("t", 4), invalid, ""},
      {"nor less than none", {five, sent("t", "leeds", "york", 3)}, received("t", -1), invalid, ""},
      {"they arrive once", {five, sent("t", "leeds", "york", 3), received("t", 3)}, received("t", 3), unknown, ""},
      {"they arrive where staff say so", {five, sent("t", "leeds", "york", 3)}, by(received("t", 3), ann), forbidden, ""},
      {"they are called back", {five, sent("t", "leeds", "york", 3)}, recalled("t"), 0, "transfer_recalled"},
      {"once", {five, sent("t", "leeds", "york", 3), recalled("t")}, recalled("t"), unknown, ""},
      {"by staff only", {five, sent("t", "leeds", "york", 3)}, by(recalled("t"), ann), forbidden, ""},
      {"never what did not leave", {five}, recalled("t"), unknown, ""},
  };
}

rules terms_table() {
  const auto with = [](terms to) { return step<kind>{set_terms{to}}; };
  return {
      {"terms are set", {}, owing(3), 0, "terms_set"},
      {"the same again is no event", {owing(3)}, owing(3), 0, ""},
      {"by staff", {}, by(owing(3), ann), forbidden, ""},
      {"a back-order has a limit", {}, owing(0), bad_terms, ""},
      {"within reason", {}, owing(owed_units_max + 1), bad_terms, ""},
      {"without back-order no limit", {}, with({.owed_max = 1}), bad_terms, ""},
      {"a pre-order has a date", {}, with({.more = backorder::ahead, .owed_max = 1}), bad_terms, ""},
      {"without either no date", {}, with({.available_from = at(1)}), bad_terms, ""},
      {"no unknown kind", {}, with({.more = backorder{7}, .owed_max = 1}), bad_terms, ""},
      {"low is not negative", {}, with({.low_stock = -1}), bad_terms, ""},
      {"nor is a limit", {}, with({.customer_max = -1}), bad_terms, ""},
      {"nor above a line's", {}, with({.customer_max = 1'000'000}), bad_terms, ""},
      {"what is not there is not sold", {shelf(2)}, claimed_by("o", 3), out, ""},
      {"unless the terms say so", {shelf(2), owing(1)}, claimed_by("o", 3), 0, "claimed"},
      {"up to their limit", {shelf(2), owing(1)}, claimed_by("o", 4), out, ""},
      {"and no further", {shelf(2), owing(1), claimed_by("o", 3)}, claimed_by("p", 1), contended, ""},
      {"nor once they are paid", {shelf(2), owing(1), claimed_by("o", 3), sold_to("o")}, claimed_by("p", 1), out, ""},
      {"a pre-order needs nothing on the shelf", {owing(2, backorder::ahead)}, claimed_by("o", 2), 0, "claimed"},
      {"holds are of what is there", {shelf(1), owing(5)}, held(2), out, ""},
      {"terms may be taken back while units are owed", {shelf(1), owing(5), claimed_by("o", 4), sold_to("o")},
       with({}), 0, "terms_set"},
      {"then nothing more is owed", {shelf(1), owing(5), claimed_by("o", 4), sold_to("o"), with({})},
       claimed_by("p", 1), out, ""},
      {"a customer has what he may", {shelf(9), limited(2)}, claimed_by("o", 2, "c"), 0, "claimed"},
      {"and no more", {shelf(9), limited(2)}, claimed_by("o", 3, "c"), limit, ""},
      {"over all orders", {shelf(9), limited(2), claimed_by("o", 1, "c"), sold_to("o")}, claimed_by("p", 2, "c"), limit, ""},
      {"each for himself", {shelf(9), limited(2), claimed_by("o", 2, "c")}, claimed_by("p", 2, "d"), 0, "claimed"},
      {"what was given up does not count", {shelf(9), limited(2), claimed_by("o", 2, "c"), given_up("o")},
       claimed_by("p", 2, "c"), 0, "claimed"},
      {"nor what came back", {shelf(9), limited(2), claimed_by("o", 2, "c"), sold_to("o"), back("o", 1)},
       claimed_by("p", 1, "c"), 0, "claimed"},
      {"nobody is not counted", {shelf(9), limited(2), claimed_by("o", 2)}, claimed_by("p", 2), 0, "claimed"},
      {"a limit counts from when it is set", {shelf(9), claimed_by("o", 2, "c"), limited(2)},
       claimed_by("p", 2, "c"), 0, "claimed"},
      {"a lifted limit forgets", {shelf(9), limited(2), claimed_by("o", 2, "c"), with({}), limited(2)},
       claimed_by("p", 2, "c"), 0, "claimed"},
      {"a customer's name is bounded", {shelf(9)}, claimed_by("o", 1, std::string(301, 'c')), malformed, ""},
  };
}

stock_view view_of(const subject<kind>& one) { return *decode_reply(one.reply); }
std::string places_of(const stock_view& view) {
  std::string text;
  for (const auto& each : view.places) text += each.location + ' ' + std::to_string(each.units) + ' ';
  return text + "+ " + std::to_string(view.at_no_location) + " + " + std::to_string(view.in_transfer);
}
std::string places_after(const std::vector<step<kind>>& steps) {
  subject<kind> one;
  for (const auto& each : steps) BOOST_TEST(one.give(each.what, each.asker) == 0);
  one.give(get{});
  return places_of(view_of(one));
}

BOOST_AUTO_TEST_SUITE(stock_places)

BOOST_AUTO_TEST_CASE(every_rule_has_its_row) {
  rules all;
  for (auto& part : {place_table(), transfer_table(), terms_table()}) all.insert(all.end(), part.begin(), part.end());
  check_rules(all);
  check_every_code_is_in(all, {209, 210, 211, 213, 214});
}

BOOST_AUTO_TEST_CASE(units_are_where_they_were_put) {
  BOOST_TEST(places_after({shelf(5, "leeds"), shelf(3, "york"), came_in(2)}) == "leeds 5 york 3 + 2 + 0");
  BOOST_TEST(places_after({shelf(5, "leeds"), sent("t", "leeds", "york", 3)}) == "leeds 2 + 0 + 3");
  BOOST_TEST(places_after({shelf(5, "leeds"), sent("t", "leeds", "york", 3), received("t", 2)}) == "leeds 2 york 2 + 0 + 0");
  BOOST_TEST(places_after({shelf(5, "leeds"), sent("t", "leeds", "york", 5), recalled("t")}) == "leeds 5 + 0 + 0");
  BOOST_TEST(places_after({shelf(5), sent("t", "", "york", 5), received("t", 5)}) == "york 5 + 0 + 0");
  BOOST_TEST(places_after({shelf(5, "leeds"), sent("t", "leeds", "", 5), received("t", 5)}) == "+ 5 + 0");
}

BOOST_AUTO_TEST_CASE(a_sale_leaves_from_where_most_is) {
  const auto both = std::vector{shelf(2, "leeds"), shelf(5, "york"), came_in(4)};
  const auto with = [&](std::int64_t units) {
    auto steps = both;
    steps.push_back(claimed_by("o", units));
    steps.push_back(sold_to("o"));
    return places_after(steps);
  };
  BOOST_TEST(with(5) == "leeds 2 + 4 + 0");
  BOOST_TEST(with(6) == "leeds 1 + 4 + 0");
  BOOST_TEST(with(9) == "+ 2 + 0");
  BOOST_TEST(places_after({shelf(3, "b"), shelf(3, "a"), claimed_by("o", 2), sold_to("o")}) == "a 1 b 3 + 0 + 0");
}

BOOST_AUTO_TEST_CASE(what_comes_in_goes_to_those_who_wait_first) {
  const std::vector<step<kind>> owed{shelf(1, "leeds"), owing(5), claimed_by("o", 4), sold_to("o")};
  BOOST_TEST(places_after(owed) == "+ -3 + 0");
  auto some = owed, all = owed;
  some.push_back(came_in(2, "york"));
  BOOST_TEST(places_after(some) == "+ -1 + 0");
  all.push_back(came_in(10, "york"));
  BOOST_TEST(places_after(all) == "york 7 + 0 + 0");
}

BOOST_AUTO_TEST_CASE(an_order_is_told_what_was_not_there) {
  subject<kind> one;
  for (const auto& each : {shelf(2), owing(9)}) one.give(each.what);
  one.give(claimed_by("o", 3).what);
  BOOST_TEST((view_of(one).short_of == 1 && view_of(one).available == -1));
  one.give(claimed_by("p", 2).what);
  BOOST_TEST(view_of(one).short_of == 2);
  one.give(sold_to("o").what);
  BOOST_TEST((view_of(one).short_of == 1 && view_of(one).on_hand == -1));
  BOOST_TEST(one.give(claimed_by("q", 7).what) == number(errc::contended));
  BOOST_TEST(one.refusal.data == encode_available(6));
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_is_left) {
  subject<kind> one;
  for (const auto& each : {shelf(9, "leeds"), limited(3), claimed_by("o", 2, "c")}) one.give(each.what);
  BOOST_TEST(one.give(claimed_by("p", 2, "c").what) == limit);
  BOOST_TEST(one.refusal.data == encode_available(1));
  BOOST_TEST(one.give(came_in(-1, "york").what) == not_there);
  BOOST_TEST(one.refusal.data == encode_available(0));
}

BOOST_AUTO_TEST_CASE(places_are_shown_to_staff) {
  subject<kind> one;
  one.give(shelf(9, "leeds").what);
  one.give(get{}, support);
  BOOST_TEST(view_of(one).places.size() == 1U);
  one.give(get{}, ann);
  BOOST_TEST(view_of(one).places.empty());
  one.give(claimed_by("o", 1).what);
  BOOST_TEST(view_of(one).places.empty());
}

BOOST_AUTO_TEST_CASE(lists_are_bounded) {
  state s;
  for (std::size_t i = 0; i < places_max; ++i) s.places.add("l" + std::to_string(i), 1);
  s.units.on_hand = s.units.available = s.units.received = static_cast<std::int64_t>(places_max);
  s.is_counted = true;
  const context ctx{.now = at(1), .command = {}, .asker = trial::system};
  const auto refusal = [&](const command& what) { return decide(s, what, ctx).error().number; };
  BOOST_TEST(refusal(set_on_hand{1, "", "new"}) == number(errc::place_limit));
  BOOST_TEST(refusal(adjust{1, "", "new"}) == number(errc::place_limit));
  BOOST_TEST(decide(s, adjust{1, "", "l7"}, ctx).has_value());
  for (std::size_t i = 0; i < transfers_max; ++i) {
    apply(s, transfer_sent{"t" + std::to_string(i), "l" + std::to_string(i), "", 1, "", trial::system, at(1)});
  }
  check_full(s);
  BOOST_TEST(refusal(send_transfer{"one more", "l2000", "", 1, ""}) == number(errc::transfer_limit));
  apply(s, terms_set{{.customer_max = 1}, trial::system, at(1)});
  for (std::size_t i = 0; i < counted_customers_max; ++i) s.customers.emplace(std::to_string(i), 1);
  BOOST_TEST(refusal(claim{order_named("o"), 1, {}, "new"}) == number(errc::customer_count_full));
}

command random_command(std::mt19937& random, const state& s) {
  const auto pick = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
  const auto name = [&](std::uint32_t n) { return std::to_string(pick(n)); };
  const auto place = [&] { return random() % 3 == 0 ? std::string() : "l" + name(4); };
  const auto open = [&] { return s.claims.empty() ? order_named("none") : s.claims.begin()->first; };
  terms some{.low_stock = pick(4), .customer_max = pick(2) * pick(5)};
  if (pick(2) == 0) some.more = backorder::later, some.owed_max = 1 + pick(9);
  const command commands[] = {set_on_hand{pick(8), "count", place()},
                              adjust{pick(13) - 6, "why", place()},
                              send_transfer{name(6), place(), place(), pick(6), "why"},
                              receive_transfer{name(6), pick(4)},
                              recall_transfer{name(6)},
                              set_terms{some},
                              reserve{reservation_id{name(9)}, pick(6), name(3), duration_ms{1000 + pick(9'000)}},
                              claim{order_named(name(90)), pick(6), {name(3)}, "c" + name(4)},
                              claim{order_named(name(90)), pick(6), {}, "c" + name(4)},
                              unclaim{order_named(name(90))},
                              settle{order_named(name(90))},
                              settle{open()},
                              settle{open()},
                              restock{order_named(name(90)), name(2), pick(4)},
                              wake{}};
  return commands[random() % std::size(commands)];
}

// subject checks every law after every event: nothing is sold beyond what the terms ever allowed, and what is somewhere
// adds up to what is on hand.
BOOST_AUTO_TEST_CASE(any_sequence_keeps_the_law_and_replays_to_equal_bytes) {
  std::int64_t owed = 0, moved = 0;
  for (const auto seed : seeds(60)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      subject<kind> one;
      for (int i = 0; i < 300; ++i) {
        one.now += std::chrono::milliseconds{random() % 4000};
        if (random() % 100 == 0) one.now += std::chrono::hours{40};
        one.give(random_command(random, one.s));
        owed += one.s.units.on_hand < 0 ? 1 : 0;
        moved += one.names.starts_with("transfer_received") ? 1 : 0;
        if (random() % 40 == 0) one.s = reread<kind>(one.s);
      }
      one.check_replay();
    }
  }
  BOOST_TEST((owed > 100 && moved > 50), "owed " << owed << " times, received " << moved << " transfers");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace stock_places_test
}  // namespace omnicart::stock
