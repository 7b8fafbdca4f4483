#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <boost/test/unit_test.hpp>

#include "persistence/entry_writer.hpp"
#include "tests/sim/cart_witness.hpp"
#include "tests/sim/committed_log.hpp"
#include "tests/sim/leader_terms.hpp"
#include "tests/sim/replica_hashes.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

// Each check of the simulated cluster sees what it is there for.
namespace omnicart::sim {
namespace cluster_checks_test {

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

BOOST_AUTO_TEST_CASE(two_nodes_that_read_by_a_lease_break_the_law) {
  sim_checks checks;
  leader_terms terms(checks);
  terms.reading(0, {});
  terms.reading(0, {1});
  terms.reading(1, {2});
  BOOST_TEST(law_of(checks) == "none");
  terms.reading(0, {1, 2});
  BOOST_TEST(law_of(checks) == "one node at most reads a shard by its lease");
}

BOOST_AUTO_TEST_CASE(a_new_leader_that_lacks_an_entry_breaks_the_law) {
  sim_checks checks;
  leader_terms terms(checks);
  terms.in_office(0, 3, 1, 7, 7);
  terms.in_office(1, 3, 1, 1, 1);
  terms.in_office(0, 5, 2, 9, 9);
  terms.in_office(0, 4, 1, 7, 9);  // replaced, and does not know it yet
  BOOST_TEST(law_of(checks) == "none");
  terms.in_office(0, 6, 3, 8, 9);
  BOOST_TEST(law_of(checks) == "a leader has all that is committed");
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
  replica_hashes hashes{checks, 2};
  committed_log log{checks, hashes, 2};
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

// An entry that leaves something in each family, and what a later one does with it.
struct replicas : two_stores {
  static persistence::log_entry first() {
    persistence::logged_item part{.kind = "cart", .id = "a", .first_version = 1};
    part.records = {persistence::encode(event_at(persistence::at_ms(1), "an event")),
                    persistence::encode(event_at(persistence::at_ms(2), "another"))};
    part.proof = receipt{.id = {1, 2}, .expires_at = persistence::at_ms(9)};
    part.timer = timer_change{.before = std::nullopt, .after = persistence::at_ms(5)};
    part.state = snapshot{.version = 1, .state = "state"};
    return {.term = 1, .items = {part}};
  }
  static persistence::log_entry second() {
    persistence::logged_item part{.kind = "cart", .id = "a", .first_version = 3};
    part.timer = timer_change{.before = persistence::at_ms(5), .after = persistence::at_ms(7)};
    part.cut_from = part.cut_through = 1;
    return {.term = 1, .items = {part}};
  }
  replicas() {
    hashes.committed(0, first());
    hashes.committed(0, second());
    for (const auto* each : {one.get(), other.get()}) {
      write(*each, first());
      write(*each, second());
    }
  }
  static void write(const persistence::store& data, const persistence::log_entry& entry) {
    rocksdb::WriteBatch batch;
    persistence::put_items(data, 0, entry, batch);
    BOOST_REQUIRE(data.db().Write({}, &batch).ok());
  }
  static void put(const persistence::store& data, persistence::family which,
                  const std::string& key) {
    data.db().Put({}, data.of(which), key, "x");
  }
};

BOOST_FIXTURE_TEST_CASE(replicas_hold_what_their_log_makes, replicas) {
  hashes.compare_all(1, 0, 2, *one);
  hashes.compare(2, 0, 1, 2, *other);
  put(*other, persistence::family::log, persistence::log_key(0, 1));
  hashes.compare(2, 0, 0, 2, *other);
  BOOST_TEST(law_of(checks) == "none");
  BOOST_TEST(hashes.compared() >= 2U);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_only_one_replica_has_breaks_the_law, replicas) {
  for (const auto which : {persistence::family::events, persistence::family::snapshots,
                           persistence::family::receipts, persistence::family::timers}) {
    sim_checks own;
    replica_hashes fresh(own, 2);
    fresh.committed(0, first());
    fresh.committed(0, second());
    const auto key = persistence::shard_key(0) + "b";
    put(*other, which, key);
    fresh.compare_all(1, 0, 2, *one);
    BOOST_TEST(law_of(own) == "none");
    fresh.compare_all(2, 0, 2, *other);
    BOOST_TEST(law_of(own) == "replicas at the same index hold the same");
    BOOST_TEST(own.broken()->detail.find("b should not be there") != std::string::npos);
    other->db().Delete({}, other->of(which), key);
  }
}

BOOST_FIXTURE_TEST_CASE(what_an_entry_did_otherwise_is_seen_with_it, replicas) {
  const auto prefix = persistence::entity_prefix(0, {"cart", "a"});
  struct row {
    persistence::family which;
    std::string key;
  };
  const row rows[] = {{persistence::family::events, persistence::event_key(prefix, 1)},
                      {persistence::family::events, persistence::event_key(prefix, 2)},
                      {persistence::family::events,
                       persistence::event_key(prefix, persistence::timer_marker_version)},
                      {persistence::family::snapshots, prefix},
                      {persistence::family::receipts, persistence::receipt_key(prefix, {1, 2})},
                      {persistence::family::timers,
                       persistence::timer_key(0, persistence::at_ms(5), {"cart", "a"})},
                      {persistence::family::timers,
                       persistence::timer_key(0, persistence::at_ms(7), {"cart", "a"})}};
  for (const auto& [which, key] : rows) {
    sim_checks own;
    replica_hashes fresh(own, 2);
    fresh.committed(0, {});
    fresh.committed(0, first());
    fresh.committed(0, second());
    put(*one, which, key);
    fresh.compare(1, 0, 1, 3, *one);
    BOOST_TEST(law_of(own) == "replicas at the same index hold the same");
    one->db().Delete({}, one->of(which), key);
    write(*one, first());
    write(*one, second());
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
observed_call<cart_call> clear(std::uint64_t asked, std::optional<std::uint64_t> answered) {
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

// In stretches: each row is what was told between two moments at which nobody waited.
BOOST_AUTO_TEST_CASE(a_cart_is_judged_whenever_nobody_waits) {
  struct row {
    const char* what;
    std::vector<cart_history> stretches;
    verdict is;
  };
  const auto unknown = std::nullopt;
  const row rows[] = {
      {"nothing", {{}}, verdict::linearizable},
      {"seen later", {{add(1, 1, 2)}, {look({{"pen", 1}}, 3, 4)}}, verdict::linearizable},
      {"lost later", {{add(1, 1, 2)}, {look({}, 3, 4)}}, verdict::broken},
      {"broken stays broken",
       {{add(1, 1, 2)}, {look({}, 3, 4)}, {look({{"pen", 1}}, 5, 6)}},
       verdict::broken},
      {"either order, the first",
       {{add(1, 1, 4), clear(2, 3)}, {look({}, 5, 6)}},
       verdict::linearizable},
      {"either order, the second",
       {{add(1, 1, 4), clear(2, 3)}, {look({{"pen", 1}}, 5, 6)}},
       verdict::linearizable},
      {"either order, but not both",
       {{add(1, 1, 4), clear(2, 3)}, {look({}, 5, 6)}, {look({{"pen", 1}}, 7, 8)}},
       verdict::broken},
      {"unknown, done two stretches later",
       {{add(1, 1, unknown)}, {look({}, 2, 3)}, {look({{"pen", 1}}, 4, 5)}},
       verdict::linearizable},
      {"unknown, done once",
       {{add(1, 1, unknown)}, {look({{"pen", 1}}, 2, 3)}, {look({{"pen", 2}}, 4, 5)}},
       verdict::broken},
      {"two unknown, one of them done",
       {{add(1, 1, unknown), add(2, 1, unknown)}, {look({{"pen", 2}}, 2, 3)}},
       verdict::linearizable},
  };
  for (const auto& r : rows) {
    linear_stretches<cart_model, cart_call> stretches(10'000);
    verdict is{};
    for (const auto& each : r.stretches) is = stretches.add(each);
    BOOST_TEST((is == r.is), r.what);
  }
}

BOOST_AUTO_TEST_CASE(a_cart_breaks_its_law_at_the_moment_when_nobody_waits_any_more) {
  const timeline time(1);
  sim_checks checks(&time);
  cart_book book("c", time, checks);
  const auto asked = [&](cart_call what) { return book.begin(std::move(what)); };
  const auto told = [&](std::size_t call) { book.end(call, cart_book::outcome::known); };
  told(asked(add(1, 0, {}).what));
  const auto lie = asked(look({}, 0, 0).what), slow = asked(clear(0, {}).what);
  told(lie);
  BOOST_TEST(law_of(checks) == "none");  // clear may have come first
  told(slow);
  BOOST_TEST(law_of(checks) == "none");
  told(asked(look({{"pen", 1}}, 0, 0).what));
  BOOST_TEST(law_of(checks) == "carts are linearizable");
  BOOST_TEST(checks.broken()->detail.find("(step 0)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_history_that_is_too_long_to_search_is_undecided) {
  cart_history book;
  for (std::uint64_t i = 0; i < 20; ++i) book.push_back(add(1, 1 + i, 100 + i));
  book.push_back(look({{"pen", 99}}, 200, 201));
  BOOST_TEST((judge(book, 50) == verdict::undecided));
  while (book.size() <= 64) book.push_back(look({{"pen", 20}}, 300, 301));
  BOOST_TEST((judge(book) == verdict::undecided));
  linear_stretches<cart_model, cart_call> stretches(10'000);
  BOOST_TEST((stretches.add(book) == verdict::undecided));
  BOOST_TEST((stretches.add({look({}, 400, 401)}) == verdict::undecided));
}

BOOST_AUTO_TEST_CASE(a_history_that_nobody_could_search_breaks_a_law_of_its_own) {
  cart_history book;
  while (book.size() <= 64) book.push_back(look({}, 1 + 2 * book.size(), 2 + 2 * book.size()));
  sim_checks checks;
  check_linearizable("c", book, checks);
  BOOST_TEST(law_of(checks) == "every history of a cart is judged");
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

}  // namespace cluster_checks_test
}  // namespace omnicart::sim
