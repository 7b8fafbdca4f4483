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
#include "tests/sim/broken_law.hpp"
#include "tests/sim/running_books.hpp"
#include "tests/sim/sim_history.hpp"
#include "tests/sim/timeline.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::sim {

// Reads it. Breaks a law when a version is missing or there twice.
result<history> read_history(persistence::store& data);
// Adds what one entry of a log holds of one entity. As above.
status append_to(history& past, const persistence::logged_item& part);

// The entity as it is found in a store (snapshot, and the events after it) against all its events
// from the first; nothing when they agree.
std::optional<broken_law> compare_stored(const persistence::reader_pool& reads,
                                         const entity_ref& entity,
                                         const std::vector<recorded>& events);

// What the world was promised, and whether it holds: step by step (running_books), and once more as
// a whole when everything is at rest. The checks of entities have their own arithmetic: they read
// recorded events, not the states that the rules keep.
class sim_checks {
 public:
  sim_checks(const sim_checks&) = delete;
  sim_checks& operator=(const sim_checks&) = delete;
  // With a timeline, which outlives it, a broken law is told with the step at which it broke.
  explicit sim_checks(const timeline* time = nullptr) : time_(time) {}

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
  // What the provider has booked by now.
  void booked(const std::vector<pay::entry>& ledger) { books_.add(ledger); }

  // --- what shoppers and staff were told
  void added_to_cart(const std::string& cart, const std::string& tag);
  void refused_to_add(const std::string& tag);
  void told(const told_order& order);
  void cancelled(const std::string& order_id);
  running_books& books() { return books_; }

  // --- at the end, when nothing is in flight. `until`: holds due before it must have ended.
  void at_rest(const history& past, const std::vector<pay::entry>& ledger, timestamp_ms until);

  void violate(const std::string& law, const std::string& detail);
  const std::optional<broken_law>& broken() const { return broken_; }

 private:
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
  void check_told(const told_order& told);
  void check_sales();
  void check_ledger(const std::vector<pay::entry>& ledger);
  void read_prices(const history& past);

  const timeline* time_;
  running_books books_{
      [this](const std::string& law, const std::string& detail) { violate(law, detail); }};
  std::map<std::string, std::uint64_t> committed_;  // highest durable version by entity
  std::map<std::string, durable_record> records_;   // of kinds that owe others anything
  std::map<std::string, std::uint64_t> seen_;       // highest version an answer spoke of
  std::map<std::string, std::string> acked_adds_;   // tag -> cart
  std::set<std::string> refused_adds_;
  std::map<std::string, told_order> told_;  // by order id
  std::set<std::string> cancelled_;

  // of at_rest
  price_book prices_;
  std::map<std::string, order::state> orders_;
  std::map<std::string, std::int64_t> sold_;  // by product, from the stocks' events
  std::optional<broken_law> broken_;
};

}  // namespace omnicart::sim
