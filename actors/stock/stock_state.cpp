#include "actors/stock/stock_state.hpp"

#include "runtime/base/heap_size.hpp"

namespace omnicart::stock {
namespace {

const std::set<reservation_id> no_holds;

// A node of std::map or std::set: three pointers and a colour before the value.
constexpr std::size_t tree_node_bytes = 32;

}  // namespace

const hold* hold_book::find(const reservation_id& id) const {
  const auto at = holds_.find(id);
  return at == holds_.end() ? nullptr : &at->second;
}

void hold_book::insert(const reservation_id& id, hold what) {
  erase(id);
  expiries_.emplace(what.expires_at, id);
  sessions_[what.session].insert(id);
  holds_.emplace(id, std::move(what));
}

void hold_book::extend(const reservation_id& id, timestamp_ms expires_at) {
  const auto at = holds_.find(id);
  if (at == holds_.end()) return;
  expiries_.erase({at->second.expires_at, id});
  at->second.expires_at = expires_at;
  expiries_.emplace(expires_at, id);
}

std::int64_t hold_book::erase(const reservation_id& id) {
  const auto at = holds_.find(id);
  if (at == holds_.end()) return 0;
  const std::int64_t quantity = at->second.quantity;
  expiries_.erase({at->second.expires_at, id});
  const auto session = sessions_.find(at->second.session);
  session->second.erase(id);
  if (session->second.empty()) sessions_.erase(session);
  holds_.erase(at);
  return quantity;
}

const std::set<reservation_id>& hold_book::of_session(const std::string& session) const {
  const auto at = sessions_.find(session);
  return at == sessions_.end() ? no_holds : at->second;
}

std::size_t hold_book::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [id, what] : holds_) {
    bytes += 3 * heap_bytes(id.str()) + heap_bytes(what.session);
    bytes += heap_block_bytes(tree_node_bytes + sizeof(by_id::value_type)) +
             heap_block_bytes(tree_node_bytes + sizeof(by_expiry::value_type)) +
             heap_block_bytes(tree_node_bytes + sizeof(reservation_id));
  }
  for (const auto& [session, ids] : sessions_) {
    bytes +=
        heap_bytes(session) + heap_block_bytes(tree_node_bytes + sizeof(session) + sizeof(ids));
  }
  return bytes;
}

std::string return_name(const order_id& order, const std::string& return_key) {
  return std::to_string(order.str().size()) + ':' + order.str() + return_key;
}

}  // namespace omnicart::stock
