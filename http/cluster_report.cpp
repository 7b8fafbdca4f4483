#include "http/cluster_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

namespace omnicart::http {
namespace {

using json = nlohmann::ordered_json;
using cluster_record::node_id;
using cluster_record::node_state;

bool votes_in(const cluster_report::shard& s, node_id node) {
  return std::ranges::find(s.voters, node, &cluster_report::member::node) != s.voters.end();
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::string span(duration_ms time) {
  const auto seconds = time.count() / 1'000;
  return seconds < 120 ? std::to_string(seconds) + " s" : std::to_string(seconds / 60) + " min";
}

const cluster_report::node* node_of(const cluster_report& of, node_id id) {
  const auto at = std::ranges::find(of.nodes, id, [](const cluster_report::node& n) { return n.what.id; });
  return at == of.nodes.end() ? nullptr : &*at;
}

std::string name_of(const cluster_report& of, node_id id) {
  const auto* known = node_of(of, id);
  return known ? known->what.name : "node " + std::to_string(id);
}

bool is_reachable(const cluster_report& of, node_id id) {
  const auto* known = node_of(of, id);
  return known && known->reachable;
}

std::string comma_list(const std::set<std::string>& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

// What can be said of a report; each sentence names what to do.
class judgement {
 public:
  explicit judgement(const cluster_report& of) : of_(of) {}

  std::vector<cluster_warning> all() {
    if (of_.cluster.empty()) {
      severe("this node belongs to no cluster", "start it, or let an existing cluster take it: omnicartctl cluster join");
      return std::move(found_);
    }
    leaderless();
    stopped();
    for (const auto& n : of_.nodes) {
      silent(n);
      leaving(n);
      slow_to_join(n);
      clock(n);
      behind(n);
    }
    two_voters();
    builds();
    std::ranges::stable_partition(found_, &cluster_warning::severe);
    return std::move(found_);
  }

 private:
  void severe(std::string what, std::string advice) { found_.push_back({true, std::move(what), std::move(advice)}); }
  void point_out(std::string what, std::string advice) { found_.push_back({false, std::move(what), std::move(advice)}); }

  std::size_t reachable_voters(const cluster_report::shard& s) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(s.voters, [&](const cluster_report::member& m) { return is_reachable(of_, m.node); }));
  }
  bool has_majority(const cluster_report::shard& s) const { return reachable_voters(s) >= s.voters.size() / 2 + 1; }

  void leaderless() {
    std::size_t stuck = 0, choosing = 0;
    std::set<std::string> missing;
    for (const auto& s : of_.shards) {
      if (s.leader != 0 && has_majority(s)) continue;
      if (has_majority(s)) {
        ++choosing;
        continue;
      }
      ++stuck;
      for (const auto& m : s.voters) {
        if (!is_reachable(of_, m.node)) missing.insert(name_of(of_, m.node));
      }
    }
    if (stuck > 0)
      severe(counted(stuck, "shard") + " cannot be written to: fewer than half of the voters can be reached",
             "start these again, or repair the network to them: " + comma_list(missing));
    if (choosing > 0)
      severe(counted(choosing, "shard") + " without a leader",
             "one is chosen within seconds; if this stays, look for \"raft\" in the nodes' logs");
  }

  void stopped() {
    const auto count = static_cast<std::size_t>(
        std::ranges::count_if(of_.shards, &cluster_report::shard::stopped));
    if (count == 0) return;
    const std::string name = name_of(of_, of_.self);
    severe(name + " takes no part in " + counted(count, "shard") +
               " any more: a leader contradicts what was committed on " + name,
           "one of them has lost its disk's content: see \"replica stopped\" in the log of " +
               name + "; if it was " + name +
               ", add another node and run omnicartctl cluster replace " + name + " NEW");
  }

  void silent(const cluster_report::node& n) {
    if (n.reachable) return;
    const auto voting = shards_voting(of_, n.what.id).size();
    const std::string name = n.what.name;
    point_out(name + " cannot be reached since " + span(n.silent_for) +
                  (voting > 0 ? "; it votes in " + counted(voting, "shard") : ""),
              "start it again; if it or its disk is gone, add another node and run omnicartctl cluster replace " +
                  name + " NEW");
  }

  void leaving(const cluster_report::node& n) {
    if (n.what.state != node_state::draining || !n.reachable) return;
    const auto load = load_of(of_, n.what.id);
    const auto active = static_cast<std::size_t>(std::ranges::count_if(
        of_.nodes, [](const cluster_report::node& other) { return other.what.state == node_state::active; }));
    const std::string name = n.what.name;
    const std::string resume = "omnicartctl cluster resume " + name;
    if (load.replicas == 0)
      return point_out(name + " is drained", "omnicartctl cluster remove " + name + ", or keep it: " + resume);
    if (load.leads > 0)
      return point_out(name + " is draining and still leads " + counted(load.leads, "shard"), "wait: others take over");
    if (active >= of_.settings.replicas)
      return point_out(name + " is draining and still votes in " + counted(load.replicas, "shard"),
                       "wait: others take them over; to restart it, you need not");
    point_out(name + " leads nothing and keeps its replicas, for there are " + counted(active, "other active node") +
                  " for " + std::to_string(of_.settings.replicas),
              "restart it now if that was the aim, then " + resume + "; to remove it, add a node first, or run " +
                  "omnicartctl cluster configure --replicas " + std::to_string(std::max<std::size_t>(active, 1)));
  }

  void slow_to_join(const cluster_report::node& n) {
    if (n.what.state != node_state::joining || of_.at - n.what.since < joining_patience) return;
    point_out(n.what.name + " has been joining for " + span(of_.at - n.what.since),
              "look whether it runs, listens at " + n.what.link + ", and has a certificate of this cluster for node " +
                  std::to_string(n.what.id));
  }

  void clock(const cluster_report::node& n) {
    if (!n.clock_offset || std::chrono::abs(*n.clock_offset) <= clock_offset_max) return;
    const bool ahead = n.clock_offset->count() > 0;
    point_out("the clock of " + n.what.name + " is " + std::to_string(std::chrono::abs(*n.clock_offset).count()) +
                  " ms " + (ahead ? "ahead of" : "behind") + " the others: it leads nothing",
              "see to its time synchronisation (NTP)");
  }

  void behind(const cluster_report::node& n) {
    std::uint64_t most = 0;
    for (const auto& s : of_.shards) {
      for (const auto* members : {&s.voters, &s.standbys}) {
        for (const auto& m : *members) {
          if (m.node == n.what.id) most = std::max(most, m.lag.value_or(0));
        }
      }
    }
    if (most <= lag_entries_calm || !n.reachable) return;
    point_out(n.what.name + " is up to " + std::to_string(most) + " entries behind",
              "it catches up by itself; if this number grows, its disk or network is too slow");
  }

  void two_voters() {
    const auto two = static_cast<std::size_t>(
        std::ranges::count_if(of_.shards, [](const cluster_report::shard& s) { return s.voters.size() == 2 && !is_moving(s); }));
    if (two == 0) return;
    point_out(counted(two, "shard") + (two == 1 ? " has" : " have") + " two voters: losing one node stops writes",
              "add a third node: omnicartctl cluster join");
  }

  void builds() {
    std::set<std::string> versions;
    for (const auto& n : of_.nodes) {
      if (!n.version.empty()) versions.insert(n.version);
    }
    if (versions.size() < 2) return;
    point_out("nodes run different builds: " + comma_list(versions), "fine while you upgrade one after the other; then make them equal");
  }

  const cluster_report& of_;
  std::vector<cluster_warning> found_;
};

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
          {"moving", is_moving(s)},
          {"stopped", s.stopped}};
}

}  // namespace

std::vector<cluster_warning> judge(const cluster_report& of) { return judgement(of).all(); }

node_load load_of(const cluster_report& of, node_id node) {
  node_load load;
  for (const auto& s : of.shards) {
    load.leads += s.leader == node;
    load.replicas += votes_in(s, node);
    load.standbys += std::ranges::find(s.standbys, node, &cluster_report::member::node) != s.standbys.end();
  }
  return load;
}

bool is_moving(const cluster_report::shard& s) {
  if (s.desired.voters.empty()) return false;
  std::vector<node_id> voters;
  for (const auto& m : s.voters) voters.push_back(m.node);
  return s.leader != s.desired.voters.front() || !std::ranges::is_permutation(voters, s.desired.voters);
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

std::string needed_by_voters(const cluster_report& of, node_id node) {
  std::size_t unknown = 0, short_ones = 0;
  std::set<std::string> missing;
  for (const auto& s : of.shards) {
    unknown += s.voters.empty();
    if (!votes_in(s, node)) continue;
    std::size_t others = 0;
    for (const auto& m : s.voters) others += m.node != node && is_reachable(of, m.node);
    if (others >= s.voters.size() / 2 + 1) continue;
    ++short_ones;
    for (const auto& m : s.voters) {
      if (m.node != node && !is_reachable(of, m.node)) missing.insert(name_of(of, m.node));
    }
  }
  if (short_ones == 0 && unknown == 0) return {};
  if (short_ones == 0)
    return name_of(of, of.self) + " does not know who votes in " + counted(unknown, "shard") +
           ": ask another node, or wait until it does";
  return "without " + name_of(of, node) + ", " + counted(short_ones, "shard") + (short_ones == 1 ? " has" : " have") +
         " no majority of the voters there are now" + (missing.empty() ? "" : ": " + comma_list(missing) + " cannot be reached") +
         "; start what is missing, or wait until the moves are through: omnicartctl cluster status";
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
