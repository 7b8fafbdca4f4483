#include "tools/omnicartctl/order_commands.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/base/text.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms walk_within = std::chrono::minutes(15);  // over every order of the shop

std::string text_of(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) return {};
  return printable(object[name].is_string() ? object[name].get<std::string>() : object[name].dump());
}

const json& list_of(const json& object, const char* name) {
  static const json none = json::array();
  return object.is_object() && object.contains(name) && object[name].is_array() ? object[name] : none;
}

std::string report_stuck(const json& body) {
  const auto& items = list_of(body, "items");
  std::string text;
  for (const auto& each : items) {
    const auto seconds = each.is_object() ? each.value("seconds", std::int64_t{0}) : 0;
    text += text_of(each, "order_id") + "  " + text_of(each, "status") + ", for " + span_text(seconds);
    const auto trouble = text_of(each, "trouble");
    text += (trouble.empty() ? "" : "  " + trouble) + '\n';
  }
  if (items.empty()) return "no order is stuck\n";
  return text + "omnicartctl orders explain ID says what each waits for\n";
}

std::string report_explained(const json& body) {
  std::string text = "order " + text_of(body, "order_id") + " is " + text_of(body, "status") + '\n';
  const auto& owed = list_of(body, "owes");
  for (const auto& each : owed) {
    text += "! " + text_of(each, "what") + " > " + text_of(each, "to") + ": " + text_of(each, "means") + '\n';
    text += "  " + text_of(each, "advice") + '\n';
  }
  if (owed.empty()) text += "it owes nobody anything\n";
  return text;
}

std::string report_done(const json& body) {
  const bool owes = body.is_object() && body.value("owes", false);
  return "order " + text_of(body, "order_id") + " is " + text_of(body, "status") +
         (owes ? ", and still owes something\n" : ", and owes nobody anything\n");
}

std::string report_reconciled(const json& body) {
  std::string text;
  for (const auto& each : list_of(body, "findings")) {
    const bool mended = each.is_object() && each.value("mended", false);
    text += std::string(mended ? "mended  " : "!       ") + text_of(each, "order_id") + "  " + text_of(each, "what") +
            "  " + text_of(each, "detail") + '\n';
  }
  text += text_of(body, "orders") + " orders, " + text_of(body, "keys") + " payments at the provider, " +
          text_of(body, "in_flight") + " under way; ";
  return text + (text_of(body, "agree") == "true" ? "the ledgers agree\n" : "the ledgers differ\n");
}

std::string order_path(const command_line& given, const char* what) {
  return "/orders/" + percent_encoded(given.entity_id) + '/' + what;
}

outcome<std::string> ask(const command_line& given, operator_client& node) {
  switch (given.what) {
    case verb::orders_stuck: {
      const auto older = std::chrono::ceil<std::chrono::seconds>(given.older).count();
      return node.get("/orders/stuck?older_s=" + std::to_string(older) + "&limit=" +
                          std::to_string(given.limit.value_or(100)),
                      walk_within);
    }
    case verb::orders_explain:
      return node.get(order_path(given, "explain"), answer_within);
    case verb::orders_retry:
      return node.post(order_path(given, "retry"), "{}", answer_within);
    case verb::orders_resolve:
      return node.post(order_path(given, "resolve"), json{{"how", given.resolution}, {"note", given.why}}.dump(),
                       answer_within);
    case verb::payments_reconcile:
      return given.mend ? node.post("/payments/reconcile", "{}", walk_within)
                        : node.get("/payments/reconcile", walk_within);
    default:
      return fail_with(exit_code::usage, "no command about orders");
  }
}

std::string report_of(verb what, const json& body) {
  if (what == verb::orders_stuck) return report_stuck(body);
  if (what == verb::orders_explain) return report_explained(body);
  if (what == verb::payments_reconcile) return report_reconciled(body);
  return report_done(body);
}

// Something is left to do for a person.
bool is_sound(verb what, const json& body) {
  if (what == verb::orders_stuck) return list_of(body, "items").empty();
  if (what == verb::payments_reconcile) return text_of(body, "agree") == "true";
  return true;
}

}  // namespace

ending run_orders(const command_line& given, operator_client& node, const surroundings& with) {
  const auto answered = ask(given, node);
  if (!answered) return tl::unexpected<failure>(answered.error());
  const json body = json::parse(*answered, nullptr, false);
  if (given.as == form::json) {
    with.out << body.dump(2) << '\n';
  } else {
    with.out << report_of(given.what, body);
  }
  return is_sound(given.what, body) ? exit_code::ok : exit_code::failed;
}

}  // namespace omnicart::ctl
