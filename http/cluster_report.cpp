#include "http/cluster_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace omnicart::http {
namespace {

using json = nlohmann::ordered_json;
using cluster_record::node_id;

// For programs; a new reason gets a new word.
json json_of(const cluster_report::unfitness& of) {
  json list = json::array();
  if (of.damaged) list.push_back("store_damaged");
  if (of.disk_low) list.push_back("disk_low");
  if (of.clock_off) list.push_back("clock_off");
  if (of.stopping) list.push_back("stopping");
  if (of.unsaid) list.push_back("unsaid");
  return list;
}

json json_of(const cluster_report& of, const cluster_report::node& n) {
  const auto load = load_of(of, n.what.id);
  return {{"id", n.what.id},
          {"name", n.what.name},
          {"state", to_string(n.what.state)},
          {"since", to_rfc3339(n.what.since)},
          {"link", n.what.link},
          {"http", n.what.http},
          {"operators", n.what.operators},
          {"reachable", n.reachable},
          {"silent_ms", n.reachable ? 0 : n.silent_for.count()},
          {"leads", load.leads},
          {"replicas", load.replicas},
          {"standbys", load.standbys},
          {"clock_offset_ms", n.clock_offset ? json(n.clock_offset->count()) : json()},
          {"unfit", json_of(n.unfit)},
          {"version", n.version}};
}

json json_of(const std::vector<cluster_report::member>& members) {
  json list = json::array();
  for (const auto& m : members) list.push_back({{"node", m.node}, {"lag", m.lag ? json(*m.lag) : json()}});
  return list;
}

json json_of(const cluster_report& of, const cluster_report::shard& s) {
  return {{"shard", s.number},
          {"own", s.number == of.shard_count},
          {"term", s.term},
          {"leader", s.leader},
          {"voters", json_of(s.voters)},
          {"standbys", json_of(s.standbys)},
          {"desired", s.desired.voters},
          {"pinned", s.desired.pinned},
          {"moving", s.moving},
          {"stopped", s.stopped}};
}

}  // namespace

bool votes_in(const cluster_report::shard& s, node_id node) {
  return std::ranges::find(s.voters, node, &cluster_report::member::node) != s.voters.end();
}

node_load load_of(const cluster_report& of, node_id node) {
  node_load load;
  for (const auto& s : of.shards) {
    load.leads += s.leader == node;
    load.replicas += votes_in(s, node);
    load.standbys += std::ranges::find(s.standbys, node, &cluster_report::member::node) != s.standbys.end();
  }
  return load;
}

const cluster_report::node* find_node(const cluster_report& of, std::string_view text) {
  node_id number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = text == std::to_string(number);
  const auto at = std::ranges::find_if(of.nodes, [&](const cluster_report::node& n) {
    return n.what.name == text || (is_number && n.what.id == number);
  });
  return at == of.nodes.end() ? nullptr : &*at;
}

std::vector<std::uint16_t> shards_voting(const cluster_report& of, node_id node) {
  std::vector<std::uint16_t> found;
  for (const auto& s : of.shards) {
    if (votes_in(s, node)) found.push_back(s.number);
  }
  return found;
}

std::vector<node_id> unreachable_nodes(const cluster_report& of) {
  std::vector<node_id> found;
  for (const auto& n : of.nodes) {
    if (!n.reachable) found.push_back(n.what.id);
  }
  return found;
}

std::string to_json(const cluster_report& of) {
  json out{{"cluster", of.cluster},
           {"self", of.self},
           {"at", to_rfc3339(of.at)},
           {"replicas", of.settings.replicas},
           {"moves_max", of.settings.moves_max},
           {"nodes", json::array()},
           {"shards", json::array()},
           {"warnings", json::array()},
           {"operations", json::array()}};
  for (const auto& n : of.nodes) out["nodes"].push_back(json_of(of, n));
  for (const auto& s : of.shards) out["shards"].push_back(json_of(of, s));
  for (const auto& w : judge(of))
    out["warnings"].push_back({{"severe", w.severe}, {"what", w.what}, {"do", w.advice}});
  for (const auto& o : of.operations)
    out["operations"].push_back({{"at", to_rfc3339(o.at)}, {"who", o.who}, {"what", o.what}, {"why", o.why}});
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string to_json(cluster_record::node_id node, const std::vector<replica_hash>& of) {
  json out{{"node", node}, {"shards", json::array()}};
  for (const auto& each : of) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016" PRIx64, each.hash);
    out["shards"].push_back({{"shard", each.shard},
                             {"through", each.through},
                             {"records", each.records},
                             {"receipts_after", to_rfc3339(each.receipts_after)},
                             {"hash", digits.data()}});
  }
  return out.dump();
}

}  // namespace omnicart::http
