#include "runtime/router.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/log.hpp"

namespace omnicart {

router::router(parts with, router_limits limits, activator activate)
    : host_environment(with.log, with.store, *this, with.time),
      kinds_(with.kinds),
      placement_(with.place),
      shard_count_(with.shard_count),
      activate_(std::move(activate)),
      limits_(limits),
      backlog_per_entity_(limits.backlog_per_entity),
      backlog_per_shard_(limits.backlog_per_shard) {}

router::~router() { release_all(); }

void router::add_service(std::string kind, message_sink& service) {
  services_.emplace(std::move(kind), &service);
}

void router::refuse(envelope& message, base_errc why, const char* detail) { refuse(message, make_error(why, detail)); }

void router::refuse(envelope& message, error why) {
  if (is_fault(why.number)) ++refused_;
  if (!message.reply) return;
  answer got;
  got.failure = std::move(why);
  message.reply(std::move(got));
}

bool router::turned_away(envelope& message) {
  if (accepting_ || message.asker.as == role::system) return false;
  refuse(message, base_errc::shutting_down, "the node is stopping");
  return true;
}

void router::send(envelope message) {
  if (turned_away(message)) return;
  if (const auto service = services_.find(message.to.kind); service != services_.end()) {
    return service->second->send(std::move(message));
  }
  const kind_entry* kind = kinds_.find(message.to.kind);
  if (!kind) return refuse(message, base_errc::unknown_kind, "no such kind of entity");
  const std::uint16_t shard = group_of(message.to, shard_count_);
  if (placement_.leads(shard)) {
    if (elsewhere_ && message.reply) follow_the_leader(message);
    return deliver(std::move(message), *kind);
  }
  if (elsewhere_) return elsewhere_->send(std::move(message));
  refuse(message, not_the_leader(placement_.leader(shard)));
}

void router::follow_the_leader(envelope& message) {
  auto reply = std::exchange(message.reply, nullptr);
  message.reply = [this, again = message, reply = std::move(reply)](answer got) mutable {
    const bool undone = got.failure && got.failure->is(base_errc::unavailable);
    const bool doubtful = got.failure && got.failure->is(base_errc::unknown_outcome);
    if (!undone && !(doubtful && (again.id || again.repeatable))) return reply(std::move(got));
    again.reply = std::move(reply);
    elsewhere_->send(std::move(again));
  };
}

void router::from_others::send(envelope message) {
  if (routes.turned_away(message)) return;
  const kind_entry* kind = routes.kinds_.find(message.to.kind);
  if (!kind) return routes.refuse(message, base_errc::unknown_kind, "no such kind of entity");
  const std::uint16_t shard = group_of(message.to, routes.shard_count_);
  if (routes.placement_.leads(shard)) return routes.deliver(std::move(message), *kind);
  routes.refuse(message, not_the_leader(routes.placement_.leader(shard)));
}

void router::deliver(envelope message, const kind_entry& kind) {
  stripe& in = stripe_of(message.to);
  std::shared_ptr<mailbox> box;
  {
    std::lock_guard lock(in.guard);
    box = admit(in, message, kind);
    // Posted under the lock: an entity that retires now either sees the backlog or is gone from the map.
    if (box) box->post(std::move(message));
  }
  if (!box) refuse(message, base_errc::overloaded, "too many messages wait for this record");
}

std::shared_ptr<mailbox> router::admit(stripe& in, const envelope& message, const kind_entry& kind) {
  const bool internal = message.asker.as == role::system;
  if (!internal && in.backlog >= backlog_per_shard_) return nullptr;
  auto [at, fresh] = in.entities.try_emplace(message.to.str());
  place_of_entity& entity = at->second;
  if (fresh) {
    if (!internal && residents_ >= limits_.residents) {
      in.entities.erase(at);
      return nullptr;
    }
    entity.box = activate_(message.to, kind, *this);
    ++residents_;
    ++activations_;
  } else if (!internal && entity.box->backlog >= backlog_per_entity_) {
    return nullptr;
  }
  entity.used_at_s = seconds();
  ++entity.box->backlog;
  ++in.backlog;
  ++backlog_;
  return entity.box;
}

void router::handled(const entity_host& host) {
  --host.box().backlog;
  --stripe_of(host.self()).backlog;
  --backlog_;
}

bool router::retire(const entity_host& host) {
  std::shared_ptr<mailbox> box;  // let go outside the lock
  stripe& in = stripe_of(host.self());
  std::lock_guard lock(in.guard);
  if (host.box().backlog > 0) return false;
  const auto at = in.entities.find(host.self().str());
  if (at != in.entities.end() && at->second.box.get() == &host.box()) {
    box = std::move(at->second.box);
    in.entities.erase(at);
    --residents_;
    ++passivations_;
    return true;
  }
  const auto left = in.leaving.find(&host.box());
  if (left == in.leaving.end()) return false;
  box = std::move(left->second);
  in.leaving.erase(left);
  return true;
}

void router::drop(std::uint16_t shard) {
  stripe& in = stripes_[stripe_of(shard)];
  std::lock_guard lock(in.guard);
  for (auto at = in.entities.begin(); at != in.entities.end();) {
    const std::string_view name = at->first;
    const auto slash = name.find('/');
    if (group_of(name.substr(0, slash), name.substr(slash + 1), shard_count_) != shard) {
      ++at;
      continue;
    }
    at->second.box->post(leadership_lost{});
    const mailbox* const box = at->second.box.get();
    in.leaving.emplace(box, std::move(at->second.box));
    at = in.entities.erase(at);
    --residents_;
  }
}

void router::unreadable(const entity_ref& entity, const error& why) {
  log::error("stored record does not read", {{"entity", entity.str()}, {"why", why.detail}});
}

void router::sweep() {
  std::unique_lock lock(limits_guard_);
  const router_limits limits = limits_;
  lock.unlock();
  const auto now = seconds();
  auto idle_s = static_cast<std::uint32_t>(limits.idle.count() / 1000);
  // Over the budget: whoever was idle for half a minute, then whoever is not busy at all.
  const auto used = static_cast<std::size_t>(std::max<std::int64_t>(resident_bytes_, 0));
  if (used > limits.memory_bytes) idle_s = std::min(idle_s, std::uint32_t{30});
  if (used > limits.memory_bytes + limits.memory_bytes / 8) idle_s = 1;
  std::uint64_t deepest = 0;
  for (auto& in : stripes_) {
    std::lock_guard hold(in.guard);
    for (auto& [name, entity] : in.entities) {
      deepest = std::max<std::uint64_t>(deepest, entity.box->backlog);
      if (entity.box->backlog == 0 && now - entity.used_at_s >= idle_s) entity.box->post(passivation_asked{});
    }
  }
  deepest_ = deepest;
}

void router::release_all() {
  for (auto& in : stripes_) {
    std::unordered_map<std::string, place_of_entity> entities;
    std::unordered_map<const mailbox*, std::shared_ptr<mailbox>> leaving;
    std::lock_guard lock(in.guard);
    entities.swap(in.entities);
    leaving.swap(in.leaving);
    residents_ -= entities.size();
  }
}

void router::set_limits(const router_limits& limits) {
  std::lock_guard lock(limits_guard_);
  limits_ = limits;
  backlog_per_entity_ = limits.backlog_per_entity;
  backlog_per_shard_ = limits.backlog_per_shard;
}

router_stats router::stats() const {
  return {.residents = residents_,
          .activations = activations_,
          .passivations = passivations_,
          .refused = refused_,
          .backlog = backlog_,
          .deepest = deepest_,
          .resident_bytes = resident_bytes_};
}

bool router::resident(const entity_ref& entity) const {
  const stripe& in = stripes_[stripe_of(group_of(entity, shard_count_))];
  std::lock_guard lock(in.guard);
  return in.entities.contains(entity.str());
}

}  // namespace omnicart
