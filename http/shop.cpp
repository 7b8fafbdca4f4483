#include "http/shop.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "actors/keyring/keyring_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "http/access_token.hpp"
#include "http/machine_key.hpp"
#include "http/server/async_reply.hpp"
#include "http/server/headers.hpp"
#include "http/server/problem.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

std::int64_t seconds(timestamp_ms time) { return time.time_since_epoch().count() / 1000; }

bool is_safe(method verb) { return verb == method::get || verb == method::head || verb == method::options; }

response unauthorized(const request& req, std::string_view detail) {
  return refuse(req, 401, "unauthorized", detail);
}

// A browser sends cookies along with requests that other sites make; only our own pages may change things.
bool origin_allowed(const shop& in, const request& req) {
  const auto origin = req.header("Origin");
  if (!origin) return false;
  const auto host = req.header("Host").value_or("");
  const std::string own = (req.secure ? "https://" : "http://") + std::string(host);
  return *origin == own ||
         std::find(in.cookie_origins.begin(), in.cookie_origins.end(), *origin) != in.cookie_origins.end();
}

task<answer> ask_session(const shop& in, const caller& asker, beside* with) {
  const entity_ref to{"session", asker.session};
  if (!with) {
    auto asked = inquire(in, to, session::encode(session::authorize{}), asker);
    co_return co_await asked;
  }
  auto questions = std::exchange(with->questions, {});
  questions.push_back(make_envelope(in, to, session::encode(session::authorize{}), asker, {.repeatable = true}));
  with->answers = co_await ask_all(in, std::move(questions));
  answer its_word = std::move(with->answers.back());
  with->answers.pop_back();
  co_return its_word;
}

}  // namespace

std::string authority::key_owner() const {
  if (!who.user.empty()) return "user:" + who.user;
  if (!who.session.empty()) return "session:" + who.session;
  if (by_key) return credential;
  return "staff:" + std::to_string(static_cast<int>(who.as));
}

namespace {

// A machine's key stands for itself: no session, no user.
task<tl::expected<authority, response>> identify_machine(const shop& in, request& req, std::string_view token) {
  const auto bad = [&] { return tl::unexpected(unauthorized(req, "the key is not valid, or was revoked")); };
  const auto shown = read_machine_key(token);
  if (!shown) co_return bad();
  const keyring::present question{.id = shown->id, .digest = refresh_digest(shown->secret)};
  auto asked = inquire(in, {"keyring", keyring::shop_keyring}, keyring::encode(question), caller{});
  const answer got = co_await asked;
  if (!got.ok() && !got.failure->is(keyring::errc::no_such_key)) {
    co_return tl::unexpected(failure_response(*got.failure, req));
  }
  auto view = got.ok() ? keyring::decode_reply(got.payload) : result<keyring::reply>(keyring::reply{});
  if (!view || view->keys.empty()) co_return bad();
  authority found;
  found.who.as = view->keys.front().as;
  found.credential = "key:" + shown->id;
  found.by_key = true;
  found.scopes = std::move(view->keys.front().scopes);
  co_return found;
}

task<tl::expected<authority, response>> identify(const shop& in, request& req, beside* with) {
  if (!in.tokens.has_keys()) {
    const auto why = make_error(base_errc::unavailable, "this node has not joined its cluster yet");
    co_return tl::unexpected(failure_response(why, req));
  }
  auto token = bearer_token(req);
  const bool by_cookie = !token;
  if (!token) token = cookie(req, session_cookie);
  if (!token) co_return authority{};
  if (by_cookie && !is_safe(req.verb) && !origin_allowed(in, req)) {
    co_return tl::unexpected(refuse(req, 403, "bad_origin", "a cookie session may be used from the shop's own pages only"));
  }
  if (!by_cookie && is_machine_key(*token)) co_return co_await identify_machine(in, req, *token);
  const auto claims = in.tokens.verify(*token, seconds(in.time.wall()));
  if (!claims) co_return tl::unexpected(unauthorized(req, "the access token is not valid or has expired"));

  authority found;
  found.who = {.as = claims->as, .session = claims->session, .user = claims->user};
  found.credential = "token:" + claims->token;
  if (claims->session.empty()) co_return found;
  const answer got = co_await ask_session(in, found.who, with);
  if (!got.ok()) {
    // Only the session's own word ends it; that the machinery had none to give is no reason to log anybody out.
    const bool its_word = got.failure->number >= static_cast<error_number>(session::errc::already_open);
    if (!its_word) co_return tl::unexpected(failure_response(*got.failure, req));
    co_return tl::unexpected(unauthorized(req, "the session has ended"));
  }
  auto view = session::decode_reply(got.payload);
  if (!view) co_return tl::unexpected(failure_response(view.error(), req));
  found.who.as = view->as;
  found.who.user = view->user;
  found.cart = view->cart.str();
  found.absorbed = std::move(view->absorbed);
  found.credential = found.who.user.empty() ? "session:" + found.who.session : "user:" + found.who.user;
  co_return found;
}

// By the table of access; a call without a row is nobody's.
std::optional<response> keep_out(const request& req, authority& who) {
  const access_rule* rule = find_access(req.verb, req.route);
  who.sees = rule == nullptr ? reach::none : rule->of_caller(who.who);
  const bool in_scope = !who.by_key || rule == nullptr || rule->open_to_all() ||
                        std::find(who.scopes.begin(), who.scopes.end(), rule->scope()) != who.scopes.end();
  if (!in_scope) return refuse(req, 403, "missing_scope", "the key is not good for " + rule->scope());
  if (who.sees != reach::none) return std::nullopt;
  if (who.anonymous() && rule != nullptr) {
    return unauthorized(req, "this call needs a session: POST /api/sessions makes one");
  }
  if (rule != nullptr && who.who.as == role::guest && rule->of[static_cast<std::size_t>(audience::shopper)] != reach::none) {
    return refuse(req, 403, "forbidden", "this call is for registered users: register first");
  }
  return refuse(req, 403, "forbidden", "this call is for the shop's staff");
}

}  // namespace

task<tl::expected<authority, response>> authenticate(const shop& in, request& req, beside* with) {
  if (req.known) co_return *static_cast<const authority*>(req.known.get());
  auto found = co_await identify(in, req, with);
  if (!found) co_return found;
  if (auto kept_out = keep_out(req, *found)) co_return tl::unexpected(std::move(*kept_out));
  co_return found;
}

task<std::optional<response>> admit(const shop& in, request& req) {
  auto found = co_await authenticate(in, req);
  if (!found) co_return std::move(found.error());
  req.known = std::make_shared<const authority>(std::move(*found));
  co_return std::nullopt;
}

task<tl::expected<authority, response>> require_session(const shop& in, request& req, beside* with) {
  auto found = co_await authenticate(in, req, with);
  if (found && found->anonymous()) {
    co_return tl::unexpected(unauthorized(req, "this call needs a session: POST /api/sessions makes one"));
  }
  co_return found;
}

envelope make_envelope(const shop& in, entity_ref to, std::string command, caller asker, command_options options) {
  envelope message;
  message.to = std::move(to);
  message.command = std::move(command);
  message.asker = std::move(asker);
  message.id = options.id;
  message.body = options.body;
  message.expected_version = options.expected_version;
  message.wait = options.wait;
  message.repeatable = options.repeatable;
  message.deadline = in.time.wall() + in.command_patience;
  return message;
}

task<std::vector<answer>> ask_all(const shop& in, std::vector<envelope> messages) {
  const std::size_t count = messages.size();
  co_return co_await async_replies<answer>(count, [&](std::size_t i, auto done) {
    messages[i].reply = std::move(done);
    in.entities.send(std::move(messages[i]));
  });
}

tl::expected<command_options, response> unsafe_options(const request& req, const authority& who, key_need need) {
  command_options options;
  auto key = idempotency_key(req);
  if (!key) return tl::unexpected(refuse(req, 400, "bad_idempotency_key", key.error().detail));
  if (!*key && need == key_need::required) {
    return tl::unexpected(refuse(req, 400, "idempotency_key_required", "send an Idempotency-Key with this call"));
  }
  if (*key && !who.anonymous()) {
    options.id = digest_128({"key", who.key_owner(), **key});
    options.body = body_hash(std::string(req.method_name) + ' ' + std::string(req.path) + '\n' + std::string(req.body));
  }
  auto condition = if_match(req);
  if (!condition) return tl::unexpected(refuse(req, 400, "bad_if_match", condition.error().detail));
  options.expected_version = condition->version;
  return options;
}

response refuse(const request& req, int status, std::string_view code, std::string_view detail) {
  problem what;
  what.status = status;
  what.code = code;
  what.detail = detail;
  what.retryable = status == 503 || status == 429;
  if (what.retryable) what.retry_after_s = 1;
  return problem_response(what, req.request_id);
}

void mark_replayed(response& answered, const answer& got) {
  if (got.replayed) answered.add_header("Idempotent-Replayed", "true");
}

std::string_view role_name(role as) {
  switch (as) {
    case role::guest: return "guest";
    case role::shopper: return "shopper";
    case role::support: return "support";
    case role::admin: return "admin";
    case role::system: return "system";
  }
  return "";
}

bool is_url_id(std::string_view text) {
  const auto plain = [](char c) { return c > 0x20 && c < 0x7F && c != '/'; };
  const auto inner = [&](char c) { return plain(c) || c == ' '; };
  return !text.empty() && text.size() <= limits::url_id_bytes_max && plain(text.front()) && plain(text.back()) &&
         std::all_of(text.begin(), text.end(), inner);
}

bool is_product_id(std::string_view text) {
  constexpr std::array<std::string_view, 9> taken = {"import", "suggest", "reserve", "reservations", "items",
                                                     "coupons", "lines", ".", ".."};
  return is_url_id(text) && text.size() <= limits::product_id_bytes_max &&
         std::find(taken.begin(), taken.end(), text) == taken.end();
}

}  // namespace omnicart::http
