#include "http/session_routes.hpp"

#include <algorithm>

#include "actors/session/session_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "http/access_token.hpp"
#include "http/list_query.hpp"
#include "http/session_tokens.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t refresh_token_bytes_max = 2'048;

response key_is_spent(const request& req) {
  return refuse(req, 409, "key_spent",
                "the session that was opened with this key is in other use or has ended");
}

response bad_refresh_token(const request& req) {
  return refuse(req, 401, "bad_refresh_token",
                "the refresh token is not valid (any more); sign in again");
}

}  // namespace

void session_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (session_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/sessions", bound(&session_routes::open));
  routes.get("/api/sessions", bound(&session_routes::list));
  routes.remove("/api/sessions/{id}", bound(&session_routes::remove));
  routes.post("/api/users/refresh", bound(&session_routes::refresh));
  routes.post("/api/users/logout", bound(&session_routes::logout));
}

task<tl::expected<authority, response>> session_routes::opener(request& req) {
  auto who = co_await authenticate(shop_, req);
  if (!who && who.error().status == 401) co_return authority{};
  co_return who;
}

task<response> session_routes::open(request& req) {
  auto who = co_await opener(req);
  if (!who) co_return std::move(who.error());
  auto options = creating_options(req, *who);
  if (!options) co_return std::move(options.error());
  options->expected_version.reset();

  std::vector<field_error> errors;
  const auto body = parse_optional_json(req, errors);
  object_reader read(body, errors);
  const bool with_cookie = read.optional_bool("cookie").value_or(false);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);

  const command_id named =
      options->id ? digest_128({"session", to_base32(options->id)}) : shop_.ids.next();
  const std::string id = to_base32(named);
  const entity_ref to{"session", id};
  const std::string command = session::encode(opening_of(shop_, req, id, shop_.guest_session_ttl));
  auto asked = ask(shop_, to, command, caller{}, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = session::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  // A key gives a guest's fresh session again, never what has become of it: not a user's, not one
  // in use elsewhere.
  if (view->as != role::guest || view->refresh_index != 0 || has_ended(shop_, *view))
    co_return key_is_spent(req);

  const session_tokens given = issue_tokens(shop_, id, *view);
  std::string text;
  json_writer json(text);
  json.begin_object().member("session_id", id);
  write_tokens(json, given);
  json.member("cart_id", view->cart.str()).end_object();
  response made = json_response(201, std::move(text));
  made.add_header("Location", "/api/sessions/" + id);
  if (with_cookie) set_session_cookie(made, req, shop_, given.access);
  mark_replayed(made, got);
  co_return made;
}

task<tl::expected<std::vector<std::string>, response>> session_routes::sessions_of(
    request& req, const authority& who, const std::string& user) {
  std::vector<std::string> ids;
  if (!user.empty()) {
    const entity_ref to{"user", user};
    auto asked = inquire(shop_, to, user::encode(user::get{}), who.who);
    const answer got = co_await asked;
    if (!got.ok()) co_return tl::unexpected(failure_response(*got.failure, req));
    auto view = user::decode_reply(got.payload);
    if (!view) co_return tl::unexpected(failure_response(view.error(), req));
    ids = std::move(view->sessions);
  }
  // Its own session may not have reached the user yet; a guest's never does.
  if (user == who.who.user && !who.who.session.empty()) ids.push_back(who.who.session);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  co_return ids;
}

task<response> session_routes::list(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const std::size_t limit = read.limit();
  const std::string after = read.cursor();
  const auto named = read.text("user_id", limits::url_id_bytes_max);
  if (auto bad = read.finish()) co_return std::move(*bad);
  const std::string user = named.value_or(who->who.user);
  if (user != who->who.user && (!who->sees_all() || !is_url_id(user))) {
    co_return refuse(req, 404, "no_such_user", "no such user");
  }
  auto ids = co_await sessions_of(req, *who, user);
  if (!ids) co_return std::move(ids.error());

  // In the order of ids, so that a cursor holds while sessions come and go.
  ids->erase(ids->begin(), std::upper_bound(ids->begin(), ids->end(), after));
  const bool more = ids->size() > limit;
  if (more) ids->resize(limit);
  std::vector<envelope> questions;
  for (const auto& id : *ids) {
    questions.push_back(
        make_envelope(shop_, {"session", id}, session::encode(session::authorize{}), who->who, {.repeatable = true}));
  }
  const auto answers = co_await ask_all(shop_, std::move(questions));
  std::string text;
  json_writer json(text);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok() && !refused_by_rules(answers[i]))
      co_return failure_response(*answers[i].failure, req);
    if (!answers[i].ok()) continue;  // it has ended
    const auto view = session::decode_reply(answers[i].payload);
    if (!view) continue;
    json.begin_object()
        .member("session_id", (*ids)[i])
        .member("current", (*ids)[i] == who->who.session)
        .member("created_at", to_rfc3339(view->created_at))
        .member("expires_at", to_rfc3339(view->expires_at))
        .end_object();
  }
  json.end_array().key("next_cursor");
  more ? json.value(ids->back()) : json.null();
  json.end_object();
  co_return json_response(200, std::move(text));
}

task<response> session_routes::remove(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const entity_ref to{"session", std::string(req.param("id"))};
  if (!is_url_id(to.id)) co_return refuse(req, 404, "no_such_session", "no such session");
  const std::string command = session::encode(session::revoke{.reason = "revoked"});
  auto asked = ask(shop_, to, command, who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  response done = json_response(204, "");
  if (to.id == who->who.session) expire_session_cookie(done, req);
  mark_replayed(done, got);
  co_return done;
}

task<response> session_routes::logout(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  std::vector<field_error> errors;
  const auto body = parse_optional_json(req, errors);
  object_reader(body, errors).finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const entity_ref to{"session", who->who.session};
  if (to.id.empty())
    co_return refuse(req, 404, "no_such_session", "this token belongs to no session");
  const std::string command = session::encode(session::revoke{.reason = "logged out"});
  auto asked = ask(shop_, to, command, who->who);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  co_return signed_out(req);
}

task<response> session_routes::refresh(request& req) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::string presented = read.required_string("refresh_token", refresh_token_bytes_max);
  const bool with_cookie = read.optional_bool("cookie").value_or(false);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const auto claims = shop_.tokens.verify_refresh(presented);
  if (!claims) co_return bad_refresh_token(req);

  const entity_ref to{"session", claims->session};
  auto known_asked = inquire(shop_, to, session::encode(session::authorize{}), caller{});
  const answer known = co_await known_asked;
  if (!known.ok() && !refused_by_rules(known)) co_return failure_response(*known.failure, req);
  const auto before = known.ok() ? session::decode_reply(known.payload)
                                 : result<session::reply>(fail(*known.failure));
  if (!before) co_return bad_refresh_token(req);

  session::refresh command;
  command.digest = refresh_digest(presented);
  command.successor =
      refresh_digest(shop_.tokens.refresh_token(claims->session, claims->index + 1));
  command.expires_at = shop_.time.wall() + (before->as == role::guest ? shop_.guest_session_ttl
                                                                      : shop_.user_session_ttl);
  command.index = claims->index;
  caller self;
  self.as = before->as;
  self.session = claims->session;
  self.user = before->user;
  auto asked = ask(shop_, to, session::encode(command), self);
  const answer got = co_await asked;
  if (!got.ok() && !refused_by_rules(got)) co_return failure_response(*got.failure, req);
  if (!got.ok()) co_return bad_refresh_token(req);
  const auto view = session::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  // A token that was spent long ago: somebody else has had it, and the session is over for both.
  if (view->revoked) co_return bad_refresh_token(req);

  const session_tokens given = issue_tokens(shop_, claims->session, *view);
  // The keys may have changed meanwhile, and who came with a token of distrusted ones gets none of the
  // new. Looked at after those were made: keys only go on, so they are of keys that believe what came.
  if (!shop_.tokens.verify_refresh(presented)) co_return bad_refresh_token(req);
  std::string text;
  json_writer json(text);
  json.begin_object();
  write_tokens(json, given);
  json.end_object();
  response answered = json_response(200, std::move(text));
  if (with_cookie) set_session_cookie(answered, req, shop_, given.access);
  co_return answered;
}

}  // namespace omnicart::http
