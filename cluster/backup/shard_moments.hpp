#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "cluster/backup/cut_messages.hpp"
#include "persistence/store.hpp"

namespace rocksdb {
class ManagedSnapshot;
}

namespace omnicart::cluster {

// The shards' content as it was at the markers of one cut: a snapshot of the store for each shard,
// held until it is taken or the cut is given up. Thread-safe; the store outlives it.
class shard_moments {
 public:
  explicit shard_moments(persistence::store& data);
  ~shard_moments();

  // Lets go of what is held, and holds moments of this cut from now on; 0: of none.
  void follow(cut_id cut);
  // On the journal's thread, while the store has exactly that content (journal_options::marked).
  // False: it is another cut's.
  bool reached(const marked_shard& shard);
  // Null: there is none.
  std::unique_ptr<rocksdb::ManagedSnapshot> take(std::uint16_t shard);

 private:
  persistence::store& store_;
  std::mutex guard_;  // of what follows
  cut_id cut_ = 0;
  std::map<std::uint16_t, std::unique_ptr<rocksdb::ManagedSnapshot>> held_;
};

}  // namespace omnicart::cluster
