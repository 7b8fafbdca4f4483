#include "cluster/placement/next_step.hpp"

#include <algorithm>

namespace omnicart::cluster {
namespace {

using step = std::optional<shard_step>;
using kind = shard_step::kind;
using raft::role;
using catch_up_state = raft::raft_group::catch_up_state;

bool names(const std::vector<node_id>& nodes, node_id node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

class steward {
 public:
  steward(const shard_wish& wish, const shard_seen& seen) : wish_(wish), seen_(seen) {}

  step next() const {
    if (!seen_.serving || wish_.voters.empty()) return std::nullopt;
    if (const auto to = leader_to_be()) return shard_step{kind::transfer, *to};
    // One at a time; libraft tells when it is done.
    const auto is_catching_up = [](const member_seen& m) {
      return m.as != role::voter && m.catch_up == catch_up_state::running;
    };
    if (!is_safe({}) || std::ranges::any_of(seen_.members, is_catching_up)) return std::nullopt;
    if (const auto gone = stranger_to_remove()) return gone;
    if (const auto added = newcomer()) return added;
    if (const auto raised = vote_to_give()) return raised;
    return vote_to_take();
  }

 private:
  // What a step would change about who votes.
  struct votes {
    node_id given = no_node;
    node_id taken = no_node;
  };

  const member_seen* find(node_id node) const {
    const auto at = std::ranges::find(seen_.members, node, &member_seen::node);
    return at == seen_.members.end() ? nullptr : &*at;
  }
  bool is_voter(node_id node) const {
    const auto* m = find(node);
    return m != nullptr && m->as == role::voter;
  }
  bool is_up_to_date(const member_seen& m) const {
    return m.node == seen_.self || (m.reachable && m.match + lag_entries_max >= seen_.last);
  }
  bool is_wished(node_id node) const {
    return names(wish_.voters, node) || names(wish_.standbys, node);
  }

  bool is_safe(votes change) const {
    std::size_t voters = 0, good = 0;
    for (const auto& m : seen_.members) {
      const bool has_vote =
          (m.as == role::voter || m.node == change.given) && m.node != change.taken;
      voters += has_vote;
      good += has_vote && is_up_to_date(m);
    }
    return good >= voters / 2 + 1;
  }

  // The preferred one if it can; else, when this node should not even vote, the first that can.
  std::optional<node_id> leader_to_be() const {
    if (wish_.voters.front() == seen_.self) return std::nullopt;
    const bool may_stay = names(wish_.voters, seen_.self);
    for (const auto node : wish_.voters) {
      if (is_voter(node) && is_up_to_date(*find(node)) && find(node)->may_lead) return node;
      if (may_stay) break;
    }
    return std::nullopt;
  }

  step stranger_to_remove() const {
    for (const auto& m : seen_.members) {
      if (m.as != role::voter && !is_wished(m.node)) return shard_step{kind::remove, m.node};
    }
    return std::nullopt;
  }

  // Future voters first: they have the longest way to go.
  step newcomer() const {
    for (const auto* wished : {&wish_.voters, &wish_.standbys}) {
      for (const auto node : *wished) {
        const auto* m = find(node);
        if (m == nullptr && names(seen_.reachable_strangers, node) &&
            seen_.members.size() < raft::servers_max)
          return shard_step{kind::add_standby, node};
        if (m != nullptr && m->as == role::spare) return shard_step{kind::make_standby, node};
      }
    }
    return std::nullopt;
  }

  step vote_to_give() const {
    for (const auto node : wish_.voters) {
      const auto* m = find(node);
      if (m == nullptr || m->as == role::voter || !m->reachable) continue;
      const bool is_ready = m->catch_up == catch_up_state::done && is_up_to_date(*m);
      if (!is_ready) return shard_step{kind::catch_up, node};
      if (is_safe({.given = node, .taken = no_node})) return shard_step{kind::promote, node};
    }
    return std::nullopt;
  }

  // Those that cannot vote first.
  step vote_to_take() const {
    const auto voters = std::ranges::count(seen_.members, role::voter, &member_seen::as);
    if (static_cast<std::size_t>(voters) <= wish_.voters.size()) return std::nullopt;
    for (const bool silent : {true, false}) {
      for (const auto& m : seen_.members) {
        const bool leaves =
            m.as == role::voter && m.node != seen_.self && !names(wish_.voters, m.node);
        if (!leaves || is_up_to_date(m) == silent) continue;
        if (!is_safe({.given = no_node, .taken = m.node})) continue;
        return shard_step{is_wished(m.node) ? kind::make_standby : kind::remove, m.node};
      }
    }
    return std::nullopt;
  }

  const shard_wish& wish_;
  const shard_seen& seen_;
};

}  // namespace

const char* to_string(shard_step::kind what) {
  switch (what) {
    case kind::add_standby:
      return "add_standby";
    case kind::make_standby:
      return "make_standby";
    case kind::catch_up:
      return "catch_up";
    case kind::promote:
      return "promote";
    case kind::transfer:
      return "transfer";
    case kind::remove:
      return "remove";
  }
  return "";
}

std::optional<shard_step> next_step(const shard_wish& wish, const shard_seen& seen) {
  return steward(wish, seen).next();
}

}  // namespace omnicart::cluster
