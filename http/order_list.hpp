#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "http/server/task.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

struct order_query {
  std::vector<std::string> buyers;  // users or sessions; empty: everybody's
  std::optional<order::order_status> status;
  std::string reference;            // exact; empty: any
  std::string customer_reference;
  std::string cursor;               // from next_cursor; empty: the newest
  std::size_t limit = 20;
};

struct order_page {
  std::vector<std::string> ids;  // newest first
  std::string next_cursor;       // empty: that was all
};

// Which orders there are, newest first: a projection of the order events. A cursor names the last order seen, so it
// stays valid while orders come in. Rows, all of them rebuilt by reading the log again:
//
//   "o" order_id                       facts (below)
//   "a" time order_id                  every order; time: 8 bytes big-endian, complement of placed_at, so newest first
//   "b" buyer 00 time order_id         by user, and by session
//   "r" reference 00 time order_id     by reference
class order_list final : public projection {
 public:
  // `host` outlives the list and its queries.
  void attach(projection_host& host) { host_ = &host; }

  // Refusals: base_errc::malformed for a cursor that is none; faults of the projection host.
  task<result<order_page>> page(order_query query) const;
  // True once this node's store has all that was acknowledged on any node before the call. Faults of the projection host.
  task<result<bool>> caught_up() const;
  // The same without a coroutine; `done` from any thread.
  void when_caught_up(std::function<void(result<bool>)> done) const;

  std::string_view name() const override { return "orders"; }
  bool wants(std::string_view kind) const override { return kind == "order"; }
  void open(projection_rows&) override {}
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;

  // The query itself, on the projection's thread.
  static result<order_page> find(const order_query& query, projection_rows& rows);

 private:
  projection_host* host_ = nullptr;
};

}  // namespace omnicart::http
