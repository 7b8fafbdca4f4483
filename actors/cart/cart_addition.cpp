#include "actors/cart/cart_addition.hpp"

#include "actors/cart/cart.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::cart {
namespace {

constexpr std::size_t name_bytes_max = 500;

line_key key_of(const new_line& what) {
  return {what.product.str(), what.unit_price.amount_minor, what.list_price};
}

}  // namespace

addition::addition(const state& now) : now_(now), subtotal_minor_(now.lines.subtotal_minor()) {
  if (now.lines.size() > 0 || now.seal()) currency_ = now.currency;
}

status addition::fits_shape(const new_line& what) const {
  const bool names_product =
      !what.product.empty() && what.product.str().size() <= limits::id_bytes_max;
  if (!names_product || what.name.size() > name_bytes_max || what.unit_price.amount_minor < 0) {
    return fail(base_errc::malformed, "no such line of a cart");
  }
  if (what.quantity < 1) return fail(errc::invalid_quantity);
  if (what.quantity > limits::line_quantity_max) return fail(errc::quantity_limit);
  if (currency_ && *currency_ != what.unit_price.currency)
    return fail(errc::currency_mismatch, {}, encode_id(std::string(currency_->text())));
  return {};
}

std::int64_t addition::quantity_of(const line_key& key) const {
  if (const auto at = planned_.find(key); at != planned_.end()) return at->second;
  const line* there = now_.lines.find(key);
  return there ? there->quantity : 0;
}

std::int64_t addition::room(const new_line& what) const {
  const std::int64_t there = quantity_of(key_of(what));
  if (there == 0 && now_.lines.size() + new_count_ >= limits::cart_lines_max) return 0;
  return limits::line_quantity_max - there;
}

status addition::plan(const new_line& what) {
  if (auto fits = fits_shape(what); !fits) return fits;
  const line_key key = key_of(what);
  const std::int64_t there = quantity_of(key);
  if (there == 0 && now_.lines.size() + new_count_ >= limits::cart_lines_max)
    return fail(errc::line_limit);
  if (there + what.quantity > limits::line_quantity_max) return fail(errc::quantity_limit);
  std::int64_t subtotal = 0;
  if (__builtin_mul_overflow(what.unit_price.amount_minor, what.quantity, &subtotal) ||
      __builtin_add_overflow(subtotal_minor_, subtotal, &subtotal)) {
    return fail(base_errc::overflow, "the subtotal would leave 64 bits");
  }
  subtotal_minor_ = subtotal;
  if (there == 0) ++new_count_;
  planned_[key] = there + what.quantity;
  currency_ = what.unit_price.currency;
  return {};
}

}  // namespace omnicart::cart
