#include "tools/omnicartctl/security_commands.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms verify_within = std::chrono::minutes(15);
constexpr std::uint64_t page_entries = 1'000;  // the most a node gives at once

json parsed(const std::string& body) { return json::parse(body, nullptr, false); }

std::string text_of(const json& from, const char* name) {
  if (!from.is_object() || !from.contains(name)) return "-";
  const json& value = from[name];
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

ending create_key(const command_line& given, operator_client& node, const surroundings& with) {
  json wish{{"name", given.name}, {"role", given.role}, {"scopes", given.scopes}};
  if (given.ttl) wish["ttl_s"] = std::chrono::ceil<std::chrono::seconds>(*given.ttl).count();
  std::string text;
  try {
    text = wish.dump();
  } catch (const json::exception&) {  // only strings from outside can make it throw
    return fail_with(exit_code::usage, "--name and --scope must be UTF-8");
  }
  const auto body = node.post("/keys", text, answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json made = parsed(*body);
  if (given.as == form::json) {
    with.out << made.dump(2) << '\n';
  } else {
    with.out << text_of(made, "key") << '\n';
  }
  return exit_code::ok;
}

ending list_keys(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.get("/keys", answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json all = parsed(*body);
  if (given.as == form::json) {
    with.out << all.dump(2) << '\n';
    return exit_code::ok;
  }
  const json none = json::array();
  const json& items = all.is_object() && all.contains("items") ? all["items"] : none;
  for (const auto& key : items) {
    with.out << text_of(key, "id") << "  " << text_of(key, "role") << "  " << text_of(key, "name")
             << "  " << text_of(key, "scopes") << "  since " << text_of(key, "created_at");
    if (key.contains("expires_at")) with.out << "  until " << text_of(key, "expires_at");
    with.out << '\n';
  }
  if (items.empty()) with.out << "no keys\n";
  return exit_code::ok;
}

ending revoke_key(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.post("/keys/revoke", json{{"id", given.target}}.dump(), answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  with.out << (given.as == form::json ? "{}\n" : "revoked " + printable(given.target) + '\n');
  return exit_code::ok;
}

std::string line_of(const json& entry) {
  std::string line = text_of(entry, "entry") + "  " + text_of(entry, "at") + "  ";
  if (text_of(entry, "event") == "begun") {
    line += text_of(entry, "credential") + " (" + text_of(entry, "role") + ")  " +
            text_of(entry, "what") + "  request " + text_of(entry, "request_id");
  } else {
    line += "action " + text_of(entry, "action") + " ended with " + text_of(entry, "status");
  }
  return line + '\n';
}

ending list_audit(const command_line& given, operator_client& node, const surroundings& with) {
  std::uint64_t left = given.limit.value_or(UINT64_MAX);
  std::string cursor = "1";
  json all = json::array();
  std::string behind;
  while (left > 0 && !cursor.empty()) {
    const auto body = node.get(
        "/audit?cursor=" + cursor + "&limit=" + std::to_string(std::min(left, page_entries)),
        answer_within);
    if (!body) return tl::unexpected<failure>(body.error());
    const json page = parsed(*body);
    if (!page.is_object() || !page.contains("items"))
      return fail_with(exit_code::unreachable, node.url() + ": a log without items");
    if (behind.empty()) with.err << (behind = report_behind(page));
    for (const auto& entry : page["items"]) {
      --left;
      if (given.as == form::json) {
        all.push_back(entry);
      } else {
        with.out << line_of(entry);
      }
    }
    const bool more = page.contains("next_cursor") && page["next_cursor"].is_string();
    cursor = more && !page["items"].empty() ? page["next_cursor"].get<std::string>() : "";
  }
  if (given.as == form::json) with.out << json{{"items", std::move(all)}}.dump(2) << '\n';
  return exit_code::ok;
}

// Whether the entry that was noted has the digest that was noted.
outcome<bool> is_as_noted(const std::string& expected, operator_client& node) {
  const auto colon = expected.find(':');
  std::uint64_t number = 0;
  const char* const end = expected.data() + std::min(colon, expected.size());
  const auto [stop, bad] = std::from_chars(expected.data(), end, number);
  if (colon == expected.npos || bad != std::errc{} || stop != end || number == 0)
    return fail_with(exit_code::usage, "--expect is N:DIGEST");
  const auto body = node.get("/audit?limit=1&cursor=" + std::to_string(number), answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const json page = parsed(*body);
  if (!page.is_object() || !page.contains("items")) return false;
  if (page["items"].empty() && !report_behind(page).empty())
    return fail_with(exit_code::unreachable, "entry " + std::to_string(number) + " is not in this node's copy yet: ask another node");
  if (page["items"].empty()) return false;
  return text_of(page["items"][0], "digest") == expected.substr(colon + 1);
}

ending verify_audit(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.get("/audit/verify", verify_within);
  if (!body) return tl::unexpected<failure>(body.error());
  json found = parsed(*body);
  if (!found.is_object() || !found.contains("sound"))
    return fail_with(exit_code::unreachable, node.url() + ": an answer that is no verdict");
  with.err << report_behind(found);
  bool sound = found["sound"] == true;
  if (!given.expect.empty()) {
    const auto same = is_as_noted(given.expect, node);
    if (!same) return tl::unexpected<failure>(same.error());
    found["as_noted"] = *same;
    sound = sound && *same;
  }
  if (given.as == form::json) {
    with.out << found.dump(2) << '\n';
  } else if (found["sound"] == true) {
    with.out << text_of(found, "entries") << " entries, each as it was written; head "
             << text_of(found, "entries") << ':' << text_of(found, "head") << '\n';
    if (found.contains("as_noted") && found["as_noted"] == false)
      with.out << "but entry " << printable(given.expect)
               << " is not as noted: the log was written anew\n";
  } else {
    with.out << "entry " << text_of(found, "first_bad_entry") << " is not as it was written\n";
  }
  return sound ? exit_code::ok : exit_code::failed;
}

}  // namespace

ending run_security(const command_line& given, operator_client& node, const surroundings& with) {
  if (given.what == verb::keys_create) return create_key(given, node, with);
  if (given.what == verb::keys_list) return list_keys(given, node, with);
  if (given.what == verb::keys_revoke) return revoke_key(given, node, with);
  if (given.what == verb::audit_list) return list_audit(given, node, with);
  return verify_audit(given, node, with);
}

}  // namespace omnicart::ctl
