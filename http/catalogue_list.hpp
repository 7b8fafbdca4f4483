#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/server/task.hpp"
#include "http/shelf.hpp"
#include "runtime/base/money.hpp"
#include "runtime/base/time.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

enum class catalogue_sort : std::uint8_t { id, name, price_up, price_down, rating, newest };

struct catalogue_query {
  std::string text;      // every word somewhere in name, brand or category, ASCII case folded; empty: any
  std::string category;  // this one or below it ("a > b"); empty: any
  std::string brand;     // ASCII case folded
  // Minor units of `currency`: a product priced in another one is neither below nor above them.
  std::optional<std::int64_t> min_price;
  std::optional<std::int64_t> max_price;
  std::optional<std::int64_t> min_rating_centi;
  std::optional<bool> in_stock;  // whether any unit is available
  currency_code currency;        // the shop's; sorted by price its products stand first, then the others by currency
  catalogue_sort sort = catalogue_sort::id;
  std::string cursor;
  std::size_t limit = 20;
};

struct facet {
  std::string value;
  std::uint64_t count = 0;
};

struct catalogue_page {
  std::vector<std::string> ids;
  std::string next_cursor;                // empty: that was all
  std::uint64_t total = 0;
  std::vector<facet> categories, brands;  // of everything that matches, most frequent first, at most 20 each
};

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

// Which products there are: a projection of the product and stock events, kept in memory (about 400 bytes a product)
// and in rows:
//
//   "p" product                    -> what the filters look at
//   "r" product                    -> rating by its reviews
//   "s" product                    -> shelf: available and reserved units, when it is low, last version seen
//   "h" product NUL reservation    -> units of an open hold
//   "c" product NUL order          -> units of an open claim
//   "t" product NUL transfer       -> units of a transfer under way
class catalogue_list final : public projection {
 public:
  void attach(projection_host& host) { host_ = &host; }

  // Refusals: base_errc::malformed for a cursor that is none; faults of the projection host.
  task<result<catalogue_page>> page(catalogue_query query) const;
  task<result<low_page>> low(std::string cursor, std::size_t limit) const;

  std::string_view name() const override { return "catalogue"; }
  bool wants(std::string_view kind) const override { return kind == "product" || kind == "stock"; }
  // 1 had neither stock nor currencies, 2 neither transfers nor terms.
  std::uint32_t format() const override { return 3; }
  void open(projection_rows& rows) override;
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;

  // The queries themselves, on the projection's thread.
  result<catalogue_page> find(const catalogue_query& query) const;
  result<low_page> find_low(const std::string& cursor, std::size_t limit) const;
  std::size_t size() const { return products_.size(); }

 private:
  struct entry {
    std::string name, category, brand;
    std::string folded;  // name, brand and category in lower case
    std::int64_t price_minor = 0;
    currency_code currency;
    std::int64_t rating_centi = -1;
    timestamp_ms created_at;
  };
  // Sort key and id: orders the list and is what a cursor holds.
  using place = std::pair<std::string, std::string>;

  static place place_of(const catalogue_query& query, const std::string& id, const entry& product);
  bool matches(const catalogue_query& query, const std::vector<std::string>& words, const std::string& id,
               const entry& product) const;
  void remember(const std::string& id, std::string_view row);
  void mark_low(const std::string& id, const shelf& at);
  void apply_product(const entity_ref& entity, const event_record& record, projection_rows& rows);
  void apply_rating(const std::string& id, std::int64_t rating_centi, projection_rows& rows);
  void apply_stock(const entity_ref& entity, std::uint64_t version, const event_record& record, projection_rows& rows);

  projection_host* host_ = nullptr;
  std::map<std::string, entry, std::less<>> products_;  // living ones, by id
  std::unordered_map<std::string, shelf> shelves_;      // also of retired products
  std::set<std::string> low_;                           // of those, the products that are low
};

}  // namespace omnicart::http
