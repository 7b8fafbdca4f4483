#pragma once

#include <cstdint>
#include <msgpack.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/money.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

// msgpack for aggregates that list their members with OMNICART_FIELDS. Grammar of a value:
//
//   struct    = array of its fields, in order; a shorter array leaves the rest at their defaults, a longer one
//               is read up to the last known field
//   variant   = array [alternative number, alternative]
//   string, id = bin;  money = array [amount_minor, "GBP"];  time = int milliseconds;  optional = nil or the value
//   message   = array [schema number, value]      (encode / decode below)
//
// Sizes are checked against the bytes present before memory is taken; nesting is limited.
namespace omnicart::codec {

using packer = msgpack::packer<msgpack::sbuffer>;

template <class T>
concept fielded = requires(T& t) { t.fields(); };

template <class T>
struct is_variant : std::false_type {};
template <class... T>
struct is_variant<std::variant<T...>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T, class A>
struct is_vector<std::vector<T, A>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_pair : std::false_type {};
template <class A, class B>
struct is_pair<std::pair<A, B>> : std::true_type {};

template <class T>
struct is_strong_id : std::false_type {};
template <class Tag>
struct is_strong_id<strong_id<Tag>> : std::true_type {};

template <class T>
void pack(packer& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value ? out.pack_true() : out.pack_false();
  } else if constexpr (std::is_enum_v<T>) {
    pack(out, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    out.pack_int64(value);
  } else if constexpr (std::is_integral_v<T>) {
    out.pack_uint64(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out.pack_bin(static_cast<std::uint32_t>(value.size()));
    out.pack_bin_body(value.data(), static_cast<std::uint32_t>(value.size()));
  } else if constexpr (is_strong_id<T>::value) {
    pack(out, value.str());
  } else if constexpr (std::is_same_v<T, timestamp_ms>) {
    out.pack_int64(value.time_since_epoch().count());
  } else if constexpr (std::is_same_v<T, duration_ms>) {
    out.pack_int64(value.count());
  } else if constexpr (std::is_same_v<T, currency_code>) {
    pack(out, std::string(value.text()));
  } else if constexpr (std::is_same_v<T, money>) {
    out.pack_array(2);
    pack(out, value.amount_minor);
    pack(out, value.currency);
  } else if constexpr (is_optional<T>::value) {
    value ? pack(out, *value) : static_cast<void>(out.pack_nil());
  } else if constexpr (is_pair<T>::value) {
    out.pack_array(2);
    pack(out, value.first);
    pack(out, value.second);
  } else if constexpr (is_vector<T>::value) {
    out.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const auto& item : value) pack(out, item);
  } else if constexpr (is_variant<T>::value) {
    out.pack_array(2);
    out.pack_uint64(value.index());
    std::visit([&](const auto& alternative) { pack(out, alternative); }, value);
  } else {
    static_assert(fielded<const T>, "give the struct OMNICART_FIELDS");
    std::apply(
        [&](const auto&... field) {
          out.pack_array(sizeof...(field));
          (pack(out, field), ...);
        },
        value.fields());
  }
}

// False when the object does not fit the type; `value` is then unspecified.
template <class T>
[[nodiscard]] bool unpack(const msgpack::object& in, T& value);

template <class T>
bool unpack_int(const msgpack::object& in, T& value) {
  if (in.type == msgpack::type::POSITIVE_INTEGER) {
    if (!std::in_range<T>(in.via.u64)) return false;
    value = static_cast<T>(in.via.u64);
    return true;
  }
  if (in.type == msgpack::type::NEGATIVE_INTEGER) {
    if (!std::in_range<T>(in.via.i64)) return false;
    value = static_cast<T>(in.via.i64);
    return true;
  }
  return false;
}

inline bool unpack_text(const msgpack::object& in, std::string_view& text) {
  if (in.type == msgpack::type::BIN) {
    text = {in.via.bin.ptr, in.via.bin.size};
  } else if (in.type == msgpack::type::STR) {
    text = {in.via.str.ptr, in.via.str.size};
  } else {
    return false;
  }
  return true;
}

template <class Variant, std::size_t I = 0>
bool unpack_alternative(std::uint64_t index, const msgpack::object& in, Variant& value) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return false;  // written by a newer build, and not skippable: the caller reports it
  } else {
    if (index == I) return unpack(in, value.template emplace<I>());
    return unpack_alternative<Variant, I + 1>(index, in, value);
  }
}

template <class T>
bool unpack(const msgpack::object& in, T& value) {
  const auto is_array = [&](std::uint32_t size) {
    return in.type == msgpack::type::ARRAY && in.via.array.size >= size;
  };
  if constexpr (std::is_same_v<T, bool>) {
    if (in.type != msgpack::type::BOOLEAN) return false;
    value = in.via.boolean;
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    if (!unpack_int(in, number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    return unpack_int(in, value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (!unpack_text(in, text)) return false;
    value.assign(text);
    return true;
  } else if constexpr (is_strong_id<T>::value) {
    std::string_view text;
    if (!unpack_text(in, text)) return false;
    value = T{std::string(text)};
    return true;
  } else if constexpr (std::is_same_v<T, timestamp_ms>) {
    std::int64_t count = 0;
    if (!unpack_int(in, count)) return false;
    value = timestamp_ms{duration_ms{count}};
    return true;
  } else if constexpr (std::is_same_v<T, duration_ms>) {
    std::int64_t count = 0;
    if (!unpack_int(in, count)) return false;
    value = duration_ms{count};
    return true;
  } else if constexpr (std::is_same_v<T, currency_code>) {
    std::string_view text;
    if (!unpack_text(in, text)) return false;
    auto code = currency_code::parse(text);
    if (!code) return false;
    value = *code;
    return true;
  } else if constexpr (std::is_same_v<T, money>) {
    return is_array(2) && unpack(in.via.array.ptr[0], value.amount_minor) &&
           unpack(in.via.array.ptr[1], value.currency);
  } else if constexpr (is_optional<T>::value) {
    if (in.type == msgpack::type::NIL) {
      value.reset();
      return true;
    }
    return unpack(in, value.emplace());
  } else if constexpr (is_pair<T>::value) {
    return is_array(2) && unpack(in.via.array.ptr[0], value.first) &&
           unpack(in.via.array.ptr[1], value.second);
  } else if constexpr (is_vector<T>::value) {
    if (!is_array(0)) return false;
    value.clear();
    value.reserve(in.via.array.size);
    for (std::uint32_t i = 0; i < in.via.array.size; ++i) {
      if (!unpack(in.via.array.ptr[i], value.emplace_back())) return false;
    }
    return true;
  } else if constexpr (is_variant<T>::value) {
    std::uint64_t index = 0;
    return is_array(2) && unpack(in.via.array.ptr[0], index) &&
           unpack_alternative(index, in.via.array.ptr[1], value);
  } else {
    if (!is_array(0)) return false;
    std::uint32_t at = 0;
    return std::apply(
        [&](auto&... field) {
          return ((at >= in.via.array.size || unpack(in.via.array.ptr[at++], field)) && ...);
        },
        value.fields());
  }
}

// A message: [schema, value]. The schema number rises when a change cannot be read by the field rules above.
template <class T>
std::string encode(const T& value, std::uint32_t schema = 1) {
  msgpack::sbuffer buffer(256);
  packer out(buffer);
  out.pack_array(2);
  out.pack_uint32(schema);
  pack(out, value);
  return {buffer.data(), buffer.size()};
}

// The parsed outer array of a message; keeps the memory its objects live in.
struct parsed_message {
  msgpack::object_handle handle;
  std::uint32_t schema = 0;
  const msgpack::object* value = nullptr;
};

// Refusal: base_errc::malformed for bytes that are no message, or have anything behind it.
result<parsed_message> parse_message(std::string_view bytes);

template <class T>
result<T> decode(std::string_view bytes, std::uint32_t schema_max = 1) {
  auto message = parse_message(bytes);
  if (!message) return fail(message.error());
  if (message->schema == 0 || message->schema > schema_max) {
    return fail(base_errc::malformed, "schema " + std::to_string(message->schema) + " is not known here");
  }
  T value{};
  if (!unpack(*message->value, value)) return fail(base_errc::malformed, "message does not fit its type");
  return value;
}

}  // namespace omnicart::codec
