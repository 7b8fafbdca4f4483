#include "actors/stock/stock_state.hpp"

#include <algorithm>

namespace omnicart::stock {
namespace {

const std::set<reservation_id> no_holds;

// A node of std::map or std::set: three pointers and a colour before the value.
constexpr std::size_t tree_node_bytes = 32;

// Of a text, by its length: a capacity may change on the way, and what is added must be taken off
// again.
std::size_t bytes_of(const std::string& text) { return heap_block_bytes(text.size() + 1); }

std::size_t bytes_of(const reservation_id& id, const hold& what) {
  return 3 * bytes_of(id.str()) + bytes_of(what.session) +
         heap_block_bytes(tree_node_bytes + sizeof(hold_book::by_id::value_type)) +
         heap_block_bytes(tree_node_bytes + sizeof(hold_book::by_expiry::value_type)) +
         heap_block_bytes(tree_node_bytes + sizeof(reservation_id));
}

std::size_t bytes_of_session(const std::string& session) {
  return bytes_of(session) +
         heap_block_bytes(tree_node_bytes + sizeof(session) + sizeof(std::set<reservation_id>));
}

}  // namespace

const hold* hold_book::find(const reservation_id& id) const {
  const auto at = holds_.find(id);
  return at == holds_.end() ? nullptr : &at->second;
}

void hold_book::insert(const reservation_id& id, hold what) {
  erase(id);
  bytes_ += bytes_of(id, what);
  expiries_.emplace(what.expires_at, id);
  auto& of_session = sessions_[what.session];
  if (of_session.empty()) bytes_ += bytes_of_session(what.session);
  of_session.insert(id);
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
  bytes_ -= bytes_of(id, at->second);
  if (session->second.empty()) {
    bytes_ -= bytes_of_session(session->first);
    sessions_.erase(session);
  }
  holds_.erase(at);
  return quantity;
}

const std::set<reservation_id>& hold_book::of_session(const std::string& session) const {
  const auto at = sessions_.find(session);
  return at == sessions_.end() ? no_holds : at->second;
}

std::int64_t place_book::at(const std::string& location) const {
  const auto found = units_.find(location);
  return found == units_.end() ? 0 : found->second;
}

void place_book::add(const std::string& location, std::int64_t units) {
  if (location.empty() || units == 0) return;
  const auto found = units_.try_emplace(location, 0).first;
  found->second += units;
  total_ += units;
  if (found->second == 0) units_.erase(found);
}

std::vector<std::pair<std::string, std::int64_t>> place_book::drawn(std::int64_t wanted) const {
  std::vector<std::pair<std::string, std::int64_t>> taken(units_.begin(), units_.end());
  std::stable_sort(taken.begin(), taken.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::size_t used = 0;
  for (; used < taken.size() && wanted > 0; ++used) {
    taken[used].second = std::min(taken[used].second, wanted);
    wanted -= taken[used].second;
  }
  taken.resize(used);
  return taken;
}

std::int64_t at_no_location(const state& now) {
  return now.units.on_hand - now.places.total() - now.in_transfer;
}

std::string return_name(const order_id& order, const std::string& return_key) {
  return std::to_string(order.str().size()) + ':' + order.str() + return_key;
}

}  // namespace omnicart::stock
