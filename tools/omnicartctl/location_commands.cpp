#include "tools/omnicartctl/location_commands.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/base/text.hpp"
#include "tools/omnicartctl/front_client.hpp"
#include "tools/omnicartctl/import_tally.hpp"
#include "tools/omnicartctl/line_file.hpp"
#include "tools/omnicartctl/location_line.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

constexpr std::uint64_t lines_per_word = 20;  // between two words of how far it is

std::string text_of(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

// "invalid_body: /latitude: degrees from -90 to 90 …", of a problem (RFC 9457).
std::string words_of(const std::string& body) {
  const auto said = json::parse(body, nullptr, false);
  std::string words = text_of(said, "code");
  const bool members = said.is_object() && said.contains("errors") && said["errors"].is_array() &&
                       !said["errors"].empty();
  if (!members) return words + ": " + text_of(said, "detail");
  for (const auto& each : said["errors"])
    words += ": " + text_of(each, "pointer") + ": " + text_of(each, "detail");
  return words;
}

// Whether the line itself is at fault; otherwise the next one would fare no better.
bool is_of_the_line(int status) {
  return status >= 400 && status < 500 && status != 401 && status != 403 && status != 429;
}

// True: the shop has it, or the line was refused and is counted.
outcome<bool> put_line(front_client& shop, const std::string& line, std::uint64_t number,
                       import_tally& tally) {
  const auto sent = read_location_line(line);
  if (!sent) {
    tally.add_problem(number, sent.error().what);
    return true;
  }
  const auto got = shop.put("/api/locations/" + percent_encoded(sent->id), sent->body);
  if (!got) return tl::unexpected<failure>(got.error());
  if (got->status == 200 || got->status == 201) {
    ++tally.imported;
    return true;
  }
  if (!is_of_the_line(got->status))
    return tl::unexpected<failure>(failure_of(got->status, got->body, "the shop"));
  tally.add_problem(number, words_of(got->body));
  return true;
}

outcome<bool> put_file(line_file& file, const command_line& given, front_client& shop,
                       import_tally& tally, const surroundings& with) {
  for (std::uint64_t number = 1;; ++number) {
    const auto line = file.next();
    if (!line) return tl::unexpected<failure>(line.error());
    if (!*line) return true;
    if (number < given.from_line || (*line)->empty()) continue;
    ++tally.lines;
    if (auto done = put_line(shop, **line, number, tally); !done) {
      return fail_with(done.error().code,
                       done.error().what + "; go on with --from-line " + std::to_string(number));
    }
    if (with.terminal && given.as == form::text && tally.lines % lines_per_word == 0)
      with.out << '\r' << tally.imported << " imported" << std::flush;
  }
}

void print_location(const json& each, std::ostream& out) {
  const json address = each.value("address", json::object());
  const bool closed = each.contains("active") && each["active"] == false;
  out << printable(text_of(each, "id")) << "  " << (closed ? "closed" : "open")
      << "  " << printable(text_of(each, "name"));
  for (const char* member : {"city", "region", "country"}) {
    if (const auto text = text_of(address, member); !text.empty()) out << ", " << printable(text);
  }
  if (const auto what = text_of(each, "type"); !what.empty()) out << " (" << printable(what) << ')';
  out << '\n';
}

}  // namespace

outcome<exit_code> import_locations(const command_line& given, operator_client& node,
                                    const surroundings& with) {
  auto file = line_file::open(given.file);
  if (!file) return tl::unexpected<failure>(file.error());
  auto shop = front_client::open(node, with);
  if (!shop) return tl::unexpected<failure>(shop.error());
  import_tally tally;
  if (auto done = put_file(*file, given, *shop, tally, with); !done)
    return tl::unexpected<failure>(done.error());
  const double imported_s = tally.seconds();
  if (given.as == form::json) {
    json report = tally_json(tally, imported_s);
    report["problems"] = tally.problems;
    with.out << report.dump(2) << '\n';
  } else {
    if (with.terminal) with.out << '\r';
    with.out << tally_text(tally, imported_s) << '\n';
    print_problems(tally, with.out);
  }
  return tally.failed == 0 ? exit_code::ok : exit_code::failed;
}

outcome<exit_code> list_locations(const command_line& given, operator_client& node,
                                  const surroundings& with) {
  auto shop = front_client::open(node, with);
  if (!shop) return tl::unexpected<failure>(shop.error());
  json all = json::array();
  for (std::string cursor;;) {
    const auto got = shop->get("/api/locations?active=false&limit=100" +
                               (cursor.empty() ? "" : "&cursor=" + percent_encoded(cursor)));
    if (!got) return tl::unexpected<failure>(got.error());
    if (got->status != 200)
      return tl::unexpected<failure>(failure_of(got->status, got->body, "the shop"));
    const auto page = json::parse(got->body, nullptr, false);
    if (!page.is_object() || !page.contains("items") || !page["items"].is_array())
      return fail_with(exit_code::unreachable, "the shop: a list without items");
    for (const auto& each : page["items"]) {
      if (!each.is_object()) continue;
      given.as == form::json ? all.push_back(each) : print_location(each, with.out);
    }
    const std::string next = text_of(page, "next_cursor");
    if (next.empty() || next <= cursor) break;  // ids only grow
    cursor = next;
  }
  const json whole = {{"items", std::move(all)}};
  if (given.as == form::json) with.out << whole.dump(2) << '\n';
  return exit_code::ok;
}

}  // namespace omnicart::ctl
