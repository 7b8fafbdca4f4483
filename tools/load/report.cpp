#include "tools/load/report.hpp"

#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace omnicart::load {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

double seconds_of(std::int64_t span_us) { return static_cast<double>(span_us) / 1e6; }

std::string codes_text(const operation_record& operation) {
  std::string out;
  for (const auto* codes : {&operation.refused, &operation.failed}) {
    for (const auto& [code, count] : *codes) out += " " + code + " " + grouped(count);
  }
  return out;
}

void add_operations(const report_input& in, std::string& out) {
  out += text("\n%-20s %10s %9s %9s %9s %9s %9s %8s  %s\n", "operation", "count", "p50", "p90",
              "p99", "p99.9", "max", "retries", "answers other than success");
  for (const auto& each : in.record.operations()) {
    const auto& h = each->latency_us;
    if (h.count() == 0 && each->retries == 0) continue;
    out += text("%-20s %10s %9s %9s %9s %9s %9s %8s ", each->name.c_str(),
                grouped(static_cast<std::int64_t>(h.count())).c_str(),
                span_text(h.percentile(50)).c_str(), span_text(h.percentile(90)).c_str(),
                span_text(h.percentile(99)).c_str(), span_text(h.percentile(99.9)).c_str(),
                span_text(h.max()).c_str(), grouped(each->retries).c_str());
    out += codes_text(*each) + "\n";
  }
}

void add_sums(const scenario_outcome& outcome, std::string& out) {
  if (outcome.orders > 0 || !outcome.skipped.empty()) {
    out += text("\norders %s; lines %s; order_lines %s; units %s; ",
                grouped(outcome.orders).c_str(), grouped(outcome.lines).c_str(),
                grouped(outcome.order_lines).c_str(), grouped(outcome.units).c_str());
    out += "gross " + to_decimal(outcome.gross) + " " + std::string(outcome.gross.currency.text()) +
           "\n";
  }
  if (!outcome.skipped.empty()) {
    out += "skipped rows:";
    for (const auto& [reason, count] : outcome.skipped) out += " " + reason + " " + grouped(count);
    out += "\n";
  }
  for (const auto& [name, count] : outcome.answers)
    out += text("%s: %s\n", name.c_str(), grouped(count).c_str());
  for (const auto& [name, value] : outcome.figures) out += text("%s: %.3f\n", name.c_str(), value);
}

nlohmann::json operation_json(const operation_record& operation) {
  const auto& h = operation.latency_us;
  return {{"name", operation.name},     {"count", h.count()},
          {"ok", operation.ok},         {"retries", operation.retries},
          {"p50_us", h.percentile(50)}, {"p90_us", h.percentile(90)},
          {"p99_us", h.percentile(99)}, {"p999_us", h.percentile(99.9)},
          {"max_us", h.max()},          {"refused", operation.refused},
          {"failed", operation.failed}};
}

}  // namespace

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string span_text(std::uint64_t span_us) {
  const auto value = static_cast<double>(span_us);
  if (span_us < 1000) return text("%.0f us", value);
  if (span_us < 1'000'000) return text("%.2f ms", value / 1e3);
  return text("%.2f s", value / 1e6);
}

std::string live_line(std::int64_t second, const second_record& now, std::int64_t errors,
                      std::int64_t retries, const std::string& progress) {
  return text("%5lld s  %9s/s  p50 %-9s p99 %-9s errors %s  retries %s",
              static_cast<long long>(second), grouped(now.answers).c_str(),
              span_text(now.p50_us).c_str(), span_text(now.p99_us).c_str(), grouped(errors).c_str(),
              grouped(retries).c_str()) +
         (progress.empty() ? "" : "  " + progress);
}

std::string text_report(const report_input& in) {
  const auto answers = in.record.answers();
  std::string out = in.title + "\n";
  out += text("%s answers in %.1f s, %s errors, %s retries, %.1f us CPU of this client an answer\n",
              grouped(answers).c_str(), seconds_of(in.elapsed_us),
              grouped(in.record.errors()).c_str(), grouped(in.record.retries()).c_str(),
              answers > 0 ? static_cast<double>(in.cpu_us) / static_cast<double>(answers) : 0.0);
  add_operations(in, out);
  add_sums(in.outcome, out);
  if (!in.outcome.laws.empty()) out += "\nlaws, from what the clients were told:\n";
  for (const auto& each : in.outcome.laws) {
    out += std::string(each.holds ? "  holds   " : "  BROKEN  ") + each.name;
    if (!each.why.empty()) out += ": " + each.why;
    out += "\n";
  }
  for (const auto& note : in.outcome.notes) out += "note: " + note + "\n";
  return out;
}

std::string json_report(const report_input& in) {
  using nlohmann::json;
  const auto& outcome = in.outcome;
  json laws = json::object();
  json failures = json::object();
  for (const auto& each : outcome.laws) {
    laws[each.name] = each.holds;
    if (!each.holds) failures[each.name] = each.why;
  }
  json operations = json::array();
  for (const auto& each : in.record.operations()) operations.push_back(operation_json(*each));
  json seconds = json::array();
  for (const auto& each : in.record.seconds()) {
    seconds.push_back({{"answers", each.answers},
                       {"errors", each.errors},
                       {"retries", each.retries},
                       {"p50_us", each.p50_us},
                       {"p99_us", each.p99_us},
                       {"max_us", each.max_us}});
  }
  const json all = {
      {"scenario", in.title},
      {"elapsed_s", seconds_of(in.elapsed_us)},
      {"client_cpu_s", seconds_of(in.cpu_us)},
      {"orders", outcome.orders},
      {"lines", outcome.lines},
      {"order_lines", outcome.order_lines},
      {"units", outcome.units},
      {"gross",
       {{"amount", outcome.gross.amount_minor}, {"currency", outcome.gross.currency.text()}}},
      {"skipped", outcome.skipped},
      {"answers", outcome.answers},
      {"figures", outcome.figures},
      {"laws", laws},
      {"law_failures", failures},
      {"notes", outcome.notes},
      {"errors", in.record.errors()},
      {"retries", in.record.retries()},
      {"operations", operations},
      {"seconds", seconds}};
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace omnicart::load
