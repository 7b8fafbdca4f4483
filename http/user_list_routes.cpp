#include "http/user_list_routes.hpp"

#include <algorithm>
#include <array>

#include "actors/email/email.hpp"
#include "http/list_query.hpp"
#include "http/session_tokens.hpp"
#include "http/user_json.hpp"
#include "http/user_list.hpp"
#include "persistence/search/words.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t part_bytes_max = 200;
constexpr std::size_t time_bytes_max = 40;
constexpr std::size_t asked_at_once = 100;
// Each is loaded from the disk that is not in memory.
constexpr std::size_t asked_per_request_max = 500;

std::optional<timestamp_ms> read_time(list_query& read, std::string_view name) {
  const auto text = read.text(name, time_bytes_max);
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) read.report(name, "malformed", "a time as RFC 3339 has it: 2026-11-20T10:00:00Z");
  return time ? std::optional(*time) : std::nullopt;
}

user_query read_user_query(list_query& read) {
  user_query query;
  query.limit = read.limit();
  query.cursor = read.cursor();
  constexpr std::array roles{role::shopper, role::support, role::admin};
  if (const auto at = read.word("role", {"shopper", "support", "admin"})) query.as = roles[*at];
  constexpr std::array statuses{user::user_status::active, user::user_status::disabled};
  if (const auto at = read.word("status", {"active", "disabled"})) query.status = statuses[*at];
  query.created_from = read_time(read, "created_from");
  query.created_to = read_time(read, "created_to");
  return query;
}

// The user may have changed since it was listed.
bool is_wanted(const user_query& query, const std::string& part, const user::user_view& view) {
  if (query.status && view.status != *query.status) return false;
  return part.empty() || search::folded(view.email).find(part) != std::string::npos ||
         search::folded(view.details.name).find(part) != std::string::npos;
}

std::string list_json(const std::string& items, const std::string& next_cursor) {
  std::string text;
  json_writer json(text);
  json.begin_object().key("items").raw(items).key("next_cursor");
  next_cursor.empty() ? json.null() : json.value(next_cursor);
  json.end_object();
  return text;
}

}  // namespace

void user_list_routes::add_to(router& routes) {
  routes.get("/api/users", [this](request& req) { return search(req); });
}

task<response> user_list_routes::search(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const auto address = read.text("email", email::address_bytes_max);
  if (address) {
    if (auto bad = read.finish()) co_return std::move(*bad);
    co_return co_await by_address(req, *who, *address);
  }
  user_query query = read_user_query(read);
  const std::string part = search::folded(read.text("q", part_bytes_max).value_or(""));
  if (auto bad = read.finish()) co_return std::move(*bad);
  co_return co_await by_part(req, *who, query, part);
}

task<response> user_list_routes::by_address(request& req, const authority& who, std::string address) {
  const entity_ref claim = email::entity_for(address);
  auto owner_asked = inquire(shop_, claim, email::encode(email::look_up{}), who.who);
  const answer owner = co_await owner_asked;
  if (!owner.ok() && !refused_by_rules(owner)) co_return failure_response(*owner.failure, req);
  const auto named =
      owner.ok() ? email::decode_reply(owner.payload) : result<email::reply>(fail(*owner.failure));
  std::string items;
  json_writer json(items);
  json.begin_array();
  if (named) {
    const entity_ref to{"user", named->user.str()};
    auto asked = inquire(shop_, to, user::encode(user::get{}), who.who);
    const answer got = co_await asked;
    if (!got.ok() && !refused_by_rules(got)) co_return failure_response(*got.failure, req);
    const auto view =
        got.ok() ? user::decode_reply(got.payload) : result<user::reply>(fail(*got.failure));
    if (view) write_user(json, to.id, *view);
  }
  json.end_array();
  co_return json_response(200, list_json(items, ""));
}

task<response> user_list_routes::by_part(request& req, const authority& who, user_query& query,
                                             const std::string& part) {
  const std::string question = user::encode(user::get{});
  const std::size_t wanted = query.limit;
  std::size_t found = 0, asked = 0;
  std::string items;
  json_writer json(items);
  json.begin_array();
  do {
    const std::size_t room = part.empty() ? wanted - found : asked_at_once;
    query.limit = std::min(room, asked_per_request_max - asked);
    auto listing = users_.page(query);
    const auto page = co_await std::move(listing);
    if (!page) co_return failure_response(page.error(), req);
    std::vector<envelope> questions;
    for (const auto& each : page->users)
      questions.push_back(make_envelope(shop_, {"user", each.id}, question, who.who, {.repeatable = true}));
    const auto answers = co_await ask_all(shop_, std::move(questions));
    asked += answers.size();
    query.cursor = page->next_cursor;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].ok() && !refused_by_rules(answers[i])) co_return failure_response(*answers[i].failure, req);
      const auto view = answers[i].ok() ? user::decode_reply(answers[i].payload)
                                        : result<user::reply>(fail(*answers[i].failure));
      if (!view || !is_wanted(query, part, *view)) continue;
      write_user(json, page->users[i].id, *view);
      if (++found < wanted) continue;
      if (i + 1 < answers.size()) query.cursor = page->users[i].cursor;
      break;
    }
    // A filter that hardly anybody passes: the list has looked long enough.
    if (page->users.size() < query.limit) break;
  } while (found < wanted && asked < asked_per_request_max && !query.cursor.empty());
  json.end_array();
  co_return json_response(200, list_json(items, query.cursor));
}

}  // namespace omnicart::http
