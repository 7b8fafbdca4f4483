#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/session/session_messages.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/shop.hpp"

// What the holder of a session is given, for the calls that give it: opening, signing in,
// refreshing.
namespace omnicart::http {

struct session_tokens {
  std::string access;
  std::string refresh;
  timestamp_ms expires_at;  // of the access token
};

// An access token as of now, and the refresh token that `view` says is valid.
session_tokens issue_tokens(const shop& in, const std::string& session,
                            const session::session_view& view);

// Members token, refresh_token, expires_at.
void write_tokens(json_writer& json, const session_tokens& given);

// The access token as a cookie that scripts cannot read and other sites cannot send; and its
// removal.
void set_session_cookie(response& answered, const request& req, const shop& in,
                        const std::string& access_token);
void expire_session_cookie(response& answered, const request& req);
// 204 to whose own session has ended, with the removal of its cookie.
response signed_out(const request& req);

// unsafe_options for calls that create something for callers who may have no session yet. Nobody
// owns an anonymous key, and who repeats a stranger's gets what the stranger made: so the network
// it came from is part of its name, and one shorter than 16 characters (a UUID has 36) is easy to
// guess and means nothing.
tl::expected<command_options, response> creating_options(const request& req, const authority& who);

// The command that opens `id`; the caller fills in whose it is.
session::open opening_of(const shop& in, const request& req, const std::string& id,
                         duration_ms ttl);

// Why a session that was opened with this key before cannot be given out again: it ended or has
// expired.
bool has_ended(const shop& in, const session::session_view& view);

// The entity itself said no; everything else (overload, a missed deadline) says nothing about the
// record.
bool refused_by_rules(const answer& got);

// A body that may be left out: then an empty object.
std::optional<json_value> parse_optional_json(const request& req, std::vector<field_error>& errors);

}  // namespace omnicart::http
