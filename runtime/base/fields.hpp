#pragma once

#include <string_view>
#include <tuple>

// OMNICART_FIELDS(a, b, …) inside an aggregate names its members in their stored order. The codec
// (runtime/base/codec.hpp) packs them as a msgpack array in this order; a new field goes to the end, so that
// older bytes still read (the missing field keeps its default) and newer bytes do too (the surplus is skipped).
// describe (runtime/base/describe.hpp) uses the names. The struct stays an aggregate: member functions do not
// change that. Whether it compares is its own business (a defaulted operator==).
#define OMNICART_FIELDS(...)                                         \
  auto fields() { return std::tie(__VA_ARGS__); }                    \
  auto fields() const { return std::tie(__VA_ARGS__); }              \
  static constexpr std::string_view field_names() { return #__VA_ARGS__; }
