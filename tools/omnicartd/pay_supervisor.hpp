#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "tools/omnicartd/pay_child.hpp"

namespace omnicart::node {

// Keeps the simulated provider alive: when it ends by itself, says so in the log and starts it
// again on the same address and ledger, so that its URL stays valid. Orders that asked it meanwhile
// have no answer and ask again. start() and stop() are for the owner's thread; the rest may be
// called from any.
class pay_supervisor {
 public:
  struct figures {
    bool up = false;
    std::uint64_t restarts = 0;
    std::string trouble;  // while it is down: how it ended, or why it does not start; for people
  };

  pay_supervisor() = default;
  ~pay_supervisor() { stop(duration_ms{2'000}); }
  pay_supervisor(const pay_supervisor&) = delete;
  pay_supervisor& operator=(const pay_supervisor&) = delete;

  // Before the n-th attempt in a row to start it again (from 1): 100 ms, doubled each time, at most
  // 10 s. One that lived for a minute ends the row.
  static duration_ms delay_before(unsigned attempt);

  // The first start; must succeed. Fault: unavailable, with one clear line.
  status start(pay_command what);
  // Ends the provider orderly, killed after the deadline, and does not start it again.
  void stop(duration_ms deadline);
  bool started() const { return thread_.joinable(); }
  // "http://127.0.0.1:PORT"; stays from the first start on.
  const std::string& url() const { return url_; }
  figures look() const;

 private:
  void run();
  bool start_again();
  void say_down(const std::string& trouble, duration_ms restart_in);
  bool stopped_within(duration_ms span) const;

  pay_command what_;
  std::string url_;
  pay_child child_;  // the thread's while it runs
  int wake_ = -1;    // readable once stop() was called
  unsigned attempts_ = 0;
  mutable std::mutex mutex_;
  figures now_;
  std::thread thread_;
};

}  // namespace omnicart::node
