#include "tests/unit/cluster/placement/toy_cluster.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace omnicart::cluster::trial {
namespace {

using raft::role;
using catch_up_state = raft::raft_group::catch_up_state;
constexpr int dead_after_ticks = 30;

bool holds(const std::vector<node_id>& nodes, node_id node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

}  // namespace

toy_cluster::toy_cluster(std::uint32_t seed, std::size_t shard_count) : random_(seed) {
  nodes_[1] = {};
  wanted_.assign(shard_count + 1, {.voters = {1}, .pinned = false});
  toy_shard s;
  s.members[1] = {.as = role::voter, .match = 1, .catch_up = catch_up_state::none};
  s.leader = 1;
  shards_.assign(shard_count + 1, s);
}

void toy_cluster::tick() {
  for (auto& [_, n] : nodes_) n.down_for = n.up ? 0 : n.down_for + 1;
  for (auto& s : shards_) {
    elect(s);
    run_logs(s);
  }
  if (shards_.back().leader != no_node) balance();
  const auto in = input();
  const auto may = may_step(in);
  std::size_t acted = 0;
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    const bool moves = is_on_the_move(wanted_[shard], in.seen[shard], in.nodes);
    if (!moves) begun_.erase(shard);
    if (shards_[shard].leader == no_node || !may[shard] || chance(4)) continue;
    if (!steward(shard) || !moves || shard + 1 == shards_.size()) continue;
    begun_.insert(shard);
    ++acted;
  }
  BOOST_REQUIRE(acted <= moves_max_);
  most_begun_ = std::max(most_begun_, begun_.size());
}

void toy_cluster::elect(toy_shard& s) {
  if (s.leader != no_node && nodes_.at(s.leader).up && has_majority(s)) return;
  s.leader = no_node;
  if (!has_majority(s)) return;
  for (const auto& [node, m] : s.members) {
    const bool stands = m.as == role::voter && nodes_.at(node).up;
    if (stands && (s.leader == no_node || m.match > s.members.at(s.leader).match)) s.leader = node;
  }
  for (auto& [_, m] : s.members) m.catch_up = catch_up_state::none;
}

void toy_cluster::run_logs(toy_shard& s) {
  if (s.leader == no_node) return;
  s.last += random_() % 100;
  for (auto& [node, m] : s.members) {
    if (!nodes_.at(node).up || m.as == role::spare) continue;
    m.match = node == s.leader ? s.last : std::min(s.last, m.match + 400);
  }
  for (auto& [node, m] : s.members) {
    if (m.catch_up != catch_up_state::running) continue;
    if (!nodes_.at(node).up)
      m.catch_up = catch_up_state::gave_up;
    else if (m.match == s.last)
      m.catch_up = catch_up_state::done;
  }
}

std::vector<node_id> toy_cluster::voters_of(const toy_shard& s) const {
  std::vector<node_id> voters;
  for (const auto& [node, m] : s.members) {
    if (m.as == role::voter) voters.push_back(node);
  }
  return voters;
}

std::size_t toy_cluster::up_voters(const toy_shard& s, node_id without) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      voters_of(s), [&](node_id n) { return n != without && nodes_.at(n).up; }));
}

bool toy_cluster::has_majority(const toy_shard& s, node_id without) const {
  return up_voters(s, without) >= voters_of(s).size() / 2 + 1;
}

std::vector<plan_node> toy_cluster::plan_nodes() const {
  std::vector<plan_node> shown;
  for (const auto& [id, n] : nodes_)
    shown.push_back({.node = id,
                     .active = n.active,
                     .reachable = n.up,
                     .dead = n.down_for >= dead_after_ticks});
  return shown;
}

plan_input toy_cluster::input() const {
  plan_input in{.nodes = plan_nodes(),
                .wanted = wanted_,
                .seen = {},
                .replicas = replicas_,
                .moves_max = moves_max_};
  for (const auto& s : shards_) in.seen.push_back({.voters = voters_of(s), .leader = s.leader});
  return in;
}

std::size_t toy_cluster::moving() const {
  const auto in = input();
  std::size_t count = 0;
  for (std::size_t shard = 0; shard + 1 < shards_.size(); ++shard)
    count += is_on_the_move(in.wanted[shard], in.seen[shard], in.nodes);
  return count;
}

void toy_cluster::balance() {
  const std::size_t before = moving();
  for (const auto& entry : plan(input())) {
    ++moves_;
    auto& of = wanted_.at(entry.shard);
    BOOST_REQUIRE(!entry.voters.empty());
    BOOST_REQUIRE(entry.voters.size() <= own_voters_max);
    BOOST_REQUIRE(std::set(entry.voters.begin(), entry.voters.end()).size() == entry.voters.size());
    for (const auto voter : entry.voters) {
      BOOST_REQUIRE(nodes_.contains(voter));
      const bool is_new = !holds(of.voters, voter);
      const auto& n = nodes_.at(voter);
      if (is_new) BOOST_REQUIRE((n.active && n.up));
    }
    of.pinned = of.pinned && of.voters.front() == entry.voters.front();
    of.voters = entry.voters;
  }
  BOOST_REQUIRE(moving() <= std::max<std::size_t>(before, moves_max_));
  most_moving_ = std::max(most_moving_, moving());
}

shard_seen toy_cluster::seen_by_leader(const toy_shard& s) const {
  shard_seen seen{
      .self = s.leader, .serving = true, .last = s.last, .members = {}, .reachable_strangers = {}};
  for (const auto& [node, m] : s.members)
    seen.members.push_back({.node = node,
                            .as = m.as,
                            .match = m.match,
                            .catch_up = m.catch_up,
                            .reachable = nodes_.at(node).up});
  for (const auto& [node, n] : nodes_) {
    if (n.up && !s.members.contains(node)) seen.reachable_strangers.push_back(node);
  }
  return seen;
}

bool toy_cluster::steward(std::size_t shard) {
  shard_wish wish{.voters = wanted_[shard].voters, .standbys = {}};
  for (const auto& [node, n] : nodes_) {
    if (!n.lost) wish.standbys.push_back(node);
  }
  auto& s = shards_[shard];
  const auto step = next_step(wish, seen_by_leader(s));
  if (!step) return false;
  ++moves_;
  BOOST_TEST_CONTEXT("shard " << shard << ": " << to_string(step->what) << ' ' << step->node) {
    take(s, *step);
  }
  return true;
}

// What raft_group would refuse is a failure here: nothing is under way in a toy.
void toy_cluster::take(toy_shard& s, const shard_step& step) {
  using kind = shard_step::kind;
  const auto at = s.members.find(step.node);
  const bool is_member = at != s.members.end();
  switch (step.what) {
    case kind::add_standby:
      BOOST_REQUIRE(!is_member);
      s.members[step.node] = {};
      break;
    case kind::make_standby:
      BOOST_REQUIRE((is_member && at->second.as != role::standby && step.node != s.leader));
      at->second.as = role::standby;
      at->second.catch_up = catch_up_state::none;
      check_votes(s);
      break;
    case kind::catch_up:
      BOOST_REQUIRE((is_member && at->second.as != role::voter));
      at->second.catch_up = catch_up_state::running;
      break;
    case kind::promote:
      BOOST_REQUIRE((is_member && at->second.as == role::standby && at->second.match > 0));
      at->second.as = role::voter;
      check_votes(s);
      break;
    case kind::transfer:
      BOOST_REQUIRE((is_member && at->second.as == role::voter && step.node != s.leader));
      BOOST_REQUIRE(nodes_.at(step.node).up);
      s.leader = step.node;
      for (auto& [_, m] : s.members) m.catch_up = catch_up_state::none;
      break;
    case kind::remove: {
      BOOST_REQUIRE((is_member && step.node != s.leader));
      const bool voted = at->second.as == role::voter;
      s.members.erase(at);
      if (voted) check_votes(s);
      break;
    }
  }
}

void toy_cluster::check_votes(const toy_shard& s) const {
  std::size_t good = 0;
  for (const auto& [node, m] : s.members) {
    const bool is_good = nodes_.at(node).up && m.match + lag_entries_max >= s.last;
    good += m.as == role::voter && is_good;
  }
  BOOST_REQUIRE(good >= voters_of(s).size() / 2 + 1);
}

node_id toy_cluster::any_node() {
  auto at = nodes_.begin();
  std::advance(at, random_() % nodes_.size());
  return at->first;
}

void toy_cluster::something_happens() {
  switch (random_() % 11) {
    case 0:
      if (nodes_.size() < 7) add_node();
      break;
    case 1:
      return drain(any_node());
    case 2:
      return resume(any_node());
    case 3:
      remove(any_node(), false);
      break;
    case 4:
      return replace(any_node(), any_node());
    case 5:
    case 6:
      return kill(any_node());
    case 7:
      return revive(any_node());
    case 8:
      return lose(any_node());
    case 9:
      return chance(3) ? configure(1 + random_() % 5, 1 + random_() % 6) : rebalance();
    default:
      return transfer(random_() % wanted_.size(), any_node());
  }
}

void toy_cluster::add_node() { nodes_[++last_id_] = {}; }

std::vector<node_id> toy_cluster::active() const {
  std::vector<node_id> found;
  for (const auto& [id, n] : nodes_) {
    if (n.active) found.push_back(id);
  }
  return found;
}

void toy_cluster::drain(node_id node) {
  if (nodes_.at(node).active && active().size() > 1) nodes_.at(node).active = false;
}
void toy_cluster::resume(node_id node) { nodes_.at(node).active = !nodes_.at(node).lost; }

bool toy_cluster::remove(node_id node, bool force) {
  if (active() == std::vector{node} || nodes_.size() == 1) return false;
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    const bool is_wanted = holds(wanted_[shard].voters, node);
    if (is_wanted && (!force || wanted_[shard].voters.size() < 3)) return false;
    const auto& members = shards_[shard].members;
    const auto at = members.find(node);
    if (at != members.end() && at->second.as == role::voter && !force) return false;
  }
  for (auto& of : wanted_) {
    if (of.voters.front() == node) of.pinned = false;
    std::erase(of.voters, node);
  }
  // Those that are gone without having been taken out stay as ghosts in the groups.
  nodes_.at(node).lost = true;
  nodes_.at(node).active = false;
  if (!force) {
    for (auto& s : shards_) s.members.erase(node);
    nodes_.erase(node);
  }
  return true;
}

void toy_cluster::replace(node_id old_node, node_id new_node) {
  const auto& newer = nodes_.at(new_node);
  if (old_node == new_node || !newer.active) return;
  nodes_.at(old_node).active = false;
  for (auto& of : wanted_) {
    if (!holds(of.voters, new_node)) std::ranges::replace(of.voters, old_node, new_node);
  }
}

void toy_cluster::kill(node_id node) {
  for (const auto& s : shards_) {
    if (!has_majority(s, node)) return;
  }
  nodes_.at(node).up = false;
}
void toy_cluster::revive(node_id node) { nodes_.at(node).up = !nodes_.at(node).lost; }

void toy_cluster::lose(node_id node) {
  if (active().size() == 1) return;
  kill(node);
  if (nodes_.at(node).up) return;
  nodes_.at(node).lost = true;
  nodes_.at(node).active = false;
  add_node();
  replace(node, last_id_);
}

void toy_cluster::configure(std::uint32_t replicas, std::uint32_t moves_max) {
  replicas_ = replicas;
  moves_max_ = moves_max;
}
void toy_cluster::transfer(std::size_t shard, node_id node) {
  auto& of = wanted_.at(shard);
  const auto at = std::ranges::find(of.voters, node);
  if (at == of.voters.end() || !nodes_.at(node).active) return;
  std::rotate(of.voters.begin(), at, at + 1);
  of.pinned = true;
}
void toy_cluster::rebalance() {
  for (auto& of : wanted_) of.pinned = false;
}

void toy_cluster::calm_down() {
  for (auto& [_, n] : nodes_) n.up = !n.lost;
  rebalance();
}

std::size_t toy_cluster::moves() { return std::exchange(moves_, 0); }

bool toy_cluster::settles(int ticks_max) {
  int still = 0;
  for (int i = 0; i < ticks_max && still < 2 * dead_after_ticks; ++i) {
    moves();
    tick();
    const bool catches_up = std::ranges::any_of(shards_, [](const toy_shard& s) {
      return std::ranges::any_of(s.members, [](const auto& each) {
        return each.second.catch_up == catch_up_state::running;
      });
    });
    still = moves() == 0 && !catches_up ? still + 1 : 0;
  }
  return still >= 2 * dead_after_ticks;
}

std::size_t toy_cluster::replicas_of(node_id node) const {
  return static_cast<std::size_t>(
      std::count_if(shards_.begin(), shards_.end() - 1, [&](const toy_shard& s) {
        const auto at = s.members.find(node);
        return at != s.members.end() && at->second.as == role::voter;
      }));
}
std::size_t toy_cluster::leads_of(node_id node) const {
  return static_cast<std::size_t>(std::count_if(
      shards_.begin(), shards_.end() - 1, [&](const toy_shard& s) { return s.leader == node; }));
}

std::string toy_cluster::complaint() const {
  const auto able = active();
  std::string told;
  const auto say = [&](const std::string& what) { told += what + "; "; };
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    const auto& s = shards_[shard];
    const auto voters = voters_of(s);
    const bool own = shard + 1 == shards_.size();
    const std::string name = "shard " + std::to_string(shard);
    if (s.leader != wanted_[shard].voters.front()) say(name + " has another leader");
    if (!std::ranges::is_permutation(voters, wanted_[shard].voters)) say(name + " has others");
    const std::size_t most = own ? own_voters_max : replicas_;
    if (voters.size() > most) say(name + " has too many voters");
    if (voters.size() < std::min(most, able.size())) say(name + " has too few voters");
    for (const auto& [id, n] : nodes_) {
      if (!n.lost && !s.members.contains(id)) say(name + " is unknown to " + std::to_string(id));
      if (n.active || !holds(voters, id)) continue;
      if (s.leader == id) say(name + " is led by one that drains");
      if (able.size() >= most) say(name + " is on one that drains");
    }
  }
  for (const auto a : able) {
    for (const auto b : able) {
      if (replicas_of(a) > replicas_of(b) + 1) say("replicas are uneven");
      if (leads_of(a) > leads_of(b) + 1) say("leaders are uneven");
    }
  }
  return told;
}

}  // namespace omnicart::cluster::trial
