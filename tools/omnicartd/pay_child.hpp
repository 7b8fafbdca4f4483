#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::node {

struct pay_command {
  std::string program;                  // path of omnicart-pay
  std::string data;                     // folder of its ledger
  std::string address = "127.0.0.1:0";  // port 0: a free one
  std::string webhook_url, webhook_secret_file;  // empty: it tells nobody
};

// The omnicart-pay that lies beside this executable.
std::string own_pay_program();

// The simulated provider as a child process. It ends with this one, also when this one is killed:
// it holds the read end of a pipe whose write end only we have, and stops when that closes. It
// inherits no other descriptor of ours but standard error. For one thread at a time. `give_up`
// below: a descriptor that ends the waiting once it is readable, or -1.
class pay_child {
 public:
  pay_child() = default;
  ~pay_child() { stop(duration_ms{2'000}); }
  pay_child(const pay_child&) = delete;
  pay_child& operator=(const pay_child&) = delete;

  // Starts it and waits until it is ready; never while one runs. Fault: unavailable, with one clear
  // line.
  status start(const pay_command& what, int give_up = -1);
  // Blocks until it ended by itself. False: it still runs, `give_up` came first.
  bool wait(int give_up);
  // How the last one ended: "was killed by signal 9", "ended with exit code 74".
  const std::string& ending() const { return ending_; }
  // Orderly; killed after the deadline.
  void stop(duration_ms deadline);
  // "127.0.0.1:PORT"; empty when not running.
  const std::string& address() const { return address_; }

 private:
  status read_ready_line(int give_up);

  pid_t pid_ = -1;
  int lifeline_ = -1;  // write end of the pipe
  int output_ = -1;    // its standard output; at its end the child has ended
  std::string address_;
  std::string ending_;
};

}  // namespace omnicart::node
