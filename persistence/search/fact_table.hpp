#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "persistence/search/document.hpp"
#include "persistence/search/price_bands.hpp"
#include "persistence/search/text_index.hpp"
#include "runtime/base/money.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::search {

// What a search is narrowed to. Prices are minor units of `currency`: what has no price in it is
// neither below nor above them.
struct filters {
  std::string category;  // this one or below it; empty: any
  std::string brand;     // case folded; empty: any
  std::optional<std::int64_t> min_price, max_price, min_rating_centi;
  std::optional<bool> in_stock;
  currency_code currency;
  std::vector<std::pair<std::string, std::string>>
      attributes;      // each of them; name and value case folded; options count as attributes
  std::string family;  // exactly this one; empty: any
  std::vector<std::pair<std::string, std::string>> options;  // as attributes; options only
  bool empty() const;
};

enum class sort_by : std::uint8_t {
  relevance,
  price_up,
  price_down,
  rating,
  newest,
  sales,
  name,
  id
};

struct facet_count {
  std::string value;
  std::uint64_t count = 0;
  friend bool operator==(const facet_count&, const facet_count&) = default;
};

// Rated so many stars or more.
struct rating_count {
  int stars_min = 0;
  std::uint64_t count = 0;
  friend bool operator==(const rating_count&, const rating_count&) = default;
};

// Of all that matches, filters included: whoever adds a value as a filter gets as many; put in the
// place of a wider filter of its kind. Nothing is counted that no document has. Most frequent first,
// but prices from the lowest and ratings from the highest.
struct facets {
  std::vector<facet_count> categories, brands;  // at most 20 each
  std::vector<std::pair<std::string, std::vector<facet_count>>>
      attributes;                     // with the options; at most 10, of at most 10 values; names folded
  std::vector<price_band> prices;     // in the filters' currency: what has no price in it is in none
  std::vector<rating_count> ratings;  // 4, 3, 2, 1; those below the filter are left out
  std::uint64_t in_stock = 0, out_of_stock = 0;
};

struct category_node {
  std::string name, path;
  std::uint64_t count = 0;  // with everything below it
  std::vector<category_node> children;
};

// What filters, sorting and counting look at of each document, in memory: some 300 bytes each. One
// thread.
class fact_table {
 public:
  struct row {
    std::string id;  // empty: the slot is free
    std::string name;
    std::uint32_t category = 0, brand = 0;  // numbers of texts
    std::uint32_t family = 0;               // its number; 0: of none
    std::vector<std::uint32_t> attributes;  // numbers of pairs, those of the options too
    std::vector<std::uint32_t> options;     // numbers of pairs
    money price;
    std::vector<money> other_prices;
    std::int64_t rating_centi = -1;
    timestamp_ms created_at;
    std::int64_t available = 0, sold = 0;
    const money* price_in(currency_code currency) const;  // nullptr: it has none
  };

  void put(slot at, const document& of);
  void erase(slot at);
  // Of a document that is there; else nothing happens.
  void stock(slot at, std::int64_t available, std::int64_t sold);
  void clear();

  const row* find(slot at) const;  // nullptr: free
  std::size_t slots() const { return rows_.size(); }
  std::size_t size() const { return used_; }
  const std::string& brand_of(const row& of) const { return brands_.texts[of.brand]; }
  const std::string& category_of(const row& of) const { return categories_.texts[of.category]; }
  // All of that family, in no order; none of the empty one.
  const std::vector<slot>& family(const std::string& name) const;

  // Filters made ready: one look at a row.
  class matcher {
   public:
    bool operator()(const row& of) const;

   private:
    friend class fact_table;
    filters wanted_;
    std::vector<bool> categories_;           // by number: fits
    std::optional<std::uint32_t> brand_;     // nothing: no document has it
    std::uint32_t family_ = 0;               // 0: any
    std::vector<std::uint32_t> attributes_;  // each must be there
    std::vector<std::uint32_t> options_;
    bool impossible_ = false;  // a family, an attribute or an option that no document has
  };
  matcher compile(const filters& wanted) const;

  // Counts what it is shown, which was found by these filters: categories above the one asked for
  // and ratings below are not counted, there is more of them than was shown. Collapsed, a family
  // counts once for each value that any of its rows has. The table stays as it is meanwhile.
  class counter {
   public:
    counter(const fact_table& of, const filters& only, collapse to = collapse::none);
    void add(const row& of);
    // Of all that was added.
    facets result();
    // What a list shows of what was added: the rows, or the families and the rows of none.
    std::uint64_t shown() const { return shown_; }

   private:
    using member = std::pair<std::uint32_t, const row*>;
    void count(const row& of);
    void count_once(const member* from, const member* to);
    void count_families();
    std::vector<facet_count> categories() const;
    std::vector<std::pair<std::string, std::vector<facet_count>>> attributes() const;
    void count_rating(std::int64_t rating_centi);
    std::vector<rating_count> ratings() const;

    const fact_table& of_;
    std::string wanted_category_;
    currency_code currency_;
    std::optional<std::int64_t> min_price_, max_price_;
    std::int64_t min_rating_centi_;
    collapse to_;
    std::uint64_t shown_ = 0;
    std::vector<std::uint32_t> categories_, brands_, pairs_;
    std::unordered_map<std::string_view, std::uint64_t> levels_;  // of rows in several categories
    std::vector<bool> optional_;                                  // by pair: some row's option
    std::vector<bool> families_;                                  // by number: seen
    std::vector<member> members_;                                 // not counted yet
    price_counter prices_;
    std::array<std::uint64_t, 6> by_stars_{};  // whole ones
    std::uint64_t in_stock_ = 0, out_of_stock_ = 0;
  };

  // Text that sorts as the rows shall, equal ones by id; by price those with one in `in` stand
  // first, then the others by currency. Not for relevance.
  static std::string sort_key(const row& of, sort_by by, currency_code in);

  std::vector<category_node> category_tree() const;
  // Brands and categories with a word that begins so, most frequent first. Spellings that differ in
  // case or accents only are one; the one that sorts first is shown.
  std::vector<facet_count> brands_beginning(const std::string& folded_prefix,
                                            std::size_t count) const;
  std::vector<facet_count> categories_beginning(const std::string& folded_prefix,
                                                std::size_t count) const;

 private:
  struct text_numbers {
    std::vector<std::string> texts;  // as shown
    std::vector<std::uint32_t> uses;
    std::unordered_map<std::string, std::uint32_t> numbers;  // by folded text
    std::uint32_t use(const std::string& text);
    std::vector<facet_count> beginning(const std::string& folded_prefix, std::size_t count) const;
  };
  struct pair_text {
    std::uint32_t name = 0;
    std::string value;  // as shown
    // No measure: those have as many values as there are products, and are facets as options only.
    bool counted = false;
  };
  void release(slot at);
  std::uint32_t family_number(const std::string& name);
  std::vector<std::uint32_t> pair_numbers(
      const std::vector<std::pair<std::string, std::string>>& of, std::size_t bytes_max);
  std::uint32_t pair_number(const std::string& name, const std::string& value);

  std::vector<row> rows_;
  std::size_t used_ = 0;
  text_numbers categories_, brands_;
  std::unordered_map<std::string, std::uint32_t> family_numbers_;  // from 1
  std::vector<std::vector<slot>> family_members_ = std::vector<std::vector<slot>>(1);
  std::vector<pair_text> pairs_;
  std::vector<std::string> attribute_names_;  // folded
  std::unordered_map<std::string, std::uint32_t> name_numbers_;
  std::unordered_map<std::string, std::uint32_t> pair_numbers_;  // by folded name NUL folded value
};

}  // namespace omnicart::search
