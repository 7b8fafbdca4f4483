#include "http/leader_hint.hpp"

#include <nlohmann/json.hpp>

#include "runtime/placement.hpp"

namespace omnicart::http {

void add_leader_address(error& why, std::string_view address) {
  if (address.empty() || !leader_named_by(why)) return;
  why.data.append(1, ' ').append(address);
}

std::string leader_member(const error& why) {
  if (!why.is(base_errc::unavailable) || why.data.empty()) return {};
  const auto space = why.data.find(' ');
  error bare = why;
  bare.data.resize(std::min(space, bare.data.size()));
  const auto leader = leader_named_by(bare);
  if (!leader) return {};
  nlohmann::ordered_json member{{"node", *leader}};
  if (space != why.data.npos) member["http"] = why.data.substr(space + 1);
  return "\"leader\":" + member.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace omnicart::http
