#include "actors/cluster/cluster_record.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/text.hpp"

namespace omnicart::cluster_record {

const char* to_string(node_state s) {
  switch (s) {
    case node_state::joining:
      return "joining";
    case node_state::active:
      return "active";
    case node_state::draining:
      return "draining";
    case node_state::removed:
      return "removed";
  }
  return "";
}

const node* find(const record& r, node_id id) {
  const auto at = std::ranges::lower_bound(r.nodes, id, {}, &node::id);
  return at != r.nodes.end() && at->id == id ? &*at : nullptr;
}

const node* find_by_name(const record& r, std::string_view name) {
  const auto at = std::ranges::find_if(
      r.nodes, [&](const node& n) { return n.name == name && n.state != node_state::removed; });
  return at == r.nodes.end() ? nullptr : &*at;
}

bool is_serving(const node& n) {
  return n.state == node_state::active || n.state == node_state::draining;
}

std::vector<const node*> living_nodes(const record& r) {
  std::vector<const node*> living;
  for (const auto& n : r.nodes) {
    if (n.state != node_state::removed) living.push_back(&n);
  }
  return living;
}

std::size_t active_count(const record& r) {
  return static_cast<std::size_t>(std::ranges::count(r.nodes, node_state::active, &node::state));
}

std::vector<std::uint16_t> shards_naming(const record& r, node_id id) {
  std::vector<std::uint16_t> shards;
  for (std::size_t shard = 0; shard < r.desired.size(); ++shard) {
    const auto& voters = r.desired[shard].voters;
    if (std::ranges::find(voters, id) != voters.end())
      shards.push_back(static_cast<std::uint16_t>(shard));
  }
  return shards;
}

const signing_key* key_to_sign(const record& r, timestamp_ms now) {
  const auto in_force = [now](const signing_key& k) {
    return k.active_from <= now && now < k.expires_at;
  };
  const auto newest = std::find_if(r.keys.rbegin(), r.keys.rend(), in_force);
  return newest == r.keys.rend() ? nullptr : &*newest;
}

const signing_key* key_to_verify(const record& r, std::uint64_t number, timestamp_ms now) {
  const auto at = std::ranges::find(r.keys, number, &signing_key::number);
  return at != r.keys.end() && now < at->expires_at ? &*at : nullptr;
}

bool is_good_name(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_good = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::ranges::all_of(name, is_good) &&
         !std::ranges::all_of(name, is_digit);
}

bool is_good_address(std::string_view address) {
  const auto colon = address.rfind(':');
  if (address.size() > address_bytes_max || colon == address.npos || colon == 0) return false;
  if (!is_printable_ascii(address) || address.find(' ') != address.npos) return false;
  const auto host = address.substr(0, colon);
  const bool is_bracketed = host.front() == '[' && host.back() == ']';
  if (host.find(':') != host.npos && !is_bracketed) return false;
  std::uint16_t port = 0;
  const auto text = address.substr(colon + 1);
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace omnicart::cluster_record
