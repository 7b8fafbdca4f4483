#include "http/order_list.hpp"

#include <algorithm>
#include <map>

#include "actors/order/order_codec.hpp"
#include "http/list_place.hpp"
#include "http/server/async_reply.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::http {
namespace {

// What a filter looks at.
struct facts {
  timestamp_ms placed_at;
  std::string user;
  std::string session;
  order::order_status status{};
  std::string reference;
  std::string customer_reference;
  OMNICART_FIELDS(placed_at, user, session, status, reference, customer_reference)
};

// A filter that hardly anything passes must not hold the projection up: then a page is short, with a cursor.
constexpr std::size_t rows_per_query_max = 20'000;

std::string row_of(const std::string& order) { return "o" + order; }
std::string buyer_prefix(const std::string& buyer) { return "b" + buyer + '\0'; }
std::string reference_prefix(const std::string& reference) { return "r" + reference + '\0'; }

std::optional<order::order_status> status_after(const order::event& event) {
  if (std::holds_alternative<order::paid>(event)) return order::order_status::paid;
  if (std::holds_alternative<order::authorised>(event)) return order::order_status::authorised;
  if (std::holds_alternative<order::rejected>(event)) return order::order_status::rejected;
  if (std::holds_alternative<order::declined>(event)) return order::order_status::declined;
  if (std::holds_alternative<order::cancelled>(event)) return order::order_status::cancelled;
  if (const auto* changed = std::get_if<order::status_changed>(&event)) return changed->to;
  return std::nullopt;
}

void add_rows(const std::string& id, const order::placed& placed, projection_rows& rows) {
  const order::place& content = placed.content;
  const facts about{.placed_at = placed.at,
                    .user = content.buyer.user,
                    .session = content.buyer.session,
                    .status = order::order_status::pending,
                    .reference = content.reference,
                    .customer_reference = content.customer_reference};
  const std::string place = place_of(placed.at, id);
  rows.put(row_of(id), codec::encode(about));
  rows.put("a" + place, "");
  if (!about.user.empty()) rows.put(buyer_prefix(about.user) + place, "");
  if (!about.session.empty()) rows.put(buyer_prefix(about.session) + place, "");
  if (!about.reference.empty()) rows.put(reference_prefix(about.reference) + place, "");
}

bool passes(const order_query& query, const std::string& id, projection_rows& rows) {
  if (!query.status && query.reference.empty() && query.customer_reference.empty()) return true;
  const auto stored = rows.get(row_of(id));
  const auto about = stored ? codec::decode<facts>(*stored) : result<facts>(fail(base_errc::not_found));
  if (!about) return false;
  return (!query.status || about->status == *query.status) &&
         (query.reference.empty() || about->reference == query.reference) &&
         (query.customer_reference.empty() || about->customer_reference == query.customer_reference);
}

struct found_places {
  std::vector<std::string> places;  // that pass the filter, at most limit + 1
  std::string last_seen;            // where the scan stopped for want of patience; empty: at its end or full
};

found_places scan(const order_query& query, const std::string& prefix, const std::string& after, projection_rows& rows) {
  found_places found;
  std::size_t seen = 0;
  // Behind the cursor's own row: its key with a NUL is the next possible one.
  const std::string from = after.empty() ? prefix : prefix + after + '\0';
  rows.scan(from, end_of_prefix(prefix), [&](std::string_view key, std::string_view) {
    std::string place(key.substr(prefix.size()));
    if (passes(query, std::string(id_at(place)), rows)) found.places.push_back(place);
    if (++seen >= rows_per_query_max) found.last_seen = std::move(place);
    return found.places.size() <= query.limit && seen < rows_per_query_max;
  });
  if (found.places.size() > query.limit) found.last_seen.clear();
  return found;
}

}  // namespace

void order_list::apply(const entity_ref& entity, std::uint64_t, const event_record& record, projection_rows& rows) {
  const auto event = order::decode_event(record.event);
  if (!event) return;
  if (const auto* placed = std::get_if<order::placed>(&*event)) return add_rows(entity.id, *placed, rows);
  const auto status = status_after(*event);
  const auto stored = status ? rows.get(row_of(entity.id)) : std::nullopt;
  if (!stored) return;
  if (auto about = codec::decode<facts>(*stored)) {
    about->status = *status;
    rows.put(row_of(entity.id), codec::encode(*about));
  }
}

result<order_page> order_list::find(const order_query& query, projection_rows& rows) {
  std::string after;
  if (!query.cursor.empty()) {
    const auto place = place_of_cursor(query.cursor);
    if (!place) return fail(base_errc::malformed, "not a cursor of this list");
    after = *place;
  }
  std::vector<std::string> prefixes;
  if (!query.buyers.empty()) {
    for (const auto& buyer : query.buyers) prefixes.push_back(buyer_prefix(buyer));
  } else if (!query.reference.empty()) {
    prefixes.push_back(reference_prefix(query.reference));
  } else {
    prefixes.push_back("a");
  }
  std::vector<std::string> places;
  std::string stopped_at;  // no scan looked further than this
  for (const auto& prefix : prefixes) {
    auto found = scan(query, prefix, after, rows);
    places.insert(places.end(), found.places.begin(), found.places.end());
    if (!found.last_seen.empty() && (stopped_at.empty() || found.last_seen < stopped_at)) stopped_at = found.last_seen;
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  if (!stopped_at.empty()) std::erase_if(places, [&](const std::string& place) { return place > stopped_at; });

  order_page page;
  const bool more = places.size() > query.limit;
  places.resize(std::min(places.size(), query.limit));
  for (const auto& place : places) page.ids.emplace_back(id_at(place));
  if (more) page.next_cursor = to_cursor(places.back());
  if (!more && !stopped_at.empty()) page.next_cursor = to_cursor(stopped_at);
  return page;
}

task<result<order_page>> order_list::page(order_query query) const {
  co_return co_await async_reply<result<order_page>>([&](auto done) {
    host_->query(
        name(), [query, done](projection_rows& rows) { done(find(query, rows)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

task<result<bool>> order_list::caught_up() const {
  co_return co_await async_reply<result<bool>>([&](auto done) { when_caught_up(std::move(done)); });
}

void order_list::when_caught_up(std::function<void(result<bool>)> done) const {
  host_->query(
      name(), [done](projection_rows&) { done(true); }, [done](error why) { done(fail(std::move(why))); });
}

}  // namespace omnicart::http
