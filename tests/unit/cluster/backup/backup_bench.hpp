#pragma once

#include <rocksdb/snapshot.h>

#include <deque>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "cluster/backup/backup_check.hpp"
#include "cluster/backup/restore.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::cluster {

inline const record_visitor see_nothing = [](std::uint16_t, persistence::family, std::string_view,
                                             std::string_view) { return status{}; };

// A lone node's store in memory, and backups of it in a folder on the disk.
struct backup_bench {
  persistence::manual_clock time;
  persistence::scratch_directory scratch;
  std::deque<marked_shard> marks;
  std::unique_ptr<persistence::open_store> parts = open();
  std::string path = scratch.path() + "/backups";
  cut_id cut = 0;
  std::uint64_t new_bytes = 0;

  std::unique_ptr<persistence::open_store> open() {
    journal_options commit;
    commit.marked = [this](const marked_shard& shard) { marks.push_back(shard); };
    return std::make_unique<persistence::open_store>(
        persistence::options_on(std::make_shared<sim::fault_fs>(1)), time, std::move(commit));
  }
  void write(const std::string& id, std::uint64_t version, std::size_t count = 1) {
    auto item = persistence::events_item({"cart", id}, version, count, time.now);
    item.proof = receipt{.id = {version, id.size()},
                         .body = 1,
                         .expires_at = time.now + std::chrono::hours(100),
                         .refused = 0,
                         .detail = {},
                         .data = {}};
    parts->journal->append(std::move(item));
    parts->journal->flush_once();
  }
  void order(cut_step step) {
    parts->journal->obey({.cut = cut, .step = step, .at_most = duration_ms{100}}, {});
    while (parts->journal->flush_once()) {
    }
  }
  // A backup of the store as it is.
  backup_manifest back_up(const std::string& id) {
    const auto folder = backup_folder::open(path, backup_folder::use::write).value();
    marks.clear();
    ++cut;
    order(cut_step::mark);
    const rocksdb::ManagedSnapshot moment(&parts->data->db());
    order(cut_step::resume);
    new_bytes = 0;
    backup_manifest made{.id = id,
                         .created = time.now,
                         .by = "ann",
                         .why = "a test",
                         .version = "v",
                         .cluster = "c",
                         .node = 1,
                         .shard_count = parts->data->shard_count(),
                         .store_format = 1,
                         .paused = {},
                         .tries = 1,
                         .token_keys = std::string(64, 'k'),
                         .totals = {},
                         .shards = {}};
    for (const auto& mark : marks) {
      if (mark.at.shard >= made.shard_count) continue;
      made.shards.push_back(copy_shard(*parts->data, mark, moment, *folder, see_nothing,
                                       [this](const copy_progress& step) {
                                         new_bytes += step.new_bytes;
                                         return status{};
                                       })
                                .value());
    }
    if (!folder->put_manifest(made)) throw std::runtime_error("the manifest cannot be written");
    return made;
  }
  backup_report check(const std::string& id) const {
    const auto folder = backup_folder::open(path, backup_folder::use::read).value();
    const auto what = folder->manifest(id);
    if (what) return check_backup(*folder, *what, see_nothing);
    backup_report damaged;
    damaged.add("manifest", what.error().detail);
    return damaged;
  }
};

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::vector<std::string> files_in(const std::string& path) {
  std::vector<std::string> found;
  for (const auto& each : std::filesystem::recursive_directory_iterator(path)) {
    if (each.is_regular_file()) found.push_back(each.path());
  }
  return found;
}

}  // namespace omnicart::cluster
