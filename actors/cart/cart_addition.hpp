#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "actors/cart/cart_messages.hpp"
#include "actors/cart/cart_state.hpp"

namespace omnicart::cart {

// What adding several lines to a cart would come to, line by line, without changing it. Each costs
// O(log of the lines planned), whatever the cart holds. The cart and the lines must outlive the
// plan.
class addition {
 public:
  explicit addition(const state& now);

  // Plans the line, or refuses it and plans nothing. Refusals: see decide(add) in cart.hpp.
  status plan(const new_line& what);
  // How many more units a line of that key can take; 0 when it would be one line too many.
  std::int64_t room(const new_line& what) const;

 private:
  status fits_shape(const new_line& what) const;
  std::int64_t quantity_of(const line_key& key) const;

  const state& now_;
  std::map<line_key, std::int64_t> planned_;
  std::size_t new_count_ = 0;
  std::int64_t subtotal_minor_;
  std::optional<currency_code> currency_;
};

}  // namespace omnicart::cart
