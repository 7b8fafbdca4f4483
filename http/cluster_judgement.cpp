#include <algorithm>
#include <set>

#include "http/cluster_report.hpp"

namespace omnicart::http {
namespace {

using cluster_record::node_id;
using cluster_record::node_state;

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

// It is there, and nobody is about to stop it.
bool is_staying(const cluster_report& of, node_id id) {
  const auto* known = node_of(of, id);
  return known && known->reachable && known->what.state != node_state::draining && !known->unfit.stopping;
}

bool is_active(const cluster_report::node& n) { return n.what.state == node_state::active; }

// It may be given shards, and lead them.
bool can_take(const cluster_report::node& n) { return is_active(n) && n.reachable && !n.unfit.any(); }

bool is_wanted_in(const cluster_report::shard& s, node_id node) {
  return std::ranges::find(s.desired.voters, node) != s.desired.voters.end();
}

std::string comma_list(const std::set<std::string>& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

// What would be without a node, of those that `is_there` counts.
struct absence {
  std::size_t shards = 0;     // in which it votes and the others that are there are no majority
  std::set<node_id> missing;  // of these, other voters that are not there
  std::size_t unknown = 0;    // shards whose voters are not known here
};

template <class There>
absence absence_of(const cluster_report& of, node_id node, const There& is_there) {
  absence found;
  for (const auto& s : of.shards) {
    found.unknown += s.voters.empty();
    if (!votes_in(s, node)) continue;
    std::set<node_id> missing;
    for (const auto& m : s.voters) {
      const bool takes_part = is_there(of, m.node) && !(s.stopped && m.node == of.self);
      if (m.node != node && !takes_part) missing.insert(m.node);
    }
    if (s.voters.size() - 1 - missing.size() >= s.voters.size() / 2 + 1) continue;
    ++found.shards;
    found.missing.merge(missing);
  }
  return found;
}

std::string unknown_voters(const cluster_report& of, std::size_t shards) {
  return name_of(of, of.self) + " does not know who votes in " + counted(shards, "shard");
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
      unfit(n);
      behind(n);
    }
    if (!single_voters()) two_voters();
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

  template <class Of>
  std::size_t count_nodes(const Of& which) const {
    return static_cast<std::size_t>(std::ranges::count_if(of_.nodes, which));
  }
  template <class Of>
  std::size_t count_shards(const Of& which) const {
    return static_cast<std::size_t>(std::ranges::count_if(of_.shards, which));
  }

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
    const auto count = count_shards(&cluster_report::shard::stopped);
    if (count == 0) return;
    const std::string name = name_of(of_, of_.self);
    severe(name + " takes no part in " + counted(count, "shard") +
               " any more: a leader contradicts what was committed on " + name,
           "one of them has lost its disk's content: see \"replica stopped\" in the log of " +
               name + "; if it was " + name +
               ", add another node and run omnicartctl cluster replace " + name + " NEW");
  }

  // Neither Raft has it vote nor does the record want it to, so it may be removed as it is. Followers
  // without a vote all nodes are, as long as they belong to the cluster.
  bool holds_nothing(node_id id) const {
    return count_shards([&](const auto& s) { return votes_in(s, id) || is_wanted_in(s, id) || s.voters.empty(); }) == 0;
  }

  // A shard in which a draining node keeps its vote, as no other can take its place and none is
  // too many. The record's own group gives it up once enough others are in it.
  bool keeps(const cluster_report::shard& s, node_id id) const {
    if (!is_wanted_in(s, id)) return false;
    const auto is_taker = [&](const cluster_report::node& n) { return can_take(n) && !is_wanted_in(s, n.what.id); };
    if (std::ranges::any_of(of_.nodes, is_taker)) return false;
    if (s.number != of_.shard_count) return s.desired.voters.size() <= of_.settings.replicas;
    const auto stays = [&](node_id other) {
      const auto* known = node_of(of_, other);
      return known && is_active(*known);
    };
    return static_cast<std::size_t>(std::ranges::count_if(s.desired.voters, stays)) < of_.settings.replicas;
  }

  void silent(const cluster_report::node& n) {
    if (n.reachable || is_slow_to_join(n)) return;
    const std::string name = n.what.name;
    const auto voting = shards_voting(of_, n.what.id).size();
    const std::string since = " cannot be reached since " + span(n.silent_for);
    const std::string votes = voting > 0 ? "; it votes in " + counted(voting, "shard") : "";
    const std::string remove = "omnicartctl cluster remove " + name;
    if (n.what.state == node_state::joining)
      return point_out(name + " is joining, and" + since, "start it, or take it back: " + remove);
    if (n.what.state == node_state::draining) return silent_and_leaving(n, since + votes, remove);
    if (holds_nothing(n.what.id))
      return point_out(name + since + "; others have taken its place", "start it again; if it is gone, " + remove);
    point_out(name + since + votes,
              "start it again; if it or its disk is gone, add another node and run omnicartctl cluster replace " +
                  name + " NEW");
  }

  void silent_and_leaving(const cluster_report::node& n, const std::string& since, const std::string& remove) {
    const std::string name = n.what.name;
    if (holds_nothing(n.what.id))
      return point_out(name + " is drained, and" + since,
                       remove + "; to keep it, start it again and run omnicartctl cluster resume " + name);
    if (count_shards([&](const auto& s) { return keeps(s, n.what.id); }) == 0)
      return point_out(name + " is draining, and" + since, "wait until others have all its shards, then " + remove);
    point_out(name + " is draining, and" + since,
              "start it again; if it is gone, " + more_takers() + ", wait until others have all its shards, then " + remove);
  }

  void leaving(const cluster_report::node& n) {
    if (n.what.state != node_state::draining || !n.reachable) return;
    const std::string name = n.what.name;
    const std::string resume = "omnicartctl cluster resume " + name;
    if (holds_nothing(n.what.id))
      return point_out(name + " is drained", "omnicartctl cluster remove " + name + ", or keep it: " + resume);
    const auto without = absence_of(of_, n.what.id, is_staying);
    if (without.unknown > 0)
      return point_out(name + " is draining, and " + unknown_voters(of_, without.unknown),
                       "do not stop it: ask another node, or wait until it does");
    const auto leads = load_of(of_, n.what.id).leads;
    if (leads > 0) return leads_and_leaves(n, leads, resume);
    const auto kept = count_shards([&](const auto& s) { return keeps(s, n.what.id); });
    if (kept == 0) return gives_away(n, without);
    if (without.shards > 0)
      return point_out(kept_text(name) + "; " + do_not_stop(name, without), first_mend(without, resume));
    point_out(kept_text(name), "restart it now if that was the aim, then " + resume + "; to remove it, " + to_shrink());
  }

  void leads_and_leaves(const cluster_report::node& n, std::size_t leads, const std::string& resume) {
    const std::string what = n.what.name + " is draining and still leads " + counted(leads, "shard");
    if (count_nodes(can_take) > 0) return point_out(what, "wait: others take over");
    point_out(what + ", and no active node can take over", "do not stop it: " + more_takers() + ", or keep it: " + resume);
  }

  void gives_away(const cluster_report::node& n, const absence& without) {
    const std::string what = n.what.name + " is draining and still votes in " +
                             counted(shards_voting(of_, n.what.id).size(), "shard");
    if (without.shards > 0)
      return point_out(what + "; " + do_not_stop(n.what.name, without), "wait: others take them over");
    point_out(what, "wait: others take them over; to restart it, you need not");
  }

  std::string kept_text(const std::string& name) const {
    const auto active = count_nodes(is_active);
    std::set<std::string> unable;
    for (const auto& n : of_.nodes) {
      if (is_active(n) && !can_take(n)) unable.insert(n.what.name);
    }
    return name + " leads nothing and keeps its replicas, for there " + (active == 1 ? "is " : "are ") +
           counted(active, "other active node") + " for " + std::to_string(of_.settings.replicas) +
           (unable.empty() ? "" : ", of which " + comma_list(unable) + " cannot take any");
  }

  std::string do_not_stop(const std::string& name, const absence& without) const {
    std::set<std::string> why;
    for (const auto id : without.missing) {
      const auto* known = node_of(of_, id);
      const bool is_there = known && known->reachable;
      why.insert(name_of(of_, id) +
                 (!is_there ? " cannot be reached" : known->unfit.stopping ? " is stopping" : " is draining, too"));
    }
    return "do not stop it: without " + name + ", " + counted(without.shards, "shard") +
           (without.shards == 1 ? " has" : " have") + " no majority" + (why.empty() ? "" : ": " + comma_list(why));
  }

  // What has to come before a stop that would take a majority away.
  std::string first_mend(const absence& without, const std::string& resume) const {
    const std::string keep = ", or keep this one: " + resume;
    if (without.missing.empty() && is_short_of_active())
      return "add a node first: omnicartctl cluster join" + keep + "; to do without it, run " + fewer_replicas();
    if (without.missing.empty()) return more_takers() + " first" + keep;
    std::set<std::string> first;
    for (const auto id : without.missing) {
      const std::string name = name_of(of_, id);
      const auto* known = node_of(of_, id);
      const bool is_there = known && known->reachable && !known->unfit.stopping;
      first.insert(is_there ? "omnicartctl cluster resume " + name : "start " + name);
    }
    return "first " + comma_list(first) + keep + "; to remove it, " + to_shrink();
  }

  // Active nodes that are to hold shards and cannot now, or else another one.
  std::string more_takers() const {
    std::set<std::string> ways;
    for (const auto& n : of_.nodes) {
      if (!is_active(n) || can_take(n)) continue;
      ways.insert((n.reachable ? "mend " : "start ") + n.what.name);
    }
    return ways.empty() ? "add another node" : comma_list(ways) + " or add another node";
  }

  std::string to_shrink() const {
    return is_short_of_active() ? "add a node first, or run " + fewer_replicas() : more_takers() + " first";
  }
  bool is_short_of_active() const { return count_nodes(is_active) < of_.settings.replicas; }
  std::string fewer_replicas() const {
    return "omnicartctl cluster configure --replicas " +
           std::to_string(std::max<std::size_t>(count_nodes(is_active), 1));
  }

  bool is_slow_to_join(const cluster_report::node& n) const {
    return n.what.state == node_state::joining && of_.at - n.what.since >= joining_patience;
  }

  void slow_to_join(const cluster_report::node& n) {
    if (!is_slow_to_join(n)) return;
    point_out(n.what.name + " has been joining for " + span(of_.at - n.what.since),
              "look whether it runs, listens at " + n.what.link + ", and has a certificate of this cluster for node " +
                  std::to_string(n.what.id));
  }

  static bool is_clock_seen_off(const cluster_report::node& n) {
    return n.clock_offset && std::chrono::abs(*n.clock_offset) > clock_offset_max;
  }

  void clock(const cluster_report::node& n) {
    if (!is_clock_seen_off(n)) return;
    const bool ahead = n.clock_offset->count() > 0;
    point_out("the clock of " + n.what.name + " is " + std::to_string(std::chrono::abs(*n.clock_offset).count()) +
                  " ms " + (ahead ? "ahead of" : "behind") + " the others: it leads nothing",
              "see to its time synchronisation (NTP)");
  }

  void unfit(const cluster_report::node& n) {
    const std::string name = n.what.name;
    const std::string gives_leads = of_.nodes.size() > 1 ? " and gives its leaderships away" : "";
    if (n.unfit.damaged) damaged(n, gives_leads);
    if (n.unfit.disk_low)
      point_out("the disk of " + name + " is nearly full: " + name + " refuses writes" + gives_leads,
                "free space on the disk of its data directory; it is fit again by itself");
    if (n.unfit.clock_off && !is_clock_seen_off(n))
      point_out(name + " finds its clock far from the others'" + gives_leads, "see to its time synchronisation (NTP)");
    if (n.unfit.stopping)
      point_out(name + " is stopping" + gives_leads, "wait until it is stopped; start it again if it is to stay");
    if (n.unfit.unsaid)
      point_out(name + " gives its leaderships away, and its build does not say why",
                "if it is not stopping, look for \"leads nothing\" or \"damaged\" in its log");
  }

  void damaged(const cluster_report::node& n, const std::string& gives_leads) {
    const std::string name = n.what.name;
    const std::string see = "see \"the store is damaged\" in its log";
    const bool is_alone = of_.nodes.size() == 1;
    const std::string mend = is_alone ? "; stop it and restore a backup"
                             : is_active(n)
                                 ? "; add another node and run omnicartctl cluster replace " + name + " NEW"
                                 : "; remove it once others have all its shards";
    point_out(name + " met damage in its store" + gives_leads, see + mend);
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

  static bool has_settled_on(const cluster_report::shard& s, std::size_t voters) {
    return s.voters.size() == voters && !s.moving;
  }

  // Chosen so, with other nodes there. The record's own group has more voters whatever was chosen.
  bool single_voters() {
    if (of_.settings.replicas != 1 || count_nodes(is_active) < 2) return false;
    const auto one = count_shards(
        [&](const auto& s) { return has_settled_on(s, 1) && s.number != of_.shard_count; });
    if (one == 0) return false;
    point_out(counted(one, "shard") + (one == 1 ? " has" : " have") +
                  " one replica: losing any node stops the shards that it has",
              three_replicas());
    return true;
  }

  void two_voters() {
    const auto two = count_shards([](const auto& s) { return has_settled_on(s, 2); });
    if (two == 0) return;
    point_out(counted(two, "shard") + (two == 1 ? " has" : " have") + " two voters: losing one node stops writes",
              three_replicas());
  }

  // What is missing for three voters of a shard.
  std::string three_replicas() const {
    const std::string configure = "omnicartctl cluster configure --replicas 3";
    const bool is_configured = of_.settings.replicas >= 3;
    if (count_nodes(is_active) < 3) {
      std::set<std::string> joining;
      for (const auto& n : of_.nodes) {
        if (n.what.state == node_state::joining) joining.insert(n.what.name);
      }
      return (joining.empty() ? "add a third node: omnicartctl cluster join"
                              : "wait until " + comma_list(joining) + " has joined") +
             (is_configured ? "" : ", then run " + configure);
    }
    if (!is_configured) return configure;
    if (count_nodes(can_take) < 3) return more_takers() + ": a third voter is added by itself";
    return "wait: a third voter is added by itself";
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

}  // namespace

std::vector<cluster_warning> judge(const cluster_report& of) { return judgement(of).all(); }

std::string needed_by_voters(const cluster_report& of, node_id node) {
  const auto without = absence_of(of, node, is_reachable);
  if (without.shards == 0 && without.unknown == 0) return {};
  if (without.shards == 0) return unknown_voters(of, without.unknown) + ": ask another node, or wait until it does";
  std::set<std::string> missing;
  for (const auto id : without.missing) missing.insert(name_of(of, id));
  return "without " + name_of(of, node) + ", " + counted(without.shards, "shard") +
         (without.shards == 1 ? " has" : " have") + " no majority of the voters there are now" +
         (missing.empty() ? "" : ": " + comma_list(missing) + " cannot be reached") +
         "; start what is missing, or wait until the moves are through: omnicartctl cluster status";
}

}  // namespace omnicart::http
