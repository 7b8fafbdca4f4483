#include "tools/omnicartctl/catalogue_commands.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/base/text.hpp"
#include "tools/omnicartctl/catalogue_line.hpp"
#include "tools/omnicartctl/front_client.hpp"
#include "tools/omnicartctl/import_tally.hpp"
#include "tools/omnicartctl/line_file.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using clock = std::chrono::steady_clock;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms rebuilt_within = std::chrono::minutes(30);
constexpr duration_ms found_within = std::chrono::minutes(10);
constexpr std::size_t lines_per_call = 500;

// The answer to an import counts its lines from 1; `numbers` says which lines of the file they are.
outcome<bool> take(const std::string& body, const std::vector<std::uint64_t>& numbers,
                   import_tally& tally) {
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size());
    const auto line = json::parse(body.substr(at, end - at), nullptr, false);
    at = end + 1;
    if (!line.is_object())
      return fail_with(exit_code::unreachable, "the shop's answer to an import does not read");
    if (line.contains("imported")) {
      tally.imported += line.value("imported", std::uint64_t{0});
    } else if (line.value("status", "") != "ok") {
      const auto number = line.value("line", std::uint64_t{0});
      const auto of_file = number >= 1 && number <= numbers.size() ? numbers[number - 1] : 0;
      tally.add_problem(of_file, line.value("code", "") + ": " + line.value("detail", ""));
    }
  }
  return true;
}

outcome<bool> send(front_client& shop, const std::string& lines,
                   const std::vector<std::uint64_t>& numbers, import_tally& tally) {
  const auto got = shop.post("/api/products/import", lines, "application/x-ndjson");
  if (!got) return tl::unexpected<failure>(got.error());
  if (got->status == 200) return take(got->body, numbers, tally);
  return tl::unexpected<failure>(failure_of(got->status, got->body, "the shop"));
}

// Until a search has all that was imported.
bool can_be_found(front_client& shop, const surroundings& with) {
  const auto until = clock::now() + found_within;
  while (clock::now() < until) {
    const auto got = shop.get("/api/products?limit=1&sort=sales");
    if (got && got->status == 200) return true;
    wait_a_little(with);
  }
  return false;
}

outcome<bool> send_file(line_file& file, const command_line& given, front_client& shop,
                        import_tally& tally, const surroundings& with) {
  std::string group;
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 1;; ++number) {
    auto line = file.next();
    if (!line) return tl::unexpected<failure>(line.error());
    if (*line && number >= given.from_line && !(*line)->empty()) {
      ++tally.lines;
      const auto sent = catalogue_line(**line, given.on_hand);
      if (!sent) tally.add_problem(number, sent.error().what);
      if (sent) group += *sent + '\n';
      if (sent) numbers.push_back(number);
    }
    if (numbers.size() < lines_per_call && (*line || numbers.empty())) {
      if (!*line) return true;
      continue;
    }
    if (auto done = send(shop, group, numbers, tally); !done) {
      return fail_with(done.error().code, done.error().what + "; go on with --from-line " +
                                              std::to_string(numbers.front()));
    }
    if (with.terminal && given.as == form::text)
      with.out << '\r' << tally.imported << " imported" << std::flush;
    group.clear();
    numbers.clear();
    if (!*line) return true;
  }
}

}  // namespace

outcome<exit_code> import_catalogue(const command_line& given, operator_client& node,
                                    const surroundings& with) {
  auto file = line_file::open(given.file);
  if (!file) return tl::unexpected<failure>(file.error());
  auto shop = front_client::open(node, with);
  if (!shop) return tl::unexpected<failure>(shop.error());
  import_tally tally;
  if (auto done = send_file(*file, given, *shop, tally, with); !done)
    return tl::unexpected<failure>(done.error());
  const double imported_s = tally.seconds();
  const bool found = can_be_found(*shop, with);
  const double found_s = tally.seconds();
  if (given.as == form::json) {
    json report = tally_json(tally, imported_s);
    report["searchable_s"] = found_s;
    report["searchable"] = found;
    report["problems"] = tally.problems;
    with.out << report.dump(2) << '\n';
  } else {
    if (with.terminal) with.out << '\r';
    with.out << tally_text(tally, imported_s) << "; "
             << (found ? "searchable after " : "NOT searchable after ") << with_point(found_s)
             << " s\n";
    print_problems(tally, with.out);
  }
  return tally.failed == 0 && found ? exit_code::ok : exit_code::failed;
}

outcome<exit_code> list_projections(const command_line& given, operator_client& node,
                                    const surroundings& with) {
  const auto body = node.get("/projections", answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const auto list = json::parse(*body, nullptr, false);
  if (given.as == form::json) {
    with.out << list.dump(2) << '\n';
    return exit_code::ok;
  }
  if (!list.is_object() || !list.contains("items"))
    return fail_with(exit_code::unreachable, node.url() + ": no list");
  for (const auto& each : list["items"]) {
    if (!each.is_object()) continue;
    with.out << printable(each.value("name", "")) << "  "
             << each.value("lag_batches", std::uint64_t{0}) << " batches behind, "
             << each.value("queries", std::uint64_t{0}) << " queries\n";
  }
  return exit_code::ok;
}

outcome<exit_code> rebuild_projection(const command_line& given, operator_client& node,
                                      const surroundings& with) {
  const auto began = clock::now();
  const auto body =
      node.post("/projections/" + percent_encoded(given.name) + "/rebuild", "{}", rebuilt_within);
  if (!body) return tl::unexpected<failure>(body.error());
  auto done = json::parse(*body, nullptr, false);
  if (!done.is_object()) return fail_with(exit_code::unreachable, node.url() + ": no report");
  // Behind the rows of the search its index is made, and until then nothing is found.
  const bool has_index = given.name == "search";
  bool found = true;
  if (has_index) {
    auto shop = front_client::open(node, with);
    if (!shop) return tl::unexpected<failure>(shop.error());
    found = can_be_found(*shop, with);
    done["searchable"] = found;
    done["searchable_s"] = std::chrono::duration<double>(clock::now() - began).count();
  }
  if (given.as == form::json) {
    with.out << done.dump(2) << '\n';
  } else {
    const auto took_ms = done.value("took_ms", std::int64_t{0});
    with.out << printable(given.name) << " was made anew in "
             << with_point(static_cast<double>(took_ms) / 1000) << " s";
    if (has_index) {
      with.out << (found ? "; searchable after " : "; NOT searchable after ")
               << with_point(done.value("searchable_s", 0.0)) << " s";
    }
    with.out << '\n';
  }
  return found ? exit_code::ok : exit_code::failed;
}

}  // namespace omnicart::ctl
