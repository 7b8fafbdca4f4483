#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/cart/cart_kind.hpp"
#include "actors/order/order_kind.hpp"
#include "persistence/committed.hpp"
#include "persistence/reader_pool.hpp"
#include "persistence/store.hpp"
#include "runtime/base/entity.hpp"
#include "runtime/kind.hpp"
#include "runtime/message.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::sim {

struct broken_law {
  std::string law;
  std::string detail;
};

// What a shopper was told of an order, last.
struct told_order {
  std::string id;
  std::string reference;
  order::order_view view;
};

// Every event of every entity since the store was made, from the log, which keeps it all.
struct recorded {
  std::uint64_t version = 0;
  event_record record;
};
using history = std::map<std::string, std::vector<recorded>>;  // by "kind/id", in order of version

// Reads it. Breaks a law when a version is missing or there twice.
result<history> read_history(persistence::store& data);
// Adds what one entry of a log holds of one entity. As above.
status append_to(history& past, const persistence::logged_item& part);

// The entity as it is found in a store (snapshot, and the events after it) against all its events
// from the first; nothing when they agree.
std::optional<broken_law> compare_stored(const persistence::reader_pool& reads,
                                         const entity_ref& entity,
                                         const std::vector<recorded>& events);

// What the world was promised, and whether it holds. The checks of entities have their own
// arithmetic: they read recorded events, not the states that the rules keep.
class sim_checks {
 public:
  // --- while it runs
  void committed(const persistence::committed_batch& batch);
  // An answer leaves the node: all that it rests on must be durable.
  void answered(const entity_ref& entity, const answer& got, bool storage_failed);
  std::uint64_t seen(const entity_ref& entity) const;
  // An effect leaves an entity: the events that it follows from must be durable.
  void effect_sent(const entity_ref& from, const envelope& what);
  // After a restart: nothing that was seen is gone.
  void restarted(persistence::store& data);
  // Nothing that an answer spoke of is missing in this past.
  void nothing_lost(const history& past);

  // --- what shoppers were told
  void added_to_cart(const std::string& cart, const std::string& tag) { acked_adds_[tag] = cart; }
  void refused_to_add(const std::string& tag) { refused_adds_.insert(tag); }
  void told(const told_order& order);
  void cancelled(const std::string& order_id) { cancelled_.insert(order_id); }

  // --- at the end, when nothing is in flight. `until`: holds due before it must have ended.
  void at_rest(const history& past, const std::vector<pay::entry>& ledger, timestamp_ms until);

  void violate(const std::string& law, const std::string& detail);
  const std::optional<broken_law>& broken() const { return broken_; }

 private:
  struct stock_sum;
  // A record as its durable events make it, and all that it ever owed others.
  struct durable_record {
    std::unique_ptr<entity> state;
    std::set<std::string> owed;
  };
  void follow(const std::string& name, const std::string& event);
  void check_stock(const std::string& name, const std::vector<recorded>& events,
                   timestamp_ms until);
  void check_order(const std::string& name, const std::vector<recorded>& events);
  void check_cart(const std::string& name, const std::vector<recorded>& events);
  void check_adds(const history& past);
  void check_prices(const std::string& name, const order::state& state, timestamp_ms priced_at);
  void check_told(const told_order& told);
  void check_sales();
  void check_ledger(const std::vector<pay::entry>& ledger);
  void read_prices(const history& past);

  std::map<std::string, std::uint64_t> committed_;  // highest durable version by entity
  std::map<std::string, durable_record> records_;   // of kinds that owe others anything
  std::map<std::string, std::uint64_t> seen_;       // highest version an answer spoke of
  std::map<std::string, std::string> acked_adds_;   // tag -> cart
  std::set<std::string> refused_adds_;
  std::map<std::string, told_order> told_;  // by order id
  std::set<std::string> cancelled_;

  // of at_rest
  std::map<std::string, std::vector<std::pair<timestamp_ms, std::int64_t>>> prices_;
  std::map<std::string, order::state> orders_;
  std::map<std::string, std::int64_t> sold_;  // by product, from the stocks' events
  std::optional<broken_law> broken_;
};

}  // namespace omnicart::sim
