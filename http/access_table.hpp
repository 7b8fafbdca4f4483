#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/server/message.hpp"
#include "runtime/base/entity.hpp"

// Who may make which call: one table for the whole public API. The front refuses by it before a
// handler runs; handlers learn from it whose records the caller may see.
namespace omnicart::http {

// How far a caller gets with a call.
enum class reach : std::uint8_t {
  none = 0,  // refused: 401 for those without a session, 403 for others
  own = 1,   // their own records; others' are 404, as if they did not exist
  any = 2,
};
std::string_view to_string(reach how);

// Whom the table tells apart: the roles, and those who have no session at all.
enum class audience : std::uint8_t {
  anonymous = 0,
  guest = 1,
  shopper = 2,
  support = 3,
  admin = 4
};
inline constexpr std::size_t audience_count = 5;
// "anonymous", "guest", …
std::string_view to_string(audience who);
audience audience_of(const caller& who);

struct access_rule {
  method verb = method::get;
  std::string_view pattern;   // as the router has it
  std::string_view resource;  // what a machine's key must be good for: "orders" in "orders:write"
  std::array<reach, audience_count> of{};
  bool audited = false;     // done by staff, it leaves an entry in the audit log
  bool asks_along = false;  // not asked at the door: the handler does so together with questions of its own
  bool reasoned = false;    // audited, and the entry has the `reason` of the body

  reach of_caller(const caller& who) const {
    return of[static_cast<std::size_t>(audience_of(who))];
  }
  bool open_to_all() const { return of[0] != reach::none; }
  // "orders:read" for reads, "orders:write" for the rest.
  std::string scope() const;
};

std::span<const access_rule> access_rules();
// Null: the call has no row, and nobody may make it. HEAD is looked up as GET. Any thread.
const access_rule* find_access(method verb, std::string_view pattern);

// The resources that rows name, each once: with ":read" or ":write" behind them they are the scopes
// of keys.
std::span<const std::string_view> access_resources();

// The table as JSON: [{method, path, scope, audited, reach: {anonymous: "none", …}}].
std::string access_json();

}  // namespace omnicart::http
