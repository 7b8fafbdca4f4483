#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/time.hpp"
#include "tools/omnicartctl/exit_code.hpp"

namespace omnicart::ctl {

// One node's operator port over HTTP. Blocks; for one thread.
class operator_client {
 public:
  // `url` as "http://127.0.0.1:8081" ("http://" and a trailing slash are optional); `token` may be
  // empty: then none is sent. Failure: usage, when the URL is none.
  static outcome<operator_client> open(std::string_view url, std::string token);
  ~operator_client();
  operator_client(operator_client&&) noexcept;
  operator_client& operator=(operator_client&&) noexcept;

  // The body of a 2xx answer, which is JSON. `answer_within` bounds the silence between two bytes.
  // Failures, each a line that says what to do next: unreachable (no connection, no answer in time,
  // 429, 5xx, not an operator port), refused (401, 403), usage (the node calls the request
  // malformed), failed (404, 409 and other refusals).
  outcome<std::string> get(const std::string& path, duration_ms answer_within);
  outcome<std::string> post(const std::string& path, const std::string& json,
                            duration_ms answer_within);

  const std::string& url() const { return url_; }

 private:
  struct connection;
  explicit operator_client(std::string url, std::string token);

  std::string url_;
  std::unique_ptr<connection> connection_;
};

// What an answer that is not 2xx means. `body` should be problem+json (RFC 9457): its detail, or
// else its title, is shown on one line.
failure failure_of(int http_status, const std::string& body, const std::string& url);

}  // namespace omnicart::ctl
