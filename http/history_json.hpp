#pragma once

#include "http/server/json_writer.hpp"
#include "http/server/message.hpp"
#include "http/server/task.hpp"
#include "http/shop.hpp"

namespace omnicart {
struct event_record;
struct kind_entry;
}  // namespace omnicart

namespace omnicart::http {

// One stored event, as it stands in a page.
void write_event(json_writer& json, const kind_entry& kind, std::uint64_t version, const event_record& record);

// A page of an entity's stored events, oldest first, with time and asker: {"items": […], "next_cursor": …}. Reads
// "limit" and "cursor" (a version) of the query. The caller has checked who may see it, and knows the entity's version:
// where it lives on another node, this node's store may have less, and is waited for.
task<response> history_page(const shop& in, request& req, entity_ref entity, std::uint64_t version);

}  // namespace omnicart::http
