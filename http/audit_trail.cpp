#include "http/audit_trail.hpp"

#include "actors/audit/audit_kind.hpp"
#include "http/blocking_ask.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/time.hpp"
#include "runtime/log.hpp"

namespace omnicart::http {
namespace {

entity_ref staff_log() { return {"audit", audit::staff_log}; }

command_options once(const shop& in) {
  command_options options;
  options.id = in.ids.next();
  options.body = 1;
  return options;
}

result<std::uint64_t> number_of(const answer& got) {
  if (!got.ok()) return fail(*got.failure);
  const auto view = audit::decode_reply(got.payload);
  if (!view) return fail(view.error());
  return view->action;
}

void complain(const answer& got, std::uint64_t action, int status) {
  if (got.ok()) return;
  log::warning("the audit log did not take how an action ended",
               {{"action", action}, {"status", status}, {"why", got.failure->detail}});
}

answer ask_log(const shop& in, const audit::command& what) {
  std::vector<envelope> messages;
  messages.push_back(make_envelope(in, staff_log(), audit::encode(what), engine(), once(in)));
  return ask_and_wait(in.entities, std::move(messages), operator_patience).front();
}

audit::command ending(std::uint64_t action, int status) {
  return audit::end{.action = action, .status = static_cast<std::uint32_t>(status)};
}

void write(json_writer& json, const audit::begun& entry) {
  json.member("event", "begun")
      .member("action", entry.action)
      .member("credential", entry.credential)
      .member("role", role_name(entry.as))
      .member("what", entry.what)
      .member("request_id", entry.request_id)
      .member("digest", entry.digest);
}
void write(json_writer& json, const audit::ended& entry) {
  json.member("event", "ended")
      .member("action", entry.action)
      .member("status", entry.status)
      .member("digest", entry.digest);
}

}  // namespace

task<result<std::uint64_t>> begin_action(const shop& in, std::string credential, role as,
                                         std::string action, std::string request_id) {
  const audit::command what = audit::begin{.credential = std::move(credential),
                                           .as = as,
                                           .action = std::move(action),
                                           .request_id = std::move(request_id)};
  auto asked = ask(in, staff_log(), audit::encode(what), engine(), once(in));
  const answer got = co_await asked;
  co_return number_of(got);
}

task<bool> end_action(const shop& in, std::uint64_t action, int status) {
  auto asked = ask(in, staff_log(), audit::encode(ending(action, status)), engine(), once(in));
  const answer got = co_await asked;
  complain(got, action, status);
  co_return got.ok();
}

result<std::uint64_t> begin_action_and_wait(const shop& in, std::string action) {
  return number_of(ask_log(in, audit::begin{.credential = "operator",
                                            .as = role::system,
                                            .action = std::move(action),
                                            .request_id = {}}));
}

void end_action_and_wait(const shop& in, std::uint64_t action, int status) {
  complain(ask_log(in, ending(action, status)), action, status);
}

std::string audit_entry_json(std::uint64_t entry, std::string_view event) {
  const auto read = audit::kind::decode_event(event);
  if (!read) return "null";
  std::string text;
  json_writer json(text);
  json.begin_object().member("entry", entry);
  std::visit(
      [&](const auto& e) {
        json.member("at", to_rfc3339(e.at));
        write(json, e);
      },
      *read);
  json.end_object();
  return text;
}

}  // namespace omnicart::http
