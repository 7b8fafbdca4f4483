#include <algorithm>

#include "actors/cluster/cluster.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::cluster_record {
namespace {

node* find(state& s, node_id id) {
  return const_cast<node*>(cluster_record::find(std::as_const(s), id));
}

void enter(state& s, node_id id, node_state into, timestamp_ms at) {
  if (node* of = find(s, id)) {
    of->state = into;
    of->since = at;
  }
}

void add(state& s, const node& who) {
  const auto at = std::ranges::lower_bound(s.nodes, who.id, {}, &node::id);
  s.nodes.insert(at, who);
}

void take(state& s, const founded& e) {
  s = state{};
  s.cluster = e.cluster;
  s.shard_count = e.shard_count;
  s.nodes = {e.first};
  s.desired.assign(std::size_t{e.shard_count} + 1, {.voters = {e.first.id}, .pinned = false});
  s.keys = e.keys;
}
void take(state& s, const joined& e) { add(s, e.who); }
void take(state& s, const readied& e) { enter(s, e.id, node_state::active, e.at); }
void take(state& s, const drained& e) { enter(s, e.id, node_state::draining, e.at); }
void take(state& s, const resumed& e) { enter(s, e.id, node_state::active, e.at); }

void take(state& s, const removed& e) {
  enter(s, e.id, node_state::removed, e.at);
  if (node* of = find(s, e.id)) of->link = of->http = of->operators = "";
  for (auto& of : s.desired) {
    if (of.voters.empty() || of.voters.front() == e.id) of.pinned = false;
    std::erase(of.voters, e.id);
  }
}

void take(state& s, const replaced& e) {
  enter(s, e.old_node, node_state::draining, e.at);
  for (auto& of : s.desired) {
    if (std::ranges::find(of.voters, e.new_node) == of.voters.end())
      std::ranges::replace(of.voters, e.old_node, e.new_node);
  }
}

void take(state& s, const placed& e) {
  for (const auto& entry : e.shards) {
    auto& of = s.desired.at(entry.shard);
    of.pinned = of.pinned && of.voters.front() == entry.voters.front();
    of.voters = entry.voters;
  }
}

void take(state& s, const transferred& e) {
  auto& of = s.desired.at(e.shard);
  const auto at = std::ranges::find(of.voters, e.to);
  // The others keep their order.
  if (at != of.voters.end()) std::rotate(of.voters.begin(), at, at + 1);
  of.pinned = true;
}
void take(state& s, const rebalanced&) {
  for (auto& of : s.desired) of.pinned = false;
}

void take(state& s, const key_rotated& e) {
  for (auto& key : s.keys)
    key.expires_at = std::min(key.expires_at, e.others_until.value_or(key.expires_at));
  std::erase_if(s.keys, [&](const signing_key& k) { return k.expires_at <= e.at; });
  s.keys.push_back(e.key);
}
void take(state& s, const configured& e) { s.settings = e.settings; }
void take(state& s, const addresses_updated& e) {
  if (node* of = find(s, e.id)) {
    of->link = e.link;
    of->http = e.http;
    of->operators = e.operators;
    if (e.store != 0) of->store = e.store;
  }
}

std::string node_text(const state& s, node_id id) {
  const node* of = cluster_record::find(s, id);
  return "node " + std::to_string(id) + (of ? " (" + of->name + ')' : "");
}

// What an operator did, in the words of omnicartctl.
std::string say(const state&, const founded& e) { return "init " + e.cluster; }
std::string say(const state&, const joined& e) {
  return "join node " + std::to_string(e.who.id) + " (" + e.who.name + ") at " + e.who.link;
}
std::string say(const state& s, const drained& e) { return "drain " + node_text(s, e.id); }
std::string say(const state& s, const resumed& e) { return "resume " + node_text(s, e.id); }
std::string say(const state& s, const removed& e) {
  return "remove " + node_text(s, e.id) + (e.forced ? " by force" : "");
}
std::string say(const state& s, const replaced& e) {
  return "replace " + node_text(s, e.old_node) + " by " + node_text(s, e.new_node);
}
std::string say(const state& s, const transferred& e) {
  return "transfer shard " + std::to_string(e.shard) + " to " + node_text(s, e.to);
}
std::string say(const state&, const rebalanced&) { return "rebalance"; }
std::string say(const state&, const key_rotated& e) {
  return "rotate keys: number " + std::to_string(e.key.number) +
         (e.others_until ? ", the others are distrusted" : "");
}
std::string say(const state&, const configured& e) {
  return "configure " + std::to_string(e.settings.replicas) + " replicas, " +
         std::to_string(e.settings.moves_max) + " moves at a time";
}
std::string say(const state&, const readied&) { return ""; }
std::string say(const state&, const placed&) { return ""; }
std::string say(const state&, const addresses_updated&) { return ""; }

template <class Event>
cause cause_of(const Event& e) {
  if constexpr (requires { e.by; }) return e.by;
  return {.who = "omnicartd", .why = {}};
}

void note(state& s, operation what) {
  if (s.operations.size() >= operations_max) s.operations.erase(s.operations.begin());
  s.operations.push_back(std::move(what));
}

void check_lists(const state& s) {
  for (const auto& of : s.desired) {
    ensure(!of.voters.empty() && of.voters.size() <= voters_max, "a shard has 1 to 5 voters");
    for (auto at = of.voters.begin(); at != of.voters.end(); ++at) {
      const node* voter = find(s, *at);
      ensure(voter && is_serving(*voter), "a desired voter is a node that serves");
      ensure(std::find(of.voters.begin(), at, *at) == at, "a voter is named once");
    }
  }
}

void check_nodes(const state& s) {
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const node& n = s.nodes[i];
    ensure(n.id != 0 && (i == 0 || s.nodes[i - 1].id < n.id), "nodes stand by number, once each");
    ensure(n.state >= node_state::joining && n.state <= node_state::removed,
           "a node's state is known");
    if (n.state == node_state::removed) continue;
    ensure(find_by_name(s, n.name) == &n, "living nodes have names of their own");
  }
}

}  // namespace

std::string summary_of(const state& before, const event& what) {
  return std::visit([&](const auto& e) { return say(before, e); }, what);
}

void apply(state& s, const event& what) {
  std::string summary = summary_of(s, what);
  std::visit(
      [&](const auto& e) {
        take(s, e);
        if (summary.empty()) return;
        const cause by = cause_of(e);
        note(s, {.at = e.at, .who = by.who, .what = std::move(summary), .why = by.why});
      },
      what);
}

void check(const state& s) {
  if (!s.founded()) {
    ensure(s == state{}, "before its founding a cluster is nothing");
    return;
  }
  ensure(s.desired.size() == std::size_t{s.shard_count} + 1, "every shard has its place");
  ensure(s.operations.size() <= operations_max, "the log of operations keeps to its limit");
  ensure(s.keys.size() <= keys_max, "keys keep to their limit");
  ensure(s.nodes.size() <= nodes_max && living_nodes(s).size() <= living_nodes_max,
         "nodes keep to their limit");
  ensure(active_count(s) >= 1, "a node is active");
}

void check_full(const state& s) {
  check(s);
  if (!s.founded()) return;
  check_nodes(s);
  check_lists(s);
  for (std::size_t i = 0; i < s.keys.size(); ++i) {
    ensure(s.keys[i].secret.size() == key_secret_bytes, "a key's secret has 64 bytes");
    ensure(i == 0 || s.keys[i - 1].number < s.keys[i].number, "keys stand by number");
  }
}

}  // namespace omnicart::cluster_record
