#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replicated_journal.hpp"
#include "persistence/reader_pool.hpp"
#include "persistence/projection_store.hpp"
#include "persistence/shard_log.hpp"
#include "persistence/store.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/base/assert.hpp"
#include "tests/sim/fault_fs/fault_fs.hpp"

// What the tests of the store share: a clock set by hand, a node's parts of the store on a disk of
// the test's choosing, and items to write.
namespace omnicart::persistence {

struct manual_clock final : clock {
  timestamp_ms now{duration_ms{1'700'000'000'000}};
  duration_ms up{0};

  timestamp_ms wall() const override { return now; }
  duration_ms monotonic() const override { return up; }
};

inline timestamp_ms at_ms(std::int64_t ms) { return timestamp_ms{duration_ms{ms}}; }

inline store_options options_on(std::shared_ptr<sim::fault_fs> disk) {
  store_options options;
  options.directory = "/data";
  options.shard_count = 4;
  options.memtable_bytes = std::size_t{4} << 20;
  options.background = background_work::inline_only;
  options.file_system = std::move(disk);
  return options;
}

// The parts in the order that a node starts them in, stopped in the other.
struct open_store {
  explicit open_store(const store_options& options, const clock& time,
                      cluster::journal_options commit = {}) {
    if (!commit.fatal) commit.fatal = [this](const std::string& why) { fatal.push_back(why); };
    auto opened = store::open(options, time);
    if (!opened) throw std::runtime_error(opened.error().detail);
    data = std::move(*opened);
    timers = timer_index::open(*data).value();
    journal = cluster::replicated_journal::open(*data, *timers, time, std::move(commit)).value();
    reader = std::make_unique<reader_pool>(
        *data, reader_pool_options{.executor = [](std::function<void()> read) { read(); }});
  }

  std::vector<std::string> fatal;
  std::unique_ptr<store> data;
  std::unique_ptr<timer_index> timers;
  std::unique_ptr<cluster::replicated_journal> journal;
  std::unique_ptr<reader_pool> reader;
};

inline event_record event_at(timestamp_ms at, std::string bytes) {
  return {
      .at = at, .by = {.as = role::shopper, .session = "s", .user = {}}, .event = std::move(bytes)};
}

inline journal_item events_item(const entity_ref& entity, std::uint64_t first_version,
                                std::size_t count, timestamp_ms at = at_ms(1'700'000'000'000)) {
  journal_item item{.entity = entity, .first_version = first_version};
  for (std::size_t i = 0; i < count; ++i) {
    item.events.push_back(event_at(at, entity.id + " event " + std::to_string(first_version + i)));
  }
  return item;
}

// A directory on the machine's disk that goes away with the test.
class scratch_directory {
 public:
  scratch_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "omnicart-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~scratch_directory() { std::filesystem::remove_all(path_); }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The log is cut as a node's upkeep does it.
inline void cut_consumed(store& data, const std::vector<std::string>& projections) {
  const auto through = consumed_through(data, projections).value();
  for (std::uint16_t shard = 0; shard < through.size(); ++shard) {
    ensure(shard_log(data).truncate(shard, through[shard]).has_value(), "the log can be cut");
  }
}

}  // namespace omnicart::persistence
