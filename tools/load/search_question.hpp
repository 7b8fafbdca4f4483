#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/money.hpp"

// What a shopper asks of the catalogue, and whether the answer is one to that question. Pure: no
// I/O here, so each judgement can be tested with an answer that is wrong.
namespace omnicart::load {

// One value that the results can be narrowed to.
struct facet_value {
  std::string parameter;  // "category", "brand", "attr.NAME", "min_rating" or "min_price"
  std::string value;
  std::int64_t count = 0;
  std::string max_price = {};  // of a band of prices that ends
  std::string currency = {};   // of a band of prices
};

struct search_question {
  std::string text;  // empty: the whole shelf
  std::string category;
  std::string brand;
  std::optional<std::int64_t> min_minor;
  std::optional<std::int64_t> max_minor;
  bool in_stock = false;
  std::string sort;  // empty: the shop's own order
  std::optional<facet_value> narrowed = {};
  currency_code currency;  // of the prices

  // The request's path and query.
  std::string path() const;
};

// The first hit that is not within the prices, the category or the brand asked for; empty: none. A
// product counts as inside where that cannot be told: its text has letters beyond ASCII, which the
// shop compares without accents.
std::string objection_to_hits(const search_question& asked, std::string_view answer);
// The first hit that is dearer (cheaper) than the next, where the question sorts by price.
std::string objection_to_order(const search_question& asked, std::string_view answer);
// At most ten, each a text of one of the four kinds; a product names itself.
std::string objection_to_suggestions(std::string_view answer);

// The facets whose counts the results of a second question must confirm: none where the question
// depends on the stock, which is sold meanwhile, and none of what is asked for already.
std::vector<facet_value> facets_of(const search_question& asked, std::string_view answer);
// The answer to a narrowed question has another total than the facet's count.
std::string objection_to_count(const search_question& narrowed, std::string_view answer);

// Beginnings of a text as it is typed, letter by letter (never half a UTF-8 sequence), at most
// `most`.
std::vector<std::string> typed_so_far(std::string_view text, std::size_t most);

}  // namespace omnicart::load
