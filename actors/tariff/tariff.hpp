#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/tariff/tariff_messages.hpp"

// The rules of the shop's tariff. Pure.
namespace omnicart::tariff {

inline constexpr std::size_t rates_max = 2'000;
inline constexpr std::size_t rates_per_country_max = 100;  // an order keeps those of its country
inline constexpr std::size_t zones_max = 50;
inline constexpr std::size_t methods_max = 200;
inline constexpr std::size_t methods_per_zone_max = 20;
inline constexpr std::size_t bands_max = 50;
inline constexpr std::size_t currencies_max = 30;
inline constexpr std::int64_t rate_bps_max = 10'000;

// Stored with their position in the variant: append only. `at` is log time.
struct taxes_set {
  taxes content;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(content, by, at)
};
struct shipping_set {
  shipping content;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(content, by, at)
};

using event = std::variant<taxes_set, shipping_set>;
using events = std::vector<event>;

struct state {
  taxes tax;
  shipping carriage;
  timestamp_ms updated_at;
  OMNICART_FIELDS(tax, carriage, updated_at)
};

// Refusals: base_errc::forbidden (set by others than admins), invalid_tax_rates,
// invalid_shipping_methods. What the shop charges is no secret: anybody may get it.
result<events> decide(const state& now, const command& what, const context& ctx);
void apply(state& now, const event& what);
void check_rules(const state& now);
void check_full(const state& now);
tariff_view view_of(const state& now);
std::size_t memory_bytes(const state& now);

// What is wrong; empty: nothing.
std::string fault_of(const taxes& what);
std::string fault_of(const shipping& what);

// Codec (tariff_codec.cpp). Schema 1.
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::tariff
