#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/reviews/reviews_messages.hpp"

// The rules of a product's reviews: one by each buyer, and an average that the product is told. All
// functions are pure.
namespace omnicart::reviews {

struct review {
  std::uint64_t number = 0;
  std::string by, name, title, text;
  std::int64_t stars = 0;
  timestamp_ms written_at;
  friend bool operator==(const review&, const review&) = default;
  OMNICART_FIELDS(number, by, name, title, text, stars, written_at)
};

// Stored with their position in the variant: append only.
struct written {
  product_id product;
  review what;
  OMNICART_FIELDS(product, what)
};
struct noted {
  std::uint64_t revision = 0;
  OMNICART_FIELDS(revision)
};
using event = std::variant<written, noted>;
using events = std::vector<event>;

struct state {
  product_id product;
  std::vector<review> all;  // by number
  std::int64_t sum_of_stars = 0;
  std::uint64_t revision = 0;      // number of the last review
  std::uint64_t told_through = 0;  // what the product knows
  OMNICART_FIELDS(product, all, sum_of_stars, revision, told_through)
};

// Refusals, in the order checked:
//   write   malformed (no product or author), invalid_rating, invalid_text, full
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);
void check_full(const state& s);

// Hundredths of a star, half away from zero; 0 without reviews.
std::int64_t average_centi(const state& s);
reply reply_to(const state& s, const command& what);

}  // namespace omnicart::reviews
