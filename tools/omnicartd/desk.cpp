#include "tools/omnicartd/desk.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <variant>

#include "cluster/copy/content_hash.hpp"
#include "runtime/base/version.hpp"
#include "tools/omnicartd/shard_moves.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms command_patience{10'000};

http::cluster_report::unfitness unfitness_of(const cluster::unfitness& why) {
  return {.damaged = why.damaged,
          .disk_low = why.disk_low,
          .clock_off = why.clock_off,
          .stopping = why.stopping,
          .unsaid = false};
}

}  // namespace

http::cluster_report desk::report() {
  http::cluster_report out;
  out.record_version = with_.members.record_version();
  const auto record = with_.members.record();
  out.cluster = record->cluster;
  out.self = with_.self;
  out.at = with_.time.wall();
  out.shard_count = record->shard_count;
  out.settings = record->settings;
  const auto heard = with_.others ? with_.others->others().heard() : std::map<node_id, cluster::neighbours::known>();
  for (const auto* each : cluster_record::living_nodes(*record)) out.nodes.push_back(describe(*each, heard));
  for (const auto& view : with_.log.views()) {
    if (view.shard >= record->desired.size()) continue;
    auto shard = describe(view, with_.self);
    shard.desired = record->desired[view.shard];
    out.shards.push_back(std::move(shard));
  }
  out.operations = record->operations;
  note_moves(out);
  return out;
}

http::cluster_report::node desk::describe(const cluster_record::node& what,
                                          const std::map<node_id, cluster::neighbours::known>& heard) const {
  http::cluster_report::node node;
  node.what = what;
  if (what.id == with_.self) {
    node.version = version_text();
    node.unfit = unfitness_of(with_.members.unfit());
    if (with_.others) node.clock_offset = with_.others->others().clock_ahead();
    return node;
  }
  node.reachable = with_.others && with_.others->link().is_up(what.id);
  if (!node.reachable) node.silent_for = with_.members.silent_for(what.id);
  if (const auto at = heard.find(what.id); at != heard.end()) {
    const auto& said = at->second.said;
    node.version = said.version;
    node.unfit = unfitness_of(said.why);
    node.unfit.unsaid = said.leaving && !said.why.any();
    const auto ours = with_.others->others().clock_ahead();
    if (ours) node.clock_offset = *ours - at->second.clock_ahead;
  }
  return node;
}

http::cluster_report::shard desk::describe(const cluster::replica_view& view, node_id self) {
  http::cluster_report::shard shard;
  shard.number = view.shard;
  shard.term = view.term;
  // One without content leads only until another can (cluster/journal_clock.cpp): nobody is served.
  shard.leader = view.leading && !view.whole ? 0 : view.leader;
  shard.stopped = view.stopped;
  for (const auto& [node, as] : view.members.servers) {
    http::cluster_report::member member{.node = node, .lag = std::nullopt};
    const auto at = std::find_if(view.followers.begin(), view.followers.end(),
                                 [node = node](const auto& follower) { return follower.node == node; });
    if (at != view.followers.end()) {
      member.lag = view.last - std::min(view.last, at->match);
    } else if (node == self) {
      member.lag = view.commit - std::min(view.commit, view.applied);
    }
    (as == raft::role::voter ? shard.voters : shard.standbys).push_back(member);
  }
  return shard;
}

result<std::vector<http::replica_hash>> desk::hashes() {
  std::vector<http::replica_hash> out;
  for (const auto& view : with_.log.views()) {
    const auto found = cluster::hash_content(with_.data, view.shard, with_.time.wall());
    if (!found && found.error().is(base_errc::unavailable)) continue;
    if (!found) return fail(found.error());
    out.push_back({.shard = found->shard,
                   .through = found->through,
                   .records = found->records,
                   .receipts_after = found->receipts_after,
                   .hash = found->hash});
  }
  return out;
}

void desk::found(done_fn done) {
  // A node without peers has founded its cluster before this port was open.
  if (with_.members.record()->founded()) return done({});
  done(fail(base_errc::unavailable, "this node waits to be let into a cluster: tell a member to `cluster join` it"));
}

void desk::submit(cluster_record::command what, std::optional<std::uint64_t> version, done_fn done) {
  if (auto* rotation = std::get_if<cluster_record::rotate_key>(&what)) {
    // Who has the old keys can compute the refresh tokens of all sessions.
    const auto refresh = rotation->distrust_others ? http::refresh_half::fresh : http::refresh_half::kept;
    rotation->key = with_.members.next_key(refresh);
  }
  envelope message;
  message.to = cluster_record::the_record();
  message.command = cluster_record::encode(what);
  message.asker.as = role::admin;
  message.id = with_.ids.next();
  message.expected_version = version;
  message.deadline = with_.time.wall() + command_patience;
  message.reply = [done = std::move(done)](answer got) { done(got.failure ? fail(std::move(*got.failure)) : status{}); };
  with_.entities.send(std::move(message));
}

}  // namespace omnicart::node
