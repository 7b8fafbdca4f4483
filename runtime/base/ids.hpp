#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/fields.hpp"
#include "runtime/base/result.hpp"

namespace omnicart {

// An id that cannot be mistaken for another kind's. The text is opaque; compared byte by byte (case matters).
template <class Tag>
class strong_id {
 public:
  strong_id() = default;
  explicit strong_id(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const strong_id&, const strong_id&) = default;
  friend auto operator<=>(const strong_id&, const strong_id&) = default;

 private:
  std::string text_;
};

using product_id = strong_id<struct product_id_tag>;
using cart_id = strong_id<struct cart_id_tag>;
using session_id = strong_id<struct session_id_tag>;
using user_id = strong_id<struct user_id_tag>;
using order_id = strong_id<struct order_id_tag>;
using reservation_id = strong_id<struct reservation_id_tag>;

// The address of an entity: "cart/01j8…". Kinds are the names in the registry (at most 16 characters a-z).
struct entity_ref {
  std::string kind;
  std::string id;

  std::string str() const { return kind + '/' + id; }
  // Refusal: base_errc::malformed without a slash, with an empty part, or over the length limits.
  static result<entity_ref> parse(std::string_view text);

  friend bool operator==(const entity_ref&, const entity_ref&) = default;
  friend auto operator<=>(const entity_ref&, const entity_ref&) = default;
  OMNICART_FIELDS(kind, id)
};

// 128 bits that name a command once and for all; zero means "no id: not repeatable".
struct command_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  explicit operator bool() const { return high != 0 || low != 0; }
  friend bool operator==(const command_id&, const command_id&) = default;
  friend auto operator<=>(const command_id&, const command_id&) = default;
  OMNICART_FIELDS(high, low)
};

// BLAKE2b-128 (RFC 7693) over length-prefixed parts, so that ("ab","c") and ("a","bc") differ.
command_id digest_128(std::initializer_list<std::string_view> parts);

// 26 characters of Crockford's base 32 in lower case: sorts as the number does, safe in a URL.
std::string to_base32(command_id id);

// The shard that holds every entity of this id, whatever its kind: XXH3-64(id) mod shard_count.
std::uint16_t shard_of(std::string_view id, std::uint16_t shard_count);

// 64-bit hash of a request body, kept in receipts to tell a retry from a reused id (XXH3-64, never 0).
std::uint64_t body_hash(std::string_view body);

}  // namespace omnicart

template <class Tag>
struct std::hash<omnicart::strong_id<Tag>> {
  std::size_t operator()(const omnicart::strong_id<Tag>& id) const {
    return std::hash<std::string>{}(id.str());
  }
};
