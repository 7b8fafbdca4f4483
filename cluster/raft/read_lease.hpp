#pragma once

#include <map>
#include <optional>
#include <span>

#include "cluster/raft/types.hpp"

namespace omnicart::raft {

// Until when a leader may answer reads from its own memory (Ongaro 2014, section 6.4.1, with send
// stamps).
//
// A voter that takes a heartbeat neither stands nor votes for a full election timeout after it
// arrived, so not before one after it was sent. When a majority of voters echoed stamps of `s` or
// later, no other leader can exist before s + election timeout, whatever the network does. 0.8 of
// that is used; the rest is for clocks that run at different speeds. A voter that restarts forgets
// what it took, and so keeps silent for one election timeout (raft_group).
//
// A transfer lifts that promise: the target may stand at once, and whenever the request arrives. So
// the lease ends before the request leaves. It comes back when this leader commits an entry that
// the target's log did not have then: whoever holds it refuses the target a vote, whoever voted for
// the target before refuses this leader its commit, and a target whose log has grown refuses the
// request.
//
// A plain value: no clock, no threads. Times are the leader's own.
class read_lease {
 public:
  explicit read_lease(monotonic_time election_timeout);

  // This node now leads in a new term: nothing is echoed yet.
  void begin();
  // A result of the current term came back. Stamps may come in any order; 0 is none.
  void echoed(node_id from, monotonic_time sent_at);

  // A transfer begins: no lease until resume(), should its request never leave, or distrust() and
  // committed().
  void suspend();
  void resume();
  // The request left; the log ended at `last_index`.
  void distrust(log_index last_index);
  // Up to here entries are committed; to be told while this node leads.
  void committed(log_index index);

  // End of the lease; nothing when there is none. `voters` are those of the configuration in use; a
  // leader that is not one of them has none, because those that remain may already go on without
  // it.
  std::optional<monotonic_time> expires_at(monotonic_time now, node_id self,
                                           std::span<const node_id> voters) const;
  bool holds(monotonic_time now, node_id self, std::span<const node_id> voters) const;

 private:
  monotonic_time length_;
  std::map<node_id, monotonic_time> echoes_;  // latest by node
  bool suspended_ = false;
  std::optional<log_index> distrusted_;  // until an entry behind it is committed
};

}  // namespace omnicart::raft
