#include "tools/omnicartctl/operator_client.hpp"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace omnicart::ctl {
namespace {

using nlohmann::json;

constexpr auto connect_within = std::chrono::seconds(3);
constexpr std::size_t shown_bytes_max = 1'000;  // of what the node says about a failure

// Whatever the node sent becomes one line that cannot move a terminal's cursor.
std::string one_line(std::string text) {
  if (text.size() > shown_bytes_max) text.resize(shown_bytes_max);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

// The first of these members that is a string and not empty.
std::string word_of(const json& object, std::initializer_list<const char*> members) {
  for (const char* member : members) {
    const auto found = object.find(member);
    if (found == object.end() || !found->is_string()) continue;
    if (auto word = found->get<std::string>(); !word.empty()) return word;
  }
  return {};
}

// Each bad member with what is wrong with it: " (/ttl_s: must be from 1 to 86400)".
std::string words_of_members(const json& problem) {
  const auto errors = problem.find("errors");
  if (errors == problem.end() || !errors->is_array()) return {};
  std::string out;
  for (const auto& each : *errors) {
    if (!each.is_object()) continue;
    out += out.empty() ? " (" : ", ";
    out += word_of(each, {"pointer"}) + ": " + word_of(each, {"detail", "code"});
  }
  return out.empty() ? out : out + ')';
}

// A problem's own words; empty when the body is no problem (RFC 9457).
std::string words_of_problem(const json& problem) {
  if (!problem.is_object()) return {};
  const auto words = word_of(problem, {"detail", "title", "code"});
  return words.empty() ? words : one_line(words + words_of_members(problem));
}

exit_code code_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return exit_code::refused;
    case 400:
    case 413:
    case 414:
    case 415:
    case 422:
      return exit_code::usage;
    case 429:
      return exit_code::unreachable;
    default:
      return status >= 500 ? exit_code::unreachable : exit_code::failed;
  }
}

std::string why_no_answer(httplib::Error why) {
  switch (why) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "nothing answers there; is the node running, and is this its operator port?";
    case httplib::Error::Read:
      return "no whole answer came in time, or the node ended while it answered";
    case httplib::Error::Write:
      return "the node closed the connection";
    default:
      return httplib::to_string(why);
  }
}

outcome<std::string> body_of(const httplib::Result& answered, const std::string& url,
                             const std::string& path) {
  if (!answered)
    return fail_with(exit_code::unreachable, url + ": " + why_no_answer(answered.error()));
  // Only what has a name may be missing; without the rest it is something else that listens.
  constexpr std::string_view named[] = {"/entities/", "/orders/", "/cluster/", "/projections/",
                                        "/keys/"};
  const bool may_be_missing = std::ranges::any_of(
      named, [&](std::string_view prefix) { return path.starts_with(prefix); });
  if (answered->status == 404 && !may_be_missing) {
    return fail_with(exit_code::unreachable, url + " knows no " + path.substr(0, path.find('?')) +
                                                 "; is this the node's operator port?");
  }
  if (answered->status / 100 != 2)
    return tl::unexpected<failure>(failure_of(answered->status, answered->body, url));
  if (!json::accept(answered->body)) {
    return fail_with(exit_code::unreachable,
                     url + ": the answer is not JSON; is this the node's operator port?");
  }
  return answered->body;
}

}  // namespace

failure failure_of(int http_status, const std::string& body, const std::string& url) {
  const auto problem = json::parse(body, nullptr, false);
  const std::string said = words_of_problem(problem);
  const std::string name = problem.is_object() ? word_of(problem, {"code"}) : std::string();
  const auto code = code_of_status(http_status);
  if (code == exit_code::refused) {
    return {.code = code,
            .what = url + ": the operator's token was refused" + (said.empty() ? "" : ": " + said) +
                    "; give --token-file DIR/operator.token of this node's data directory",
            .problem = name};
  }
  if (said.empty() && code == exit_code::failed) {
    return {.code = exit_code::unreachable,
            .what = url + ": status " + std::to_string(http_status) +
                    " without a reason; is this the node's operator port?"};
  }
  return {.code = code,
          .what = said.empty() ? url + ": status " + std::to_string(http_status) : said,
          .problem = name};
}

struct operator_client::connection {
  connection(const std::string& url, std::string bearer) : client(url), token(std::move(bearer)) {
    client.set_connection_timeout(connect_within);
    // The caller encodes; encoding again would turn "%2F" into "%252F".
    client.set_url_encode(false);
    client.set_keep_alive(true);
  }
  httplib::Headers headers() const {
    httplib::Headers out{{"Accept", "application/json"}};
    if (!token.empty()) out.emplace("Authorization", "Bearer " + token);
    return out;
  }
  httplib::Client client;
  const std::string token;
};

operator_client::operator_client(std::string url, std::string token)
    : url_(std::move(url)), connection_(std::make_unique<connection>(url_, std::move(token))) {}
operator_client::~operator_client() = default;
operator_client::operator_client(operator_client&&) noexcept = default;
operator_client& operator_client::operator=(operator_client&&) noexcept = default;

namespace {

// "host", "host:1" to "host:65535", "[::1]:1".
bool has_good_port(std::string_view authority) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon == authority.npos || (bracket != authority.npos && colon < bracket)) return true;
  const auto text = authority.substr(colon + 1);
  unsigned port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() && port >= 1 &&
         port <= 65'535;
}

}  // namespace

outcome<operator_client> operator_client::open(std::string_view url, std::string token) {
  std::string whole(url);
  if (whole.find("://") == std::string::npos) whole = "http://" + whole;
  // A slash behind the port says nothing; those of "http://" alone are no address.
  if (whole.ends_with('/') && !whole.ends_with("://")) whole.pop_back();
  const auto authority = whole.substr(whole.find("://") + 3);
  const bool is_http = whole.starts_with("http://") || whole.starts_with("https://");
  const bool is_bare = !authority.empty() && authority.find_first_of("/?# @") == std::string::npos;
  const auto wrong = [&] {
    return fail_with(exit_code::usage,
                     "--operator wants http://HOST:PORT, got " + std::string(url));
  };
  if (!is_http || !is_bare || !has_good_port(authority)) return wrong();
  try {
    operator_client opened(whole, std::move(token));
    if (!opened.connection_->client.is_valid()) return wrong();
    return opened;
  } catch (const std::exception&) {  // httplib on a port that is no number
    return wrong();
  }
}

outcome<std::string> operator_client::get(const std::string& path, duration_ms answer_within) {
  connection_->client.set_read_timeout(answer_within);
  return body_of(connection_->client.Get(path, connection_->headers()), url_, path);
}

outcome<std::string> operator_client::post(const std::string& path, const std::string& body,
                                           duration_ms answer_within) {
  connection_->client.set_read_timeout(answer_within);
  return body_of(connection_->client.Post(path, connection_->headers(), body, "application/json"),
                 url_, path);
}

}  // namespace omnicart::ctl
