#include "runtime/timers.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/runtime/bench_node.hpp"

namespace omnicart::test {
namespace timers_test {

using counter::add;

// The timers of what a bench_node has written.
class stored_timers final : public timer_source {
 public:
  explicit stored_timers(const memory_log& log) : log_(log) {}

  result<std::vector<std::pair<entity_ref, timestamp_ms>>> take_due(const shard_filter& of, timestamp_ms now, std::size_t limit) override {
    std::vector<std::pair<entity_ref, timestamp_ms>> due;
    for (const auto& [name, record] : log_.records) {
      if (!of(group_of(ref(name), shard_count))) continue;
      if (record.entity.timer && *record.entity.timer <= now && due.size() < limit) {
        due.emplace_back(ref(name), *record.entity.timer);
      }
    }
    return due;
  }
  result<std::vector<entity_ref>> take_ahead(std::uint16_t, timestamp_ms until, std::size_t limit) override {
    ++walks;
    std::vector<entity_ref> ahead;
    for (const auto& [name, record] : log_.records) {
      if (name <= last_ || !record.entity.timer || *record.entity.timer > until) continue;
      if (ahead.size() == limit) return ahead;
      last_ = name;
      ahead.push_back(ref(name));
    }
    last_.clear();
    return ahead;
  }
  static constexpr std::uint16_t shard_count = 64;  // as bench_node's
  int walks = 0;

 private:
  static entity_ref ref(const std::string& name) {
    const auto slash = name.find('/');
    return {name.substr(0, slash), name.substr(slash + 1)};
  }
  const memory_log& log_;
  std::string last_;
};

// `count` counters each owe one to "b"; the node dies before any was sent, and starts again.
struct restarted_node {
  explicit restarted_node(int count) {
    for (int i = 0; i < count; ++i) node.send(std::to_string(10'000 + i), add{1, "b"});
    node.run();
    for (auto& item : node.log.queue) item.done = nullptr;  // dies after the write, before the effects
    node.log.flush();
    node.stop();
    node.start();
    wakes.emplace(timers, *node.routes, node.led, node.time, 1);
  }
  std::int64_t paid_after_tick() {
    BOOST_TEST(wakes->tick().has_value());
    node.settle();
    return node.total("b");
  }

  bench_node node;
  stored_timers timers{node.log};
  std::optional<timer_service> wakes;
};

// Two counters with timers that are due, on a node that leads what a test says.
struct node_among_others {
  struct some_shards final : placement {
    bool leads(std::uint16_t shard) const override { return !lost.contains(shard); }
    std::uint64_t term(std::uint16_t shard) const override { return leads(shard) ? 1 : 0; }
    std::set<std::uint16_t> lost;
  };
  struct woken_ones final : message_sink {
    void send(envelope message) override { names.push_back(message.to.id); }
    std::vector<std::string> names;
  };

  node_among_others() {
    for (const char* name : {"here", "there"})
      node.send(name, counter::ring_at{node.time.now + duration_ms{5'000}});
    node.settle();
  }
  static std::uint16_t shard_of(const char* name) {
    return group_of(entity_ref{"counter", name}, stored_timers::shard_count);
  }
  std::vector<std::string> woken_by_tick() {
    out.names.clear();
    BOOST_TEST(wakes.tick().has_value());
    return out.names;
  }

  bench_node node;
  stored_timers timers{node.log};
  some_shards place;
  woken_ones out;
  timer_service wakes{timers, out, place, node.time, 0};
};

BOOST_AUTO_TEST_SUITE(timers)

BOOST_FIXTURE_TEST_CASE(timers_of_a_shard_that_another_node_leads_do_not_ring_here, node_among_others) {
  place.lost.insert(shard_of("there"));
  node.time.advance(duration_ms{5'000});
  BOOST_TEST(woken_by_tick() == std::vector<std::string>{"here"});
  place.lost.clear();
  BOOST_TEST(woken_by_tick() == (std::vector<std::string>{"here", "there"}));
}

BOOST_FIXTURE_TEST_CASE(nobody_is_woken_early_in_a_shard_that_was_taken_over_and_lost_again, node_among_others) {
  const auto shard = shard_of("there");
  wakes.took_over(shard);
  place.lost.insert(shard);
  BOOST_TEST(woken_by_tick().empty());
  place.lost.clear();
  wakes.took_over(shard);
  BOOST_TEST(woken_by_tick() == (std::vector<std::string>{"here", "there"}));  // this source knows one shard
}

BOOST_AUTO_TEST_CASE(what_was_owed_at_a_crash_is_sent_at_the_first_tick_after_the_restart) {
  restarted_node crashed(3);
  crashed.node.pass(duration_ms{1});
  BOOST_TEST(crashed.paid_after_tick() == 3);
}

BOOST_AUTO_TEST_CASE(a_crowd_that_owes_is_woken_at_a_bounded_rate) {
  constexpr auto most = static_cast<std::int64_t>(timer_service::early_wakes_per_tick_max);
  restarted_node crashed(2 * most + 10);
  BOOST_TEST(crashed.paid_after_tick() == most);
  BOOST_TEST(crashed.paid_after_tick() == 2 * most);
  BOOST_TEST(crashed.paid_after_tick() == 2 * most + 10);
  BOOST_TEST(crashed.paid_after_tick() == 2 * most + 10);
  BOOST_TEST(crashed.timers.walks == 3);
}

BOOST_AUTO_TEST_CASE(early_wakes_end_with_those_who_may_have_owed_at_the_start) {
  restarted_node crashed(1);
  BOOST_TEST(crashed.wakes->tick().has_value());
  crashed.node.settle();
  crashed.node.send("later", counter::ring_at{crashed.node.time.now + duration_ms{20'000}});
  crashed.node.settle();
  BOOST_TEST(crashed.wakes->tick().has_value());
  BOOST_TEST(crashed.node.messages.empty());
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_taken_over_later_has_what_it_owes_sent_then) {
  restarted_node crashed(2);
  BOOST_TEST(crashed.paid_after_tick() == 2);
  crashed.node.send("owing", add{1, "b"});
  crashed.node.run();
  for (auto& item : crashed.node.log.queue) item.done = nullptr;
  crashed.node.log.flush();
  crashed.node.stop();
  crashed.node.start();
  timer_service wakes(crashed.timers, *crashed.node.routes, crashed.node.led, crashed.node.time, 0);
  BOOST_TEST(wakes.tick().has_value());
  crashed.node.settle();
  BOOST_TEST(crashed.node.total("b") == 2);
  wakes.took_over(0);
  BOOST_TEST(wakes.tick().has_value());
  crashed.node.settle();
  BOOST_TEST(crashed.node.total("b") == 3);
}

BOOST_AUTO_TEST_CASE(a_wake_up_that_comes_early_leaves_the_timer_where_it_is) {
  bench_node node;
  const timestamp_ms due = node.time.now + duration_ms{20'000};
  node.send("a", counter::ring_at{due});
  node.settle();
  node.stop();
  node.start();
  stored_timers timers(node.log);
  timer_service wakes(timers, *node.routes, node.led, node.time, 1);
  BOOST_TEST(wakes.tick().has_value());
  node.settle();
  BOOST_TEST((node.log.records["counter/a"].entity.timer == due));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace timers_test
}  // namespace omnicart::test
