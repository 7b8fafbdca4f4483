#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/cluster/cluster_kind.hpp"
#include "persistence/committed.hpp"
#include "persistence/store.hpp"
#include "runtime/journal.hpp"

namespace omnicart::node {

// This node's copy of the cluster's record, read from its own replica of the record's group: no message to anybody, and
// never ahead of what is committed. Thread-safe.
class record_watch {
 public:
  using record = cluster_record::record;

  record_watch(entity_store& store, std::uint16_t group) : store_(store), group_(group) {}

  // From the journal's thread: notes that the record may have changed.
  void committed(const persistence::committed_batch& batch);
  void replaced(std::uint16_t group) {
    if (group == group_) changed_ = true;
  }
  // Reads the record if it may have changed; call every 20 ms or so. True: now() is newer than at the last call.
  bool refresh();
  // It has been read once.
  bool has_looked() const { return has_looked_; }
  // Not founded: nothing is known yet.
  std::shared_ptr<const record> now() const;
  std::uint64_t version() const;  // of the record, as a command's expected version

 private:
  struct copy {
    record what;
    std::uint64_t version = 0;
  };
  void take(result<stored_entity> found);

  entity_store& store_;
  const std::uint16_t group_;
  std::atomic<bool> changed_{true};
  std::atomic<bool> reading_{false};
  std::atomic<bool> has_looked_{false};
  mutable std::mutex guard_;
  std::shared_ptr<const copy> copy_ = std::make_shared<copy>();
  bool is_new_ = false;
};

}  // namespace omnicart::node
