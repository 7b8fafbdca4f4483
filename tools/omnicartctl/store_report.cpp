#include "tools/omnicartctl/store_report.hpp"

#include <nlohmann/json.hpp>

#include "persistence/verify.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

std::string count_text(std::uint64_t count) { return grouped(static_cast<std::int64_t>(count)); }

std::string keys_text(const persistence::verify_report& found) {
  std::string out;
  for (std::size_t i = 0; i < found.keys.size(); ++i) {
    if (i > 0) out += ", ";
    out += count_text(found.keys[i]) + ' ' +
           persistence::to_string(static_cast<persistence::family>(i));
  }
  return out;
}

}  // namespace

std::string report_store(const persistence::verify_report& found,
                         std::optional<std::uint64_t> ledger_entries,
                         const std::string& directory) {
  std::string out = found.ok() ? "sound: " : "DAMAGED: ";
  out += directory + '\n';
  out += "  entities     " + count_text(found.entities) + '\n';
  out += "  keys         " + keys_text(found) + '\n';
  out += "  table files  " + count_text(found.table_files) + '\n';
  out += "  log files    " + count_text(found.wal_files) + " with " +
         count_text(found.wal_records) + " records\n";
  if (ledger_entries)
    out += "  ledger       " + count_text(*ledger_entries) + " entries of the provider\n";
  for (const auto& note : found.notes) out += "note: " + printable(note) + '\n';
  for (const auto& each : found.problems)
    out += "! " + printable(each.where) + ": " + printable(each.what) + '\n';
  if (found.problem_count > found.problems.size())
    out += "! and " + count_text(found.problem_count - found.problems.size()) + " more\n";
  if (!found.ok()) {
    out += count_text(found.problem_count) + (found.problem_count == 1 ? " fault" : " faults") +
           ": start no node on it; keep a copy, and go back to the last sound backup\n";
  }
  return out;
}

nlohmann::ordered_json store_json(const persistence::verify_report& found,
                                  std::optional<std::uint64_t> ledger_entries,
                                  const std::string& directory) {
  nlohmann::ordered_json keys = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < found.keys.size(); ++i)
    keys[persistence::to_string(static_cast<persistence::family>(i))] = found.keys[i];
  auto problems = nlohmann::ordered_json::array();
  for (const auto& each : found.problems)
    problems.push_back({{"where", each.where}, {"what", each.what}});
  nlohmann::ordered_json out{
      {"directory", directory},           {"sound", found.ok()},
      {"entities", found.entities},       {"keys", std::move(keys)},
      {"table_files", found.table_files}, {"wal_files", found.wal_files},
      {"wal_records", found.wal_records}, {"problem_count", found.problem_count},
      {"problems", std::move(problems)},  {"notes", found.notes}};
  if (ledger_entries) out["ledger_entries"] = *ledger_entries;
  return out;
}

}  // namespace omnicart::ctl
