#include "tests/sim/sim_provider.hpp"

#include <string>

#include "runtime/base/assert.hpp"

namespace omnicart::sim {
namespace {

constexpr duration_ms answer_timeout{10'000};  // of the gateway

pay::request to_request(const payment::command& asked) {
  if (const auto* c = std::get_if<payment::charge>(&asked)) {
    return pay::charge_request{c->order.str(), c->amount, static_cast<pay::method>(c->how.type),
                               c->how.token};
  }
  if (const auto* v = std::get_if<payment::void_charge>(&asked))
    return pay::void_request{v->order.str()};
  if (const auto* a = std::get_if<payment::authorise>(&asked)) {
    return pay::charge_request{a->order.str(), a->amount, static_cast<pay::method>(a->how.type),
                               a->how.token, pay::capture_mode::later};
  }
  if (const auto* c = std::get_if<payment::capture>(&asked))
    return pay::capture_request{c->order.str(), c->amount};
  const auto& r = std::get<payment::refund>(asked);
  return pay::refund_request{r.order.str(), r.refund_key, r.amount};
}

answer fault(base_errc code) {
  answer got;
  got.failure = make_error(code, "the simulated provider");
  return got;
}

error refusal_error(pay::refusal why) {
  switch (why) {
    case pay::refusal::malformed:
      return make_error(base_errc::malformed);
    case pay::refusal::unknown_method:
      return make_error(payment::errc::unknown_method);
    case pay::refusal::key_reused:
      return make_error(payment::errc::key_reused);
    case pay::refusal::voided:
      return make_error(payment::errc::voided);
    case pay::refusal::captured:
      return make_error(payment::errc::captured);
    case pay::refusal::not_captured:
      return make_error(payment::errc::not_captured);
    case pay::refusal::over_refund:
      return make_error(payment::errc::over_refund);
    case pay::refusal::not_authorised:
      return make_error(payment::errc::not_authorised);
    case pay::refusal::no_answer:
    case pay::refusal::pending:
      return make_error(base_errc::timeout);
  }
  return make_error(base_errc::timeout);
}

answer to_answer(const pay::verdict& said) {
  answer got;
  if (!said.result) {
    got.failure = refusal_error(said.result.error());
    return got;
  }
  const auto& outcome = *said.result;
  payment::charge_result result{.status = static_cast<payment::charge_status>(outcome.status),
                                .decline_code = {},
                                .last4 = outcome.last4};
  if (outcome.declined != pay::decline_reason::none)
    result.decline_code = pay::to_string(outcome.declined);
  got.payload = payment::encode_reply(result);
  return got;
}

}  // namespace

message_sink& sim_provider::gateway_of(timeline::owner node) {
  return gateways_.try_emplace(node, *this, node).first->second;
}

void sim_provider::take(timeline::owner from, envelope message) {
  auto asked = payment::decode_command(message.command);
  ensure(asked.has_value(), "a payment command reads");
  time_.note("pay> " + message.to.str());
  ++passages_;
  auto what = std::make_shared<call>();
  what->request = to_request(*asked);
  what->message = std::move(message);
  what->from = from;
  what->epoch = epochs_[from];
  answer_after(what, answer_timeout, fault(base_errc::timeout));
  if (trouble()) return;  // lost on the way
  if (trouble())
    return answer_after(what, duration_ms{time_.between(0, 50)}, fault(base_errc::unavailable));
  const bool dawdles = trouble();
  travel(what,
         dawdles ? duration_ms{time_.between(5'000, 120'000)} : duration_ms{time_.between(1, 30)});
  if (trouble())
    travel(what,
           duration_ms{time_.between(1, 20'000)});  // a connection that went stale: sent twice
}

void sim_provider::travel(const call_ptr& what, duration_ms delay) {
  time_.after(delay, timeline::owner::world, [this, what] { arrive(what); });
}

void sim_provider::arrive(const call_ptr& what) {
  ++passages_;
  if (!up_) return answer_after(what, duration_ms{1}, fault(base_errc::unavailable));
  const auto said = book(what->request);
  if (trouble()) return;  // the answer is lost
  deliver(what, said);
}

pay::verdict sim_provider::book(const pay::request& asked) {
  std::vector<pay::entry> made;
  const auto said = book_.handle(asked, time_.wall(), made);
  for (auto& each : made) {
    time_.note(std::string("pay: ") + pay::to_string(each.kind) + ' ' + each.key);
    ledger_.push_back(std::move(each));
  }
  return said;
}

void sim_provider::refund_by_hand(const std::string& charge, const std::string& name,
                                  money amount) {
  ++passages_;
  const auto said = book(pay::refund_request{charge, name, amount});
  ensure(said.result.has_value(), "the provider's people give back what there is");
}

void sim_provider::deliver(const call_ptr& what, const pay::verdict& said) {
  const duration_ms soon{time_.between(1, 30)};
  switch (said.how) {
    case pay::delivery::normal:
      return answer_after(what, soon, to_answer(said));
    case pay::delivery::none:
      return;
    case pay::delivery::late:
      return answer_after(what, duration_ms{time_.between(5'000, 20'000)}, to_answer(said));
    case pay::delivery::twice:  // believed when they come apart, not when they come together
      return answer_after(what, soon,
                          time_.chance(50) ? to_answer(said) : fault(base_errc::timeout));
    case pay::delivery::garbage:
      return answer_after(what, soon, fault(base_errc::timeout));
  }
}

void sim_provider::answer_after(const call_ptr& what, duration_ms delay, answer got) {
  if (what->epoch != epochs_[what->from]) return;
  time_.after(delay, what->from, [what, got = std::move(got)] {
    if (what->answered || !what->message.reply) return;
    what->answered = true;
    what->message.reply(got);
  });
}

// What it had written it reads again.
void sim_provider::crash() {
  up_ = false;
  book_ = {};
  for (const auto& each : ledger_)
    ensure(book_.apply(each), "the provider's ledger follows from itself");
}

}  // namespace omnicart::sim
