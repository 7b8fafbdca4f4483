#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/audit/audit_messages.hpp"
#include "http/shop.hpp"

// Writing and reading the audit log (actors/audit).
namespace omnicart::http {

// Durable before it answers: the number of the action. Faults: those of any command.
task<result<std::uint64_t>> begin_action(const shop& in, std::string credential, role as,
                                         std::string action, std::string request_id);
// How it ended. That this cannot be written is logged: the action is done.
task<bool> end_action(const shop& in, std::uint64_t action, int status);

// The same for operators' threads, which may block.
result<std::uint64_t> begin_action_and_wait(const shop& in, std::string action);
void end_action_and_wait(const shop& in, std::uint64_t action, int status);

// An entry as JSON: {entry, at, event: "begun", action, credential, role, what, request_id, digest}
// or {entry, at, event: "ended", action, status, digest}; null for bytes that do not read.
std::string audit_entry_json(std::uint64_t entry, std::string_view event);

}  // namespace omnicart::http
