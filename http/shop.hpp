#pragma once

#include <utility>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/payment/payment_messages.hpp"
#include "http/access_table.hpp"
#include "http/server/async_reply.hpp"
#include "http/server/message.hpp"
#include "http/server/task.hpp"
#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"
#include "runtime/clock.hpp"
#include "runtime/crash_point.hpp"
#include "runtime/id_source.hpp"
#include "runtime/message.hpp"

namespace omnicart {
class entity_store;
class kind_registry;
}  // namespace omnicart

namespace omnicart::http {

class access_tokens;
class catalogue_list;
class order_list;
class outbox;
class password_hasher;
class record_list;
class sign_in_guard;

inline constexpr std::string_view session_cookie = "omnicart_session";

// What the routes reach the shop through. All parts outlive the server; all are thread-safe.
struct shop {
  message_sink& entities;
  entity_store& store;
  const kind_registry& kinds;
  const clock& time;
  id_source& ids;
  const access_tokens& tokens;
  password_hasher& passwords;
  sign_in_guard& sign_ins;
  order_list& orders;
  catalogue_list& catalogue;

  currency_code currency;                       // of empty carts and of decimal prices without one
  duration_ms command_patience{10'000};         // a command not handled by then is refused as expired
  duration_ms payment_patience{5'000};          // how long an order's call waits for its payment
  duration_ms access_token_ttl{300'000};
  duration_ms guest_session_ttl{30L * 24 * 3'600'000};
  duration_ms user_session_ttl{30L * 24 * 3'600'000};
  std::vector<std::string> cookie_origins;      // origins besides our own that may use a cookie session
  payment::capture_when capture = payment::capture_when::at_order;  // of the orders placed from now on
  std::string webhook_secret;                   // of the provider's webhooks; empty: none are taken

  record_list& records;
  outbox* mail = nullptr;                       // null: nothing is sent
};

// Who stands behind a request, after the session actor's word.
struct authority {
  caller who;                         // anonymous: role guest without a session
  std::string cart;                   // id of the caller's current cart
  std::vector<std::string> absorbed;  // guest sessions that count as this caller
  reach sees = reach::own;            // whose records this call shows them, by the table of access
  std::string credential;             // what they came with: "user:ID", "session:ID", "token:ID", "key:ID"; empty: nothing
  bool by_key = false;                // a machine's key: only for calls of its scopes
  std::vector<std::string> scopes;
  bool anonymous() const { return who.session.empty() && !is_staff(who.as); }
  bool staff() const { return is_staff(who.as); }
  bool sees_all() const { return sees == reach::any; }
  // The name that idempotency keys belong to: the user, else the session, else the staff role.
  std::string key_owner() const;
};

// Questions that a route would ask next anyway, sent along with the one to the caller's session: on other nodes both are
// then answered in one round. They do no harm, whoever turns out to ask.
struct beside {
  std::vector<envelope> questions;
  std::vector<answer> answers;  // in the questions' order; none when no session was asked
};

// Reads the token (Authorization, or the session cookie), asks the session, and looks the call up in the table of
// access. Failures are answers ready to send: 401 unauthorized for a token that is bad, expired or revoked, and for
// none where the call needs one; 403 forbidden where the table does not let the caller in; 403 bad_origin for a cookie
// from elsewhere. Who comes without a token to a call open to all is the anonymous caller. Once an outer handler has
// let them in (admit), their authority stands in the request and nobody is asked again.
// No questions beside it: null. What is not null lives until the task has ended.
task<tl::expected<authority, response>> authenticate(const shop& in, request& req, beside* with = nullptr);
// authenticate(), kept for the handlers within. Nothing: they may go on.
task<std::optional<response>> admit(const shop& in, request& req);
// authenticate(), and 401 for the anonymous whatever the table says.
task<tl::expected<authority, response>> require_session(const shop& in, request& req, beside* with = nullptr);

// A command on its way: who asks, and for unsafe calls the Idempotency-Key.
struct command_options {
  command_id id;
  std::uint64_t body = 0;
  std::optional<std::uint64_t> expected_version;
  duration_ms wait{0};
  bool repeatable = false;  // a question: asking twice does no harm
};

// The engine as the one who asks: rules that keep persons from each other's records let it through.
inline caller engine() { return {.as = role::system, .session = {}, .user = {}}; }

envelope make_envelope(const shop& in, entity_ref to, std::string command, caller asker, command_options options = {});

// Sends a command when awaited, and resumes with its answer, without a thread:
//
//   auto asked = ask(shop_, {"cart", id}, cart::encode(cart::get{}), who);
//   const answer got = co_await asked;
//
// In two statements: GCC 12 moves aggregates that are temporaries of a co_await expression by their bytes, which a
// short std::string in them does not survive (GCC bug 99576 and its kin).
inline auto ask(const shop& in, entity_ref to, std::string command, caller asker, command_options options = {}) {
  return async_reply<answer>(
      [&in, message = make_envelope(in, std::move(to), std::move(command), std::move(asker), options)](
          reply_callback<answer> done) mutable {
        message.reply = [done = std::move(done)](answer got) {
          OMNICART_CRASH_POINT("before_http_answer");
          done(std::move(got));
        };
        in.entities.send(std::move(message));
      });
}
// The same for a question, a command that never leaves an event: on its way to another node it may be asked again.
inline auto inquire(const shop& in, entity_ref to, std::string command, caller asker) {
  return ask(in, std::move(to), std::move(command), std::move(asker), {.repeatable = true});
}
// Sends several at once and waits for all; answers in order.
task<std::vector<answer>> ask_all(const shop& in, std::vector<envelope> messages);

// Idempotency-Key and If-Match of an unsafe request, as command options. Failures: 400 malformed header, 400
// idempotency_key_required.
enum class key_need { optional, required };
tl::expected<command_options, response> unsafe_options(const request& req, const authority& who, key_need need);

// The problem answer to an entity's failure; one exhaustive switch per module maps codes to HTTP.
response failure_response(const error& why, const request& req);
response failure_response(const error& why, const request& req, std::string_view members);
// The code of that answer.
std::string_view problem_code(const error& why);
// Shorthand for a problem of the front itself.
response refuse(const request& req, int status, std::string_view code, std::string_view detail);

// Marks what a repeated request gets.
void mark_replayed(response& answered, const answer& got);

// "guest", "shopper", "support", "admin", "system".
std::string_view role_name(role as);

// Ids as they may stand in a URL: 1-128 printable ASCII characters without '/' and spaces at the ends.
bool is_url_id(std::string_view text);
// Product ids: 1-64 such characters, none of the words that are path segments (api.md).
bool is_product_id(std::string_view text);

}  // namespace omnicart::http
