#include "persistence/store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "persistence/key_layout.hpp"
#include "persistence/store_identity.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace store_test {

struct on_disk {
  manual_clock time;
  scratch_directory place;

  store_options options() const {
    store_options chosen;
    chosen.directory = place.path();
    return chosen;
  }
  result<std::unique_ptr<store>> open() { return store::open(options(), time); }
};

BOOST_FIXTURE_TEST_SUITE(store_opening, on_disk)

BOOST_AUTO_TEST_CASE(the_settings_that_the_promise_rests_on_are_set) {
  const auto opened = open().value();
  const auto db = opened->db().GetDBOptions();
  BOOST_TEST(db.max_bgerror_resume_count == 0);
  BOOST_TEST((db.wal_recovery_mode == rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords));
  BOOST_TEST_REQUIRE(db.listeners.size() == 1u);
  bool recovers = true;
  db.listeners[0]->OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason::kFlush,
                                        rocksdb::Status::NoSpace(), &recovers);
  BOOST_TEST(!recovers);
  BOOST_TEST(db.recycle_log_file_num == 0u);
  BOOST_TEST(db.paranoid_checks);
  BOOST_TEST(db.max_total_wal_size == std::uint64_t{64} << 20);
  BOOST_TEST(!db.best_efforts_recovery);
  BOOST_TEST(!db.manual_wal_flush);
  BOOST_TEST(!db.unordered_write);
  BOOST_TEST(!db.use_direct_reads);
  BOOST_TEST(db.avoid_flush_during_recovery);
  BOOST_TEST((db.file_checksum_gen_factory != nullptr));
  BOOST_TEST(db.max_background_jobs == 2);
}

BOOST_AUTO_TEST_CASE(families_that_are_read_by_key_have_bloom_filters_and_block_checksums) {
  const auto opened = open().value();
  for (const auto which :
       {family::log, family::events, family::snapshots, family::receipts, family::timers}) {
    const auto cf = opened->db().GetOptions(opened->of(which));
    const auto* table = cf.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    BOOST_TEST_REQUIRE((table != nullptr));
    BOOST_TEST((table->checksum == rocksdb::kXXH3));
    BOOST_TEST(table->cache_index_and_filter_blocks);
    const bool filtered =
        which == family::events || which == family::snapshots || which == family::receipts;
    BOOST_TEST((table->filter_policy != nullptr) == filtered);
    BOOST_TEST((cf.prefix_extractor != nullptr) == (which == family::events));
    BOOST_TEST((cf.compaction_filter_factory != nullptr) == (which == family::receipts));
  }
}

BOOST_AUTO_TEST_CASE(the_simulators_store_does_nothing_by_itself) {
  auto disk = std::make_shared<sim::fault_fs>(1);
  const auto opened = store::open(options_on(disk), time).value();
  for (const auto which : {family::log, family::events, family::receipts}) {
    BOOST_TEST(opened->db().GetOptions(opened->of(which)).disable_auto_compactions);
  }
  BOOST_TEST(opened->db().GetDBOptions().stats_dump_period_sec == 0u);
}

BOOST_AUTO_TEST_CASE(a_store_keeps_the_shard_count_it_was_made_with) {
  auto small = options();
  small.shard_count = 8;
  BOOST_TEST(store::open(small, time).value()->close().has_value());
  BOOST_TEST(open().value()->shard_count() == 8);
}

BOOST_AUTO_TEST_CASE(a_directory_in_use_is_refused_by_name) {
  const auto first = open().value();
  const auto second = open();
  BOOST_TEST_REQUIRE(!second.has_value());
  BOOST_TEST(second.error().is(base_errc::unavailable));
  BOOST_TEST(second.error().detail.find(place.path() + "/db is in use") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_store_keeps_the_number_that_tells_it_from_others) {
  BOOST_TEST(store_identity(*open().value(), 7).value() == 7u);
  BOOST_TEST(store_identity(*open().value(), 8).value() == 7u);
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_refused_by_number) {
  auto opened = open().value();
  opened->db().Put({}, opened->of(family::meta), "format",
                   encode(store_format{.version = 2, .shard_count = 64}));
  opened.reset();
  const auto again = open();
  BOOST_TEST_REQUIRE(!again.has_value());
  BOOST_TEST(again.error().is(base_errc::malformed));
  BOOST_TEST(again.error().detail.find("format 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_database_of_another_program_is_refused) {
  rocksdb::DB* other = nullptr;
  rocksdb::Options foreign;
  foreign.create_if_missing = true;
  BOOST_TEST_REQUIRE(rocksdb::DB::Open(foreign, place.path() + "/db", &other).ok());
  std::unique_ptr<rocksdb::DB> owned(other);
  BOOST_TEST_REQUIRE(owned->Put({}, "theirs", "data").ok());
  owned.reset();
  const auto refused = open();
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().is(base_errc::malformed));
}

BOOST_AUTO_TEST_CASE(a_store_that_lost_its_current_file_is_not_made_anew) {
  BOOST_TEST(open().value()->close().has_value());
  std::filesystem::remove(place.path() + "/db/CURRENT");
  const auto refused = open();
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().is(base_errc::io));
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_made_is_an_io_error_naming_it) {
  std::ofstream(place.path() + "/file") << "no directory";
  auto wrong = options();
  wrong.directory += "/file/below";
  const auto refused = store::open(wrong, time);
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().is(base_errc::io));
  BOOST_TEST(refused.error().detail.find("/file/below") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_creation_cut_short_at_any_operation_can_be_done_again) {
  for (std::uint64_t cut = 1; cut < 80; ++cut) {
    auto disk = std::make_shared<sim::fault_fs>(cut);
    disk->cut_power(cut);
    static_cast<void>(store::open(options_on(disk), time));
    const auto again =
        store::open(options_on(std::make_shared<sim::fault_fs>(1, disk->crash())), time);
    BOOST_TEST(again.has_value(),
               "cut at operation " << cut << ": " << (again ? "" : again.error().detail));
  }
}

// A killed process leaves in the machine's memory what it wrote and did not sync; the next one
// reads that.
BOOST_AUTO_TEST_CASE(what_a_restart_after_a_kill_reads_outlasts_the_power) {
  const entity_ref cart{"cart", "c"};
  const auto append_and_flush = [&](open_store& node, std::uint64_t version) {
    node.journal->append(events_item(cart, version, 1));
    node.journal->flush_once();
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto disk = std::make_shared<sim::fault_fs>(seed);
    {
      open_store node(options_on(disk), time);
      append_and_flush(node, 1);
      disk->cut_power(2);  // written, and ended in the sync
      append_and_flush(node, 2);
    }
    disk->revive();
    std::size_t seen = 0;
    {
      open_store node(options_on(disk), time);
      seen = node.reader->load_now(cart)->events.size();
      disk = std::make_shared<sim::fault_fs>(seed, disk->crash());
    }
    BOOST_TEST(seen == 2U);
    open_store node(options_on(disk), time);
    BOOST_TEST(node.reader->load_now(cart)->events.size() == seen, "seed " << seed);
  }
}

// Its end may be torn, and is cut off; a hole that acknowledged writes follow is another matter.
BOOST_AUTO_TEST_CASE(a_log_damaged_before_its_end_is_not_opened) {
  const entity_ref cart{"cart", "c"};
  const auto disk = std::make_shared<sim::fault_fs>(1);
  {
    open_store node(options_on(disk), time);
    for (std::uint64_t version = 1; version <= 9; ++version) {
      node.journal->append(events_item(cart, version, 1));
      node.journal->flush_once();
    }
  }
  auto image = disk->crash();
  const auto log = std::find_if(image.rbegin(), image.rend(),
                                [](const auto& file) { return file.first.ends_with(".log"); });
  log->second[log->second.size() / 2] ^= 1;
  const auto refused =
      store::open(options_on(std::make_shared<sim::fault_fs>(2, std::move(image))), time);
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().is(base_errc::io));
}

BOOST_AUTO_TEST_CASE(what_a_failed_sync_left_in_memory_is_not_believed_by_the_next_start) {
  const entity_ref cart{"cart", "c"};
  auto disk = std::make_shared<sim::fault_fs>(1);
  {
    open_store node(options_on(disk), time);
    node.journal->append(events_item(cart, 1, 1));
    node.journal->flush_once();
    disk->fail_sync(1);
    node.journal->append(events_item(cart, 2, 1));
    node.journal->flush_once();
    BOOST_TEST(node.fatal.size() == 1U);
  }
  disk->revive();
  open_store node(options_on(disk), time);
  BOOST_TEST(node.reader->load_now(cart)->events.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace store_test
}  // namespace omnicart::persistence
