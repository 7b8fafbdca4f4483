#include "tools/omnicartctl/catalogue_commands.hpp"

#include <httplib.h>
#include <zlib.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "tools/omnicartctl/catalogue_line.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;
using clock = std::chrono::steady_clock;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms rebuilt_within = std::chrono::minutes(30);
constexpr duration_ms found_within = std::chrono::minutes(10);
constexpr duration_ms look_again{250};
constexpr std::size_t lines_per_call = 500;
constexpr std::size_t line_bytes_max = 1'000'000;
constexpr std::size_t piece_bytes = 262'144;
constexpr int calls_max = 4;  // of one group of lines, when the shop does not answer
constexpr std::size_t problems_shown_max = 20;
constexpr std::int64_t token_ttl_s = 86'400;

double seconds_since(clock::time_point began) {
  return std::chrono::duration<double>(clock::now() - began).count();
}

std::string with_point(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f", seconds);
  return text;
}

void wait_a_little(const surroundings& with) {
  if (with.pause) {
    with.pause(look_again);
  } else {
    std::this_thread::sleep_for(look_again);
  }
}

// Lines of a file, gzip or plain (zlib tells them apart).
class line_file {
 public:
  static outcome<line_file> open(const std::string& path) {
    line_file opened;
    opened.path_ = path;
    opened.file_.reset(::gzopen(path.c_str(), "rb"));
    if (!opened.file_) return fail_with(exit_code::io, path + ": cannot be opened");
    return opened;
  }

  // The next line without its end; nothing behind the last.
  outcome<std::optional<std::string>> next() {
    for (;;) {
      if (const auto end = rest_.find('\n', begin_); end != rest_.npos) {
        std::string line = rest_.substr(begin_, end - begin_);
        begin_ = end + 1;
        if (line.ends_with('\r')) line.pop_back();
        return line;
      }
      rest_.erase(0, std::exchange(begin_, 0));
      if (rest_.size() > line_bytes_max)
        return fail_with(exit_code::usage, path_ + ": a line of over 1 MB");
      if (auto more = read(); !more) return tl::unexpected<failure>(more.error());
      if (!ended_) continue;
      if (rest_.empty()) return std::optional<std::string>();
      return std::exchange(rest_, {});
    }
  }

 private:
  struct closer {
    void operator()(gzFile_s* file) const { ::gzclose(file); }
  };
  outcome<bool> read() {
    std::string piece(piece_bytes, '\0');
    const int got = ::gzread(file_.get(), piece.data(), static_cast<unsigned>(piece.size()));
    int trouble = Z_OK;
    const char* why = ::gzerror(file_.get(), &trouble);
    if (got < 0 || (got == 0 && trouble == Z_BUF_ERROR))
      return fail_with(exit_code::io, path_ + ": " + why);
    ended_ = got == 0;
    rest_.append(piece, 0, static_cast<std::size_t>(got));
    return true;
  }

  std::string path_;
  std::unique_ptr<gzFile_s, closer> file_;
  std::string rest_;
  std::size_t begin_ = 0;
  bool ended_ = false;
};

struct import_tally {
  std::uint64_t lines = 0, imported = 0, failed = 0;
  std::vector<std::string> problems;
  void add_problem(std::uint64_t line, const std::string& what) {
    ++failed;
    if (problems.size() < problems_shown_max)
      problems.push_back("line " + std::to_string(line) + ": " + printable(what));
  }
};

// The shop's front, with an admin's token.
class front_client {
 public:
  front_client(const std::string& address, const std::string& token)
      : client_("http://" + address) {
    client_.set_connection_timeout(std::chrono::seconds(3));
    client_.set_read_timeout(answer_within);
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    client_.set_default_headers({{"Authorization", "Bearer " + token}});
  }

  // Sends the lines; the numbers of the answer count from 1, `numbers` says which lines of the file
  // they are.
  outcome<bool> send(const std::string& lines, const std::vector<std::uint64_t>& numbers,
                     import_tally& tally, const surroundings& with) {
    for (int call = 1;; ++call) {
      const auto got = client_.Post("/api/products/import", lines, "application/x-ndjson");
      if (got && got->status == 200) return take(got->body, numbers, tally);
      const bool again = !got || got->status == 503 || got->status == 429;
      if (again && call < calls_max) {
        wait_a_little(with);
        continue;
      }
      if (!got)
        return fail_with(exit_code::unreachable,
                         "the shop does not answer: " + httplib::to_string(got.error()));
      return tl::unexpected<failure>(failure_of(got->status, got->body, "the shop"));
    }
  }

  // Until a search has all that was imported.
  bool can_be_found(const surroundings& with) {
    const auto until = clock::now() + found_within;
    while (clock::now() < until) {
      const auto got = client_.Get("/api/products?limit=1&sort=sales");
      if (got && got->status == 200) return true;
      wait_a_little(with);
    }
    return false;
  }

 private:
  static outcome<bool> take(const std::string& body, const std::vector<std::uint64_t>& numbers,
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

  httplib::Client client_;
};

outcome<front_client> open_front(operator_client& node) {
  const auto status = node.get("/status", answer_within);
  if (!status) return tl::unexpected<failure>(status.error());
  const auto about = json::parse(*status, nullptr, false);
  const json wish{{"role", "admin"}, {"ttl_s", token_ttl_s}};
  const auto issued = node.post("/tokens", wish.dump(), answer_within);
  if (!issued) return tl::unexpected<failure>(issued.error());
  const auto token = json::parse(*issued, nullptr, false);
  const std::string address = about.value("http", ""), bearer = token.value("token", "");
  if (address.empty() || bearer.empty())
    return fail_with(exit_code::unreachable, node.url() + ": the shop does not serve yet");
  return front_client(address, bearer);
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
    if (auto done = shop.send(group, numbers, tally, with); !done) {
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
  auto shop = open_front(node);
  if (!shop) return tl::unexpected<failure>(shop.error());
  const auto began = clock::now();
  import_tally tally;
  if (auto done = send_file(*file, given, *shop, tally, with); !done)
    return tl::unexpected<failure>(done.error());
  const double imported_s = seconds_since(began);
  const bool found = shop->can_be_found(with);
  const double found_s = seconds_since(began);
  if (given.as == form::json) {
    const json report = {{"lines", tally.lines},      {"imported", tally.imported},
                         {"failed", tally.failed},    {"import_s", imported_s},
                         {"searchable_s", found_s},   {"searchable", found},
                         {"problems", tally.problems}};
    with.out << report.dump(2) << '\n';
  } else {
    if (with.terminal) with.out << '\r';
    with.out << tally.lines << " lines: " << tally.imported << " imported, " << tally.failed
             << " failed, in " << with_point(imported_s) << " s; "
             << (found ? "searchable after " : "NOT searchable after ") << with_point(found_s)
             << " s\n";
    for (const auto& each : tally.problems) with.out << "  " << each << '\n';
    if (tally.failed > tally.problems.size())
      with.out << "  and " << tally.failed - tally.problems.size() << " more\n";
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
    with.out << printable(each.value("name", "")) << "  "
             << each.value("lag_batches", std::uint64_t{0}) << " batches behind, "
             << each.value("queries", std::uint64_t{0}) << " queries\n";
  }
  return exit_code::ok;
}

outcome<exit_code> rebuild_projection(const command_line& given, operator_client& node,
                                      const surroundings& with) {
  const auto body =
      node.post("/projections/" + percent_encoded(given.name) + "/rebuild", "{}", rebuilt_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const auto done = json::parse(*body, nullptr, false);
  if (given.as == form::json) {
    with.out << done.dump(2) << '\n';
  } else {
    const auto took_ms = done.value("took_ms", std::int64_t{0});
    with.out << printable(given.name) << " was made anew in "
             << with_point(static_cast<double>(took_ms) / 1000) << " s\n";
  }
  return exit_code::ok;
}

}  // namespace omnicart::ctl
