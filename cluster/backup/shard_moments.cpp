#include "cluster/backup/shard_moments.hpp"

#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <utility>

namespace omnicart::cluster {

shard_moments::shard_moments(persistence::store& data) : store_(data) {}

shard_moments::~shard_moments() = default;

void shard_moments::follow(cut_id cut) {
  decltype(held_) over;
  const std::lock_guard lock(guard_);
  over.swap(held_);
  cut_ = cut;
}

bool shard_moments::reached(const marked_shard& shard) {
  const std::lock_guard lock(guard_);
  if (cut_ == 0 || shard.cut != cut_) return false;
  held_[shard.at.shard] = std::make_unique<rocksdb::ManagedSnapshot>(&store_.db());
  return true;
}

std::unique_ptr<rocksdb::ManagedSnapshot> shard_moments::take(std::uint16_t shard) {
  const std::lock_guard lock(guard_);
  const auto at = held_.find(shard);
  if (at == held_.end()) return nullptr;
  auto taken = std::move(at->second);
  held_.erase(at);
  return taken;
}

}  // namespace omnicart::cluster
