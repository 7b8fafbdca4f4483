#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/link/transport.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/committed.hpp"
#include "persistence/store.hpp"
#include "runtime/kind.hpp"
#include "runtime/message.hpp"
#include "runtime/placement.hpp"
#include "tests/sim/fault_fs/fault_fs.hpp"
#include "tests/sim/timeline.hpp"

namespace omnicart::sim {

struct node_options {
  std::uint16_t shard_count = 4;
  duration_ms idle{3'000};     // entities unused this long leave memory
  duration_ms sweep{1'000};    // how often that is looked at
  duration_ms flush_delay{2};  // at most this long between an append and its group commit
  std::size_t batch_items_max = 4'096;
  duration_ms sync_max{0};         // what a sync takes, at most
  std::uint64_t stall_one_in = 0;  // of so many syncs one takes up to stall_max; 0: none
  duration_ms stall_max{2'500};

  // Of a node among others.
  node_id self = 1;
  bool founder = true;
  unsigned seed = 1;  // of its elections
  duration_ms election_timeout{1'000};
  duration_ms heartbeat{100};
  unsigned trailing_entries = 10'000;
  std::size_t copy_chunk_bytes = 2'048;
  duration_ms upkeep{200};  // how often hooks::tick is called
};

// What a node among others lives in; all outlive it. Without: it is alone, on the timeline's clock.
struct surroundings {
  const clock* time = nullptr;
  cluster::transport* net = nullptr;
  std::int64_t fast = 0;  // by so many milliseconds in a second the monotonic clock is ahead
};

// A node as the composition root builds it, from the production parts, without threads: journal,
// store, hosts, router, timers and (sim_links) what connects it to others run as events of the
// timeline. The machine below it is a fault_fs that may be told to misbehave. A sync takes its
// time: what the journal says behind it is heard that much later, the journal does nothing
// meanwhile, and everything else goes on.
class sim_node {
 public:
  struct hooks {
    std::function<void(const persistence::committed_batch&)> committed;
    // An entity asks another one, or a port, for what it is owed.
    std::function<void(const entity_ref& from, const envelope& what)> effect;
    // A snapshot is on its way to the disk: a moment that crashes like.
    std::function<void()> snapshot;
    std::function<void(const std::string&)>
        fatal;  // the process ends; call crash() when it is off the stack

    // Of a node among others; all may be null.
    std::function<void(std::uint16_t shard, std::uint64_t term)> leadership;
    std::function<void(const std::vector<cluster::shard_message>&)> sent;
    std::function<void(std::uint16_t shard, std::uint64_t through)> installed;
    std::function<void()> round;  // the journal has done what was due
    std::function<void()> tick;
  };

  // `provider` stands for "payment/…". All arguments outlive the node.
  sim_node(timeline& time, message_sink& provider, node_options options, hooks calls,
           surroundings around = {});
  ~sim_node();

  // Boots on this disk; with `power_at`, the power goes at that operation of the disk. On an error
  // (a power cut on the way, or damage) the node is down, and crash() says what is on the disk.
  status start(disk_image image, std::optional<std::uint64_t> power_at = {});
  bool up() const { return static_cast<bool>(run_); }
  // Loss of power: returns what the disk kept.
  disk_image crash();
  // kill -9: the machine goes on, and what was written stays in its memory, synced or not; resume()
  // starts the node on it again.
  void kill();
  status resume();
  // An orderly stop: everything handed to the journal is written first. When that fails it ends as
  // with the loss of power.
  disk_image stop();

  void send(envelope message);
  // Whoever has to do something at a time of day looks at the clock: it jumped.
  void look_at_clock();
  // Memtables to tables, as RocksDB does when they are full.
  void flush_memtables();
  fault_fs& disk() { return *disk_; }
  persistence::store& data();
  cluster::replicated_journal& log();
  static const kind_registry& kinds();

 private:
  status open();

  struct running;
  class watched_environment;
  class watched_sink;
  class queued_mailbox;

  timeline& time_;
  message_sink& provider_;
  const node_options options_;
  hooks hooks_;
  const surroundings around_;
  std::shared_ptr<fault_fs> disk_;
  std::unique_ptr<running> run_;
};

}  // namespace omnicart::sim
