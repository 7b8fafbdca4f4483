#include "tests/sim/news_bearer.hpp"

#include "actors/order/order_messages.hpp"

namespace omnicart::sim {
namespace {

payment::news_kind kind_of(pay::entry_kind made) {
  switch (made) {
    case pay::entry_kind::authorisation:
      return payment::news_kind::authorised;
    case pay::entry_kind::capture:
      return payment::news_kind::captured;
    case pay::entry_kind::decline:
      return payment::news_kind::declined;
    case pay::entry_kind::void_charge:
      return payment::news_kind::voided;
    case pay::entry_kind::refund:
      return payment::news_kind::refunded;
  }
  return payment::news_kind::authorised;
}

payment::news news_of(const pay::entry& made) {
  payment::news told{.kind = kind_of(made.kind), .amount = made.amount, .refund_key = made.refund_key};
  if (made.kind == pay::entry_kind::decline) told.decline_code = pay::to_string(made.declined);
  told.last4 = pay::last4_of(made.how, made.card);
  return told;
}

}  // namespace

news_bearer::news_bearer(timeline& time, wire& node, sim_checks& checks,
                         const sim_provider& provider)
    : sim_client(time, node, checks, {.as = role::system, .session = {}, .user = {}}, "news", {}),
      provider_(provider) {}

void news_bearer::look() {
  while (seen_ < provider_.ledger().size()) {
    const auto entry = provider_.ledger()[seen_++];
    set_out(entry);
    if (time_.one_in(4)) set_out(entry);
  }
}

void news_bearer::set_out(const pay::entry& with) {
  ++under_way_;
  const duration_ms delay{time_.one_in(5) ? time_.between(500, 40'000) : time_.between(0, 500)};
  after(delay, [this, with] { tell(with); });
}

void news_bearer::tell(const pay::entry& what) {
  const order::payment_told told{news_of(what)};
  perform(ask("news of a " + std::string(pay::to_string(what.kind)), {"order", what.key},
              order::encode(told), keyed::no, [this, what](const answer& got) {
                if (!got.ok() && got.failure->is(order::errc::illegal_step))  // not yet
                  return after(duration_ms{time_.between(500, 3'000)}, [this, what] { tell(what); });
                --under_way_;
                if (!got.ok()) checks_.violate("an order takes the provider's word", what.key);
              }));
}

}  // namespace omnicart::sim
