#include "actors/stock/stock_kind.hpp"
#include "rule_table.hpp"

namespace omnicart::stock {
namespace stock_test {

using namespace trial;
using rules = std::vector<rule<kind>>;
static_assert(entity_kind<kind>);

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
const caller ann{.as = role::guest, .session = "ann", .user = {}};
const caller bob{.as = role::guest, .session = "bob", .user = {}};
const caller staff{.as = role::admin, .session = {}, .user = {}};
constexpr std::chrono::minutes a_minute{1};

reservation_id hold_named(const std::string& name) { return reservation_id{name}; }
order_id order_named(const std::string& name) { return order_id{name}; }
step<kind> shelf(std::int64_t units) { return {set_on_hand{units, "delivery"}}; }
step<kind> held(const std::string& name, std::int64_t units, const std::string& session = "ann") {
  return {reserve{hold_named(name), units, session, a_minute}};
}
step<kind> claimed_by(const std::string& order, std::int64_t units,
                      std::vector<std::string> sessions = {}) {
  return {claim{order_named(order), units, std::move(sessions)}};
}
step<kind> sold_to(const std::string& order) { return {settle{order_named(order)}}; }
step<kind> given_up(const std::string& order) { return {unclaim{order_named(order)}}; }
step<kind> back(const std::string& order, const std::string& key, std::int64_t units) {
  return {restock{order_named(order), key, units}};
}
step<kind> by(step<kind> what, const caller& asker) {
  what.asker = asker;
  return what;
}
step<kind> after(std::int64_t seconds, step<kind> what) {
  what.later_s = seconds;
  return what;
}
std::vector<step<kind>> ten_holds() {
  std::vector<step<kind>> steps{shelf(100)};
  for (int i = 0; i < 10; ++i) steps.push_back(held(std::to_string(i), 1));
  return steps;
}

constexpr auto invalid = number(errc::invalid_quantity), out = number(errc::out_of_stock),
               contended = number(errc::contended), below = number(errc::below_reserved),
               unknown = number(errc::no_such_reservation),
               conflict = number(errc::reservation_conflict), limit = number(errc::hold_limit),
               duration = number(errc::invalid_duration), forbidden = number(base_errc::forbidden);

rules figures_table() {
  return {
      {"staff set what is on hand", {}, shelf(5), 0, "counted"},
      {"a first count may find nothing", {}, shelf(0), 0, "counted"},
      {"the same count again is no event", {shelf(5)}, shelf(5), 0, ""},
      {"nothing is below nothing", {}, shelf(-1), invalid, ""},
      {"shoppers do not count", {}, by(shelf(5), ann), forbidden, ""},
      {"shoppers do not adjust", {shelf(5)}, by({adjust{1, ""}}, ann), forbidden, ""},
      {"a count may not go below what is reserved", {shelf(5), held("a", 3)}, shelf(2), below, ""},
      {"a count may go down to what is reserved", {shelf(5), held("a", 3)}, shelf(3), 0, "counted"},
      {"a count is decided as if due holds had expired",
       {shelf(5), held("a", 3)},
       after(60, shelf(1)),
       0,
       "expired counted"},
      {"an equal count still expires what is due",
       {shelf(5), held("a", 3)},
       after(60, shelf(5)),
       0,
       "expired"},
      {"staff adjust", {shelf(5)}, {adjust{-5, "broken"}}, 0, "adjusted"},
      {"an adjustment of nothing is none", {shelf(5)}, {adjust{0, ""}}, invalid, ""},
      {"an adjustment may not go below what is reserved",
       {shelf(5), held("a", 3)},
       {adjust{-3, ""}},
       below,
       ""},
      {"figures stay in 64 bits", {shelf(most)}, {adjust{1, ""}}, invalid, ""},
      {"sums of figures stay in 64 bits",
       {shelf(5), claimed_by("o", 5), sold_to("o")},
       shelf(most),
       invalid,
       ""},
      {"anyone may look", {shelf(5)}, by({get{}}, ann), 0, ""},
      {"a look expires what is due",
       {shelf(5), held("a", 3)},
       after(60, by({get{}}, bob)),
       0,
       "expired"},
      {"waking expires what is due",
       {shelf(5), held("a", 3), held("b", 1)},
       after(60, {wake{}}),
       0,
       "expired expired"},
      {"waking early does nothing", {shelf(5), held("a", 3)}, after(59, {wake{}}), 0, ""},
  };
}

step<kind> counted_until(std::optional<timestamp_ms> until) {
  return {reserve{hold_named("a"), 1, "ann", std::chrono::seconds{60}, until}};
}

rules hold_table() {
  return {
      {"a session holds units", {shelf(5)}, held("a", 5), 0, "reserved"},
      {"a hold is of something", {shelf(5)}, held("a", 0), invalid, ""},
      {"a hold is of 999,999 at most",
       {shelf(2'000'000)},
       held("a", 1'000'000),
       number(errc::quantity_limit),
       ""},
      {"a hold lasts a second",
       {shelf(5)},
       {reserve{hold_named("a"), 1, "ann", duration_ms{999}}},
       duration,
       ""},
      {"a hold lasts half an hour at most",
       {shelf(5)},
       {reserve{hold_named("a"), 1, "ann", duration_ms{1'800'001}}},
       duration,
       ""},
      {"the same hold again is no event", {shelf(5), held("a", 5)}, held("a", 5), 0, ""},
      {"a hold lasts as long as it is counted", {shelf(5)}, counted_until(at(1060)), 0, "reserved"},
      {"and no longer",
       {shelf(5)},
       counted_until(at(1060) - duration_ms{1}),
       number(base_errc::expired),
       ""},
      {"a session with ten holds has no more",
       {shelf(5)},
       counted_until(timestamp_ms{}),
       limit,
       ""},
      {"the count is no part of a hold's content",
       {shelf(5), counted_until(at(1060))},
       counted_until({}),
       0,
       ""},
      {"a longer hold is counted as long",
       {shelf(5), counted_until(at(1060))},
       by({extend{hold_named("a"), std::chrono::seconds{90}, at(1090)}}, ann),
       0,
       "extended"},
      {"and no longer either",
       {shelf(5), counted_until(at(1060))},
       by({extend{hold_named("a"), std::chrono::seconds{90}, at(1089)}}, ann),
       number(base_errc::expired),
       ""},
      {"a hold's id is of one content", {shelf(5), held("a", 2)}, held("a", 3), conflict, ""},
      {"a hold's id is of one session",
       {shelf(5), held("a", 2)},
       held("a", 2, "bob"),
       conflict,
       ""},
      {"more than there is, is out of stock", {shelf(5)}, held("a", 6), out, ""},
      {"what holds stand in the way of, is contended",
       {shelf(5), held("a", 3)},
       held("b", 3, "bob"),
       contended,
       ""},
      {"what claims stand in the way of, is contended",
       {shelf(5), claimed_by("o", 3)},
       held("b", 3),
       contended,
       ""},
      {"due holds stand in nobody's way",
       {shelf(5), held("a", 5)},
       after(60, held("b", 5, "bob")),
       0,
       "expired reserved"},
      {"an expired hold's id may be used again",
       {shelf(5), held("a", 5)},
       after(60, held("a", 5)),
       0,
       "expired reserved"},
      {"a refusal leaves due holds for later",
       {shelf(5), held("a", 5)},
       after(60, held("b", 6)),
       out,
       ""},
      {"a session holds ten times", ten_holds(), held("one more", 1), limit, ""},
      {"another session has its own ten", ten_holds(), held("one more", 1, "bob"), 0, "reserved"},
      {"staff's holds without a session are not limited",
       {shelf(5)},
       held("a", 1, ""),
       0,
       "reserved"},
      {"expired holds do not count", ten_holds(), after(60, held("x", 1)), 0,
       "expired expired expired expired expired expired expired expired expired expired reserved"},
      {"its session extends a hold",
       {shelf(5), held("a", 1)},
       by({extend{hold_named("a"), a_minute * 2}}, ann),
       0,
       "extended"},
      {"an extension does not shorten",
       {shelf(5), held("a", 1)},
       by({extend{hold_named("a"), duration_ms{1000}}}, ann),
       0,
       ""},
      {"an extension is bounded",
       {shelf(5), held("a", 1)},
       {extend{hold_named("a"), std::chrono::hours{1}}},
       duration,
       ""},
      {"an expired hold is not extended",
       {shelf(5), held("a", 1)},
       after(60, {extend{hold_named("a"), a_minute}}),
       unknown,
       ""},
      {"others do not extend a hold",
       {shelf(5), held("a", 1)},
       by({extend{hold_named("a"), a_minute * 2}}, bob),
       unknown,
       ""},
      {"its session releases a hold",
       {shelf(5), held("a", 1)},
       by({release{hold_named("a")}}, ann),
       0,
       "released"},
      {"staff release any hold",
       {shelf(5), held("a", 1)},
       by({release{hold_named("a")}}, staff),
       0,
       "released"},
      {"others do not release a hold",
       {shelf(5), held("a", 1)},
       by({release{hold_named("a")}}, bob),
       unknown,
       ""},
      {"nobody owns a hold without a session",
       {shelf(5), held("a", 1, "")},
       by({release{hold_named("a")}}, nobody),
       unknown,
       ""},
      {"an unknown hold is not released", {shelf(5)}, {release{hold_named("a")}}, unknown, ""},
  };
}

rules claim_table() {
  return {
      {"an order claims", {shelf(5)}, claimed_by("o", 5), 0, "claimed"},
      {"a claim is of something", {shelf(5)}, claimed_by("o", 0), invalid, ""},
      {"the same claim again is no event",
       {shelf(5), claimed_by("o", 5)},
       claimed_by("o", 5),
       0,
       ""},
      {"an order claims once", {shelf(5), claimed_by("o", 3)}, claimed_by("o", 2), conflict, ""},
      {"a claim of more than there is, is out of stock", {shelf(5)}, claimed_by("o", 6), out, ""},
      {"a claim behind another's hold is contended",
       {shelf(5), held("a", 3)},
       claimed_by("o", 3),
       contended,
       ""},
      {"a claim takes over its sessions' holds",
       {shelf(5), held("a", 3)},
       claimed_by("o", 5, {"ann", "ann"}),
       0,
       "claimed"},
      {"a claim takes over no hold without a session",
       {shelf(5), held("a", 3, "")},
       claimed_by("o", 5, {""}),
       contended,
       ""},
      {"a claim expires what is due",
       {shelf(5), held("a", 5)},
       after(60, claimed_by("o", 5)),
       0,
       "expired claimed"},
      {"claims are decided within 64 bits",
       {shelf(most), claimed_by("a", most), sold_to("a"), back("a", "k", most)},
       claimed_by("b", 1),
       invalid,
       ""},
      {"an order gives its claim back",
       {shelf(5), claimed_by("o", 5)},
       given_up("o"),
       0,
       "unclaimed"},
      {"giving back twice is once",
       {shelf(5), claimed_by("o", 5), given_up("o")},
       given_up("o"),
       0,
       ""},
      {"an order that gave up never claims again",
       {shelf(5), claimed_by("o", 5), given_up("o")},
       claimed_by("o", 5),
       unknown,
       ""},
      {"giving up first leaves a mark", {shelf(5)}, given_up("o"), 0, "unclaimed"},
      {"a late claim finds the mark", {shelf(5), given_up("o")}, claimed_by("o", 1), unknown, ""},
      {"a sale is not given back",
       {shelf(5), claimed_by("o", 5), sold_to("o")},
       given_up("o"),
       unknown,
       ""},
      {"a claim becomes a sale", {shelf(5), claimed_by("o", 5)}, sold_to("o"), 0, "settled"},
      {"a sale is settled once", {shelf(5), claimed_by("o", 5), sold_to("o")}, sold_to("o"), 0, ""},
      {"no claim, no sale", {shelf(5)}, sold_to("o"), unknown, ""},
      {"a claim given up is no sale",
       {shelf(5), claimed_by("o", 5), given_up("o")},
       sold_to("o"),
       unknown,
       ""},
      {"a late claim of a sale is no event",
       {shelf(5), claimed_by("o", 5), sold_to("o")},
       claimed_by("o", 5),
       0,
       ""},
      {"claims outlive holds",
       {shelf(5), claimed_by("o", 5)},
       after(7200, sold_to("o")),
       0,
       "settled"},
      {"units come back",
       {shelf(5), claimed_by("o", 5), sold_to("o")},
       back("o", "k", 2),
       0,
       "restocked"},
      {"units come back once per key",
       {shelf(5), claimed_by("o", 5), sold_to("o"), back("o", "k", 2)},
       back("o", "k", 2),
       0,
       ""},
      {"a return key is of one quantity",
       {shelf(5), claimed_by("o", 5), sold_to("o"), back("o", "k", 2)},
       back("o", "k", 3),
       conflict,
       ""},
      {"no more comes back than was sold",
       {shelf(5), claimed_by("o", 3), sold_to("o"), back("o", "k", 2)},
       back("o", "l", 2),
       invalid,
       ""},
      {"a return is of something", {shelf(5)}, back("o", "k", 0), invalid, ""},
      {"nothing comes back of an open claim",
       {shelf(5), claimed_by("o", 3)},
       back("o", "k", 1),
       unknown,
       ""},
      {"nothing comes back of a claim given up",
       {shelf(5), given_up("o")},
       back("o", "k", 1),
       unknown,
       ""},
      {"a return is believed when its sale is forgotten",
       {shelf(5), claimed_by("o", 3), sold_to("o"), after(73 * 3600, given_up("p"))},
       back("o", "k", 3),
       0,
       "restocked"},
      {"even then no more comes back than was sold",
       {shelf(5), claimed_by("o", 3), sold_to("o"), after(73 * 3600, given_up("p"))},
       back("o", "k", 4),
       invalid,
       ""},
  };
}

stock_view view_of(const subject<kind>& one) { return *decode_reply(one.reply); }

BOOST_AUTO_TEST_SUITE(stock_rules)

BOOST_AUTO_TEST_CASE(every_rule_has_its_row) {
  rules all;
  for (auto& part : {figures_table(), hold_table(), claim_table()})
    all.insert(all.end(), part.begin(), part.end());
  check_rules(all);
  check_every_code_is_in(all, {200, 201, 202, 203, 204, 205, 206, 207, 208, forbidden});
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_was_available) {
  subject<kind> one;
  for (const auto& s : {shelf(5), held("a", 2), held("b", 1, "bob")}) one.give(s.what);
  BOOST_TEST(one.give(claimed_by("o", 9, {"ann"}).what) == out);
  BOOST_TEST(one.refusal.data == encode_available(4));
  BOOST_TEST(hex(one.refusal.data) == "920104");
  BOOST_TEST(one.give(claimed_by("o", 5).what) == contended);
  BOOST_TEST(one.refusal.data == encode_available(2));
}

BOOST_AUTO_TEST_CASE(a_takeover_frees_what_the_claim_does_not_need) {
  subject<kind> one;
  for (const auto& s : {shelf(10), held("a", 4), held("b", 4), claimed_by("o", 3, {"ann"})})
    one.give(s.what);
  const auto view = view_of(one);
  BOOST_TEST((view.available == 7 && view.reserved == 3 && view.session_holds == 0 &&
              view.order_claims == 1));
  BOOST_TEST(view.quantity == 3);
}

BOOST_AUTO_TEST_CASE(the_first_count_is_received_and_later_ones_are_corrections) {
  subject<kind> one;
  for (const auto& s : {shelf(10), shelf(7), step<kind>{adjust{2, ""}}}) one.give(s.what);
  const auto view = view_of(one);
  BOOST_TEST((view.on_hand == 9 && view.received == 10 && view.adjusted == -1));
}

BOOST_AUTO_TEST_CASE(a_record_that_was_adjusted_is_not_fresh) {
  subject<kind> one;
  one.give(adjust{4, ""});
  one.give(shelf(10).what);
  BOOST_TEST((view_of(one).received == 0 && view_of(one).adjusted == 10));
}

BOOST_AUTO_TEST_CASE(the_record_wakes_at_its_earliest_expiry) {
  subject<kind> one;
  one.give(shelf(10).what);
  BOOST_TEST(!wake_at(one.s).has_value());
  one.give(reserve{hold_named("late"), 1, "ann", a_minute * 2});
  one.give(reserve{hold_named("soon"), 1, "ann", a_minute});
  BOOST_TEST((wake_at(one.s) == one.now + a_minute));
  one.give(extend{hold_named("soon"), a_minute * 3});
  BOOST_TEST((wake_at(one.s) == one.now + a_minute * 2));
  BOOST_TEST((view_of(one).expires_at == one.now + a_minute * 3));
}

BOOST_AUTO_TEST_CASE(ended_orders_are_forgotten_after_72_hours_and_beyond_their_number) {
  state s;
  for (int i = 0; i < 5; ++i) apply(s, unclaimed{order_named(std::to_string(i)), at(i)});
  BOOST_TEST(s.ended.size() == 5U);
  apply(s, unclaimed{order_named("last"), at(72 * 3600 + 2)});
  BOOST_TEST((s.ended.find("1") == nullptr && s.ended.find("2") != nullptr));
  for (std::size_t i = 0; i < memory_count_max; ++i) {
    apply(s, unclaimed{order_named("n" + std::to_string(i)), at(72 * 3600 + 3)});
  }
  BOOST_TEST(s.ended.size() == memory_count_max);
  BOOST_TEST((s.ended.find("last") == nullptr && s.ended.find("n0") != nullptr));
}

BOOST_AUTO_TEST_CASE(memory_is_told_with_what_it_holds) {
  subject<kind> one;
  one.give(shelf(1000).what);
  const auto before = memory_bytes(one.s);
  one.give(held("a reservation with a long name", 1, "a session with a long name").what);
  BOOST_TEST(memory_bytes(one.s) > before + 200);
  one.give(release{hold_named("a reservation with a long name")});
  BOOST_TEST(memory_bytes(one.s) == before);
  apply(one.s, unclaimed{order_named("an order with a name of some length"), at(1)});
  BOOST_TEST(memory_bytes(one.s) > before + 100);
  apply(one.s, unclaimed{order_named("another"), at(72 * 3600 + 2)});
  apply(one.s, unclaimed{order_named("a third"), at(2 * 72 * 3600 + 3)});
  BOOST_TEST(memory_bytes(one.s) < before + 250);  // the last one only
}

command random_command(std::mt19937& random) {
  const auto pick = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
  const auto name = [&](std::uint32_t n) { return std::to_string(pick(n)); };
  const duration_ms ttl{1000 + pick(60'000)};
  const command commands[] = {set_on_hand{pick(40), "count"},
                              adjust{pick(11) - 5, "why"},
                              reserve{hold_named(name(20)), pick(6), name(3), ttl},
                              reserve{hold_named(name(20)), pick(6), name(3), ttl},
                              extend{hold_named(name(20)), ttl},
                              release{hold_named(name(20))},
                              claim{order_named(name(15)), pick(6), {name(3), name(3)}},
                              claim{order_named(name(15)), pick(6), {}},
                              unclaim{order_named(name(15))},
                              settle{order_named(name(15))},
                              restock{order_named(name(15)), name(2), pick(4)},
                              wake{}};
  return commands[random() % std::size(commands)];
}

BOOST_AUTO_TEST_CASE(any_sequence_keeps_the_law_and_replays_to_equal_bytes) {
  for (const auto seed : seeds(40)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      subject<kind> one;
      one.give(set_on_hand{30, "first"});
      for (int i = 0; i < 300; ++i) {
        one.now += std::chrono::milliseconds{random() % 4000};
        if (random() % 100 == 0) one.now += std::chrono::hours{40};
        const bool accepted = one.give(random_command(random)) == 0;
        const auto earliest = wake_at(one.s);
        if (accepted) BOOST_REQUIRE((!earliest || *earliest > one.now));
        if (random() % 40 == 0) one.s = reread<kind>(one.s);
      }
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(stored_bytes_never_change) {
  const std::pair<event, const char*> rows[] = {
      {counted{5, "why", staff, at(1)}, "920192009605c4037768799303c400c400cd03e8c40000"},
      {adjusted{-2, "why", staff, at(1)}, "9201920196fec4037768799303c400c400cd03e8c40000"},
      {reserved{hold_named("h"), 3, "s", a_minute, at(61), at(1)},
       "9201920296c4016803c40173cdea60cdee48cd03e8"},
      {extended{hold_named("h"), at(62), at(1)}, "9201920393c40168cdf230cd03e8"},
      {released{hold_named("h"), at(1)}, "9201920492c40168cd03e8"},
      {expired{hold_named("h"), at(1)}, "9201920592c40168cd03e8"},
      {claimed{order_named("o"), 4, {hold_named("h")}, at(1)}, "9201920696c4016f0491c40168cd03e8c40000"},
      {unclaimed{order_named("o"), at(1)}, "9201920792c4016fcd03e8"},
      {settled{order_named("o"), at(1)}, "9201920893c4016fcd03e890"},
      {restocked{order_named("o"), "k", 2, at(1)}, "9201920994c4016fc4016b02cd03e8"},
  };
  for (const auto& [what, bytes] : rows) BOOST_TEST(hex(encode_event(what)) == bytes);
  subject<kind> one;
  for (const auto& s : {shelf(9), held("h", 1), claimed_by("o", 2), claimed_by("p", 3),
                        sold_to("p"), back("p", "k", 1)}) {
    one.give(s.what);
  }
  BOOST_TEST(hex(encode_state(one.s)) ==
             "9201dc0011c3070304090003019195c4016801c403616e6ecdea60ce00102ca09194c4016f02c400009197c40170"
             "c30301ce000f4240c400009193c404313a706b01ce000f4240950000c0000000909090");
}

// What was stored before locations and terms were known.
BOOST_AUTO_TEST_CASE(older_bytes_are_read) {
  const std::pair<event, const char*> rows[] = {
      {counted{5, "why", staff, at(1)}, "920192009405c4037768799303c400c400cd03e8"},
      {adjusted{-2, "why", staff, at(1)}, "9201920194fec4037768799303c400c400cd03e8"},
      {claimed{order_named("o"), 4, {hold_named("h")}, at(1)}, "9201920694c4016f0491c40168cd03e8"},
      {settled{order_named("o"), at(1)}, "9201920892c4016fcd03e8"},
  };
  for (const auto& [what, bytes] : rows) {
    const auto read = decode_event(trial::unhex(bytes));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(hex(encode_event(*read)) == hex(encode_event(what)));
  }
  const auto read = decode_state(
      trial::unhex("92019cc3070304090003019195c4016801c403616e6ecdea60ce00102ca09192c4016f029195c40170c3"
               "0301ce000f42409193c404313a706b01ce000f4240"));
  BOOST_REQUIRE(read.has_value());
  check_full(*read);
  BOOST_TEST((read->units.on_hand == 7 && read->claims.size() == 1U && read->ended.size() == 1U));
}

BOOST_AUTO_TEST_CASE(longer_arrays_are_read_and_unknown_schemas_are_refused) {
  subject<kind> one;
  one.give(shelf(5).what);
  const std::string bytes = encode_state(one.s);
  const auto longer = decode_state(with_one_more_field(bytes));
  BOOST_REQUIRE(longer.has_value());
  BOOST_TEST((encode_state(*longer) == bytes));
  BOOST_TEST(decode_state(of_unknown_schema(bytes)).error().is(base_errc::malformed));
  BOOST_TEST(decode_event(of_unknown_schema(one.log[0])).error().is(base_errc::malformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace stock_test
}  // namespace omnicart::stock
