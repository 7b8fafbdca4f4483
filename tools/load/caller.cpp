#include "tools/load/caller.hpp"

#include <algorithm>
#include <charconv>

#include "tools/load/json_scan.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {

void format_request(const request& what, const endpoint& peer, std::string& out) {
  out.clear();
  out.append(what.method).append(" ").append(what.path).append(" HTTP/1.1\r\nHost: ");
  out.append(peer.authority).append("\r\n");
  if (what.as != nullptr && !what.as->token().empty()) {
    out.append("Authorization: Bearer ").append(what.as->token()).append("\r\n");
  }
  if (!what.idempotency_key.empty()) {
    out.append("Idempotency-Key: ").append(what.idempotency_key).append("\r\n");
  }
  if (!what.body.empty()) out.append("Content-Type: ").append(what.content_type).append("\r\n");
  if (!what.body.empty() || what.method == "POST" || what.method == "PUT") {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, what.body.size()).ptr;
    out.append("Content-Length: ").append(digits, end).append("\r\n");
  }
  out.append("\r\n").append(what.body);
}

bool worth_repeating(const http_answer& answer) {
  switch (answer.status) {
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return true;
    case 409:
    case 500:
      return json_true(answer.body, "retryable");
    default:
      return false;
  }
}

std::chrono::microseconds back_off(int attempt, chance& luck) {
  constexpr std::int64_t first_us = 20'000;
  constexpr std::int64_t longest_us = 1'000'000;
  const std::int64_t span_us = std::min(longest_us, first_us << std::clamp(attempt - 1, 0, 16));
  return std::chrono::microseconds(
      span_us / 2 + static_cast<std::int64_t>(luck.below(static_cast<std::size_t>(span_us / 2))));
}

bool worth_leaving(const http_answer& answer) {
  return answer.status >= 502 && answer.status <= 504;
}

caller::caller(run_state& run, std::span<const endpoint> nodes, watchdog& dog, std::uint64_t seed)
    : run_(run),
      nodes_(nodes),
      at_(seed % nodes.size()),
      connection_(run.io, nodes[at_], dog),
      luck_(seed) {}

std::string caller::code_of_answer(bool answered) const {
  if (!answered) return connection_.loss();
  if (answer_.status < 300) return {};
  auto named = json_string(answer_.body, "code");
  return named.empty() ? "http_" + std::to_string(answer_.status) : named;
}

// Looked at before each repeat: the run's patience ends early once it is interrupted.
std::int64_t caller::patience_us() const {
  const std::int64_t span_us =
      std::min(outlast_us_.value_or(run_.ride_through_us), run_.ride_through_us);
  return run_.reached ? span_us : std::min(span_us, run_.first_contact_us);
}

task<caller::next_step> caller::try_once(recorder::operation op, const request& what,
                                         std::int64_t begun_us) {
  // Where anyone may ask, an answer without a token is no 401 but says less.
  if (what.as != nullptr && what.as->token().empty()) co_await what.as->renew(std::string());
  // After a 401 the token is another, so the bytes are made anew for each attempt.
  format_request(what, connection_.peer(), out_);
  const std::string sent_token = what.as != nullptr ? what.as->token() : std::string();
  const bool answered = co_await connection_.exchange(out_, answer_);
  code_ = code_of_answer(answered);
  if (answered) run_.reached = true;
  constexpr int renewals_max = 3;
  if (answered && answer_.status == 401 && what.as != nullptr && renewals_ < renewals_max) {
    ++renewals_;
    if (co_await what.as->renew(sent_token)) co_return next_step::again;
    answer_.status = 401;
    code_ = "unauthorized";
    co_return next_step::done;
  }
  if (answered && !worth_repeating(answer_)) co_return next_step::done;
  if (run_.cancelled || run_.watch.now_us() >= begun_us + patience_us()) co_return next_step::done;
  run_.record.retried(op);
  co_await before_another(answered);
  co_return next_step::again;
}

task<> caller::before_another(bool answered) {
  // A server may close a connection that was idle; that tells nothing about its health.
  const bool merely_stale = !answered && connection_.was_stale() && attempt_ == 0;
  ++attempt_;
  if (merely_stale) co_return;
  const auto nodes = static_cast<int>(nodes_.size());
  if (nodes > 1 && (!answered || worth_leaving(answer_))) {
    at_ = (at_ + 1) % nodes_.size();
    connection_.go_to(nodes_[at_]);
    if (attempt_ % nodes != 0) co_return;
  }
  co_await sleep_for(run_.io, back_off((attempt_ + nodes - 1) / nodes, luck_));
}

task<const http_answer*> caller::call(recorder::operation op, const request& what,
                                      std::optional<std::int64_t> intended_us) {
  const std::int64_t now_us = run_.watch.now_us();
  const std::int64_t begin_us = intended_us.value_or(now_us);
  attempt_ = 0;
  renewals_ = 0;
  while (co_await try_once(op, what, now_us) == next_step::again) {
  }
  const verdict how = success(answer_)                                 ? verdict::ok
                      : answer_.status == 402 || answer_.status == 409 ? verdict::refused
                                                                       : verdict::failed;
  run_.record.answered(op, run_.watch.now_us() - begin_us, how, code_);
  co_return &answer_;
}

}  // namespace omnicart::load
