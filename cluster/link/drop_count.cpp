#include "cluster/link/drop_count.hpp"

#include <optional>

#include "runtime/log.hpp"

namespace omnicart::cluster {

void drop_count::note(node_id from, std::string_view why) {
  std::optional<std::uint64_t> unsaid;
  {
    const std::lock_guard lock(guard_);
    ++count_;
    unsaid = line_.take(quiet_line::time_point::clock::now());
  }
  if (!unsaid) return;
  log::warning(what_, {{"node", from}, {"why", why}, {"more_of_these", *unsaid}});
}

std::uint64_t drop_count::count() const {
  const std::lock_guard lock(guard_);
  return count_;
}

}  // namespace omnicart::cluster
