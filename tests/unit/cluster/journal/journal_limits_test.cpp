#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cluster/raft/message_codec.hpp"
#include "cluster/raft_channel.hpp"
#include "runtime/log.hpp"
#include "tests/unit/cluster/journal/journal_cluster.hpp"

// What a journal does with more than it may take, and with what it must not hear.
namespace omnicart::cluster {
namespace journal_limits_test {

constexpr std::size_t mib = std::size_t{1} << 20;

// A shard's only voter, whose loop the test runs.
struct limited {
  limited() {
    journal_options with;
    with.queue_bytes_max = with.batch_bytes_max = 256 * mib;
    with.leadership = [this](std::uint16_t of, std::uint64_t term) {
      if (of == shard) leaderships.push_back(term);
    };
    node.emplace(persistence::options_on(disk), time, std::move(with));
    shard = node->data->shard_of(cart);
    leaderships.clear();
  }

  replicated_journal& journal() { return *node->journal; }
  replica_view view() { return journal().views()[shard]; }
  std::size_t append(std::uint64_t version, std::size_t bytes, std::uint64_t term) {
    journal_item item{.entity = cart, .term = term, .first_version = version};
    item.events.push_back(persistence::event_at(persistence::at_ms(1), std::string(bytes, 'x')));
    const auto number = told.size();
    told.emplace_back();
    item.done = [this, number](status outcome) { told[number] = std::move(outcome); };
    journal().append(std::move(item));
    return number;
  }
  bool written(std::size_t number) { return told[number].has_value() && told[number]->has_value(); }
  bool unavailable(std::size_t number) {
    return told[number].has_value() && !*told[number] &&
           told[number]->error().is(base_errc::unavailable);
  }
  // From node 2, which claims to lead in a later term.
  void receive(raft::append_request request) {
    std::vector<shard_message> messages(1);
    messages[0] = {shard, {.from = 2, .to = 1, .body = std::move(request)}};
    journal().receive(std::move(messages));
  }

  const entity_ref cart{"cart", "a"};
  persistence::manual_clock time;
  std::shared_ptr<sim::fault_fs> disk = std::make_shared<sim::fault_fs>(7);
  std::optional<persistence::open_store> node;
  std::uint16_t shard = 0;
  std::vector<std::uint64_t> leaderships;  // as entities heard of them
  std::vector<std::optional<status>> told;
};

BOOST_FIXTURE_TEST_SUITE(journal_limits, limited)

BOOST_AUTO_TEST_CASE(a_backlog_larger_than_an_entry_is_written_in_several) {
  const auto before = view().last;
  for (std::uint64_t version = 1; version <= 9; ++version)
    append(version, 2 * mib, journal().term_of(cart));
  journal().flush_once();
  for (std::size_t i = 0; i < told.size(); ++i) BOOST_TEST(written(i));
  BOOST_TEST(view().last >= before + 3);
  BOOST_TEST(leaderships.empty());
  BOOST_TEST(node->reader->load_now(cart).value().events.size() == 9u);
}

BOOST_AUTO_TEST_CASE(a_large_item_takes_no_others_into_its_entry) {
  append(1, mib, 0);
  append(2, 12 * mib, 0);
  append(3, mib, 0);
  journal().flush_once();
  for (std::size_t i = 0; i < told.size(); ++i) BOOST_TEST(written(i));
}

BOOST_AUTO_TEST_CASE(what_the_log_does_not_take_leaves_no_entity_that_knows_of_it) {
  const auto fence = journal().term_of(cart);
  const auto term = journal().term(shard);
  const auto before = append(1, 10, fence);
  const auto large = append(2, 16 * mib, fence);
  const auto behind = append(3, 10, fence);
  journal().flush_once();
  BOOST_TEST(written(before));
  BOOST_TEST(unavailable(large));
  BOOST_TEST(unavailable(behind));
  BOOST_TEST(leaderships == (std::vector<std::uint64_t>{0, term}));
  BOOST_TEST(journal().term(shard) == term);
  BOOST_TEST(journal().leads(shard));
  BOOST_TEST(journal().term_of(cart) != fence);
  const auto late = append(4, 10, fence);  // its entity had not heard of it yet
  const auto anew = append(2, 10, journal().term_of(cart));
  journal().flush_once();
  BOOST_TEST(unavailable(late));
  BOOST_TEST(written(anew));
  BOOST_TEST(node->reader->load_now(cart).value().events.size() == 2u);
}

BOOST_AUTO_TEST_CASE(entities_begin_anew_only_when_what_was_under_way_is_applied) {
  journal_cluster three(5);
  three.grow(3);
  three.run_for(100);
  const auto lead = three.wait_for_leader(0);
  auto& log = three.journal(lead);
  const auto entity = three.entity_of(0, 1);
  for (const auto other : three.nodes()) {
    if (other != lead) three.cut(other, lead);
  }
  const auto under_way = three.send(lead, entity);
  three.run_for(1);
  std::optional<status> heard;
  journal_item large{.entity = entity, .term = log.term_of(entity), .first_version = 2};
  large.events.push_back(persistence::event_at(persistence::at_ms(1), std::string(16 * mib, 'x')));
  large.done = [&](status outcome) { heard = std::move(outcome); };
  log.append(std::move(large));
  three.run_for(1);
  BOOST_TEST_REQUIRE(heard.has_value());
  BOOST_TEST(heard->error().is(base_errc::unavailable));
  BOOST_TEST(!under_way->told.has_value());
  BOOST_TEST(!log.leads(0));
  three.heal();
  BOOST_TEST(three.run_until([&] { return under_way->told.has_value() && log.leads(0); }));
  const auto next = three.send(lead, entity);
  BOOST_TEST(next->version == 2u);
  BOOST_TEST(three.run_until([&] { return next->told.has_value(); }));
  BOOST_TEST(next->told->has_value());
  three.check_written();
}

// The replica's log ends with three entries of one term, all committed.
struct contradicted : limited {
  contradicted() {
    path = std::filesystem::temp_directory_path() /
           ("omnicart-stopped-" + std::to_string(::getpid()) + ".log");
    BOOST_TEST_REQUIRE(log::open({.file = path.string()}).has_value());
    for (std::uint64_t version = 1; version <= 3; ++version) {
      append(version, 10, 0);
      journal().flush_once();
    }
  }
  ~contradicted() {
    static_cast<void>(log::open({}));
    std::filesystem::remove(path);
  }
  void contradict() {
    raft::append_request request{.term = own + 7, .prev_index = last - 1, .prev_term = own};
    request.entries.push_back(
        {.index = last, .term = own + 7, .bytes = std::make_shared<const std::string>("x")});
    receive(std::move(request));
    journal().flush_once();
  }
  std::size_t lines_with(const std::string& text) const {
    log::flush();
    std::ifstream in(path);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) count += line.find(text) != std::string::npos;
    return count;
  }
  std::filesystem::path path;
  const raft::log_index last = view().last;
  const raft::term_number own = view().term;
};

BOOST_FIXTURE_TEST_CASE(a_stopped_replica_says_so_once_and_shows_it_from_then_on, contradicted) {
  BOOST_TEST(!view().stopped);
  for (int i = 0; i < 20; ++i) contradict();
  BOOST_TEST(view().stopped);
  BOOST_TEST(!view().serving);
  BOOST_TEST(lines_with("replica stopped") == 1u);
  const auto all = journal().views();
  BOOST_TEST(std::count_if(all.begin(), all.end(), [](const auto& each) { return each.stopped; }) ==
             1);
}

// --- Raft's inbox

raft::append_request heartbeat(raft::term_number term) {
  return {.term = term, .prev_index = 1, .prev_term = 1};
}

BOOST_AUTO_TEST_CASE(messages_beyond_the_inboxs_bytes_are_dropped_and_heard_when_sent_again) {
  const auto before = view().term;
  // To the brim, of ever smaller ones: what is too much is dropped at each size.
  for (const std::size_t size : {mib, mib / 16, mib / 256, mib / 4096, std::size_t{1}}) {
    const auto bytes = std::make_shared<const std::string>(std::string(size, 'x'));
    for (int i = 0; i < 80; ++i) {
      auto junk = heartbeat(1);
      junk.entries.push_back({.index = 2, .term = 1, .bytes = bytes});
      receive(std::move(junk));
    }
  }
  for (int i = 0; i < 80; ++i) receive(heartbeat(1));
  receive(heartbeat(before + 50));
  journal().flush_once();
  BOOST_TEST(view().term == before);
  receive(heartbeat(before + 50));
  journal().flush_once();
  BOOST_TEST(view().term == before + 50);
  BOOST_TEST(view().leader == 2u);
}

BOOST_AUTO_TEST_CASE(the_largest_message_fits_into_the_inbox) {
  const auto before = view().term;
  auto large = heartbeat(before + 50);
  large.entries.push_back(
      {.index = 2,
       .term = 1,
       .bytes = std::make_shared<const std::string>(std::string(15 * mib, 'x'))});
  receive(std::move(large));
  journal().flush_once();
  BOOST_TEST(view().term == before + 50);
}

// --- what no sound node sends

BOOST_AUTO_TEST_CASE(messages_that_no_sound_node_sends_are_counted_and_change_nothing) {
  const auto before = view().term;
  receive(heartbeat(0));
  receive(heartbeat(before));  // which this node leads in
  auto gap = heartbeat(before + 50);
  gap.entries.push_back({.index = 9, .term = 1, .bytes = std::make_shared<const std::string>("x")});
  receive(std::move(gap));
  std::vector<shard_message> nowhere(1);
  nowhere[0] = {9'999, {.from = 2, .to = 1, .body = heartbeat(before + 50)}};
  journal().receive(std::move(nowhere));
  journal().flush_once();
  BOOST_TEST(journal().stats().malformed == 4u);
  BOOST_TEST(view().term == before);
  receive(heartbeat(before + 50));
  journal().flush_once();
  BOOST_TEST(journal().stats().malformed == 4u);
  BOOST_TEST(view().term == before + 50);
}

// Hands over what a test says that node 2 sent.
struct one_way final : transport {
  node_id self() const override { return 1; }
  bool send(node_id, channel, std::string) override { return true; }
  bool is_up(node_id) const override { return true; }
  void receive(channel on, message_fn handler) override {
    if (on == channel::raft) deliver = std::move(handler);
  }
  void watch(change_fn) override {}
  void when_room(channel, room_fn) override {}
  void snapshot_consumed(node_id, std::size_t) override {}
  message_fn deliver;
};

BOOST_AUTO_TEST_CASE(frames_that_do_not_read_are_counted_and_no_group_is_taken_for_another) {
  one_way net;
  raft_channel over(net);
  over.attach(journal());
  const auto before = view().term;
  const auto frame = [&](raft::group_id group) {
    std::vector<raft::group_message> all(1);
    all[0] = {group, {.from = 2, .to = 1, .body = heartbeat(before + 50)}};
    return raft::encode_frame(all);
  };
  net.deliver(2, "\xc1 rubbish");
  net.deliver(2, frame(65'536u + shard));
  journal().flush_once();
  BOOST_TEST(over.malformed() == 2u);
  BOOST_TEST(view().term == before);
  net.deliver(2, frame(shard));
  journal().flush_once();
  BOOST_TEST(over.malformed() == 2u);
  BOOST_TEST(view().term == before + 50);
}

// --- orders of cuts that come too late

struct heard_report {
  int count = 0;
  bool held = false;
  replicated_journal::cut_done_fn note() {
    return [this](const cut_report& report) {
      ++count;
      held |= report.held;
    };
  }
};

constexpr cut_order mark_order{.cut = 7, .step = cut_step::mark, .at_most = duration_ms{100}};

BOOST_AUTO_TEST_CASE(an_order_after_the_stop_is_answered_and_holds_nothing) {
  journal().start();
  journal().stop();
  heard_report heard;
  journal().obey(mark_order, heard.note());
  BOOST_TEST(heard.count == 1);
  BOOST_TEST(!heard.held);
}

BOOST_AUTO_TEST_CASE(an_order_after_a_failed_write_is_answered_and_holds_nothing) {
  append(1, 10, 0);
  disk->fail_sync(1);
  journal().flush_once();
  BOOST_TEST(node->fatal.size() == 1u);
  heard_report heard;
  journal().obey(mark_order, heard.note());
  journal().flush_once();
  BOOST_TEST(heard.count == 1);
  BOOST_TEST(!heard.held);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace journal_limits_test
}  // namespace omnicart::cluster
