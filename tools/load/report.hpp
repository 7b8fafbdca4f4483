#pragma once

#include <cstdint>
#include <string>

#include "tools/load/recorder.hpp"
#include "tools/load/scenario.hpp"

namespace omnicart::load {

// What a report is made of. All outlive it.
struct report_input {
  std::string title;  // the scenario and its target
  const recorder& record;
  const scenario_outcome& outcome;
  std::int64_t elapsed_us = 0;
  std::int64_t cpu_us = 0;  // of this process
};

// "1,234,567".
std::string grouped(std::int64_t number);
// Microseconds for people: "830 us", "1.23 ms", "4.56 s".
std::string span_text(std::uint64_t span_us);

// The line printed while the run goes on.
std::string live_line(std::int64_t second, const second_record& now, std::int64_t errors,
                      std::int64_t retries, const std::string& progress);
// For the terminal.
std::string text_report(const report_input& in);
// {scenario, elapsed_s, orders, lines, order_lines, units, gross{amount,currency}, skipped{},
// answers{}, figures{}, laws{}, law_failures{}, notes[],
// operations[{name,count,ok,retries,p50_us,p90_us,p99_us,p999_us,max_us,refused{},failed{}}],
// errors, retries, seconds[]}
std::string json_report(const report_input& in);
// One page, nothing fetched: throughput and latency over time as inline SVG, the table, the laws.
std::string html_report(const report_input& in);

}  // namespace omnicart::load
