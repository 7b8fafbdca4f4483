#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
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

  // Of a node that is alone.
  void send(envelope message) override { take(timeline::owner::node, std::move(message)); }
  // The gateway of one of several nodes.
  message_sink& gateway_of(timeline::owner node);
  // The node died: whoever waits for an answer is gone, what is under way to the provider is not.
  void forget_callers(timeline::owner node = timeline::owner::node) { ++epochs_[node]; }
  // How many calls in a hundred meet each kind of trouble; 0: none does.
  void set_trouble(std::uint32_t percent) { trouble_percent_ = percent; }
  void crash();
  void restart() { up_ = true; }
  // Its own people give money back, and say so later, if at all. `name` becomes the refund's key.
  void refund_by_hand(const std::string& charge, const std::string& name, money amount);

  const std::vector<pay::entry>& ledger() const { return ledger_; }
  // Calls that were made, and that arrived, so far.
  std::uint64_t passages() const { return passages_; }

 private:
  struct gateway final : message_sink {
    gateway(sim_provider& p, timeline::owner n) : provider(p), node(n) {}
    void send(envelope message) override { provider.take(node, std::move(message)); }
    sim_provider& provider;
    const timeline::owner node;
  };
  struct call {
    envelope message;
    pay::request request;
    timeline::owner from = timeline::owner::node;
    std::uint64_t epoch = 0;
    bool answered = false;
  };
  using call_ptr = std::shared_ptr<call>;

  void take(timeline::owner from, envelope message);
  void travel(const call_ptr& what, duration_ms delay);
  void arrive(const call_ptr& what);
  pay::verdict book(const pay::request& asked);
  void deliver(const call_ptr& what, const pay::verdict& said);
  void answer_after(const call_ptr& what, duration_ms delay, answer got);
  bool trouble() { return time_.chance(trouble_percent_); }

  timeline& time_;
  pay::provider_book book_;
  std::vector<pay::entry> ledger_;
  std::map<timeline::owner, std::uint64_t> epochs_;
  std::map<timeline::owner, gateway> gateways_;
  std::uint32_t trouble_percent_ = 0;
  std::uint64_t passages_ = 0;
  bool up_ = true;
};

}  // namespace omnicart::sim
