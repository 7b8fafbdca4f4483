#include "tools/omnicartctl/cluster_report.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

const json& member(const json& of, const char* name) {
  static const json none;
  const auto at = of.is_object() ? of.find(name) : of.end();
  return of.is_object() && at != of.end() ? *at : none;
}
std::string text(const json& of, const char* name) {
  const json& value = member(of, name);
  return value.is_string() ? printable(value.get<std::string>()) : std::string();
}
bool flag(const json& of, const char* name) {
  const json& value = member(of, name);
  return value.is_boolean() && value.get<bool>();
}
std::int64_t integer(const json& of, const char* name) {
  const json& value = member(of, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

// Columns as wide as their widest cell; the last one as it is.
class columns {
 public:
  explicit columns(std::vector<std::string> heads) { add(std::move(heads)); }
  void add(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], cells[i].size());
    rows_.push_back(std::move(cells));
  }
  std::string shown() const {
    std::string out;
    for (const auto& cells : rows_) {
      std::string line;
      for (std::size_t i = 0; i < cells.size(); ++i)
        line += cells[i] + std::string(widths_[i] - cells[i].size() + 2, ' ');
      out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

bool is_sound(const json& cluster) {
  return std::ranges::none_of(member(cluster, "warnings"),
                              [](const json& w) { return flag(w, "severe"); });
}

// Nothing is known of one that is not heard, or of any when an older build is asked.
std::string fitness_text(const json& node) {
  const json& reasons = member(node, "unfit");
  if (!reasons.is_array() || !flag(node, "reachable")) return "-";
  std::string out;
  for (const auto& reason : reasons) {
    if (!reason.is_string()) continue;
    auto word = printable(reason.get<std::string>());
    std::ranges::replace(word, '_', ' ');
    out += (out.empty() ? "no: " : ", ") + word;
  }
  return out.empty() ? "yes" : out;
}

std::string nodes_text(const json& cluster) {
  std::map<std::string, int> by_state;
  int silent = 0, unfit = 0;
  for (const auto& n : member(cluster, "nodes")) {
    ++by_state[text(n, "state")];
    if (!flag(n, "reachable")) ++silent;
    if (member(n, "unfit").is_array() && !member(n, "unfit").empty()) ++unfit;
  }
  std::string out;
  for (const auto& [state, count] : by_state)
    out += (out.empty() ? "" : ", ") + std::to_string(count) + ' ' + state;
  if (silent > 0) out += "; " + std::to_string(silent) + " cannot be reached";
  if (unfit > 0) out += "; " + std::to_string(unfit) + " unfit to lead";
  return out;
}

std::string shards_text(const json& cluster) {
  const json& shards = member(cluster, "shards");
  const auto moving =
      std::ranges::count_if(shards, [](const json& s) { return flag(s, "moving"); });
  const auto count = shards.empty() ? 0 : static_cast<std::int64_t>(shards.size()) - 1;
  return grouped(count) + " and the cluster's own, up to " +
         std::to_string(integer(cluster, "replicas")) + " replicas each; " +
         (moving == 0 ? "none" : std::to_string(moving)) + " moving";
}

std::string operation_text(const json& operation) {
  const auto why = text(operation, "why");
  return text(operation, "at") + "  " + text(operation, "who") + ": " + text(operation, "what") +
         (why.empty() ? "" : " (" + why + ')');
}

std::string clock_text(const json& node) {
  const json& offset = member(node, "clock_offset_ms");
  if (!offset.is_number_integer()) return "-";
  const auto ms = offset.get<std::int64_t>();
  return (ms > 0 ? "+" : "") + std::to_string(ms) + " ms";
}

std::string members_text(const json& cluster, const json& members) {
  std::string out;
  for (const auto& m : members) {
    const auto lag = integer(m, "lag");
    out += (out.empty() ? "" : " ") + name_in(cluster, member(m, "node"));
    if (lag > 0) out += '+' + std::to_string(lag);
  }
  return out.empty() ? "-" : out;
}

std::string wanted_text(const json& cluster, const json& shard) {
  std::string out;
  for (const auto& id : member(shard, "desired")) {
    const bool is_first = out.empty();
    out += (is_first ? "" : " ") + name_in(cluster, id);
    if (is_first && flag(shard, "pinned")) out += '*';
  }
  return out + (flag(shard, "moving") ? "  moving" : "");
}

}  // namespace

std::string name_in(const json& cluster, const json& id) {
  for (const auto& n : member(cluster, "nodes")) {
    if (member(n, "id") == id && !text(n, "name").empty()) return text(n, "name");
  }
  return id.is_number_integer() ? id.dump() : "-";
}

report report_cluster(const json& cluster, std::string_view url) {
  report out{.text = {}, .sound = is_sound(cluster)};
  out.text = out.sound ? "serving" : "NOT SERVING IN FULL";
  out.text += "  (as " + name_in(cluster, member(cluster, "self")) + " sees it, " +
              std::string(url) + ")\n";
  for (const auto& w : member(cluster, "warnings"))
    out.text += "! " + text(w, "what") + "; " + text(w, "do") + '\n';
  out.text += "  cluster  " + text(cluster, "cluster") + '\n';
  out.text += "  nodes    " + nodes_text(cluster) + '\n';
  out.text += "  shards   " + shards_text(cluster) + '\n';
  const json& operations = member(cluster, "operations");
  constexpr std::size_t shown_max = 3;
  const std::size_t first = operations.size() > shown_max ? operations.size() - shown_max : 0;
  for (std::size_t i = first; i < operations.size(); ++i)
    out.text += (i == first ? "  done     " : "           ") + operation_text(operations[i]) + '\n';
  return out;
}

report report_nodes(const json& cluster) {
  columns table({"NODE", "NAME", "STATE", "LEADS", "REPLICAS", "STANDBYS", "REACHED", "CLOCK",
                 "FIT", "LINK", "VERSION"});
  for (const auto& n : member(cluster, "nodes")) {
    const auto silent = integer(n, "silent_ms") / 1'000;
    table.add({std::to_string(integer(n, "id")), text(n, "name"), text(n, "state"),
               std::to_string(integer(n, "leads")), std::to_string(integer(n, "replicas")),
               std::to_string(integer(n, "standbys")),
               flag(n, "reachable") ? "yes" : "not since " + span_text(silent), clock_text(n),
               fitness_text(n), text(n, "link").empty() ? "-" : text(n, "link"), text(n, "version")});
  }
  return {.text = table.shown(), .sound = is_sound(cluster)};
}

report report_shards(const json& cluster) {
  columns table({"SHARD", "LEADER", "TERM", "VOTERS", "STANDBYS", "WANTED"});
  for (const auto& s : member(cluster, "shards")) {
    const bool has_leader = integer(s, "leader") != 0;
    table.add({flag(s, "own") ? "cluster" : std::to_string(integer(s, "shard")),
               has_leader ? name_in(cluster, member(s, "leader")) : "none",
               std::to_string(integer(s, "term")), members_text(cluster, member(s, "voters")),
               members_text(cluster, member(s, "standbys")), wanted_text(cluster, s)});
  }
  return {.text = table.shown(), .sound = is_sound(cluster)};
}

report report_hashes(const json& hashes) {
  columns table({"SHARD", "THROUGH", "RECORDS", "HASH"});
  for (const auto& s : member(hashes, "shards")) {
    const auto& hash = member(s, "hash");
    table.add({std::to_string(integer(s, "shard")), std::to_string(integer(s, "through")),
               std::to_string(integer(s, "records")),
               hash.is_string() ? printable(hash.get<std::string>()) : "?"});
  }
  return {.text = table.shown(), .sound = true};
}

}  // namespace omnicart::ctl
