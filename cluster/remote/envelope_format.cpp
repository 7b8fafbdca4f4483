#include "cluster/remote/envelope_format.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace omnicart::cluster {

version_range envelope_versions() {
  const auto formats = envelope_formats();
  return {formats.front().version, formats.back().version};
}

peer_formats::peer_formats(std::span<const envelope_format> formats) : formats_(formats) {
  ensure(!formats_.empty(), "a build speaks some format");
}

void peer_formats::attach(transport& net) {
  net.watch([this](const peer_change& change) {
    const auto spoken = std::find_if(formats_.begin(), formats_.end(),
                                     [&](const auto& each) { return each.version == change.version; });
    const std::lock_guard lock(guard_);
    if (change.up && spoken != formats_.end()) {
      agreed_[change.peer] = &*spoken;
    } else {
      agreed_.erase(change.peer);
    }
  });
}

const envelope_format& peer_formats::of(node_id peer) const {
  const std::lock_guard lock(guard_);
  const auto found = agreed_.find(peer);
  return found == agreed_.end() ? formats_.front() : *found->second;
}

}  // namespace omnicart::cluster
