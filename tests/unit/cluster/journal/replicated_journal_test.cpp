#include "cluster/replicated_journal.hpp"

#include <rocksdb/db.h>

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "persistence/verify.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::cluster {
namespace replicated_journal_test {

using namespace omnicart::persistence;

const entity_ref cart{"cart", "a"};
const entity_ref stock{"stock", "p-1"};

struct journaling {
  manual_clock time;
  std::shared_ptr<sim::fault_fs> disk = std::make_shared<sim::fault_fs>(7);
  std::optional<open_store> node{std::in_place, options_on(disk), time};
  std::vector<std::pair<ticket, status>> told;

  ticket append(journal_item item) {
    const auto expected = ++appended;
    item.done = [this, expected](status outcome) {
      told.emplace_back(expected, std::move(outcome));
    };
    return node->journal->append(std::move(item));
  }
  void crash_and_reopen() {
    disk = std::make_shared<sim::fault_fs>(8, disk->crash());
    node.reset();
    node.emplace(options_on(disk), time);
  }
  std::uint64_t syncs() const { return disk->counters().syncs; }

  ticket appended = 0;
};

BOOST_FIXTURE_TEST_SUITE(replicated_journal_alone, journaling)

BOOST_AUTO_TEST_CASE(many_items_cost_one_sync_and_are_told_in_order) {
  const auto before = syncs();
  for (std::uint64_t i = 0; i < 100; ++i)
    append(events_item({"cart", "c" + std::to_string(i)}, 1, 2));
  BOOST_TEST(told.empty());
  BOOST_TEST(node->journal->durable(cart) == 0u);
  BOOST_TEST(!node->journal->flush_once());
  BOOST_TEST(syncs() == before + 1);
  BOOST_TEST((node->journal->durable({"cart", "c99"}) == 100u));
  BOOST_TEST_REQUIRE(told.size() == 100u);
  for (ticket i = 0; i < 100; ++i) {
    BOOST_TEST(told[i].first == i + 1);
    BOOST_TEST(told[i].second.has_value());
  }
}

// Keys of the family that name the entity.
std::size_t keys_of(const store& data, family which, const entity_ref& entity) {
  const std::string name = entity.kind + '/' + entity.id;
  std::unique_ptr<rocksdb::Iterator> at(data.db().NewIterator({}, data.of(which)));
  std::size_t count = 0;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    if (at->key().ToStringView().find(name) != std::string_view::npos) ++count;
  }
  return count;
}

BOOST_AUTO_TEST_CASE(an_entity_that_ended_leaves_no_key_but_its_receipts) {
  const command_id id{1, 2};
  for (const std::uint64_t events : {3U, 2'000U}) {
    auto first = events_item(cart, 1, events);
    first.proof = receipt{.id = id, .expires_at = at_ms(5), .detail = "", .data = ""};
    first.timer = timer_change{.before = {}, .after = at_ms(100)};
    first.state = snapshot{.version = events, .state = "s"};
    append(std::move(first));
    auto last = events_item(cart, events + 1, 1);
    last.timer = timer_change{.before = at_ms(100), .after = {}};
    last.forgotten = true;
    last.cut_from = 1;
    last.cut_through = events;
    append(std::move(last));
    node->journal->flush_once();
    crash_and_reopen();
    for (const auto which : {family::events, family::snapshots, family::timers})
      BOOST_TEST(keys_of(*node->data, which, cart) == 0u);
    BOOST_TEST(keys_of(*node->data, family::receipts, cart) == 1u);
    const auto found = node->reader->load_now(cart).value();
    BOOST_TEST((!found.state && found.events.empty() && !found.timer));
  }
  append(events_item(cart, 1, 1));  // as if it had never been
  node->journal->flush_once();
  BOOST_TEST(node->reader->load_now(cart).value().events.size() == 1u);
  node.reset();
  BOOST_TEST(verify("/data", disk).value().ok());
}

BOOST_AUTO_TEST_CASE(barriers_alone_write_nothing_and_wait_for_what_came_before) {
  append(events_item(cart, 1, 1));
  append({.entity = stock});
  node->journal->flush_once();
  BOOST_TEST(told.size() == 2u);
  const auto before = disk->counters().operations;
  append({.entity = cart});
  append({.entity = stock});
  node->journal->flush_once();
  BOOST_TEST(disk->counters().operations == before);
  BOOST_TEST(told.size() == 4u);
  BOOST_TEST(node->journal->durable(cart) == 3u);
  BOOST_TEST(node->journal->durable(stock) == 4u);
}

BOOST_AUTO_TEST_CASE(what_was_told_survives_a_crash_and_reads_back_as_written) {
  auto item = events_item(cart, 1, 3);
  item.proof = receipt{
      .id = {1, 2}, .body = 9, .expires_at = at_ms(5), .refused = 0, .detail = "d", .data = "x"};
  item.timer = timer_change{.before = {}, .after = at_ms(77)};
  append(item);
  append({.entity = cart, .state = snapshot{.version = 2, .state = "two"}});
  node->journal->flush_once();
  crash_and_reopen();
  const auto loaded = node->reader->load_now(cart).value();
  BOOST_TEST_REQUIRE(loaded.state.has_value());
  BOOST_TEST((*loaded.state == snapshot{.version = 2, .state = "two"}));
  BOOST_TEST_REQUIRE(loaded.events.size() == 1u);
  BOOST_TEST((loaded.events[0] == item.events[2]));
  BOOST_TEST((loaded.timer == at_ms(77)));
  BOOST_TEST((node->reader->find_receipt_now(cart, {1, 2}).value() == item.proof));
  BOOST_TEST((node->reader->find_receipt_now(cart, {1, 3}).value() == std::nullopt));
  BOOST_TEST((node->reader->find_receipt_now(stock, {1, 2}).value() == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_brief_proof_is_recalled_over_a_restart_and_has_no_key) {
  const receipt brief{.id = {1, 2}, .body = 9, .expires_at = at_ms(5), .refused = 0, .detail = "", .data = "x"};
  auto item = events_item(cart, 1, 1);
  item.proof = brief;
  item.brief = true;
  append(std::move(item));
  BOOST_TEST(!node->journal->recall(cart, {1, 2}).proof.has_value());
  node->journal->flush_once();
  BOOST_TEST((node->journal->recall(cart, {1, 2}).proof == brief));
  time.up += duration_ms{100};
  BOOST_TEST((node->journal->recall(cart, {1, 3}).reach == duration_ms{100}));
  BOOST_TEST(keys_of(*node->data, family::receipts, cart) == 0u);
  crash_and_reopen();
  BOOST_TEST(node->reader->load_now(cart).value().events.size() == 1u);
  BOOST_TEST((node->journal->recall(cart, {1, 2}).proof == brief));
  BOOST_TEST((node->journal->recall(cart, {1, 2}).reach == duration_ms{0}));
}

BOOST_AUTO_TEST_CASE(a_store_stays_the_one_of_its_node) {
  node->journal->stop();
  node->journal.reset();
  journal_options as_another;
  as_another.self = 2;
  const auto opened = replicated_journal::open(*node->data, *node->timers, time, as_another);
  BOOST_REQUIRE(!opened.has_value());
  BOOST_TEST(opened.error().is(base_errc::malformed));
  BOOST_TEST(opened.error().detail.find("node 1, not of node 2") != std::string::npos, opened.error().detail);
  BOOST_TEST(replicated_journal::open(*node->data, *node->timers, time, {}).has_value());
}

BOOST_AUTO_TEST_CASE(a_cut_takes_the_events_that_the_snapshot_covers) {
  for (const std::uint64_t count : {5u, 3'000u}) {  // deleted one by one, and as a range
    const entity_ref entity{"cart", std::to_string(count)};
    append(events_item(entity, 1, count));
    append({.entity = entity,
            .timer = timer_change{.before = {}, .after = at_ms(9)},
            .state = snapshot{.version = count - 1, .state = "s"},
            .cut_through = count - 1,
            .cut_from = 1});
    node->journal->flush_once();
    const auto left = node->reader->history_now(entity, 1, 10'000).value();
    BOOST_TEST_REQUIRE(left.size() == 1u);
    BOOST_TEST(left[0].first == count);
    BOOST_TEST((node->reader->load_now(entity).value().timer == at_ms(9)));
  }
}

BOOST_AUTO_TEST_CASE(a_log_that_is_cut_keeps_what_was_not_read_and_its_last_entry) {
  const auto shard = node->data->shard_of(cart);
  for (std::uint64_t version = 1; version <= 5; ++version) {
    append(events_item(cart, version, 1));
    node->journal->flush_once();
  }
  const auto last = node->journal->last_index(shard);
  const auto first_after_cut = [&](std::uint64_t through) {
    node->journal->cut_log(shard, through);
    node->journal->flush_once();
    return shard_log(*node->data).stored(shard).value().first;
  };
  BOOST_TEST(first_after_cut(last - 2) == last - 1);
  BOOST_TEST(first_after_cut(last + 10) == last);
  node.reset();  // a crash might leave the log as it was
  node.emplace(options_on(disk), time);
  append(events_item(cart, 6, 1));
  node->journal->flush_once();
  BOOST_TEST(told.back().second.has_value());
  BOOST_TEST(node->reader->history_now(cart, 1, 10).value().size() == 6u);
}

BOOST_AUTO_TEST_CASE(a_failed_sync_tells_unknown_ends_the_node_and_nothing_succeeds_later) {
  append(events_item(cart, 1, 1));
  append({.entity = stock});
  disk->fail_sync(1);
  node->journal->flush_once();
  BOOST_TEST(node->fatal.size() == 1u);
  append(events_item(cart, 2, 1));
  append({.entity = stock});
  node->journal->flush_once();
  BOOST_TEST_REQUIRE(told.size() == 4u);
  for (const auto& [number, outcome] : told) {
    BOOST_TEST_REQUIRE(!outcome.has_value());
    BOOST_TEST(outcome.error().is(base_errc::unknown_outcome));
  }
  BOOST_TEST(node->journal->durable(cart) == 0u);
  BOOST_TEST(node->journal->refusing().value().is(base_errc::unknown_outcome));
}

BOOST_AUTO_TEST_CASE(a_disk_without_space_ends_the_node_and_leaves_nothing_half) {
  append(events_item(cart, 1, 1));
  node->journal->flush_once();
  disk->limit_space(50);
  append(events_item(cart, 2, 20));
  node->journal->flush_once();
  BOOST_TEST(node->fatal.size() == 1u);
  BOOST_TEST(!told.back().second.has_value());
  crash_and_reopen();
  BOOST_TEST(node->reader->load_now(cart).value().events.size() == 1u);
}

BOOST_AUTO_TEST_CASE(low_disk_refuses_new_work_until_there_is_room) {
  BOOST_TEST(!node->journal->refusing().has_value());
  disk->set_free_bytes(1'000);
  BOOST_TEST(!node->journal->refusing().has_value());  // asked once a second
  time.up += duration_ms{1'000};
  BOOST_TEST(node->journal->refusing().value().is(base_errc::storage_full));
  disk->set_free_bytes(std::uint64_t{1} << 40);
  time.up += duration_ms{1'000};
  BOOST_TEST(!node->journal->refusing().has_value());
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_new_work_but_takes_what_was_decided) {
  node.reset();
  journal_options tight;
  tight.queue_items_max = 3;
  tight.batch_items_max = 2;
  node.emplace(options_on(disk), time, std::move(tight));
  for (int i = 0; i < 2; ++i) append({.entity = cart});
  BOOST_TEST(!node->journal->refusing().has_value());
  for (int i = 0; i < 3; ++i) append({.entity = cart});
  BOOST_TEST(node->journal->refusing().value().is(base_errc::overloaded));
  BOOST_TEST(node->journal->flush_once());
  BOOST_TEST(told.size() == 2u);
  while (node->journal->flush_once()) {
  }
  BOOST_TEST(told.size() == 5u);
  BOOST_TEST(!node->journal->refusing().has_value());
}

BOOST_AUTO_TEST_CASE(a_queue_of_too_many_bytes_refuses_new_work) {
  node.reset();
  journal_options tight;
  tight.queue_bytes_max = 10'000;
  node.emplace(options_on(disk), time, std::move(tight));
  append({.entity = cart, .state = snapshot{.version = 1, .state = std::string(20'000, 'x')}});
  BOOST_TEST(node->journal->refusing().value().is(base_errc::overloaded));
  node->journal->flush_once();
  BOOST_TEST(!node->journal->refusing().has_value());
}

BOOST_AUTO_TEST_CASE(as_many_receipts_as_allowed_refuse_new_work) {
  node.reset();
  auto few = options_on(disk);
  few.receipts_max = 10;
  node.emplace(few, time);
  BOOST_TEST(!node->journal->refusing().has_value());
  for (std::uint64_t i = 1; i <= 10; ++i) append({.entity = cart, .proof = receipt{.id = {0, i}}});
  node->journal->flush_once();
  time.up += duration_ms{1'000};
  BOOST_TEST(node->journal->refusing().value().is(base_errc::overloaded));
  BOOST_TEST(node->journal->receipts_full());
}

BOOST_AUTO_TEST_CASE(log_time_never_goes_back_not_even_over_a_restart) {
  const auto first = node->journal->log_time(cart);
  BOOST_TEST((first == time.now));
  append(events_item(cart, 1, 1, first));
  node->journal->flush_once();
  time.now -= duration_ms{60'000};
  BOOST_TEST((node->journal->log_time(cart) == first));
  crash_and_reopen();
  BOOST_TEST((node->journal->log_time(cart) == first));
  BOOST_TEST((node->journal->log_time({"session", "a"}) == first));  // equal ids share a shard
  time.now += duration_ms{120'000};
  BOOST_TEST((node->journal->log_time(cart) == time.now));
}

BOOST_AUTO_TEST_CASE(
    each_shard_gets_one_numbered_log_entry_for_each_commit_before_anybody_is_told) {
  node.reset();
  std::vector<committed_entry> seen;
  journal_options observed;
  observed.committed = [&](const committed_batch& batch) {
    BOOST_TEST(told.empty());
    // Who waits for an index asks lists next: they have it by then.
    for (const auto& each : batch.entries) BOOST_TEST(node->journal->last_index(each.shard) < each.index);
    seen.insert(seen.end(), batch.entries.begin(), batch.entries.end());
  };
  node.emplace(options_on(disk), time, std::move(observed));
  const auto before = node->journal->last_index(node->data->shard_of({"cart", "x"}));
  append(events_item({"cart", "x"}, 1, 2));
  append(events_item({"session", "x"}, 1, 1));
  append({.entity = {"cart", "x"}, .proof = receipt{.id = {0, 1}}});
  node->journal->flush_once();
  BOOST_TEST_REQUIRE(seen.size() == 1u);
  const auto shard = node->data->shard_of({"cart", "x"});
  BOOST_TEST(seen[0].shard == shard);
  BOOST_TEST(seen[0].index == before + 1);
  BOOST_TEST(seen[0].entry.term == node->journal->term(shard));
  BOOST_TEST_REQUIRE(seen[0].entry.items.size() == 3u);
  BOOST_TEST(seen[0].entry.items[0].kind == "cart");
  BOOST_TEST(seen[0].entry.items[0].records.size() == 2u);
  BOOST_TEST(seen[0].entry.items[1].kind == "session");
  BOOST_TEST(seen[0].entry.items[2].proof.has_value());
  BOOST_TEST(node->journal->last_index(shard) == before + 1);
}

BOOST_AUTO_TEST_CASE(its_own_thread_writes_what_many_threads_hand_over) {
  replicated_journal& journal = *node->journal;
  constexpr int threads = 4;
  constexpr int items = 200;
  std::mutex mutex;
  std::condition_variable all;
  std::vector<ticket> order;
  journal.start();
  std::vector<std::thread> writers;
  for (int w = 0; w < threads; ++w) {
    writers.emplace_back([&, w] {
      for (std::uint64_t i = 1; i <= items; ++i) {
        auto item = events_item({"cart", "w" + std::to_string(w)}, i, 1);
        item.done = [&](status outcome) {
          const std::lock_guard lock(mutex);
          if (outcome) order.push_back(order.size());
          all.notify_one();
        };
        journal.append(std::move(item));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  std::unique_lock lock(mutex);
  all.wait(lock, [&] { return order.size() == threads * items; });
  lock.unlock();
  journal.stop();
  BOOST_TEST(journal.refusing().value().is(base_errc::shutting_down));
  BOOST_TEST(node->reader->load_now({"cart", "w3"}).value().events.size() == std::size_t{items});
  BOOST_TEST(journal.stats().items == std::uint64_t{threads * items});
}

BOOST_AUTO_TEST_CASE(stopping_writes_what_is_queued) {
  append(events_item(cart, 1, 1));
  node->journal->start();
  node->journal->stop();
  BOOST_TEST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told[0].second.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace replicated_journal_test
}  // namespace omnicart::cluster
