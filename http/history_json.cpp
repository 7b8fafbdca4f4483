#include "http/history_json.hpp"

#include <algorithm>

#include "http/list_query.hpp"
#include "http/order_list.hpp"
#include "http/server/async_reply.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/time.hpp"
#include "runtime/journal.hpp"
#include "runtime/kind.hpp"

namespace omnicart::http {
namespace {

using stored_events = std::vector<std::pair<std::uint64_t, event_record>>;

task<result<stored_events>> stored_history(const shop& in, entity_ref entity, std::uint64_t from, std::size_t limit) {
  co_return co_await async_reply<result<stored_events>>(
      [&](auto done) { in.store.history(entity, from, limit, std::move(done)); });
}

// Versions have no gaps: fewer events than there was room for, and not the last one.
bool lacks_some(const stored_events& found, std::uint64_t from, std::size_t limit, std::uint64_t version) {
  return found.size() < limit && from + found.size() <= version;
}

}  // namespace

void write_event(json_writer& json, const kind_entry& kind, std::uint64_t version, const event_record& record) {
  const auto text = kind.describe_event(record.event);
  json.begin_object().member("version", version).member("at", to_rfc3339(record.at));
  json.key("by").begin_object().member("role", role_name(record.by.as));
  if (!record.by.user.empty()) json.member("user_id", record.by.user);
  json.end_object().key("what").raw(text ? *text : "null").end_object();
}

task<response> history_page(const shop& in, request& req, entity_ref entity, std::uint64_t version) {
  list_query read(req);
  const std::size_t limit = read.limit();
  const auto from = static_cast<std::uint64_t>(read.integer("cursor", 1, INT64_MAX).value_or(1));
  if (auto bad = read.finish()) co_return std::move(*bad);
  const kind_entry* kind = in.kinds.find(entity.kind);
  if (!kind) co_return refuse(req, 404, "unknown_kind", "no such kind of record");

  auto asked = stored_history(in, entity, from, limit + 1);
  auto found = co_await std::move(asked);
  if (found && lacks_some(*found, from, limit + 1, version)) {
    auto waited = in.orders.caught_up();
    const auto current = co_await std::move(waited);
    if (!current) co_return failure_response(current.error(), req);
    auto again = stored_history(in, entity, from, limit + 1);
    found = co_await std::move(again);
  }
  if (!found) co_return failure_response(found.error(), req);
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(limit, found->size()); ++i) {
    write_event(json, *kind, (*found)[i].first, (*found)[i].second);
  }
  json.end_array().key("next_cursor");
  found->size() > limit ? json.value(std::to_string((*found)[limit].first)) : json.null();
  json.end_object();
  co_return json_response(200, std::move(body));
}

}  // namespace omnicart::http
