#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/message.hpp"

// Header fields that mean something to a shop: entity tags, idempotency keys, content negotiation,
// tracing.
namespace omnicart::http {

// The strong tag of a version: "\"42\"" (RFC 9110 section 8.8.3).
std::string etag_of(std::uint64_t version);

// A list of entity tags as in If-Match: `*`, or tags. Weak ones are kept, marked.
struct tag_list {
  struct tag {
    std::string text;  // without quotes
    bool weak = false;
  };
  bool any = false;
  std::vector<tag> tags;
};
// Refusal: malformed.
result<tag_list> parse_tags(std::string_view text);

// If-None-Match of a GET: true when the client's copy is this version, so the answer is 304 (weak
// comparison). A malformed field does not match (RFC 9110 section 13.1.2 has no error for it).
bool not_modified(const request& req, std::string_view etag);

// If-Match, for entities whose tags are version numbers. Nothing: no such field, or `*`
// (`must_exist` is then set). Several or foreign tags can match at most one version; without a
// number none can: nobody's version, 2^64-1. Refusal: malformed.
struct version_condition {
  std::optional<std::uint64_t> version;
  bool must_exist = false;
};
result<version_condition> if_match(const request& req);

// 304 with the tag; handlers add nothing to it.
response not_modified_response(std::string_view etag);

// Idempotency-Key: an RFC 8941 string ("abc") or bare text, 1-255 printable ASCII characters
// without spaces at either end. Nothing when absent. Refusal: malformed (also when sent twice); its
// detail may be shown.
result<std::optional<std::string>> idempotency_key(const request& req);

// True when `accept` (a whole Accept field; "" accepts everything) takes application/json,
// application/problem+json or `produces`.
bool accepts(std::string_view accept, std::string_view produces);

// True when the media type of a Content-Type field is in the comma-separated list `consumes` (""
// takes all); a charset other than utf-8 is not taken.
bool media_type_matches(std::string_view content_type, std::string_view consumes);

// "Bearer <token>" of Authorization; nothing for other schemes or none.
std::optional<std::string_view> bearer_token(const request& req);

// A cookie of the request, RFC 6265 section 4.2.
std::optional<std::string_view> cookie(const request& req, std::string_view name);

// 1-128 characters of [A-Za-z0-9._-].
bool is_request_id(std::string_view text);

// The trace id and flags of a valid W3C traceparent (level 1); nothing otherwise.
struct trace_parent {
  std::string_view trace_id;  // 32 lower-case hexadecimal digits
  std::string_view flags;     // 2
};
std::optional<trace_parent> parse_traceparent(std::string_view text);

// Percent-decodes once, appending to `out`. False for a bad escape or a NUL.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

}  // namespace omnicart::http
