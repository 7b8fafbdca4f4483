#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/fields.hpp"
#include "runtime/base/money.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::search {

// What can be found, filtered and sorted by: one thing for sale as search sees it. Stored in rows
// by its fields: append only.
struct document {
  std::string id;
  std::string name;
  std::string brand;
  std::string category;                                         // "a > b > c"
  std::string description;                                      // may hold HTML
  std::vector<std::string> codes;                               // GTINs
  std::vector<std::pair<std::string, std::string>> attributes;  // in the order given
  money price;
  std::int64_t rating_centi = -1;  // -1: none
  timestamp_ms created_at;
  std::vector<money> other_prices;  // in other currencies than `price`, one each
  std::string family;               // those of one family are variants of one another; empty: none
  std::vector<std::pair<std::string, std::string>> options;  // what tells it from those
  OMNICART_FIELDS(id, name, brand, category, description, codes, attributes, price, rating_centi,
                  created_at, other_prices, family, options)
};

// What of a document the text index looks at, as one number: equal documents have equal ones.
std::uint64_t text_hash(const document& of);

}  // namespace omnicart::search
