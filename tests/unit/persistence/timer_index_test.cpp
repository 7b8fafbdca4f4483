#include "persistence/timer_index.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace timer_index_test {

using due_list = std::vector<std::pair<entity_ref, timestamp_ms>>;

const entity_ref cart{"cart", "a"};

struct timing {
  manual_clock time;
  std::shared_ptr<sim::fault_fs> disk = std::make_shared<sim::fault_fs>(3);
  std::optional<open_store> node{std::in_place, options_on(disk), time};

  void move(const entity_ref& entity, std::optional<timestamp_ms> before,
            std::optional<timestamp_ms> after) {
    node->journal->append(
        {.entity = entity, .timer = timer_change{.before = before, .after = after}});
    node->journal->flush_once();
  }
  due_list take(std::int64_t now, std::size_t limit = 100) {
    return node->timers->take_due([](std::uint16_t) { return true; }, at_ms(now), limit).value();
  }
  void restart() {
    disk = std::make_shared<sim::fault_fs>(4, disk->crash());
    node.reset();
    node.emplace(options_on(disk), time);
  }
};

BOOST_FIXTURE_TEST_SUITE(durable_timers, timing)

BOOST_AUTO_TEST_CASE(a_timer_is_due_at_its_time_also_after_a_restart) {
  BOOST_TEST(!node->timers->next_due().has_value());
  move(cart, {}, at_ms(100));
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST((node->timers->next_due() == at_ms(100)));
    BOOST_TEST(take(99).empty());
    restart();
  }
  BOOST_TEST((take(100) == due_list{{cart, at_ms(100)}}));
}

BOOST_AUTO_TEST_CASE(a_moved_timer_is_due_at_its_new_time_only) {
  move(cart, {}, at_ms(100));
  move(cart, at_ms(100), at_ms(300));
  BOOST_TEST(take(299).empty());
  BOOST_TEST((node->timers->next_due() == at_ms(300)));
  move(cart, at_ms(300), at_ms(200));
  BOOST_TEST((take(200) == due_list{{cart, at_ms(200)}}));
  BOOST_TEST((node->reader->load_now(cart).value().timer == at_ms(200)));
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_is_gone_with_its_marker) {
  move(cart, {}, at_ms(100));
  move(cart, at_ms(100), {});
  BOOST_TEST(take(1'000).empty());
  BOOST_TEST(!node->timers->next_due().has_value());
  BOOST_TEST(!node->reader->load_now(cart).value().timer.has_value());
}

BOOST_AUTO_TEST_CASE(a_timer_is_handed_out_once_and_again_when_nobody_settled_it) {
  move(cart, {}, at_ms(100));
  BOOST_TEST(take(100).size() == 1u);
  BOOST_TEST(take(101).empty());
  const auto again = 100 + timer_index::retry_after.count();
  BOOST_TEST((node->timers->next_due() == at_ms(again)));
  BOOST_TEST(take(again - 1).empty());
  BOOST_TEST(take(again).size() == 1u);
  move(cart, at_ms(100), {});
  BOOST_TEST(take(again * 3).empty());
  BOOST_TEST(!node->timers->next_due().has_value());
}

BOOST_AUTO_TEST_CASE(a_settled_timer_set_to_the_same_time_again_is_handed_out_again) {
  move(cart, {}, at_ms(100));
  BOOST_TEST(take(100).size() == 1u);
  move(cart, at_ms(100), at_ms(100));
  BOOST_TEST(take(100).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_limit_leaves_the_rest_for_the_next_call_and_starves_no_shard) {
  std::vector<std::string> seen;
  for (int i = 0; i < 50; ++i) move({"cart", "c" + std::to_string(i)}, {}, at_ms(100 + i));
  for (auto got = take(1'000, 7); !got.empty(); got = take(1'000, 7)) {
    BOOST_TEST(got.size() <= 7u);
    for (const auto& [entity, due] : got) seen.push_back(entity.id);
  }
  std::sort(seen.begin(), seen.end());
  BOOST_TEST(seen.size() == 50u);
  BOOST_TEST((std::adjacent_find(seen.begin(), seen.end()) == seen.end()));
}

BOOST_AUTO_TEST_CASE(timers_of_shards_that_are_led_elsewhere_stay_until_they_are_led_here) {
  const auto here = node->data->shard_of(cart);
  entity_ref there{"cart", "x"};
  while (node->data->shard_of(there) == here) there.id += 'x';
  move(cart, {}, at_ms(100));
  move(there, {}, at_ms(100));
  const auto led = [here](std::uint16_t shard) { return shard == here; };
  BOOST_TEST((node->timers->take_due(led, at_ms(100), 100).value() ==
              due_list{{cart, at_ms(100)}}));
  BOOST_TEST((take(100) == due_list{{there, at_ms(100)}}));
}

BOOST_AUTO_TEST_CASE(timers_ahead_are_walked_once_by_shard_whatever_the_limit) {
  std::vector<std::string> expected, seen;
  for (int i = 0; i < 50; ++i) {
    move({"cart", "c" + std::to_string(i)}, {}, at_ms(100 + i));
    if (i <= 40) expected.push_back("c" + std::to_string(i));
  }
  restart();
  BOOST_TEST(take(109).size() == 10u);  // these are under way already
  for (std::uint16_t shard = 0; shard < node->data->shard_count(); ++shard) {
    for (std::size_t count = 3; count == 3;) {
      const auto got = node->timers->take_ahead(shard, at_ms(140), 3).value();
      for (const auto& entity : got) seen.push_back(entity.id);
      count = got.size();
      BOOST_REQUIRE(count <= 3u);
    }
  }
  for (int i = 0; i < 10; ++i) seen.push_back("c" + std::to_string(i));
  std::sort(seen.begin(), seen.end());
  std::sort(expected.begin(), expected.end());
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
  BOOST_TEST(take(140).size() == 31u);  // and are due at their time all the same
}

BOOST_AUTO_TEST_CASE(a_walk_ahead_goes_on_though_the_timer_it_stood_on_is_gone) {
  const entity_ref other{"session", "a"};  // in the shard of the cart with that id
  const auto shard = node->data->shard_of(cart);
  move(cart, {}, at_ms(100));
  move(other, {}, at_ms(101));
  BOOST_TEST((node->timers->take_ahead(shard, at_ms(200), 1).value() == std::vector{cart}));
  move(cart, at_ms(100), {});
  BOOST_TEST((node->timers->take_ahead(shard, at_ms(200), 1).value() == std::vector{other}));
  BOOST_TEST(node->timers->take_ahead(shard, at_ms(200), 1).value().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace timer_index_test
}  // namespace omnicart::persistence
