#include "fake_operator.hpp"

#include <deque>
#include <mutex>

#include "loopback_server.hpp"

namespace omnicart::ctl::testing {

struct fake_operator::parts {
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

  loopback_server server;
};

fake_operator::fake_operator() : parts_(std::make_unique<parts>()) {
  const auto handler = [p = parts_.get()](const httplib::Request& req, httplib::Response& res) {
    p->serve(req, res);
  };
  parts_->server.routes().Get(".*", handler).Post(".*", handler).Delete(".*", handler);
  parts_->server.start();
}

fake_operator::~fake_operator() = default;

void fake_operator::answers(canned next) {
  const std::lock_guard lock(parts_->mutex);
  parts_->next.push_back(std::move(next));
}

std::string fake_operator::url() const { return parts_->server.url(); }

std::vector<std::string> fake_operator::asked() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->asked;
}

}  // namespace omnicart::ctl::testing
