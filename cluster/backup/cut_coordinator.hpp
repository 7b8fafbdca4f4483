#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/backup/cut_messages.hpp"
#include "runtime/base/result.hpp"
#include "runtime/clock.hpp"

namespace omnicart::cluster {

// A point in each shard's log, such that no shard is cut behind something whose cause another is
// cut before: what a backup holds.
struct consistent_cut {
  cut_id cut = 0;
  std::vector<marked_shard> shards;  // by number, all of them
  duration_ms paused{0};             // the longest pause of a node, rounded up
  unsigned tries = 0;
};

// Takes a cut over all shards of a cluster while it serves.
//
//   coordinator                      every node that it reaches, itself too
//   mark (100 ms at most)     ->     a marker into the log of each shard that it leads, and
//                                    nothing behind it from now on
//                             <-     held, where the markers stand
//   resume                    ->     goes on
//                             <-     held: it was paused all the while, and leads those shards
//                                    still, so nobody else did
//   ... own replicas apply each shard up to its marker: reached()
//
// Why the cut is consistent: the first resume is sent when the last marker is appended. So whatever
// stands behind any marker was appended later than all markers. Nobody is told of anything, by
// answer, effect or list, before it is in its shard's log; so whatever comes of an entry behind a
// marker is appended later still, and stands behind its own shard's marker. That is all: if the cut
// has an entry, it has what the entry came of. What stands before a marker may be told at any time.
//
// A pause that ended by itself, a marker that was lost with its leader, a node that did not answer:
// the try is void, and another begins a little later. Nodes that cannot be reached have no part:
// the leaders of all shards are heard and hold their leases, so those can put nothing into a log.
//
// Driven by messages and a clock; not thread-safe.
class cut_coordinator {
 public:
  struct parts {
    const clock& time;
    std::function<cut_id()> draw;                 // never 0
    std::function<std::vector<node_id>()> nodes;  // that can be reached now; self too
    std::function<void(node_id, const cut_order&)>
        send;                            // may lose it; not answered within the call
    std::function<void(cut_id)> follow;  // reached() is wanted of this cut only; 0: of none
  };
  static constexpr duration_ms pause_max{100};
  // Nobody is paused before the first node says so.
  static constexpr duration_ms begins_within{500};
  // From then to the last marker: leaves the nodes' own clocks something.
  static constexpr duration_ms marked_within{80};
  // Once told to go on nobody waits for what the nodes say of it.
  static constexpr duration_ms resumed_within{1'000};
  static constexpr duration_ms applied_within{5'000};
  // Times the tries so far, half as long to half as long again: about 18 s with all.
  static constexpr duration_ms again_after{400};
  static constexpr unsigned tries_max = 10;

  cut_coordinator(parts with, std::uint16_t shard_count);

  // Ends in outcome(), success or unavailable with the reason of the last try. One at a time.
  void start();
  void reported(node_id from, const cut_report& report);
  void reached(const marked_shard& shard);
  // Every few milliseconds.
  void tick();
  // Gives up: nodes go on, outcome() is shutting_down.
  void stop();

  bool runs() const { return now_ != phase::idle; }
  // Of the last start(), once; nothing while it runs.
  std::optional<result<consistent_cut>> outcome();

 private:
  enum class phase { idle, marking, resuming, following, waiting };

  void begin_try();
  void order(cut_step step);
  void all_answered();
  void take_marks(node_id from, const std::vector<shard_mark>& marks);
  void finish_if_reached();
  void give_up_try(const std::string& why);
  void end(result<consistent_cut> how);
  std::string silent_nodes() const;

  const parts with_;
  const std::uint16_t shard_count_;
  phase now_ = phase::idle;
  cut_id cut_ = 0;
  unsigned tries_ = 0;
  std::vector<node_id> nodes_;
  std::set<node_id> answered_;
  std::map<std::uint16_t, shard_mark> marks_;
  std::map<std::uint16_t, marked_shard> reached_;
  std::uint64_t paused_us_ = 0;
  duration_ms until_{0};  // of the phase
  std::optional<result<consistent_cut>> outcome_;
};

}  // namespace omnicart::cluster
