#pragma once

#include <cstdint>
#include <functional>

#include "cluster/node_id.hpp"
#include "cluster/raft/membership.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::cluster {

// What an operator, or who acts for one, asks of a shard's leader.
struct control_request {
  using done_fn = std::function<void(status)>;
  enum class kind { change_membership, catch_up, transfer, cut_log };

  std::uint16_t shard = 0;
  kind what = kind::change_membership;
  raft::membership_change change;  // of change_membership
  node_id node = no_node;          // of catch_up and transfer
  raft::log_index through = 0;     // of cut_log
  done_fn done;
};

// One that the group took, until its end is known.
struct running_control {
  control_request asked;
  raft::term_number term = 0;  // in which it began
  raft::log_index index = 0;   // of the change's entry
};

}  // namespace omnicart::cluster
