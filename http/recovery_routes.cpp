#include "http/recovery_routes.hpp"

#include <chrono>

#include "actors/email/email.hpp"
#include "http/access_token.hpp"
#include "http/machine_key.hpp"
#include "http/outbox.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/problem.hpp"
#include "http/session_tokens.hpp"
#include "http/sign_in.hpp"
#include "runtime/log.hpp"

namespace omnicart::http {
namespace {

constexpr duration_ms reset_lives = std::chrono::hours(1);
constexpr duration_ms confirmation_lives = std::chrono::hours(24);
constexpr duration_ms settle_patience{5'000};
constexpr std::size_t token_bytes_max = 300;

response bad_token(const request& req) {
  return refuse(req, 422, "invalid_ticket",
                "what the mail said is not valid (any more); ask for a new one");
}

// The account that owns the address: its id and how it stands. Nothing: none, or not to be written
// to.
task<result<std::optional<signed_in>>> owner_of(const shop& in, std::string address) {
  const entity_ref claim = email::entity_for(address);
  auto asked = inquire(in, claim, email::encode(email::look_up{}), engine());
  const answer got = co_await asked;
  if (!got.ok() && !refused_by_rules(got)) co_return fail(*got.failure);
  const auto owner = got.ok() ? email::decode_reply(got.payload)
                              : result<email::reply>(fail(base_errc::not_found));
  if (!owner) co_return std::optional<signed_in>();
  const entity_ref to{"user", owner->user.str()};
  auto user_asked = inquire(in, to, user::encode(user::get{}), engine());
  const answer known = co_await user_asked;
  if (!known.ok() && !refused_by_rules(known)) co_return fail(*known.failure);
  auto view = known.ok() ? user::decode_reply(known.payload)
                         : result<user::reply>(fail(base_errc::not_found));
  if (!view || view->status != user::user_status::active) co_return std::optional<signed_in>();
  co_return std::optional(signed_in{.user = to.id, .view = std::move(*view)});
}

}  // namespace

task<std::optional<error>> send_ticket(const shop& in, std::string user, std::string address,
                                       user::ticket_purpose purpose) {
  if (in.mail == nullptr) co_return make_error(base_errc::unavailable, "nothing sends mail here");
  const std::string secret = random_secret();
  const bool reset = purpose == user::ticket_purpose::reset_password;
  const timestamp_ms until = in.time.wall() + (reset ? reset_lives : confirmation_lives);
  const user::issue_ticket issued{
      .purpose = purpose, .digest = refresh_digest(secret), .expires_at = until};
  const entity_ref to{"user", user};
  auto asked = ask(in, to, user::encode(issued), engine());
  const answer got = co_await asked;
  if (!got.ok()) co_return *got.failure;
  const mail what{.to = std::move(address),
                  .kind = reset ? "password_reset" : "email_confirmation",
                  .secret = user + '.' + secret,
                  .valid_until = until};
  if (auto sent = in.mail->send(what); !sent) {
    log::error("a mail cannot be handed over", {{"why", sent.error().detail}});
    co_return sent.error();
  }
  co_return std::nullopt;
}

void recovery_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (recovery_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/users/password-reset", bound(&recovery_routes::ask_reset));
  routes.post("/api/users/password-reset/confirm", bound(&recovery_routes::reset));
  routes.post("/api/users/email-confirmation", bound(&recovery_routes::ask_confirmation));
  routes.post("/api/users/email-confirmation/confirm", bound(&recovery_routes::confirm));
}

// The same answer whether or not there is such an account: who asks learns nothing.
task<response> recovery_routes::ask_reset(request& req) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::string address = read.required_string("email", email::address_bytes_max);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  auto owner = co_await owner_of(shop_, address);
  if (!owner) co_return failure_response(owner.error(), req);
  if (*owner) {
    const std::string user = (*owner)->user, to = (*owner)->view.email;
    const auto failed = co_await send_ticket(shop_, user, to, user::ticket_purpose::reset_password);
    if (failed) co_return failure_response(*failed, req);
  }
  co_return json_response(202, R"({"status":"sent"})");
}

task<response> recovery_routes::reset(request& req) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::string token = read.required_string("token", token_bytes_max);
  std::string password =
      read.required_string("new_password", password_bytes_max, password_bytes_min);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  auto hash = co_await hash_password(shop_, req, std::move(password));
  if (!hash) co_return std::move(hash.error());
  const user::redeem_ticket what{.purpose = user::ticket_purpose::reset_password,
                                 .digest = {},
                                 .password_hash = std::move(*hash)};
  co_return co_await redeem(req, token, what);
}

task<response> recovery_routes::ask_confirmation(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  if (who->who.user.empty())
    co_return refuse(req, 403, "forbidden", "a guest has no profile: register first");
  std::vector<field_error> errors;
  const auto body = parse_optional_json(req, errors);
  object_reader(body, errors).finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const entity_ref to{"user", who->who.user};
  auto asked = inquire(shop_, to, user::encode(user::get{}), who->who);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const std::string address = view->email;
  const auto failed =
      co_await send_ticket(shop_, to.id, address, user::ticket_purpose::confirm_email);
  if (failed) co_return failure_response(*failed, req);
  co_return json_response(202, R"({"status":"sent"})");
}

task<response> recovery_routes::confirm(request& req) {
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const std::string token = read.required_string("token", token_bytes_max);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const user::redeem_ticket what{
      .purpose = user::ticket_purpose::confirm_email, .digest = {}, .password_hash = {}};
  co_return co_await redeem(req, token, what);
}

task<response> recovery_routes::redeem(request& req, std::string token,
                                       const user::redeem_ticket& what) {
  const auto dot = token.find('.');
  if (dot == token.npos || !is_url_id(std::string_view(token).substr(0, dot)))
    co_return bad_token(req);
  user::redeem_ticket shown = what;
  shown.digest = refresh_digest(std::string_view(token).substr(dot + 1));
  command_options options;
  options.wait = settle_patience;  // until the sessions that knew the old password have ended
  const entity_ref to{"user", token.substr(0, dot)};
  auto asked = ask(shop_, to, user::encode(shown), engine(), options);
  const answer got = co_await asked;
  if (!got.ok() && !refused_by_rules(got)) co_return failure_response(*got.failure, req);
  if (!got.ok()) co_return bad_token(req);
  co_return json_response(204, "");
}

}  // namespace omnicart::http
