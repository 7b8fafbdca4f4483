#pragma once

#include <string>
#include <variant>

#include "runtime/base/entity.hpp"

// One e-mail address, owned by at most one user. Entity "email/<base32 of digest_128({"email", folded address})>",
// folded: ASCII letters to lower case.
namespace omnicart::email {

enum class errc : error_number { taken = 700, unclaimed = 701 };
const char* to_string(errc code);

struct claim { std::string address; user_id user; OMNICART_FIELDS(address, user) };  // idempotent by user
struct look_up { OMNICART_FIELDS() };                                                // unclaimed when nobody has it

// The address is free again; by its user, through the engine. Others' changes nothing.
struct release { user_id user; OMNICART_FIELDS(user) };

using command = std::variant<claim, look_up, release>;

struct owner_view { user_id user; OMNICART_FIELDS(user) };
using reply = owner_view;

// The entity that owns this address.
entity_ref entity_for(std::string_view address);

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::email
