#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/backup/backup_copy.hpp"
#include "cluster/backup/backup_folder.hpp"
#include "cluster/backup/cut_coordinator.hpp"
#include "cluster/backup/shard_moments.hpp"
#include "runtime/clock.hpp"

namespace omnicart::cluster {

struct backup_wish {
  std::string directory;  // absolute
  std::string by, why;
  std::uint64_t rate_bytes_max = 0;  // a second, read from the store; 0: as fast as it goes
};

struct backup_state {
  enum class phase { idle, cutting, copying, done, failed };

  phase at = phase::idle;  // of the latest backup since the node started
  std::string directory;
  copy_progress copied;
  std::uint16_t shards_copied = 0, shards = 0;
  std::optional<backup_manifest> made;  // done
  std::optional<error> why;             // failed
  duration_ms took{0};
};

// Makes backups of the whole shop from this node's own store, one at a time, while it serves: takes
// a cut (cut_coordinator) and copies each shard as it was at it, at low priority on a thread of its
// own. Thread-safe.
class backup_maker {
 public:
  // Adds up a backup's totals. One for each backup; used by the maker's thread.
  struct accountant {
    virtual ~accountant() = default;
    virtual status take(persistence::family which, std::string_view key,
                        std::string_view value) = 0;
    virtual cut_totals totals() = 0;
  };
  struct parts {
    persistence::store& data;
    const clock& time;
    std::function<cut_id()> draw;
    std::function<std::vector<node_id>()> nodes;          // see cut_coordinator
    std::function<void(node_id, const cut_order&)> send;  // see cut_coordinator
    std::function<status()> ready;                        // why none can be made here now
    std::function<std::unique_ptr<accountant>()> books;
    std::function<void(backup_manifest&)> describe;  // fills in cluster, node, version, keys
  };
  // The store's old versions are kept as long as a copy of their shard is due.
  static constexpr duration_ms copied_within = std::chrono::hours(6);

  explicit backup_maker(parts with);
  ~backup_maker();  // stops

  // Begins; look() tells how it goes. Refusals: in_progress, those of backup_folder::open,
  // malformed (a directory that is not absolute), parts::ready's, shutting_down.
  status begin(backup_wish wish);
  backup_state look() const;
  // Gives up what is under way.
  void stop();

  // From the nodes, and from this one's journal (journal_options::marked). None blocks.
  void reported(node_id from, const cut_report& report);
  void marked(const marked_shard& shard);

 private:
  void run(backup_wish wish, std::unique_ptr<backup_folder> folder);
  result<backup_manifest> make(const backup_wish& wish, backup_folder& folder);
  result<consistent_cut> take_cut();
  result<std::vector<backed_up_shard>> copy(const consistent_cut& cut, const backup_wish& wish,
                                            backup_folder& folder, accountant& books);
  status pace(const copy_progress& step, const backup_wish& wish, duration_ms began);
  std::string new_id();

  const parts with_;
  shard_moments moments_;
  mutable std::mutex guard_;  // of what follows
  std::condition_variable bell_;
  cut_coordinator cuts_;
  backup_state state_;
  bool runs_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnicart::cluster
