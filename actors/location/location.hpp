#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/location/location_messages.hpp"

// The rules of a stock location: what it is, and whether it is open. Pure.
namespace omnicart::location {

inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t type_bytes_max = 50;
inline constexpr std::size_t address_field_bytes_max = 200;  // as in an order's address
inline constexpr std::size_t hours_bytes_max = 500;
inline constexpr std::size_t services_max = 50;
inline constexpr std::size_t service_bytes_max = 100;
inline constexpr std::int64_t latitude_udeg_max = 90'000'000;
inline constexpr std::int64_t longitude_udeg_max = 180'000'000;

// Stored with their position in the variant: append only. `at` is log time.
struct defined {
  details content;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(content, by, at)
};
struct closed {
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(by, at)
};

using event = std::variant<defined, closed>;
using events = std::vector<event>;

struct state {
  bool exists = false;
  details content;
  bool active = false;
  timestamp_ms created_at;
  timestamp_ms updated_at;
  OMNICART_FIELDS(exists, content, active, created_at, updated_at)
};

// Refusals, in the order checked:
//   put     base_errc::forbidden (not admin), base_errc::precondition_failed (must_exist, and there
//           is none), invalid_location
//   close   base_errc::forbidden (not admin), no_such_location
//   get     no_such_location
result<events> decide(const state& now, const command& what, const context& ctx);
void apply(state& now, const event& what);
void check_rules(const state& now);  // O(1)
void check_full(const state& now);
reply reply_to(const state& now, const command& what, const context& ctx);
std::size_t memory_bytes(const state& now);

// What is wrong with a description: the member's name; nullptr: nothing.
const char* first_bad_member(const details& content);

// Codec (location_codec.cpp). Schema 1.
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::location
