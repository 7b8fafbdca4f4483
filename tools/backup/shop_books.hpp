#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "actors/order/order.hpp"
#include "actors/stock/stock.hpp"
#include "cluster/backup/manifest.hpp"
#include "persistence/store.hpp"

namespace omnicart::backup {

// Adds up the books of a shop from the records of its shards: each order and stock record is
// rebuilt from its whole history, which is kept for ever. Holds one record's state at a time. A
// plain object.
class shop_books {
 public:
  using order_fn = std::function<void(const order_id&, const order::state&)>;

  // `each_order` gets every order, in no particular order; may be null.
  explicit shop_books(order_fn each_order = {}) : each_order_(std::move(each_order)) {}

  // A record as cluster::record_visitor gets it. Refusal: malformed, naming the record.
  status take(persistence::family which, std::string_view key, std::string_view value);
  // After the last record.
  const cluster::cut_totals& totals();

 private:
  enum class entity_kind { other, order, stock };

  status begin(std::string_view prefix);
  status replay(std::uint64_t version, std::string_view value);
  void finish();
  void add(const order::state& what);
  void add(const stock::state& what);

  order_fn each_order_;
  cluster::cut_totals totals_;
  std::string prefix_;  // of the entity being rebuilt
  entity_kind kind_ = entity_kind::other;
  std::string id_;
  std::uint64_t version_ = 0;
  order::state order_;
  stock::state stock_;
};

}  // namespace omnicart::backup
