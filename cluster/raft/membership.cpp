#include "cluster/raft/membership.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "runtime/base/codec.hpp"

namespace omnicart::raft {
namespace {

auto position(configuration& members, node_id node) {
  return std::ranges::find(members.servers, node, &server::node);
}

tl::unexpected<error> refused(const char* why) { return fail(base_errc::precondition_failed, why); }

}  // namespace

result<configuration> changed(const configuration& before, const membership_change& change) {
  configuration after = before;
  const auto at = position(after, change.node);
  const bool is_member = at != after.servers.end();
  switch (change.what) {
    case membership_change::kind::add:
      if (is_member) return refused("the node is a member already");
      if (change.as == role::voter) return refused("a node is added as a standby or spare");
      after.servers.push_back({.node = change.node, .as = change.as});
      break;
    case membership_change::kind::remove:
      if (!is_member) return refused("the node is no member");
      after.servers.erase(at);
      break;
    case membership_change::kind::assign:
      if (!is_member) return refused("the node is no member");
      if (at->as == change.as) return refused("the node has that role already");
      at->as = change.as;
      break;
  }
  if (const auto sound = check(after); !sound) return refused(sound.error().detail.c_str());
  return after;
}

status check(const configuration& members) {
  if (members.servers.size() > servers_max) return malformed("too many members");
  std::set<node_id> seen;
  for (const auto& s : members.servers) {
    if (s.node == 0) return malformed("a member without an id");
    if (!seen.insert(s.node).second) return malformed("a member twice");
    if (s.as != role::standby && s.as != role::voter && s.as != role::spare)
      return malformed("an unknown role");
  }
  if (voters_of(members).empty()) return malformed("nobody is left to vote");
  return {};
}

std::vector<node_id> voters_of(const configuration& members) {
  std::vector<node_id> voters;
  for (const auto& s : members.servers) {
    if (s.as == role::voter) voters.push_back(s.node);
  }
  return voters;
}

const server* find(const configuration& members, node_id node) {
  const auto at = std::ranges::find(members.servers, node, &server::node);
  return at == members.servers.end() ? nullptr : &*at;
}

std::string encode_configuration(const configuration& members) { return codec::encode(members); }

result<configuration> decode_configuration(std::string_view bytes) {
  auto members = codec::decode<configuration>(bytes);
  if (!members) return members;
  if (const auto sound = check(*members); !sound) return fail(sound.error());
  return members;
}

log_entry first_entry(const configuration& members) {
  return {.index = 1,
          .term = 1,
          .type = entry_type::change,
          .bytes = std::make_shared<const std::string>(encode_configuration(members))};
}

}  // namespace omnicart::raft
