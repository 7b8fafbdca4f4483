#include "cluster/backup/cut_coordinator.hpp"

#include <boost/test/unit_test.hpp>
#include <deque>
#include <set>

#include "runtime/base/codec.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::cluster {
namespace cut_coordinator_test {

// Three nodes that do as told, unless a test says otherwise: node 1 leads shard 0, node 2 shards 1
// and 2, node 3 none.
struct scripted_nodes {
  persistence::manual_clock time;
  cut_id drawn = 100;
  std::vector<node_id> reachable{1, 2, 3};
  std::deque<std::pair<node_id, cut_order>> sent;
  std::vector<cut_id> followed;
  cut_coordinator cuts{
      {.time = time,
       .draw = [this] { return ++drawn; },
       .nodes = [this] { return reachable; },
       .send = [this](node_id to, const cut_order& what) { sent.emplace_back(to, what); },
       .follow = [this](cut_id cut) { followed.push_back(cut); }},
      3};
  // What a node answers; nothing: it is silent.
  std::function<std::optional<cut_report>(node_id, const cut_order&, cut_report)> script;
  std::set<cut_id> begun;

  std::vector<shard_mark> marks_of(node_id node) const {
    if (node == 1) return {{.shard = 0, .index = 10, .term = 3}};
    if (node == 2)
      return {{.shard = 1, .index = 11, .term = 3}, {.shard = 2, .index = 12, .term = 4}};
    return {};
  }
  void answer_all() {
    while (!sent.empty()) {
      const auto [to, order] = sent.front();
      sent.pop_front();
      cut_report plain{
          .cut = order.cut, .step = order.step, .held = true, .paused_us = 0, .marks = {}};
      if (order.step == cut_step::mark) plain.marks = marks_of(to);
      if (order.step == cut_step::resume) plain.paused_us = 1'000 * to;
      const auto said = script ? script(to, order, plain) : std::optional(plain);
      if (said) cuts.reported(to, *said);
    }
  }
  void reach(cut_id cut) {
    for (const node_id node : {1, 2}) {
      for (const auto& mark : marks_of(node))
        cuts.reached({.cut = cut, .at = mark, .time = persistence::at_ms(5)});
    }
  }
  void pass(duration_ms span) {
    time.up += span;
    cuts.tick();
  }
  // Through all tries; the reason of the last.
  std::string why_not() {
    cuts.start();
    for (int i = 0; i < 10'000 && cuts.runs(); ++i) {
      answer_all();
      pass(duration_ms{20});
    }
    const auto over = cuts.outcome();
    BOOST_TEST_REQUIRE(over.has_value());
    BOOST_TEST_REQUIRE(!over->has_value());
    BOOST_TEST(over->error().is(base_errc::unavailable));
    return over->error().detail;
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

BOOST_FIXTURE_TEST_SUITE(cut_coordination, scripted_nodes)

BOOST_AUTO_TEST_CASE(a_cut_is_made_when_all_were_paused_and_all_marks_are_here) {
  cuts.start();
  answer_all();
  BOOST_TEST(cuts.runs());
  BOOST_TEST(!cuts.outcome());
  reach(101);
  const auto over = cuts.outcome();
  BOOST_TEST_REQUIRE((over && over->has_value()));
  const auto& made = **over;
  BOOST_TEST(made.cut == 101u);
  BOOST_TEST(made.tries == 1u);
  BOOST_TEST((made.paused == duration_ms{3}));
  BOOST_TEST_REQUIRE(made.shards.size() == 3u);
  BOOST_TEST(made.shards[2].at.index == 12u);
  BOOST_TEST(!cuts.runs());
  BOOST_TEST(followed == std::vector<cut_id>{101});
}

BOOST_AUTO_TEST_CASE(nobody_goes_on_before_all_have_marked) {
  std::vector<cut_step> steps;
  script = [&](node_id node, const cut_order& order,
               cut_report plain) -> std::optional<cut_report> {
    steps.push_back(order.step);
    if (node == 3 && order.step == cut_step::mark) return std::nullopt;
    return plain;
  };
  cuts.start();
  answer_all();
  BOOST_TEST((steps == std::vector<cut_step>(3, cut_step::mark)));
  cuts.reported(3, {.cut = 101, .step = cut_step::mark, .held = true, .paused_us = 0, .marks = {}});
  BOOST_TEST(sent.size() == 3u);
  answer_all();
  BOOST_TEST(std::ranges::count(steps, cut_step::resume) == 3);
}

// Nobody waits while nobody has marked, nor when all were told to go on.
BOOST_AUTO_TEST_CASE(only_from_the_first_mark_to_the_last_is_time_short) {
  std::set<node_id> silent{1, 2, 3};
  script = [&](node_id node, const cut_order&, cut_report plain) {
    return silent.contains(node) ? std::optional<cut_report>() : std::optional(plain);
  };
  const auto mark = [&](node_id node) {
    cuts.reported(node, {.cut = 101,
                         .step = cut_step::mark,
                         .held = true,
                         .paused_us = 0,
                         .marks = marks_of(node)});
  };
  cuts.start();
  answer_all();
  pass(cut_coordinator::begins_within - duration_ms{1});
  mark(1);
  pass(cut_coordinator::marked_within - duration_ms{1});
  mark(2);
  mark(3);
  BOOST_TEST_REQUIRE(sent.size() == 3u);
  silent.clear();
  pass(cut_coordinator::resumed_within - duration_ms{1});
  answer_all();
  reach(101);
  const auto over = cuts.outcome();
  BOOST_TEST((over && over->has_value()));
}

BOOST_AUTO_TEST_CASE(a_node_that_marks_too_late_after_the_first_voids_the_try) {
  script = [](node_id node, const cut_order&, cut_report plain) {
    return node == 3 ? std::optional<cut_report>() : std::optional(plain);
  };
  cuts.start();
  answer_all();
  pass(cut_coordinator::marked_within);
  BOOST_TEST(followed.back() == 0u);
}

BOOST_AUTO_TEST_CASE(marks_that_are_applied_before_the_nodes_go_on_count) {
  cuts.start();
  reach(101);
  BOOST_TEST(!cuts.outcome());
  answer_all();
  const auto over = cuts.outcome();
  BOOST_TEST((over && over->has_value()));
}

BOOST_AUTO_TEST_CASE(a_pause_that_was_outlived_voids_the_try_and_the_next_one_counts) {
  script = [&](node_id node, const cut_order& order, cut_report plain) {
    if (node == 2 && order.step == cut_step::resume && order.cut == 101) plain.held = false;
    return std::optional(plain);
  };
  cuts.start();
  answer_all();
  reach(101);
  BOOST_TEST(!cuts.outcome());
  pass(2 * cut_coordinator::again_after);
  answer_all();
  reach(101);  // late, and of the void one
  BOOST_TEST(!cuts.outcome());
  reach(102);
  const auto over = cuts.outcome();
  BOOST_TEST_REQUIRE((over && over->has_value()));
  BOOST_TEST((*over)->tries == 2u);
  BOOST_TEST((followed == std::vector<cut_id>{101, 0, 102}));
}

BOOST_AUTO_TEST_CASE(whoever_was_paused_is_told_to_go_on_when_a_try_is_void) {
  script = [](node_id node, const cut_order&, cut_report plain) {
    return node == 3 ? std::optional<cut_report>() : std::optional(plain);
  };
  cuts.start();
  answer_all();
  pass(cut_coordinator::marked_within);
  BOOST_TEST_REQUIRE(sent.size() == 3u);
  for (const auto& [to, order] : sent) BOOST_TEST((order.step == cut_step::resume));
}

// Else two that disturb each other would go on doing so.
BOOST_AUTO_TEST_CASE(tries_are_further_and_further_apart_and_not_evenly) {
  script = [&](node_id node, const cut_order& order, cut_report plain) {
    if (order.step == cut_step::mark) begun.insert(order.cut);
    return node == 3 ? std::optional<cut_report>() : std::optional(plain);
  };
  std::vector<duration_ms> at;
  drawn = 12'345'678'901'234'567U;
  cuts.start();
  while (cuts.runs()) {
    answer_all();
    if (begun.size() > at.size()) at.push_back(time.up);
    pass(duration_ms{1});
  }
  BOOST_TEST_REQUIRE(at.size() == cut_coordinator::tries_max);
  for (std::size_t n = 1; n < at.size(); ++n) {
    const auto apart = at[n] - at[n - 1] - cut_coordinator::marked_within;
    const auto middle = cut_coordinator::again_after * static_cast<std::int64_t>(n);
    BOOST_TEST((apart >= middle / 2 && apart <= middle * 3 / 2 + duration_ms{2}));
  }
  BOOST_TEST((at.back() - at.front() > duration_ms{10'000}));
  BOOST_TEST((at.back() - at.front() < duration_ms{30'000}));
}

BOOST_AUTO_TEST_CASE(each_way_a_try_is_void_is_told_by_name_after_the_last) {
  struct row {
    const char* says;
    std::function<std::optional<cut_report>(node_id, const cut_order&, cut_report)> script;
  };
  const row rows[] = {
      {"node 3 did not answer in time",
       [](node_id node, const cut_order&, cut_report plain) {
         return node == 3 ? std::optional<cut_report>() : std::optional(plain);
       }},
      {"node 2 takes part in another backup",
       [](node_id node, const cut_order& order, cut_report plain) {
         if (node == 2 && order.step == cut_step::mark) plain.held = false;
         return std::optional(plain);
       }},
      {"shard 1 is led by nobody that can be reached",
       [](node_id node, const cut_order& order, cut_report plain) {
         if (node == 2 && order.step == cut_step::mark) plain.marks.erase(plain.marks.begin());
         return std::optional(plain);
       }},
      {"shard 0 was marked by two nodes",
       [](node_id node, const cut_order& order, cut_report plain) {
         if (node == 3 && order.step == cut_step::mark)
           plain.marks = {{.shard = 0, .index = 9, .term = 2}};
         return std::optional(plain);
       }},
      {"led its shards no more",
       [](node_id node, const cut_order& order, cut_report plain) {
         if (node == 1 && order.step == cut_step::resume) plain.held = false;
         return std::optional(plain);
       }},
      {"the mark of shard 0 did not come to this node",
       [](node_id, const cut_order&, cut_report plain) { return std::optional(plain); }},
  };
  for (const auto& row : rows) {
    scripted_nodes nodes;
    nodes.script = row.script;
    const auto why = nodes.why_not();
    BOOST_TEST(has(why, row.says), why << " should say: " << row.says);
    BOOST_TEST(has(why, "10 tries"));
    BOOST_TEST(nodes.followed.back() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_mark_that_another_replaced_voids_the_try) {
  cuts.start();
  answer_all();
  cuts.reached({.cut = 101, .at = {.shard = 0, .index = 10, .term = 2}, .time = {}});
  BOOST_TEST(cuts.runs());
  BOOST_TEST(followed.back() == 0u);
}

BOOST_AUTO_TEST_CASE(a_node_away_has_no_part) {
  reachable = {1, 2};
  cuts.start();
  answer_all();
  reach(101);
  const auto over = cuts.outcome();
  BOOST_TEST((over && over->has_value()));
}

BOOST_AUTO_TEST_CASE(a_stop_lets_all_go_on) {
  cuts.start();
  sent.clear();
  cuts.stop();
  BOOST_TEST(sent.size() == 3u);
  const auto over = cuts.outcome();
  BOOST_TEST_REQUIRE((over && !over->has_value()));
  BOOST_TEST(over->error().is(base_errc::shutting_down));
}

BOOST_AUTO_TEST_CASE(only_marks_are_read_as_marks) {
  BOOST_TEST(cut_of_mark(mark_text(17)) == 17u);
  for (const char* text : {"", "cut ", "cut x", "cut 1x", "cat 1", "cut -1"})
    BOOST_TEST(cut_of_mark(text) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cut_coordinator_test
}  // namespace omnicart::cluster
