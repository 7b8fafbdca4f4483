#include "runtime/entity_host.hpp"

#include <boost/test/unit_test.hpp>

#include "runtime/base/limits.hpp"
#include "tests/unit/runtime/bench_node.hpp"

namespace omnicart::test {
namespace entity_host_test {

using counter::add;
using counter::get;

std::int64_t number(const std::optional<answer>& got) { return *codec::decode<std::int64_t>(got->payload); }

BOOST_AUTO_TEST_SUITE(entity_host_and_router)

BOOST_AUTO_TEST_CASE(an_answer_leaves_only_when_its_events_are_durable) {
  bench_node node;
  auto got = node.send("a", add{5, ""});
  node.run();
  BOOST_TEST(!got->has_value());
  node.log.flush();
  BOOST_REQUIRE(got->has_value());
  BOOST_TEST(number(*got) == 5);
}

BOOST_AUTO_TEST_CASE(a_read_after_an_undurable_write_waits_for_it) {
  bench_node node;
  auto write = node.send("a", add{5, ""});
  auto read = node.send("a", get{});
  node.run();
  BOOST_TEST(!read->has_value());
  node.log.flush(1);
  BOOST_TEST(write->has_value());
  BOOST_TEST(!read->has_value());
  node.log.flush();
  BOOST_TEST(number(*read) == 5);
}

BOOST_AUTO_TEST_CASE(a_read_of_durable_state_needs_no_journal) {
  bench_node node;
  node.send("a", add{5, ""});
  node.settle();
  auto read = node.send("a", get{});
  node.run();
  BOOST_TEST(read->has_value());
  BOOST_TEST(node.log.queue.empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_waits_for_the_state_it_was_decided_on) {
  bench_node node;
  node.send("a", add{5, ""});
  auto refused = node.send("a", add{1'001, ""});
  node.run();
  BOOST_TEST(!refused->has_value());
  node.log.flush();
  BOOST_REQUIRE(refused->has_value());
  BOOST_TEST((*refused)->failure->is(counter::errc::too_much));
}

BOOST_AUTO_TEST_CASE(the_entity_goes_on_without_waiting_for_the_disk) {
  bench_node node;
  for (int i = 0; i < 100; ++i) node.send("a", add{1, ""});
  node.run();
  BOOST_TEST(node.log.queue.size() == 100);
  BOOST_TEST(node.total("a") == 100);
}

BOOST_AUTO_TEST_CASE(nothing_written_is_lost_and_nothing_unwritten_is_kept_by_a_crash) {
  bench_node node;
  node.send("a", add{5, ""});
  node.settle();
  auto lost = node.send("a", add{7, ""});
  node.run();
  node.stop();
  BOOST_TEST(!lost->has_value());
  node.start();
  BOOST_TEST(node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(a_command_with_an_id_runs_once) {
  bench_node node;
  const command_id key{1, 2};
  auto first = node.send("a", add{5, ""}, key);
  auto again = node.send("a", add{5, ""}, key);  // while the first is not yet durable
  node.settle();
  auto later = node.send("a", add{5, ""}, key);  // from the store
  node.settle();
  BOOST_TEST(!(*first)->replayed);
  BOOST_TEST((*again)->replayed);
  BOOST_TEST((*later)->replayed);
  BOOST_TEST(number(*later) == 5);
}

// Both copies read that there is no receipt; the first is durable when the second hears of it.
BOOST_AUTO_TEST_CASE(a_copy_whose_look_up_was_overtaken_by_the_first_does_not_run) {
  bench_node node;
  node.log.slow_lookups = true;
  const command_id key{1, 2};
  auto first = node.send("a", add{5, ""}, key);
  auto again = node.send("a", add{5, ""}, key);
  node.run();
  BOOST_TEST_REQUIRE(node.log.lookups.size() == 2U);
  for (const auto& answer : std::exchange(node.log.lookups, {})) {
    answer();
    node.settle();
  }
  BOOST_TEST(!(*first)->replayed);
  BOOST_TEST((*again)->replayed);
  BOOST_TEST(node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(a_command_id_is_remembered_over_crash_and_snapshot) {
  bench_node node;
  const command_id key{1, 2};
  node.send("a", add{5, ""}, key);
  for (int i = 0; i < 200; ++i) node.send("a", add{1, ""});
  node.settle();
  BOOST_TEST(node.log.records["counter/a"].entity.state.has_value());
  node.stop();
  node.start();
  auto again = node.send("a", add{5, ""}, key);
  node.settle();
  BOOST_TEST((*again)->replayed);
  BOOST_TEST(node.total("a") == 205);
}

BOOST_AUTO_TEST_CASE(a_receipt_keeps_what_the_answer_to_a_repeat_needs) {
  bench_node node;
  const command_id key{1, 2};
  node.send("a", add{5, ""}, key);
  node.send("a", add{1, ""});
  auto open = node.send("a", add{5, ""}, key);  // the receipt is not yet durable
  node.settle();
  node.stop();
  node.start();
  auto stored = node.send("a", add{5, ""}, key);
  node.settle();
  BOOST_TEST(number(*open) == 5);
  BOOST_TEST(number(*stored) == 5);
  BOOST_TEST(node.total("a") == 6);
}

BOOST_AUTO_TEST_CASE(only_commands_with_an_id_and_something_to_keep_enlarge_their_receipt) {
  bench_node node;
  node.send("a", add{5, ""}, {1, 1});
  node.send("a", get{}, {1, 2});
  node.send("a", add{1'001, ""}, {1, 3});
  node.run();
  BOOST_REQUIRE(node.log.queue.size() == 3);
  BOOST_TEST(node.log.queue[0].proof->data == codec::encode(std::int64_t{5}));
  BOOST_TEST(node.log.queue[1].proof->data.empty());
  BOOST_TEST(node.log.queue[2].proof->data.empty());
}

BOOST_AUTO_TEST_CASE(an_entity_that_ended_leaves_nothing_but_its_receipts_and_begins_anew) {
  for (const int events_before : {1, 200}) {  // before and after its first snapshot
    bench_node node;
    for (int i = 0; i < events_before; ++i) node.send("a", add{1, ""}, {1, static_cast<std::uint64_t>(i + 1)});
    node.settle();
    auto last = node.send("a", add{-events_before, ""});
    node.run();
    BOOST_REQUIRE(node.log.queue.size() == 1);
    const journal_item& item = node.log.queue[0];
    BOOST_TEST(item.forgotten);
    BOOST_TEST(item.events.size() == 1);
    BOOST_TEST(item.cut_through == static_cast<std::uint64_t>(events_before));
    auto next = node.send("a", add{7, ""});  // while the end is not yet durable
    node.settle();
    BOOST_TEST((*last)->version == 0);
    BOOST_TEST((*next)->version == 1);
    node.stop();
    node.start();
    BOOST_TEST(node.total("a") == 7);
    auto again = node.send("a", add{1, ""}, {1, 1});
    node.settle();
    BOOST_TEST((*again)->replayed);
  }
}

BOOST_AUTO_TEST_CASE(the_timer_of_an_entity_that_ended_goes_with_it) {
  bench_node node;
  node.send("a", add{1, "b"});
  node.send("a", add{-1, ""});
  node.run();
  BOOST_REQUIRE(node.log.queue.size() == 2);
  BOOST_TEST(node.log.queue[0].timer.has_value());
  BOOST_TEST(!node.log.queue[1].forgotten);  // it owes
  node.settle();
  BOOST_TEST(node.total("b") == 1);
  BOOST_TEST(!node.log.records["counter/a"].entity.timer.has_value());
  BOOST_TEST(node.log.records["counter/a"].entity.events.empty());
}

BOOST_AUTO_TEST_CASE(a_command_id_with_another_body_is_refused) {
  bench_node node;
  const command_id key{1, 2};
  node.send("a", add{5, ""}, key, 10);
  auto other = node.send("a", add{6, ""}, key, 11);
  node.settle();
  BOOST_TEST((*other)->failure->is(base_errc::id_reused));
  BOOST_TEST(node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_final_for_its_command_id) {
  bench_node node;
  const command_id key{1, 2};
  node.send("a", add{1'001, ""}, key);
  node.settle();
  node.stop();
  node.start();
  auto again = node.send("a", add{1'001, ""}, key);
  node.settle();
  BOOST_TEST((*again)->failure->is(counter::errc::too_much));
  BOOST_TEST((*again)->replayed);
}

BOOST_AUTO_TEST_CASE(if_match_refuses_another_version) {
  bench_node node;
  node.send("a", add{1, ""});
  node.settle();
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", "a"};
  message.command = counter::kind::encode_command(add{1, ""});
  message.expected_version = 7;
  message.reply = [got](answer a) { *got = std::move(a); };
  node.routes->send(std::move(message));
  node.settle();
  BOOST_TEST((*got)->failure->is(base_errc::precondition_failed));
  BOOST_TEST((*got)->version == 1);
}

BOOST_AUTO_TEST_CASE(a_command_past_its_deadline_is_refused) {
  bench_node node;
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", "a"};
  message.command = counter::kind::encode_command(add{1, ""});
  message.deadline = node.time.now - duration_ms{1};
  message.reply = [got](answer a) { *got = std::move(a); };
  node.routes->send(std::move(message));
  node.settle();
  BOOST_TEST((*got)->failure->is(base_errc::expired));
  BOOST_TEST(node.total("a") == 0);
}

BOOST_AUTO_TEST_CASE(an_effect_is_sent_only_when_its_cause_is_durable) {
  bench_node node;
  node.send("a", add{5, "b"});
  node.run();
  BOOST_TEST(!node.routes->resident({"counter", "b"}));
  node.settle();
  BOOST_TEST(node.total("b") == 5);
}

BOOST_AUTO_TEST_CASE(answers_of_effects_that_left_together_are_taken_in_with_one_write) {
  bench_node node;
  node.send("a", add{5, "bcd"});
  node.run();
  node.log.flush();  // the cause is durable, three effects are out
  node.run();
  node.log.flush();  // and answered
  node.run();
  BOOST_REQUIRE(node.log.queue.size() == 1u);
  BOOST_TEST(node.log.queue.front().events.size() == 3u);
  node.settle();
  BOOST_TEST(node.log.records["counter/a"].entity.events.size() == 4u);
  BOOST_TEST(node.total("b") == 5);
  BOOST_TEST(node.total("d") == 5);
}

BOOST_AUTO_TEST_CASE(an_answer_does_not_wait_long_for_the_others) {
  bench_node node;
  node.send("a", add{5, "bc"});
  node.run();
  node.log.flush();
  node.run();
  node.log.flush(1);  // b has answered, c has not
  node.run();
  BOOST_TEST(node.log.records["counter/a"].entity.events.size() == 1u);
  node.pass(duration_ms{20});
  node.run();
  BOOST_TEST(node.log.queue.size() == 2u);  // c's own, and what a heard of b
  node.settle();
  BOOST_TEST(node.log.records["counter/a"].entity.events.size() == 3u);
}

BOOST_AUTO_TEST_CASE(answers_that_were_heard_and_not_written_before_a_crash_are_asked_for_again) {
  bench_node node;
  node.send("a", add{5, "bc"});
  node.run();
  node.log.flush();
  node.run();
  node.log.flush(1);
  node.run();
  node.stop();
  node.start();
  node.send("a", get{});
  node.settle();
  BOOST_TEST(node.log.records["counter/a"].entity.events.size() == 3u);
  BOOST_TEST(node.total("c") == 5);
}

BOOST_AUTO_TEST_CASE(an_effect_is_sent_again_after_a_crash_until_it_is_settled) {
  bench_node node;
  node.send("a", add{5, "b"});
  node.run();
  node.log.flush();  // the cause is durable, the effect posted
  node.stop();
  node.start();
  BOOST_TEST(node.log.records["counter/a"].entity.timer.has_value());  // something will wake it
  BOOST_TEST(node.total("a") == 5);                                    // or anybody's interest
  node.settle();
  BOOST_TEST(node.total("b") == 5);
  BOOST_TEST(!node.log.records["counter/a"].entity.timer.has_value());
}

BOOST_AUTO_TEST_CASE(an_effect_whose_leader_was_refused_for_a_moment_is_sent_all_the_same) {
  bench_node node;
  node.send("a", add{5, "b"});
  node.run();
  node.log.refusal = make_error(base_errc::storage_full);  // b cannot write
  node.settle();
  node.log.refusal.reset();
  node.pass(duration_ms{10'000});
  node.run();
  BOOST_REQUIRE(node.log.queue.size() == 1u);  // what the effect waits behind, to be sent again
  BOOST_TEST(node.log.queue.front().events.empty());
  node.log.refuse(make_error(base_errc::unavailable));
  for (int i = 0; i < 3; ++i) {
    node.settle();
    node.pass(duration_ms{10'000});
  }
  node.settle();
  BOOST_TEST(node.total("b") == 5);
  BOOST_TEST(!node.log.records["counter/a"].entity.timer.has_value());
}

// Its command is in the log; whoever is told that nothing was done gives it to the node that leads now.
BOOST_AUTO_TEST_CASE(a_caller_that_waits_is_never_told_that_nothing_was_done) {
  const auto is_doubtful = [](const std::optional<answer>& got) {
    return got && got->failure && got->failure->is(base_errc::unknown_outcome);
  };
  bench_node node;
  const auto settled = node.send("a", add{5, "b"}, {}, 1, duration_ms{60'000});
  node.run();
  node.log.flush();
  node.run();
  node.log.flush();
  node.run();
  BOOST_REQUIRE(node.log.queue.size() == 1u);  // that b was told, and with it the answer
  BOOST_TEST(!settled->has_value());
  node.log.refuse(make_error(base_errc::unavailable));
  BOOST_TEST(is_doubtful(*settled));

  bench_node other;
  const auto late = other.send("a", add{5, "b"}, {}, 1, duration_ms{1'000});
  other.run();
  other.log.flush();
  other.messages.clear();  // b hears nothing
  other.pass(duration_ms{1'000});
  other.log.has_lease = false;
  other.run();
  BOOST_TEST(is_doubtful(*late));
}

BOOST_AUTO_TEST_CASE(a_fault_is_retried_with_back_off_and_never_reaches_the_rules) {
  router_limits limits;
  bench_node node(limits);
  node.log.refusal = std::nullopt;
  node.send("a", add{5, "b"});
  node.run();
  node.log.refusal = make_error(base_errc::storage_full);  // b cannot write
  node.settle();
  BOOST_TEST(node.total("b") == 0);
  for (int i = 0; i < 5; ++i) {
    node.pass(duration_ms{10'000});
    node.settle();
  }
  node.log.refusal.reset();
  node.pass(duration_ms{10'000});
  node.settle();
  BOOST_TEST(node.total("b") == 5);
}

BOOST_AUTO_TEST_CASE(a_patient_caller_is_answered_when_progress_ends) {
  bench_node node;
  auto patient = node.send("a", add{5, "b"}, {1, 1}, 1, duration_ms{5'000});
  node.run();
  node.log.flush();
  BOOST_TEST(!patient->has_value());
  auto same = node.send("a", add{5, "b"}, {1, 1}, 1, duration_ms{5'000});
  node.run();
  node.log.flush();
  BOOST_TEST((*same)->failure->is(base_errc::in_progress));
  node.settle();
  BOOST_TEST(number(*patient) == 5);
}

BOOST_AUTO_TEST_CASE(a_patient_caller_is_answered_when_its_patience_ends) {
  bench_node node;
  auto patient = node.send("a", add{5, "b"}, {1, 1}, 1, duration_ms{5'000});
  node.run();
  node.log.refusal = make_error(base_errc::storage_full);
  node.settle();
  BOOST_TEST(!patient->has_value());
  node.pass(duration_ms{5'000});
  node.settle();
  BOOST_REQUIRE(patient->has_value());
  BOOST_TEST((*patient)->ok());
}

BOOST_AUTO_TEST_CASE(a_refusal_that_cannot_be_recorded_is_not_given) {
  bench_node node;
  node.log.refusal = make_error(base_errc::storage_full);
  auto told = node.send("a", add{1'001, ""}, {1, 1});
  node.settle();
  BOOST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->failure->is(base_errc::storage_full));
}

BOOST_AUTO_TEST_CASE(a_read_only_node_still_reads) {
  bench_node node;
  node.send("a", add{5, ""});
  node.settle();
  node.log.refusal = make_error(base_errc::storage_full);
  auto write = node.send("a", add{1, ""});
  node.settle();
  BOOST_TEST((*write)->failure->is(base_errc::storage_full));
  BOOST_TEST(node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(a_durable_timer_rings_once_after_a_restart) {
  bench_node node;
  node.send("a", counter::ring_at{node.time.now + duration_ms{60'000}});
  node.settle();
  node.stop();
  node.start();
  node.pass(duration_ms{60'000});
  envelope wake;
  wake.to = {"counter", "a"};
  wake.asker.as = role::system;
  node.routes->send(wake);
  node.routes->send(wake);
  node.settle();
  BOOST_TEST(!node.log.records["counter/a"].entity.timer.has_value());
  BOOST_TEST(node.log.records["counter/a"].entity.events.size() == 2u);  // set and rang
}

BOOST_AUTO_TEST_CASE(a_wake_up_before_time_changes_nothing) {
  bench_node node;
  node.send("a", counter::ring_at{node.time.now + duration_ms{60'000}});
  node.settle();
  envelope wake;
  wake.to = {"counter", "a"};
  wake.asker.as = role::system;
  node.routes->send(wake);
  node.settle();
  BOOST_TEST(node.log.records["counter/a"].entity.events.size() == 1u);
  BOOST_TEST(node.log.records["counter/a"].entity.timer.has_value());
}

BOOST_AUTO_TEST_CASE(an_idle_entity_leaves_memory_and_comes_back) {
  bench_node node;
  node.send("a", add{5, ""});
  node.settle();
  node.pass(duration_ms{301'000});
  node.routes->sweep();
  node.settle();
  BOOST_TEST(node.retired.size() == 1u);
  BOOST_TEST(node.routes->stats().residents == 0u);
  BOOST_TEST(node.total("a") == 5);
  BOOST_TEST(node.log.loads == 2);
}

BOOST_AUTO_TEST_CASE(an_entity_with_an_unsettled_effect_or_undurable_event_stays) {
  bench_node node;
  node.send("a", add{5, "b"});
  node.run();
  node.pass(duration_ms{301'000});
  node.routes->sweep();
  node.run();
  BOOST_TEST(node.retired.empty());
}

BOOST_AUTO_TEST_CASE(an_entity_with_a_message_on_the_way_stays) {
  bench_node node;
  node.send("a", add{5, ""});
  node.settle();
  node.pass(duration_ms{301'000});
  node.routes->sweep();
  auto got = node.send("a", get{});  // behind the question whether it may leave
  node.settle();
  BOOST_TEST(node.retired.empty());
  BOOST_TEST(number(*got) == 5);
}

BOOST_AUTO_TEST_CASE(memory_over_its_budget_sends_the_idle_away_early) {
  router_limits limits;
  limits.memory_bytes = 1;
  bench_node node(limits);
  node.send("a", add{5, ""});
  node.settle();
  node.pass(duration_ms{2'000});
  node.routes->sweep();
  node.settle();
  BOOST_TEST(node.retired.size() == 1u);
  BOOST_TEST(node.routes->stats().resident_bytes == 0);
}

BOOST_AUTO_TEST_CASE(a_full_mailbox_refuses_at_once) {
  router_limits limits;
  limits.backlog_per_entity = 3;
  bench_node node(limits);
  for (int i = 0; i < 3; ++i) node.send("a", add{1, ""});
  auto fourth = node.send("a", add{1, ""});
  BOOST_REQUIRE(fourth->has_value());
  BOOST_TEST((*fourth)->failure->is(base_errc::overloaded));
  node.settle();
  BOOST_TEST(node.total("a") == 3);
}

BOOST_AUTO_TEST_CASE(a_full_shard_refuses_at_once) {
  router_limits limits;
  limits.backlog_per_shard = 3;
  bench_node node(limits);
  for (int i = 0; i < 3; ++i) node.send("a", add{1, ""});
  auto fourth = node.send("a", add{1, ""});
  BOOST_REQUIRE(fourth->has_value());
  BOOST_TEST((*fourth)->failure->is(base_errc::overloaded));
}

BOOST_AUTO_TEST_CASE(no_more_entities_are_activated_than_allowed) {
  router_limits limits;
  limits.residents = 1;
  bench_node node(limits);
  node.send("a", add{1, ""});
  auto second = node.send("b", add{1, ""});
  BOOST_REQUIRE(second->has_value());
  BOOST_TEST((*second)->failure->is(base_errc::overloaded));
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_is_refused) {
  bench_node node;
  std::optional<answer> got;
  envelope message;
  message.to = {"teapot", "a"};
  message.reply = [&](answer a) { got = std::move(a); };
  node.routes->send(std::move(message));
  BOOST_TEST(got->failure->is(base_errc::unknown_kind));
}

BOOST_AUTO_TEST_CASE(a_stopping_node_takes_no_new_work_but_lets_entities_finish) {
  bench_node node;
  node.send("a", add{5, "b"});
  node.run();
  node.routes->stop_accepting();
  auto late = node.send("a", add{1, ""});
  BOOST_TEST((*late)->failure->is(base_errc::shutting_down));
  node.settle();
  BOOST_TEST(node.routes->drained());
  const auto b = node.log.records["counter/b"].entity.events.size();
  BOOST_TEST(b == 1u);
}

BOOST_AUTO_TEST_CASE(a_command_that_does_not_parse_is_refused_as_malformed) {
  bench_node node;
  std::optional<answer> got;
  envelope message;
  message.to = {"counter", "a"};
  message.command = "\x93garbage";
  message.reply = [&](answer a) { got = std::move(a); };
  node.routes->send(std::move(message));
  node.settle();
  BOOST_TEST(got->failure->is(base_errc::malformed));
}

BOOST_AUTO_TEST_CASE(bytes_that_do_not_read_refuse_the_entity_not_the_node) {
  bench_node node;
  node.log.records["counter/a"].entity.events.push_back({.at = {}, .by = {}, .event = "rubbish"});
  auto got = node.send("a", get{});
  node.settle();
  BOOST_TEST((*got)->failure->is(base_errc::io));
  BOOST_TEST(node.total("b") == 0);
}

BOOST_AUTO_TEST_CASE(what_is_remembered_from_another_term_is_told_to_nobody) {
  bench_node node;
  node.send("a", add{5});
  node.settle();
  node.log.term = 3;  // lost and won again, before anybody told the entity
  const auto read = node.send("a", get{});
  node.settle();
  BOOST_TEST((*read)->failure->is(base_errc::unavailable));
  node.log.term = 1;
  BOOST_TEST(node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(what_is_known_without_a_lease_is_told_to_nobody) {
  bench_node node;
  node.send("a", add{5});
  node.settle();
  node.log.has_lease = false;  // another may lead, and this node has not heard of it
  const auto read = node.send("a", get{});
  const auto refusal = node.send("a", add{1'001});
  node.settle();
  for (const auto& got : {*read, *refusal}) {
    BOOST_TEST_REQUIRE((got && got->failure));
    BOOST_TEST(got->failure->is(base_errc::unavailable));
  }
  node.log.has_lease = true;
  BOOST_TEST(node.total("a") == 5);
}

BOOST_AUTO_TEST_CASE(an_entity_let_in_after_the_leadership_ended_reads_nothing_until_there_is_one) {
  bench_node node;
  node.send("a", add{5});
  node.settle();
  node.stop();
  node.start();
  node.log.term = 0;
  const auto early = node.send("a", get{});
  node.settle();
  BOOST_TEST((*early)->failure->is(base_errc::unavailable));
  node.log.records["counter/a"].entity.events.clear();  // what another leader made of it meanwhile
  node.log.term = 3;
  BOOST_TEST(node.total("a") == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(commands_named_for_the_way)

// To the counter "a", as it comes from another node.
std::shared_ptr<std::optional<answer>> send_copy(bench_node& node, const counter::command& what, bool brief = true,
                                                 std::optional<duration_ms> doubt = {}, std::uint64_t body = 1) {
  auto got = std::make_shared<std::optional<answer>>();
  envelope message;
  message.to = {"counter", "a"};
  message.command = counter::kind::encode_command(what);
  message.id = {1, 2};
  message.brief = brief;
  message.doubt = doubt;
  message.body = body;
  message.reply = [got](answer a) { *got = std::move(a); };
  node.routes->send(std::move(message));
  return got;
}

BOOST_AUTO_TEST_CASE(a_brief_command_leaves_a_brief_proof_of_whatever_was_decided) {
  const struct {
    const char* why;
    counter::command what;
    bool brief;
  } rows[] = {
      {"a caller's own id", add{5, ""}, false},
      {"a brief one", add{5, ""}, true},
      {"what a caller named is refused", add{1'001, ""}, false},
      {"a brief one is refused", add{1'001, ""}, true},
      {"what a caller named changes nothing", get{}, false},
      {"a brief one changes nothing", get{}, true},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.why) {
      bench_node node;
      const auto got = send_copy(node, row.what, row.brief);
      node.run();
      BOOST_TEST_REQUIRE(node.log.queue.size() == 1u);
      const auto& item = node.log.queue.front();
      BOOST_TEST_REQUIRE(item.proof.has_value());
      BOOST_TEST((item.proof->id == command_id{1, 2} && item.proof->body == 1));
      BOOST_TEST(item.brief == row.brief);
      const duration_ms kept = row.brief ? limits::brief_receipt_retention : duration_ms(limits::receipt_retention);
      BOOST_TEST((item.proof->expires_at == node.time.now + kept));
      node.settle();
      BOOST_TEST(got->has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_copy_of_what_is_recalled_is_a_replay_and_leaves_nothing) {
  for (const bool restarted : {false, true}) {
    for (const auto doubt : {std::optional<duration_ms>{}, std::optional(duration_ms{100})}) {
      bench_node node;
      node.log.reach = {};  // what is known counts however little else is
      send_copy(node, add{5, ""});
      const auto open = send_copy(node, add{5, ""}, true, doubt);  // while the first is not yet durable
      node.send("a", add{1, ""});
      node.settle();
      if (restarted) {  // another node leads that has applied the same
        node.stop();
        node.start();
      }
      const auto again = send_copy(node, add{5, ""}, true, doubt);
      const auto other = send_copy(node, add{6, ""}, true, doubt, 77);
      node.run();
      BOOST_TEST(node.log.queue.empty());
      for (const auto& got : {open, again}) {
        BOOST_TEST_REQUIRE((got->has_value() && (*got)->ok()));
        BOOST_TEST((*got)->replayed);
        BOOST_TEST(number(*got) == 5);
      }
      BOOST_TEST((*other)->failure->is(base_errc::id_reused));
      BOOST_TEST(node.log.records["counter/a"].receipts.empty());
      BOOST_TEST(node.total("a") == 6);
    }
  }
}

// Nothing is recalled of it: whether it ran is known only as far back as everything is.
BOOST_AUTO_TEST_CASE(a_doubtful_brief_command_is_executed_only_where_a_first_copy_would_be_known) {
  using std::chrono::seconds;
  const struct {
    const char* why;
    bool brief;
    std::optional<duration_ms> doubt;
    duration_ms reach;
    bool is_executed;
  } rows[] = {
      {"a first copy, and nothing is known", true, {}, seconds(0), true},
      {"a first copy, and everything is known", true, {}, seconds(3'600), true},
      {"it left long before", true, seconds(10), seconds(9), false},
      {"it may have left before, for it was on its way itself", true, seconds(10), seconds(12), false},
      {"it left since", true, seconds(10), seconds(20), true},
      {"it has just left, and nothing is known", true, seconds(0), seconds(0), false},
      {"it has just left, and enough is known", true, seconds(0), seconds(10), true},
      {"a caller's own id has a receipt in the store, if it ran", false, seconds(10), seconds(0), true},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.why) {
      bench_node node;
      node.log.reach = row.reach;
      const auto got = send_copy(node, add{5, ""}, row.brief, row.doubt);
      node.run();
      BOOST_TEST(node.log.queue.size() == (row.is_executed ? 1u : 0u));
      node.settle();
      BOOST_TEST_REQUIRE(got->has_value());
      BOOST_TEST((*got)->ok() == row.is_executed);
      if (!row.is_executed) BOOST_TEST((*got)->failure->is(base_errc::expired));
      BOOST_TEST(!(*got)->replayed);
      BOOST_TEST(node.total("a") == (row.is_executed ? 5 : 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_doubtful_brief_command_is_answered_from_the_receipt_that_an_older_build_stored) {
  bench_node node;
  auto& stored = node.log.records["counter/a"].receipts[{1, 2}];
  stored = {.id = {1, 2}, .body = 1, .expires_at = {}, .refused = 0, .detail = "", .data = codec::encode(std::int64_t{5})};
  const auto got = send_copy(node, add{5, ""}, true, duration_ms{100});
  node.settle();
  BOOST_TEST_REQUIRE((got->has_value() && (*got)->ok()));
  BOOST_TEST((*got)->replayed);
  BOOST_TEST(number(*got) == 5);
  BOOST_TEST(node.total("a") == 0);
}

BOOST_AUTO_TEST_CASE(a_first_copy_of_a_brief_command_is_not_looked_up) {
  bench_node node;
  node.log.slow_lookups = true;
  const auto got = send_copy(node, add{5, ""});
  node.settle();
  BOOST_TEST(node.log.lookups.empty());
  BOOST_TEST_REQUIRE(got->has_value());
  BOOST_TEST(number(*got) == 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace entity_host_test
}  // namespace omnicart::test
