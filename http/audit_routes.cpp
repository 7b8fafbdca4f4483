#include "http/audit_routes.hpp"

#include <algorithm>

#include "http/audit_trail.hpp"
#include "http/list_query.hpp"
#include "http/order_list.hpp"
#include "http/server/async_reply.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/journal.hpp"

namespace omnicart::http {

void audit_routes::add_to(router& routes) {
  routes.get("/api/audit", [this](request& req) { return list(req); });
}

task<response> audit_routes::list(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const std::size_t limit = read.limit();
  const auto from = static_cast<std::uint64_t>(read.integer("cursor", 1, INT64_MAX).value_or(1));
  if (auto bad = read.finish()) co_return std::move(*bad);
  // What is read is this node's copy of the log.
  auto waited = shop_.orders.caught_up();
  const auto current = co_await std::move(waited);
  if (!current) co_return failure_response(current.error(), req);
  using entries = std::vector<std::pair<std::uint64_t, event_record>>;
  const entity_ref log{"audit", audit::staff_log};
  const auto found = co_await async_reply<result<entries>>(
      [&](auto done) { shop_.store.history(log, from, limit + 1, std::move(done)); });
  if (!found) co_return failure_response(found.error(), req);
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(limit, found->size()); ++i)
    json.raw(audit_entry_json((*found)[i].first, (*found)[i].second.event));
  json.end_array().key("next_cursor");
  found->size() > limit ? json.value(std::to_string((*found)[limit].first)) : json.null();
  json.end_object();
  co_return json_response(200, std::move(body));
}

}  // namespace omnicart::http
