#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace omnicart::ctl {

// What became of the lines of a file.
struct import_tally {
  std::uint64_t lines = 0, imported = 0, failed = 0;
  std::vector<std::string> problems;  // the first 20, with their lines
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  // `line` counts from 1.
  void add_problem(std::uint64_t line, const std::string& what);
  double seconds() const;  // since it began
};

// {"lines", "imported", "failed", "import_s"}; `problems` come last, so they are the caller's to
// add.
nlohmann::ordered_json tally_json(const import_tally& of, double import_s);
// "3 lines: 2 imported, 1 failed, in 0.1 s"
std::string tally_text(const import_tally& of, double import_s);
// A line for each problem, and how many more there were.
void print_problems(const import_tally& of, std::ostream& out);

// "1.5", of 1.52.
std::string with_point(double seconds);

}  // namespace omnicart::ctl
