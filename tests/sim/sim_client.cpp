#include "tests/sim/sim_client.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::sim {
namespace {

constexpr error_number first_module_error = 100;

bool is_fault_answer(const answer& got) { return got.failure && is_fault(got.failure->number); }

}  // namespace

sim_client::sim_client(timeline& time, wire& node, sim_checks& checks, caller who, std::string name,
                       client_habits habits)
    : time_(time),
      checks_(checks),
      who_(std::move(who)),
      habits_(habits),
      node_(node),
      name_(std::move(name)) {}

std::string sim_client::next_key() { return name_ + '-' + std::to_string(++keys_); }

void sim_client::after(duration_ms delay, std::function<void()> what) {
  time_.after(delay, timeline::owner::world, std::move(what));
}

sim_client::operation_ptr sim_client::ask(std::string label, entity_ref to, std::string command,
                                          keyed how, std::function<void(const answer&)> known) {
  auto what = std::make_shared<operation>();
  what->label = std::move(label);
  what->message.to = std::move(to);
  what->message.command = std::move(command);
  what->message.asker = who_;
  if (how == keyed::yes) {
    what->message.id = digest_128({"key", name_, next_key()});
    what->message.body = body_hash(what->message.command);
  }
  what->known = std::move(known);
  return what;
}

void sim_client::perform(const operation_ptr& what) {
  attempt(what);
  if (!what->message.id || !time_.chance(habits_.repeat_percent)) return;
  const bool much_later = time_.chance(50);
  after(duration_ms{much_later ? time_.between(500, habits_.repeat_most.count()) : 0},
        [this, what] { attempt(what); });
}

void sim_client::attempt(const operation_ptr& what) {
  ++what->attempts;
  const auto floor = checks_.seen(what->message.to);
  node_.reach(what->message, [this, what, floor](const answer& got) {
    if (got.ok() && got.version < floor) {
      checks_.violate("a caller sees what was acknowledged before",
                      what->message.to.str() + ' ' + what->label);
    }
    on_answer(what, got);
  });
}

void sim_client::on_answer(const operation_ptr& what, const answer& got) {
  if (what->decided) return compare(what, got);
  if (is_fault_answer(got)) {
    if (what->given_up && time_.chance(habits_.give_up_percent)) {
      what->decided = true;
      what->first = got;
      time_.note(name_ + " gives up " + what->label);
      return what->given_up();
    }
    return after(duration_ms{time_.between(50, 3'000)}, [this, what] {
      if (!what->decided) attempt(what);
    });
  }
  what->decided = true;
  what->first = got;
  time_.note(name_ + ' ' + what->label + ' ' + what->message.to.str() + " = " +
             (got.ok() ? "ok" : std::to_string(got.failure->number) + ' ' + got.failure->detail));
  if (what->known) what->known(got);
}

// A second answer to the same key says what the first did.
void sim_client::compare(const operation_ptr& what, const answer& got) {
  if (!what->message.id || is_fault_answer(got) || is_fault_answer(what->first)) return;
  const bool same = got.ok() == what->first.ok() &&
                    (got.ok() || got.failure->number == what->first.failure->number);
  const bool final = what->first.ok() || what->first.failure->number >= first_module_error;
  if (final && !same)
    checks_.violate("the same key has the same answer", name_ + ' ' + what->label);
  if (final && !what->first.replayed && !got.replayed) {
    checks_.violate("a command id never runs twice", name_ + ' ' + what->label);
  }
}

void sim_client::repeat(const operation_ptr& what, std::function<void()> then) {
  node_.reach(what->message, [this, what, then = std::move(then)](const answer& got) {
    if (is_fault_answer(got)) {
      return after(duration_ms{time_.between(50, 3'000)},
                   [this, what, then] { repeat(what, then); });
    }
    compare(what, got);
    then();
  });
}

}  // namespace omnicart::sim
