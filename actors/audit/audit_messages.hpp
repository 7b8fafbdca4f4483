#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "runtime/base/entity.hpp"

// The log of what staff and operators did: who, when, what, by which request, and how it ended.
// Entity "audit/staff". Each entry holds a digest of itself and of the entry before it, so that
// none can be changed, left out or put in between later without every digest behind it becoming
// wrong.
namespace omnicart::audit {

enum class errc : error_number { no_such_action = 1500 };
const char* to_string(errc code);

// Before the action: nothing is done that nobody could find later. Texts beyond their limits are
// cut (audit.hpp).
struct begin {
  std::string credential;  // "user:ID", "token:ID", "key:ID", "operator"
  role as = role::guest;
  std::string action;  // "PUT /api/orders/01j8…/status"
  std::string request_id;
  OMNICART_FIELDS(credential, as, action, request_id)
};
// After it. An action without end: the node died, or could not say.
struct end {
  std::uint64_t action = 0;  // audit_view::action of its beginning
  std::uint32_t status = 0;  // as answered over HTTP
  OMNICART_FIELDS(action, status)
};
struct look {
  OMNICART_FIELDS()
};

using command = std::variant<begin, end, look>;

struct audit_view {
  std::uint64_t entries = 0;  // beginnings and ends so far
  std::uint64_t action = 0;   // number of the latest beginning
  std::string head;           // digest of the latest entry; empty before the first
  OMNICART_FIELDS(entries, action, head)
};
using reply = audit_view;

inline constexpr const char* staff_log = "staff";

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::audit
