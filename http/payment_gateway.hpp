#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "http/payment_wire.hpp"
#include "runtime/base/time.hpp"
#include "runtime/clock.hpp"
#include "runtime/message.hpp"

namespace omnicart::http {

struct payment_gateway_options {
  provider_address provider;
  std::size_t connections = 16;        // kept alive; also the most requests in flight
  std::size_t queue_max = 4'096;       // commands waiting for a connection; one more is overloaded
  duration_ms queue_wait{1'000};       // overloaded after waiting this long; nothing was sent
  duration_ms connect_timeout{1'000};  // unavailable; nothing was sent
  duration_ms answer_timeout{1'500};   // timeout; the outcome is unknown
  std::size_t answer_bytes_max = 8'192;  // head and body; a longer answer is nonsense
};

struct payment_gateway_figures {
  std::uint64_t waiting = 0;   // commands not yet answered, in flight or queued
  std::uint64_t answered = 0;  // definite results
  std::uint64_t refused = 0;   // definite refusals
  std::uint64_t unknown = 0;   // sent, and no clear answer came
  std::uint64_t not_sent = 0;  // overloaded, unavailable, shutting_down, expired
};

// The payment port: carries commands addressed to "payment/<order_id>" to the provider, on one
// thread of its own with asynchronous kept-alive connections. Answers carry payment::encode_reply,
// or a refusal, or a fault: see from_wire. A command is sent again only by whoever sent it, but for
// one case: a kept connection that the provider closed before any byte of an answer is replaced
// once (the provider is idempotent by key).
class payment_gateway final : public message_sink {
 public:
  // `time` outlives it.
  payment_gateway(payment_gateway_options options, const clock& time);
  ~payment_gateway() override;  // stop(0)

  // Never blocks. Answered on the gateway's thread, or at once on the caller's: overloaded,
  // shutting_down, unknown_kind. Replies must not block.
  void send(envelope message) override;

  // Refuses new commands, gives open ones at most this long, then answers the rest (shutting_down,
  // or timeout when they had been sent). Every reply has run when it returns. Not from a reply.
  void stop(duration_ms drain);

  payment_gateway_figures figures() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace omnicart::http
