#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace omnicart::sim {

// What mishaps did to a cluster. Of those that lie in wait (a sync that is to fail, bad weather)
// what came of them counts, not that they were drawn.
enum class harm : std::uint8_t {
  killed,
  power_lost,
  stopped,
  blackout,
  power_cut,
  cut_at_start,
  failed_sync,
  no_space,
  little_space,
  flushed,
  isolated,
  leader_isolated,
  halved,
  one_way,
  deafened,
  line_broken,
  message_cut,
  message_lost,
  message_doubled,
  message_late,
  message_refused,
  clock_jumped,
  stood_still,
  overtaken,
  made_standby,
  promoted,
  removed,
  transfer_wanted,
  transferred,
  copied,
  log_cut
};

inline constexpr std::string_view harm_names[] = {
    "processes killed",
    "machines that lost power",
    "processes stopped",
    "blackouts",
    "power that went during a write",
    "power that went during a start",
    "syncs that failed",
    "writes without space",
    "commands refused for want of disk",
    "memtables flushed",
    "nodes cut off",
    "leaders cut off",
    "halves",
    "lines cut one way",
    "nodes deaf or mute",
    "lines broken",
    "messages cut off",
    "messages lost",
    "messages doubled",
    "messages late",
    "messages not taken",
    "clocks that jumped",
    "nodes that stood still",
    "leaders overtaken while they stood still",
    "members that lost their vote",
    "members that got a vote",
    "members removed",
    "other leaders wished for",
    "leaders that handed over",
    "shards copied",
    "logs cut",
};
inline constexpr std::size_t harm_count = std::size(harm_names);
static_assert(harm_count == static_cast<std::size_t>(harm::log_cut) + 1);

// How often each of it happened.
class toll {
 public:
  void add(harm what, std::uint64_t times = 1) { times_[static_cast<std::size_t>(what)] += times; }
  void add(const toll& other) {
    for (std::size_t i = 0; i < harm_count; ++i) times_[i] += other.times_[i];
  }
  std::uint64_t of(std::size_t what) const { return times_[what]; }

 private:
  std::array<std::uint64_t, harm_count> times_{};
};

}  // namespace omnicart::sim
