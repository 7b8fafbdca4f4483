#include "tools/omnicartctl/run.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "persistence/verify.hpp"
#include "runtime/base/text.hpp"
#include "tools/omnicartctl/backup_commands.hpp"
#include "tools/omnicartctl/catalogue_commands.hpp"
#include "tools/omnicartctl/certificate_commands.hpp"
#include "tools/omnicartctl/cluster_commands.hpp"
#include "tools/omnicartctl/completion.hpp"
#include "tools/omnicartctl/location_commands.hpp"
#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/order_commands.hpp"
#include "tools/omnicartctl/report.hpp"
#include "tools/omnicartctl/secret_input.hpp"
#include "tools/omnicartctl/security_commands.hpp"
#include "tools/omnicartctl/store_report.hpp"
#include "tools/omnicartctl/user_commands.hpp"
#include "tools/pay/ledger_scan.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr std::uint64_t history_page = 1'000;  // events; the most a node gives at once
constexpr duration_ms laws_answer_within = std::chrono::minutes(15);  // beside the wait asked for

// Of what the client has found to be JSON.
json parsed(const std::string& body) { return json::parse(body, nullptr, false); }

void print_json(const json& what, std::ostream& out) { out << what.dump(2) << '\n'; }

// Whole seconds, never fewer than asked for.
std::int64_t seconds_up(duration_ms span) {
  return std::chrono::ceil<std::chrono::seconds>(span).count();
}

outcome<operator_client> connect(const command_line& given) {
  auto token = read_token(given.token_file, default_token_file);
  if (!token) return tl::unexpected<failure>(token.error());
  return operator_client::open(given.operator_url, std::move(*token));
}

ending print_report(const command_line& given, const json& body, const report& made,
                    std::ostream& out) {
  if (given.as == form::json) {
    print_json(body, out);
  } else {
    out << made.text;
  }
  return made.sound ? exit_code::ok : exit_code::failed;
}

ending show_status(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.get("/status", answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json status = parsed(*body);
  return print_report(given, status, report_status(status, node.url()), with.out);
}

ending check_laws(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.get("/laws?wait_s=" + std::to_string(seconds_up(given.wait)),
                             given.wait + laws_answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json laws = parsed(*body);
  return print_report(given, laws, report_laws(laws), with.out);
}

std::string entity_path(const command_line& given) {
  return "/entities/" + percent_encoded(given.entity_kind) + '/' + percent_encoded(given.entity_id);
}

ending show_state(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.get(
      entity_path(given) + (given.at ? "?at=" + percent_encoded(*given.at) : ""), answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json entity = parsed(*body);
  with.err << report_behind(entity);
  const bool whole = given.as == form::json || !entity.is_object() || !entity.contains("state");
  print_json(whole ? entity : entity["state"], with.out);
  return exit_code::ok;
}

// Where the next page starts; nothing after the last one.
std::optional<std::string> next_cursor(const json& page) {
  if (!page.is_object() || !page.contains("next_cursor")) return std::nullopt;
  const auto& cursor = page["next_cursor"];
  if (cursor.is_string()) return cursor.get<std::string>();
  return cursor.is_null() ? std::nullopt : std::optional(cursor.dump());
}

// Text goes out page by page; JSON is one document, so it waits for the last.
ending show_history(const command_line& given, operator_client& node, const surroundings& with) {
  std::uint64_t left = given.limit.value_or(UINT64_MAX);
  std::optional<std::string> cursor;
  json all = json::array();
  std::string behind;
  for (bool more = true; more;) {
    const auto body = node.get(
        entity_path(given) + "?history=1&limit=" + std::to_string(std::min(left, history_page)) +
            (cursor ? "&cursor=" + percent_encoded(*cursor) : ""),
        answer_within);
    if (!body) return tl::unexpected<failure>(body.error());
    const json page = parsed(*body);
    if (!page.is_object() || !page.contains("items") || !page["items"].is_array())
      return fail_with(exit_code::unreachable, node.url() + ": a history without items");
    if (behind.empty()) with.err << (behind = report_behind(page));
    if (page["items"].empty() && !cursor)
      return fail_with(exit_code::failed, "no such record, or no history of it");
    const auto next = next_cursor(page);
    if (next && next == cursor)
      return fail_with(exit_code::unreachable, node.url() + ": the history turns in a circle");
    cursor = next;
    for (const auto& event : page["items"]) {
      if (left == 0) {
        if (event.contains("version")) cursor = event["version"].dump();
        break;
      }
      --left;
      if (given.as == form::json) {
        all.push_back(event);
      } else {
        with.out << report_event(event);
      }
    }
    more = cursor && left > 0 && with.out.good();
  }
  if (given.as == form::json) {
    print_json({{"items", std::move(all)}, {"next_cursor", cursor ? json(*cursor) : json()}},
               with.out);
  }
  return exit_code::ok;
}

ending issue_token(const command_line& given, operator_client& node, const surroundings& with) {
  json wish{{"role", given.role}};
  if (given.ttl) wish["ttl_s"] = seconds_up(*given.ttl);
  const auto body = node.post("/tokens", wish.dump(), answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json issued = parsed(*body);
  if (given.as == form::json) {
    print_json(issued, with.out);
    return exit_code::ok;
  }
  if (!issued.is_object() || !issued.contains("token") || !issued["token"].is_string())
    return fail_with(exit_code::unreachable, node.url() + ": an answer without a token");
  with.out << issued["token"].get<std::string>() << '\n';
  return exit_code::ok;
}

// What a user's JSON calls its id.
std::string id_of(const json& user) {
  for (const char* member : {"user_id", "id"}) {
    if (user.is_object() && user.contains(member) && user[member].is_string())
      return user[member].get<std::string>();
  }
  return "-";
}

ending create_user(const command_line& given, operator_client& node, const surroundings& with) {
  const auto password =
      given.password_file.empty() ? with.password() : first_line_of(given.password_file);
  if (!password) return tl::unexpected<failure>(password.error());
  json wish{{"email", given.email}, {"password", *password}, {"role", given.role}};
  if (!given.name.empty()) wish["name"] = given.name;
  std::string text;
  try {
    text = wish.dump();
  } catch (const json::exception&) {  // only strings from outside can make it throw
    return fail_with(exit_code::usage, "e-mail, name and password must be UTF-8");
  }
  const auto body = node.post("/users", text, answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json user = parsed(*body);
  if (given.as == form::json) {
    print_json(user, with.out);
  } else {
    with.out << "created " << given.role << ' ' << given.email << ", user id "
             << printable(id_of(user)) << '\n';
  }
  return exit_code::ok;
}

tl::unexpected<failure> not_verified(const error& why) {
  if (why.is(base_errc::not_found)) return fail_with(exit_code::failed, why.detail);
  if (why.is(base_errc::unavailable)) {
    return fail_with(exit_code::unreachable,
                     why.detail + "; stop the node first, or verify a copy of the directory");
  }
  return fail_with(exit_code::io, why.detail);
}

// The simulated provider's ledger, where the node runs one: its findings go into the store's. How
// many entries it has.
result<std::optional<std::uint64_t>> verify_pay(const std::string& directory,
                                                persistence::verify_report& into) {
  const std::string name = "pay/ledger.log";
  const auto found = pay::verify_ledger(directory + '/' + name);
  if (!found && found.error().is(base_errc::not_found)) return std::nullopt;
  if (!found) return tl::unexpected<error>(found.error());
  for (const auto& each : found->damages)
    into.add(name + " at byte " + std::to_string(each.offset), each.what);
  if (found->torn_at) {
    into.notes.push_back(name + " ends within a write, at byte " + std::to_string(*found->torn_at) +
                         ": a crash cut it short, and nobody was answered from it");
  }
  return found->entries;
}

ending verify_store(const command_line& given, const surroundings& with) {
  auto found = persistence::verify(given.directory);
  if (!found) return not_verified(found.error());
  const auto ledger_entries = verify_pay(given.directory, *found);
  if (!ledger_entries) return not_verified(ledger_entries.error());
  if (given.as == form::json) {
    print_json(store_json(*found, *ledger_entries, given.directory), with.out);
  } else {
    with.out << report_store(*found, *ledger_entries, given.directory);
  }
  return found->ok() ? exit_code::ok : exit_code::failed;
}

ending print_completion(const command_line& given, const surroundings& with) {
  const auto script = completion_script(given.shell);
  if (given.as == form::json) {
    print_json({{"shell", given.shell}, {"script", script}}, with.out);
  } else {
    with.out << script;
  }
  return exit_code::ok;
}

ending carry_out(const command_line& given, const surroundings& with) {
  using node_command = ending (*)(const command_line&, operator_client&, const surroundings&);
  const auto on_node = [&](node_command command) -> ending {
    auto node = connect(given);
    if (!node) return tl::unexpected<failure>(node.error());
    return command(given, *node, with);
  };
  switch (given.what) {
    case verb::status:
      return on_node(show_status);
    case verb::entity_show:
      return on_node(given.history ? show_history : show_state);
    case verb::laws:
      return on_node(check_laws);
    case verb::token_issue:
      return on_node(issue_token);
    case verb::user_create:
      return on_node(create_user);
    case verb::user_export:
      return on_node(export_user);
    case verb::user_erase:
      return on_node(erase_user);
    case verb::orders_stuck:
    case verb::orders_explain:
    case verb::orders_retry:
    case verb::orders_resolve:
    case verb::payments_reconcile:
      return on_node(run_orders);
    case verb::keys_create:
    case verb::keys_list:
    case verb::keys_revoke:
    case verb::audit_list:
    case verb::audit_verify:
      return on_node(run_security);
    case verb::store_verify:
      return verify_store(given, with);
    case verb::cert_init:
      return make_authority(given, with.out);
    case verb::cert_node:
      return make_node_certificate(given, with.out);
    case verb::completion:
      return print_completion(given, with);
    case verb::cluster_init:
    case verb::cluster_join:
    case verb::cluster_status:
    case verb::cluster_nodes:
    case verb::cluster_shards:
    case verb::cluster_hashes:
    case verb::cluster_drain:
    case verb::cluster_resume:
    case verb::cluster_remove:
    case verb::cluster_replace:
    case verb::cluster_transfer:
    case verb::cluster_rebalance:
    case verb::cluster_configure:
    case verb::cluster_rotate_key:
    case verb::cluster_watch:
      return on_node(run_cluster);
    case verb::backup_create:
      return on_node(create_backup);
    case verb::backup_list:
      return list_backups(given, with);
    case verb::backup_verify:
      return verify_backup(given, with);
    case verb::backup_restore:
      return restore_backup(given, with);
    case verb::catalogue_import:
      return on_node(import_catalogue);
    case verb::locations_import:
      return on_node(import_locations);
    case verb::locations_list:
      return on_node(list_locations);
    case verb::projection_list:
      return on_node(list_projections);
    case verb::projection_rebuild:
      return on_node(rebuild_projection);
  }
  return exit_code::usage;
}

}  // namespace

exit_code run(const command_line& given, const surroundings& with) {
  auto ended = carry_out(given, with);
  with.out.flush();
  if (ended && !with.out) ended = fail_with(exit_code::io, "standard output: cannot be written");
  if (ended) return *ended;
  with.err << "omnicartctl: " << ended.error().what << '\n';
  return ended.error().code;
}

}  // namespace omnicart::ctl
