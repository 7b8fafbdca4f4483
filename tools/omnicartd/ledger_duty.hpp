#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/ledger_watch.hpp"
#include "http/provider_ledger.hpp"
#include "runtime/ticker.hpp"

namespace omnicart::node {

// Looks into the provider's ledger every `interval` on a thread of its own (http/ledger_watch.hpp), where this node is on
// duty. How far it is stands in DATA/ledger.mark.
class ledger_duty {
 public:
  struct parts {
    message_sink& entities;
    entity_directory& all;
    const clock& time;
    std::string provider_url;
    std::string provider_name;       // the same as long as the ledger is: the URL may change where the node runs it itself
    std::string data;                // the node's directory
    duration_ms interval;
    std::function<bool()> on_duty;   // any thread
  };
  // All outlive it. The first start ever asks the provider where its ledger ends, and waits for that, some seconds at most:
  // what is entered from then on is this shop's. Refusal: malformed, for the provider's URL.
  static result<std::unique_ptr<ledger_duty>> start(parts with);
  // Ends a look under way.
  ~ledger_duty();

  http::ledger_watch::figures figures() const { return watch_.now(); }

 private:
  ledger_duty(parts with, http::provider_ledger ledger);
  void tick();

  const parts with_;
  http::provider_ledger ledger_;
  http::ledger_watch watch_;
  duration_ms next_{0};
  bool failing_ = false;
  std::unique_ptr<ticker> ticks_;
};

}  // namespace omnicart::node
