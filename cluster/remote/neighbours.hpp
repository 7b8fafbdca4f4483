#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cluster/backup/cut_messages.hpp"
#include "cluster/link/drop_count.hpp"
#include "cluster/link/transport.hpp"
#include "runtime/base/fields.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/clock.hpp"

// What nodes tell one another beside Raft and commands, over the link's control channel: schema 1 of
// runtime/base/codec.hpp, an alternative of control_message. Losing any of it costs time, never truth.
namespace omnicart::cluster {

// Where a shard's committed log ends, by its leader's word.
struct shard_position {
  std::uint16_t shard = 0;
  std::uint64_t index = 0;

  friend bool operator==(const shard_position&, const shard_position&) = default;
  OMNICART_FIELDS(shard, index)
};

// Why a node wants no leadership. New reasons go to the end.
struct unfitness {
  bool damaged = false;    // it met a record of its store that does not read
  bool disk_low = false;   // it refuses writes for want of room
  bool clock_off = false;  // its clock is far from the others'
  bool stopping = false;

  bool any() const { return damaged || disk_low || clock_off || stopping; }
  friend bool operator==(const unfitness&, const unfitness&) = default;
  OMNICART_FIELDS(damaged, disk_low, clock_off, stopping)
};
// A node about itself, said every half second or so and when `leaving` changes.
struct node_report {
  bool leaving = false;  // no leadership for it
  timestamp_ms wall;     // its clock as it wrote this
  std::string version;   // of its build, for people
  std::string http, operators;  // where it serves
  unfitness why{};  // it is leaving; none of that: a build which did not say it

  friend bool operator==(const node_report&, const node_report&) = default;
  OMNICART_FIELDS(leaving, wall, version, http, operators, why)
};
struct positions_wanted {
  std::uint64_t request = 0;

  friend bool operator==(const positions_wanted&, const positions_wanted&) = default;
  OMNICART_FIELDS(request)
};
// Of the shards that the node leads, and for which it may answer reads.
struct positions_told {
  std::uint64_t request = 0;
  std::vector<shard_position> led;

  friend bool operator==(const positions_told&, const positions_told&) = default;
  OMNICART_FIELDS(request, led)
};
// What the node took from a bucket of its rate limits (http/rate_limiter.hpp) since it last said so.
struct rate_use {
  std::uint64_t key = 0;
  std::uint8_t slot = 0;
  std::int64_t ns = 0;

  friend bool operator==(const rate_use&, const rate_use&) = default;
  OMNICART_FIELDS(key, slot, ns)
};
inline constexpr std::size_t rate_uses_max = 1'024;  // of one message
struct rate_uses {
  std::vector<rate_use> taken;

  friend bool operator==(const rate_uses&, const rate_uses&) = default;
  OMNICART_FIELDS(taken)
};
// Alternatives have numbers on the wire: new ones go to the end. What a node does not know it passes over.
using control_message =
    std::variant<node_report, positions_wanted, positions_told, cut_order, cut_report, rate_uses>;

std::string encode(const control_message& message);
// Refusal: malformed.
result<control_message> decode_control(std::string_view bytes);

// Speaks with the other nodes over the control channel. Thread-safe.
class neighbours {
 public:
  struct known {
    node_report said;
    duration_ms heard{0};           // monotonic
    duration_ms clock_ahead{0};     // of ours, when it was heard; less what it took to come
  };
  using positions_fn = std::function<std::vector<shard_position>()>;
  using told_fn = std::function<void(node_id from, const positions_told&)>;

  // `ours`: the positions that this node can vouch for now; `told`: answers to ask_positions. Both run on the
  // transport's thread and must not block. `net` and `time` outlive it.
  neighbours(transport& net, const clock& time, positions_fn ours, told_fn told);
  // Once, before messages can arrive.
  void attach();
  // Before attach(): who carries out other nodes' orders about cuts, and hears what they answer to ours. Run as `told`.
  using order_fn = std::function<void(node_id from, const cut_order&)>;
  using report_fn = std::function<void(node_id from, const cut_report&)>;
  void take_cuts(order_fn order, report_fn report);
  // May be lost.
  void send(node_id to, const cut_order& order);
  void send(node_id to, const cut_report& report);

  // Before messages can arrive: who hears what other nodes took from their buckets. Runs as `told`.
  using rates_fn = std::function<void(const rate_uses&)>;
  void take_rates(rates_fn rates) { rates_ = std::move(rates); }
  // To all of `peers`, in messages of at most rate_uses_max; may be lost.
  void tell(const std::vector<node_id>& peers, const std::vector<rate_use>& taken);

  // To all of `peers` that are up.
  void tell(const std::vector<node_id>& peers, const node_report& about_us);
  void ask_positions(const std::vector<node_id>& peers, std::uint64_t request);

  // What was heard of nodes that are connected now.
  std::map<node_id, known> heard() const;
  // Whether the node said that it is leaving, and has not come back since.
  bool is_leaving(node_id node) const;
  // How far our clock is ahead of the median of all clocks, ours included; nothing while nobody was heard.
  std::optional<duration_ms> clock_ahead() const;
  // Messages that did not read, and were dropped.
  std::uint64_t malformed() const { return malformed_.count(); }

 private:
  void on_message(node_id from, std::string_view bytes);

  transport& net_;
  const clock& time_;
  const positions_fn ours_;
  const told_fn told_;
  order_fn order_;
  report_fn report_;
  rates_fn rates_;
  mutable std::mutex guard_;
  std::map<node_id, known> heard_;
  drop_count malformed_{"a node sent control data that does not read"};
};

}  // namespace omnicart::cluster
