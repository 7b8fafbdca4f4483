#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "actors/cluster/cluster_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"
#include "tests/unit/actors/rule_table.hpp"

// Keys that may have leaked.
namespace omnicart::cluster_record {
namespace cluster_keys_test {

signing_key key_of(std::uint64_t number, std::int64_t from_s) {
  return {.number = number,
          .secret = std::string(key_secret_bytes, static_cast<char>('A' + number)),
          .active_from = trial::at(from_s),
          .expires_at = trial::at(90'000)};
}

trial::subject<kind> cluster_with_a_key() {
  trial::subject<kind> one;
  const node first{.id = 1,
                   .name = "n1",
                   .link = {},
                   .http = {},
                   .operators = {},
                   .state = node_state::joining,
                   .since = {}};
  BOOST_TEST(one.give(found{.cluster = std::string(32, 'a'),
                            .first = first,
                            .shard_count = 2,
                            .keys = {key_of(1, 1'000)}}) == 0);
  return one;
}

rotate_key rotating(bool distrust_others) {
  return {.key = key_of(2, 2'000),
          .by = {.who = "ann@desk", .why = "a backup was stolen"},
          .distrust_others = distrust_others};
}

BOOST_AUTO_TEST_SUITE(cluster_keys)

BOOST_AUTO_TEST_CASE(leaked_keys_are_believed_until_the_next_is_in_force) {
  auto one = cluster_with_a_key();
  BOOST_TEST(one.give(rotating(true)) == 0);
  BOOST_REQUIRE(one.s.keys.size() == 2u);
  BOOST_TEST((key_to_verify(one.s, 1, trial::at(1'999)) != nullptr));
  BOOST_TEST((key_to_verify(one.s, 1, trial::at(2'000)) == nullptr));
  BOOST_TEST(key_to_sign(one.s, trial::at(2'000))->number == 2u);
  BOOST_TEST(one.s.operations.back().what == "rotate keys: number 2, the others are distrusted");
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(otherwise_they_are_believed_until_they_expire) {
  auto one = cluster_with_a_key();
  BOOST_TEST(one.give(rotating(false)) == 0);
  BOOST_TEST((key_to_verify(one.s, 1, trial::at(89'999)) != nullptr));
  BOOST_TEST(one.s.operations.back().what == "rotate keys: number 2");
}

// The keys that were ever given, beside the record's.
struct random_keys {
  explicit random_keys(std::uint32_t seed) : random(seed), given{key_of(1, 1'000)} {}

  signing_key draw_key() {
    const auto second = one.now.time_since_epoch().count() / 1'000;
    signing_key k = key_of(given.back().number + random() % 3, second - 50 + random() % 200);
    k.expires_at = k.active_from + std::chrono::seconds(random() % 2'000);
    if (random() % 12 == 0) k.secret.pop_back();
    return k;
  }
  std::size_t in_force_or_to_come() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(given, [&](const signing_key& k) { return one.now < k.expires_at; }));
  }
  void rotate() {
    rotate_key c = rotating(random() % 5 == 0);
    c.key = random() % 8 == 0 ? given.back() : draw_key();
    const bool again = c.key == given.back();
    const bool good = c.key.secret.size() == key_secret_bytes && c.key.number > given.back().number &&
                      c.key.expires_at > std::max(c.key.active_from, one.now);
    const bool room = in_force_or_to_come() < keys_max;
    full += good && !room;
    BOOST_REQUIRE(one.give(c) == (again || (good && room) ? 0 : trial::number(errc::invalid_key)));
    BOOST_REQUIRE((one.names == "key_rotated") == (!again && good && room));
    if (one.names.empty()) return;
    for (auto& k : given) {
      if (c.distrust_others) k.expires_at = std::min(k.expires_at, c.key.active_from);
    }
    given.push_back(c.key);
  }
  // Now or later: the newest in force signs, all but the expired are believed.
  void compare(timestamp_ms at) const {
    const signing_key* signs = nullptr;
    for (const auto& k : given) {
      const bool believed = at < k.expires_at;
      BOOST_REQUIRE((key_to_verify(one.s, k.number, at) != nullptr) == believed);
      if (believed && k.active_from <= at) signs = &k;
    }
    const auto* chosen = key_to_sign(one.s, at);
    BOOST_REQUIRE((chosen == nullptr) == (signs == nullptr));
    if (signs) BOOST_REQUIRE((chosen->number == signs->number && chosen->secret == signs->secret));
    BOOST_REQUIRE(key_to_verify(one.s, given.back().number + 1, at) == nullptr);
  }

  std::mt19937 random;
  trial::subject<kind> one = cluster_with_a_key();
  std::vector<signing_key> given;
  int full = 0;
};

BOOST_AUTO_TEST_CASE(random_rotations_leave_the_newest_key_to_sign_and_the_rest_to_be_believed) {
  int full = 0;
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      random_keys story(seed);
      for (int i = 0; i < 150; ++i) {
        story.one.now += duration_ms{story.random() % (seed % 2 ? 20'000 : 200'000)};
        story.rotate();
        story.compare(story.one.now);
        story.compare(story.one.now + duration_ms{story.random() % 1'000'000});
        story.one.reload();
      }
      story.one.check_replay();
      full += story.full;
    }
  }
  const bool is_one_seed = trial::seeds(2).size() == 1;
  BOOST_TEST((full > 0 || is_one_seed));
}

BOOST_AUTO_TEST_CASE(a_rotation_of_an_older_build_distrusts_nobody) {
  const auto old =
      kind::decode_event(trial::unhex("92019208939401c40173cd03e8cd07d092c40177c40179cd03e8"));
  BOOST_REQUIRE(old.has_value());
  BOOST_TEST(!std::get<key_rotated>(*old).others_until.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_keys_test
}  // namespace omnicart::cluster_record
