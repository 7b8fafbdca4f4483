#include "cluster/link/peer_table.hpp"

#include <utility>

namespace omnicart::cluster {

peer_table::entry& peer_table::at(node_id peer) {
  const auto [found, fresh] = peers_.try_emplace(peer, limits_);
  if (fresh) found->second.counts.peer = peer;
  return found->second;
}

peer_table::sent peer_table::push(node_id to, channel on, std::string bytes) {
  std::lock_guard lock(guard_);
  const auto found = peers_.find(to);
  if (found == peers_.end()) return sent::refused;
  entry& peer = found->second;
  if (!peer.counts.up || peer.waiting.push(on, std::move(bytes)) != outbox::verdict::taken) {
    ++peer.counts.refused[static_cast<std::size_t>(on)];
    return sent::refused;
  }
  return std::exchange(peer.woken, true) ? sent::taken : sent::taken_and_wake;
}

bool peer_table::is_up(node_id peer) const {
  std::lock_guard lock(guard_);
  const auto found = peers_.find(peer);
  return found != peers_.end() && found->second.counts.up;
}

void peer_table::came_up(node_id peer, std::uint8_t version) {
  std::lock_guard lock(guard_);
  entry& to = at(peer);
  to.waiting.reset();
  to.woken = false;
  to.counts.up = true;
  to.counts.version = version;
  ++to.counts.connects;
}

void peer_table::went_down(node_id peer) {
  std::lock_guard lock(guard_);
  entry& to = at(peer);
  to.waiting.reset();
  to.counts.up = false;
}

void peer_table::forget(node_id peer) {
  std::lock_guard lock(guard_);
  peers_.erase(peer);
}

std::vector<channel> peer_table::fill(node_id to, std::string& out, std::uint8_t version,
                                      std::uint64_t& sequence) {
  std::vector<channel> roomy;
  std::lock_guard lock(guard_);
  entry& peer = at(to);
  peer.woken = false;
  const std::size_t bytes_before = out.size();
  const std::uint64_t sequence_before = sequence;
  peer.waiting.fill(out, version, sequence);
  peer.counts.frames_out += sequence - sequence_before;
  peer.counts.bytes_out += out.size() - bytes_before;
  for (std::size_t i = 0; i < channel_count; ++i) {
    if (peer.waiting.has_room_again(static_cast<channel>(i)))
      roomy.push_back(static_cast<channel>(i));
  }
  return roomy;
}

void peer_table::add_credit(node_id peer, std::size_t bytes) {
  std::lock_guard lock(guard_);
  at(peer).waiting.add_credit(bytes);
}

void peer_table::count_read(node_id peer, std::size_t frames, std::size_t bytes,
                            std::int64_t round_trip_us) {
  std::lock_guard lock(guard_);
  peer_counts& counts = at(peer).counts;
  counts.frames_in += frames;
  counts.bytes_in += bytes;
  counts.round_trip_us = round_trip_us;
}

void peer_table::count_ending(ending why) {
  std::lock_guard lock(guard_);
  ++totals_.endings[static_cast<std::size_t>(why)];
  if (why < ending::lost) ++totals_.bad_handshakes;
}

void peer_table::count_failed_dial() {
  std::lock_guard lock(guard_);
  ++totals_.failed_dials;
}

void peer_table::set_half_open(std::size_t count) {
  std::lock_guard lock(guard_);
  totals_.half_open = count;
}

link_counts peer_table::counts() const {
  std::lock_guard lock(guard_);
  link_counts all = totals_;
  for (const auto& [node, peer] : peers_) {
    all.peers.push_back(peer.counts);
    all.peers.back().waiting_bytes = peer.waiting.waiting_bytes();
  }
  return all;
}

}  // namespace omnicart::cluster
