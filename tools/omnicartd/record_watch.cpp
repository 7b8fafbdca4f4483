#include "tools/omnicartd/record_watch.hpp"

#include <algorithm>
#include <utility>

#include "runtime/log.hpp"

namespace omnicart::node {
namespace {

using kind = cluster_record::kind;

result<std::pair<cluster_record::record, std::uint64_t>> read(const stored_entity& found) {
  std::pair<cluster_record::record, std::uint64_t> made;
  if (found.state) {
    auto state = kind::decode_state(found.state->state);
    if (!state) return fail(std::move(state.error()));
    made = {std::move(*state), found.state->version};
  }
  for (const auto& record : found.events) {
    const auto event = kind::decode_event(record.event);
    if (!event) return fail(event.error());
    kind::apply(made.first, *event);
    ++made.second;
  }
  return made;
}

}  // namespace

void record_watch::committed(const persistence::committed_batch& batch) {
  const auto ours = [this](const persistence::committed_entry& entry) { return entry.shard == group_; };
  if (std::any_of(batch.entries.begin(), batch.entries.end(), ours)) changed_ = true;
}

bool record_watch::refresh() {
  if (changed_ && !reading_.exchange(true)) {
    changed_ = false;
    store_.load(cluster_record::the_record(), [this](result<stored_entity> found) { take(std::move(found)); });
  }
  const std::lock_guard lock(guard_);
  return std::exchange(is_new_, false);
}

void record_watch::take(result<stored_entity> found) {
  auto fresh = found ? read(*found) : fail(found.error());
  if (!fresh) {
    log::error("the cluster's record does not read", {{"why", fresh.error().detail}});
    changed_ = true;  // a loader's queue may have been full
  } else {
    auto made = std::make_shared<copy>(copy{std::move(fresh->first), fresh->second});
    const std::lock_guard lock(guard_);
    is_new_ = is_new_ || made->version != copy_->version || made->what != copy_->what;
    copy_ = std::move(made);
    has_looked_ = true;
  }
  reading_ = false;
}

std::shared_ptr<const cluster_record::record> record_watch::now() const {
  const std::lock_guard lock(guard_);
  return {copy_, &copy_->what};
}

std::uint64_t record_watch::version() const {
  const std::lock_guard lock(guard_);
  return copy_->version;
}

}  // namespace omnicart::node
