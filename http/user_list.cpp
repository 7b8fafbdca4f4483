#include "http/user_list.hpp"

#include <algorithm>

#include "actors/user/user_kind.hpp"
#include "http/list_place.hpp"
#include "http/server/async_reply.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::http {
namespace {

using user::user_status;

// What a filter looks at.
struct facts {
  timestamp_ms created_at;
  role as = role::shopper;
  user_status status{};
  OMNICART_FIELDS(created_at, as, status)
};

// A filter that hardly anything passes must not hold the projection up: then a page is short, with a cursor.
constexpr std::size_t rows_per_query_max = 20'000;
constexpr timestamp_ms first_time{duration_ms{1}};

std::string row_of(const std::string& user) { return "u" + user; }
std::string role_prefix(role as) { return std::string("r") + static_cast<char>('0' + static_cast<int>(as)); }

std::optional<facts> facts_of(const std::string& id, projection_rows& rows) {
  const auto stored = rows.get(row_of(id));
  auto about = stored ? codec::decode<facts>(*stored) : result<facts>(fail(base_errc::not_found));
  return about ? std::optional(*about) : std::nullopt;
}

bool is_account(user_status status) { return status == user_status::active || status == user_status::disabled; }

void set_row(const std::string& key, bool there, projection_rows& rows) {
  there ? rows.put(key, "") : rows.erase(key);
}

// All rows of the user as these facts have them.
void keep(const std::string& id, const facts& about, projection_rows& rows) {
  const std::string place = place_of(about.created_at, id);
  rows.put(row_of(id), codec::encode(about));
  set_row("a" + place, is_account(about.status), rows);
  set_row(role_prefix(about.as) + place, is_account(about.status), rows);
  set_row("d" + place, about.status == user_status::disabled, rows);
}

void forget(const std::string& id, projection_rows& rows) {
  auto about = facts_of(id, rows);
  if (!about) return;
  about->status = user_status::unregistered;
  keep(id, *about, rows);
  rows.erase(row_of(id));
}

std::optional<user_status> status_after(const user::event& event) {
  if (std::holds_alternative<user::address_claimed>(event)) return user_status::active;
  if (std::holds_alternative<user::address_refused>(event)) return user_status::refused;
  if (std::holds_alternative<user::erasure_begun>(event)) return user_status::erasing;
  if (const auto* set = std::get_if<user::disabled_set>(&event))
    return set->disabled ? user_status::disabled : user_status::active;
  return std::nullopt;
}

// The rows with the fewest besides those wanted.
std::string prefix_for(const user_query& query) {
  if (query.status == user_status::disabled) return "d";
  return query.as ? role_prefix(*query.as) : "a";
}

bool passes(const user_query& query, const std::string& id, projection_rows& rows) {
  if (!query.as && !query.status) return true;
  const auto about = facts_of(id, rows);
  return about && (!query.as || about->as == *query.as) && (!query.status || about->status == *query.status);
}

struct key_range {
  std::string from, to;
};

// Later times sort first: the newest that is asked for begins the range.
key_range range_of(const user_query& query, const std::string& prefix, const std::string& after) {
  key_range keys{.from = prefix, .to = end_of_prefix(prefix)};
  if (query.created_to) keys.from = prefix + newest_first(std::max(*query.created_to, first_time) - duration_ms{1});
  if (query.created_from) keys.to = prefix + newest_first(std::max(*query.created_from, first_time) - duration_ms{1});
  // Behind the cursor's own row: its key with a NUL is the next possible one.
  if (!after.empty()) keys.from = std::max(keys.from, prefix + after + '\0');
  return keys;
}

}  // namespace

void user_list::apply(const entity_ref& entity, std::uint64_t, const event_record& record, projection_rows& rows) {
  const auto event = user::kind::decode_event(record.event);
  if (!event) return;
  if (const auto* made = std::get_if<user::registered>(&*event)) {
    forget(entity.id, rows);
    return keep(entity.id, {.created_at = made->at, .as = made->as, .status = user_status::registering}, rows);
  }
  const auto status = status_after(*event);
  auto about = status ? facts_of(entity.id, rows) : std::nullopt;
  if (!about) return;
  if (!is_account(*status)) return forget(entity.id, rows);
  about->status = *status;
  keep(entity.id, *about, rows);
}

void user_list::restore(const entity_ref& entity, std::string_view bytes, projection_rows& rows) {
  const auto state = user::kind::decode_state(bytes);
  if (!state) return;
  forget(entity.id, rows);
  if (!is_account(state->status) && state->status != user_status::registering) return;
  keep(entity.id, {.created_at = state->created_at, .as = state->as, .status = state->status}, rows);
}

result<user_page> user_list::find(const user_query& query, projection_rows& rows) {
  std::string after;
  if (!query.cursor.empty()) {
    const auto place = place_of_cursor(query.cursor);
    if (!place) return fail(base_errc::malformed, "not a cursor of this list");
    after = *place;
  }
  const std::string prefix = prefix_for(query);
  const key_range keys = range_of(query, prefix, after);
  user_page page;
  if (keys.from >= keys.to) return page;
  std::size_t seen = 0;
  rows.scan(keys.from, keys.to, [&](std::string_view key, std::string_view) {
    const std::string_view place = key.substr(prefix.size());
    std::string id(id_at(place));
    if (passes(query, id, rows)) {
      if (page.users.size() == query.limit) {
        page.next_cursor = page.users.back().cursor;
        return false;
      }
      page.users.push_back({.id = std::move(id), .cursor = to_cursor(place)});
    }
    if (++seen < rows_per_query_max) return true;
    page.next_cursor = to_cursor(place);
    return false;
  });
  return page;
}

task<result<user_page>> user_list::page(user_query query) const {
  co_return co_await async_reply<result<user_page>>([&](auto done) {
    host_->query(
        name(), [query, done](projection_rows& rows) { done(find(query, rows)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

}  // namespace omnicart::http
