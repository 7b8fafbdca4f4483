#include "cluster/link/node_link.hpp"

#include <utility>

#include "cluster/link/link_core.hpp"

namespace omnicart::cluster {

node_link::node_link(std::unique_ptr<link_core> inner) : core_(std::move(inner)) {}
node_link::~node_link() { stop(); }

result<std::unique_ptr<node_link>> node_link::open(link_options options) {
  auto inner = std::make_unique<link_core>(std::move(options));
  if (auto bound = inner->listen(); !bound) return fail(std::move(bound.error()));
  return std::unique_ptr<node_link>(new node_link(std::move(inner)));
}

void node_link::start() { core_->start(); }
void node_link::stop() { core_->stop(); }
std::uint16_t node_link::port() const { return core_->port(); }
void node_link::set_store(std::uint64_t store) { core_->set_store(store); }
void node_link::set_peers(std::vector<peer_address> peers) { core_->set_peers(std::move(peers)); }
status node_link::reload() { return core_->reload(); }
link_counts node_link::counts() const { return core_->counts(); }
node_id node_link::self() const { return core_->options().self; }
bool node_link::send(node_id to, channel on, std::string bytes) {
  return core_->send(to, on, std::move(bytes));
}
bool node_link::is_up(node_id peer) const { return core_->table().is_up(peer); }
void node_link::receive(channel on, message_fn handler) { core_->receive(on, std::move(handler)); }
void node_link::watch(change_fn handler) { core_->watch(std::move(handler)); }
void node_link::when_room(channel on, room_fn handler) { core_->when_room(on, std::move(handler)); }
void node_link::snapshot_consumed(node_id from, std::size_t bytes) { core_->consumed(from, bytes); }

}  // namespace omnicart::cluster
