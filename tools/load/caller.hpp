#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tools/load/chance.hpp"
#include "tools/load/http_connection.hpp"
#include "tools/load/pacer.hpp"
#include "tools/load/recorder.hpp"

namespace omnicart::load {

// Who asks: a bearer token that can be had anew.
class credential {
 public:
  virtual ~credential() = default;
  const std::string& token() const { return token_; }
  // After a 401 to `stale`, and before the first use of an empty one: true when token() is now
  // another one. Several callers may ask at once.
  virtual task<bool> renew(std::string stale) = 0;

 protected:
  std::string token_;
};

struct request {
  std::string_view method;
  std::string_view path;  // with the query; already percent-encoded
  std::string_view body = {};
  std::string_view idempotency_key = {};
  credential* as = nullptr;
  std::string_view content_type = "application/json";
};

// Writes the request's bytes into `out`, whose memory is reused.
void format_request(const request& what, const endpoint& peer, std::string& out);

// What all callers of a run share.
struct run_state {
  asio::io_context& io;
  const stopwatch& watch;
  recorder& record;
  std::int64_t ride_through_us = 120'000'000;  // how long one call outlasts losses and 503s
  std::int64_t first_contact_us = 5'000'000;   // the same, until anything was ever answered
  bool reached = false;                        // some server answered
  bool cancelled = false;  // give up at the next failure instead of trying again
};

// True when the same request, sent again later, may get another answer: 408, 429, 502-504, and
// those 409 and 500 that the server itself calls retryable (an order's 402 and 409 are final for
// their key and are not).
bool worth_repeating(const http_answer& answer);

// Wait before attempt number `attempt` (1 is the first repeat): 20 ms doubling to at most 1 s, the
// upper half of it random, so that clients of a server that died do not come back in step.
std::chrono::microseconds back_off(int attempt, chance& luck);

// True when another node of the same shop may do better: 502-504.
bool worth_leaving(const http_answer& answer);

// One client with one connection. Repeats a request until it gets a final answer, so every unsafe
// request carries an idempotency key or is idempotent by nature. Where the shop has several nodes,
// what one of them did not answer is asked of the next, and only a whole round of failures is
// followed by a wait. One call at a time.
class caller {
 public:
  // `nodes`: at least one; they outlive this. Which is asked first depends on the seed.
  caller(run_state& run, std::span<const endpoint> nodes, watchdog& dog, std::uint64_t seed);

  // The final answer; status 0 when none came within the ride-through. It stays until the next
  // call. Latency is counted from `intended_us` (default: now) to the final answer. What `what`
  // views must outlive the wait.
  task<const http_answer*> call(recorder::operation op, const request& what,
                                std::optional<std::int64_t> intended_us = {});

  // From now on a call outlasts losses for so long (default: the run's ride-through).
  void outlast(std::int64_t span_us) { outlast_us_ = span_us; }
  // True when the last call ended without a final answer: another would fare no better.
  bool gave_up() const { return answer_.status == 0 || worth_repeating(answer_); }

  const http_answer& answer() const { return answer_; }
  // The problem's `code`, or "http_500", or what was lost ("timeout", "connection_lost", …); "" for
  // 2xx.
  const std::string& code() const { return code_; }
  run_state& run() { return run_; }

 private:
  enum class next_step : std::uint8_t { done, again };
  task<next_step> try_once(recorder::operation op, const request& what, std::int64_t begun_us);
  std::int64_t patience_us() const;
  std::string code_of_answer(bool answered) const;
  task<> before_another(bool answered);

  run_state& run_;
  std::span<const endpoint> nodes_;
  std::size_t at_;  // which of them is asked
  http_connection connection_;
  chance luck_;
  std::string out_;
  http_answer answer_;
  std::string code_;
  std::optional<std::int64_t> outlast_us_;
  int attempt_ = 0;
  int renewals_ = 0;
};

}  // namespace omnicart::load
