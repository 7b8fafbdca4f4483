#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/raft/raft_cluster.hpp"

// Stories of whole groups, told step by step; the cluster checks Raft's laws all the while.
namespace omnicart::raft {
namespace raft_story_test {

using kind = membership_change::kind;

template <class T>
bool is(const message& m) {
  return std::holds_alternative<T>(m.body);
}

bool has_entries(const message& m) {
  return is<append_request>(m) && !std::get<append_request>(m.body).entries.empty();
}

bool holds(raft_cluster& cluster, node_id node, const std::string& text) {
  for (const auto& [index, e] : cluster.log(node)) {
    if (e.type == entry_type::command && *e.bytes == text) return true;
  }
  return false;
}

bool has_applied(raft_cluster& cluster, node_id node, const std::string& text) {
  const auto& texts = cluster.applied(node);
  return std::ranges::find(texts, text) != texts.end();
}

void write(raft_cluster& cluster, const std::string& text) {
  const auto index = cluster.submit(cluster.wait_for_leader(), text);
  BOOST_REQUIRE(index.has_value());
  BOOST_REQUIRE(cluster.run_until([&] { return cluster.acknowledged().contains(*index); }));
}

void agree(raft_cluster& cluster, const std::string& last) {
  const auto agreed = [&] {
    return std::ranges::all_of(cluster.nodes(), [&](node_id n) {
      return !cluster.up(n) || has_applied(cluster, n, last);
    });
  };
  BOOST_REQUIRE(cluster.run_until(agreed));
}

// Figure 8 of Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014, up
// to (c): an entry of an earlier term, "a", is on a majority's disks. Only the named node may
// stand, and `passes` says which appends arrive.
struct figure_8 {
  figure_8() : cluster({.seed = 8, .voters = {1, 2, 3, 4, 5}, .group = options()}) {
    cluster.filter = [this](const message& m) {
      if (is<vote_request>(m)) return m.from == candidate;
      return !has_entries(m) || passes(m);
    };
    stand(1);
    write(cluster, "base");
    agree(cluster, "base");

    // (a) S1 leads and brings "a" to S2 only.
    passes = [](const message& m) { return m.to == 2; };
    old_index = *cluster.submit(1, "a");
    BOOST_REQUIRE(cluster.run_until([&] { return cluster.group(1).match_index(2) == old_index; }));
    cluster.crash(1);

    // (b) S5 leads by the votes of S3 and S4 and keeps "b" to itself.
    passes = [](const message&) { return false; };
    stand(5);
    BOOST_REQUIRE(cluster.submit(5, "b").has_value());
    cluster.run_for(20);
    cluster.crash(5);

    // (c) S1 leads again and goes on with "a", which S3 gets; nothing of S1's new term arrives
    // anywhere.
    passes = [this](const message& m) {
      const auto& append = std::get<append_request>(m.body);
      return m.to == 3 && append.entries.back().term < append.term && m.from == 1;
    };
    cluster.start(1);
    stand(1);
    BOOST_REQUIRE(cluster.run_until([&] { return cluster.group(1).match_index(3) >= old_index; }));
    BOOST_REQUIRE(holds(cluster, 2, "a") && holds(cluster, 3, "a"));
  }

  static group_options options() {
    auto group = cluster_options{}.group;
    group.message_bytes_max = 0;  // each entry travels alone
    return group;
  }

  void stand(node_id node) {
    candidate = node;
    const auto leads = [&] {
      return cluster.leader() == node && cluster.group(node).current_state() == state::leader;
    };
    BOOST_REQUIRE(cluster.run_until(leads));
  }

  raft_cluster cluster;
  node_id candidate = 0;
  std::function<bool(const message&)> passes = [](const message&) { return true; };
  log_index old_index = 0;
};

const auto all_pass = [](const message&) { return true; };

BOOST_AUTO_TEST_SUITE(raft_story)

BOOST_AUTO_TEST_CASE(figure_8_an_earlier_terms_entry_on_a_majority_is_not_committed) {
  figure_8 story;
  auto& cluster = story.cluster;
  cluster.run_for(200);
  BOOST_TEST(cluster.group(1).commit_index() < story.old_index);
  BOOST_TEST(!cluster.may_read(1));

  // (d) S1 ends; S5 may lead by the votes of S2, S3 and S4, and replaces "a".
  cluster.crash(1);
  story.passes = all_pass;
  cluster.start(5);
  story.stand(5);
  cluster.start(1);
  write(cluster, "after");
  agree(cluster, "after");
  for (const auto node : cluster.nodes()) {
    BOOST_TEST(has_applied(cluster, node, "b"));
    BOOST_TEST(!has_applied(cluster, node, "a"));
  }
}

BOOST_AUTO_TEST_CASE(figure_8_an_entry_of_the_new_term_commits_the_earlier_ones_with_it) {
  figure_8 story;
  auto& cluster = story.cluster;
  // (e) S1's barrier reaches a majority before it ends; S5 cannot lead any more.
  story.passes = [](const message& m) { return m.from == 1 && m.to <= 3; };
  BOOST_REQUIRE(cluster.run_until([&] { return cluster.may_read(1); }));
  BOOST_TEST(cluster.group(1).commit_index() > story.old_index);
  cluster.crash(1);
  story.passes = all_pass;
  story.candidate = 5;
  cluster.start(5);
  cluster.run_for(3000);
  BOOST_TEST(cluster.leader() == 0);
  story.stand(2);
  write(cluster, "after");
  agree(cluster, "after");
  for (const node_id node : {2, 3, 4, 5}) {
    BOOST_TEST(has_applied(cluster, node, "a"));
    BOOST_TEST(!has_applied(cluster, node, "b"));
  }
}

// The leader sends an entry and writes it at the same time. Its write fails and its process ends;
// what becomes of the entry depends on whom it reached.
BOOST_AUTO_TEST_CASE(a_leader_whose_write_fails_loses_nothing_that_was_acknowledged) {
  struct row {
    std::string claim;
    int reached;  // followers
    bool acknowledged;
    int survives;  // 1 yes, 0 no, -1 either
  };
  const row rows[] = {
      {"nobody else has it: it never was", 0, false, 0},
      {"its own failed write is no replica: one other is no majority", 1, false, -1},
      {"two others are a majority without it", 2, true, 1}};
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.claim) {
      raft_cluster cluster({.seed = 3});
      write(cluster, "before");
      agree(cluster, "before");
      const auto old_leader = cluster.leader();
      std::set<node_id> reached;
      for (const auto node : cluster.nodes()) {
        if (node != old_leader && static_cast<int>(reached.size()) < r.reached)
          reached.insert(node);
      }
      cluster.filter = [&](const message& m) { return !has_entries(m) || reached.contains(m.to); };
      cluster.set_disk_us(old_leader, 60'000);
      cluster.fail_next_write(old_leader);
      const auto index = cluster.submit(old_leader, "x");
      BOOST_REQUIRE(cluster.run_until([&] { return !cluster.up(old_leader); }));
      BOOST_TEST(cluster.acknowledged().contains(*index) == r.acknowledged);

      cluster.filter = nullptr;
      write(cluster, "after");
      BOOST_TEST(cluster.leader() != old_leader);
      cluster.start(old_leader);
      agree(cluster, "after");
      const bool survived = has_applied(cluster, cluster.leader(), "x");
      for (const auto node : cluster.nodes())
        BOOST_TEST(has_applied(cluster, node, "x") == survived);
      if (r.survives >= 0) BOOST_TEST(survived == (r.survives == 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_deposed_leader_neither_reads_nor_commits) {
  raft_cluster cluster({.seed = 4});
  write(cluster, "before");
  const auto old_leader = cluster.leader();
  cluster.isolate(old_leader);
  const auto lost = cluster.submit(old_leader, "lost");
  BOOST_REQUIRE(cluster.run_until(
      [&] { return cluster.leader() != old_leader && cluster.may_read(cluster.leader()); }));
  BOOST_TEST(!cluster.may_read(old_leader));
  write(cluster, "after");
  cluster.heal();
  agree(cluster, "after");
  BOOST_TEST(!has_applied(cluster, old_leader, "lost"));
  BOOST_TEST(
      (!cluster.acknowledged().contains(*lost) || cluster.acknowledged().at(*lost) != "lost"));
}

BOOST_AUTO_TEST_CASE(leadership_is_handed_over_within_a_few_round_trips) {
  raft_cluster cluster({.seed = 5});
  write(cluster, "before");
  const auto from = cluster.leader();
  const node_id to = from == 1 ? 2 : 1;
  BOOST_REQUIRE(cluster.submit(from, "on its way").has_value());
  BOOST_REQUIRE(cluster.transfer(from, to));
  BOOST_TEST(!cluster.may_read(from));
  BOOST_TEST(!cluster.submit(from, "too late").has_value());
  // Entries to the target, its request for votes, its barrier: three round trips of at most 6 ms
  // and three writes.
  BOOST_TEST(cluster.run_until([&] { return cluster.leader() == to && cluster.may_read(to); }, 40));
  write(cluster, "after");
  agree(cluster, "after");
  BOOST_TEST(has_applied(cluster, to, "on its way"));
}

BOOST_AUTO_TEST_CASE(a_transfer_to_a_dead_node_is_given_up) {
  raft_cluster cluster({.seed = 6});
  write(cluster, "before");
  const auto leader = cluster.leader();
  const node_id dead = leader == 1 ? 2 : 1;
  cluster.crash(dead);
  BOOST_REQUIRE(cluster.submit(leader, "unknown to the dead").has_value());
  BOOST_REQUIRE(cluster.transfer(leader, dead));
  BOOST_REQUIRE(cluster.run_until([&] { return cluster.may_read(leader); }, 300));
  write(cluster, "after");
  BOOST_TEST(cluster.leader() == leader);
}

BOOST_AUTO_TEST_CASE(a_request_to_stand_that_is_lost_leaves_the_leader_in_office) {
  raft_cluster cluster({.seed = 7});
  write(cluster, "before");
  agree(cluster, "before");
  const auto leader = cluster.leader();
  const auto term = cluster.group(leader).term();
  cluster.filter = [](const message& m) { return !is<timeout_now>(m); };
  BOOST_REQUIRE(cluster.transfer(leader, leader == 1 ? 2 : 1));
  BOOST_REQUIRE(cluster.run_until([&] { return cluster.may_read(leader); }, 400));
  BOOST_TEST(cluster.group(leader).term() == term);
  write(cluster, "after");
}

BOOST_AUTO_TEST_CASE(a_follower_that_missed_too_much_gets_a_snapshot) {
  raft_cluster cluster({.seed = 9});
  write(cluster, "before");
  const auto leader = cluster.leader();
  const node_id behind = leader == 1 ? 2 : 1;
  cluster.crash(behind);
  for (int i = 0; i < 40; ++i) write(cluster, "w" + std::to_string(i));
  BOOST_REQUIRE(cluster.take_snapshot(leader));
  BOOST_TEST(cluster.group(leader).first_index() > 30);
  cluster.start(behind);
  write(cluster, "after");
  agree(cluster, "after");
  BOOST_TEST(cluster.installs() == 1);
  BOOST_TEST(cluster.applied(behind) == cluster.applied(leader), boost::test_tools::per_element());

  // From now on by the log, also after a restart from the snapshot.
  cluster.crash(behind);
  write(cluster, "more");
  cluster.start(behind);
  agree(cluster, "more");
  BOOST_TEST(cluster.installs() == 1);
}

BOOST_AUTO_TEST_CASE(entries_that_left_memory_are_read_from_disk) {
  auto group = cluster_options{}.group;
  group.memory_bytes_max = 0;
  raft_cluster cluster({.seed = 10, .group = group});
  write(cluster, "before");
  const auto leader = cluster.leader();
  const node_id behind = leader == 1 ? 2 : 1;
  cluster.crash(behind);
  for (int i = 0; i < 100; ++i) write(cluster, "w" + std::to_string(i));
  cluster.start(behind);
  agree(cluster, "w99");
  BOOST_TEST(cluster.reads() > 0);
  BOOST_TEST(cluster.installs() == 0);
}

BOOST_AUTO_TEST_CASE(a_node_alone_grows_to_three_and_shrinks_back) {
  raft_cluster cluster({.seed = 11, .voters = {1}, .joiners = {2, 3}, .snapshot_every = 10});
  for (int i = 0; i < 30; ++i) write(cluster, "alone" + std::to_string(i));
  const auto change = [&](const membership_change& c) {
    BOOST_REQUIRE(cluster.run_until([&] { return cluster.change(1, c); }));
    write(cluster, "step");
  };
  for (const node_id node : {2, 3}) {
    change({kind::add, node, role::spare});
    BOOST_REQUIRE(cluster.catch_up(1, node));
    const auto is_done = [&] {
      return cluster.group(1).catch_up_progress(node) == raft_group::catch_up_state::done;
    };
    BOOST_REQUIRE(cluster.run_until(is_done));
    change({kind::assign, node, role::voter});
  }
  write(cluster, "three");
  agree(cluster, "three");
  cluster.crash(3);
  write(cluster, "a minority is lost");
  cluster.start(3);
  for (const node_id node : {3, 2}) change({kind::remove, node});
  cluster.crash(2);
  cluster.crash(3);
  write(cluster, "alone again");
  BOOST_TEST(cluster.group(1).members().servers.size() == 1);
}

BOOST_AUTO_TEST_CASE(a_promotion_that_only_the_leader_knows_of_does_not_stop_the_group) {
  raft_cluster cluster({.seed = 12, .voters = {1}, .joiners = {2}});
  write(cluster, "before");
  BOOST_REQUIRE(cluster.run_until([&] {
    return cluster.change(1, {kind::add, 2, role::standby});
  }));
  write(cluster, "known to both");
  const auto has_all = [&] {
    return cluster.group(1).match_index(2) == cluster.group(1).last_index();
  };
  BOOST_REQUIRE(cluster.run_until(has_all));
  cluster.isolate(1);
  BOOST_REQUIRE(cluster.change(1, {kind::assign, 2, role::voter}));
  cluster.run_for(50);  // on the leader's disk now
  cluster.crash(1);
  cluster.heal();
  cluster.start(1);
  // The leader counts on a node that takes itself for a standby; with its vote alone it can go on.
  write(cluster, "after");
  agree(cluster, "after");
  BOOST_TEST(voters_of(cluster.group(2).members()).size() == 2);
}

BOOST_AUTO_TEST_CASE(a_candidate_that_missed_two_terms_hears_of_them) {
  raft_cluster cluster({.seed = 13});
  write(cluster, "before");
  agree(cluster, "before");
  const auto longest = cluster.leader();
  const node_id ahead = longest == 1 ? 2 : 1;
  const node_id gone = 6 - longest - ahead;
  // The old leader has an entry nobody else has, and sleeps through two terms that leave no entries
  // with `ahead`.
  cluster.isolate(longest);
  cluster.submit(longest, "unknown");
  cluster.run_for(20);
  cluster.crash(longest);
  cluster.filter = [&](const message& m) {
    return !(is<vote_request>(m) && m.from == ahead) && !has_entries(m);
  };
  for (int terms = 0; terms < 2; ++terms) {
    BOOST_REQUIRE(cluster.run_until([&] { return cluster.leader() == gone; }));
    cluster.crash(gone);
    if (terms == 0) cluster.start(gone);
  }
  cluster.filter = nullptr;
  cluster.heal();
  cluster.start(longest);
  BOOST_REQUIRE(cluster.stored_term(ahead) >= cluster.stored_term(longest) + 2);
  // Only the one behind in terms may lead, and only with the vote of the one ahead.
  write(cluster, "after");
  BOOST_TEST(cluster.leader() == longest);
}

BOOST_AUTO_TEST_CASE(a_restarted_node_gives_no_vote_for_an_election_timeout) {
  raft_cluster cluster({.seed = 14});
  write(cluster, "before");
  agree(cluster, "before");
  // The leader's lease may rest on the echo of a node that has forgotten it.
  const auto leader = cluster.leader();
  const node_id restarted = leader == 1 ? 2 : 1;
  const node_id other = 6 - leader - restarted;
  const auto& log = cluster.group(leader);
  const vote_request request{.term = log.term() + 1,
                             .last_index = log.last_index(),
                             .last_term = log.term_at(log.last_index()),
                             .disrupt_leader = true};
  int votes = 0;
  cluster.filter = [&](const message& m) {
    votes += m.from == restarted && is<vote_result>(m) ? 1 : 0;
    return true;
  };
  cluster.crash(restarted);
  cluster.start(restarted);
  cluster.isolate(leader);
  cluster.crash(other);
  for (int ms = 0; ms < 140; ms += 10) {
    cluster.inject({.from = other, .to = restarted, .body = request});
    cluster.run_for(10);
  }
  BOOST_TEST(votes == 0);
  cluster.run_for(10);
  cluster.inject({.from = other, .to = restarted, .body = request});
  cluster.run_for(10);
  BOOST_TEST(votes == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace raft_story_test
}  // namespace omnicart::raft
