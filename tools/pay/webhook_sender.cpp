#include "tools/pay/webhook_sender.hpp"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <utility>

#include "http/webhook_signature.hpp"

namespace omnicart::pay {
namespace {

constexpr duration_ms first_pause{100}, last_pause{5'000};
constexpr std::time_t silence_max_s = 5;

// Keys and names of ours: they need no escaping.
std::string body_of(const entry& what) {
  const auto text = [](const char* name, std::string_view value) {
    return std::string(",\"") + name + "\":\"" + std::string(value) + '"';
  };
  std::string body = "{\"event\":\"" + std::to_string(what.seq) + '"';
  body += text("kind", to_string(what.kind)) + text("key", what.key);
  body += ",\"amount\":" + std::to_string(what.amount.amount_minor);
  body += text("currency", what.amount.currency.text()) + text("refund_key", what.refund_key);
  body += text("decline_code", to_string(what.declined)) + text("last4", last4_of(what.how, what.card));
  return body + '}';
}

}  // namespace

result<std::unique_ptr<webhook_sender>> webhook_sender::open(webhook_target to, const clock& time) {
  static const std::regex shape(R"(http://([^/:@?#]+):([0-9]{1,5})(/[^?#]*))");
  std::smatch parts;
  if (!std::regex_match(to.url, parts, shape))
    return fail(base_errc::malformed, "a webhook's URL is http://HOST:PORT/PATH, not " + to.url);
  if (to.secret.size() < http::webhook_secret_bytes_min)
    return fail(base_errc::malformed, "a webhook's secret has at least 32 characters");
  const std::string host = parts[1], path = parts[3];
  const int port = std::stoi(parts[2]);
  return std::unique_ptr<webhook_sender>(new webhook_sender(std::move(to), host, port, path, time));
}

webhook_sender::webhook_sender(webhook_target to, std::string host, int port, std::string path, const clock& time)
    : to_(std::move(to)), host_(std::move(host)), path_(std::move(path)), port_(port), time_(time) {
  thread_ = std::thread([this] { run(); });
}

webhook_sender::~webhook_sender() {
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void webhook_sender::tell(const std::vector<entry>& entered) {
  if (entered.empty()) return;
  const std::lock_guard lock(guard_);
  for (const auto& what : entered) {
    const int times = what.card == test_card::twice ? 2 : 1;
    for (int i = 0; i < times; ++i) queue_.push_back(body_of(what));
  }
  while (queue_.size() > webhook_queue_max) queue_.pop_front();
  wake_.notify_all();
}

void webhook_sender::run() {
  duration_ms pause = first_pause;
  std::unique_lock lock(guard_);
  while (!stopping_) {
    if (queue_.empty()) {
      wake_.wait(lock);
      continue;
    }
    std::string body = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const bool told = post(body);
    lock.lock();
    if (told) {
      pause = first_pause;
      continue;
    }
    queue_.push_back(std::move(body));
    wake_.wait_for(lock, pause, [this] { return stopping_; });
    pause = std::min(pause * 2, last_pause);
  }
}

bool webhook_sender::post(const std::string& body) {
  httplib::Client shop(host_, port_);
  shop.set_connection_timeout(silence_max_s);
  shop.set_read_timeout(silence_max_s);
  const std::int64_t now_s = time_.wall().time_since_epoch().count() / 1000;
  const httplib::Headers headers{
      {http::webhook_signature_header, http::sign_webhook(to_.secret, now_s, body)}};
  const auto got = shop.Post(path_.c_str(), headers, body, "application/json");
  return got && got->status >= 200 && got->status < 300;
}

}  // namespace omnicart::pay
