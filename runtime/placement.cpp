#include "runtime/placement.hpp"

#include <charconv>

namespace omnicart {

error not_the_leader(std::optional<node_id> leader) {
  if (!leader) return make_error(base_errc::unavailable, "no leader of this shard is known");
  return make_error(base_errc::unavailable, "another node leads this shard", std::to_string(*leader));
}

std::optional<node_id> leader_named_by(const error& why) {
  node_id leader = 0;
  const char* const end = why.data.data() + why.data.size();
  const auto [stop, failure] = std::from_chars(why.data.data(), end, leader);
  const bool whole = failure == std::errc{} && stop == end && leader != 0;
  return why.is(base_errc::unavailable) && whole ? std::optional(leader) : std::nullopt;
}

}  // namespace omnicart
