#include "actors/cluster/cluster_kind.hpp"

#include <algorithm>

#include "runtime/base/heap_size.hpp"

namespace omnicart::cluster_record {

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return cluster_record::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { cluster_record::apply(s, what); }
void kind::check(const state& s) { cluster_record::check(s); }
void kind::check_full(const state& s) { cluster_record::check_full(s); }

std::string kind::reply(const state& s, const command& what, const context&) {
  cluster_record::reply answer;
  if (const auto* asked = std::get_if<read>(&what)) {
    answer.whole = s;
    auto& shown = answer.whole->operations;
    if (shown.size() > asked->operations)
      shown.erase(shown.begin(), shown.end() - static_cast<std::ptrdiff_t>(asked->operations));
  }
  return encode_reply(answer);
}

std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return read{}; }
bool kind::in_progress(const state&) { return false; }

std::size_t kind::memory_bytes(const state& s) {
  std::size_t bytes = heap_bytes(s.cluster) + vector_heap_bytes(s.nodes) +
                      vector_heap_bytes(s.desired) + vector_heap_bytes(s.keys) +
                      vector_heap_bytes(s.operations);
  for (const auto& n : s.nodes)
    bytes += heap_bytes(n.name) + heap_bytes(n.link) + heap_bytes(n.http) + heap_bytes(n.operators);
  for (const auto& of : s.desired) bytes += vector_heap_bytes(of.voters);
  for (const auto& key : s.keys) bytes += heap_bytes(key.secret);
  for (const auto& o : s.operations)
    bytes += heap_bytes(o.who) + heap_bytes(o.what) + heap_bytes(o.why);
  return bytes;
}

}  // namespace omnicart::cluster_record
