#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/stock/stock_messages.hpp"
#include "runtime/base/heap_size.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::stock {

// How long an ended order and a return key are remembered (log time), and how many of each at most.
inline constexpr std::chrono::hours memory_retention{72};
inline constexpr std::size_t memory_count_max = 200'000;

// All in units. Law: on_hand = available + reserved, received + adjusted = on_hand + sold -
// returned. `reserved`: in holds, claims and transfers.
struct figures {
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t available = 0;
  std::int64_t received = 0;
  std::int64_t adjusted = 0;
  std::int64_t sold = 0;
  std::int64_t returned = 0;
  friend bool operator==(const figures&, const figures&) = default;
};

struct hold {
  std::int64_t quantity = 0;
  std::string session;  // empty: staff's
  duration_ms ttl{0};   // as first asked, to tell a repeated reserve from another
  timestamp_ms expires_at;
};

// Session holds by id, by expiry and by session; every operation is O(log n), every order is that
// of the keys.
class hold_book {
 public:
  using by_id = std::map<reservation_id, hold>;
  using by_expiry = std::set<std::pair<timestamp_ms, reservation_id>>;

  const hold* find(const reservation_id& id) const;
  void insert(const reservation_id& id, hold what);
  void extend(const reservation_id& id, timestamp_ms expires_at);
  std::int64_t erase(const reservation_id& id);  // the units it held; 0 when there is none

  const by_id& all() const { return holds_; }
  const by_expiry& expiries() const { return expiries_; }
  // The holds of one session, in id order; empty for none.
  const std::set<reservation_id>& of_session(const std::string& session) const;
  std::size_t memory_bytes() const { return bytes_; }  // estimated; O(1)

 private:
  by_id holds_;
  by_expiry expiries_;
  std::map<std::string, std::set<reservation_id>> sessions_;
  std::size_t bytes_ = 0;
};

// Facts kept for a while: found by key in O(1), forgotten oldest first. Iterated in the order they
// were recorded.
template <class Fact>
class recent_facts {
 public:
  using key_type = std::string;

  const Fact* find(const key_type& key) const {
    const auto at = facts_.find(key);
    return at == facts_.end() ? nullptr : &at->second;
  }
  // Keeps the first fact of a key. `at` never goes back.
  void record(const key_type& key, Fact fact, timestamp_ms at) {
    if (facts_.emplace(key, std::move(fact)).second) {
      order_.emplace_back(at, key);
      bytes_ += bytes_of(key);
    }
    // A damaged record may name any time; one in the first hours there are has none before it.
    const bool has_older = at > timestamp_ms::min() + memory_retention;
    forget_before(has_older ? timestamp_ms(at - memory_retention) : timestamp_ms::min());
  }
  Fact* find(const key_type& key) {
    const auto at = facts_.find(key);
    return at == facts_.end() ? nullptr : &at->second;
  }
  const std::deque<std::pair<timestamp_ms, key_type>>& order() const { return order_; }
  std::size_t size() const { return order_.size(); }
  std::size_t memory_bytes() const { return bytes_; }  // estimated; O(1)

 private:
  // A hash node (pointer, hash, key, fact) with its bucket, and an entry of the deque.
  static std::size_t bytes_of(const key_type& key) {
    return 2 * heap_block_bytes(key.size() + 1) +
           heap_block_bytes(16 + sizeof(key) + sizeof(Fact)) + 2 * sizeof(void*) +
           sizeof(timestamp_ms) + sizeof(key);
  }

  void forget_before(timestamp_ms oldest) {
    while (!order_.empty() && (order_.front().first < oldest || order_.size() > memory_count_max)) {
      bytes_ -= bytes_of(order_.front().second);
      facts_.erase(order_.front().second);
      order_.pop_front();
    }
  }

  std::unordered_map<key_type, Fact> facts_;
  std::deque<std::pair<timestamp_ms, key_type>> order_;
  std::size_t bytes_ = 0;
};

struct open_claim {
  std::int64_t quantity = 0;
  std::string customer;       // whose units are counted; empty: nobody's
  std::int64_t short_of = 0;  // of them, not there when they were claimed
};

// How an order's claim ended. `quantity` is 0 for an order that unclaimed without a claim.
struct ended_claim {
  bool sold = false;
  std::int64_t quantity = 0;
  std::int64_t returned = 0;
  std::string customer;
  std::int64_t short_of = 0;
};

struct open_transfer {
  std::string from;
  std::string to;
  std::int64_t quantity = 0;
  timestamp_ms sent_at;
};

// Where the units are. Locations without any have no entry.
class place_book {
 public:
  using by_location = std::map<std::string, std::int64_t>;

  std::int64_t at(const std::string& location) const;
  void add(const std::string& location, std::int64_t units);  // nothing for the empty name
  const by_location& all() const { return units_; }
  std::int64_t total() const { return total_; }
  // Which locations `wanted` units leave from: the one that has most first, then the next. Less
  // than `wanted` when there is not so much.
  std::vector<std::pair<std::string, std::int64_t>> drawn(std::int64_t wanted) const;

 private:
  by_location units_;
  std::int64_t total_ = 0;
};

struct state {
  bool is_counted = false;  // false: nothing was ever set or adjusted
  figures units;
  hold_book holds;
  std::map<order_id, open_claim> claims;
  recent_facts<ended_claim> ended;     // by order
  recent_facts<std::int64_t> returns;  // units by return_name()
  terms promised;
  std::int64_t owed_floor = 0;  // the most units that the terms ever allowed to owe
  place_book places;
  std::map<std::string, open_transfer> transfers;
  std::int64_t in_transfer = 0;
  std::map<std::string, std::int64_t>
      customers;  // units in claims and sales, counted while terms limit them
};

// on_hand that is neither at a location nor on its way to one; negative for units that are owed.
std::int64_t at_no_location(const state& now);

// The key of a return among those of all orders: unambiguous whatever the texts hold.
std::string return_name(const order_id& order, const std::string& return_key);

}  // namespace omnicart::stock
