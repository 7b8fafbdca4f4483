#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <initializer_list>

#include "tests/unit/cluster/journal/journal_cluster.hpp"

namespace omnicart::cluster {
namespace replicas_test {

using kind = raft::membership_change::kind;

constexpr raft::membership_change add(node_id node, raft::role as) {
  return {.what = kind::add, .node = node, .as = as};
}
constexpr raft::membership_change assign(node_id node, raft::role as) {
  return {.what = kind::assign, .node = node, .as = as};
}

bool is_ok(const std::optional<status>& end) { return end && end->has_value(); }
bool is_told(const std::shared_ptr<const sent_item>& item) { return item->told.has_value(); }

BOOST_AUTO_TEST_SUITE(journal_replicas)

BOOST_AUTO_TEST_CASE(a_founder_grows_to_three_and_its_entries_reach_all) {
  journal_cluster cluster(1);
  const auto cart = cluster.entity_of(0, 1);
  const auto early = cluster.send(1, cart);
  cluster.run_for(10);
  BOOST_TEST(is_ok(early->told));
  BOOST_TEST(cluster.view(2, 0).members.servers.empty());

  BOOST_TEST(is_ok(cluster.ask(1, 0, add(2, raft::role::spare))));
  BOOST_TEST(is_ok(cluster.ask_catch_up(1, 0, 2)));
  BOOST_TEST(is_ok(cluster.ask(1, 0, assign(2, raft::role::voter))));
  BOOST_TEST(is_ok(cluster.ask(1, 0, add(3, raft::role::standby))));
  BOOST_TEST(is_ok(cluster.ask_catch_up(1, 0, 3)));
  BOOST_TEST(is_ok(cluster.ask(1, 0, assign(3, raft::role::voter))));

  const auto late = cluster.send(1, cart);
  BOOST_TEST(cluster.run_until([&] { return is_told(late); }));
  BOOST_TEST(is_ok(late->told));
  BOOST_TEST(cluster.run_until([&] { return cluster.agreed(0); }));
  for (const auto node : cluster.nodes()) {
    BOOST_TEST(cluster.events(node, cart) == (std::vector<std::string>{early->text, late->text}));
    BOOST_TEST(raft::voters_of(cluster.view(node, 0).members).size() == 3u);
  }
  const auto seen = cluster.view(1, 0);
  BOOST_TEST(seen.serving);
  BOOST_TEST_REQUIRE(seen.followers.size() == 2u);
  BOOST_TEST(seen.followers[1].match == seen.last);
}

BOOST_AUTO_TEST_CASE(nobody_is_told_and_nothing_applied_before_a_majority_has_it) {
  journal_cluster cluster(2);
  cluster.grow(3);
  cluster.run_for(100);
  const auto lead = cluster.wait_for_leader(0);
  BOOST_TEST(lead == 1u);
  const auto applied = cluster.view(lead, 0).applied;
  cluster.isolate(2);
  cluster.isolate(3);
  const auto item = cluster.send(lead, cluster.entity_of(0, 1));
  cluster.run_for(50);
  BOOST_TEST(!is_told(item));
  BOOST_TEST(cluster.view(lead, 0).last > applied);
  BOOST_TEST(cluster.view(lead, 0).applied == applied);
  BOOST_TEST(cluster.events(lead, item->entity).empty());
  cluster.heal();
  BOOST_TEST(cluster.run_until([&] { return is_told(item); }));
  BOOST_TEST(cluster.run_until([&] { return cluster.agreed(0); }));
}

// One a millisecond to three entities of shard 0, until there are enough.
template <class Enough>
void write_until(journal_cluster& cluster, int most, const Enough& enough) {
  for (int i = 0; i < most && !enough(); ++i) {
    cluster.send(1, cluster.entity_of(0, i % 3));
    cluster.run_for(1);
  }
}

// Of shard 0, whose logs on nodes 1 and 2 do not reach back to what these have.
void leave_behind(journal_cluster& cluster, std::initializer_list<node_id> behind) {
  for (const auto node : behind) cluster.isolate(node);
  write_until(cluster, 30, [] { return false; });
  cluster.run_for(20);
  cluster.cut_logs(1);
  cluster.cut_logs(2);
}

struct three : journal_cluster {
  three() : journal_cluster(7) {
    grow(3);
    run_for(100);
  }
  void settle(std::uint16_t shard) {
    BOOST_TEST(run_until([&] { return agreed(shard); }));
    check_written();
  }
};

BOOST_FIXTURE_TEST_CASE(a_leader_that_is_cut_off_tells_what_was_on_its_way_unknown, three) {
  const auto cart = entity_of(0, 1);
  const auto before = send(1, cart);
  run_for(20);
  BOOST_TEST(is_ok(before->told));
  isolate(1);
  const auto lost = send(1, cart);
  BOOST_TEST(run_until([&] { return leader(0) > 1; }));
  BOOST_TEST(!journal(1).may_answer(cart));
  const auto next = send(wait_for_leader(0), cart);
  BOOST_TEST(run_until([&] { return is_told(next); }));
  BOOST_TEST(is_ok(next->told));
  BOOST_TEST(next->version == lost->version);
  heal();
  BOOST_TEST(run_until([&] { return is_told(lost); }));
  BOOST_TEST((*lost->told).error().is(base_errc::unknown_outcome));
  BOOST_TEST((leaderships(1).back() == std::pair<std::uint16_t, std::uint64_t>(0, 0)));
  settle(0);
}

// One that runs steps down at about the same time; here only the clock says that others went on.
BOOST_FIXTURE_TEST_CASE(a_leader_that_was_stopped_reads_no_more_when_another_leads, three) {
  const auto cart = entity_of(0, 1);
  BOOST_TEST(journal(1).may_answer(cart));
  stop(1);
  BOOST_TEST(run_until([&] { return leader(0) > 1; }));
  BOOST_TEST(!journal(1).may_answer(cart));
  go_on(1);
  settle(0);
}

BOOST_FIXTURE_TEST_CASE(what_a_new_leader_takes_back_leaves_no_gap_in_the_log, three) {
  const auto cart = entity_of(0, 1);
  send(1, cart);
  run_for(20);
  isolate(1);
  send(1, cart);  // in its own log only
  BOOST_TEST(run_until([&] { return leader(0) > 1; }));
  send(wait_for_leader(0), cart);
  heal();
  settle(0);
  const auto stored = persistence::shard_log(*parts(1).data).stored(0).value();
  const auto entries = replica_storage(*parts(1).data).read(0, stored.first, 1'000);
  BOOST_TEST_REQUIRE(entries.has_value());
  BOOST_TEST(entries->size() == stored.last - stored.first + 1);
}

BOOST_FIXTURE_TEST_CASE(what_a_deposed_leader_decided_and_nobody_wrote_is_told_unavailable, three) {
  const auto cart = entity_of(0, 1);
  const auto term = journal(1).term(0);
  BOOST_TEST(is_ok(ask_transfer(1, 0, 2)));
  BOOST_TEST(run_until([&] { return journal(1).leader(0) == std::optional<node_id>(2); }));
  std::optional<status> told;
  journal_item late{.entity = cart, .term = term, .first_version = 1};
  late.events.push_back(persistence::event_at(persistence::at_ms(1), "late"));
  late.done = [&](status outcome) { told = std::move(outcome); };
  journal(1).append(std::move(late));
  run_for(1);
  BOOST_TEST_REQUIRE(told.has_value());
  BOOST_TEST(told->error().is(base_errc::unavailable));
  BOOST_TEST((leader_named_by(told->error()) == std::optional<node_id>(2)));
  settle(0);
  BOOST_TEST(events(2, cart).empty());
}

// Leadership went and came back: only the term tells that others have decided meanwhile.
BOOST_FIXTURE_TEST_CASE(what_was_decided_in_an_earlier_term_of_the_same_leader_is_not_written,
                        three) {
  const auto cart = entity_of(0, 1);
  const auto term = journal(1).term(0);
  BOOST_TEST(is_ok(ask_transfer(1, 0, 2)));
  BOOST_TEST(wait_for_leader(0) == 2u);
  const auto between = send(2, cart);
  BOOST_TEST(run_until([&] { return is_told(between); }));
  BOOST_TEST(is_ok(ask_transfer(2, 0, 1)));
  BOOST_TEST(wait_for_leader(0) == 1u);
  BOOST_TEST(journal(1).term(0) > term);
  std::optional<status> told;
  journal_item late{.entity = cart, .term = term, .first_version = 1};
  late.events.push_back(persistence::event_at(persistence::at_ms(1), "late"));
  late.done = [&](status outcome) { told = std::move(outcome); };
  journal(1).append(std::move(late));
  BOOST_TEST(run_until([&] { return told.has_value(); }));
  BOOST_TEST_REQUIRE(!told->has_value());
  BOOST_TEST(told->error().is(base_errc::unavailable));
  settle(0);
  BOOST_TEST(events(1, cart) == std::vector<std::string>{between->text});
}

BOOST_FIXTURE_TEST_CASE(an_item_of_no_term_is_taken_by_any_leader, three) {
  BOOST_TEST(is_ok(ask_transfer(1, 0, 3)));
  BOOST_TEST(wait_for_leader(0) == 3u);
  std::optional<status> told;
  journal_item sweep{.entity = entity_of(0, 1), .proof = receipt{.id = {9, 9}}};
  sweep.done = [&](status outcome) { told = std::move(outcome); };
  journal(3).append(std::move(sweep));
  BOOST_TEST(run_until([&] { return told.has_value(); }));
  BOOST_TEST(told->has_value());
}

BOOST_FIXTURE_TEST_CASE(items_wait_while_leadership_is_handed_over_and_go_on_when_nobody_takes_it,
                        three) {
  const auto cart = entity_of(0, 1);
  const auto term = journal(1).term(0);
  cut(1, 2);
  std::optional<status> end;
  journal(1).transfer(0, 2, [&](status outcome) { end = std::move(outcome); });
  run_for(5);
  const auto item = send(1, cart);
  run_for(50);
  BOOST_TEST(!view(1, 0).serving);
  BOOST_TEST(!journal(1).may_answer(cart));
  BOOST_TEST(!is_told(item));
  BOOST_TEST(run_until([&] { return is_told(item); }));
  BOOST_TEST(is_ok(item->told));
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->error().is(base_errc::timeout));
  BOOST_TEST(journal(1).term(0) == term);
  heal();
  settle(0);
}

// The round that asks another node to stand goes on with a sync, which may be slow: by then that
// node may lead.
BOOST_FIXTURE_TEST_CASE(a_lease_ends_before_the_request_to_stand_leaves, three) {
  const auto cart = entity_of(0, 1);
  BOOST_TEST(journal(1).may_answer(cart));
  bool asked = false;
  overheard = [&](node_id from, const shard_message& m) {
    if (!std::holds_alternative<raft::timeout_now>(m.content.body)) return;
    asked = true;
    BOOST_TEST(!journal(from).may_answer(cart));
  };
  BOOST_TEST(is_ok(ask_transfer(1, 0, 2)));
  BOOST_TEST(asked);
}

// Raft holds a vote until it hears that it is written: such a write must last.
BOOST_AUTO_TEST_CASE(a_vote_that_was_sent_outlasts_a_loss_of_power) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      journal_cluster cluster(seed);
      cluster.grow(3);
      cluster.run_for(100);
      node_id voter = no_node;
      raft::term_number term = 0;
      cluster.overheard = [&](node_id from, const shard_message& m) {
        const auto* vote = std::get_if<raft::vote_result>(&m.content.body);
        if (m.shard != 0 || vote == nullptr || !vote->granted || vote->pre_vote) return;
        voter = from;
        term = vote->term;
      };
      cluster.isolate(cluster.wait_for_leader(0));
      BOOST_TEST_REQUIRE(cluster.run_until([&] { return voter != no_node; }));
      cluster.overheard = nullptr;
      cluster.crash(voter);
      cluster.start(voter);
      BOOST_TEST(cluster.view(voter, 0).term == term);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(log_time_of_a_new_leader_is_not_below_what_the_old_one_wrote, three) {
  const auto cart = entity_of(0, 1);
  auto item = persistence::events_item(cart, 1, 1);
  item.term = journal(1).term(0);
  raise_clock(60'000);
  const auto at_first = journal(1).log_time(cart);
  std::optional<status> told;
  item.done = [&](status outcome) { told = std::move(outcome); };
  journal(1).append(std::move(item));
  BOOST_TEST(run_until([&] { return told.has_value(); }));
  raise_clock(-120'000);
  BOOST_TEST(is_ok(ask_transfer(1, 0, 2)));
  BOOST_TEST(wait_for_leader(0) == 2u);
  BOOST_TEST((journal(2).log_time(cart) >= at_first));
  for (const node_id node : {2U, 3U}) {
    crash(node);
    start(node);
  }
  BOOST_TEST((journal(wait_for_leader(0)).log_time(cart) >= at_first));
}

BOOST_FIXTURE_TEST_CASE(a_leader_whose_sync_fails_ends_and_the_others_go_on, three) {
  const auto cart = entity_of(0, 1);
  disk(1).fail_sync(1);
  const auto lost = send(1, cart);
  run_for(1);
  BOOST_TEST(ended(1));
  BOOST_TEST((*lost->told).error().is(base_errc::unknown_outcome));
  const auto next = send(wait_for_leader(0), cart);
  BOOST_TEST(run_until([&] { return is_told(next); }));
  crash(1);
  start(1);
  settle(0);
}

BOOST_FIXTURE_TEST_CASE(three_shrink_to_one_that_needs_nobody, three) {
  for (const node_id node : {3U, 2U}) {
    send(1, entity_of(0, 1));
    BOOST_TEST(is_ok(ask(1, 0, {.what = kind::remove, .node = node})));
  }
  isolate(1);
  const auto item = send(1, entity_of(0, 1));
  run_for(1);
  BOOST_TEST(is_ok(item->told));
  crash(1);
  start(1);
  BOOST_TEST(journal(1).leads(0));
  settle(0);
}

BOOST_FIXTURE_TEST_CASE(a_follower_restarts_behind_two_changes_that_it_has_not_applied, three) {
  isolate(3);
  for (const node_id node : {3U, 2U}) crash(node);
  start(2);
  BOOST_TEST(is_ok(ask(1, 0, assign(3, raft::role::standby))));
  BOOST_TEST(is_ok(ask(1, 0, assign(3, raft::role::spare))));
  BOOST_TEST(is_ok(ask(1, 0, assign(3, raft::role::standby))));
  heal();
  start(3);
  const auto last = view(1, 0).last;
  BOOST_TEST(run_until([&] { return view(3, 0).last == last; }));
  crash(3);
  start(3);
  settle(0);
}

BOOST_FIXTURE_TEST_CASE(all_nodes_lose_power_at_once_and_nothing_written_is_lost, three) {
  for (int i = 0; i < 20; ++i) {
    send(leader(0), entity_of(0, i % 3));
    send(leader(1), entity_of(1, i % 3));
    run_for(2);
  }
  for (const auto node : nodes()) crash(node);
  for (const auto node : nodes()) start(node);
  BOOST_TEST(wait_for_leader(0) != 0u);
  BOOST_TEST(wait_for_leader(1) != 0u);
  settle(0);
  settle(1);
}

BOOST_FIXTURE_TEST_CASE(what_no_majority_takes_fills_neither_log_nor_memory, three) {
  isolate(2);
  isolate(3);
  const auto before = view(1, 0).last;
  std::vector<std::shared_ptr<const sent_item>> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(send(1, entity_of(0, i % 3)));
    run_for(1);
  }
  BOOST_TEST(view(1, 0).last - before < 25u);
  BOOST_TEST(journal(1).refusing().value().is(base_errc::overloaded));
  heal();
  BOOST_TEST(run_until([&] { return std::all_of(sent.begin(), sent.end(), is_told); }));
  BOOST_TEST(
      std::all_of(sent.begin(), sent.end(), [](const auto& item) { return is_ok(item->told); }));
  BOOST_TEST(!journal(1).refusing().has_value());
  settle(0);
}

BOOST_AUTO_TEST_CASE(a_node_that_joins_a_shard_with_a_past_gets_its_content) {
  journal_cluster cluster(11);
  const auto cart = cluster.entity_of(0, 1);
  for (int i = 0; i < 50; ++i) {
    cluster.send(1, cart);
    cluster.run_for(1);
  }
  cluster.cut_logs(1);
  cluster.crash(1);
  cluster.start(1);
  cluster.grow(2);
  BOOST_TEST(cluster.copies(2) > 0u);
  BOOST_TEST(cluster.run_until([&] { return cluster.agreed(0); }));
  BOOST_TEST(cluster.events(2, cart).size() == 50u);
  BOOST_TEST(cluster.parts(2).timers->next_due().has_value());
  BOOST_TEST(is_ok(cluster.ask_transfer(1, 0, 2)));
  BOOST_TEST(cluster.wait_for_leader(0) == 2u);
  const auto next = cluster.send(2, cart);
  BOOST_TEST(cluster.run_until([&] { return is_told(next); }));
  BOOST_TEST(next->version == 51u);
  cluster.check_written();
}

BOOST_FIXTURE_TEST_CASE(a_follower_whose_entries_were_cut_off_gets_the_content_instead, three) {
  leave_behind(*this, {3});
  run_for(2);
  heal();
  settle(0);
  BOOST_TEST(copies(3) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_follower_that_has_the_first_entry_of_a_cut_log_gets_the_others_by_it,
                        three) {
  settle(0);
  isolate(3);
  for (unsigned i = 1; i < trailing_entries; ++i) {
    send(1, entity_of(0, 1));
    run_for(10);
  }
  for (const node_id node : {1U, 2U}) cut_logs(node);
  run_for(2);
  send(leader(1), entity_of(1, 1));  // its sync is the cut's too
  run_for(10);
  for (const node_id node : {1U, 2U}) {  // what a leader has in memory reaches further back
    crash(node);
    start(node);
  }
  heal();
  settle(0);
  BOOST_TEST(copies(3) == 0u);
}

// Either side may go at any moment of the copy: what is left starts over, and all agree in the end.
BOOST_AUTO_TEST_CASE(either_side_may_lose_power_at_any_moment_of_a_copy) {
  for (const node_id victim : {1U, 3U}) {
    for (std::int64_t after_ms = 0; after_ms < 40; after_ms += 3) {
      BOOST_TEST_CONTEXT("node " << victim << " goes after " << after_ms << " ms") {
        three cluster;
        leave_behind(cluster, {3});
        cluster.heal();
        cluster.run_until([&] { return !cluster.view(3, 0).whole; });
        cluster.run_for(after_ms);
        cluster.crash(victim);
        const auto lead = cluster.wait_for_leader(0);
        const auto item = cluster.send(lead, cluster.entity_of(0, 1));
        BOOST_TEST(cluster.run_until([&] { return is_told(item); }));
        cluster.start(victim);
        cluster.settle(0);
        BOOST_TEST(cluster.view(3, 0).whole);
      }
    }
  }
}

// The next leader's log goes back far enough for the node's own, and not for what a copy has left.
BOOST_AUTO_TEST_CASE(a_copy_that_was_cut_short_is_not_gone_on_from_by_another_leaders_log) {
  for (std::int64_t after_ms = 0; after_ms < 24; after_ms += 3) {
    BOOST_TEST_CONTEXT("both sides go after " << after_ms << " ms") {
      three cluster;
      for (int i = 0; i < 30; ++i) {
        if (i == 15) {
          cluster.settle(0);
          cluster.isolate(3);
        }
        cluster.send(1, cluster.entity_of(0, i % 3));
        cluster.run_for(1);
      }
      cluster.run_for(20);
      cluster.cut_logs(1);
      cluster.heal();
      BOOST_TEST(cluster.run_until([&] { return !cluster.view(3, 0).whole; }));
      cluster.run_for(after_ms);
      for (const node_id node : {3U, 1U}) cluster.crash(node);
      cluster.start(3);
      BOOST_TEST(cluster.wait_for_leader(0) == 2u);
      const auto item = cluster.send(2, cluster.entity_of(0, 1));
      BOOST_TEST(cluster.run_until([&] { return is_told(item); }));
      cluster.start(1);
      cluster.settle(0);
      BOOST_TEST(cluster.view(3, 0).whole);
    }
  }
}

// The leader hears the answer to its last entry when another leads that has committed it, and more.
BOOST_FIXTURE_TEST_CASE(a_read_behind_an_entry_that_another_leader_committed_is_refused, three) {
  const auto cart = entity_of(0, 1);
  const auto early = send(1, cart);
  run_for(1);
  stop(1);
  run_for(10);
  for (const node_id other : {2U, 3U}) {
    cut(other, 1);
    cut(1, other);
  }
  BOOST_TEST_REQUIRE(run_until([&] { return journal(2).leads(0) || journal(3).leads(0); }));
  const auto late = send(journal(2).leads(0) ? 2 : 3, cart);
  BOOST_TEST_REQUIRE(run_until([&] { return is_told(late); }));
  BOOST_TEST(late->version == early->version + 1);

  std::optional<status> read;
  const auto term = journal(1).term_of(cart);
  BOOST_TEST_REQUIRE(term != 0u);  // it does not know yet
  journal(1).append({.entity = cart, .term = term, .done = [&](status outcome) { read = outcome; }});
  go_on(1);
  BOOST_TEST_REQUIRE(run_until([&] { return read.has_value(); }));
  BOOST_TEST((!*read && read->error().is(base_errc::unavailable)));
  BOOST_TEST(is_ok(early->told));
  heal();
  settle(0);
}

// What a leader proposed is told of also when it gives up a copy in the round in which it hears of its successors.
BOOST_FIXTURE_TEST_CASE(a_leader_that_is_deposed_twice_in_a_round_leaves_nobody_waiting, three) {
  isolate(2);
  isolate(3);
  const auto item = send(1, entity_of(0, 1));
  run_for(5);
  BOOST_TEST_REQUIRE(!is_told(item));
  const auto now = view(1, 0);
  const raft::snapshot_metadata ahead{
      .index = now.last + 100, .term = now.term + 1, .configuration_index = 1, .members = now.members};
  const auto from = [](node_id node, raft::message_body body) {
    return shard_message{0, {.from = node, .to = 1, .body = std::move(body)}};
  };
  journal(1).receive({from(2, raft::install_request{.term = now.term + 1, .snapshot = ahead}),
                      from(3, raft::append_request{.term = now.term + 2, .entries = {}})});
  run_for(5);
  BOOST_TEST_REQUIRE(is_told(item));
  BOOST_TEST(item->told->error().is(base_errc::unknown_outcome));
  heal();
  settle(0);
  BOOST_TEST(view(1, 0).whole);
}

// It has what was committed, and no content to lead with; the other has content, and lags.
BOOST_FIXTURE_TEST_CASE(a_voter_without_content_brings_what_it_has_to_one_that_can_lead, three) {
  leave_behind(*this, {3});
  heal();
  write_until(*this, 1'000, [&] { return copies(3) > 0; });
  crash(3);  // its log goes on behind the copy, which was not whole yet
  start(3);
  isolate(2);
  run_for(20);
  const auto item = send(1, entity_of(0, 1));
  BOOST_TEST_REQUIRE(run_until([&] { return is_told(item); }, 200));
  BOOST_TEST_REQUIRE(is_ok(item->told));
  BOOST_TEST_REQUIRE(!view(3, 0).whole);
  crash(1);
  heal();
  BOOST_TEST_REQUIRE(run_until([&] { return leader(0) == 2u; }));
  const auto next = send(2, entity_of(0, 1));
  BOOST_TEST_REQUIRE(run_until([&] { return is_told(next); }));
  BOOST_TEST(next->version == item->version + 1);
  start(1);
  settle(0);
  BOOST_TEST(view(3, 0).whole);
}

// It leads for a while, and a member that lags too far behind for its log asks for the content, which it has not.
bool leads_without_content(std::uint64_t seed) {
  journal_cluster cluster(seed, 4);
  cluster.grow(3);
  BOOST_TEST_REQUIRE(is_ok(cluster.ask(1, 0, add(4, raft::role::standby))));
  BOOST_TEST_REQUIRE(cluster.run_until([&] { return cluster.agreed(0); }));
  leave_behind(cluster, {3, 4});
  cluster.heal();
  cluster.isolate(4);
  write_until(cluster, 1'000, [&] { return cluster.copies(3) > 0; });
  cluster.crash(3);
  cluster.start(3);
  if (cluster.view(3, 0).whole) return false;  // the copy was complete
  cluster.isolate(2);
  cluster.run_for(20);
  const auto item = cluster.send(1, cluster.entity_of(0, 1));
  BOOST_TEST_REQUIRE(cluster.run_until([&] { return is_told(item); }, 200));
  cluster.crash(1);
  cluster.heal();
  cluster.isolate(4);
  BOOST_TEST_REQUIRE(cluster.run_until([&] { return cluster.view(3, 0).leading; }));
  BOOST_TEST_REQUIRE(!cluster.view(3, 0).whole);
  cluster.heal();
  cluster.isolate(2);
  for (int i = 0; i < 100 && cluster.view(3, 0).leading; ++i) {
    cluster.run_for(2);
    BOOST_TEST_REQUIRE(cluster.view(4, 0).whole);
  }
  cluster.heal();
  BOOST_TEST(cluster.run_until([&] { return cluster.leader(0) == 2u; }));
  cluster.start(1);
  BOOST_TEST(cluster.run_until([&] { return cluster.agreed(0); }));
  cluster.check_written();
  return true;
}

BOOST_AUTO_TEST_CASE(a_leader_without_content_takes_nobodys_away) {
  int played = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) played += leads_without_content(seed);
  }
  BOOST_TEST(played > 2);
}

// Nothing but the proof that a command ran, as a host in any term would leave it.
receipt proof_of(std::uint64_t number) {
  return {.id = {5, number}, .body = 9, .expires_at = timestamp_ms::max(), .refused = 0, .detail = "", .data = "kept"};
}
bool write_proof(journal_cluster& cluster, node_id node, std::uint64_t number, bool brief = true) {
  std::optional<status> told;
  journal_item item{.entity = cluster.entity_of(0, 1), .proof = proof_of(number), .brief = brief};
  item.done = [&](status outcome) { told = std::move(outcome); };
  cluster.journal(node).append(std::move(item));
  BOOST_TEST(!cluster.journal(node).recall(cluster.entity_of(0, 1), {5, number}).proof.has_value());
  cluster.run_until([&] { return told.has_value(); });
  return is_ok(told);
}

struct recalling : three {
  recollection recall(node_id node, std::uint64_t number) {
    return journal(node).recall(entity_of(0, 1), {5, number});
  }
  bool is_recalled(node_id node, std::uint64_t number) { return recall(node, number).proof == proof_of(number); }
  bool is_stored(node_id node, std::uint64_t number) {
    return parts(node).reader->find_receipt_now(entity_of(0, 1), {5, number}).value().has_value();
  }
};

BOOST_FIXTURE_TEST_CASE(a_brief_proof_is_recalled_by_whoever_leads_and_stored_nowhere, recalling) {
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 1));
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 2, false));
  BOOST_TEST(is_recalled(1, 1));
  run_for(100);
  settle(0);
  for (const auto node : nodes()) {
    BOOST_TEST_CONTEXT("node " << node) {
      BOOST_TEST(is_recalled(node, 1));
      BOOST_TEST(!is_stored(node, 1));
      BOOST_TEST(!recall(node, 2).proof.has_value());
      BOOST_TEST(is_stored(node, 2));
      BOOST_TEST(!journal(node).recall(entity_of(1, 1), {5, 1}).proof.has_value());  // another shard's
    }
  }
  crash(1);
  const auto next = wait_for_leader(0);
  BOOST_TEST(next != 1u);
  BOOST_TEST(is_recalled(next, 1));
  BOOST_TEST((recall(next, 1).reach >= duration_ms{100}));
}

// Also where this is the first that the new leader applies of it.
BOOST_FIXTURE_TEST_CASE(what_a_leader_has_just_told_is_recalled_by_the_next, recalling) {
  overheard = [&](node_id from, const shard_message& m) {  // the others hear late what is committed
    if (from == 1 && m.shard == 0) cut(1, 3);
  };
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 1));
  overheard = nullptr;
  crash(1);
  heal();
  const auto next = wait_for_leader(0);
  BOOST_TEST(next == 2u);
  BOOST_TEST(is_recalled(next, 1));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_has_just_started_recalls_the_newest_entries_and_claims_no_more, recalling) {
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 1));
  for (int i = 0; i < 3; ++i) {  // behind which it is applied for good
    send(1, entity_of(0, 1));
    run_for(20);
  }
  settle(0);
  for (const node_id node : {2U, 1U}) {
    BOOST_TEST_CONTEXT("node " << node) {
      BOOST_TEST(is_recalled(node, 1));
      BOOST_TEST((recall(node, 1).reach >= duration_ms{100}));
      crash(node);
      start(node);
      BOOST_TEST(is_recalled(node, 1));
      BOOST_TEST((recall(node, 1).reach == duration_ms{0}));
    }
  }
  const auto lead = wait_for_leader(0);
  for (int i = 0; i < 80; ++i) {
    send(lead, entity_of(0, i % 3));
    run_for(1);
  }
  BOOST_TEST_REQUIRE(write_proof(*this, lead, 2));
  run_for(30);
  settle(0);
  const node_id follower = lead == 2 ? 3 : 2;
  BOOST_TEST(is_recalled(follower, 1));
  crash(follower);
  start(follower);
  settle(0);
  BOOST_TEST(!recall(follower, 1).proof.has_value());  // more than that lie behind it
  BOOST_TEST(is_recalled(follower, 2));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_got_the_content_recalls_nothing_and_says_so, recalling) {
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 1));
  settle(0);
  BOOST_TEST(is_recalled(3, 1));
  isolate(3);
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 2));
  leave_behind(*this, {3});
  BOOST_TEST((recall(3, 1).reach >= duration_ms{100}));
  heal();
  BOOST_TEST_REQUIRE(run_until([&] { return copies(3) == 1u; }));
  for (const std::uint64_t number : {1U, 2U}) BOOST_TEST(!recall(3, number).proof.has_value());
  BOOST_TEST((recall(3, 1).reach <= duration_ms{5}));
  BOOST_TEST(is_recalled(1, 1));
  BOOST_TEST(is_recalled(2, 2));
  settle(0);
  BOOST_TEST_REQUIRE(write_proof(*this, 1, 3));
  settle(0);
  BOOST_TEST(is_recalled(3, 3));
}

BOOST_AUTO_TEST_CASE(random_lives_keep_every_law) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::uint64_t seeds = 80;
#else
  constexpr std::uint64_t seeds = 300;
#endif
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      try {
        journal_cluster cluster(seed, 3,
                                {.delay_ms_max = 6, .lost_percent = 3, .doubled_percent = 3});
        cluster.grow(3);
        cluster.live(1'500);
      } catch (const broken_law& broken) {
        BOOST_ERROR(broken.what());
        return;
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace replicas_test
}  // namespace omnicart::cluster
