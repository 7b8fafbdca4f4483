#include "persistence/store_identity.hpp"
#include "persistence/verify.hpp"

#include <rocksdb/db.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "persistence/key_layout.hpp"
#include "persistence/record_log.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace verify_test {

namespace files = std::filesystem;

std::string read_file(const files::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const files::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string first_problem(const verify_report& report) {
  return report.problems.empty() ? "none"
                                 : report.problems[0].where + ": " + report.problems[0].what;
}

// A store on the machine's disk with tables, a write-ahead log behind them, and some of everything.
struct stored {
  manual_clock time;
  scratch_directory place;
  std::mt19937 random{20260101};

  void fill(bool flush_at_the_end) {
    store_options options;
    options.directory = place.path();
    options.shard_count = 4;
    open_store node(options, time);
    for (std::uint64_t round = 0; round < 3; ++round) {
      for (int i = 0; i < 40; ++i) append(node, i, round);
      node.journal->flush_once();
      if (round == 1) BOOST_TEST(node.data->flush().has_value());
    }
    if (flush_at_the_end) BOOST_TEST(node.data->close().has_value());
    node.journal.reset();
  }
  void append(open_store& node, int number, std::uint64_t round) {
    const entity_ref entity{"cart", "c" + std::to_string(number)};
    auto item = events_item(entity, 1 + 2 * round, 2, time.now);
    item.proof = receipt{.id = {round + 1, static_cast<std::uint64_t>(number)},
                         .expires_at = timestamp_ms::max()};
    item.timer = timer_change{.after = at_ms(1'000 + static_cast<std::int64_t>(round))};
    if (round > 0) item.timer->before = at_ms(999 + static_cast<std::int64_t>(round));
    if (number % 2 == 0) item.state = snapshot{.version = 2 + 2 * round, .state = "state"};
    if (number % 4 == 0) {
      item.cut_from = 1 + 2 * round;
      item.cut_through = 2 + 2 * round;
    }
    item.events[0].event += std::string(300, static_cast<char>(random() % 256));
    node.journal->append(std::move(item));
  }
  std::vector<files::path> files_like(const std::string& extension) const {
    std::vector<files::path> found;
    for (const auto& entry : files::directory_iterator(place.path() + "/db")) {
      if (entry.path().extension() == extension && entry.file_size() > 0)
        found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  // Flips one bit of the file at each of so many random places, one at a time, and counts those not
  // found.
  int flips_not_found(const files::path& path, int tries) {
    const auto good = read_file(path);
    int missed = 0;
    for (int i = 0; i < tries; ++i) {
      auto bad = good;
      const auto at = random() % bad.size();
      bad[at] = static_cast<char>(bad[at] ^ 1 << random() % 8);
      write_file(path, bad);
      const auto report = verify(place.path()).value();
      missed += report.ok();
      BOOST_TEST(!report.ok(),
                 path << ": the flipped byte " << at << " of " << bad.size() << " was not found");
    }
    write_file(path, good);
    return missed;
  }
};

BOOST_FIXTURE_TEST_SUITE(verifying, stored)

BOOST_AUTO_TEST_CASE(a_sound_store_is_found_sound_and_counted) {
  fill(false);
  const auto report = verify(place.path()).value();
  BOOST_TEST(report.ok(), first_problem(report));
  BOOST_TEST(report.entities == 40u);
  BOOST_TEST(report.keys[static_cast<std::size_t>(family::receipts)] == 120u);
  BOOST_TEST(report.keys[static_cast<std::size_t>(family::timers)] == 40u);
  BOOST_TEST(report.keys[static_cast<std::size_t>(family::snapshots)] == 20u);
  BOOST_TEST(report.table_files > 0u);
  BOOST_TEST(report.wal_records > 0u);
  BOOST_TEST(report.notes.empty());
}

BOOST_AUTO_TEST_CASE(a_store_that_has_its_own_number_is_sound) {
  fill(false);
  store_options options;
  options.directory = place.path();
  BOOST_TEST(store_identity(*store::open(options, time).value(), 7).value() == 7u);
  const auto report = verify(place.path()).value();
  BOOST_TEST(report.ok(), first_problem(report));
}

BOOST_AUTO_TEST_CASE(a_flipped_byte_in_any_table_is_found) {
  fill(true);
  for (const auto& path : files_like(".sst")) {
    const auto footer = read_file(path).size() - 53;  // where a block checksum does not reach
    BOOST_TEST(flips_not_found(path, 12) == 0);
    auto bytes = read_file(path);
    for (const auto at : {footer, footer + 20, footer + 52}) {
      bytes[at] = static_cast<char>(bytes[at] ^ 4);
      write_file(path, bytes);
      BOOST_TEST(!verify(place.path()).value().ok());
      bytes[at] = static_cast<char>(bytes[at] ^ 4);
    }
    write_file(path, bytes);
  }
  BOOST_TEST(verify(place.path()).value().ok());
}

BOOST_AUTO_TEST_CASE(a_flipped_byte_in_the_write_ahead_log_or_the_manifest_is_found) {
  fill(false);
  const auto logs = files_like(".log");
  BOOST_TEST_REQUIRE(!logs.empty());
  for (const auto& path : logs) flips_not_found(path, 60);
  std::string current = read_file(place.path() + "/db/CURRENT");
  current.pop_back();
  flips_not_found(place.path() + "/db/" + current, 40);
  flips_not_found(place.path() + "/db/CURRENT", 20);
}

BOOST_AUTO_TEST_CASE(a_torn_end_of_the_log_is_no_damage) {
  fill(false);
  const auto path = files_like(".log").back();
  const auto bytes = read_file(path);
  write_file(path, bytes.substr(0, bytes.size() - 10));
  const auto report = verify(place.path()).value();
  BOOST_TEST(report.ok(), first_problem(report));
  BOOST_TEST(report.notes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_together_is_named) {
  const entity_ref cart{"cart", "c1"};
  fill(false);
  struct row {
    const char* what;
    family which;
    std::string key;
    std::optional<std::string> value;
  };
  const auto shard = shard_of(cart.id, 4);
  const auto prefix = entity_prefix(shard, cart);
  const row rows[] = {
      {"gap before version", family::events, event_key(prefix, 3), std::nullopt},
      {"does not fit", family::events, event_key(prefix, 3), std::string("\x92\x01\x05")},
      {"no marker", family::events, event_key(prefix, timer_marker_version), std::nullopt},
      {"no timer", family::timers, timer_key(shard, at_ms(1'002), cart), std::nullopt},
      {"not in its shard", family::timers,
       timer_key(static_cast<std::uint16_t>(shard ^ 1), at_ms(3), cart), ""},
      {"missing", family::log, log_key(shard, 2), std::nullopt},
      {"another command", family::receipts, receipt_key(prefix, {77, 7}),
       encode(receipt{.id = {1, 1}, .expires_at = timestamp_ms::max()})},
      {"the snapshot holds", family::snapshots, prefix,
       encode(snapshot{.version = 50, .state = ""})},
      {"no key of a projection", family::index, "x", ""},
      {"unknown record", family::meta, "x", ""},
      {"own number", family::meta, "identity", "x"},
      {"newer than this program", family::meta, "format",
       encode(store_format{.version = 9, .shard_count = 4})},
  };
  files::copy(place.path() + "/db", place.path() + "/good", files::copy_options::recursive);
  for (const auto& r : rows) {
    files::remove_all(place.path() + "/db");
    files::copy(place.path() + "/good", place.path() + "/db", files::copy_options::recursive);
    {
      store_options options;
      options.directory = place.path();
      const auto opened = store::open(options, time).value();
      auto* handle = opened->of(r.which);
      if (r.value) {
        opened->db().Put({}, handle, r.key, *r.value);
      } else {
        opened->db().Delete({}, handle, r.key);
      }
    }
    const auto report = verify(place.path()).value();
    BOOST_TEST(!report.ok());
    BOOST_TEST(first_problem(report).find(r.what) != std::string::npos,
               r.what << " in " << first_problem(report));
  }
}

// A replica stores a barrier with the time that its own clock has come to; the next leader's may be
// behind.
BOOST_AUTO_TEST_CASE(the_time_of_a_barrier_says_nothing_of_the_entries_behind_it) {
  struct row {
    entry_kind of_the_first;
    std::int64_t first_ms, then_ms;
    bool is_sound;
  };
  const row rows[] = {{entry_kind::barrier, 9'000, 5'000, true},
                      {entry_kind::items, 9'000, 5'000, false},
                      {entry_kind::items, 5'000, 9'000, true}};
  for (const auto& r : rows) {
    scratch_directory own;
    store_options options;
    options.directory = own.path();
    {
      const auto opened = store::open(options, time).value();
      log_entry first{.term = 1, .time = at_ms(r.first_ms), .items = {}, .what = r.of_the_first, .change = {}};
      log_entry then{.term = 1, .time = at_ms(r.then_ms), .items = {}, .change = {}};
      opened->db().Put({}, opened->of(family::log), log_key(0, 1), encode(first));
      opened->db().Put({}, opened->of(family::log), log_key(0, 2), encode(then));
    }
    BOOST_TEST(verify(own.path()).value().ok() == r.is_sound);
  }
}

BOOST_AUTO_TEST_CASE(a_store_in_use_or_not_there_is_refused) {
  BOOST_TEST(verify(place.path()).error().is(base_errc::not_found));
  store_options options;
  options.directory = place.path();
  const auto opened = store::open(options, time).value();
  BOOST_TEST(verify(place.path()).error().is(base_errc::unavailable));
}

BOOST_AUTO_TEST_CASE(verifying_changes_no_file) {
  fill(false);
  const auto listing = [&] {
    std::string all;
    for (const auto& entry : files::directory_iterator(place.path() + "/db")) {
      all += entry.path().string() + ' ' + std::to_string(entry.file_size()) + '\n';
    }
    return all;
  };
  const auto before = listing();
  BOOST_TEST(verify(place.path()).value().ok());
  BOOST_TEST(listing() == before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace verify_test
}  // namespace omnicart::persistence
