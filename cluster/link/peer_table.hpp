#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "cluster/link/node_link.hpp"
#include "cluster/link/outbox.hpp"

namespace omnicart::cluster {

// The half of a link that other threads touch: who is up, what waits for whom, the counts. One
// short lock, since send() answers at once. Thread-safe.
class peer_table {
 public:
  explicit peer_table(const channel_limits& limits) : limits_(limits) {}

  enum class sent : std::uint8_t {
    refused,
    taken,
    taken_and_wake
  };  // wake: nobody has been told to write yet
  sent push(node_id to, channel on, std::string bytes);
  bool is_up(node_id peer) const;

  // The rest is the link's thread's.
  void came_up(node_id peer, std::uint8_t version);
  void went_down(node_id peer);
  void forget(node_id peer);
  // Appends what may leave; names the channels that have room again.
  std::vector<channel> fill(node_id to, std::string& out, std::uint8_t version,
                            std::uint64_t& sequence);
  void add_credit(node_id peer, std::size_t bytes);
  void count_read(node_id peer, std::size_t frames, std::size_t bytes, std::int64_t round_trip_us);
  void count_ending(ending why);
  void count_failed_dial();
  void set_half_open(std::size_t count);

  link_counts counts() const;

 private:
  struct entry {
    explicit entry(const channel_limits& limits) : waiting(limits) {}
    outbox waiting;
    bool woken = false;  // the link's thread knows that there is something
    peer_counts counts;
  };
  entry& at(node_id peer);

  const channel_limits limits_;
  mutable std::mutex guard_;
  std::map<node_id, entry> peers_;
  link_counts totals_;  // without the peers'
};

}  // namespace omnicart::cluster
