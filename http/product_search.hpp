#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
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
#include "persistence/search/text_index.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

// Another product of the same family.
struct product_variant {
  std::string id, name;
  std::vector<std::pair<std::string, std::string>> options;
  money price;
  std::int64_t available = 0;
  stock::terms promised;
};

struct suggestion {
  std::string text;
  std::string kind;        // "query", "brand", "category", "product"
  std::string product_id;  // of a product
};

// What can be found, by words and by filters: a projection of the product and stock events. What
// filters and sorting look at lies in memory, the text in an index in a folder of its own, which is
// a cache: whatever is lost of it is put again from the rows.
//
//   "d" product                    -> slot and document
//   "r" product                    -> rating by its reviews
//   "s" product                    -> what is on the shelf and was sold
//   "h", "c", "t" …                -> open holds, claims and transfers (shelf.hpp)
//
// Everything runs on the projection's thread. While more than `behind_max` documents are not
// indexed yet (the first start with an older store, a rebuild) searches are refused as unavailable.
class product_search final : public projection {
 public:
  static constexpr std::size_t behind_max = 500;

  explicit product_search(std::string folder) : folder_(std::move(folder)) {}

  // `current`: whose queries see everything acknowledged anywhere; `own`: what this node has read
  // by now, at once.
  void attach(projection_host& current, projection_host& own) {
    current_ = &current;
    own_ = &own;
  }

  // Refusals of all: unavailable (see above), malformed (no cursor of this list), faults of the
  // projection host.
  task<result<search_page>> page(search_query query);
  task<result<std::vector<suggestion>>> suggest(std::string text, std::size_t limit);
  task<result<std::vector<search::category_node>>> categories();
  // not_found: no such product.
  task<result<std::vector<std::string>>> related(std::string product, std::size_t limit);
  // The first `limit` others of the family by id, as this node knows them by now. While the rows
  // are made anew it does not wait for them: unavailable.
  task<result<std::vector<product_variant>>> variants(std::string product, std::string family,
                                                      std::size_t limit);

  std::string_view name() const override { return "search"; }
  bool wants(std::string_view kind) const override { return kind == "product" || kind == "stock"; }
  std::uint32_t format() const override { return 2; }  // 1 knew no families and no transfers
  void open(projection_rows& rows) override;
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;
  bool idle(projection_rows& rows) override;

  // The queries themselves, on the projection's thread.
  result<search_page> find(const search_query& query, projection_rows& rows);
  // Of what is indexed by now: completions need not know what was changed this moment.
  result<std::vector<suggestion>> complete(const std::string& text, std::size_t limit);
  result<std::vector<std::string>> alike(const std::string& product, std::size_t limit,
                                         projection_rows& rows);
  std::vector<product_variant> variants_of(const std::string& product, const std::string& family,
                                           std::size_t limit, projection_rows& rows) const;
  std::size_t size() const { return facts_.size(); }
  std::size_t behind() const { return pending_.size(); }
  // Of find() and complete(). Any thread.
  query_times::figures search_times() const { return search_times_.look(); }
  query_times::figures suggest_times() const { return suggest_times_.look(); }

 private:
  struct stocked {
    shelf at;
    std::int64_t sold = 0;
    OMNICART_FIELDS(at, sold)
  };
  struct stored_document {
    std::uint32_t slot = 0;
    search::document about;
    OMNICART_FIELDS(slot, about)
  };

  static std::string document_key(const std::string& id) { return "d" + id; }
  void apply_product(const std::string& id, const event_record& record, projection_rows& rows);
  void apply_rating(const std::string& id, std::int64_t rating_centi, projection_rows& rows);
  void apply_stock(const std::string& id, std::uint64_t version, const event_record& record,
                   projection_rows& rows);
  void remember(const stored_document& document);
  void forget(const std::string& id, projection_rows& rows);
  search::slot slot_for(const std::string& id);
  // Puts at most `count` pending documents into the index.
  void index_some(std::size_t count, projection_rows& rows);
  bool index_one(search::slot at, projection_rows& rows);
  void open_index();
  void begin_anew();
  // The index is open and nearly all that was applied is in it; or a refusal.
  status be_ready();
  // The same, and all of it.
  status catch_up(projection_rows& rows);
  result<search_page> by_relevance(const search_query& query);
  result<search_page> by_key(const search_query& query);

  const std::string folder_;
  projection_host* current_ = nullptr;
  projection_host* own_ = nullptr;
  search::fact_table facts_;
  std::unordered_map<std::string, search::slot> slots_;
  std::set<search::slot> free_;
  std::unordered_map<std::string, stocked> shelves_;  // also of products that are not there
  std::unique_ptr<search::text_index> index_;
  std::vector<std::uint64_t> indexed_;  // hash by slot; 0: not there
  std::vector<std::uint64_t> wanted_;
  std::set<search::slot> pending_;  // where they differ
  bool live_ = false;               // the index is open and compared with the rows
  // Not all that was committed is applied yet, and nobody may wait for it who can do without.
  std::atomic<bool> beginning_ = true;
  query_times search_times_, suggest_times_;
};

}  // namespace omnicart::http
