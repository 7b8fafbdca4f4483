#include "runtime/crash_point.hpp"

#ifdef OMNICART_CRASH_POINTS

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "runtime/base/assert.hpp"

namespace omnicart {
namespace {

constexpr std::string_view names[] = {
    "before_append",           // a command was decided, nothing handed to the journal
    "after_append",            // handed over, not written
    "before_sync",             // the batch is built, nothing of it written
    "after_sync",              // written and synced, nobody told
    "before_done",             // before the first answer of a batch
    "after_done",              // after the last
    "before_apply",            // before a command is decided and applied
    "after_apply",             // applied in memory, not handed over
    "before_reply",            // the answer is about to leave the entity's gate
    "after_reply",             // it has left
    "before_snapshot",         // a snapshot is due, not encoded
    "after_snapshot",          // encoded, not handed over
    "before_hold",             // a session or an order wants units of a stock, nothing is held
    "after_hold",              // they are held in memory, nothing is written
    "before_effect",           // an effect is about to be sent
    "after_effect",            // it was sent
    "before_settle",           // the answer to an effect arrived, not acted on
    "after_settle",            // its event was handed over
    "before_load",             // an entity is activated
    "after_load",              // its state is there, nothing handled
    "before_passivate",        // an idle entity is about to leave memory
    "before_wake",             // a durable timer is due
    "before_provider_call",    // the charge was not sent
    "after_provider_call",     // sent, no answer yet
    "before_provider_answer",  // its first bytes came, nobody has read them
    "after_provider_answer",   // read, the order does not know
    "before_http_answer",      // the entity answered, the client was not told
    "after_http_request",      // a request was read, nothing was done
};

struct target {
  std::string name;
  long pass = 1;
};

target from_environment() {
  const char* text = std::getenv("OMNICART_CRASH_AT");
  if (!text || !*text) return {};
  target at{.name = text};
  if (const auto colon = at.name.find(':'); colon != std::string::npos) {
    at.pass = std::strtol(at.name.c_str() + colon + 1, nullptr, 10);
    at.name.resize(colon);
  }
  ensure(std::find(std::begin(names), std::end(names), at.name) != std::end(names),
         "OMNICART_CRASH_AT names no crash point");
  return at;
}

}  // namespace

void crash_point(const char* name) {
  static const target at = from_environment();
  static std::atomic<long> passed{0};
  if (at.name.empty() || at.name != name) return;
  if (passed.fetch_add(1) + 1 != at.pass) return;
  // Straight to the descriptor: nothing that is buffered would outlive this.
  const std::string said = "crash point " + at.name + '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, said.data(), said.size());
  ::kill(::getpid(), SIGKILL);
}

}  // namespace omnicart

#endif
