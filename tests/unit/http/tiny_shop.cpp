#include "tests/unit/http/tiny_shop.hpp"

#include "actors/audit/audit_kind.hpp"
#include "actors/cart/cart_kind.hpp"
#include "actors/coupon/coupon_kind.hpp"
#include "actors/email/email_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/keyring/keyring_kind.hpp"
#include "actors/location/location_kind.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/product/product_kind.hpp"
#include "actors/session/session_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "actors/tariff/tariff_kind.hpp"
#include "actors/user/user_kind.hpp"

namespace omnicart::http::trial {

void instant_entities::send(envelope message) {
  const bool is_question = message.repeatable || message.asker.as == role::system;
  BOOST_TEST((!only_questions || is_question), "a GET sends a command to " << message.to.str());
  answer got;
  if (unreachable && unreachable(message.to)) {
    got.failure = make_error(base_errc::unavailable);
  } else {
    got = handle(message);
  }
  if (message.reply) message.reply(std::move(got));
}

answer instant_entities::handle(const envelope& message) {
  const kind_entry* kind = kinds_.find(message.to.kind);
  BOOST_REQUIRE(kind != nullptr);
  resident& at = entities_[message.to];
  if (!at.state) at.state = kind->make();
  const context ctx{.now = time_.wall(), .command = message.id, .asker = message.asker};
  answer got;
  const auto proof = std::make_pair(message.id.high, message.id.low);
  if (message.id && at.receipts.count(proof) != 0) {
    got.version = at.version;
    got.replayed = true;
    const receipt& kept = at.receipts[proof];
    if (kept.body != message.body) {
      got.failure = make_error(base_errc::id_reused);
      return got;
    }
    got.payload = at.state->reply_again(message.command, ctx, kept.data).value();
    return got;
  }
  if (message.expected_version && *message.expected_version != at.version) {
    got.failure = make_error(base_errc::precondition_failed);
    return got;
  }
  auto done = at.state->execute(message.command, ctx, nullptr);
  if (!done) {
    got.failure = done.error();
    got.version = at.version;
    return got;
  }
  at.version += done->events.size();
  if (message.id) {
    at.receipts[proof] = {.id = message.id,
                          .body = message.body,
                          .expires_at = {},
                          .refused = 0,
                          .detail = "",
                          .data = done->keepsake};
  }
  settle(at);
  got.payload = message.wait > duration_ms{0}
                    ? at.state->reply_again(message.command, ctx, done->keepsake).value()
                    : done->reply;
  got.version = at.version;
  return got;
}

void instant_entities::settle(resident& at) {
  if (at.settling) return;
  at.settling = true;
  for (auto owed = at.state->pending(1); !owed.empty(); owed = at.state->pending(1)) {
    envelope message;
    message.to = owed[0].to;
    message.command = owed[0].command;
    message.asker.as = role::system;
    const auto command = at.state->settle(owed[0].key, handle(message));
    if (!command) break;
    const context ctx{.now = time_.wall(), .command = {}, .asker = message.asker};
    const auto settled = at.state->execute(*command, ctx, nullptr);
    BOOST_REQUIRE(settled.has_value());
    at.version += settled->events.size();
  }
  at.settling = false;
}

kind_registry kinds_of_a_shop() {
  return kind_registry{{kind_of<audit::kind>(), kind_of<cart::kind>(), kind_of<coupon::kind>(),
                        kind_of<email::kind>(), kind_of<gift_card::kind>(),
                        kind_of<keyring::kind>(), kind_of<location::kind>(),
                        kind_of<order::kind>(), kind_of<product::kind>(), kind_of<session::kind>(),
                        kind_of<stock::kind>(), kind_of<tariff::kind>(), kind_of<user::kind>()}};
}

tiny_shop::tiny_shop(const rate_limits& limits)
    : rates(limits, time), routes(make_routes(in, finder, users, rates, [this] { return refusing; })) {}

told tiny_shop::operator()(const call& what) {
  const auto question = what.path.find('?');
  request req;
  req.verb = parse_method(what.verb);
  req.method_name = what.verb;
  req.path = std::string_view(what.path).substr(0, question);
  for (auto at = question; at != what.path.npos;) {
    const auto next = what.path.find('&', at + 1);
    const auto pair = std::string_view(what.path).substr(at + 1, next - at - 1);
    req.query_params.push_back({pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1)});
    at = next;
  }
  req.peer = what.peer;
  req.request_id = "r1";
  const std::string body = what.body.is_null() ? "" : what.body.dump();
  req.body = body;
  const std::string bearer = "Bearer " + what.token;
  if (!what.token.empty()) req.fields.push_back({"Authorization", bearer});
  if (!what.key.empty()) req.fields.push_back({"Idempotency-Key", what.key});
  for (const auto& [name, value] : what.fields) req.fields.push_back({name, value});
  std::string scratch;
  const auto match = routes.match(req.verb, req.path, req.params, scratch);
  BOOST_REQUIRE_MESSAGE(match.found != nullptr, what.verb + ' ' + what.path);
  req.route = match.found->pattern;
  entities.only_questions = what.verb == "GET";
  response got = result_of(match.found->handle(req));
  entities.only_questions = false;
  return {.status = got.status,
          .body = got.body.empty() ? nlohmann::json() : nlohmann::json::parse(got.body),
          .headers = got.headers};
}

std::string tiny_shop::staff_token(role as) const {
  const auto now_s =
      std::chrono::duration_cast<std::chrono::seconds>(time.wall().time_since_epoch()).count();
  return tokens.issue({.session = "", .user = "", .as = as, .expires_at_s = now_s + 100'000},
                      now_s, "staff");
}

}  // namespace omnicart::http::trial
