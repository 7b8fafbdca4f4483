#include "fake_operator.hpp"

#include <httplib.h>

#include <deque>
#include <mutex>
#include <thread>

namespace omnicart::ctl::testing {

struct fake_operator::parts {
  httplib::Server server;
  std::thread thread;
  int port = 0;
  mutable std::mutex mutex;
  std::deque<canned> next;
  std::vector<std::string> asked;

  void serve(const httplib::Request& req, httplib::Response& res) {
    const std::lock_guard lock(mutex);
    asked.push_back(req.method + ' ' + req.target + (req.body.empty() ? "" : ' ' + req.body));
    if (req.get_header_value("Authorization") != std::string("Bearer ") + good_token) {
      res.status = 401;
      res.set_content(R"({"code":"unauthorized","detail":"no operator's token"})",
                      "application/problem+json");
      return;
    }
    const canned now = next.front();
    if (next.size() > 1) next.pop_front();
    res.status = now.status;
    res.set_content(now.body, now.status < 300 ? "application/json" : "application/problem+json");
  }
};

fake_operator::fake_operator() : parts_(std::make_unique<parts>()) {
  const auto handler = [p = parts_.get()](const httplib::Request& req, httplib::Response& res) {
    p->serve(req, res);
  };
  parts_->server.Get(".*", handler).Post(".*", handler).Delete(".*", handler);
  parts_->server.set_keep_alive_timeout(1);
  parts_->port = parts_->server.bind_to_any_port("127.0.0.1");
  parts_->thread = std::thread([p = parts_.get()] { p->server.listen_after_bind(); });
  while (!parts_->server.is_running()) std::this_thread::yield();
}

fake_operator::~fake_operator() {
  parts_->server.stop();
  parts_->thread.join();
}

void fake_operator::answers(canned next) {
  const std::lock_guard lock(parts_->mutex);
  parts_->next.push_back(std::move(next));
}

std::string fake_operator::url() const {
  return "http://127.0.0.1:" + std::to_string(parts_->port);
}

std::vector<std::string> fake_operator::asked() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->asked;
}

}  // namespace omnicart::ctl::testing
