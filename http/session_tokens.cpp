#include "http/session_tokens.hpp"

#include "http/access_token.hpp"
#include "http/server/headers.hpp"
#include "runtime/base/peer_network.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t anonymous_key_bytes_min = 16;

std::string cookie_text(const request& req, std::string_view token, std::int64_t max_age_s) {
  std::string text = "omnicart_session=" + std::string(token) +
                     "; HttpOnly; SameSite=Strict; Path=/; Max-Age=" + std::to_string(max_age_s);
  if (req.secure) text += "; Secure";
  return text;
}

}  // namespace

session_tokens issue_tokens(const shop& in, const std::string& session,
                            const session::session_view& view) {
  const auto now_s = std::chrono::floor<std::chrono::seconds>(in.time.wall());
  const auto until_s = now_s + std::chrono::floor<std::chrono::seconds>(in.access_token_ttl);
  const access_claims claims{.session = session,
                             .user = view.user,
                             .as = view.as,
                             .expires_at_s = until_s.time_since_epoch().count()};
  return {
      .access = in.tokens.issue(claims, now_s.time_since_epoch().count(), to_base32(in.ids.next())),
      .refresh = in.tokens.refresh_token(session, view.refresh_index),
      .expires_at = until_s};
}

void write_tokens(json_writer& json, const session_tokens& given) {
  json.member("token", given.access)
      .member("refresh_token", given.refresh)
      .member("expires_at", to_rfc3339(given.expires_at));
}

void set_session_cookie(response& answered, const request& req, const shop& in,
                        const std::string& access_token) {
  const auto ttl = std::chrono::floor<std::chrono::seconds>(in.access_token_ttl);
  answered.add_header("Set-Cookie", cookie_text(req, access_token, ttl.count()));
}

void expire_session_cookie(response& answered, const request& req) {
  answered.add_header("Set-Cookie", cookie_text(req, "", 0));
}

response signed_out(const request& req) {
  response done = json_response(204, "");
  expire_session_cookie(done, req);
  return done;
}

tl::expected<command_options, response> creating_options(const request& req, const authority& who) {
  auto options = unsafe_options(req, who, key_need::optional);
  if (!options || !who.anonymous()) return options;
  const auto key = *idempotency_key(req);  // well-formed, as unsafe_options found it
  if (!key || key->size() < anonymous_key_bytes_min) return options;
  options->id = digest_128({"anonymous", std::to_string(network_of(req.peer).key), *key});
  options->body = body_hash(std::string(req.path) + '\n' + std::string(req.body));
  return options;
}

session::open opening_of(const shop& in, const request& req, const std::string& id,
                         duration_ms ttl) {
  session::open opening;
  opening.id = session_id(id);
  opening.refresh_digest = refresh_digest(in.tokens.refresh_token(id, 0));
  opening.expires_at = in.time.wall() + ttl;
  opening.user_agent = req.header("User-Agent").value_or("");
  return opening;
}

bool has_ended(const shop& in, const session::session_view& view) {
  return view.revoked || view.expires_at <= in.time.wall();
}

bool refused_by_rules(const answer& got) {
  constexpr error_number first_module_error = 100;  // runtime/base/result.hpp
  return got.failure && got.failure->number >= first_module_error;
}

std::optional<json_value> parse_optional_json(const request& req,
                                              std::vector<field_error>& errors) {
  if (req.body.empty()) return json_value{.is = json_value::type::object};
  return parse_json(req.body, errors);
}

}  // namespace omnicart::http
