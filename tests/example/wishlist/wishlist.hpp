#pragma once

#include "tests/example/wishlist/wishlist_messages.hpp"

// The rules of a wish list. All functions are pure.
namespace omnicart::wishlist {

inline constexpr std::size_t products_max = 100;

struct added { product_id product; OMNICART_FIELDS(product) };
struct removed { product_id product; OMNICART_FIELDS(product) };
using event = std::variant<added, removed>;
using events = std::vector<event>;

struct state { std::vector<product_id> products; OMNICART_FIELDS(products) };

// Refusals: malformed (no product), full (a new product beyond products_max).
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);

}  // namespace omnicart::wishlist
