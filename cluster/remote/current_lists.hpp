#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/remote/neighbours.hpp"
#include "runtime/clock.hpp"
#include "runtime/projection.hpp"

namespace omnicart::cluster {

// Lists that show everything that was acknowledged anywhere before they were asked for, although they are read from this
// node's own projections: the leaders of all shards are asked how far their logs are committed, and the query waits until
// this node has as much (read index; Ongaro 2014, section 6.4, for all shards at once). One round of questions serves
// all queries that came before it.
//
// A node that leads every shard asks nobody. Thread-safe.
class current_lists final : public projection_host {
 public:
  struct parts {
    projection_host& rows;
    const clock& time;
    std::uint16_t shard_count;
    std::function<bool(std::uint16_t shard)> may_read;         // this node leads it, and nobody else can
    std::function<std::uint64_t(std::uint16_t shard)> applied;  // how much of its log is in the rows' reach
    std::function<void(std::uint64_t request)> ask;             // all nodes that can be reached
  };
  static constexpr duration_ms patience{2'000};  // longer than an election
  static constexpr duration_ms ask_again{100};   // a leader may have been lost
  static constexpr std::size_t waiting_max = 4'096;

  explicit current_lists(parts with) : with_(std::move(with)) {}

  // Refused besides what the rows refuse: unavailable, when some shard's leader was not heard in time.
  void query(std::string_view projection, std::function<void(projection_rows&)> run,
             std::function<void(error)> refused) override;

  // A node's answer; the link's thread.
  void told(const positions_told& positions);
  // Lets go on what may, and gives up what waits too long. Every 5 ms or so.
  void tick();

 private:
  struct waiting {
    std::string projection;
    std::function<void(projection_rows&)> run;
    std::function<void(error)> refused;
    std::uint64_t request = 0;  // the round that serves it; 0: the next
    duration_ms until{0};
  };
  bool leads_all() const;
  void begin_round(duration_ms now);
  bool is_answered() const;
  bool is_here() const;

  const parts with_;
  std::mutex guard_;
  std::vector<waiting> waiting_;
  std::uint64_t request_ = 0;                    // of the round under way
  bool under_way_ = false;
  duration_ms asked_at_{0};
  std::map<std::uint16_t, std::uint64_t> wanted_;  // positions it brought
};

}  // namespace omnicart::cluster
