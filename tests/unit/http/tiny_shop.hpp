#pragma once

#include <boost/test/unit_test.hpp>
#include <cctype>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "actors/audit/audit_kind.hpp"
#include "actors/cart/cart_kind.hpp"
#include "actors/coupon/coupon_kind.hpp"
#include "actors/email/email_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/keyring/keyring_kind.hpp"
#include "actors/location/location_kind.hpp"
#include "actors/product/product_kind.hpp"
#include "actors/session/session_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "actors/tariff/tariff_kind.hpp"
#include "actors/user/user_kind.hpp"
#include "http/access_token.hpp"
#include "http/catalogue_list.hpp"
#include "http/front.hpp"
#include "http/order_list.hpp"
#include "http/password_hasher.hpp"
#include "http/product_search.hpp"
#include "http/rate_limiter.hpp"
#include "http/record_list.hpp"
#include "http/server/headers.hpp"
#include "http/shop.hpp"
#include "http/sign_in_guard.hpp"
#include "http/user_list.hpp"
#include "runtime/journal.hpp"
#include "runtime/kind.hpp"
#include "tests/unit/http/manual_clock.hpp"

namespace omnicart::http::trial {

class counted_ids final : public id_source {
 public:
  command_id next() override { return {7, ++last_}; }

 private:
  std::uint64_t last_ = 0;
};

// Nothing is stored: entities live in memory.
class no_store : public entity_store {
 public:
  void load(const entity_ref&, std::function<void(result<stored_entity>)> done) override {
    done(stored_entity{});
  }
  presence receipt_presence(const entity_ref&, command_id) override { return presence::absent; }
  void find_receipt(const entity_ref&, command_id,
                    std::function<void(result<std::optional<receipt>>)> done) override {
    done(std::optional<receipt>{});
  }
  void history(const entity_ref&, std::uint64_t, std::size_t,
               std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)>
                   done) override {
    done(std::vector<std::pair<std::uint64_t, event_record>>{});
  }
};

// Entities under their real rules, run at once on the calling thread: every command, then all it
// owes to others, before the answer. Receipts are kept as the host keeps them.
class instant_entities final : public message_sink {
 public:
  instant_entities(const kind_registry& kinds, const clock& time) : kinds_(kinds), time_(time) {}

  // Messages for whom get no further: their shard has no leader.
  std::function<bool(const entity_ref&)> unreachable;

  void send(envelope message) override {
    answer got;
    if (unreachable && unreachable(message.to)) {
      got.failure = make_error(base_errc::unavailable);
    } else {
      got = handle(message);
    }
    if (message.reply) message.reply(std::move(got));
  }

 private:
  struct resident {
    std::unique_ptr<entity> state;
    std::uint64_t version = 0;
    std::map<std::pair<std::uint64_t, std::uint64_t>, receipt> receipts;
    bool settling = false;
  };

  answer handle(const envelope& message) {
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

  void settle(resident& at) {
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

  const kind_registry& kinds_;
  const clock& time_;
  std::map<entity_ref, resident> entities_;
};

struct call {
  std::string verb;
  std::string path;
  nlohmann::json body = nullptr;
  std::string token = {};
  std::string key = {};
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string peer = "203.0.113.9";
};

struct told {
  int status = 0;
  nlohmann::json body;
  std::string headers;

  std::string text(const char* name) const { return body.value(name, ""); }
  bool has_header(std::string_view text) const { return headers.find(text) != headers.npos; }
};

// The public API over entities in memory.
struct tiny_shop {
  explicit tiny_shop(const rate_limits& limits = {.enabled = false})
      : rates(limits, time), routes(make_routes(in, finder, users, rates, [this] { return refusing; })) {}

  // What a task of this shop comes to.
  template <class T>
  static T result_of(task<T> running) {
    std::promise<void> ended;
    running.start([](void* done) { static_cast<std::promise<void>*>(done)->set_value(); }, &ended);
    ended.get_future().wait();
    return running.take();
  }

  told operator()(const call& what) {
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
    response got = result_of(match.found->handle(req));
    return {.status = got.status,
            .body = got.body.empty() ? nlohmann::json() : nlohmann::json::parse(got.body),
            .headers = got.headers};
  }

  // A machine's token, as an operator issues them.
  std::string staff_token(role as) const {
    const auto now_s =
        std::chrono::duration_cast<std::chrono::seconds>(time.wall().time_since_epoch()).count();
    return tokens.issue({.session = "", .user = "", .as = as, .expires_at_s = now_s + 100'000},
                        now_s, "staff");
  }

  manual_clock time;
  counted_ids ids;
  kind_registry kinds{{kind_of<audit::kind>(), kind_of<cart::kind>(), kind_of<coupon::kind>(),
                       kind_of<email::kind>(), kind_of<gift_card::kind>(),
                       kind_of<keyring::kind>(), kind_of<location::kind>(),
                       kind_of<product::kind>(), kind_of<session::kind>(), kind_of<stock::kind>(),
                       kind_of<tariff::kind>(), kind_of<user::kind>()}};
  instant_entities entities{kinds, time};
  no_store store;
  access_tokens tokens{token_keys{}};
  password_hasher passwords{{.memory_bytes = 8'192, .passes = 1, .threads = 1, .queue_max = 8}};
  sign_in_guard sign_ins{{}, time};
  order_list orders;
  catalogue_list catalogue;
  record_list records;
  user_list users;
  product_search finder{"unused"};  // no call here searches
  shop in{.entities = entities,
          .store = store,
          .kinds = kinds,
          .time = time,
          .ids = ids,
          .tokens = tokens,
          .passwords = passwords,
          .sign_ins = sign_ins,
          .orders = orders,
          .catalogue = catalogue,
          .currency = *currency_code::parse("GBP"),
          .records = records};
  std::optional<error> refusing;  // why no writes are taken
  rate_limiter rates;
  router routes;
};

}  // namespace omnicart::http::trial
