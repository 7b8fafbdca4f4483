#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

// What buyers say of one product. Entity "reviews/<product id>". Whether somebody bought it is the
// front's business.
namespace omnicart::reviews {

enum class errc : error_number {
  invalid_rating = 1900,  // not 1 to 5
  invalid_text = 1901,    // a title over 200 bytes, a text over 2,000, or control characters
  full = 1902,            // 2,000 people have said something
};
const char* to_string(errc code);

inline constexpr std::size_t reviews_max = 2'000;
inline constexpr std::size_t title_bytes_max = 200;
inline constexpr std::size_t text_bytes_max = 2'000;
inline constexpr std::size_t author_bytes_max = 200;
inline constexpr std::size_t kept_author_bytes_max = 400;  // as it is stored: encrypted, it is longer

// One by each author: writing again replaces what was there; the same again changes nothing.
struct write {
  product_id product;  // the entity's own id: it tells the product
  std::string by;      // user, or session of a guest
  std::string name;    // shown; may be empty, and encrypted (http/person_cipher.hpp)
  std::int64_t stars = 0;
  std::string title;
  std::string text;
  OMNICART_FIELDS(product, by, name, stars, title, text)
};
// The page behind `before`, newest first; 0: from the newest.
struct get {
  std::uint64_t before = 0;
  std::uint32_t limit = 20;
  OMNICART_FIELDS(before, limit)
};
// The product knows the average of this revision, or is not there to know it. From settle().
struct told {
  std::uint64_t revision = 0;
  OMNICART_FIELDS(revision)
};
// What these have said, the newest first: all of it, on one page.
struct get_of {
  std::vector<std::string> by;
  OMNICART_FIELDS(by)
};
using command = std::variant<write, get, told, get_of>;

struct review_view {
  std::uint64_t number = 0;  // rises with every review written; a replaced one gets a new one
  std::string name, title, text;
  std::int64_t stars = 0;
  timestamp_ms written_at;
  std::string by;
  OMNICART_FIELDS(number, name, title, text, stars, written_at, by)
};
// Answer to write (its review only), get and get_of.
struct reply {
  std::vector<review_view> reviews;
  std::uint64_t next_before = 0;  // 0: that was all
  std::int64_t count = 0;
  std::int64_t average_centi = 0;        // half away from zero; 0 without reviews
  std::vector<std::int64_t> with_stars;  // how many gave 1, 2, … 5
  OMNICART_FIELDS(reviews, next_before, count, average_centi, with_stars)
};

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::reviews
