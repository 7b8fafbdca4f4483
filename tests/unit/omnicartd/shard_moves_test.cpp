#include "tools/omnicartd/shard_moves.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/http/sound_cluster.hpp"

namespace omnicart::node {
namespace shard_moves_test {

using http::cluster_report;
using http::trial::drain;
using http::trial::silence;
using http::trial::sound_cluster;
using http::trial::vote;
using http::trial::with;

BOOST_AUTO_TEST_SUITE(shard_moves)

// The first shard is the one that a row changes.
BOOST_AUTO_TEST_CASE(a_shard_moves_until_raft_has_what_can_be_had_of_what_is_wanted) {
  const auto led_by_second = [](cluster_report& of) { of.shards[0].leader = 2; };
  const struct {
    const char* claim;
    cluster_report of;
    bool moves;
  } rows[] = {
      {"all is as wanted", sound_cluster(3), false},
      {"the order of the others says nothing",
       with(sound_cluster(3), [](cluster_report& of) { of.shards[0].desired.voters = {1, 3, 2}; }), false},
      {"another leads than should", with(sound_cluster(3), led_by_second), true},
      {"nobody leads", with(sound_cluster(3), [](cluster_report& of) { of.shards[0].leader = 0; }), true},
      {"who should lead is lost",
       with(sound_cluster(3),
            [&](cluster_report& of) {
              led_by_second(of);
              silence(of, {0});
            }),
       false},
      {"who should lead is unfit",
       with(sound_cluster(3),
            [&](cluster_report& of) {
              led_by_second(of);
              of.nodes[0].unfit.damaged = true;
            }),
       false},
      {"who should lead stops, and does not say that it does",
       with(sound_cluster(3),
            [&](cluster_report& of) {
              led_by_second(of);
              of.nodes[0].unfit.unsaid = true;
            }),
       false},
      {"who should lead drains",
       with(sound_cluster(3),
            [&](cluster_report& of) {
              led_by_second(of);
              drain(of, {0});
            }),
       true},
      {"a vote is too many", with(sound_cluster(3), [](cluster_report& of) { of.shards[0].desired.voters = {1, 2}; }),
       true},
      {"a vote is missing, of a lost node",
       with(sound_cluster(3),
            [](cluster_report& of) {
              vote(of.shards[0], {1, 2});
              silence(of, {2});
            }),
       true},
      {"the record wants nothing of it",
       with(sound_cluster(3), [](cluster_report& of) { of.shards[0].desired.voters.clear(); }), false},
  };
  for (auto row : rows) BOOST_TEST_CONTEXT(row.claim) {
      note_moves(row.of);
      BOOST_TEST(row.of.shards[0].moving == row.moves);
    }
}

BOOST_AUTO_TEST_CASE(a_lost_node_keeps_none_of_the_shards_moving_that_others_lead_now) {
  auto of = sound_cluster(3);
  silence(of, {0});
  for (auto& s : of.shards) s.leader = 2;
  note_moves(of);
  for (const auto& s : of.shards) BOOST_TEST(!s.moving);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace shard_moves_test
}  // namespace omnicart::node
