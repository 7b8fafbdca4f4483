#include "actors/stock/stock_messages.hpp"
#include "http/list_query.hpp"
#include "http/product_routes.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/limits.hpp"

// POST /api/products/import: a file of any size, line by line.
namespace omnicart::http {
namespace {

constexpr std::size_t import_line_bytes_max = 262'144;
constexpr std::size_t import_group_max = 64;  // lines on their way at once

std::string error_json(std::uint64_t line, std::string_view id, std::string_view code, std::string_view detail) {
  std::string text;
  json_writer json(text);
  json.begin_object().member("line", line);
  if (!id.empty()) json.member("id", id);
  json.member("status", "error").member("code", code).member("detail", detail).end_object();
  return text + '\n';
}

}  // namespace

// One line of an import on its way: read, sent, answered.
struct product_routes::import_line {
  std::uint64_t number = 0;
  std::string id;
  std::string problem;  // what is wrong with it; empty: it was taken
  std::optional<std::int64_t> on_hand;
  std::string command;  // to the product
};

product_routes::import_line product_routes::read_line(std::string_view text, std::uint64_t number) const {
  import_line line;
  line.number = number;
  std::vector<field_error> errors;
  const auto body = parse_json(text, errors);
  object_reader read(body, errors);
  line.id = read.required_string("id", limits::product_id_bytes_max);
  if (errors.empty() && !is_product_id(line.id)) read.report("id", "malformed", "not a product id");
  auto about = read_product(read, shop_.currency, rating_member::allowed);
  line.on_hand = read.optional_int("on_hand", 0, INT64_C(1'000'000'000'000));
  read.finish();
  if (errors.empty()) {
    line.command = product::encode(product::import{std::move(about)});
  } else {
    line.problem = error_json(number, line.id, errors.front().code, errors.front().pointer + ": " + errors.front().detail);
  }
  return line;
}

// Sends a group of lines at once: first the products, then the counts of those that were taken. Lines of one group
// that name the same product keep their order: the product's actor handles them as they were sent.
task<bool> product_routes::send_lines(std::vector<import_line>& lines, const caller& who) {
  std::vector<envelope> products, counts;
  std::vector<import_line*> asked, counted;
  for (auto& line : lines) {
    if (!line.problem.empty()) continue;
    products.push_back(make_envelope(shop_, {"product", line.id}, std::move(line.command), who));
    asked.push_back(&line);
  }
  const auto taken = co_await ask_all(shop_, std::move(products));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    import_line& line = *asked[i];
    if (!taken[i].ok()) {
      line.problem = error_json(line.number, line.id, "refused", taken[i].failure->detail);
    } else if (line.on_hand) {
      const stock::command count = stock::set_on_hand{.on_hand = *line.on_hand, .reason = "import"};
      counts.push_back(make_envelope(shop_, {"stock", line.id}, stock::encode(count), who));
      counted.push_back(&line);
    }
  }
  const auto set = co_await ask_all(shop_, std::move(counts));
  for (std::size_t i = 0; i < counted.size(); ++i) {
    if (set[i].ok()) continue;
    counted[i]->problem = error_json(counted[i]->number, counted[i]->id, "stock_refused", set[i].failure->detail);
  }
  co_return true;
}

namespace {

// What has become of an import so far.
struct import_tally {
  // Beyond this many, lines that went well are counted and no longer listed: the answer stays small for any size of
  // a sound file.
  static constexpr std::size_t listed_max = 10'000;

  std::string results;
  std::size_t listed = 0;
  std::uint64_t imported = 0, failed = 0;

  void add(std::uint64_t number, const std::string& id, const std::string& problem) {
    ++(problem.empty() ? imported : failed);
    if (!problem.empty()) {
      results += problem;
      return;
    }
    if (listed >= listed_max) return;
    ++listed;
    json_writer(results).begin_object().member("line", number).member("id", id).member("status", "ok").end_object();
    results += '\n';
  }
  std::string finish(std::uint64_t lines) {
    json_writer(results)
        .begin_object()
        .member("lines", lines)
        .member("imported", imported)
        .member("failed", failed)
        .member("next_line", lines + 1)
        .end_object();
    return results + '\n';
  }
};

}  // namespace

task<response> product_routes::import(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const auto from = static_cast<std::uint64_t>(read.integer("from_line", 1, INT64_MAX).value_or(1));
  if (auto bad = read.finish()) co_return std::move(*bad);

  import_tally tally;
  std::uint64_t number = 0;
  std::string rest;
  std::vector<import_line> group;
  for (bool last = false; !last;) {
    const auto piece = co_await req.read_body();
    if (!piece) co_return failure_response(piece.error(), req);
    last = piece->empty();
    rest.append(*piece);
    if (last && !rest.empty() && rest.back() != '\n') rest += '\n';
    std::size_t begin = 0;
    for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
      std::string_view text = std::string_view(rest).substr(begin, end - begin);
      if (text.ends_with('\r')) text.remove_suffix(1);
      if (++number >= from && !text.empty()) group.push_back(read_line(text, number));
      if (group.size() < import_group_max) continue;
      co_await send_lines(group, who->who);
      for (const auto& line : group) tally.add(line.number, line.id, line.problem);
      group.clear();
    }
    rest.erase(0, begin);
    if (rest.size() > import_line_bytes_max) {
      co_return refuse(req, 413, "line_too_long", "line " + std::to_string(number + 1) + " is too long");
    }
  }
  co_await send_lines(group, who->who);
  for (const auto& line : group) tally.add(line.number, line.id, line.problem);
  response answered = json_response(200, tally.finish(number));
  answered.content_type = "application/x-ndjson";
  co_return answered;
}

}  // namespace omnicart::http
