#include "http/security_routes.hpp"

#include <httplib.h>

#include <algorithm>
#include <future>
#include <memory>

#include "actors/audit/audit_kind.hpp"
#include "actors/keyring/keyring_messages.hpp"
#include "http/access_table.hpp"
#include "http/access_token.hpp"
#include "http/audit_trail.hpp"
#include "http/blocking_ask.hpp"
#include "http/machine_key.hpp"
#include "http/operator_answers.hpp"
#include "http/own_copy.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/server/problem.hpp"
#include "http/shop.hpp"
#include "runtime/journal.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t ttl_s_max = 10LL * 365 * 86'400;
constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t scopes_max = 40;
constexpr std::size_t page = 1'000;

using entries = std::vector<std::pair<std::uint64_t, event_record>>;

result<keyring::reply> ask_keyring(const shop& in, const keyring::command& what) {
  std::vector<envelope> messages;
  messages.push_back(
      make_envelope(in, {"keyring", keyring::shop_keyring}, keyring::encode(what), engine()));
  const answer got = ask_and_wait(in.entities, std::move(messages), operator_patience).front();
  if (!got.ok()) return fail(*got.failure);
  return keyring::decode_reply(got.payload);
}

void write(json_writer& json, const keyring::key_view& key) {
  json.begin_object()
      .member("id", key.id)
      .member("name", key.name)
      .member("role", role_name(key.as));
  json.key("scopes").begin_array();
  for (const auto& scope : key.scopes) json.value(scope);
  json.end_array().member("created_at", to_rfc3339(key.created_at));
  if (key.expires_at != timestamp_ms{}) json.member("expires_at", to_rfc3339(key.expires_at));
}

void answer_invalid(httplib::Response& out, std::vector<field_error> errors) {
  const response shown = invalid_body_response(std::move(errors), "");
  out.status = shown.status;
  out.set_content(shown.body, std::string(shown.content_type).c_str());
}

bool is_scope(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return false;
  const auto what = text.substr(colon + 1);
  return (what == "read" || what == "write") &&
         std::ranges::find(access_resources(), text.substr(0, colon)) != access_resources().end();
}

std::string known_scopes() {
  std::string all;
  for (const auto each : access_resources()) all += (all.empty() ? "" : ", ") + std::string(each);
  return "RESOURCE:read or RESOURCE:write, of " + all;
}

result<entries> read_log(const shop& in, std::uint64_t from, std::size_t limit) {
  auto promised = std::make_shared<std::promise<result<entries>>>();
  auto got = promised->get_future();
  in.store.history({"audit", audit::staff_log}, from, limit,
                   [promised](result<entries> found) { promised->set_value(std::move(found)); });
  if (got.wait_for(operator_patience) != std::future_status::ready) return fail(base_errc::timeout);
  return got.get();
}

}  // namespace

void security_routes::add_to(httplib::Server& server,
                             const std::function<handler(handler)>& guard) {
  using in_t = const httplib::Request&;
  using out_t = httplib::Response&;
  server.Get("/keys", guard([this](in_t, out_t out) { list_keys(out); }));
  server.Post("/keys", guard([this](in_t in, out_t out) { create_key(in, out); }));
  server.Post("/keys/revoke", guard([this](in_t in, out_t out) { revoke_key(in, out); }));
  server.Get("/audit", guard([this](in_t in, out_t out) { list_audit(in, out); }));
  server.Get("/audit/verify", guard([this](in_t, out_t out) { verify_audit(out); }));
}

void security_routes::list_keys(httplib::Response& out) {
  const auto all = ask_keyring(shop_, keyring::list{});
  if (!all) return answer_failure(out, all.error());
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (const auto& key : all->keys) {
    write(json, key);
    json.end_object();
  }
  json.end_array().end_object();
  answer_json(out, 200, body);
}

void security_routes::create_key(const httplib::Request& in, httplib::Response& out) {
  std::vector<field_error> errors;
  const auto body = parse_json(in.body, errors);
  object_reader read(body, errors);
  keyring::create wanted;
  wanted.name = read.required_string("name", name_bytes_max);
  wanted.as = read.required_word("role", {"support", "admin"}) == 1 ? role::admin : role::support;
  wanted.scopes = read.string_array("scopes", scopes_max, name_bytes_max);
  const auto ttl_s = read.optional_int("ttl_s", 1, ttl_s_max);
  if (read.has("scopes") && !std::ranges::all_of(wanted.scopes, is_scope))
    read.report("scopes", "malformed", known_scopes());
  if (wanted.scopes.empty()) read.report("scopes", "missing", known_scopes());
  read.finish();
  if (!errors.empty()) return answer_invalid(out, std::move(errors));
  const machine_key made = make_machine_key(to_base32(shop_.ids.next()));
  wanted.id = made.id;
  wanted.digest = refresh_digest(made.secret);
  if (ttl_s) wanted.expires_at = shop_.time.wall() + std::chrono::seconds(*ttl_s);
  const auto action = begin_action_and_wait(
      shop_, "create key " + made.id + " of role " + std::string(role_name(wanted.as)));
  if (!action) return answer_failure(out, action.error());
  const auto kept = ask_keyring(shop_, wanted);
  if (kept && !kept->keys.empty()) {
    std::string text;
    json_writer json(text);
    write(json, kept->keys.front());
    json.member("key", made.text()).end_object();
    answer_json(out, 201, text);
  } else {
    answer_failure(out, kept ? make_error(base_errc::unknown_outcome) : kept.error());
  }
  end_action_and_wait(shop_, *action, out.status);
}

void security_routes::revoke_key(const httplib::Request& in, httplib::Response& out) {
  std::vector<field_error> errors;
  const auto body = parse_json(in.body, errors);
  object_reader read(body, errors);
  const std::string id = read.required_string("id", name_bytes_max);
  read.finish();
  if (!errors.empty()) return answer_invalid(out, std::move(errors));
  const auto action = begin_action_and_wait(shop_, "revoke key " + id);
  if (!action) return answer_failure(out, action.error());
  const auto done = ask_keyring(shop_, keyring::revoke{.id = id});
  done ? answer_json(out, 200, "{}") : answer_failure(out, done.error());
  end_action_and_wait(shop_, *action, out.status);
}

void security_routes::list_audit(const httplib::Request& in, httplib::Response& out) {
  const auto cursor = number_of(in, "cursor").value_or(1);
  const auto limit = number_of(in, "limit").value_or(100);
  if (cursor < 1 || limit < 1 || limit > static_cast<std::int64_t>(page))
    return answer_problem(out, 400, "invalid_query", "cursor or limit out of range");
  const auto wanted = static_cast<std::size_t>(limit);
  const auto lacking = behind(shop_);
  const auto found = read_log(shop_, static_cast<std::uint64_t>(cursor), wanted + 1);
  if (!found) return answer_failure(out, found.error());
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(found->size(), wanted); ++i)
    json.raw(audit_entry_json((*found)[i].first, (*found)[i].second.event));
  json.end_array().key("next_cursor");
  found->size() > wanted ? json.value(std::to_string(found->back().first)) : json.null();
  write_behind(json, lacking);
  json.end_object();
  answer_json(out, 200, body);
}

// From this node's own store, page by page: an entry that does not read counts as changed.
void security_routes::verify_audit(httplib::Response& out) {
  audit::chain_check chain;
  std::uint64_t bad = 0;
  const auto lacking = behind(shop_);
  for (std::uint64_t from = 1; bad == 0;) {
    const auto some = read_log(shop_, from, page);
    if (!some) return answer_failure(out, some.error());
    for (const auto& [entry, record] : *some) {
      const auto event = audit::kind::decode_event(record.event);
      if (entry != chain.entries() + 1 || !event || !chain.take(*event)) {
        bad = entry;
        break;
      }
    }
    if (some->size() < page) break;
    from = some->back().first + 1;
  }
  std::string body;
  json_writer json(body);
  json.begin_object()
      .member("sound", bad == 0)
      .member("entries", chain.entries())
      .member("head", chain.head());
  if (bad != 0) json.member("first_bad_entry", bad);
  write_behind(json, lacking);
  json.end_object();
  answer_json(out, 200, body);
}

}  // namespace omnicart::http
