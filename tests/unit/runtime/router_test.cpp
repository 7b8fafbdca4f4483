#include "runtime/router.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>

#include "tests/unit/runtime/bench_node.hpp"

namespace omnicart::test {
namespace router_test {

// Takes everything and handles nothing, but counts who was told that the leadership is lost.
struct idle_mailbox final : mailbox {
  explicit idle_mailbox(std::size_t& count) : told(count) {}
  void post(host_message message) override {
    told += std::holds_alternative<leadership_lost>(message);
  }
  void post_after(duration_ms, host_message) override {}
  std::size_t& told;
};

struct crowd {
  explicit crowd(std::uint16_t shards)
      : routes({kinds, log, log, time, place, shards}, {},
               [this](const entity_ref& self, const kind_entry&, host_environment&) {
                 if (entering) entering(self);
                 return std::make_shared<idle_mailbox>(told);
               }) {}

  void enter(const std::string& kind, const std::string& id) {
    envelope message;
    message.to = {kind, id};
    message.asker.as = role::system;
    routes.send(std::move(message));
  }
  void enter(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) enter("counter", "c" + std::to_string(i));
  }

  struct record_kind : counter::kind {
    static constexpr std::string_view name = cluster_kind;
  };
  manual_clock time;
  memory_log log{time};
  kind_registry kinds{{kind_of<counter::kind>(), kind_of<record_kind>()}};
  everywhere place;
  std::size_t told = 0;
  std::function<void(const entity_ref&)> entering;  // with its shard's lock held
  router routes;
};

BOOST_AUTO_TEST_SUITE(router_suite)

BOOST_AUTO_TEST_CASE(a_dropped_shard_loses_its_entities_and_no_others) {
  for (const std::uint16_t shards : {1, 5, 64, 100}) {
    BOOST_TEST_CONTEXT(shards << " shards") {
      crowd all(shards);
      all.enter(500);
      all.enter(std::string(cluster_kind), "1");
      std::vector<std::size_t> in_shard(shards + std::size_t{1});
      for (std::size_t i = 0; i < 500; ++i) ++in_shard[shard_of("c" + std::to_string(i), shards)];
      in_shard[shards] = 1;  // the cluster's record
      std::size_t left = 501;
      for (std::uint16_t shard = 0; shard <= shards; ++shard) {
        all.told = 0;
        all.routes.drop(shard);
        left -= in_shard[shard];
        BOOST_TEST(all.told == in_shard[shard]);
        BOOST_TEST(all.routes.stats().residents == left);
      }
    }
  }
}

// drop() is called on the thread that every shard's log waits for.
BOOST_AUTO_TEST_CASE(whoever_drops_a_shard_waits_for_no_other_shard) {
  crowd all(64);
  std::future<void> dropped;
  all.entering = [&](const entity_ref& self) {
    const auto other = static_cast<std::uint16_t>((shard_of(self.id, 64) + 1) % 64);
    dropped = std::async(std::launch::async, [&all, other] { all.routes.drop(other); });
    BOOST_TEST((dropped.wait_for(std::chrono::seconds(5)) == std::future_status::ready));
  };
  all.enter("counter", "a");
  dropped.get();
}

BOOST_AUTO_TEST_CASE(a_crowd_that_is_dropped_leaves_when_it_has_handled_the_news) {
  bench_node node;
  constexpr std::size_t count = 2'000;
  for (std::size_t i = 0; i < count; ++i) node.send("c" + std::to_string(i), counter::get{});
  node.settle();
  BOOST_TEST(node.routes->stats().residents == count);
  for (std::uint16_t shard = 0; shard < 64; ++shard) node.routes->drop(shard);
  BOOST_TEST(node.routes->stats().residents == 0u);
  node.settle();
  BOOST_TEST(node.retired.size() == count);
}

// Printed, not asserted: times of this machine say nothing about another.
BOOST_AUTO_TEST_CASE(dropping_all_shards_of_200000_entities_is_timed) {
  crowd all(64);
  all.enter(200'000);
  double worst_ms = 0, total_ms = 0;
  for (std::uint16_t shard = 0; shard <= 64; ++shard) {
    const auto began = std::chrono::steady_clock::now();
    all.routes.drop(shard);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    worst_ms = std::max(worst_ms, took.count());
    total_ms += took.count();
  }
  BOOST_TEST(all.told == 200'000u);
  BOOST_TEST_MESSAGE("65 shards with 200,000 entities dropped in "
                     << total_ms << " ms, the slowest in " << worst_ms << " ms");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace router_test
}  // namespace omnicart::test
