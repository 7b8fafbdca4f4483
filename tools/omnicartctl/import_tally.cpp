#include "tools/omnicartctl/import_tally.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

constexpr std::size_t problems_shown_max = 20;

}  // namespace

void import_tally::add_problem(std::uint64_t line, const std::string& what) {
  ++failed;
  if (problems.size() < problems_shown_max)
    problems.push_back("line " + std::to_string(line) + ": " + printable(what));
}

double import_tally::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

nlohmann::ordered_json tally_json(const import_tally& of, double import_s) {
  return {{"lines", of.lines},
          {"imported", of.imported},
          {"failed", of.failed},
          {"import_s", import_s}};
}

std::string tally_text(const import_tally& of, double import_s) {
  return std::to_string(of.lines) + " lines: " + std::to_string(of.imported) + " imported, " +
         std::to_string(of.failed) + " failed, in " + with_point(import_s) + " s";
}

void print_problems(const import_tally& of, std::ostream& out) {
  for (const auto& each : of.problems) out << "  " << each << '\n';
  if (of.failed > of.problems.size())
    out << "  and " << of.failed - of.problems.size() << " more\n";
}

std::string with_point(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f", seconds);
  return text;
}

}  // namespace omnicart::ctl
