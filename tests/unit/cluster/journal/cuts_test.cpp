#include <boost/test/unit_test.hpp>
#include <deque>
#include <set>

#include "cluster/backup/cut_coordinator.hpp"
#include "cluster/backup/shard_moments.hpp"
#include "tests/unit/cluster/journal/journal_cluster.hpp"

// A node's part in a cut: what waits while it is paused, and what its markers stand for.
namespace omnicart::cluster {
namespace cuts_test {

struct listener {
  std::vector<cut_report> reports;
  replicated_journal::cut_done_fn note() {
    return [this](cut_report report) { reports.push_back(std::move(report)); };
  }
};

struct three : journal_cluster {
  three() : journal_cluster(11) {
    grow(3);
    run_for(100);
    marked = [this](node_id node, const marked_shard& shard) { marks.emplace_back(node, shard); };
  }
  cut_report order(node_id node, cut_step step, cut_id cut = 7,
                   duration_ms at_most = duration_ms{100}) {
    const auto had = heard.reports.size();
    journal(node).obey({.cut = cut, .step = step, .at_most = at_most}, heard.note());
    BOOST_TEST_REQUIRE(run_until([&] { return heard.reports.size() > had; }));
    return heard.reports.back();
  }
  static bool is_told(const std::shared_ptr<const sent_item>& item) {
    return item->told.has_value();
  }

  listener heard;
  std::vector<std::pair<node_id, marked_shard>> marks;
};

BOOST_FIXTURE_TEST_SUITE(journal_cuts, three)

BOOST_AUTO_TEST_CASE(behind_a_mark_nothing_is_written_until_its_leader_is_told_to_go_on) {
  const auto lead = wait_for_leader(0);
  const auto report = order(lead, cut_step::mark, 7, duration_ms{1'000});
  BOOST_TEST(report.held);
  BOOST_TEST_REQUIRE(!report.marks.empty());
  const auto mark = report.marks.front();
  BOOST_TEST(mark.shard == 0);
  const auto item = send(lead, entity_of(0, 1));
  BOOST_TEST(run_until([&] { return view(lead, 0).applied == mark.index; }));
  run_for(100);
  BOOST_TEST(!is_told(item));
  BOOST_TEST(view(lead, 0).applied == mark.index);
  const auto over = order(lead, cut_step::resume);
  BOOST_TEST(over.held);
  BOOST_TEST(over.paused_us >= 100'000u);
  BOOST_TEST(run_until([&] { return is_told(item); }));
  BOOST_TEST(item->told->has_value());
}

BOOST_AUTO_TEST_CASE(what_stands_before_a_mark_is_told_in_the_pause) {
  const auto lead = wait_for_leader(0);
  const auto item = send(lead, entity_of(0, 1));
  journal(lead).flush_once();
  BOOST_TEST(!is_told(item));
  BOOST_TEST(order(lead, cut_step::mark, 7, duration_ms{60'000}).held);
  BOOST_TEST(run_until([&] { return is_told(item); }));
  BOOST_TEST(item->told->has_value());
  BOOST_TEST(order(lead, cut_step::resume).held);
}

// All others wait meanwhile.
BOOST_AUTO_TEST_CASE(whoever_orders_a_mark_hears_of_it_before_it_is_written) {
  journal_cluster alone(5, 1);
  const auto lead = alone.wait_for_leader(0);
  unsigned written = 0;
  alone.marked = [&](node_id, const marked_shard&) { ++written; };
  bool heard_of_it = false;
  alone.journal(lead).obey({.cut = 7, .step = cut_step::mark, .at_most = duration_ms{100}},
                           [&](const cut_report& report) {
                             heard_of_it = report.held;
                             BOOST_TEST(report.marks.size() >= journal_cluster::shards);
                             BOOST_TEST(written == 0u);
                           });
  alone.run_for(1);
  BOOST_TEST(heard_of_it);
  BOOST_TEST(written >= journal_cluster::shards);
}

BOOST_AUTO_TEST_CASE(a_pause_ends_by_itself_and_is_then_void) {
  const auto lead = wait_for_leader(0);
  BOOST_TEST(order(lead, cut_step::mark).held);
  const auto item = send(lead, entity_of(0, 1));
  run_for(150);
  BOOST_TEST(is_told(item));
  BOOST_TEST(!order(lead, cut_step::resume).held);
}

BOOST_AUTO_TEST_CASE(no_cut_makes_anothers_pause_longer) {
  BOOST_TEST(order(1, cut_step::mark, 7).held);
  BOOST_TEST(!order(1, cut_step::mark, 8).held);
  BOOST_TEST(!order(1, cut_step::resume, 8).held);
  BOOST_TEST(order(1, cut_step::resume, 7).held);
  BOOST_TEST(order(1, cut_step::mark, 8).held);
}

BOOST_AUTO_TEST_CASE(a_stop_tells_what_a_pause_held_back) {
  const auto lead = wait_for_leader(0);
  BOOST_TEST(order(lead, cut_step::mark, 7, duration_ms{60'000}).held);
  const auto item = send(lead, entity_of(0, 1));
  run_for(50);
  BOOST_TEST(!is_told(item));
  journal(lead).stop();
  run_for(5);
  BOOST_TEST(is_told(item));
}

BOOST_AUTO_TEST_CASE(a_mark_stands_at_one_place_in_every_replica) {
  const auto lead = wait_for_leader(0);
  const auto report = order(lead, cut_step::mark);
  BOOST_TEST(report.held);
  BOOST_TEST(!report.marks.empty());
  BOOST_TEST(order(lead, cut_step::resume).held);
  for (const auto& mark : report.marks) {
    if (mark.shard >= shards) continue;  // the record's own group is on one node here
    const auto seen = [&] {
      return std::ranges::count_if(
          marks, [&](const auto& each) { return each.second.at == mark && each.second.cut == 7; });
    };
    BOOST_TEST(run_until([&] { return seen() == 3; }));
  }
}

BOOST_AUTO_TEST_CASE(a_replica_that_lags_stops_at_the_mark_all_the_same) {
  const auto lead = wait_for_leader(0);
  const node_id behind = lead == 3 ? 2 : 3;
  const auto entity = entity_of(0, 1);
  const auto before = send(lead, entity);
  BOOST_TEST(run_until([&] { return is_told(before); }));
  std::optional<std::size_t> seen;
  marked = [&](node_id node, const marked_shard& shard) {
    if (node == behind && shard.at.shard == 0) seen = events(node, entity).size();
  };
  isolate(behind);
  BOOST_TEST(order(lead, cut_step::mark).held);
  BOOST_TEST(order(lead, cut_step::resume).held);
  const auto after = send(lead, entity);
  BOOST_TEST(run_until([&] { return is_told(after); }));
  BOOST_TEST(!seen);
  heal();
  BOOST_TEST(run_until([&] { return seen.has_value(); }));
  BOOST_TEST(*seen == 1u);
  BOOST_TEST(run_until([&] { return events(behind, entity).size() == 2; }));
}

BOOST_AUTO_TEST_CASE(a_deposed_leader_says_that_its_marks_may_be_lost) {
  const auto lead = wait_for_leader(0);
  BOOST_TEST(order(lead, cut_step::mark, 7, duration_ms{60'000}).held);
  isolate(lead);
  run_for(2'000);
  BOOST_TEST(!order(lead, cut_step::resume).held);
  heal();
}

// Whatever is known to somebody is in the cut if anything that came of it is. Here each event of a
// shard is sent when the one before, of the other shard, was told; so in a cut the two shards'
// counts differ by at most one.
BOOST_AUTO_TEST_CASE(no_cut_has_an_effect_without_its_cause) {
  int cuts_made = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    journal_cluster cluster(seed, 3, {.delay_ms_max = 4, .lost_percent = 0, .doubled_percent = 0});
    cluster.grow(3);
    cluster.run_for(100);
    cluster.ask_transfer(1, 1, 2);  // the two shards are led by different nodes
    cluster.run_until([&] { return cluster.leader(1) == 2; });

    persistence::manual_clock clock;
    shard_moments moments(*cluster.parts(3).data);
    std::map<std::uint16_t, std::size_t> counted;
    cut_coordinator* coordinator = nullptr;
    cluster.marked = [&](node_id node, const marked_shard& shard) {
      if (node != 3 || !moments.reached(shard)) return;
      counted[shard.at.shard] = cluster.events(3, cluster.entity_of(shard.at.shard, 1)).size();
      coordinator->reached(shard);
    };
    struct travelling {
      int due = 0;
      node_id to = no_node;
      cut_order order;
    };
    int round = 0;
    std::deque<travelling> orders;  // each node's in their order
    std::deque<std::pair<node_id, cut_report>> answers;
    cut_id drawn = 1'000 * seed;
    cut_coordinator cuts(
        {.time = clock,
         .draw = [&] { return ++drawn; },
         .nodes = [&] { return cluster.nodes(); },
         .send =
             [&](node_id to, const cut_order& what) {
               orders.push_back({round + static_cast<int>(cluster.pick(0, 9)), to, what});
             },
         .follow =
             [&](cut_id cut) {
               counted.clear();
               moments.follow(cut);
             }},
        journal_cluster::shards);
    coordinator = &cuts;

    std::uint16_t next = 0;
    std::shared_ptr<const sent_item> last;
    const auto deliver = [&] {
      std::set<node_id> waiting;
      std::erase_if(orders, [&](const auto& each) {
        if (each.due > round || waiting.contains(each.to)) {
          waiting.insert(each.to);
          return false;
        }
        cluster.journal(each.to).obey(each.order, [&answers, to = each.to](cut_report r) {
          answers.emplace_back(to, std::move(r));
        });
        return true;
      });
    };
    for (; round < 600; ++round) {
      deliver();
      if (!last || is_told(last)) {
        last = cluster.send(cluster.wait_for_leader(next), cluster.entity_of(next, 1));
        next = 1 - next;
      }
      if (round % 40 == 20 && !cuts.runs()) cuts.start();
      cluster.run_for(cluster.pick(0, 3));
      clock.up += duration_ms{2};
      while (!answers.empty()) {
        cuts.reported(answers.front().first, answers.front().second);
        answers.pop_front();
      }
      cuts.tick();
      if (const auto over = cuts.outcome(); over && over->has_value()) {
        ++cuts_made;
        const auto difference = static_cast<int>(counted[0]) - static_cast<int>(counted[1]);
        BOOST_TEST((difference == 0 || difference == 1),
                   "seed " << seed << ": " << counted[0] << " causes and " << counted[1]);
      }
    }
  }
  BOOST_TEST(cuts_made > 20);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cuts_test
}  // namespace omnicart::cluster
