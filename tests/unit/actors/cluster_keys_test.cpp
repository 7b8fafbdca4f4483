#include <boost/test/unit_test.hpp>

#include "actors/cluster/cluster_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"
#include "tests/unit/actors/rule_table.hpp"

// Keys that may have leaked.
namespace omnicart::cluster_record {
namespace {

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

BOOST_AUTO_TEST_CASE(a_rotation_of_an_older_build_distrusts_nobody) {
  const auto old =
      kind::decode_event(trial::unhex("92019208939401c40173cd03e8cd07d092c40177c40179cd03e8"));
  BOOST_REQUIRE(old.has_value());
  BOOST_TEST(!std::get<key_rotated>(*old).others_until.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace omnicart::cluster_record
