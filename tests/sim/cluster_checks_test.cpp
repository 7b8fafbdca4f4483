#include <rocksdb/db.h>

#include <boost/test/unit_test.hpp>

#include "tests/sim/cart_witness.hpp"
#include "tests/sim/committed_log.hpp"
#include "tests/sim/leader_terms.hpp"
#include "tests/sim/replica_hashes.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

// Each check of the simulated cluster sees what it is there for.
namespace omnicart::sim {
namespace {

using persistence::committed_batch;
using persistence::committed_entry;
using persistence::event_at;

std::string law_of(const sim_checks& checks) {
  return checks.broken() ? checks.broken()->law : "none";
}

// --- one leader per shard and term
// -----------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(cluster_checks)

BOOST_AUTO_TEST_CASE(two_leaders_of_one_term_break_the_law) {
  sim_checks checks;
  leader_terms terms(checks);
  terms.claimed(0, 3, 1);
  terms.claimed(0, 3, 1);
  terms.claimed(1, 3, 2);
  terms.claimed(0, 4, 2);
  BOOST_TEST(law_of(checks) == "none");
  terms.claimed(0, 3, 2);
  BOOST_TEST(law_of(checks) == "one leader per shard and term");
}

BOOST_AUTO_TEST_CASE(a_leader_shows_in_what_it_sends) {
  sim_checks checks;
  leader_terms terms(checks);
  const auto append = [](node_id from) {
    return cluster::shard_message{0,
                                  {.from = from, .to = 3, .body = raft::append_request{.term = 7}}};
  };
  terms.sent({append(1)});
  terms.sent({{0, {.from = 2, .to = 3, .body = raft::vote_request{.term = 7}}}});
  BOOST_TEST(law_of(checks) == "none");
  terms.sent({append(2)});
  BOOST_TEST(law_of(checks) == "one leader per shard and term");
}

// --- one log, and equal content
// --------------------------------------------------------------------

struct two_stores {
  static std::unique_ptr<persistence::store> open(std::uint64_t seed, const clock& time) {
    return persistence::store::open(persistence::options_on(std::make_shared<fault_fs>(seed)), time)
        .value();
  }
  static committed_batch entry(std::uint64_t index, std::uint64_t version, const std::string& id) {
    persistence::logged_item part{.kind = "cart", .id = id, .first_version = version};
    part.records = {persistence::encode(event_at(persistence::at_ms(1), "an event"))};
    committed_entry each{.shard = 0, .index = index};
    each.entry.term = 1;
    each.entry.items.push_back(std::move(part));
    return {.entries = {each}};
  }

  persistence::manual_clock time;
  std::unique_ptr<persistence::store> one = open(1, time);
  std::unique_ptr<persistence::store> other = open(2, time);
  sim_checks checks;
  committed_log log{checks, 2};
};

BOOST_FIXTURE_TEST_CASE(the_same_log_on_two_nodes_is_as_it_should_be, two_stores) {
  log.applied(1, entry(1, 1, "a"), *one);
  log.applied(2, entry(1, 1, "a"), *other);
  log.applied(2, entry(2, 2, "a"), *other);
  BOOST_TEST(law_of(checks) == "none");
  BOOST_TEST(log.past().at("cart/a").size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(another_entry_at_an_index_breaks_the_law, two_stores) {
  log.applied(1, entry(1, 1, "a"), *one);
  log.applied(2, entry(1, 1, "b"), *other);
  BOOST_TEST(law_of(checks) == "nodes apply the same log");
}

BOOST_FIXTURE_TEST_CASE(an_entry_that_nobody_ever_applied_breaks_the_law, two_stores) {
  log.applied(1, entry(1, 1, "a"), *one);
  log.applied(1, entry(3, 2, "a"), *one);
  BOOST_TEST(law_of(checks) == "the log reads without a gap");
}

BOOST_FIXTURE_TEST_CASE(an_entry_that_its_node_died_with_is_read_from_the_disk, two_stores) {
  const auto missed = entry(2, 2, "a").entries.front().entry;
  other->db().Put({}, other->of(persistence::family::log), persistence::log_key(0, 2),
                  persistence::encode(missed));
  log.applied(1, entry(1, 1, "a"), *one);
  log.applied(2, entry(3, 3, "a"), *other);
  BOOST_TEST(law_of(checks) == "none");
  BOOST_TEST(log.past().at("cart/a").size() == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_version_written_twice_breaks_the_law, two_stores) {
  log.applied(1, entry(1, 1, "a"), *one);
  log.applied(1, entry(2, 1, "a"), *one);
  BOOST_TEST(law_of(checks) == "each version follows the one before");
}

BOOST_FIXTURE_TEST_CASE(a_record_that_only_one_replica_has_breaks_the_law, two_stores) {
  replica_hashes hashes(checks);
  const auto put = [](const persistence::store& data, persistence::family which, const char* key) {
    data.db().Put({}, data.of(which), persistence::shard_key(0) + key, "x");
  };
  put(*one, persistence::family::events, "a");
  put(*other, persistence::family::events, "a");
  put(*other, persistence::family::log, "its own");
  hashes.compare(1, 0, 16, *one);
  hashes.compare(2, 0, 16, *other);
  BOOST_TEST(law_of(checks) == "none");
  BOOST_TEST(hashes.compared() == 1U);
  for (const auto which : {persistence::family::events, persistence::family::snapshots,
                           persistence::family::receipts, persistence::family::timers}) {
    sim_checks own;
    replica_hashes fresh(own);
    fresh.keep_contents();
    put(*one, which, "b");
    fresh.compare(1, 0, 32, *one);
    fresh.compare(2, 0, 32, *other);
    BOOST_TEST(law_of(own) == "replicas at the same index hold the same");
    BOOST_TEST(own.broken()->detail.find("b is on the first only") != std::string::npos);
    put(*other, which, "b");
  }
}

// --- nothing acknowledged is missing
// ---------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(an_answer_ahead_of_what_is_committed_breaks_the_law, two_stores) {
  log.applied(1, entry(1, 1, "a"), *one);
  checks.answered({"cart", "a"}, {.failure = {}, .payload = {}, .version = 1}, false);
  BOOST_TEST(law_of(checks) == "none");
  checks.answered({"cart", "a"}, {.failure = {}, .payload = {}, .version = 2}, false);
  BOOST_TEST(law_of(checks) == "nothing leaves before it is durable");
}

BOOST_FIXTURE_TEST_CASE(an_acknowledged_version_that_is_gone_breaks_the_law, two_stores) {
  log.applied(1, entry(1, 1, "a"), *one);
  checks.answered({"cart", "a"}, {.failure = {}, .payload = {}, .version = 1}, false);
  checks.nothing_lost(log.past());
  BOOST_TEST(law_of(checks) == "none");
  checks.nothing_lost({});
  BOOST_TEST(law_of(checks) == "nothing acknowledged is lost");
}

// --- shared carts
// ----------------------------------------------------------------------------------

using kind = cart_call::kind;
using seen = std::map<std::string, std::int64_t>;

observed_call<cart_call> add(std::int64_t units, std::uint64_t asked,
                             std::optional<std::uint64_t> answered) {
  return {.what = {.what = kind::add, .product = "pen", .quantity = units},
          .asked_at = asked,
          .answered_at = answered};
}
observed_call<cart_call> look(seen what, std::uint64_t asked, std::uint64_t answered) {
  return {.what = {.what = kind::look, .seen = std::move(what)},
          .asked_at = asked,
          .answered_at = answered};
}
observed_call<cart_call> refused_set(std::uint64_t asked, std::uint64_t answered) {
  return {.what = {.what = kind::set, .product = "pen", .quantity = 1, .refused = true, .shown = 0},
          .asked_at = asked,
          .answered_at = answered};
}
observed_call<cart_call> shown(observed_call<cart_call> call, std::int64_t units) {
  call.what.shown = units;
  return call;
}
observed_call<cart_call> clear(std::uint64_t asked, std::uint64_t answered) {
  return {.what = {.what = kind::clear}, .asked_at = asked, .answered_at = answered};
}

verdict judge(const cart_history& book, std::uint64_t tries_max = 10'000) {
  return linear_search<cart_model, cart_call>(book, tries_max).run();
}

BOOST_AUTO_TEST_CASE(histories_of_a_cart_are_told_apart) {
  struct row {
    const char* what;
    cart_history book;
    verdict is;
  };
  const auto unknown = std::nullopt;
  const row rows[] = {
      {"nothing", {}, verdict::linearizable},
      {"one after the other", {add(1, 1, 2), look({{"pen", 1}}, 3, 4)}, verdict::linearizable},
      {"a lost write", {add(1, 1, 2), look({}, 3, 4)}, verdict::broken},
      {"a write done twice", {add(1, 1, 2), look({{"pen", 2}}, 3, 4)}, verdict::broken},
      {"at once, seen", {add(1, 1, 5), look({{"pen", 1}}, 2, 3)}, verdict::linearizable},
      {"at once, not seen", {add(1, 1, 5), look({}, 2, 3)}, verdict::linearizable},
      {"a stale read", {add(1, 1, 9), look({{"pen", 1}}, 2, 3), look({}, 4, 5)}, verdict::broken},
      {"unknown, done", {add(1, 1, unknown), look({{"pen", 1}}, 2, 3)}, verdict::linearizable},
      {"unknown, not done", {add(1, 1, unknown), look({}, 2, 3)}, verdict::linearizable},
      {"unknown, done late",
       {add(1, 1, unknown), look({}, 2, 3), look({{"pen", 1}}, 4, 5)},
       verdict::linearizable},
      {"unknown, and taken back",
       {add(1, 1, unknown), look({{"pen", 1}}, 2, 3), look({}, 4, 5)},
       verdict::broken},
      {"an answer that skips one",
       {shown(add(1, 1, 2), 1), shown(add(1, 3, 4), 1)},
       verdict::broken},
      {"answers in their order",
       {shown(add(1, 1, 4), 3), shown(add(2, 2, 3), 2), clear(5, 6), look({}, 7, 8)},
       verdict::linearizable},
      {"nothing to set, though it is there", {add(1, 1, 2), refused_set(3, 4)}, verdict::broken},
      {"nothing to set", {refused_set(1, 2), add(1, 3, 4)}, verdict::linearizable},
  };
  for (const auto& r : rows) BOOST_TEST((judge(r.book) == r.is), r.what);
}

BOOST_AUTO_TEST_CASE(a_history_that_is_too_long_to_search_is_undecided) {
  cart_history book;
  for (std::uint64_t i = 0; i < 20; ++i) book.push_back(add(1, 1 + i, 100 + i));
  book.push_back(look({{"pen", 99}}, 200, 201));
  BOOST_TEST((judge(book, 50) == verdict::undecided));
  while (book.size() <= 64) book.push_back(look({{"pen", 20}}, 300, 301));
  BOOST_TEST((judge(book) == verdict::undecided));
}

BOOST_AUTO_TEST_CASE(a_cart_without_an_explanation_breaks_the_law_and_is_shown) {
  sim_checks checks;
  check_linearizable("c", {add(1, 1, 2), look({{"pen", 1}}, 3, 4)}, checks);
  BOOST_TEST(law_of(checks) == "none");
  check_linearizable("c", {add(1, 1, 2), look({}, 3, 4)}, checks);
  BOOST_TEST(law_of(checks) == "carts are linearizable");
  BOOST_TEST(checks.broken()->detail.find("add pen 1 [1, 2]") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace omnicart::sim
