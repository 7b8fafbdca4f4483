#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>

#include "cluster/remote/named_commands.hpp"
#include "cluster/remote/remote_codec.hpp"
#include "tests/unit/cluster/remote/remote_bench.hpp"

namespace omnicart::cluster::test {
namespace remote_test {

using counter::add;
using counter::get;
using got_t = std::shared_ptr<std::optional<answer>>;

std::int64_t number(const got_t& got) {
  BOOST_TEST_REQUIRE((got->has_value() && (*got)->ok()));
  return *codec::decode<std::int64_t>((*got)->payload);
}

// Empty while there is no answer; "ok", or the code's name.
std::string outcome_of(const got_t& got) {
  if (!got->has_value()) return "";
  if ((*got)->ok()) return "ok";
  return to_string(static_cast<base_errc>((*got)->failure->number));
}

// A read, which may be asked twice.
got_t read(member& from, const std::string& id) {
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", id};
  message.command = counter::kind::encode_command(get{});
  message.repeatable = true;
  message.reply = [got](answer a) { *got = std::move(a); };
  from.node.routes->send(std::move(message));
  return got;
}

bool is_answer(const virtual_net::flight& f) { return f.on == channel::answer; }
bool is_command(const virtual_net::flight& f) { return f.on == channel::command; }

struct calm : small_cluster {};

BOOST_FIXTURE_TEST_SUITE(remote_entities, calm)

BOOST_AUTO_TEST_CASE(an_entity_of_another_node_answers_as_one_of_our_own) {
  const auto here = at(2).node.send("a", add{5, ""});
  const auto there = at(1).node.send("b", add{5, ""});
  settle();
  BOOST_TEST(number(here) == 5);
  BOOST_TEST(number(there) == 5);
  BOOST_TEST((*there)->version == (*here)->version);
  BOOST_TEST(at(2).node.total("b") == 5);
  BOOST_TEST(at(1).node.log.records.empty());
  BOOST_TEST(at(1).sender.counts().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(refusals_preconditions_and_repeats_cross_over_whole) {
  const auto refused = at(1).node.send("a", add{1'001, ""});
  const auto first = at(1).node.send("a", add{5, ""}, {1, 1}, 77);
  settle();
  BOOST_TEST((*refused)->failure->is(counter::errc::too_much));
  BOOST_TEST((*refused)->failure->detail == "at most 1,000 at a time");
  BOOST_TEST(!(*first)->replayed);
  const auto again = at(3).node.send("a", add{5, ""}, {1, 1}, 77);
  const auto other = at(3).node.send("a", add{5, ""}, {1, 1}, 78);
  settle();
  BOOST_TEST(number(again) == 5);
  BOOST_TEST((*again)->replayed);
  BOOST_TEST(outcome_of(other) == "id_reused");
}

BOOST_AUTO_TEST_CASE(effects_cross_nodes_until_they_are_settled) {
  for (auto& each : members) {
    each->knows.of_shard[shard_of("a", 64)] = 1;
    each->knows.of_shard[shard_of("b", 64)] = 3;
  }
  at(2).node.send("a", add{5, "b"});
  settle();
  pass(duration_ms{100});
  BOOST_TEST(at(1).node.total("a") == 5);
  BOOST_TEST(at(3).node.total("b") == 5);
}

BOOST_AUTO_TEST_CASE(a_command_whose_answer_is_lost_is_sent_again_and_executed_once) {
  net.lose = is_answer;
  const auto got = at(1).node.send("a", add{5, ""}, {1, 1});
  settle();
  BOOST_TEST(outcome_of(got) == "");
  net.lose = nullptr;
  net.break_link(1, 2);
  pass(duration_ms{100});
  BOOST_TEST(outcome_of(got) == "");
  net.mend_link(1, 2);
  settle();
  BOOST_TEST(number(got) == 5);
  BOOST_TEST(at(2).node.total("a") == 5);
  BOOST_TEST(at(1).sender.counts().repeated == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_takes_too_long_is_asked_for_again) {
  net.lose = is_answer;
  const auto got = at(1).node.send("a", add{5, ""}, {1, 1});
  const auto unnamed = at(1).node.send("b", add{5, ""});
  settle();
  net.lose = nullptr;
  pass(duration_ms{2'100});
  BOOST_TEST(number(got) == 5);
  BOOST_TEST(at(2).node.total("a") == 5);
  // Without an id there is no asking again.
  BOOST_TEST(outcome_of(unnamed) == "");
  pass(duration_ms{8'000});
  BOOST_TEST(outcome_of(unnamed) == "unknown_outcome");
  BOOST_TEST(at(2).node.total("b") == 5);
}

BOOST_AUTO_TEST_CASE(a_write_without_id_is_never_sent_twice_and_its_outcome_is_unknown) {
  net.lose = is_answer;
  const auto got = at(1).node.send("a", add{5, ""});
  settle();
  net.lose = nullptr;
  net.break_link(1, 2);
  BOOST_TEST(outcome_of(got) == "unknown_outcome");
  net.mend_link(1, 2);
  pass(duration_ms{12'000});
  BOOST_TEST(at(2).node.total("a") == 5);
  BOOST_TEST(at(1).sender.counts().unknown == 1u);
}

BOOST_AUTO_TEST_CASE(a_read_is_asked_again) {
  at(2).node.send("a", add{5, ""});
  settle();
  net.lose = is_answer;
  const auto got = read(at(1), "a");
  settle();
  net.lose = nullptr;
  net.break_link(1, 2);
  net.mend_link(1, 2);
  pass(duration_ms{50});
  BOOST_TEST(number(got) == 5);
}

BOOST_AUTO_TEST_CASE(whoever_does_not_lead_says_who_does) {
  at(1).knows.of_all = 3;
  const auto got = at(1).node.send("a", add{5, ""});
  settle();
  BOOST_TEST(number(got) == 5);
  BOOST_TEST(at(2).node.total("a") == 5);
  BOOST_TEST(at(1).sender.counts().redirected == 1u);
}

BOOST_AUTO_TEST_CASE(nodes_that_name_each_other_are_given_up_and_not_asked_for_ever) {
  at(1).knows.of_all = 3;
  at(3).knows.of_all = 2;
  at(2).knows.of_all = 3;
  const auto got = at(1).node.send("a", add{5, ""}, {1, 1});
  settle();
  pass(duration_ms{2'200});
  BOOST_TEST(outcome_of(got) == "unavailable");
  BOOST_TEST(at(1).sender.counts().sent < 60u);
  BOOST_TEST(at(2).node.log.records.empty());
}

BOOST_AUTO_TEST_CASE(a_command_waits_for_a_leader_and_not_too_long) {
  everybody_follows(std::nullopt);
  const auto early = at(1).node.send("a", add{5, ""});
  pass(duration_ms{1'000});
  const auto late = at(1).node.send("b", add{5, ""});
  pass(duration_ms{1'100});
  BOOST_TEST(outcome_of(early) == "unavailable");
  everybody_follows(2);
  pass(duration_ms{60});
  BOOST_TEST(number(late) == 5);
  BOOST_TEST(at(2).node.log.records.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_command_that_waits_for_a_leader_goes_to_it_as_soon_as_it_is_known) {
  everybody_follows(std::nullopt);
  const auto got = at(1).node.send("a", add{5, ""});
  pass(duration_ms{200});  // by now its pauses are long
  everybody_follows(3);
  const auto shard = shard_of("a", 64);
  at(1).sender.leader_changed(static_cast<std::uint16_t>(shard + 1));  // another one's
  settle();
  BOOST_TEST(outcome_of(got) == "");
  at(1).sender.leader_changed(shard);
  settle();
  BOOST_TEST(number(got) == 5);
}

// The time is printed, not asserted: that of this machine says nothing about another.
BOOST_AUTO_TEST_CASE(a_change_of_leaders_looks_at_what_waits_for_that_shard_only) {
  constexpr int count = 15'000;
  everybody_follows(std::nullopt);
  std::vector<got_t> got;
  for (int i = 0; i < count; ++i) got.push_back(read(at(1), "c" + std::to_string(i)));
  const auto began = std::chrono::steady_clock::now();
  for (int round = 0; round < 64; ++round) at(1).sender.leader_changed(64);  // the record's group
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  BOOST_TEST_MESSAGE("64 changes of leaders beside " << count << " waiting requests took "
                                                     << took.count() << " ms");
  everybody_follows(3);
  for (std::uint16_t shard = 0; shard < 64; ++shard) at(1).sender.leader_changed(shard);
  settle();
  BOOST_TEST(
      std::all_of(got.begin(), got.end(), [](const got_t& g) { return outcome_of(g) == "ok"; }));
  BOOST_TEST(at(1).sender.counts().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(a_shard_that_becomes_ours_is_served_here) {
  everybody_follows(std::nullopt);
  const auto got = at(1).node.send("a", add{5, ""});
  everybody_follows(1);
  pass(duration_ms{60});
  BOOST_TEST(number(got) == 5);
  BOOST_TEST(at(1).node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(a_peer_that_comes_back_gets_its_commands_at_once) {
  net.break_link(1, 2);
  const auto got = at(1).node.send("a", add{5, ""});
  settle();
  BOOST_TEST(outcome_of(got) == "");
  net.mend_link(1, 2);
  settle();
  BOOST_TEST(number(got) == 5);
}

BOOST_AUTO_TEST_CASE(an_unreachable_leader_is_unavailable_and_nothing_was_done) {
  net.break_link(1, 2);
  const auto got = at(1).node.send("a", add{5, ""}, {1, 1});
  pass(duration_ms{2'100});
  BOOST_TEST(outcome_of(got) == "unavailable");
}

BOOST_AUTO_TEST_CASE(doubt_lasts_until_the_deadline_and_ends_as_unknown) {
  net.lose = is_answer;
  const auto got = at(1).node.send("a", add{5, ""}, {1, 1});
  settle();
  net.break_link(1, 2);
  everybody_follows(std::nullopt);
  pass(duration_ms{9'800});
  BOOST_TEST(outcome_of(got) == "");
  pass(duration_ms{300});
  BOOST_TEST(outcome_of(got) == "unknown_outcome");
  BOOST_TEST(at(1).sender.counts().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(a_refusal_for_lateness_does_not_hide_that_an_earlier_copy_ran) {
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", "a"};
  message.command = counter::kind::encode_command(add{5, ""});
  message.id = {1, 1};
  message.body = 1;
  message.deadline = at(1).node.time.wall() + duration_ms{1'000};
  message.reply = [got](answer a) { *got = std::move(a); };
  net.lose = is_answer;
  at(1).node.routes->send(std::move(message));
  settle();
  net.lose = nullptr;
  net.break_link(1, 2);
  net.mend_link(1, 2);
  at(1).node.time.advance(duration_ms{50});
  at(1).sender.tick();  // the second copy is under way …
  BOOST_TEST_REQUIRE(net.flying.size() == 1u);
  const auto late = decode_command(net.flying.front().bytes, at(2).node.time.wall());
  answer expired;
  expired.failure = make_error(base_errc::expired);
  net.flying.clear();  // … and comes too late
  at(1).port.handlers.at(channel::answer)(2, encode_answer(late->request, expired));
  BOOST_TEST(outcome_of(got) == "unknown_outcome");
}

// As named_commands hands it on.
got_t send_brief(member& from, const std::string& id, const counter::command& what) {
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", id};
  message.command = counter::kind::encode_command(what);
  message.id = {1, 1};
  message.brief = true;
  message.reply = [got](answer a) { *got = std::move(a); };
  from.node.routes->send(std::move(message));
  return got;
}

// All commands that arrive from now on, answers being lost or not.
struct seen_commands {
  explicit seen_commands(virtual_net& net) {
    net.lose = [this](const virtual_net::flight& f) {
      if (is_command(f)) all.push_back(decode_command(f.bytes, {}).value().message);
      return is_answer(f) && lose_answers;
    };
  }
  bool lose_answers = false;
  std::vector<envelope> all;
};

BOOST_AUTO_TEST_CASE(a_copy_that_follows_a_lost_answer_says_how_long_ago_the_first_left) {
  seen_commands seen(net);
  seen.lose_answers = true;
  const auto got = send_brief(at(1), "a", add{5, ""});
  pass(duration_ms{300});
  everybody_follows(std::nullopt);
  net.break_link(1, 2);
  pass(duration_ms{700});
  everybody_follows(2);
  net.mend_link(1, 2);
  pass(duration_ms{2'990});  // and it is asked for once more, late
  seen.lose_answers = false;
  pass(duration_ms{2'010});
  BOOST_TEST(number(got) == 5);
  BOOST_TEST((*got)->replayed);
  BOOST_TEST(at(2).node.total("a") == 5);
  BOOST_TEST_REQUIRE(seen.all.size() == 4u);
  const std::optional<duration_ms> expected[] = {std::nullopt, duration_ms{1'000}, duration_ms{3'000}, duration_ms{5'000}};
  for (std::size_t i = 0; i < seen.all.size(); ++i) {
    BOOST_TEST_CONTEXT("copy " << i) {
      BOOST_TEST((seen.all[i].brief && seen.all[i].id == command_id{1, 1}));
      BOOST_TEST((seen.all[i].doubt == expected[i]), seen.all[i].doubt.value_or(duration_ms{-1}).count() << " ms");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_copy_that_follows_refusals_that_did_nothing_says_no_doubt) {
  seen_commands seen(net);
  at(1).knows.of_all = 3;  // which says that 2 leads
  at(2).node.routes->stop_accepting();
  const auto got = send_brief(at(1), "a", add{5, ""});
  pass(duration_ms{300});
  everybody_follows(3);
  pass(duration_ms{100});
  BOOST_TEST(number(got) == 5);
  BOOST_TEST(at(3).node.total("a") == 5);
  BOOST_TEST(seen.all.size() > 2u);
  for (const auto& each : seen.all) BOOST_TEST((each.brief && !each.doubt));
}

BOOST_AUTO_TEST_CASE(a_doubtful_command_whose_outcome_nobody_remembers_ends_as_unknown_at_once) {
  net.lose = is_answer;
  const auto got = send_brief(at(1), "a", add{5, ""});
  settle();
  net.lose = nullptr;
  at(2).node.log.brief_proofs.clear();  // it has just started
  at(2).node.log.reach = {};
  net.break_link(1, 2);
  net.mend_link(1, 2);
  settle();
  BOOST_TEST(outcome_of(got) == "unknown_outcome");
  BOOST_TEST(at(1).sender.counts().unknown == 1u);
  BOOST_TEST(at(1).sender.counts().waiting == 0u);
  BOOST_TEST(at(2).node.total("a") == 5);
}

// The node that sent it leads by now: to its own entity it is a copy like any other.
BOOST_AUTO_TEST_CASE(a_doubtful_command_that_comes_home_is_executed_only_where_it_would_be_known) {
  for (const bool is_known : {true, false}) {
    calm cluster;
    cluster.net.lose = is_answer;
    const auto got = send_brief(cluster.at(1), "a", add{5, ""});
    cluster.settle();
    cluster.everybody_follows(1);
    if (!is_known) cluster.at(1).node.log.reach = {};
    cluster.net.break_link(1, 2);
    cluster.pass(duration_ms{60});
    BOOST_TEST(outcome_of(got) == (is_known ? "ok" : "unknown_outcome"));
    BOOST_TEST(cluster.at(1).node.total("a") == (is_known ? 5 : 0));
  }
}

BOOST_AUTO_TEST_CASE(only_commands_that_nobody_named_are_named_for_the_way) {
  struct numbers final : id_source {
    command_id next() override { return {9, ++last}; }
    std::uint64_t last = 0;
  } ids;
  struct beyond final : message_sink {
    void send(envelope message) override { got = std::move(message); }
    envelope got;
  } next;
  named_commands named(ids);
  named.attach(next);
  const struct {
    const char* why;
    role as;
    command_id id;
    bool repeatable;
    bool is_named;
    bool may_repeat;
  } rows[] = {
      {"a caller's without an id", role::shopper, {}, false, true, false},
      {"a caller's with an id", role::shopper, {1, 1}, false, false, false},
      {"a read", role::shopper, {}, true, false, true},
      {"an entity's own", role::system, {}, false, false, true},
      {"an entity's own with an id", role::system, {1, 1}, false, false, false},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.why) {
      envelope message;
      message.asker.as = row.as;
      message.id = row.id;
      message.repeatable = row.repeatable;
      named.send(std::move(message));
      BOOST_TEST(next.got.brief == row.is_named);
      BOOST_TEST((next.got.id == (row.is_named ? command_id{9, ids.last} : row.id)));
      BOOST_TEST(next.got.repeatable == row.may_repeat);
      BOOST_TEST(!next.got.doubt.has_value());
    }
  }
  BOOST_TEST(ids.last == 1u);
}

BOOST_AUTO_TEST_CASE(only_who_was_asked_may_answer) {
  net.lose = is_command;
  const auto got = at(1).node.send("a", get{});
  const auto request = decode_command(net.flying.front().bytes, {})->request;
  answer forged;
  forged.payload = codec::encode(std::int64_t{99});
  at(1).port.handlers.at(channel::answer)(3, encode_answer(request, forged));
  at(1).port.handlers.at(channel::answer)(2, encode_answer(request + 1, forged));
  at(1).port.handlers.at(channel::answer)(2, "garbage");
  BOOST_TEST(outcome_of(got) == "");
  BOOST_TEST(at(1).sender.counts().stray == 3u);
  at(1).port.handlers.at(channel::answer)(2, encode_answer(request, forged));
  BOOST_TEST(number(got) == 99);
}

BOOST_AUTO_TEST_CASE(a_full_window_sheds_callers_and_keeps_the_engines_own) {
  net.full.insert({1, 2});
  const auto shed = at(1).node.send("a", add{5, ""}, {1, 1});
  BOOST_TEST(outcome_of(shed) == "overloaded");
  auto kept = std::make_shared<std::optional<answer>>();
  envelope effect;
  effect.to = {"counter", "a"};
  effect.command = counter::kind::encode_command(add{5, ""});
  effect.asker.as = role::system;
  effect.reply = [kept](answer a) { *kept = std::move(a); };
  at(1).node.routes->send(std::move(effect));
  net.full.clear();
  pass(duration_ms{50});
  BOOST_TEST(number(kept) == 5);
}

BOOST_AUTO_TEST_CASE(a_peer_reaches_entities_we_lead_and_nothing_else) {
  struct port_of_ours final : message_sink {
    void send(envelope) override { ++calls; }
    int calls = 0;
  } payment;
  at(2).node.routes->add_service("payment", payment);
  const auto say = [&](node_id to, entity_ref whom) {
    envelope message;
    message.to = std::move(whom);
    at(to).port.handlers.at(channel::command)(1,
                                              encode_command(5, message, at(1).node.time.wall()));
    at(to).node.settle();
    const auto got = decode_answer(net.flying.back().bytes)->got;
    net.flying.clear();
    return *got.failure;
  };
  BOOST_TEST(say(2, {"payment", "o-1"}).is(base_errc::unknown_kind));
  BOOST_TEST(payment.calls == 0);
  BOOST_TEST(say(2, {"nothing", "x"}).is(base_errc::unknown_kind));
  const error elsewhere = say(3, {"counter", "a"});
  BOOST_TEST(leader_named_by(elsewhere).value() == 2u);
  BOOST_TEST(net.flying.empty());  // and nothing was passed on
}

BOOST_AUTO_TEST_CASE(a_stopping_node_sends_commands_on_and_answers_what_it_waits_for) {
  at(2).node.routes->stop_accepting();
  const auto got = at(1).node.send("a", add{5, ""});
  settle();
  BOOST_TEST(outcome_of(got) == "");
  everybody_follows(3);
  pass(duration_ms{60});
  BOOST_TEST(number(got) == 5);
  net.lose = is_answer;
  const auto sent = at(1).node.send("a", add{1, ""});
  everybody_follows(std::nullopt);
  const auto parked = at(1).node.send("b", add{1, ""});
  at(1).sender.stop();
  BOOST_TEST(outcome_of(sent) == "unknown_outcome");
  BOOST_TEST(outcome_of(parked) == "shutting_down");
  BOOST_TEST(outcome_of(at(1).node.send("c", get{})) == "shutting_down");
}

BOOST_AUTO_TEST_CASE(clocks_that_differ_by_hours_change_nothing) {
  at(2).node.time.now += std::chrono::hours(3);
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", "a"};
  message.command = counter::kind::encode_command(add{5, ""});
  message.deadline = at(1).node.time.wall() + duration_ms{1'000};
  message.reply = [got](answer a) { *got = std::move(a); };
  at(1).node.routes->send(std::move(message));
  settle();
  BOOST_TEST(number(got) == 5);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(remote_limits)

BOOST_AUTO_TEST_CASE(requests_of_one_peer_are_bounded_by_number_and_bytes) {
  remote_sender_limits limits;
  limits.requests_per_peer_max = 10;
  small_cluster cluster(limits);
  cluster.net.lose = is_command;
  std::vector<got_t> all;
  for (int i = 0; i < 15; ++i)
    all.push_back(cluster.at(1).node.send("a", add{1, ""}, {1, static_cast<std::uint64_t>(i) + 1}));
  BOOST_TEST(std::ranges::count_if(
                 all, [](const auto& got) { return outcome_of(got) == "overloaded"; }) == 5);
  BOOST_TEST(cluster.at(1).sender.counts().waiting == 10u);
  cluster.net.lose = nullptr;
  cluster.pass(duration_ms{2'100});
  BOOST_TEST(std::ranges::count_if(all, [](const auto& got) { return outcome_of(got) == "ok"; }) ==
             10);
  BOOST_TEST(cluster.at(2).node.total("a") == 10);
  BOOST_TEST(outcome_of(cluster.at(1).node.send("a", add{1, ""})) ==
             "");  // and there is room again

  limits = {};
  limits.bytes_per_peer_max = 1'000;
  limits.command_bytes_max = 2'000;
  small_cluster narrow(limits);
  narrow.net.lose = is_command;
  BOOST_TEST(outcome_of(narrow.at(1).node.send("a", add{1, std::string(600, 'x')})) == "");
  BOOST_TEST(outcome_of(narrow.at(1).node.send("a", add{1, std::string(600, 'x')})) ==
             "overloaded");
  BOOST_TEST(outcome_of(narrow.at(1).node.send("a", add{1, std::string(2'000, 'x')})) ==
             "malformed");
}

BOOST_AUTO_TEST_CASE(commands_of_one_peer_under_way_are_bounded) {
  remote_receiver_limits limits;
  limits.in_flight_per_peer_max = 3;
  small_cluster cluster({}, limits);
  std::vector<got_t> all;
  for (int i = 0; i < 5; ++i) all.push_back(cluster.at(1).node.send("a", add{1, ""}));
  const auto other = cluster.at(3).node.send("a", add{1, ""});
  while (cluster.net.deliver_one()) {
  }
  BOOST_TEST(std::ranges::count_if(
                 all, [](const auto& got) { return outcome_of(got) == "overloaded"; }) == 2);
  cluster.settle();
  BOOST_TEST(number(other) == 4);
  BOOST_TEST(cluster.at(2).receiver.counts().overloaded == 2u);
  BOOST_TEST(outcome_of(cluster.at(1).node.send("a", add{1, ""})) == "");
}

BOOST_AUTO_TEST_CASE(an_answer_too_long_to_be_sent_is_said_to_be) {
  remote_receiver_limits limits;
  limits.answer_bytes_max = 10;
  small_cluster cluster({}, limits);
  const auto got = cluster.at(1).node.send("a", add{1, ""});
  cluster.settle();
  BOOST_TEST(outcome_of(got) == "unknown_outcome");
}

// Commands with ids over a network that loses, breaks and mends: what was acknowledged happened
// once, what is unknown once or not at all.
BOOST_AUTO_TEST_CASE(over_any_network_each_command_happens_at_most_once_and_if_acknowledged_once) {
  const std::uint64_t base = std::random_device{}();
  for (std::uint64_t seed = base; seed < base + 300; ++seed) {
    std::mt19937_64 random(seed);
    small_cluster cluster;
    cluster.net.lose = [&](const auto&) { return random() % 4 == 0; };
    std::vector<got_t> named, unnamed;
    for (int step = 0; step < 60; ++step) {
      const node_id from = random() % 2 == 0 ? 1 : 3;
      switch (random() % 8) {
        case 0:
          cluster.net.break_link(from, 2);
          break;
        case 1:
        case 2:
          cluster.net.mend_link(from, 2);
          break;
        case 3:
          cluster.pass(duration_ms{static_cast<std::int64_t>(random() % 30) * 10});
          break;
        case 4:
          unnamed.push_back(cluster.at(from).node.send("u", add{1, ""}));
          break;
        default:
          named.push_back(cluster.at(from).node.send("n", add{1, ""}, {seed, named.size() + 1}));
          break;
      }
    }
    cluster.pass(duration_ms{13'000});
    cluster.net.lose = nullptr;
    cluster.net.flying.clear();
    for (const auto& [all, id] : {std::pair{named, "n"}, std::pair{unnamed, "u"}}) {
      const auto count = [&](const char* what) {
        return std::ranges::count_if(all, [&](const auto& got) { return outcome_of(got) == what; });
      };
      const auto total = cluster.at(2).node.total(id);
      BOOST_TEST_REQUIRE(count("") == 0, "seed " << seed);
      BOOST_TEST_REQUIRE((count("ok") <= total && total <= count("ok") + count("unknown_outcome")),
                         "seed " << seed << ": " << count("ok") << " ok, "
                                 << count("unknown_outcome") << " unknown, total " << total);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace remote_test
}  // namespace omnicart::cluster::test
