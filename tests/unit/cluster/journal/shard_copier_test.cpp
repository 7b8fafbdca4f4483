#include "cluster/copy/shard_copier.hpp"

#include <rocksdb/db.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <set>

#include "runtime/log.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::cluster {
namespace shard_copier_test {

using namespace omnicart::persistence;

constexpr node_id giver = 1;
constexpr node_id taker = 2;

// What one of two nodes sends the other: at most `window` frames that it has not dealt with.
struct wire final : chunk_channel {
  static constexpr int window = 2;

  explicit wire(node_id from) : self(from) {}
  bool send(node_id, std::string bytes) override {
    if (is_cut) return false;
    if (keeps) {
      kept.push_back(std::move(bytes));
      return true;
    }
    if (under_way.fetch_add(1) >= window) {
      --under_way;
      return false;
    }
    most = std::max(most.load(), under_way.load());
    largest = std::max(largest.load(), bytes.size());
    other->copier->received(self, std::move(bytes));
    return true;
  }
  void consumed(node_id, std::size_t) override {
    if (!other->keeps && other->under_way > 0) --other->under_way;
    other->copier->room(self);
  }

  node_id self;
  shard_copier* copier = nullptr;
  wire* other = nullptr;
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::atomic<std::size_t> largest{0};
  std::atomic<bool> is_cut{false};
  bool keeps = false;  // instead of sending
  std::vector<std::string> kept;
};

struct two_nodes {
  two_nodes() {
    log::set_level(log::level::off);
    from_wire.other = &to_wire;
    to_wire.other = &from_wire;
    from_wire.copier = &source;
    to_wire.copier = &target;
  }
  ~two_nodes() { log::set_level(log::level::info); }

  void write(open_store& node, const entity_ref& entity, std::uint64_t version, std::string text) {
    journal_item item{.entity = entity, .first_version = version};
    item.events.push_back(event_at(at_ms(1'700'000'000'000), std::move(text)));
    item.proof = receipt{.id = {1, version}};
    node.journal->append(std::move(item));
    node.journal->flush_once();
  }
  std::uint16_t shard() const { return from.data->shard_of(cart); }
  entity_ref elsewhere() const {
    for (int i = 0;; ++i) {
      entity_ref other{"cart", "x" + std::to_string(i)};
      if (from.data->shard_of(other) != shard()) return other;
    }
  }
  static std::string content(const open_store& node, std::uint16_t shard) {
    std::string all;
    for (const auto which : copied_families) {
      std::unique_ptr<rocksdb::Iterator> at(node.data->db().NewIterator({}, node.data->of(which)));
      for (at->Seek(shard_key(shard)); at->Valid() && at->key().starts_with(shard_key(shard));
           at->Next())
        all += at->key().ToString() + '=' + at->value().ToString() + '\n';
    }
    return all;
  }
  // Everything that follows, without threads.
  void work() {
    while (source.work() | target.work()) {
    }
  }
  void fetch(copy_request wanted) {
    target.fetch(giver, wanted, [this](auto outcome) { got = std::move(outcome); });
  }

  const entity_ref cart{"cart", "a"};
  manual_clock time;
  open_store from{options_on(std::make_shared<sim::fault_fs>(1)), time};
  open_store to{options_on(std::make_shared<sim::fault_fs>(2)), time};
  wire from_wire{giver};
  wire to_wire{taker};
  std::set<node_id> members{giver, taker};  // as the source knows them
  shard_copier source{
      *from.data, from_wire, time,
      copier_options{.may_have = [this](node_id node) { return members.contains(node); }}};
  shard_copier target{*to.data, to_wire, time};
  std::optional<result<shard_content>> got;
};

BOOST_FIXTURE_TEST_SUITE(shard_copies, two_nodes)

// Its number stands behind those of the shards; a node that needed it asked for ever.
BOOST_AUTO_TEST_CASE(the_group_of_the_clusters_record_is_copied_like_a_shard) {
  const entity_ref record{std::string(cluster_kind), "cluster"};
  write(from, record, 1, "founded");
  const auto group = from.data->shard_of(record);
  BOOST_TEST(group == from.data->shard_count());
  fetch({.shard = group, .at_least = from.journal->last_index(group)});
  work();
  BOOST_REQUIRE((got.has_value() && got->has_value()));
  BOOST_TEST((content(to, group) == content(from, group)));
}

BOOST_AUTO_TEST_CASE(a_shard_arrives_whole_through_a_narrow_window_while_its_node_goes_on) {
  for (std::uint64_t i = 1; i <= 20; ++i) write(from, cart, i, std::string(100'000, 'a'));
  write(from, cart, 21, std::string(3 * copy_chunk_bytes, 'b'));  // more than one chunk holds
  write(to, cart, 1, "what was there before");
  write(to, elsewhere(), 1, "another shard's");
  const auto elsewhere_before = content(to, to.data->shard_of(elsewhere()));
  const auto expected = content(from, shard());
  const auto through = from.journal->last_index(shard());

  source.start();
  target.start();
  std::promise<result<shard_content>> copied;
  target.fetch(giver, {.shard = shard(), .at_least = through, .entry = through},
               [&](auto outcome) { copied.set_value(std::move(outcome)); });
  const auto outcome = copied.get_future().get();
  target.stop();
  source.stop();

  BOOST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->through == through);
  BOOST_TEST(decode_log_entry(outcome->entry).value().items.size() == 1u);
  BOOST_TEST((outcome->time >= decode_log_entry(outcome->entry)->time));
  BOOST_TEST((content(to, shard()) == expected));
  BOOST_TEST((content(to, to.data->shard_of(elsewhere())) == elsewhere_before));
  BOOST_TEST(from_wire.most <= wire::window);
  BOOST_TEST(from_wire.largest <= copy_frame_bytes_max);
  BOOST_TEST(target.stats().received == 1u);
}

BOOST_AUTO_TEST_CASE(a_copy_is_of_one_moment) {
  for (std::uint64_t i = 1; i <= 20; ++i) write(from, cart, i, std::string(100'000, 'a'));
  const auto expected = content(from, shard());
  const auto through = from.journal->last_index(shard());
  fetch({.shard = shard(), .at_least = 1});
  target.work();
  source.work();
  for (std::uint64_t i = 21; i <= 30; ++i) write(from, cart, i, "later");
  work();
  BOOST_REQUIRE(got && got->has_value());
  BOOST_TEST((*got)->through == through);
  BOOST_TEST((content(to, shard()) == expected));
}

BOOST_AUTO_TEST_CASE(a_node_that_has_less_than_is_asked_for_refuses) {
  write(from, cart, 1, "one");
  const auto last = from.journal->last_index(shard());
  const std::vector<copy_request> requests = {{.shard = shard(), .at_least = last + 1},
                                              {.shard = shard(), .at_least = 1, .entry = last + 1},
                                              {.shard = 99, .at_least = 1}};
  for (const auto& wanted : requests) {
    got.reset();
    fetch(wanted);
    work();
    BOOST_REQUIRE(got && !got->has_value());
    BOOST_TEST(got->error().is(base_errc::unavailable));
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_the_record_does_not_name_gets_no_shard_before_it_does) {
  write(from, cart, 1, "one");
  members = {giver};
  fetch({.shard = shard(), .at_least = 1});
  work();
  BOOST_REQUIRE(got && !got->has_value());
  BOOST_TEST(got->error().is(base_errc::unavailable));  // so it asks again
  BOOST_TEST(source.stats().strangers == 1u);
  BOOST_TEST(source.stats().sent_bytes == 0u);
  BOOST_TEST(content(to, shard()).empty());

  members.insert(taker);  // the record was an old one
  got.reset();
  fetch({.shard = shard(), .at_least = 1});
  work();
  BOOST_REQUIRE(got && got->has_value());
  BOOST_TEST((content(to, shard()) == content(from, shard())));
  BOOST_TEST(source.stats().strangers == 1u);
}

BOOST_AUTO_TEST_CASE(a_copier_that_was_stopped_holds_nothing_of_the_store) {
  const auto snapshots = [&] {
    std::uint64_t held = 0;
    BOOST_REQUIRE(from.data->db().GetIntProperty("rocksdb.num-snapshots", &held));
    return held;
  };
  for (std::uint64_t i = 1; i <= 200; ++i) write(from, cart, i, std::string(1'000, 'x'));
  fetch({.shard = shard(), .at_least = 1});
  target.work();
  source.work();
  BOOST_REQUIRE(!got);
  BOOST_TEST(snapshots() == 1u);
  source.stop();
  BOOST_TEST(snapshots() == 0u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_silent_or_gone_ends_the_copy) {
  write(from, cart, 1, "one");
  fetch({.shard = shard(), .at_least = 1});
  target.work();
  BOOST_TEST(!got);
  time.up += duration_ms{11'000};
  target.work();
  BOOST_REQUIRE(got && got->error().is(base_errc::unavailable));

  got.reset();
  fetch({.shard = shard(), .at_least = 1});
  target.work();
  target.peer_down(giver);
  target.work();
  BOOST_REQUIRE(got && got->error().is(base_errc::unavailable));

  got.reset();
  to_wire.is_cut = true;
  fetch({.shard = shard(), .at_least = 1});
  target.work();
  BOOST_REQUIRE(got && got->error().is(base_errc::unavailable));
}

BOOST_AUTO_TEST_CASE(what_no_sound_source_sends_ends_the_copy_or_is_not_heard) {
  std::string foreign;
  append_record(family::events, shard_key(static_cast<std::uint16_t>(shard() + 1)) + "k", "v",
                foreign);
  std::string index;
  append_record(family::index, shard_key(shard()) + "k", "v", index);
  struct row {
    const char* claim;
    std::function<std::string(std::uint64_t copy)> frame;
    node_id sender = giver;
    bool ends = true;
  };
  const auto chunk = [](std::uint64_t number, std::string bytes) {
    return [number, bytes](std::uint64_t copy) {
      return encode_copy_frame(copy_chunk{copy, number, bytes});
    };
  };
  const auto end = [](std::uint64_t chunks, raft::log_index through) {
    return [=](std::uint64_t copy) {
      return encode_copy_frame(
          copy_end{copy, chunks, {.through = through, .time = {}, .entry = {}}});
    };
  };
  const std::vector<row> rows = {
      {"a chunk is missing", chunk(2, "")},
      {"another shard's record", chunk(1, foreign)},
      {"a record of no content", chunk(1, index)},
      {"no record", chunk(1, std::string(9, '\xff'))},
      {"an end without its chunks", end(3, 9)},
      {"an end that has too little", end(0, 4)},
      {"somebody else's word", chunk(2, ""), 7, false},
      {"another copy's chunk",
       [](auto copy) {
         return encode_copy_frame(copy_chunk{copy + 1, 9, ""});
       },
       giver, false},
      {"garbage", [](auto) { return std::string("\xc1 garbage"); }, giver, false},
  };
  to_wire.keeps = true;
  for (const auto& [claim, frame, sender, ends] : rows) {
    BOOST_TEST_CONTEXT(claim) {
      got.reset();
      fetch({.shard = shard(), .at_least = 5});
      target.work();
      const auto asked = decode_copy_frame(to_wire.kept.back()).value();
      target.received(sender, frame(std::get<copy_request>(asked).copy));
      target.work();
      BOOST_TEST(got.has_value() == ends);
      BOOST_TEST((!got || got->error().is(base_errc::malformed)));
    }
  }
  BOOST_TEST(target.stats().malformed == 1u);  // the garbage
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace shard_copier_test
}  // namespace omnicart::cluster
