#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "persistence/key_layout.hpp"
#include "persistence/store.hpp"
#include "runtime/placement.hpp"
#include "tests/sim/sim_checks.hpp"

namespace omnicart::sim {

// A record of a shard's content: all that a store holds of it but its log and Raft's own records.
using content_key = std::pair<persistence::family, std::string>;
// Hash over all of them, in any order.
std::uint64_t content_hash(const persistence::store& data, std::uint16_t shard);

// What the entries of one shard's log make of its content, reckoned apart from the code that writes
// stores; of every index, since replicas lag behind each other.
class shard_model {
 public:
  explicit shard_model(std::uint16_t shard) : shard_(shard) {}

  // The next entry.
  void add(const persistence::log_entry& entry);
  std::uint64_t last() const { return hashes_.size() - 1; }
  // Of the content after this entry; 0: before the first.
  std::uint64_t hash(std::uint64_t index) const { return hashes_[index]; }
  // What the record is after this entry; null: it is not there.
  const std::string* find(const content_key& key, std::uint64_t index) const;
  // Records that the entry put or removed.
  const std::set<content_key>& touched(std::uint64_t index) const { return touched_[index]; }
  // The first record in which the store is another than this; "" when there is none.
  std::string difference(const persistence::store& data, std::uint64_t index) const;

 private:
  struct change {
    std::uint64_t index = 0;
    std::optional<std::string> value;
  };
  void add(const persistence::logged_item& item);
  void put(persistence::family which, std::string key, std::optional<std::string> value);

  const std::uint16_t shard_;
  std::map<content_key, std::vector<change>> records_;
  std::vector<std::uint64_t> hashes_{0};
  std::vector<std::set<content_key>> touched_{std::set<content_key>{}};
};

// The law that replicas which have applied equally much hold the same: what the log makes. After
// every round of a node the records that its new entries put or removed are read back. All that it
// holds is read after a start, after a copy, at every 16th index or so, another on each node, and
// in the end: what an entry broke elsewhere stays, and is found a little later at most.
class replica_hashes {
 public:
  replica_hashes(sim_checks& checks, std::uint16_t group_count);

  // The next entry of a shard.
  void committed(std::uint16_t shard, const persistence::log_entry& entry) {
    models_[shard].add(entry);
  }
  // The node's content contains its log up to `applied`; `before`: as it did when this was last
  // asked, 0 when what it holds came about in another way.
  void compare(node_id node, std::uint16_t shard, std::uint64_t before, std::uint64_t applied,
               const persistence::store& data);
  // All that it holds.
  void compare_all(node_id node, std::uint16_t shard, std::uint64_t applied,
                   const persistence::store& data);
  std::uint64_t compared() const { return compared_; }  // whole replicas

 private:
  void violate(node_id node, std::uint16_t shard, std::uint64_t applied, const std::string& what);

  sim_checks& checks_;
  std::vector<shard_model> models_;
  std::uint64_t compared_ = 0;
};

}  // namespace omnicart::sim
