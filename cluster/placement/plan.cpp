#include "cluster/placement/plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "runtime/base/assert.hpp"

namespace omnicart::cluster {
namespace {

bool holds(const std::vector<node_id>& voters, node_id node) {
  return std::ranges::find(voters, node) != voters.end();
}

bool is_same_set(std::vector<node_id> a, std::vector<node_id> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

// The lists as they come to be. All choices among equals fall on the lowest number, so the same
// input gives the same plan.
class planner {
 public:
  explicit planner(const plan_input& in) : in_(in), lists_(in.wanted) {
    ensure(in.wanted.size() == in.seen.size() && !in.wanted.empty(), "every shard is seen");
    for (const auto& n : in.nodes) nodes_.emplace(n.node, n);
    moving_.reserve(lists_.size());
    std::size_t on_the_move = 0;
    for (std::size_t shard = 0; shard < lists_.size(); ++shard) {
      moving_.push_back(is_on_the_move(in.wanted[shard], in.seen[shard], in.nodes));
      if (shard != own() && moving_.back()) ++on_the_move;
    }
    budget_ = in.moves_max > on_the_move ? in.moves_max - on_the_move : 0;
    count();
  }

  std::vector<planned> run() {
    each([&](std::size_t shard) { pass_lead_on(shard); });
    each([&](std::size_t shard) { replace_dead(shard); });
    if (leads_have_left()) each([&](std::size_t shard) { replace_draining(shard); });
    each([&](std::size_t shard) { fit_size(shard); });
    while (move_a_replica()) continue;
    while (move_a_lead()) continue;
    std::vector<planned> changed;
    for (std::size_t shard = 0; shard < lists_.size(); ++shard) {
      if (lists_[shard].voters != in_.wanted[shard].voters)
        changed.push_back({static_cast<std::uint16_t>(shard), lists_[shard].voters});
    }
    return changed;
  }

 private:
  struct load {
    std::size_t replicas = 0;
    std::size_t leads = 0;
  };

  std::size_t own() const { return lists_.size() - 1; }

  const plan_node* find(node_id node) const {
    const auto at = nodes_.find(node);
    return at == nodes_.end() ? nullptr : &at->second;
  }
  // Whoever is not shown is gone.
  bool is_leaving(node_id node) const {
    const auto* n = find(node);
    return n == nullptr || !n->active || n->dead;
  }
  bool is_dead(node_id node) const {
    const auto* n = find(node);
    return n == nullptr || n->dead;
  }
  bool may_take(node_id node) const {
    const auto* n = find(node);
    return n != nullptr && n->active && n->reachable && !n->dead;
  }

  // Of the shards alone: the own group's work is small.
  void count() {
    loads_.clear();
    for (const auto& [node, _] : nodes_) loads_[node];
    for (std::size_t shard = 0; shard < own(); ++shard) {
      for (const auto voter : lists_[shard].voters) ++loads_[voter].replicas;
      ++loads_[lists_[shard].voters.front()].leads;
    }
  }

  template <class Repair>
  void each(const Repair& repair) {
    for (std::size_t shard = 0; shard < lists_.size(); ++shard) {
      if (!in_.seen[shard].voters.empty()) repair(shard);
    }
  }

  // Changes the list if one more shard may move, or this one does so anyway.
  bool change(std::size_t shard, std::vector<node_id> voters) {
    if (voters == lists_[shard].voters) return false;
    if (shard != own() && !moving_[shard]) {
      if (budget_ == 0) return false;
      --budget_;
    }
    moving_[shard] = true;
    lists_[shard].voters = std::move(voters);
    count();
    return true;
  }

  template <class Measure>
  std::optional<node_id> least(const std::vector<node_id>& among, const Measure& of) const {
    std::optional<node_id> best;
    for (const auto node : among) {
      if (!best || std::pair(of(node), node) < std::pair(of(*best), *best)) best = node;
    }
    return best;
  }
  std::size_t replicas_of(node_id node) const { return loads_.at(node).replicas; }
  std::size_t leads_of(node_id node) const { return loads_.at(node).leads; }

  // The nodes that may take the shard and do not hold it.
  std::vector<node_id> takers(std::size_t shard) const {
    std::vector<node_id> free;
    for (const auto& [node, _] : nodes_) {
      if (may_take(node) && !holds(lists_[shard].voters, node)) free.push_back(node);
    }
    return free;
  }

  static std::vector<node_id> led_by(std::vector<node_id> voters, node_id node) {
    const auto at = std::ranges::find(voters, node);
    std::rotate(voters.begin(), at, at + 1);
    return voters;
  }

  void pass_lead_on(std::size_t shard) {
    const auto& voters = lists_[shard].voters;
    if (!is_leaving(voters.front())) return;
    std::vector<node_id> able;
    for (const auto voter : voters) {
      if (may_take(voter) && holds(in_.seen[shard].voters, voter)) able.push_back(voter);
    }
    if (const auto next = least(able, [&](node_id n) { return leads_of(n); }))
      change(shard, led_by(voters, *next));
  }

  // Copying takes its time, and a node that drains should stop leading at once.
  bool leads_have_left() const {
    for (std::size_t shard = 0; shard < lists_.size(); ++shard) {
      const auto& of = lists_[shard];
      if (!is_leaving(of.voters.front())) continue;
      if (std::ranges::any_of(of.voters, [&](node_id n) { return may_take(n); })) return false;
    }
    return true;
  }

  void replace_dead(std::size_t shard) {
    replace_if(shard, [&](node_id n) { return is_dead(n); });
  }
  void replace_draining(std::size_t shard) {
    replace_if(shard, [&](node_id n) { return is_leaving(n); });
  }
  template <class Leaves>
  void replace_if(std::size_t shard, const Leaves& leaves) {
    for (const auto voter : std::vector(lists_[shard].voters)) {
      if (!leaves(voter)) continue;
      auto voters = lists_[shard].voters;
      if (const auto taker = least(takers(shard), [&](node_id n) { return replicas_of(n); })) {
        std::ranges::replace(voters, voter, *taker);
      } else if (may_drop(shard, voter)) {
        std::erase(voters, voter);
      }
      change(shard, std::move(voters));
    }
  }

  // The own group has no fixed size: what drains may leave once enough others are there for the
  // shards.
  bool may_drop(std::size_t shard, node_id voter) const {
    if (shard != own() || is_dead(voter)) return false;
    const auto staying =
        std::ranges::count_if(lists_[shard].voters, [&](node_id n) { return !is_leaving(n); });
    return static_cast<std::size_t>(staying) >= in_.replicas;
  }

  void fit_size(std::size_t shard) {
    const std::size_t size = shard == own() ? own_voters_max : in_.replicas;
    auto voters = lists_[shard].voters;
    while (voters.size() > size) drop_one(voters);
    auto free = takers(shard);
    while (voters.size() < size && !free.empty()) {
      const auto taker = *least(free, [&](node_id n) { return replicas_of(n); });
      voters.push_back(taker);
      std::erase(free, taker);
    }
    change(shard, std::move(voters));
  }

  // Whoever leaves, else the fullest; never the preferred leader.
  void drop_one(std::vector<node_id>& voters) const {
    const auto rank = [&](node_id n) {
      const std::size_t stays = is_dead(n) ? 0 : is_leaving(n) ? 1 : 2;
      const auto at = loads_.find(n);
      const std::size_t held = at == loads_.end() ? 0 : at->second.replicas;
      return std::pair(stays, SIZE_MAX - held);
    };
    const std::vector<node_id> others(voters.begin() + 1, voters.end());
    std::erase(voters, *least(others, rank));
  }

  // Active nodes that can be reached: those between which loads are evened.
  std::vector<node_id> able_nodes() const {
    std::vector<node_id> able;
    for (const auto& [node, _] : nodes_) {
      if (may_take(node)) able.push_back(node);
    }
    return able;
  }
  bool is_settled(std::size_t shard) const {
    return !moving_[shard] && !in_.seen[shard].voters.empty();
  }

  // From the fullest node to the emptiest, if they differ by more than one.
  bool move_a_replica() {
    const auto able = able_nodes();
    if (able.size() < 2 || budget_ == 0) return false;
    const auto emptiest = *least(able, [&](node_id n) { return replicas_of(n); });
    const auto fullest = *least(able, [&](node_id n) { return SIZE_MAX - replicas_of(n); });
    if (replicas_of(fullest) <= replicas_of(emptiest) + 1) return false;
    const auto shard = shard_to_move(fullest, emptiest);
    if (!shard) return false;
    auto voters = lists_[*shard].voters;
    std::ranges::replace(voters, fullest, emptiest);
    return change(*shard, std::move(voters));
  }

  // Rather one that the node does not lead.
  std::optional<std::size_t> shard_to_move(node_id from, node_id to) const {
    std::optional<std::size_t> led;
    for (std::size_t shard = 0; shard < own(); ++shard) {
      const auto& of = lists_[shard];
      if (!is_settled(shard) || !holds(of.voters, from) || holds(of.voters, to)) continue;
      if (of.voters.front() != from) return shard;
      if (!led && !of.pinned) led = shard;
    }
    return led;
  }

  // Along a chain of shards from the node that leads most to one that leads two fewer at least.
  bool move_a_lead() {
    const auto able = able_nodes();
    if (able.size() < 2 || budget_ == 0) return false;
    const auto most = *least(able, [&](node_id n) { return SIZE_MAX - leads_of(n); });
    // Where each node's first step to it begins: found breadth first, so the chain is short.
    std::map<node_id, std::pair<std::size_t, node_id>> first_step;
    std::vector<node_id> queue{most};
    for (std::size_t next = 0; next < queue.size(); ++next) {
      const node_id from = queue[next];
      if (leads_of(from) + 1 < leads_of(most)) {
        const auto [shard, to] = first_step.at(from);
        return change(shard, led_by(lists_[shard].voters, to));
      }
      for (const auto& [shard, to] : leads_to_give(from)) {
        if (to == most || first_step.contains(to)) continue;
        first_step[to] = from == most ? std::pair(shard, to) : first_step.at(from);
        queue.push_back(to);
      }
    }
    return false;
  }

  std::vector<std::pair<std::size_t, node_id>> leads_to_give(node_id from) const {
    std::vector<std::pair<std::size_t, node_id>> gifts;
    for (std::size_t shard = 0; shard < own(); ++shard) {
      const auto& of = lists_[shard];
      if (!is_settled(shard) || of.pinned || of.voters.front() != from) continue;
      for (const auto voter : of.voters) {
        if (voter != from && may_take(voter)) gifts.emplace_back(shard, voter);
      }
    }
    return gifts;
  }

  const plan_input& in_;
  std::map<node_id, plan_node> nodes_;
  std::vector<plan_wish> lists_;
  std::vector<bool> moving_;
  std::size_t budget_ = 0;  // shards that may begin to move
  std::map<node_id, load> loads_;
};

}  // namespace

bool is_on_the_move(const plan_wish& wanted, const plan_seen& seen,
                    const std::vector<plan_node>& nodes) {
  if (!is_same_set(wanted.voters, seen.voters)) return true;
  const auto preferred = std::ranges::find(nodes, wanted.voters.front(), &plan_node::node);
  return seen.leader != wanted.voters.front() && preferred != nodes.end() && preferred->reachable;
}

std::vector<bool> may_step(const plan_input& in) {
  ensure(in.wanted.size() == in.seen.size(), "every shard is seen");
  std::vector<bool> may(in.wanted.size(), true);
  std::uint32_t moving = 0;
  for (std::size_t shard = 0; shard + 1 < in.wanted.size(); ++shard) {
    if (in.seen[shard].leader == no_node) continue;
    if (!is_on_the_move(in.wanted[shard], in.seen[shard], in.nodes)) continue;
    may[shard] = moving < in.moves_max;
    moving += may[shard];
  }
  return may;
}

std::vector<planned> plan(const plan_input& in) { return planner(in).run(); }

}  // namespace omnicart::cluster
