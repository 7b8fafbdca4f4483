#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/payment/payment_messages.hpp"
#include "runtime/message.hpp"
#include "tests/sim/timeline.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::sim {

// The payment provider and the way to it: the real rules over a ledger that no crash takes back,
// and a network that loses, delays and repeats. Stands for the gateway too: every call is answered
// once, in time or as unknown.
class sim_provider final : public message_sink {
 public:
  explicit sim_provider(timeline& time) : time_(time) {}

  void send(envelope message) override;
  // The node died: whoever waits for an answer is gone, what is under way to the provider is not.
  void forget_callers() { ++epoch_; }
  // How many calls in a hundred meet each kind of trouble; 0: none does.
  void set_trouble(std::uint32_t percent) { trouble_percent_ = percent; }
  void crash();
  void restart() { up_ = true; }

  const std::vector<pay::entry>& ledger() const { return ledger_; }

 private:
  struct call {
    envelope message;
    pay::request request;
    std::uint64_t epoch = 0;
    bool answered = false;
  };
  using call_ptr = std::shared_ptr<call>;

  void travel(const call_ptr& what, duration_ms delay);
  void arrive(const call_ptr& what);
  void deliver(const call_ptr& what, const pay::verdict& said);
  void answer_after(const call_ptr& what, duration_ms delay, answer got);
  bool trouble() { return time_.chance(trouble_percent_); }

  timeline& time_;
  pay::provider_book book_;
  std::vector<pay::entry> ledger_;
  std::uint64_t epoch_ = 0;
  std::uint32_t trouble_percent_ = 0;
  bool up_ = true;
};

}  // namespace omnicart::sim
