#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "http/entity_walk.hpp"
#include "http/provider_ledger.hpp"

namespace omnicart::http {

// The two ledgers beside each other: what the provider entered for an order, and what the order knows:
//   charged_without_order      money was taken, and there is no such order         mended: given back
//   authorised_without_order   money is held, and there is no such order           mended: voided
//   authorisation_left         money is held for an order that has ended           mended: voided
//   outcome_not_known          the order waits for a word that the ledger has      mended: told
//   capture_not_known          money was taken, and the order does not know        mended: told (it keeps it or gives it back)
//   void_not_known             nothing is held any more; the order does not know   mended: told (it is cancelled)
//   refund_not_known           money went back, and the order does not know        mended: told
//   capture_not_there          the order was paid, and the provider knows nothing  for a person
//   refund_not_there           the order was refunded, the provider knows nothing  for a person
struct reconciliation_report {
  struct finding {
    std::string order, what, detail;
    bool mended = false;
    bool again = false;  // a fault kept it from being mended, or a limit: it may be tried again
  };
  std::uint64_t orders = 0;     // looked at
  std::uint64_t keys = 0;       // of the provider
  std::uint64_t in_flight = 0;  // orders that still owe something: not judged
  std::vector<finding> findings;
  std::uint64_t left_out = 0;  // findings beyond findings_max
  bool halted = false;         // more charges for no order than might be given back: none was
  bool all_agree() const;      // nothing found, or all of it mended
  std::string json() const;
};

// Whether an order that owes nothing knows what the provider entered for it.
bool knows_of(const order::order_view& here, const provider_ledger::entry& entry);

class reconciliation {
 public:
  static constexpr std::size_t findings_max = 1'000;
  using ledger_reader = std::function<status(const std::function<void(const provider_ledger::entry&)>&)>;

  // All outlive it.
  // `patience`: for each answer.
  reconciliation(message_sink& entities, entity_directory& all, const clock& time, ledger_reader ledger,
                 const std::atomic<bool>& stopping, duration_ms patience = duration_ms{30'000})
      : entities_(entities),
        walk_(entities, all, time, stopping),
        ledger_(std::move(ledger)),
        stopping_(stopping),
        patience_(patience) {}

  enum class mode { report, mend };
  // Blocks the caller (no thread that serves shoppers). Faults: what kept it from reading either ledger.
  result<reconciliation_report> run(mode how);
  struct caution {
    std::uint64_t since = 0;        // what was charged by an earlier entry for no order stays
    std::size_t strangers_max = 0;  // where there are more, none of them is given back
  };
  // The same for these orders alone, or what the provider takes for orders, and mends what can be.
  result<reconciliation_report> mend(const std::set<std::string>& orders, caution with);

 private:
  // What the provider has of one key.
  struct account {
    std::uint64_t charged_by = 0;  // the entry of its capture, else of its authorisation
    bool authorised = false, voided = false;
    money captured;
    std::string decline_code, last4;
    money amount;                          // authorised
    std::map<std::string, money> refunds;  // by refund key
    std::int64_t refunded() const;
    bool holds_something() const;
  };
  // How it ended, to mend something.
  struct deed {
    bool mended = false, again = false;
  };
  void enter(const provider_ledger::entry& entry);
  status judge_known(const std::string& id, const answer& got);
  status judge_stranger(const std::string& key, const account& at);
  void give_back(const std::string& key, const account& at);
  void leave_strangers(const std::vector<std::string>& keys);
  result<answer> ask_order(const std::string& id);
  void judge_captured(const std::string& id, const order::order_view& here, const account& there);
  void judge_uncaptured(const std::string& id, const order::order_view& here, const account& there);
  void judge_refunds(const std::string& id, const order::order_view& here, const account& there);
  status judge_suspects();
  void found(const std::string& id, const char* what, std::string detail, deed done);
  deed tell(const std::string& id, payment::news what);
  deed ask_provider(const std::string& id, const payment::command& what);
  deed carry_out(envelope what);

  message_sink& entities_;
  entity_walk walk_;
  ledger_reader ledger_;
  const std::atomic<bool>& stopping_;
  const duration_ms patience_;
  mode how_ = mode::report;
  std::map<std::string, account> accounts_;
  std::map<std::string, order::order_view> suspects_;  // money here that the ledger did not show
  reconciliation_report report_;
};

}  // namespace omnicart::http
