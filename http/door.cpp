#include "http/door.hpp"

#include <array>

#include "http/access_table.hpp"
#include "http/access_token.hpp"
#include "http/audit_trail.hpp"
#include "http/given_reason.hpp"
#include "http/machine_key.hpp"
#include "http/server/headers.hpp"
#include "http/server/problem.hpp"
#include "http/shop.hpp"

namespace omnicart::http {
namespace {

constexpr std::array<std::string_view, rate_class_count> class_names{"read", "write", "checkout",
                                                                     "login"};

// "write-session", quoted as a structured field's string (RFC 9651).
std::string policy_name(rate_class cost, rate_subject who) {
  return '"' + std::string(class_names[static_cast<std::size_t>(cost)]) + '-' +
         std::string(to_string(who)) + '"';
}

void tell(response& answered, const rate_limiter::verdict& said, rate_class cost) {
  const std::string name = policy_name(cost, said.who);
  answered.add_header("RateLimit-Policy", name + ";q=" + std::to_string(said.limit) +
                                              ";w=" + std::to_string(said.window_s));
  answered.add_header("RateLimit", name + ";r=" + std::to_string(said.remaining) +
                                       ";t=" + std::to_string(said.reset_s));
}

response too_many(const request& req, const rate_limiter::verdict& said, rate_class cost) {
  problem what;
  what.status = 429;
  what.code = "rate_limited";
  what.detail = "too many requests of this " + std::string(to_string(said.who));
  what.retryable = true;
  what.retry_after_s = said.retry_after_s;
  response refused = problem_response(what, req.request_id);
  tell(refused, said, cost);
  refused.add_header("RateLimit-Limit", std::to_string(said.limit))
      .add_header("RateLimit-Remaining", std::to_string(said.remaining))
      .add_header("RateLimit-Reset", std::to_string(said.reset_s));
  return refused;
}

// Whom the token names. Its session may have ended, which is found out behind the door; that it is
// counted until then does no harm. What role a machine's key has, only the keyring knows; until it
// was asked, anybody may have made up the secret behind a known id, so that a key is counted by all
// of it.
access_claims claims_of(const shop& in, const request& req) {
  auto token = bearer_token(req);
  if (!token) token = cookie(req, session_cookie);
  if (!token) return {};
  if (read_machine_key(*token)) {
    access_claims machine;
    machine.user = "key:" + refresh_digest(*token);
    machine.as = role::admin;
    return machine;
  }
  const auto now_s =
      std::chrono::floor<std::chrono::seconds>(in.time.wall()).time_since_epoch().count();
  auto claims = in.tokens.verify(*token, now_s);
  return claims ? std::move(*claims) : access_claims{};
}

// ": why". Nothing of a body that the handler refuses: the log cannot be shortened.
std::string reason_in(const request& req) {
  std::vector<field_error> errors;
  const std::string reason = given_reason(req, errors);
  return errors.empty() ? ": " + reason : std::string();
}

}  // namespace

task<response> door::pass(request& req, const call& to) const {
  return limits_.counts(req.peer) ? counted(req, to) : enter(req, to, nullptr);
}

task<response> door::counted(request& req, const call& to) const {
  const access_claims by = claims_of(shop_, req);
  const auto said =
      limits_.take({.peer = req.peer, .session = by.session, .user = by.user}, to.cost, to.name);
  if (!said.allowed) co_return too_many(req, said, to.cost);
  response answered = co_await enter(req, to, &by);
  tell(answered, said, to.cost);
  co_return answered;
}

task<response> door::enter(request& req, const call& to, const access_claims* by) const {
  // Whom everybody may ask is told nothing by a bad token here: such handlers say what they make of
  // it.
  if (to.rule != nullptr && to.rule->open_to_all()) return to.handle(req);
  // A token is signed for its role, which no session changes into staff's. For staff the log comes
  // before the handler's own questions.
  const auto by_staff = [&] { return is_staff(by ? by->as : claims_of(shop_, req).as); };
  const bool asks_along =
      to.rule != nullptr && to.rule->asks_along && !(to.rule->audited && by_staff());
  return asks_along ? to.handle(req) : admitted(req, to);
}

task<response> door::admitted(request& req, const call& to) const {
  if (auto kept_out = co_await admit(shop_, req)) co_return std::move(*kept_out);
  const auto& who = *static_cast<const authority*>(req.known.get());
  if (to.rule->audited && who.staff()) co_return co_await audited(req, to);
  co_return co_await to.handle(req);
}

task<response> door::audited(request& req, const call& to) const {
  const auto& who = *static_cast<const authority*>(req.known.get());
  std::string action = std::string(req.method_name) + ' ' + std::string(req.path);
  if (to.rule->reasoned) action += reason_in(req);
  const std::string request_id(req.request_id);
  auto begun = co_await begin_action(shop_, who.credential, who.who.as, action, request_id);
  if (!begun) co_return failure_response(begun.error(), req);
  response done = co_await to.handle(req);
  co_await end_action(shop_, *begun, done.status);
  co_return done;
}

}  // namespace omnicart::http
