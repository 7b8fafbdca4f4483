#include "tests/sim/committed_log.hpp"

#include <xxhash.h>

#include <string>

#include "persistence/shard_log.hpp"

namespace omnicart::sim {
namespace {

// Barriers and changes of membership are told without their content.
std::uint64_t hash_of(const persistence::log_entry& entry) {
  if (entry.items.empty()) return 0;
  const auto bytes = persistence::encode(entry);
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string place(std::uint16_t group, std::uint64_t index) {
  return "shard " + std::to_string(group) + ", entry " + std::to_string(index);
}

}  // namespace

void committed_log::applied(node_id node, const persistence::committed_batch& batch,
                            persistence::store& data) {
  for (const auto& each : batch.entries) applied(node, each, data);
}

void committed_log::applied(node_id node, const persistence::committed_entry& each,
                            persistence::store& data) {
  auto& known = entries_[each.shard];
  if (each.index > known.size() + 1) read_up_to(node, each.shard, each.index - 1, data);
  if (each.index == known.size() + 1) return add(node, each);
  if (each.index > known.size()) return;  // said already
  const auto& first = known[each.index - 1];
  if (first.hash == hash_of(each.entry)) return;
  checks_.violate("nodes apply the same log", place(each.shard, each.index) +
                                                  " is another on node " + std::to_string(node) +
                                                  " than on node " + std::to_string(first.from));
}

void committed_log::read_up_to(node_id node, std::uint16_t group, std::uint64_t index,
                               persistence::store& data) {
  const auto next = entries_[group].size() + 1;
  const auto missed = persistence::shard_log(data).read(group, next, index - next + 1, SIZE_MAX);
  if (!missed || missed->size() != index - next + 1) {
    return checks_.violate("the log reads without a gap",
                           place(group, next) + " was applied by nobody, and node " +
                               std::to_string(node) + " goes on behind it");
  }
  for (const auto& each : *missed) add(node, each);
}

void committed_log::add(node_id node, const persistence::committed_entry& fresh) {
  entries_[fresh.shard].push_back({hash_of(fresh.entry), node});
  contents_.committed(fresh.shard, fresh.entry);
  for (const auto& part : fresh.entry.items) {
    if (auto added = append_to(past_, part); !added)
      checks_.violate("each version follows the one before", added.error().detail);
  }
  persistence::committed_batch one;
  one.entries.push_back(fresh);
  checks_.committed(one);
}

}  // namespace omnicart::sim
