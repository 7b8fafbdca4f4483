#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::node {

// The simulated provider as a child process. It ends with this one, also when this one is killed: it holds the read
// end of a pipe whose write end only we have, and stops when that closes.
class pay_child {
 public:
  pay_child() = default;
  ~pay_child() { stop(duration_ms{2'000}); }
  pay_child(const pay_child&) = delete;
  pay_child& operator=(const pay_child&) = delete;

  // Starts omnicart-pay from the folder of this executable on a free loopback port and waits until it is ready.
  // Faults: io, unavailable, with one clear line.
  status start(const std::string& data_directory);
  // Orderly; killed after the deadline.
  void stop(duration_ms deadline);
  // "http://127.0.0.1:PORT"; empty when not running.
  const std::string& url() const { return url_; }
  pid_t pid() const { return pid_; }

 private:
  status read_ready_line(int output);

  pid_t pid_ = -1;
  int lifeline_ = -1;  // write end of the pipe
  std::string url_;
};

}  // namespace omnicart::node
