#pragma once

#include <deque>
#include <vector>

#include "cluster/raft/membership.hpp"
#include "cluster/raft/raft_engine.h"
#include "cluster/raft/types.hpp"

// Our values in the engine's shapes. What these hold must outlive the call they are passed to.
namespace omnicart::raft {

class engine_servers {
 public:
  explicit engine_servers(const configuration& members) {
    for (const auto& s : members.servers) servers_.push_back({s.node, static_cast<int>(s.as)});
  }
  raft_engine_configuration view() const {
    return {servers_.data(), static_cast<unsigned>(servers_.size())};
  }

 private:
  std::vector<raft_engine_server> servers_;
};

class engine_snapshot {
 public:
  explicit engine_snapshot(const snapshot_metadata& from) : servers_(from.members), from_(from) {}
  raft_engine_snapshot view() const {
    return {from_.index, from_.term, from_.configuration_index, servers_.view()};
  }

 private:
  engine_servers servers_;
  const snapshot_metadata& from_;
};

// Entries whose changes are known to decode.
class engine_entries {
 public:
  explicit engine_entries(const std::vector<log_entry>& from) {
    entries_.reserve(from.size());
    for (const auto& e : from) add(e);
  }
  const raft_engine_entry* data() const { return entries_.data(); }
  unsigned size() const { return static_cast<unsigned>(entries_.size()); }

 private:
  void add(const log_entry& e) {
    raft_engine_entry entry{e.term, static_cast<int>(e.type), {nullptr, 0}};
    if (e.type == entry_type::change) {
      entry.change = changes_.emplace_back(decode_configuration(*e.bytes).value()).view();
    }
    entries_.push_back(entry);
  }

  std::deque<engine_servers> changes_;  // views must not move
  std::vector<raft_engine_entry> entries_;
};

}  // namespace omnicart::raft
