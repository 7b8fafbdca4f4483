#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/copy/chunk_channel.hpp"
#include "cluster/copy/copy_source.hpp"
#include "cluster/copy/copy_target.hpp"
#include "cluster/link/drop_count.hpp"
#include "runtime/clock.hpp"

namespace omnicart::cluster {

struct copier_options {
  std::size_t chunk_bytes = copy_chunk_bytes;  // at most that
  std::size_t sources_max =
      4;  // shards being read for others at once; beyond it askers are refused
  duration_ms idle_max{10'000};  // a copy that did not move for that long is over
  // Whom shards may be given to; asked on the copier's thread. Empty: to anybody.
  std::function<bool(node_id)> may_have{};
};

struct copier_stats {
  std::uint64_t sent = 0;      // copies that others took whole
  std::uint64_t received = 0;  // copies that this node took whole
  std::uint64_t failed = 0;    // of either, cut short
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t strangers = 0;  // requests of nodes that may not have any
  std::uint64_t malformed = 0;  // frames that did not read
};

// Copies whole shards between the stores of two nodes, for replicas that are new or too far behind.
// Reads and writes on a thread of its own, so that the journal goes on; holds at most a few chunks
// of each copy in memory.
//
// Production: start() and stop(). Simulator: work() on the caller's thread. Never both.
class shard_copier {
 public:
  using done_fn = std::function<void(result<shard_content>)>;

  // All arguments outlive the copier.
  shard_copier(persistence::store& data, chunk_channel& channel, const clock& time,
               copier_options options = {});
  ~shard_copier();  // stops

  void start();
  // Nothing is called any more once it has returned.
  void stop();
  // Does what is due; true while there is more to do at once.
  bool work();

  // Replaces the shard's content by that of `from`, which must contain the log up to
  // `wanted.at_least`; `wanted.copy` is set here. One for each shard at a time: an earlier one is
  // forgotten, without a word. `done` is called on the copier's thread. Errors: unavailable (the
  // node is down or has not got it: ask again), io. Any thread.
  void fetch(node_id from, copy_request wanted, done_fn done);
  // From the channel. Any thread; none blocks.
  void received(node_id from, std::string bytes);
  void room(node_id peer);
  void peer_down(node_id peer);

  copier_stats stats() const;

 private:
  struct order {
    node_id from = no_node;
    copy_request wanted;
    done_fn done;
  };
  struct incoming {
    copy_target into;
    done_fn done;
    raft::monotonic_time moved_at;
  };
  struct outgoing {
    std::unique_ptr<copy_source> from;
    std::uint64_t chunks = 0;
    std::string waiting;  // a frame that the channel did not take yet
    bool ended = false;   // it is the last
    raft::monotonic_time moved_at;
  };
  using outgoing_key = std::pair<node_id, std::uint64_t>;  // asker and its number

  void run();
  void wake();
  bool take_orders();
  bool take_frames();
  bool take_losses();
  bool push();
  bool push(const outgoing_key& key, outgoing& copy);
  void expire();
  void begin(order asked);
  void answer(node_id asker, const copy_request& wanted);
  void take(node_id from, const copy_frame& frame);
  void take_chunk(incoming& copy, const copy_chunk& chunk);
  void take_end(incoming& copy, const copy_end& end);
  incoming* expected(node_id from, std::uint64_t copy);
  void fail_copy(std::uint16_t shard, error why);
  void count(const std::function<void(copier_stats&)>& change);

  persistence::store& store_;
  chunk_channel& channel_;
  const clock& time_;
  const copier_options options_;

  drop_count strangers_{"a shard is refused to a node that the cluster's record does not name"};
  drop_count malformed_{"a copy's frame does not read"};

  // The worker's own.
  std::map<std::uint16_t, incoming> incoming_;
  std::map<outgoing_key, outgoing> outgoing_;
  std::uint64_t next_copy_;

  mutable std::mutex guard_;  // of what follows
  std::condition_variable bell_;
  std::deque<order> orders_;
  std::deque<std::pair<node_id, std::string>> frames_;
  std::vector<node_id> lost_;
  bool rung_ = false;
  bool stopping_ = false;
  copier_stats stats_;
  std::thread thread_;
};

}  // namespace omnicart::cluster
