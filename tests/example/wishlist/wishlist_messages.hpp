#pragma once

#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

// What one shopper would like to have. Entity "wishlist/<user id>".
namespace omnicart::wishlist {

enum class errc : error_number { full = 900 };

// Adding what is there and removing what is not change nothing: both may be repeated.
struct add { product_id product; OMNICART_FIELDS(product) };
struct remove { product_id product; OMNICART_FIELDS(product) };
struct get { OMNICART_FIELDS() };
using command = std::variant<add, remove, get>;

// The answer to each command: the list after it, oldest wish first.
struct reply { std::vector<product_id> products; OMNICART_FIELDS(products) };

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::wishlist
