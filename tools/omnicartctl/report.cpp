#include "tools/omnicartctl/report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "config/options.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

const json* find(const json& in, const char* member) {
  const auto at = in.is_object() ? in.find(member) : in.end();
  return at == in.end() ? nullptr : &*at;
}

std::optional<std::int64_t> integer(const json& in, const char* member) {
  const json* const at = find(in, member);
  return at && at->is_number_integer() ? std::optional(at->get<std::int64_t>()) : std::nullopt;
}

std::string text(const json& in, const char* member) {
  const json* const at = find(in, member);
  return at && at->is_string() ? printable(at->get<std::string>()) : std::string();
}

// Strings bare, the rest as JSON.
std::string shown(const json& value) {
  if (value.is_string()) return printable(value.get<std::string>());
  if (value.is_number_integer()) return grouped(value.get<std::int64_t>());
  return value.dump();
}

// Lines of two columns, the second aligned.
class table {
 public:
  void add(std::string name, std::string value) {
    width_ = std::max(width_, name.size());
    rows_.emplace_back(std::move(name), std::move(value));
  }
  void add_to(std::string& out, std::string_view indent) const {
    for (const auto& [name, value] : rows_) {
      out += indent;
      out += value.empty() ? name : name + std::string(width_ - name.size() + 2, ' ') + value;
      out += '\n';
    }
  }

 private:
  std::vector<std::pair<std::string, std::string>> rows_;
  std::size_t width_ = 0;
};

// What is wrong and what to do about it.
class warnings {
 public:
  void refuses(const std::string& what) { refusals_.push_back(what); }
  void points_out(const std::string& what) { others_.push_back(what); }
  bool refusing() const { return !refusals_.empty(); }
  void add_to(std::string& out) const {
    for (const auto* all : {&refusals_, &others_}) {
      for (const auto& each : *all) out += "! " + each + '\n';
    }
  }

 private:
  std::vector<std::string> refusals_, others_;
};

void judge_limit(const json& status, const char* count_member, const char* limit_member,
                 std::int64_t limit_by_default, const char* what, warnings& into) {
  const auto count = integer(status, count_member);
  const auto told = integer(status, limit_member);
  const std::int64_t limit = told.value_or(limit_by_default);
  if (!count || *count < limit) return;
  const std::string line = grouped(*count) + ' ' + what + ", the " + (told ? "" : "default ") +
                           "limit http." + limit_member + " is " + grouped(limit) +
                           ": what comes beyond it is shed; send less, or raise the limit";
  // A limit the node did not tell may be set higher there.
  told ? into.refuses(line) : into.points_out(line);
}

void judge_projections(const json& projections, warnings& into) {
  if (!projections.is_object()) return;
  for (const auto& [name, each] : projections.items()) {
    const auto lag = integer(each, "lag_batches").value_or(0);
    if (lag <= lag_batches_calm) continue;
    into.points_out(
        "projection " + printable(name) + " is " + grouped(lag) +
        " batches behind: lists and search answer from the past; ask again in a minute, "
        "and if this number grows, look for \"projection\" in the node's log");
  }
}

// Why the node takes no writes (the codes of journal::refusing), and what to do about it.
std::string advice_for(const std::string& code) {
  if (code == "storage_full") {
    return "read-only: free disk space is below storage.min_free_mib, so every write is refused "
           "with 503; free space on the disk of the data directory, and the node writes again by "
           "itself";
  }
  if (code == "overloaded") {
    return "refusing writes: the journal's queue or the store of receipts is full; it takes writes "
           "again when the disk has caught up, or when storage.receipts_max is raised";
  }
  if (code == "shutting_down") return "refusing writes: the node is stopping";
  if (code == "unknown_outcome") {
    return "refusing writes: a write has failed and the node is ending; look at its disk and its "
           "log before it is started again";
  }
  return "refusing writes: " + code;
}

warnings judge(const json& status) {
  warnings out;
  auto refusing = text(status, "refusing");
  if (const json* read_only = find(status, "read_only"); read_only && *read_only == true)
    refusing = "storage_full";
  if (!refusing.empty()) out.refuses(advice_for(refusing));
  if (const auto trouble = text(status, "pay_trouble"); !trouble.empty()) {
    out.refuses("payments: " + trouble +
                "; the node starts it again by itself, and orders wait and ask again: if this stays, "
                "look for \"payment provider\" in the node's log");
  }
  const config::http_options shipped;
  judge_limit(status, "in_flight", "in_flight_max", shipped.in_flight_max, "requests in flight",
              out);
  judge_limit(status, "connections", "connections_max", shipped.connections_max, "open connections",
              out);
  if (const json* journal = find(status, "journal")) {
    const auto waiting = integer(*journal, "queue_items").value_or(0);
    if (waiting > journal_queue_items_calm) {
      out.points_out(grouped(waiting) +
                     " writes wait for the disk: it is slower than the traffic; see the commit "
                     "latency in /metrics, and what else uses this disk");
    }
  }
  if (const json* projections = find(status, "projections")) judge_projections(*projections, out);
  return out;
}

std::string residents_text(const json& status) {
  const auto count = integer(status, "residents"), bytes = integer(status, "resident_bytes");
  if (!count) return {};
  std::string out = grouped(*count) + (*count == 1 ? " entity" : " entities") + " in memory";
  if (bytes) out += ", " + bytes_text(*bytes);
  if (bytes && *count > 0) out += " (" + bytes_text(*bytes / *count) + " each)";
  return out;
}

std::string journal_text(const json& journal) {
  const auto items = integer(journal, "items"), batches = integer(journal, "batches");
  if (!items || !batches) return {};
  std::string out = grouped(*items) + " writes in " + grouped(*batches) + " batches";
  if (*batches > 0) {
    const auto tenths = *items * 10 / *batches;
    out += " (" + std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " each)";
  }
  if (const auto waiting = integer(journal, "queue_items"))
    out += ", " + grouped(*waiting) + " waiting";
  return out;
}

std::string load_text(const json& status) {
  const auto requests = integer(status, "in_flight"), connections = integer(status, "connections");
  if (!requests || !connections) return {};
  return grouped(*requests) + (*requests == 1 ? " request" : " requests") + " in flight, " +
         grouped(*connections) + (*connections == 1 ? " connection" : " connections");
}

void add_known(table& rows, const char* name, std::string value) {
  if (!value.empty()) rows.add(name, std::move(value));
}

// {"GBP": 1065562248} as "10,655,622.48 GBP"; {"paid": 1200, "cancelled": 3} as "1,200 paid, 3
// cancelled".
std::string amounts_text(const json& by_currency) {
  std::string out;
  for (const auto& [name, minor] : by_currency.items()) {
    const auto currency = currency_code::parse(name);
    if (!out.empty()) out += ", ";
    if (!currency || !minor.is_number_integer()) {
      out += shown(minor) + ' ' + printable(name);
      continue;
    }
    const auto decimal =
        to_decimal({.amount_minor = minor.get<std::int64_t>(), .currency = *currency});
    const auto point = decimal.find('.');
    const std::string whole = decimal.substr(0, point);
    // "-0.48": the sign would be lost on the way through a number.
    out += whole == "-0" ? whole : grouped(std::stoll(whole));
    if (point != std::string::npos) out += decimal.substr(point);
    out += ' ' + name;
  }
  return out.empty() ? "0" : out;
}

void add_figures(const json& figures, std::string& out) {
  table rows;
  for (const auto& [name, value] : figures.items()) {
    std::string label = printable(name);
    std::ranges::replace(label, '_', ' ');
    rows.add(std::move(label), value.is_object() ? amounts_text(value) : shown(value));
  }
  rows.add_to(out, "  ");
}

std::string verdict(std::size_t count, std::size_t broken) {
  if (count == 0) return "no law was checked\n";
  if (broken > 0) return std::to_string(broken) + " of " + std::to_string(count) + " laws broken\n";
  return count == 1 ? "the one law holds\n" : "all " + std::to_string(count) + " laws hold\n";
}

// Who asked, as "admin" or "shopper u-17".
std::string asker_text(const json& event) {
  const json* const by = find(event, "by");
  if (!by) return "-";
  const auto role = text(*by, "role"), user = text(*by, "user_id");
  if (role.empty() && user.empty()) return "-";
  return user.empty() ? role : role + ' ' + user;
}

std::string padded(std::string value, std::size_t width) {
  if (value.size() < width) value.resize(width, ' ');
  return value;
}

}  // namespace

std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1'024) return std::to_string(bytes) + " B";
  constexpr const char* names[] = {"KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes) / 1'024;
  std::size_t at = 0;
  while (value >= 1'024 && at + 1 < std::size(names)) value /= 1'024, ++at;
  char out[64];
  std::snprintf(out, sizeof out, "%.1f %s", value, names[at]);
  return out;
}

std::string span_text(std::int64_t seconds) {
  const auto pair = [](std::int64_t big, const char* a, std::int64_t small, const char* b) {
    return std::to_string(big) + a + (small > 0 ? ' ' + std::to_string(small) + b : "");
  };
  if (seconds >= 86'400) return pair(seconds / 86'400, " d", seconds % 86'400 / 3'600, " h");
  if (seconds >= 3'600) return pair(seconds / 3'600, " h", seconds % 3'600 / 60, " min");
  if (seconds >= 60) return pair(seconds / 60, " min", seconds % 60, " s");
  return std::to_string(seconds) + " s";
}

report report_status(const json& status, std::string_view url) {
  const warnings wrong = judge(status);
  report out{.text = {}, .sound = !wrong.refusing()};
  out.text =
      std::string(out.sound ? "serving" : "NOT SERVING IN FULL") + "  (" + std::string(url) + ")\n";
  wrong.add_to(out.text);
  table rows;
  add_known(rows, "version", text(status, "version"));
  if (const auto up = integer(status, "uptime_s")) rows.add("up", span_text(*up));
  add_known(rows, "shop", text(status, "http"));
  add_known(rows, "provider", text(status, "pay"));
  add_known(rows, "load", load_text(status));
  add_known(rows, "entities", residents_text(status));
  if (const json* journal = find(status, "journal"))
    add_known(rows, "journal", journal_text(*journal));
  if (const json* projections = find(status, "projections");
      projections && projections->is_object()) {
    for (const auto& [name, each] : projections->items()) {
      const auto lag = integer(each, "lag_batches").value_or(0);
      rows.add("projection " + printable(name),
               lag == 0 ? "up to date"
                        : grouped(lag) + (lag == 1 ? " batch behind" : " batches behind"));
    }
  }
  rows.add_to(out.text, "  ");
  return out;
}

report report_laws(const json& laws) {
  report out;
  table rows;
  std::size_t count = 0, broken = 0;
  const json* const all = find(laws, "laws");
  const json* const detail = find(laws, "detail");
  if (all && all->is_object()) {
    for (const auto& [name, holds] : all->items()) {
      ++count;
      const bool ok = holds.is_boolean() && holds.get<bool>();
      broken += ok ? 0 : 1;
      const std::string why = detail ? text(*detail, name.c_str()) : std::string();
      rows.add(printable(name),
               std::string(ok ? "ok" : "BROKEN") + (why.empty() ? "" : "  " + why));
    }
  }
  rows.add_to(out.text, "");
  out.text += verdict(count, broken);
  if (const json* figures = find(laws, "figures"); figures && figures->is_object())
    add_figures(*figures, out.text);
  out.sound = count > 0 && broken == 0;
  return out;
}

std::string report_behind(const json& answer) {
  if (!answer.is_object() || !answer.contains("behind") || !answer["behind"].is_string()) return {};
  return "! this node's copy may lack the newest: " +
         printable(answer["behind"].get<std::string>()) + '\n';
}

std::string report_event(const json& event) {
  std::string out = padded(std::to_string(integer(event, "version").value_or(0)), 6) + "  " +
                    padded(text(event, "at"), 24) + "  " + padded(asker_text(event), 8) + "  ";
  const json* const what = find(event, "what");
  if (!what) return out + "-\n";
  std::string name;
  std::string members;
  for (const char* tag : {"event", "type"}) {
    if (name.empty()) name = text(*what, tag);
  }
  if (!what->is_object() || name.empty()) return out + what->dump() + '\n';
  for (const auto& [member, value] : what->items()) {
    if (value == name && (member == "event" || member == "type")) continue;
    members += ' ' + printable(member) + '=' + value.dump();
  }
  return out + name + members + '\n';
}

}  // namespace omnicart::ctl
