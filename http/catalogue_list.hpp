#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/product_query.hpp"
#include "http/query_times.hpp"
#include "http/server/task.hpp"
#include "http/shelf.hpp"
#include "persistence/search/fact_table.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

// A product on sale of which no more is available than its stock's terms ask for.
struct low_product {
  std::string id, name;
  std::int64_t available = 0;  // below 0: sold and not there
  std::int64_t low_stock = 0;
};

struct low_page {
  std::vector<low_product> items;  // by id
  std::string next_cursor;         // empty: that was all
};

// Which products there are: a projection of the product and stock events, which has all of them at once, while the search
// may have to wait for its index. It is kept in memory (about 300 bytes a product) and in rows:
//
//   "p" product                    -> what filters, facets and orders look at
//   "r" product                    -> rating by its reviews
//   "s" product                    -> shelf: available and reserved units, when it is low, last version seen
//   "h" product NUL reservation    -> units of an open hold
//   "c" product NUL order          -> units of an open claim
//   "t" product NUL transfer       -> units of a transfer under way
class catalogue_list final : public projection {
 public:
  void attach(projection_host& host) { host_ = &host; }

  // What is_plain_list() says yes to: text, relevance and units sold are not known here. Refusals:
  // base_errc::malformed for a cursor that is none; faults of the projection host.
  task<result<search_page>> page(search_query query) const;
  task<result<low_page>> low(std::string cursor, std::size_t limit) const;

  std::string_view name() const override { return "catalogue"; }
  bool wants(std::string_view kind) const override { return kind == "product" || kind == "stock"; }
  // 1 had neither stock nor currencies, 2 neither transfers nor terms, 3 no other prices, attributes and families.
  std::uint32_t format() const override { return 4; }
  void open(projection_rows& rows) override;
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;

  // The queries themselves, on the projection's thread.
  result<search_page> find(const search_query& query) const;
  result<low_page> find_low(const std::string& cursor, std::size_t limit) const;
  std::size_t size() const { return facts_.size(); }
  // Of find(). Any thread.
  query_times::figures times() const { return times_.look(); }

 private:
  void remember(const std::string& id, std::string_view row);
  void forget(const std::string& id);
  void put_stock(search::slot at, std::int64_t available);
  void mark_low(const std::string& id, const shelf& at);
  void apply_product(const entity_ref& entity, const event_record& record, projection_rows& rows);
  void apply_rating(const std::string& id, std::int64_t rating_centi, projection_rows& rows);
  void apply_stock(const entity_ref& entity, std::uint64_t version, const event_record& record, projection_rows& rows);

  projection_host* host_ = nullptr;
  search::fact_table facts_;  // of the products on sale
  std::unordered_map<std::string, search::slot> slots_;
  std::vector<search::slot> free_;
  std::unordered_map<std::string, shelf> shelves_;  // also of retired products
  std::set<std::string> low_;                       // of those, the products that are low
  struct counted {
    currency_code currency;
    search::facets counts;
  };
  mutable std::optional<counted> counted_;  // of all products; nothing: something changed since
  mutable query_times times_;
};

}  // namespace omnicart::http
