#include "cluster/raft/raft_group.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

// One replica, spoken to by hand.
namespace omnicart::raft {
namespace raft_group_test {

using std::chrono::milliseconds;

constexpr milliseconds election_timeout{100};
const configuration trio{{{1, role::voter}, {2, role::voter}, {3, role::voter}}};
const configuration with_standby{
    {{1, role::voter}, {2, role::voter}, {3, role::voter}, {4, role::standby}}};

payload bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

log_entry command(log_index index, term_number term, const std::string& text = "x") {
  return {.index = index, .term = term, .type = entry_type::command, .bytes = bytes(text)};
}

log_entry change(log_index index, term_number term, const configuration& members) {
  return {.index = index,
          .term = term,
          .type = entry_type::change,
          .bytes = bytes(encode_configuration(members))};
}

group_options options_of(node_id self) {
  return {.self = self, .election_timeout = election_timeout, .heartbeat = milliseconds{20}};
}

// Replica 1 of three if not said otherwise, started with term 1 and the first entry; its writes are
// done when told so.
struct replica {
  explicit replica(const configuration& members = trio, group_options options = options_of(1))
      : self(options.self), group(options) {
    stored_state stored{.hard = {.term = 1}, .entries = {first_entry(members)}};
    last = group.start(now, stored).value();
  }

  explicit replica(const stored_state& stored) : self(1), group(options_of(1)) {
    last = group.start(now, stored).value();
  }

  void wait(int ms) { now += milliseconds{ms}; }
  bool take(message_body body, node_id from = 2) {
    auto done = group.receive(now, {.from = from, .to = self, .body = std::move(body)});
    if (done) keep(std::move(*done));
    return done.has_value();
  }
  void keep(update u) {
    last = std::move(u);
    if (last.write != 0) written = last.write;
  }
  void persist() { keep(group.persisted(now, written)); }
  // Becomes leader of term 2 with node 2's votes; its barrier, index 2, is not persisted yet.
  void lead() {
    now = group.next_timeout();
    keep(group.timeout(now));
    take(vote_result{.term = 2, .granted = true, .pre_vote = true});
    persist();
    take(vote_result{.term = 2, .granted = true});
    BOOST_REQUIRE(group.current_state() == state::leader);
  }
  void commit_barrier() {
    persist();
    take(append_result{.term = 2, .last_index = 2, .echo = now});
    BOOST_REQUIRE(group.commit_index() == 2);
  }
  template <class T>
  std::vector<T> sent() const {
    std::vector<T> found;
    for (const auto& m : last.messages) {
      if (const auto* body = std::get_if<T>(&m.body)) found.push_back(*body);
    }
    return found;
  }

  node_id self;
  milliseconds now{1000};
  raft_group group;
  update last;
  std::uint64_t written = 0;
};

bool is(const result<update>& got, base_errc code) { return !got && got.error().is(code); }

BOOST_AUTO_TEST_SUITE(raft_group_alone)

BOOST_AUTO_TEST_CASE(no_message_tells_of_a_term_or_vote_that_is_not_on_disk) {
  replica r;
  r.now = r.group.next_timeout();
  r.keep(r.group.timeout(r.now));
  BOOST_TEST(r.sent<vote_request>().size() == 2);  // a pre-vote promises nothing
  r.take(vote_result{.term = 2, .granted = true, .pre_vote = true});
  BOOST_REQUIRE(r.last.hard.has_value());
  BOOST_TEST((*r.last.hard == hard_state{.term = 2, .voted_for = 1}));
  BOOST_TEST(r.last.messages.empty());
  r.persist();
  BOOST_TEST(r.sent<vote_request>().size() == 2);

  replica voter;
  voter.wait(150);
  voter.take(vote_request{.term = 5, .last_index = 9, .last_term = 4});
  BOOST_TEST((*voter.last.hard == hard_state{.term = 5, .voted_for = 2}));
  BOOST_TEST(voter.last.messages.empty());
  voter.persist();
  BOOST_REQUIRE(voter.sent<vote_result>().size() == 1);
  BOOST_TEST(voter.sent<vote_result>().front().granted);
}

BOOST_AUTO_TEST_CASE(only_one_vote_is_given_in_a_term) {
  replica r;
  r.wait(150);
  r.take(vote_request{.term = 5, .last_index = 9, .last_term = 4}, 2);
  r.take(vote_request{.term = 5, .last_index = 9, .last_term = 4}, 3);
  r.persist();
  const auto votes = r.sent<vote_result>();
  BOOST_REQUIRE(votes.size() == 2);
  BOOST_TEST(votes[0].granted);
  BOOST_TEST(!votes[1].granted);
}

BOOST_AUTO_TEST_CASE(a_vote_is_withheld_for_the_minimum_election_timeout_after_the_leader_was_heard_and_no_longer) {
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) {  // each draws its own timeout, up to twice the minimum
    auto options = options_of(1);
    options.seed = seed;
    replica r(trio, options);
    r.wait(150);
    r.take(append_request{.term = 1, .prev_index = 1, .prev_term = 1}, 3);
    const vote_request early{.term = 2, .last_index = 1, .last_term = 1, .pre_vote = true};
    r.wait(99);
    r.take(early);
    BOOST_TEST(!r.sent<vote_result>().front().granted);
    r.wait(1);
    r.take(early);
    BOOST_TEST(r.sent<vote_result>().front().granted);
    BOOST_TEST(r.group.term() == 1);
    r.take(append_request{.term = 1, .prev_index = 1, .prev_term = 1}, 3);  // it is back
    r.wait(99);
    r.take(early);
    BOOST_TEST(!r.sent<vote_result>().front().granted);
  }
}

BOOST_AUTO_TEST_CASE(voters_stand_in_turn_behind_the_leader_they_lost) {
  // Election timeout 100, heartbeat 20: the first waits 110 to 122 after it heard the leader, the next 135 to 147.
  const auto patience = [](node_id self, node_id leader, unsigned seed) {
    auto options = options_of(self);
    options.seed = seed;
    replica r(trio, options);
    r.wait(150);
    r.take(append_request{.term = 1, .prev_index = 1, .prev_term = 1}, leader);
    return static_cast<int>((r.group.next_timeout() - r.now).count());
  };
  struct { node_id leader, first, second; } const table[] = {{1, 2, 3}, {2, 3, 1}, {3, 1, 2}};
  for (const auto& [leader, first, second] : table) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
      const int soon = patience(first, leader, seed), later = patience(second, leader, seed);
      BOOST_TEST((soon >= 110 && soon <= 122), "node " << first << " waits " << soon);
      BOOST_TEST((later >= 135 && later <= 147), "node " << second << " waits " << later);
    }
  }
  BOOST_TEST(patience(2, 1, 1) != patience(2, 1, 3));  // chance has its share
}

BOOST_AUTO_TEST_CASE(a_leader_reads_once_its_barrier_is_committed_and_while_its_lease_lasts) {
  replica r;
  r.lead();
  BOOST_REQUIRE(r.last.entries.size() == 1);
  BOOST_TEST((r.last.entries.front().type == entry_type::barrier));
  BOOST_TEST(r.group.barrier_index() == 2);
  const auto led_at = r.now;
  r.wait(10);
  r.take(append_result{.term = 2, .last_index = 1, .echo = led_at});
  BOOST_TEST(!r.group.may_read(r.now, 2));  // no commit yet
  r.persist();
  r.take(append_result{.term = 2, .last_index = 2, .echo = led_at});
  BOOST_TEST(r.group.applicable_index() == 2);
  BOOST_TEST(!r.group.may_read(r.now, 1));  // not applied
  BOOST_TEST(r.group.may_read(r.now, 2));
  BOOST_TEST(r.group.may_read(led_at + milliseconds{79}, 2));
  BOOST_TEST(!r.group.may_read(led_at + milliseconds{80}, 2));
}

BOOST_AUTO_TEST_CASE(stamps_of_other_terms_and_of_the_future_carry_no_lease) {
  replica r;
  r.lead();
  r.commit_barrier();
  r.wait(85);
  BOOST_TEST(!r.group.may_read(r.now, 2));
  r.take(append_result{.term = 1, .last_index = 2, .echo = r.now});
  r.take(append_result{.term = 2, .last_index = 2, .echo = r.now + milliseconds{1}});
  BOOST_TEST(!r.group.may_read(r.now, 2));
  r.take(append_result{.term = 2, .last_index = 2, .echo = r.now});
  BOOST_TEST(r.group.may_read(r.now, 2));
}

BOOST_AUTO_TEST_CASE(a_follower_echoes_the_latest_stamp_of_the_term) {
  replica r;
  const auto echo_of = [&](term_number term, int stamp, node_id from) {
    r.take(
        append_request{
            .term = term, .prev_index = 1, .prev_term = 1, .sent_at = milliseconds{stamp}},
        from);
    r.persist();
    return static_cast<int>(r.group.term() == term ? r.sent<append_result>().size() : 0);
  };
  BOOST_TEST(echo_of(2, 50, 2) == 1);
  BOOST_TEST(r.sent<append_result>().front().echo.count() == 50);
  r.take(append_request{.term = 2, .prev_index = 1, .prev_term = 1, .sent_at = milliseconds{40}},
         2);
  BOOST_TEST(r.sent<append_result>().front().echo.count() == 50);
  r.take(append_request{.term = 3, .prev_index = 1, .prev_term = 1, .sent_at = milliseconds{7}}, 3);
  r.persist();
  BOOST_TEST(r.sent<append_result>().front().echo.count() == 7);
  // The leader of an earlier term hears of the later one, and nothing that could carry its lease.
  r.take(append_request{.term = 2, .prev_index = 1, .prev_term = 1, .sent_at = milliseconds{60}},
         2);
  BOOST_TEST(r.sent<append_result>().front().term == 3);
  BOOST_TEST(r.sent<append_result>().front().echo.count() == 0);
}

BOOST_AUTO_TEST_CASE(an_overwritten_write_proves_nothing) {
  replica r;
  r.take(
      append_request{
          .term = 2, .prev_index = 1, .prev_term = 1, .entries = {command(2, 2), command(3, 2)}},
      2);
  const auto first = r.written;
  r.take(
      append_request{
          .term = 3, .prev_index = 1, .prev_term = 1, .entries = {command(2, 3), command(3, 3)}},
      3);
  BOOST_TEST(r.last.entries.front().index == 2);  // replaces both
  const auto second = r.written;
  r.keep(r.group.persisted(r.now, first));
  BOOST_TEST(r.group.stored_index() == 1);
  BOOST_TEST(r.sent<append_result>().empty());
  r.keep(r.group.persisted(r.now, second));
  BOOST_TEST(r.group.stored_index() == 3);
  BOOST_REQUIRE(!r.sent<append_result>().empty());
  BOOST_TEST(r.sent<append_result>().back().last_index == 3);
}

BOOST_AUTO_TEST_CASE(what_is_committed_but_not_on_this_disk_is_not_to_be_applied) {
  replica r;
  r.take(append_request{.term = 2,
                        .prev_index = 1,
                        .prev_term = 1,
                        .leader_commit = 3,
                        .entries = {command(2, 2), command(3, 2)}});
  BOOST_TEST(r.group.commit_index() == 3);
  BOOST_TEST(r.group.applicable_index() == 1);
  r.persist();
  BOOST_TEST(r.group.applicable_index() == 3);
}

BOOST_AUTO_TEST_CASE(a_change_amid_a_message_is_rolled_back_with_its_entry) {
  replica r;
  r.take(append_request{.term = 2,
                        .prev_index = 1,
                        .prev_term = 1,
                        .entries = {command(2, 2), change(3, 2, with_standby), command(4, 2)}});
  BOOST_REQUIRE(r.last.entries.size() == 3);
  BOOST_TEST((r.group.members() == with_standby));
  r.persist();
  // Entry 2 stays, the change behind it goes.
  r.take(append_request{.term = 3, .prev_index = 2, .prev_term = 2, .entries = {command(3, 3)}}, 3);
  BOOST_TEST((r.group.members() == trio));
}

BOOST_AUTO_TEST_CASE(of_two_changes_the_earlier_one_is_what_a_roll_back_returns_to) {
  configuration with_spare = with_standby;
  with_spare.servers.push_back({5, role::spare});
  replica r;
  r.take(append_request{
      .term = 2,
      .prev_index = 1,
      .prev_term = 1,
      .entries = {change(2, 2, with_standby), command(3, 2), change(4, 2, with_spare)}});
  BOOST_TEST((r.group.members() == with_spare));
  r.persist();
  r.take(append_request{.term = 3, .prev_index = 3, .prev_term = 2, .entries = {command(4, 3)}}, 3);
  BOOST_TEST((r.group.members() == with_standby));
}

// Of a follower that got the barrier after it had refused it; libraft would send it no entry any more.
BOOST_AUTO_TEST_CASE(a_refusal_that_comes_late_stops_no_replication) {
  replica r;
  r.lead();
  r.commit_barrier();
  for (const char* text : {"three", "four"}) {
    r.keep(r.group.submit(r.now, {text}).value());
    r.persist();
  }
  r.take(append_result{.term = 2, .rejected = 3, .last_index = 2, .echo = r.now});  // three was lost
  r.take(append_result{.term = 2, .rejected = 2, .last_index = 1, .echo = r.now});
  BOOST_TEST(r.group.match_index(2) == 2);
  r.wait(30);
  r.keep(r.group.timeout(r.now));
  const auto to_two = std::ranges::find(r.last.messages, node_id{2}, &message::to);
  BOOST_REQUIRE(to_two != r.last.messages.end());
  const auto& sent = std::get<append_request>(to_two->body);
  BOOST_TEST(sent.prev_index == 2);
  BOOST_TEST(sent.entries.size() == 2);
}

BOOST_AUTO_TEST_CASE(a_late_answer_to_a_pre_vote_does_not_depose_anybody) {
  replica r;
  r.lead();
  r.commit_barrier();
  r.take(vote_result{.term = 9, .granted = false, .pre_vote = true}, 3);
  BOOST_TEST((r.group.current_state() == state::leader));
  BOOST_TEST(r.group.term() == 2);
}

BOOST_AUTO_TEST_CASE(a_lone_voter_takes_a_new_term_at_every_start) {
  raft_group group(options_of(1));
  stored_state stored{.hard = {.term = 4, .voted_for = 1},
                      .entries = {first_entry({{{1, role::voter}}}), command(2, 4)}};
  const auto begun = group.start(milliseconds{0}, stored);
  BOOST_REQUIRE(begun.has_value());
  BOOST_TEST((group.current_state() == state::leader));
  BOOST_TEST((*begun->hard == hard_state{.term = 5, .voted_for = 1}));
  BOOST_TEST(group.barrier_index() == 3);
  BOOST_TEST(!group.may_read(milliseconds{0}, 3));
  group.persisted(milliseconds{1}, begun->write);
  BOOST_TEST(group.applicable_index() == 3);
  BOOST_TEST(group.may_read(milliseconds{1}, 3));
}

BOOST_AUTO_TEST_CASE(a_voter_left_alone_takes_a_new_term_too) {
  const configuration pair{{{1, role::voter}, {2, role::voter}}};
  const configuration alone{{{1, role::voter}}};
  replica r(pair);
  r.take(
      append_request{.term = 2, .prev_index = 1, .prev_term = 1, .entries = {change(2, 2, alone)}});
  r.persist();
  r.take(timeout_now{.term = 2, .last_index = 2, .last_term = 2});
  BOOST_TEST((r.group.current_state() == state::follower));
  r.wait(150);
  r.now = std::max(r.now, r.group.next_timeout());
  r.keep(r.group.timeout(r.now));
  BOOST_TEST((r.group.current_state() == state::leader));
  BOOST_TEST(r.group.term() == 3);  // node 2 may lead in term 2 still
}

BOOST_AUTO_TEST_CASE(a_standby_votes_as_a_voter_would) {
  const vote_request good{.term = 5, .last_index = 1, .last_term = 1};
  const auto grants = [](replica& r, const vote_request& request, node_id from) {
    r.take(request, from);
    if (r.last.hard) r.persist();
    const auto answers = r.sent<vote_result>();
    return !answers.empty() && answers.back().granted;
  };
  replica once(with_standby, options_of(4));
  BOOST_TEST(!grants(once, good, 2));  // it has just begun
  once.wait(100);
  BOOST_TEST(grants(once, good, 2));
  BOOST_TEST(!grants(once, good, 3));  // one vote in a term
  BOOST_TEST(grants(once, good, 2));   // the same again

  replica longer(with_standby, options_of(4));
  longer.wait(100);
  BOOST_TEST(!grants(longer, {.term = 5, .last_index = 0, .last_term = 0}, 2));
  BOOST_TEST(longer.group.term() == 5);

  replica led(with_standby, options_of(4));
  led.wait(100);
  led.take(append_request{.term = 2, .prev_index = 1, .prev_term = 1}, 3);
  led.persist();
  led.wait(99);
  BOOST_TEST(!grants(led, good, 2));  // it has a leader
  BOOST_TEST(led.group.term() == 2);
  led.wait(1);
  BOOST_TEST(grants(led, {.term = 5, .last_index = 1, .last_term = 1, .pre_vote = true}, 2));
  BOOST_TEST(led.group.term() == 2);
  BOOST_TEST(grants(led, good, 2));

  replica nobody(trio, options_of(4));
  nobody.wait(100);
  BOOST_TEST(!grants(nobody, good, 2));
}

BOOST_AUTO_TEST_CASE(messages_behind_a_change_wait_for_the_leaders_own_disk) {
  replica r;
  r.lead();
  r.commit_barrier();
  r.keep(
      r.group.change_membership(r.now, {membership_change::kind::add, 4, role::standby}).value());
  BOOST_TEST(r.last.messages.empty());
  r.persist();
  BOOST_TEST(!r.sent<append_request>().empty());
}

BOOST_AUTO_TEST_CASE(changes_of_membership_are_refused_where_they_would_harm) {
  using kind = membership_change::kind;
  replica r(with_standby);
  const auto refused = [&](const membership_change& change, base_errc code) {
    return is(r.group.change_membership(r.now, change), code);
  };
  BOOST_TEST(refused({kind::remove, 3}, base_errc::unavailable));  // not the leader
  r.lead();
  BOOST_TEST(
      refused({kind::remove, 3}, base_errc::overloaded));  // nothing of its term is committed
  r.commit_barrier();
  BOOST_TEST(refused({kind::remove, 1}, base_errc::precondition_failed));  // itself
  BOOST_TEST(refused({kind::assign, 1, role::standby}, base_errc::precondition_failed));
  BOOST_TEST(refused({kind::assign, 4, role::voter},
                     base_errc::precondition_failed));  // it may have nothing
  BOOST_TEST(refused({kind::add, 5, role::voter}, base_errc::precondition_failed));
  BOOST_TEST(r.take(append_result{.term = 2, .last_index = 2}, 4));
  r.keep(r.group.change_membership(r.now, {kind::assign, 4, role::voter}).value());
  BOOST_TEST(refused({kind::remove, 3}, base_errc::overloaded));  // one at a time
}

BOOST_AUTO_TEST_CASE(work_is_refused_where_it_cannot_be_done) {
  auto options = options_of(1);
  options.uncommitted_entries_max = 4;
  options.entry_bytes_max = 10;
  replica r(trio, options);
  BOOST_TEST(is(r.group.submit(r.now, {"x"}), base_errc::unavailable));
  BOOST_TEST(is(r.group.transfer(r.now, 2), base_errc::unavailable));
  BOOST_TEST(is(r.group.catch_up(r.now, 2), base_errc::unavailable));
  r.lead();
  BOOST_TEST(is(r.group.submit(r.now, {}), base_errc::precondition_failed));
  BOOST_TEST(is(r.group.submit(r.now, {std::string(11, 'x')}), base_errc::precondition_failed));
  BOOST_TEST(is(r.group.submit(r.now, {"1", "2", "3", "4"}),
                base_errc::overloaded));  // with the barrier, five
  BOOST_TEST(r.group.submit(r.now, {"1", "2", "3"}).has_value());
  BOOST_TEST(is(r.group.submit(r.now, {"4"}), base_errc::overloaded));
  BOOST_TEST(is(r.group.transfer(r.now, 1), base_errc::precondition_failed));
  BOOST_TEST(is(r.group.transfer(r.now, 9), base_errc::precondition_failed));
  BOOST_TEST(is(r.group.catch_up(r.now, 9), base_errc::precondition_failed));
  BOOST_TEST(is(r.group.catch_up(r.now, 2), base_errc::precondition_failed));
  BOOST_TEST(r.group.transfer(r.now, 2).has_value());
  BOOST_TEST(is(r.group.transfer(r.now, 3), base_errc::overloaded));
  BOOST_TEST(is(r.group.submit(r.now, {"5"}), base_errc::unavailable));
}

BOOST_AUTO_TEST_CASE(messages_that_no_sound_peer_sends_are_refused) {
  replica r;
  r.take(append_request{.term = 3, .prev_index = 1, .prev_term = 1}, 2);
  const snapshot_metadata good{.index = 5, .term = 2, .configuration_index = 1, .members = trio};
  const auto with = [](auto value, auto edit) {
    edit(value);
    return value;
  };
  const append_request append{
      .term = 3, .prev_index = 1, .prev_term = 1, .entries = {command(2, 3)}};
  const std::vector<std::pair<std::string, message_body>> rows = {
      {"a term of 0", vote_request{.term = 0}},
      {"a term that nobody reaches", vote_request{.term = ~0ULL}},
      {"a last term above the candidate's",
       vote_request{.term = 4, .last_index = 1, .last_term = 5}},
      {"a last index that overflows", vote_request{.term = 4, .last_index = ~0ULL, .last_term = 4}},
      {"a follower before the first", with(append, [](auto& a) { a.prev_term = 0; })},
      {"a first with a term", with(append, [](auto& a) { a.prev_index = 0; })},
      {"an entry from the future", with(append, [](auto& a) { a.entries[0].term = 4; })},
      {"an entry without a term", with(append, [](auto& a) { a.entries[0].term = 0; })},
      {"an entry at the wrong index", with(append, [](auto& a) { a.entries[0].index = 3; })},
      {"an entry without bytes", with(append, [](auto& a) { a.entries[0].bytes = nullptr; })},
      {"an unknown type",
       with(append, [](auto& a) { a.entries[0].type = static_cast<entry_type>(9); })},
      {"a change that does not decode",
       with(append, [](auto& a) { a.entries[0].type = entry_type::change; })},
      {"terms that fall", with(append,
                               [](auto& a) {
                                 a.entries = {command(2, 3), command(3, 2)};
                               })},
      {"a result that overflows", append_result{.term = 3, .last_index = ~0ULL}},
      {"a negative time", append_result{.term = 3, .echo = milliseconds{-1}}},
      {"a snapshot of nothing",
       install_request{.term = 3, .snapshot = with(good, [](auto& s) { s.index = 0; })}},
      {"a snapshot from the future",
       install_request{.term = 3, .snapshot = with(good, [](auto& s) { s.term = 4; })}},
      {"a snapshot of no group",
       install_request{.term = 3, .snapshot = with(good, [](auto& s) { s.members = {}; })}},
      {"a last entry from the future", timeout_now{.term = 3, .last_index = 1, .last_term = 4}},
  };
  for (const auto& [claim, body] : rows) {
    BOOST_TEST_CONTEXT(claim) {
      BOOST_TEST(
          is(r.group.receive(r.now, {.from = 2, .to = 1, .body = body}), base_errc::malformed));
    }
  }
  const auto refused = [&](const message& m) {
    return is(r.group.receive(r.now, m), base_errc::malformed);
  };
  BOOST_TEST(refused({.from = 2, .to = 3, .body = append}));
  BOOST_TEST(refused({.from = 1, .to = 1, .body = append}));
  BOOST_TEST(refused({.from = 0, .to = 1, .body = append}));
  BOOST_TEST(refused({.from = 3, .to = 1, .body = append}));  // a second leader in term 3
  BOOST_TEST(r.take(append, 2));
}

BOOST_AUTO_TEST_CASE(a_leader_that_contradicts_what_is_committed_stops_the_replica) {
  replica r;
  r.take(append_request{
      .term = 2, .prev_index = 1, .prev_term = 1, .leader_commit = 2, .entries = {command(2, 2)}});
  r.persist();
  const append_request other{
      .term = 3, .prev_index = 1, .prev_term = 1, .entries = {command(2, 3)}};
  BOOST_TEST(is(r.group.receive(r.now, {.from = 3, .to = 1, .body = other}), base_errc::io));
  BOOST_TEST(is(r.group.receive(r.now, {.from = 3, .to = 1, .body = other}), base_errc::io));
  BOOST_TEST(is(r.group.submit(r.now, {"x"}), base_errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_only_described_where_one_can_end) {
  replica r;
  r.take(append_request{
      .term = 2,
      .prev_index = 1,
      .prev_term = 1,
      .leader_commit = 4,
      .entries = {command(2, 2), change(3, 2, with_standby), command(4, 2), command(5, 2)}});
  BOOST_TEST(!r.group.describe_snapshot(4).has_value());  // not on disk
  r.persist();
  BOOST_TEST(!r.group.describe_snapshot(5).has_value());  // not committed
  BOOST_TEST(r.group.describe_snapshot(2).error().is(base_errc::overloaded));
  const auto taken = r.group.describe_snapshot(4);
  BOOST_REQUIRE(taken.has_value());
  BOOST_TEST(
      (*taken == snapshot_metadata{
                     .index = 4, .term = 2, .configuration_index = 3, .members = with_standby}));
  r.keep(r.group.snapshot_taken(r.now, *taken, 1));
  BOOST_TEST(r.group.first_index() == 4);
  BOOST_TEST(!r.group.describe_snapshot(4).has_value());  // taken already
}

BOOST_AUTO_TEST_CASE(what_was_read_from_disk_is_not_sent_by_a_leader_of_the_past) {
  auto options = options_of(1);
  options.memory_bytes_max = 0;
  replica r(trio, options);
  r.lead();
  r.commit_barrier();
  r.take(append_result{.term = 2, .last_index = 1}, 3);
  BOOST_REQUIRE(r.last.reads.size() == 1);
  const auto wanted = r.last.reads.front();
  const std::vector<log_entry> entries{
      {.index = 2, .term = 2, .type = entry_type::barrier, .bytes = nullptr}};
  BOOST_TEST(r.group.complete_append(wanted, entries).size() == 1);
  BOOST_TEST(r.group.complete_append(wanted, {}).empty());
  BOOST_TEST(r.group.complete_append(wanted, {command(2, 1)}).empty());
  r.take(append_request{.term = 3, .prev_index = 1, .prev_term = 1}, 2);
  BOOST_TEST(r.group.complete_append(wanted, entries).empty());
}

BOOST_AUTO_TEST_CASE(a_full_window_does_not_fill_the_network_with_empty_messages) {
  auto options = options_of(1);
  options.inflight_entries_max = 2;
  replica r(trio, options);
  r.lead();
  r.commit_barrier();
  r.take(append_result{.term = 2, .last_index = 2, .echo = r.now}, 3);
  std::size_t messages = 0;
  for (int i = 0; i < 100; ++i) {
    r.keep(r.group.submit(r.now, {"x"}).value());
    messages += r.last.messages.size();
  }
  BOOST_TEST(messages <= 4);
}

BOOST_AUTO_TEST_CASE(stored_state_that_cannot_be_is_refused) {
  const snapshot_metadata snapshot{
      .index = 5, .term = 2, .configuration_index = 1, .members = trio};
  const std::vector<std::pair<std::string, stored_state>> rows = {
      {"a log that begins with a command", {.hard = {.term = 1}, .entries = {command(1, 1)}}},
      {"a log that begins in the middle", {.hard = {.term = 1}, .entries = {command(2, 1)}}},
      {"a gap", {.hard = {.term = 1}, .entries = {first_entry(trio), command(3, 1)}}},
      {"a term above the stored one",
       {.hard = {.term = 1}, .entries = {first_entry(trio), command(2, 2)}}},
      {"a gap behind the snapshot",
       {.hard = {.term = 2}, .snapshot = snapshot, .entries = {command(7, 2)}}},
      {"a snapshot above the stored term", {.hard = {.term = 1}, .snapshot = snapshot}},
  };
  for (const auto& [claim, stored] : rows) {
    BOOST_TEST_CONTEXT(claim) {
      raft_group group(options_of(1));
      BOOST_TEST(is(group.start(milliseconds{0}, stored), base_errc::malformed));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_log_that_the_snapshot_left_behind_is_forgotten) {
  const snapshot_metadata snapshot{
      .index = 5, .term = 3, .configuration_index = 1, .members = trio};
  stored_state stored{
      .hard = {.term = 3}, .snapshot = snapshot, .entries = {first_entry(trio), command(2, 1)}};
  raft_group behind(options_of(1));
  BOOST_REQUIRE(behind.start(milliseconds{0}, stored).has_value());
  BOOST_TEST(behind.last_index() == 5);
  BOOST_TEST(behind.first_index() == 6);

  for (log_index i = 3; i <= 7; ++i)
    stored.entries.push_back(command(i, 2));  // term 2 where the snapshot says 3
  raft_group other(options_of(1));
  BOOST_REQUIRE(other.start(milliseconds{0}, stored).has_value());
  BOOST_TEST(other.last_index() == 5);
}

// A leader that does not know how far a follower is asks from further back than the follower's log
// reaches.
BOOST_AUTO_TEST_CASE(what_a_snapshot_covers_counts_as_matched) {
  const stored_state stored{.hard = {.term = 3},
                            .snapshot = snapshot_metadata{
                                .index = 5, .term = 2, .configuration_index = 1, .members = trio}};
  replica r(stored);
  r.take(append_request{.term = 3, .prev_index = 3, .prev_term = 1});
  BOOST_REQUIRE(r.sent<append_result>().size() == 1);
  BOOST_TEST(r.sent<append_result>().front().rejected == 0);
  BOOST_TEST(r.sent<append_result>().front().last_index == 5);
  for (const log_index prev : {0U, 3U}) {
    replica behind(stored);
    append_request request{.term = 3, .prev_index = prev, .prev_term = prev == 0 ? 0U : 1U};
    for (auto i = prev + 1; i <= 7; ++i) request.entries.push_back(command(i, i < 5 ? 1 : 2));
    behind.take(request);
    BOOST_REQUIRE(behind.last.entries.size() == 2);
    BOOST_TEST(behind.last.entries.front().index == 6);
    behind.persist();
    BOOST_TEST(behind.sent<append_result>().front().last_index == 7);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace raft_group_test
}  // namespace omnicart::raft
