#include "cluster/remote/members_only.hpp"

#include <utility>

namespace omnicart::cluster {

void members_only::admit(std::set<node_id> members) {
  const std::lock_guard lock(guard_);
  members_ = std::move(members);
}

bool members_only::has(node_id member) const {
  const std::lock_guard lock(guard_);
  return members_.contains(member);
}

std::uint64_t members_only::dropped() const {
  const std::lock_guard lock(guard_);
  return dropped_;
}

bool members_only::let_in(node_id from) {
  const std::lock_guard lock(guard_);
  const bool known = members_.contains(from);
  dropped_ += !known;
  return known;
}

void members_only::receive(channel on, message_fn handler) {
  net_.receive(on, [this, take = std::move(handler)](node_id from, std::string bytes) {
    if (let_in(from)) take(from, std::move(bytes));
  });
}

}  // namespace omnicart::cluster
