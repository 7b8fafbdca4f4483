#pragma once

#include <string>
#include <vector>

#include "actors/user/user_messages.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/server/message.hpp"

namespace omnicart::http {

// One user as a JSON object: never a password's hash, never a session.
void write_user(json_writer& json, const std::string& id, const user::user_view& view);
std::string user_json(const std::string& id, const user::user_view& view);

// The members of a profile that a body has; those it leaves out stay as they are in `now`.
user::profile read_profile(object_reader& read, user::profile now,
                           std::vector<field_error>& errors);

// The answer to a refused command; invalid_profile names the member in errors[].
response user_failure(const error& why, const request& req);

}  // namespace omnicart::http
