#include <algorithm>

#include "tests/unit/cluster/journal/journal_cluster.hpp"

namespace omnicart::cluster {
namespace {

using kind = raft::membership_change::kind;

constexpr int entities = 3;  // of each shard

void ignore(const status&) {}

}  // namespace

void journal_cluster::live(std::int64_t ms) {
  for (std::int64_t spent_ms = 0; spent_ms < ms;) {
    const auto pause_ms = pick(1, 30);
    run_for(pause_ms);
    spent_ms += pause_ms;
    for (const auto node : nodes()) {
      if (ended(node)) crash(node);
    }
    act(pick(0, 99));
  }
  mend();
}

void journal_cluster::act(std::int64_t what) {
  const auto node = static_cast<node_id>(pick(1, static_cast<std::int64_t>(nodes_.size())));
  const auto shard = static_cast<std::uint16_t>(pick(0, shards - 1));
  const auto lead = leader(shard);
  if (what < 60) {
    // Anybody who thinks that it leads is believed.
    for (auto i = pick(1, 4); i > 0; --i)
      send(what < 50 && lead != no_node ? lead : node,
           entity_of(shard, static_cast<int>(pick(1, entities))));
  } else if (what < 68) {
    up(node) ? crash(node) : start(node);
  } else if (what < 71) {
    if (up(node)) disk(node).fail_sync(static_cast<std::uint64_t>(pick(1, 3)));
  } else if (what < 76) {
    isolate(node);
  } else if (what < 78) {
    cut(node, static_cast<node_id>(pick(1, static_cast<std::int64_t>(nodes_.size()))));
  } else if (what < 80) {
    if (up(node)) cut_logs(node);
  } else if (what < 86) {
    heal();
    start_all();
  } else if (what < 91) {
    if (lead != no_node) journal(lead).transfer(shard, node, ignore);
  } else if (what < 98) {
    if (lead != no_node) change_something(lead, shard);
  } else if (lead != no_node) {
    journal(lead).catch_up(shard, node, ignore);
  }
}

void journal_cluster::change_something(node_id lead, std::uint16_t shard) {
  const auto node = static_cast<node_id>(pick(1, static_cast<std::int64_t>(nodes_.size())));
  const auto members = view(lead, shard).members;
  const auto as = static_cast<raft::role>(pick(0, 2));
  const auto voters = raft::voters_of(members).size();
  if (raft::find(members, node) == nullptr) {
    journal(lead).change_membership(shard, {.what = kind::add, .node = node, .as = as}, ignore);
  } else if (voters > 2 && pick(0, 1) == 0) {
    journal(lead).change_membership(shard, {.what = kind::remove, .node = node}, ignore);
  } else if (as == raft::role::voter || voters > 1) {
    journal(lead).change_membership(shard, {.what = kind::assign, .node = node, .as = as}, ignore);
  }
}

void journal_cluster::start_all() {
  for (const auto node : nodes()) {
    if (ended(node)) crash(node);
    if (!up(node)) start(node);
  }
}

void journal_cluster::mend() {
  heal();
  calm();
  start_all();
  for (const auto node : nodes()) disk(node).fail_sync(0);
  run_for(500);  // what is under way
  start_all();
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    std::shared_ptr<const sent_item> last;
    for (int attempt = 0; attempt < 20 && !(last && last->told && *last->told); ++attempt) {
      last = send(wait_for_leader(shard), entity_of(shard, 1));
      run_until([&] { return last->told.has_value(); }, 2'000);
    }
    law(last->told && *last->told, "a mended cluster takes a write:" + describe());
    law(run_until([&] { return agreed(shard); }), "the members agree in the end:" + describe());
  }
  check_written();
}

}  // namespace omnicart::cluster
