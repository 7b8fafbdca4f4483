#include <algorithm>
#include <cstdio>
#include <functional>

#include "tools/load/report.hpp"

namespace omnicart::load {
namespace {

constexpr const char* head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>omnicart-load</title><style>
:root{color-scheme:light dark;--ink:#1d2330;--soft:#667085;--page:#fff;--rule:#d9dee7;--a:#1769c2;--b:#b4530a;--bad:#b42318}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--page:#14171d;--rule:#343b48;--a:#6cb2ff;--b:#f2a65a;--bad:#ff8a80}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:2rem auto;max-width:70rem;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--rule)}
th:first-child,td:first-child,td.text{text-align:left}th{color:var(--soft);font-weight:600}
svg{width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}.axis{stroke:var(--rule)}
.a{stroke:var(--a)}.b{stroke:var(--b)}.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.dot{stroke:none}.dot.a{fill:var(--a)}.dot.b{fill:var(--b)}
.broken{color:var(--bad);font-weight:600}.key-a{color:var(--a)}.key-b{color:var(--b)}
</style></head><body>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// One chart of at most 500 points: longer runs show the highest value of each stretch.
class chart {
 public:
  using value_of = std::function<double(const second_record&)>;

  explicit chart(const std::vector<second_record>& seconds) : seconds_(seconds) {}

  std::string draw(const std::vector<std::pair<const char*, value_of>>& curves,
                   const std::function<std::string(double)>& label) const {
    double top = 1;
    for (const auto& [css, value] : curves) {
      for (const auto& each : seconds_) top = std::max(top, value(each));
    }
    std::string out = "<svg viewBox=\"0 0 900 240\" role=\"img\">";
    for (int step = 0; step <= 4; ++step) {
      const double y = bottom - (bottom - ceiling) * step / 4;
      out +=
          part("<line class=\"axis\" x1=\"%.1f\" x2=\"890\" y1=\"%.1f\" y2=\"%.1f\"/>", left, y, y);
      out += part("<text x=\"4\" y=\"%.1f\">", y + 4) + label(top * step / 4) + "</text>";
    }
    for (const auto& [css, value] : curves) out += curve(css, value, top);
    out += part("<text x=\"%.1f\" y=\"234\">0 s</text>", left);
    out += part("<text x=\"890\" y=\"234\" text-anchor=\"end\">%.0f s</text></svg>",
                static_cast<double>(seconds_.size()));
    return out;
  }

 private:
  static constexpr double left = 70, right = 890, ceiling = 10, bottom = 215;

  template <class... Numbers>
  static std::string part(const char* format, Numbers... numbers) {
    char out[160];
    std::snprintf(out, sizeof out, format, numbers...);
    return out;
  }
  std::string curve(const char* css, const value_of& value, double top) const {
    constexpr std::size_t points_max = 500;
    const std::size_t stretch = (seconds_.size() + points_max - 1) / points_max;
    std::string points;
    double last_x = left, last_y = bottom;
    for (std::size_t i = 0; i < seconds_.size(); i += stretch) {
      double highest = 0;
      const std::size_t end = std::min(seconds_.size(), i + stretch);
      for (std::size_t j = i; j < end; ++j) highest = std::max(highest, value(seconds_[j]));
      const auto span = static_cast<double>(std::max<std::size_t>(1, seconds_.size() - 1));
      last_x = left + (right - left) * static_cast<double>(i) / span;
      last_y = bottom - (bottom - ceiling) * highest / top;
      points += part("%.1f,%.1f ", last_x, last_y);
    }
    return "<polyline class=\"line " + std::string(css) + "\" points=\"" + points + "\"/>" +
           "<circle class=\"dot " + css +
           part("\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", last_x, last_y);
  }

  const std::vector<second_record>& seconds_;
};

std::string charts(const report_input& in) {
  const chart over_time(in.record.seconds());
  const auto count_label = [](double value) { return grouped(static_cast<std::int64_t>(value)); };
  const auto span_label = [](double value) { return span_text(static_cast<std::uint64_t>(value)); };
  const auto rate = [](const second_record& s) { return static_cast<double>(s.answers); };
  const auto p50 = [](const second_record& s) { return static_cast<double>(s.p50_us); };
  const auto p99 = [](const second_record& s) { return static_cast<double>(s.p99_us); };
  return "<h2>Answers a second</h2>" + over_time.draw({{"a", rate}}, count_label) +
         "<h2>Latency: <span class=\"key-a\">p50</span>, <span class=\"key-b\">p99</span></h2>" +
         over_time.draw({{"b", p99}, {"a", p50}}, span_label);
}

std::string operations_table(const recorder& record) {
  std::string out =
      "<h2>Operations</h2><div "
      "class=\"wide\"><table><tr><th>operation</th><th>count</th><th>p50</th><th>p90</th>"
      "<th>p99</th><th>p99.9</th><th>max</th><th>retries</th><th>other answers</th></tr>";
  for (const auto& each : record.operations()) {
    const auto& h = each->latency_us;
    out += "<tr><td>" + escaped(each->name) + "</td><td>" +
           grouped(static_cast<std::int64_t>(h.count())) + "</td>";
    for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
      out += "<td>" + span_text(h.percentile(percent)) + "</td>";
    }
    out += "<td>" + span_text(h.max()) + "</td><td>" + grouped(each->retries) +
           "</td><td class=\"text\">";
    for (const auto* codes : {&each->refused, &each->failed}) {
      for (const auto& [code, count] : *codes) out += escaped(code) + " " + grouped(count) + " ";
    }
    out += "</td></tr>";
  }
  return out + "</table></div>";
}

std::string outcome_tables(const scenario_outcome& outcome) {
  std::string out;
  if (!outcome.laws.empty()) {
    out += "<h2>Laws</h2><table>";
    for (const auto& each : outcome.laws) {
      out +=
          "<tr><td>" + escaped(each.name) + "</td>" +
          (each.holds ? "<td class=\"text\">holds</td>" : "<td class=\"text broken\">broken</td>") +
          "<td class=\"text\">" + escaped(each.why) + "</td></tr>";
    }
    out += "</table>";
  }
  for (const auto& note : outcome.notes) out += "<p>" + escaped(note) + "</p>";
  out += "<h2>Sums</h2><table>";
  const auto row = [&](const std::string& name, const std::string& value) {
    out += "<tr><td>" + escaped(name) + "</td><td>" + escaped(value) + "</td></tr>";
  };
  row("orders", grouped(outcome.orders));
  row("lines", grouped(outcome.lines));
  row("order lines", grouped(outcome.order_lines));
  row("units", grouped(outcome.units));
  row("gross", to_decimal(outcome.gross) + " " + std::string(outcome.gross.currency.text()));
  for (const auto& [reason, count] : outcome.skipped) row("skipped: " + reason, grouped(count));
  for (const auto& [name, count] : outcome.answers) row(name, grouped(count));
  for (const auto& [name, value] : outcome.figures) {
    char number[40];
    std::snprintf(number, sizeof number, "%.3f", value);
    row(name, number);
  }
  return out + "</table>";
}

}  // namespace

std::string html_report(const report_input& in) {
  char line[160];
  std::snprintf(line, sizeof line, "%s answers in %.1f s, %s errors, %s retries",
                grouped(in.record.answers()).c_str(), static_cast<double>(in.elapsed_us) / 1e6,
                grouped(in.record.errors()).c_str(), grouped(in.record.retries()).c_str());
  return head + ("<h1>" + escaped(in.title) + "</h1><p>") + line + "</p>" + charts(in) +
         operations_table(in.record) + outcome_tables(in.outcome) + "</body></html>\n";
}

}  // namespace omnicart::load
