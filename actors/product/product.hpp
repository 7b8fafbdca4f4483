#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/product/product_messages.hpp"

// The rules of a product: a record that is created, replaced and retired. Pure; who may call is the
// front's business.
namespace omnicart::product {

enum class lifecycle : std::uint8_t { unknown = 0, living = 1, retired = 2 };

struct state {
  lifecycle life = lifecycle::unknown;
  details content;          // of a retired product: as it was last
  timestamp_ms created_at;  // of this life: a retired product may be created again
  timestamp_ms updated_at;
  // What its reviews come to; kept over its lives.
  std::int64_t review_average_centi = 0;
  std::int64_t review_count = 0;
  std::uint64_t review_revision = 0;
};

// Stored with their position in the variant: append only.
struct created {
  details content;
  timestamp_ms at;
  OMNICART_FIELDS(content, at)
};
struct replaced {
  details content;
  timestamp_ms at;
  OMNICART_FIELDS(content, at)
};
struct retired {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct rated {
  std::int64_t average_centi = 0;
  std::int64_t count = 0;
  std::uint64_t revision = 0;
  timestamp_ms at;
  OMNICART_FIELDS(average_centi, count, revision, at)
};
using event = std::variant<created, replaced, retired, rated>;

// Refusals, in the order checked:
//   create          already_exists, then the details: invalid_name, invalid_price, invalid_details
//   replace         no_such_product, retired, the details
//   import          the details
//   retire          no_such_product
//   get             no_such_product, retired
//   quote           the same, no_such_price
//   rate            no_such_product, retired, malformed (no average of 1 to 5 stars, no reviews)
// Replacing or importing what is there already, and retiring twice, make no event. A replace
// without a rating keeps the one there is; an import sets exactly what it carries.
result<std::vector<event>> decide(const state& now, const command& what, const context& ctx);

// Text is valid UTF-8 without control characters (the description may hold line feeds and tabs);
// GTINs are 1-64 printable ASCII characters; weights are not negative; ratings 0..500. Options are
// those of a family's product, each with a name of its own and a value. The rest of the limits:
// product_messages.hpp.
status validate(const details& content);

// Total: a recorded event always applies.
void apply(state& now, const event& what);
void check(const state& now);       // O(1), after every event
void check_full(const state& now);  // with every limit

reply reply_to(const state& now, const command& what);
std::size_t memory_bytes(const state& now);

// Codec (product_codec.cpp). Schema 1.
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::product
