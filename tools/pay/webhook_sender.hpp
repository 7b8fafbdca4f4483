#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/clock.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::pay {

inline constexpr std::size_t webhook_queue_max = 100'000;  // the oldest is forgotten: reconciliation finds it

struct webhook_target {
  std::string url;     // "http://HOST:PORT/PATH"
  std::string secret;  // what bodies are signed with
};

// Tells a shop what was entered in the ledger, each entry by a signed POST, until it answers 2xx: at least once, in no
// order (what failed goes behind the rest). Not stored: what was not told when the process ends stays in the ledger.
// Entries of tok_twice are told twice.
class webhook_sender {
 public:
  // Refusal: malformed, for another URL. `time` outlives it.
  static result<std::unique_ptr<webhook_sender>> open(webhook_target to, const clock& time);
  ~webhook_sender();
  // Never blocks on the shop. Any thread.
  void tell(const std::vector<entry>& entered);

 private:
  webhook_sender(webhook_target to, std::string host, int port, std::string path, const clock& time);
  void run();
  bool post(const std::string& body);

  const webhook_target to_;
  const std::string host_, path_;
  const int port_;
  const clock& time_;
  std::mutex guard_;
  std::condition_variable wake_;
  std::deque<std::string> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnicart::pay
