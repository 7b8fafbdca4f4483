#pragma once

#include <memory>
#include <string>

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

struct front_answer {
  int status = 0;
  std::string body;
};

// The shop's public front, asked by an admin. Blocks; for one thread.
class front_client {
 public:
  // Asks the node where its front is, and for a token good for a day. Failures: those of the
  // operator's port, and unreachable (the shop does not serve yet). `with` outlives the client.
  static outcome<front_client> open(operator_client& node, const surroundings& with);
  ~front_client();
  front_client(front_client&&) noexcept;
  front_client& operator=(front_client&&) noexcept;

  // What was answered, whatever it is; `path` as it stands in a URL. No answer, 503 and 429 are
  // asked again a few times, after a while or after the time the front names: call only what may be
  // repeated. Failure: unreachable.
  outcome<front_answer> get(const std::string& path);
  outcome<front_answer> put(const std::string& path, const std::string& json);
  outcome<front_answer> post(const std::string& path, const std::string& body, const char* type);
  // With an Idempotency-Key of its own, so that what is asked again was done once.
  outcome<front_answer> remove(const std::string& path, const std::string& json);

 private:
  struct connection;
  explicit front_client(std::unique_ptr<connection> made);
  template <class Call>
  outcome<front_answer> asked(Call call);

  std::unique_ptr<connection> connection_;
};

// Waits for a moment between two looks, as the surroundings say.
void wait_a_little(const surroundings& with);

}  // namespace omnicart::ctl
