#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "cluster/replicated_journal.hpp"

namespace omnicart::cluster {

// What one round of the journal's loop gathers. Used by its own sources only.
struct replicated_journal::round {
  rocksdb::WriteBatch batch;
  bool sync = false;      // something in the batch must be durable before anybody hears of it
  std::size_t items = 0;  // handed over and written
  std::vector<std::uint16_t> touched;                                // shards, in the order they came up
  std::vector<bool> is_touched;
  std::map<raft::node_id, std::vector<shard_message>> outbox;

  // To be told at the end: what is in the store now, and who waited for it; who waited in vain.
  persistence::committed_batch log;
  std::vector<persistence::queued_item> finished;
  std::vector<std::pair<persistence::queued_item, error>> refused;
  std::vector<std::pair<control_request::done_fn, status>> answered;

  // Of cuts: markers that were applied, until their batch is written.
  std::vector<marked_shard> marks;
  bool has_marked = false;  // what was handed over waits for the next round: its content is not the cut's

  void touch(std::uint16_t shard) {
    if (is_touched.size() <= shard) is_touched.resize(shard + std::size_t{1});
    if (is_touched[shard]) return;
    is_touched[shard] = true;
    touched.push_back(shard);
  }
};

}  // namespace omnicart::cluster
