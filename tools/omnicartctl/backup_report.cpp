#include "tools/omnicartctl/backup_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t shown_max = 50;  // of payments; the file has more
constexpr std::size_t missing_kept_max = 1'000;  // beside a wrong ledger, all of a shop's would be

std::string count(const json& in, const char* name) {
  return in.contains(name) && in[name].is_number() ? grouped(in[name].get<std::int64_t>()) : "-";
}

std::string text(const json& in, const char* name) {
  return in.contains(name) && in[name].is_string() ? printable(in[name].get<std::string>()) : "-";
}

std::string amounts(const json& in, const char* name) {
  std::string out;
  if (in.contains(name)) {
    for (const auto& [currency, amount] : in[name].items()) {
      out += (out.empty() ? "" : ", ") + grouped(amount.get<std::int64_t>()) + ' ' +
             printable(currency);
    }
  }
  return out.empty() ? "0" : out;
}

}  // namespace

std::string report_backup(const json& backup) {
  const json& totals = backup.contains("totals") ? backup["totals"] : json::object();
  std::string out = text(backup, "id") + '\n';
  out += "  made       " + text(backup, "created") + " by " + text(backup, "by") +
         (text(backup, "why").empty() ? "" : ": " + text(backup, "why")) + '\n';
  out += "  content    " + count(backup, "records") + " records, " + count(backup, "bytes") +
         " bytes, " + count(backup, "shard_count") + " shards\n";
  out += "  orders     " + count(totals, "orders") + ", " + count(totals, "in_flight") +
         " of them on their way\n";
  out += "  captured   " + amounts(totals, "captured") + " (minor units) in " +
         count(totals, "captures") + " captures\n";
  out += "  stock      " + count(totals, "on_hand") + " on hand, " + count(totals, "sold") +
         " sold, of " + count(totals, "products") + " products\n";
  return out;
}

std::string report_check(const cluster::backup_report& found, const std::string& folder,
                         const std::string& id) {
  std::string out = (found.ok() ? "sound: " : "DAMAGED: ") + folder + ", backup " + id + '\n';
  out += "  chunks   " + grouped(static_cast<std::int64_t>(found.chunks)) + '\n';
  out += "  records  " + grouped(static_cast<std::int64_t>(found.records)) + '\n';
  out += "  bytes    " + grouped(static_cast<std::int64_t>(found.bytes)) + '\n';
  for (const auto& each : found.problems)
    out += "! " + printable(each.where) + ": " + printable(each.what) + '\n';
  if (found.problem_count > found.problems.size()) {
    out += "! and " +
           grouped(static_cast<std::int64_t>(found.problem_count - found.problems.size())) +
           " more\n";
  }
  return out;
}

json check_json(const cluster::backup_report& found, const std::string& folder,
                const std::string& id) {
  auto problems = json::array();
  for (const auto& each : found.problems)
    problems.push_back({{"where", each.where}, {"what", each.what}});
  return {{"folder", folder},
          {"id", id},
          {"sound", found.ok()},
          {"chunks", found.chunks},
          {"records", found.records},
          {"bytes", found.bytes},
          {"problem_count", found.problem_count},
          {"problems", std::move(problems)}};
}

std::string report_unknown(const backup::ledger_comparison& compared) {
  const auto& all = compared.unknown();
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), shown_max); ++i) {
    const auto& [what, why] = all[i];
    const std::string key = what.refund_key.empty() ? "" : ' ' + printable(what.refund_key);
    out += "! " + printable(what.kind) + key + " of " + grouped(what.amount_minor) + ' ' +
           printable(what.currency) + " (minor units) on " + printable(what.at) + " for order " +
           printable(what.order) + ": " + why + '\n';
  }
  if (all.size() > shown_max)
    out += "! and " + grouped(static_cast<std::int64_t>(all.size() - shown_max)) + " more\n";
  return out;
}

std::string report_missing(const backup::ledger_comparison& compared) {
  const auto all = compared.missing();
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), shown_max); ++i) {
    out += "! missing: order " + printable(all[i].order) + " was paid " +
           grouped(all[i].amount_minor) + ' ' + printable(all[i].currency) +
           " (minor units), of which the provider has no entry\n";
  }
  if (all.size() > shown_max)
    out += "! and " + grouped(static_cast<std::int64_t>(all.size() - shown_max)) + " more missing\n";
  return out;
}

json unknown_json(const backup::ledger_comparison& compared) {
  auto unknown = json::array();
  for (const auto& [what, why] : compared.unknown()) {
    unknown.push_back({{"kind", what.kind},
                       {"order_id", what.order},
                       {"amount_minor", what.amount_minor},
                       {"currency", what.currency},
                       {"at", what.at},
                       {"refund_key", what.refund_key},
                       {"why", why}});
  }
  const auto gone = compared.missing();
  auto missing = json::array();
  for (std::size_t i = 0; i < std::min(gone.size(), missing_kept_max); ++i) {
    missing.push_back({{"order_id", gone[i].order},
                       {"amount_minor", gone[i].amount_minor},
                       {"currency", gone[i].currency}});
  }
  return {{"known", compared.known()},
          {"awaited", compared.awaited()},
          {"unknown", std::move(unknown)},
          {"missing_count", gone.size()},
          {"missing", std::move(missing)}};
}

}  // namespace omnicart::ctl
