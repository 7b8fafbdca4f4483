#pragma once

#include "http/server/message.hpp"
#include "http/server/task.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// A page of an entity's stored events, oldest first, with time and asker: {"items": […], "next_cursor": …}. Reads
// "limit" and "cursor" (a version) of the query. The caller has checked who may see it, and knows the entity's version:
// where it lives on another node, this node's store may have less, and is waited for.
task<response> history_page(const shop& in, request& req, entity_ref entity, std::uint64_t version);

}  // namespace omnicart::http
