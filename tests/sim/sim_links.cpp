#include "tests/sim/sim_links.hpp"

#include <utility>

namespace omnicart::sim {
namespace {

constexpr duration_ms sender_tick{20};

}  // namespace

// The network, with a word to the node's parts that have something to do after a message.
class sim_links::prompting_transport final : public cluster::transport {
 public:
  prompting_transport(cluster::transport& real, std::function<void(cluster::channel)> came)
      : real_(real), came_(std::move(came)) {}

  node_id self() const override { return real_.self(); }
  bool send(node_id to, cluster::channel on, std::string bytes) override {
    return real_.send(to, on, std::move(bytes));
  }
  bool is_up(node_id peer) const override { return real_.is_up(peer); }
  void receive(cluster::channel on, message_fn handler) override {
    real_.receive(on, [this, on, handler = std::move(handler)](node_id from, std::string bytes) {
      handler(from, std::move(bytes));
      came_(on);
    });
  }
  void watch(change_fn handler) override {
    real_.watch([this, handler = std::move(handler)](const cluster::peer_change& change) {
      handler(change);
      came_(cluster::channel::snapshot);
    });
  }
  void when_room(cluster::channel on, room_fn handler) override {
    real_.when_room(on, [this, on, handler = std::move(handler)](node_id peer) {
      handler(peer);
      came_(on);
    });
  }
  void snapshot_consumed(node_id from, std::size_t bytes) override {
    real_.snapshot_consumed(from, bytes);
  }

 private:
  cluster::transport& real_;
  const std::function<void(cluster::channel)> came_;
};

// Commands for other nodes; whoever waits for their answers has to be ticked.
class sim_links::prompting_sink final : public message_sink {
 public:
  prompting_sink(message_sink& real, std::function<void()> sent)
      : real_(real), sent_(std::move(sent)) {}
  void send(envelope message) override {
    real_.send(std::move(message));
    sent_();
  }

 private:
  message_sink& real_;
  const std::function<void()> sent_;
};

sim_links::sim_links(cluster::transport& net, timeline& time, const clock& here,
                     timeline::owner node, std::function<void()> flush_soon)
    : time_(time),
      here_(here),
      node_(node),
      flush_soon_(std::move(flush_soon)),
      net_(std::make_unique<prompting_transport>(net,
                                                 [this](cluster::channel on) {
                                                   if (on == cluster::channel::raft) flush_soon_();
                                                   if (on == cluster::channel::snapshot)
                                                     copy_soon();
                                                 })),
      raft_(*net_),
      chunks_(*net_),
      ids_(time),
      named_(ids_),
      elsewhere_(std::make_unique<prompting_sink>(named_, [this] { tick_soon(); })) {}

sim_links::~sim_links() = default;

void sim_links::describe(cluster::journal_options& journal, persistence::store& data,
                         std::size_t copy_chunk_bytes, sent_fn sent) {
  copies_ = std::make_unique<cluster::shard_copier>(
      data, chunks_, here_, cluster::copier_options{.chunk_bytes = copy_chunk_bytes});
  chunks_.attach(*copies_);
  journal.copies = copies_.get();
  journal.send = [this, sent = std::move(sent)](node_id to,
                                                std::vector<cluster::shard_message> messages) {
    if (sent) sent(messages);
    raft_.send(to, std::move(messages));
  };
}

void sim_links::attach(cluster::replicated_journal& log, router& routes,
                       std::uint16_t shard_count) {
  raft_.attach(log);
  sender_ = std::make_unique<cluster::remote_sender>(
      cluster::remote_sender::parts{*net_, log, shard_count, routes.entrance(), here_},
      ids_.next().low >> 1);
  receiver_ = std::make_unique<cluster::remote_receiver>(*net_, routes.entrance(), here_);
  named_.attach(*sender_);
  routes.set_elsewhere(*elsewhere_);
  sender_->attach();
  receiver_->attach();
}

void sim_links::leader_changed(std::uint16_t shard) {
  if (sender_) sender_->leader_changed(shard);
}

void sim_links::copy_soon() {
  if (copy_due_) return;
  copy_due_ = true;
  time_.after(duration_ms{time_.between(0, 2)}, node_, [this] { copy(); });
}

void sim_links::copy() {
  copy_due_ = false;
  if (!copies_->work()) return;
  flush_soon_();  // a copy may have ended
  copy_soon();
}

void sim_links::tick_soon() {
  if (tick_due_) return;
  tick_due_ = true;
  time_.after(sender_tick, node_, [this] { tick(); });
}

void sim_links::tick() {
  tick_due_ = false;
  sender_->tick();
  if (sender_->counts().waiting > 0) tick_soon();
}

}  // namespace omnicart::sim
