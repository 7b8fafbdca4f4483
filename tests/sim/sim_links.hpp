#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cluster/copy/link_chunks.hpp"
#include "cluster/copy/shard_copier.hpp"
#include "cluster/raft_channel.hpp"
#include "cluster/remote/named_commands.hpp"
#include "cluster/remote/remote_receiver.hpp"
#include "cluster/remote/remote_sender.hpp"
#include "cluster/replicated_journal.hpp"
#include "runtime/id_source.hpp"
#include "runtime/router.hpp"
#include "tests/sim/timeline.hpp"

namespace omnicart::sim {

// What connects a node to the others: the parts of tools/omnicartd/peers on a virtual network, run
// by events of the timeline instead of threads.
class sim_links {
 public:
  // `flush_soon`: the journal has messages. All arguments outlive it.
  sim_links(cluster::transport& net, timeline& time, const clock& here, timeline::owner node,
            std::function<void()> flush_soon);
  ~sim_links();

  using sent_fn = std::function<void(const std::vector<cluster::shard_message>&)>;
  // Before the journal is opened. `sent` sees Raft's messages as they leave; may be null.
  void describe(cluster::journal_options& journal, persistence::store& data,
                std::size_t copy_chunk_bytes, sent_fn sent);
  void attach(cluster::replicated_journal& log, router& routes, std::uint16_t shard_count);
  void leader_changed(std::uint16_t shard);
  // The copier may have got something to do. Call it now and then.
  void copy_soon();

 private:
  class prompting_transport;
  class prompting_sink;
  struct drawn_ids final : id_source {
    explicit drawn_ids(timeline& t) : time(t) {}
    command_id next() override { return {time.below(UINT64_MAX), 1 + time.below(UINT64_MAX - 1)}; }
    timeline& time;
  };

  void copy();
  void tick_soon();
  void tick();

  timeline& time_;
  const clock& here_;
  const timeline::owner node_;
  const std::function<void()> flush_soon_;
  std::unique_ptr<prompting_transport> net_;
  cluster::raft_channel raft_;
  cluster::link_chunks chunks_;
  std::unique_ptr<cluster::shard_copier> copies_;
  drawn_ids ids_;
  cluster::named_commands named_;
  std::unique_ptr<prompting_sink> elsewhere_;
  std::unique_ptr<cluster::remote_sender> sender_;
  std::unique_ptr<cluster::remote_receiver> receiver_;
  bool copy_due_ = false;
  bool tick_due_ = false;
};

}  // namespace omnicart::sim
