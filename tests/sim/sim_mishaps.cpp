#include "tests/sim/sim_mishaps.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "persistence/shard_log.hpp"

namespace omnicart::sim {
namespace {

using ending = sim_cluster::ending;

}  // namespace

sim_mishaps::sim_mishaps(timeline& time, sim_cluster& cluster) : time_(time), cluster_(cluster) {}

void sim_mishaps::begin(std::uint64_t count) {
  left_ = count;
  plan_next();
}

void sim_mishaps::end() {
  over_ = true;
  cluster_.net().heal();
  cluster_.net().set_weather({});
  for (node_id id = 1; id <= cluster_.size(); ++id) {
    cluster_.jump_clock(id, duration_ms{0});
    if (cluster_.up(id)) cluster_.node(id).disk().set_free_bytes(std::uint64_t{1} << 40);
  }
}

void sim_mishaps::later(duration_ms delay, std::function<void()> what) {
  time_.after(delay, timeline::owner::world, [this, what = std::move(what)] {
    if (!over_) what();
  });
}

void sim_mishaps::plan_next() {
  if (left_ == 0) return;
  --left_;
  const bool at_once = time_.one_in(5);  // one seldom comes alone
  later(duration_ms{at_once ? time_.between(0, 20) : time_.between(100, 4'000)},
        [this] { strike(); });
}

void sim_mishaps::strike() {
  strike(draw());
  plan_next();
}

sim_mishaps::mishap sim_mishaps::draw() {
  struct share {
    mishap what;
    std::uint32_t percent;
  };
  using enum mishap;
  constexpr share shares[] = {
      {kill, 9},           {power_loss, 8},   {power_cut, 7},  {failed_sync, 5}, {disk_full, 3},
      {read_only, 2},      {orderly_stop, 4}, {blackout, 4},   {flush, 3},       {isolate, 4},
      {isolate_leader, 8}, {halves, 4},       {one_way, 5},    {deaf, 4},        {broken_line, 4},
      {weather, 5},        {clock, 4},        {membership, 5}, {transfer, 3},    {cut_logs, 2},
      {standstill, 7}};
  auto lot = static_cast<std::uint32_t>(time_.below(100));
  for (const auto& [what, percent] : shares) {
    if (lot < percent) return what;
    lot -= percent;
  }
  return cut_logs;
}

node_id sim_mishaps::draw_node() { return 1 + time_.below(cluster_.size()); }

node_id sim_mishaps::draw_other(node_id node) {
  const auto size = cluster_.size();
  return 1 + (node + time_.below(size - 1)) % size;
}

node_id sim_mishaps::draw_leader(node_id otherwise) {
  const auto lead = cluster_.leader(draw_shard());
  return lead != 0 ? lead : otherwise;
}

std::uint16_t sim_mishaps::draw_shard() {
  return static_cast<std::uint16_t>(time_.below(cluster_.group_count()));
}

void sim_mishaps::strike(mishap what) {
  const auto node = draw_node();
  switch (what) {
    case mishap::kill:
    case mishap::power_loss:
    case mishap::orderly_stop:
      return end_node(what, node);
    case mishap::blackout:
      taken_.add(harm::blackout);
      for (node_id id = 1; id <= cluster_.size(); ++id) {
        if (cluster_.up(id)) cluster_.end(id, ending::power_lost);
      }
      return;
    case mishap::power_cut:
    case mishap::failed_sync:
    case mishap::disk_full:
    case mishap::read_only:
    case mishap::flush:
      if (runs(node)) hurt_disk(what, node);
      return;
    case mishap::isolate:
    case mishap::isolate_leader:
    case mishap::halves:
    case mishap::one_way:
    case mishap::deaf:
    case mishap::broken_line:
    case mishap::weather:
      return hurt_network(what, node);
    case mishap::clock: {
      const duration_ms ahead{time_.between(-2'500, 2'500)};
      time_.note("the clock of " + name_of(node) + " jumps");
      taken_.add(harm::clock_jumped);
      return cluster_.jump_clock(node, ahead);
    }
    case mishap::membership:
      return change_members();
    case mishap::transfer:
      return wish_for_another_leader();
    case mishap::cut_logs:
      if (runs(node)) cut_logs_of(node);
      return;
    case mishap::standstill: {
      const auto whom = time_.chance(60) ? draw_leader(node) : node;
      if (runs(whom)) cluster_.stand_still(whom, duration_ms{time_.between(100, 5'000)});
      return;
    }
  }
}

// Nobody who stands still hears that it should stop.
void sim_mishaps::end_node(mishap what, node_id node) {
  if (what == mishap::orderly_stop ? !runs(node) : !cluster_.up(node)) return;
  taken_.add(what == mishap::kill         ? harm::killed
             : what == mishap::power_loss ? harm::power_lost
                                          : harm::stopped);
  cluster_.end(node, what == mishap::kill         ? ending::killed
                     : what == mishap::power_loss ? ending::power_lost
                                                  : ending::stopped);
}

void sim_mishaps::wish_for_another_leader() {
  auto& voters = cluster_.wish(draw_shard()).voters;
  if (voters.size() < 2) return;
  std::swap(voters.front(), voters[1 + time_.below(voters.size() - 1)]);
  taken_.add(harm::transfer_wanted);
}

// They go when the journal gets to it, as far as others may do without them.
void sim_mishaps::cut_logs_of(node_id node) {
  time_.note("the logs of " + name_of(node) + " are cut");
  const auto first_of = [this, node](std::uint16_t shard) {
    const auto stored = persistence::shard_log(cluster_.node(node).data()).stored(shard);
    return stored ? stored->first : 0;
  };
  for (std::uint16_t shard = 0; shard < cluster_.group_count(); ++shard) {
    later(duration_ms{1'000}, [this, node, shard, first_of, before = first_of(shard)] {
      if (cluster_.up(node) && first_of(shard) > before) taken_.add(harm::log_cut);
    });
    cluster_.node(node).log().cut_log(shard, std::numeric_limits<std::uint64_t>::max());
  }
}

void sim_mishaps::hurt_disk(mishap what, node_id node) {
  auto& disk = cluster_.node(node).disk();
  switch (what) {
    case mishap::power_cut:
      time_.note("the power of " + name_of(node) + " will go");
      return disk.cut_power(1 + time_.below(8));
    case mishap::failed_sync:
      time_.note("a sync of " + name_of(node) + " will fail");
      return disk.fail_sync(1 + time_.below(3));
    case mishap::disk_full:
      time_.note("the disk of " + name_of(node) + " fills up");
      return disk.limit_space(time_.below(4'000));
    case mishap::read_only:
      time_.note(name_of(node) + " has little disk left for a while");
      disk.set_free_bytes(0);
      return later(duration_ms{time_.between(500, 4'000)}, [this, node] {
        cluster_.node(node).disk().set_free_bytes(std::uint64_t{1} << 40);
      });
    default: {
      time_.note("memtables of " + name_of(node) + " are flushed");
      if (time_.chance(50)) disk.cut_power(1 + time_.below(40));
      const auto before = disk.counters().operations;
      cluster_.node(node).flush_memtables();
      if (disk.counters().operations != before) taken_.add(harm::flushed);
    }
  }
}

void sim_mishaps::cut_off(harm what, node_id node) {
  time_.note(name_of(node) + " is cut off");
  auto& net = cluster_.net();
  bool cut = false;
  for (node_id id = 1; id <= cluster_.size(); ++id) {
    cut |= net.cut(node, id);
    cut |= net.cut(id, node);
  }
  heal_later(what, cut);
}

void sim_mishaps::halve() {
  auto& net = cluster_.net();
  const node_id middle = 2 + time_.below(cluster_.size() - 1);
  time_.note("the network falls apart before " + name_of(middle));
  bool cut = false;
  for (node_id low = 1; low < middle; ++low) {
    for (node_id high = middle; high <= cluster_.size(); ++high) {
      cut |= net.cut(low, high);
      cut |= net.cut(high, low);
    }
  }
  heal_later(harm::halved, cut);
}

void sim_mishaps::hurt_network(mishap what, node_id node) {
  auto& net = cluster_.net();
  const auto other = draw_other(node);
  switch (what) {
    case mishap::isolate_leader:
      return cut_off(harm::leader_isolated, draw_leader(node));
    case mishap::isolate:
      return cut_off(harm::isolated, node);
    case mishap::halves:
      return halve();
    case mishap::one_way:
      time_.note("nothing goes from " + name_of(node) + " to " + name_of(other));
      return heal_later(harm::one_way, net.cut(node, other));
    case mishap::deaf: {
      const bool mute = time_.chance(50);
      time_.note(name_of(node) + (mute ? " is not heard" : " hears nothing"));
      bool cut = false;
      for (node_id id = 1; id <= cluster_.size(); ++id)
        cut |= mute ? net.cut(node, id) : net.cut(id, node);
      return heal_later(harm::deafened, cut);
    }
    case mishap::broken_line:
      time_.note("the line of " + name_of(node) + " and " + name_of(other) + " breaks");
      if (net.break_line(node, other)) taken_.add(harm::line_broken);
      return;
    default: {
      sim::weather bad{.lost = static_cast<std::uint32_t>(time_.below(30)),
                       .doubled = static_cast<std::uint32_t>(time_.below(30)),
                       .late = static_cast<std::uint32_t>(time_.below(40)),
                       .crowded = static_cast<std::uint32_t>(time_.below(5))};
      time_.note("the network gets bad");
      net.set_weather(bad);
      return later(duration_ms{time_.between(500, 8'000)},
                   [this] { cluster_.net().set_weather({}); });
    }
  }
}

// `cut`: this mishap has cut what was whole before.
void sim_mishaps::heal_later(harm what, bool cut) {
  if (cut) taken_.add(what);
  const bool short_cut = time_.chance(50);
  later(duration_ms{short_cut ? time_.between(50, 1'500) : time_.between(1'000, 7'000)}, [this] {
    time_.note("the network is whole again");
    cluster_.net().heal();
  });
}

// Of one shard: who votes and who only gets the log. Some lose it altogether for a while; as every
// node that serves has every log in the end, they get it anew.
void sim_mishaps::change_members() {
  const auto shard = draw_shard();
  std::vector<node_id> nodes;
  for (node_id id = 1; id <= cluster_.size(); ++id) nodes.push_back(id);
  for (std::size_t i = nodes.size(); i > 1; --i) std::swap(nodes[i - 1], nodes[time_.below(i)]);
  const bool usual = time_.chance(nodes.size() > 3 ? 70 : 40);  // of three all vote
  const auto voters =
      usual ? std::min<std::size_t>(3, nodes.size()) : 1 + time_.below(nodes.size());
  cluster::shard_wish wish;
  std::string text = "shard " + std::to_string(shard) + " is wanted on";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool absent = i >= voters && time_.chance(40);
    text += ' ' + std::to_string(nodes[i]) + (absent ? "-" : i < voters ? "v" : "s");
    if (absent) {
      time_.after(duration_ms{time_.between(500, 4'000)}, timeline::owner::world,
                  [this, shard, node = nodes[i]] { admit(shard, node); });
    } else {
      (i < voters ? wish.voters : wish.standbys).push_back(nodes[i]);
    }
  }
  time_.note(text);
  cluster_.wish(shard) = std::move(wish);
}

void sim_mishaps::admit(std::uint16_t shard, node_id node) {
  auto& wish = cluster_.wish(shard);
  const auto has = [node](const auto& nodes) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  };
  if (!has(wish.voters) && !has(wish.standbys)) wish.standbys.push_back(node);
}

}  // namespace omnicart::sim
