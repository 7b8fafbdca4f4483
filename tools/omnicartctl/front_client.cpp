#include "tools/omnicartctl/front_client.hpp"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/system_ports.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms look_again{250};
constexpr std::int64_t token_ttl_s = 86'400;
constexpr int calls_max = 4;       // of one request, when the shop does not answer
constexpr int throttled_max = 60;  // times that one request is told to come again later
constexpr std::int64_t retry_after_s_max = 10;

void wait_for(const surroundings& with, duration_ms span) {
  if (with.pause) {
    with.pause(span);
  } else {
    std::this_thread::sleep_for(span);
  }
}

// What a 429 says, within reason.
duration_ms retry_after(const httplib::Response& got) {
  const std::string text = got.get_header_value("Retry-After");
  std::int64_t seconds = 1;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 1, retry_after_s_max));
}

}  // namespace

struct front_client::connection {
  connection(const std::string& address, const std::string& token, const surroundings& given)
      : http("http://" + address), with(given) {
    http.set_connection_timeout(std::chrono::seconds(3));
    http.set_read_timeout(answer_within);
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);
    http.set_default_headers({{"Authorization", "Bearer " + token}});
  }

  httplib::Client http;
  const surroundings& with;
};

front_client::front_client(std::unique_ptr<connection> made) : connection_(std::move(made)) {}
front_client::~front_client() = default;
front_client::front_client(front_client&&) noexcept = default;
front_client& front_client::operator=(front_client&&) noexcept = default;

outcome<front_client> front_client::open(operator_client& node, const surroundings& with) {
  const auto status = node.get("/status", answer_within);
  if (!status) return tl::unexpected<failure>(status.error());
  const auto about = json::parse(*status, nullptr, false);
  const json wish{{"role", "admin"}, {"ttl_s", token_ttl_s}};
  const auto issued = node.post("/tokens", wish.dump(), answer_within);
  if (!issued) return tl::unexpected<failure>(issued.error());
  const auto token = json::parse(*issued, nullptr, false);
  if (!about.is_object() || !token.is_object())
    return fail_with(exit_code::unreachable, node.url() + ": an answer that is no JSON object");
  const std::string address = about.value("http", ""), bearer = token.value("token", "");
  if (address.empty() || bearer.empty())
    return fail_with(exit_code::unreachable, node.url() + ": the shop does not serve yet");
  return front_client(std::make_unique<connection>(address, bearer, with));
}

template <class Call>
outcome<front_answer> front_client::asked(Call call) {
  int throttled = 0;
  for (int tries = 1;;) {
    const auto got = call(connection_->http);
    if (got && got->status == 429 && ++throttled <= throttled_max) {
      wait_for(connection_->with, retry_after(*got));
      continue;
    }
    const bool again = !got || got->status == 503;
    if (again && tries++ < calls_max) {
      wait_a_little(connection_->with);
      continue;
    }
    if (got) return front_answer{.status = got->status, .body = got->body};
    return fail_with(exit_code::unreachable,
                     "the shop does not answer: " + httplib::to_string(got.error()));
  }
}

outcome<front_answer> front_client::get(const std::string& path) {
  return asked([&](httplib::Client& http) { return http.Get(path); });
}
outcome<front_answer> front_client::put(const std::string& path, const std::string& text) {
  return asked([&](httplib::Client& http) { return http.Put(path, text, "application/json"); });
}
outcome<front_answer> front_client::post(const std::string& path, const std::string& body,
                                         const char* type) {
  return asked([&](httplib::Client& http) { return http.Post(path, body, type); });
}

outcome<front_answer> front_client::remove(const std::string& path, const std::string& text) {
  const httplib::Headers named{{"Idempotency-Key", to_base32(random_ids().next())}};
  return asked([&](httplib::Client& http) { return http.Delete(path, named, text, "application/json"); });
}

void wait_a_little(const surroundings& with) { wait_for(with, look_again); }

}  // namespace omnicart::ctl
