#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"

// What may be said to a product and what it answers. Entity "product/<product_id>".
namespace omnicart::product {

enum class errc : error_number {
  invalid_name = 300,        // empty or over 500 bytes
  invalid_price = 301,       // negative
  retired = 302,             // no longer sold
  already_exists = 303,      // create of a living product
  invalid_details = 304,     // a member beyond its limit; detail says which
  no_such_product = 305,
  no_such_price = 306,       // it has no price in that currency
};
const char* to_string(errc code);

// Everything a shop says about a product. Limits: description 20,000 bytes, category 500, brand 200, 200 GTINs,
// 300 attributes of 200 + 2,000 bytes, 50 images of 2,000 bytes, 10 options of 50 + 100 bytes.
struct details {
  std::string name;
  std::string description;
  money price;
  std::string category;  // "a > b > c"
  std::string brand;
  std::vector<std::string> gtin;
  std::vector<std::pair<std::string, std::string>> attributes;  // in the order given
  std::vector<std::string> images;
  std::optional<std::int64_t> weight_g;
  std::optional<std::int64_t> rating_centi;  // 0..500: stars x 100; set by import only; reviews count more
  std::vector<money> prices;                 // in other currencies than `price`: one each, at most 30
  std::string family;  // products of one family are variants of one another; empty: of none
  std::vector<std::pair<std::string, std::string>> options;  // what tells it from the others ("size", "L"); in order
  friend bool operator==(const details&, const details&) = default;
  OMNICART_FIELDS(name, description, price, category, brand, gtin, attributes, images, weight_g, rating_centi, prices,
                  family, options)
};

// The name of a family: like a product's id 1-64 printable ASCII characters without "/", no space at either end.
bool is_family(std::string_view text);

struct create { details content; OMNICART_FIELDS(content) };   // refused as already_exists unless retired
struct replace { details content; OMNICART_FIELDS(content) };  // keeps the rating when none is given
struct import { details content; OMNICART_FIELDS(content) };   // creates or replaces; equal content: no event
struct retire { OMNICART_FIELDS() };
struct get { OMNICART_FIELDS() };    // refused as no_such_product, or retired (the public view hides it)
// What a cart or an order needs. Without a currency, in the product's own.
struct quote { std::optional<currency_code> currency; OMNICART_FIELDS(currency) };

// From the product's reviews: their average and number. `revision` rises with them; an older one changes nothing.
struct rate {
  std::int64_t average_centi = 0;
  std::int64_t count = 0;
  std::uint64_t revision = 0;
  OMNICART_FIELDS(average_centi, count, revision)
};

using command = std::variant<create, replace, import, retire, get, quote, rate>;

struct product_view {
  details content;  // its rating: that of the reviews, where there are any
  bool retired = false;
  timestamp_ms created_at;
  timestamp_ms updated_at;
  std::int64_t review_count = 0;
  OMNICART_FIELDS(content, retired, created_at, updated_at, review_count)
};
struct quote_view {
  std::string name;
  money price;
  std::string category;
  std::int64_t weight_g = 0;
  OMNICART_FIELDS(name, price, category, weight_g)
};

using reply = std::variant<product_view, quote_view>;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::product
