#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

// What may be said to a stock location (a store, a warehouse) and what it answers. Entity
// "location/<location id>"; the id is chosen by whoever puts it there.
namespace omnicart::location {

enum class errc : error_number {
  no_such_location = 1800,
  invalid_location = 1801,  // detail says which member
};
const char* to_string(errc code);

// 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', but neither "." nor "..". Total.
bool is_location_id(std::string_view text);

// Texts are single lines of at most 200 bytes.
struct postal_address {
  std::string line1, line2, city, region, postal_code;
  std::string country;  // two capital letters (ISO 3166 alpha-2)
  friend bool operator==(const postal_address&, const postal_address&) = default;
  OMNICART_FIELDS(line1, line2, city, region, postal_code, country)
};

// Millionths of a degree (WGS 84), some 11 cm; north and east are positive.
struct coordinates {
  std::int64_t latitude_udeg = 0;   // -90 to 90 degrees
  std::int64_t longitude_udeg = 0;  // -180 to 180 degrees
  friend bool operator==(const coordinates&, const coordinates&) = default;
  OMNICART_FIELDS(latitude_udeg, longitude_udeg)
};

struct details {
  std::string name;  // 1 to 200 bytes
  std::string type;  // at most 50 bytes; "Warehouse", or nothing
  std::optional<postal_address> address;
  std::optional<coordinates> at;
  std::string hours;                  // at most 500 bytes; for people, lines are allowed
  std::vector<std::string> services;  // at most 50, of 1 to 100 bytes each
  friend bool operator==(const details&, const details&) = default;
  OMNICART_FIELDS(name, type, address, at, hours, services)
};

// Admins. The location is so from now on, and open: it is made, changed or opened again. The same
// content of an open one: no event.
struct put {
  details content;
  bool must_exist = false;  // refuse instead of making it
  OMNICART_FIELDS(content, must_exist)
};
// Admins. It takes in no stock from now on. Closed already: no event.
struct close {
  OMNICART_FIELDS()
};
// Anybody; whether a closed one is shown is the asker's to decide.
struct get {
  OMNICART_FIELDS()
};

using command = std::variant<put, close, get>;

// Answer to every command.
struct location_view {
  details content;
  bool active = true;  // false: closed
  timestamp_ms created_at;
  timestamp_ms updated_at;
  bool created = false;  // by the put that this answers; a repeat of it does not say so again
  OMNICART_FIELDS(content, active, created_at, updated_at, created)
};
using reply = location_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::location
