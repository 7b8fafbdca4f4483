#include "tests/example/wishlist/wishlist.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace omnicart::wishlist {
namespace {

bool has(const state& s, const product_id& product) {
  return std::find(s.products.begin(), s.products.end(), product) != s.products.end();
}

result<events> on(const state& s, const add& c) {
  if (c.product.empty()) return fail(base_errc::malformed, "no product");
  if (has(s, c.product)) return events{};
  if (s.products.size() >= products_max) return fail(errc::full);
  return events{added{c.product}};
}
result<events> on(const state& s, const remove& c) {
  if (!has(s, c.product)) return events{};
  return events{removed{c.product}};
}
result<events> on(const state&, const get&) { return events{}; }

void take(state& s, const added& e) { s.products.push_back(e.product); }
void take(state& s, const removed& e) { std::erase(s.products, e.product); }

}  // namespace

result<events> decide(const state& s, const command& what, const context&) {
  return std::visit([&](const auto& c) { return on(s, c); }, what);
}

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { take(s, e); }, what);
}

void check(const state& s) {
  ensure(s.products.size() <= products_max, "a wish list keeps to its limit");
}

}  // namespace omnicart::wishlist
