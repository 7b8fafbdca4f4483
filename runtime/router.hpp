#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/entity_host.hpp"
#include "runtime/kind.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/message.hpp"
#include "runtime/placement.hpp"

namespace omnicart {

struct router_limits {
  std::uint32_t backlog_per_entity = 10'000;  // messages not yet handled, one entity; covers one hot product
  std::uint32_t backlog_per_shard = 50'000;
  std::uint32_t residents = 4'000'000;        // activated entities, whatever their size
  std::size_t memory_bytes = std::size_t{2} << 30;  // budget of activated entities; beyond it the idlest leave
  duration_ms idle{300'000};                  // an entity unused this long leaves
};

struct router_stats {
  std::uint64_t residents = 0;
  std::uint64_t activations = 0;
  std::uint64_t passivations = 0;
  std::uint64_t refused = 0;       // beyond a limit
  std::uint64_t backlog = 0;       // messages not yet handled
  std::uint64_t deepest = 0;       // most of them at one entity now (sampled by sweep)
  std::int64_t resident_bytes = 0;
};

// Finds, or activates, the entity a message is for, within limits; hands messages for ports to their services.
// Also what hosts live in: their host_environment. Thread-safe; send() never blocks beyond a short lock.
class router final : public message_sink, public host_environment {
 public:
  // Makes the mailbox of a new host: a CAF actor, or the simulator's queue.
  using activator = std::function<std::shared_ptr<mailbox>(const entity_ref&, const kind_entry&, host_environment&)>;

  struct parts {
    const kind_registry& kinds;
    omnicart::journal& log;
    entity_store& store;
    const clock& time;
    const placement& place;
    std::uint16_t shard_count;
  };

  router(parts with, router_limits limits, activator activate);
  ~router() override;

  // Messages to "kind/…" go to `service` from now on. Before the first send only. The service outlives the router.
  void add_service(std::string kind, message_sink& service);

  // Messages for shards that another node leads, or nobody, go to `elsewhere` from now on. Before the first send only.
  // It outlives the router, and may call entrance() but never send().
  void set_elsewhere(message_sink& elsewhere) { elsewhere_ = &elsewhere; }
  // The way in for messages that came from another node: to entities of shards led here and nothing else. Ports are each
  // node's own, and what is not ours is never passed on, so that nothing can go round in circles: not_the_leader().
  message_sink& entrance() { return entrance_; }

  // Answers at once: unknown_kind, not the leader (unavailable), a limit (overloaded), stopping (shutting_down).
  void send(envelope message) override;

  // Asks entities that are idle, or the idlest when memory is over its budget, to leave. Call every second or so.
  void sweep();
  // From now on every message is refused as shutting_down, except between entities.
  void stop_accepting() { accepting_ = false; }
  // True when no message is waiting at any entity.
  bool drained() const { return backlog_.load() == 0; }
  // This node no longer leads the shard: what is in memory of its entities counts no more. Whoever
  // waits there is told. Costs time for the entities of this shard (and of those that share its
  // lock: none by default), for no others.
  void drop(std::uint16_t shard);
  // Lets go of every mailbox. Nothing may be sent or called back afterwards.
  void release_all();

  void set_limits(const router_limits& limits);
  router_stats stats() const;
  // Runs `visit` on the host's mailbox if the entity is resident.
  bool resident(const entity_ref& entity) const;

  // host_environment, for hosts only.
  void handled(const entity_host& host) override;
  bool retire(const entity_host& host) override;
  void resident_changed(std::int64_t bytes) override { resident_bytes_ += bytes; }
  void unreadable(const entity_ref& entity, const error& why) override;

 private:
  struct place_of_entity {
    std::shared_ptr<mailbox> box;
    std::uint32_t used_at_s = 0;  // monotonic seconds of the last message
  };
  struct stripe {
    mutable std::mutex guard;
    std::unordered_map<std::string, place_of_entity> entities;  // by "kind/id"
    // Dropped; callbacks may still know them.
    std::unordered_map<const mailbox*, std::shared_ptr<mailbox>> leaving;
    std::atomic<std::uint32_t> backlog{0};
  };
  static constexpr std::size_t stripe_count = 64;
  struct from_others final : message_sink {
    explicit from_others(router& r) : routes(r) {}
    void send(envelope message) override;
    router& routes;
  };

  // One for each shard, or for several: whoever drops a shard visits one stripe, whatever the
  // others hold.
  std::size_t stripe_of(std::uint16_t group) const { return group % stripe_count; }
  stripe& stripe_of(const entity_ref& entity) {
    return stripes_[stripe_of(group_of(entity, shard_count_))];
  }
  std::uint32_t seconds() const { return static_cast<std::uint32_t>(time.monotonic().count() / 1000); }
  void refuse(envelope& message, base_errc why, const char* detail);
  void refuse(envelope& message, error why);
  bool turned_away(envelope& message);  // the node is stopping
  // Sends it on should the leadership be lost before it was handled, so that its caller need not know.
  void follow_the_leader(envelope& message);
  // To the entity, which is ours.
  void deliver(envelope message, const kind_entry& kind);
  // Takes a place in the backlog and returns the mailbox, or nothing beyond a limit. Holds the stripe's lock.
  std::shared_ptr<mailbox> admit(stripe& in, const envelope& message, const kind_entry& kind);

  const kind_registry& kinds_;
  const placement& placement_;
  const std::uint16_t shard_count_;
  activator activate_;
  std::map<std::string, message_sink*, std::less<>> services_;
  message_sink* elsewhere_ = nullptr;  // null: a node alone
  from_others entrance_{*this};
  std::array<stripe, stripe_count> stripes_;
  mutable std::mutex limits_guard_;
  router_limits limits_;
  std::atomic<std::uint32_t> backlog_per_entity_;
  std::atomic<std::uint32_t> backlog_per_shard_;
  std::atomic<bool> accepting_{true};
  std::atomic<std::uint64_t> residents_{0}, activations_{0}, passivations_{0}, refused_{0}, backlog_{0}, deepest_{0};
  std::atomic<std::int64_t> resident_bytes_{0};
};

}  // namespace omnicart
