#include "tests/sim/sim_mishaps.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

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
      {kill, 10},          {power_loss, 9},   {power_cut, 8},  {failed_sync, 5}, {disk_full, 3},
      {read_only, 2},      {orderly_stop, 5}, {blackout, 4},   {flush, 3},       {isolate, 5},
      {isolate_leader, 9}, {halves, 4},       {one_way, 6},    {deaf, 4},        {broken_line, 4},
      {weather, 5},        {clock, 4},        {membership, 5}, {transfer, 3},    {cut_logs, 2}};
  auto lot = static_cast<std::uint32_t>(time_.below(100));
  for (const auto& [what, percent] : shares) {
    if (lot < percent) return what;
    lot -= percent;
  }
  return cut_logs;
}

node_id sim_mishaps::draw_node() { return 1 + time_.below(cluster_.size()); }

std::uint16_t sim_mishaps::draw_shard() {
  return static_cast<std::uint16_t>(time_.below(cluster_.group_count()));
}

void sim_mishaps::strike(mishap what) {
  const auto node = draw_node();
  switch (what) {
    case mishap::kill:
    case mishap::power_loss:
    case mishap::orderly_stop:
      if (!cluster_.up(node)) return;
      return cluster_.end(node, what == mishap::kill         ? ending::killed
                                : what == mishap::power_loss ? ending::power_lost
                                                             : ending::stopped);
    case mishap::blackout:
      for (node_id id = 1; id <= cluster_.size(); ++id) {
        if (cluster_.up(id)) cluster_.end(id, ending::power_lost);
      }
      return;
    case mishap::power_cut:
    case mishap::failed_sync:
    case mishap::disk_full:
    case mishap::read_only:
    case mishap::flush:
      if (cluster_.up(node)) hurt_disk(what, node);
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
      return cluster_.jump_clock(node, ahead);
    }
    case mishap::membership:
      return change_members();
    case mishap::transfer: {
      auto& voters = cluster_.wish(draw_shard()).voters;
      return std::swap(voters.front(), voters[time_.below(voters.size())]);
    }
    case mishap::cut_logs:
      if (!cluster_.up(node)) return;
      time_.note("the logs of " + name_of(node) + " are cut");
      for (std::uint16_t shard = 0; shard < cluster_.group_count(); ++shard)
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
    default:
      time_.note("memtables of " + name_of(node) + " are flushed");
      if (time_.chance(50)) disk.cut_power(1 + time_.below(40));
      return cluster_.node(node).flush_memtables();
  }
}

void sim_mishaps::hurt_network(mishap what, node_id node) {
  auto& net = cluster_.net();
  const auto other = draw_node();
  switch (what) {
    case mishap::isolate_leader:
      if (const auto lead = cluster_.leader(draw_shard()); lead != 0) node = lead;
      [[fallthrough]];
    case mishap::isolate:
      time_.note(name_of(node) + " is cut off");
      for (node_id id = 1; id <= cluster_.size(); ++id) {
        net.cut(node, id);
        net.cut(id, node);
      }
      return heal_later();
    case mishap::halves:
      time_.note("the network falls apart before " + name_of(node));
      for (node_id low = 1; low < node; ++low) {
        for (node_id high = node; high <= cluster_.size(); ++high) {
          net.cut(low, high);
          net.cut(high, low);
        }
      }
      return heal_later();
    case mishap::one_way:
      time_.note("nothing goes from " + name_of(node) + " to " + name_of(other));
      net.cut(node, other);
      return heal_later();
    case mishap::deaf: {
      const bool mute = time_.chance(50);
      time_.note(name_of(node) + (mute ? " is not heard" : " hears nothing"));
      for (node_id id = 1; id <= cluster_.size(); ++id)
        mute ? net.cut(node, id) : net.cut(id, node);
      return heal_later();
    }
    case mishap::broken_line:
      time_.note("the line of " + name_of(node) + " and " + name_of(other) + " breaks");
      return net.break_line(node, other);
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

void sim_mishaps::heal_later() {
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
  const auto voters =
      time_.chance(70) ? std::min<std::size_t>(3, nodes.size()) : 1 + time_.below(nodes.size());
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
