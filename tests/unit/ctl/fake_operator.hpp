#pragma once

#include <memory>
#include <string>
#include <vector>

namespace omnicart::ctl::testing {

inline constexpr const char* good_token = "operator-secret";

struct canned {
  int status = 200;
  std::string body;
};

// An operator port on a free loopback port that answers what it is told to, to bearers of
// good_token, and notes what it was asked. Ends with its object.
class fake_operator {
 public:
  fake_operator();
  ~fake_operator();
  // The next answer; the last one is given again and again.
  void answers(canned next);
  std::string url() const;
  // "GET /laws?wait_s=30", "POST /tokens {…}", in order. Call it after the answers.
  std::vector<std::string> asked() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace omnicart::ctl::testing
