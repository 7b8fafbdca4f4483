#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/raft/types.hpp"
#include "runtime/base/result.hpp"

// Configurations: how they change, and their stored form.
namespace omnicart::raft {

// The refusal of what another node sent, or of what was stored, and makes no sense.
inline tl::unexpected<error> malformed(const char* why) { return fail(base_errc::malformed, why); }

inline constexpr std::size_t servers_max = 16;  // of one group, voters or not

// One step from a configuration to the next. Only one server may change at a time: only then do the
// majorities before and after share a member (Ongaro 2014, section 4.1).
struct membership_change {
  enum class kind { add, remove, assign };
  kind what = kind::add;
  node_id node = 0;
  role as = role::standby;  // of the added (no voter) or reassigned server
};

// The configuration after the change; the others keep their places. Refusals
// (base_errc::precondition_failed): the node is there already or to vote at once (add), is not
// there (remove, assign), has that role; none would be left to vote; too many.
result<configuration> changed(const configuration& before, const membership_change& change);

// base_errc::malformed unless it has a voter, distinct ids above 0, known roles and at most
// servers_max members.
status check(const configuration& members);

std::vector<node_id> voters_of(const configuration& members);
const server* find(const configuration& members, node_id node);

// msgpack, schema 1. decode_configuration also checks.
std::string encode_configuration(const configuration& members);
result<configuration> decode_configuration(std::string_view bytes);

// The first entry of a new group's log: term 1, index 1, the same on every node that starts with
// it. A node that joins later starts with an empty log instead.
log_entry first_entry(const configuration& members);

}  // namespace omnicart::raft
