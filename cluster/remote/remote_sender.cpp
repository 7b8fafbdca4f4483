#include "cluster/remote/remote_sender.hpp"

#include <algorithm>
#include <memory>


namespace omnicart::cluster {
namespace {

answer failure(base_errc why, const char* detail) {
  answer got;
  got.failure = make_error(why, detail);
  return got;
}

// Clients may reach a leader that this node cannot.
answer nobody_took_it(std::optional<node_id> leader, node_id self) {
  answer got = failure(base_errc::unavailable, "no node that leads this shard can be reached");
  if (leader && *leader != self) got.failure->data = not_the_leader(leader).data;
  return got;
}

std::size_t bytes_of(const envelope& message) {
  return message.command.size() + message.to.kind.size() + message.to.id.size() + 256;
}

// The copy before is still under way: asking again at once would only be told so again.
constexpr duration_ms in_progress_pause{250};

// Whoever answers so has not looked at the command.
bool did_nothing(const error& why) {
  return why.is(base_errc::unavailable) || why.is(base_errc::shutting_down);
}

// What may have been executed, as far as whoever answers so can tell.
bool is_doubt(const error& why) {
  return why.is(base_errc::unknown_outcome) || why.is(base_errc::timeout);
}

envelope copy_of(const envelope& message) {
  envelope copy = message;
  copy.reply = nullptr;
  return copy;
}

}  // namespace

// Either of: a frame to a peer, a command to our own entity, an answer to the caller.
struct remote_sender::deed {
  std::uint64_t number = 0;
  node_id to = 0;
  std::string frame;
  std::optional<envelope> local;
  reply_fn reply;
  answer got;
};

remote_sender::remote_sender(parts with, std::uint64_t first_request, remote_sender_limits limits,
                             std::span<const envelope_format> formats)
    : with_(with), limits_(limits), formats_(formats), next_request_(std::max<std::uint64_t>(first_request, 1)) {}

void remote_sender::attach() {
  formats_.attach(with_.net);
  with_.net.receive(channel::answer,
                    [this](node_id from, const std::string& bytes) { on_answer(from, bytes); });
  with_.net.watch([this](const peer_change& change) { on_change(change); });
}

// --- a request comes, and finds its way
// -----------------------------------------------------------

void remote_sender::send(envelope message) {
  const std::size_t bytes = bytes_of(message);
  const duration_ms now = with_.time.monotonic();
  duration_ms patience = limits_.answer_within;
  if (message.deadline != timestamp_ms::max()) {
    patience = std::clamp(message.deadline - with_.time.wall(), duration_ms{0}, patience);
  }
  deeds later;
  {
    std::lock_guard lock(guard_);
    request fresh;
    fresh.shard = group_of(message.to, with_.shard_count);
    fresh.give_up = now + message.wait + patience;
    fresh.find_by = now + std::min(limits_.leader_within, patience);
    fresh.due = fresh.give_up;
    fresh.charged = with_.place.leader(fresh.shard).value_or(0);
    fresh.message = std::move(message);
    const auto refuse = [&](base_errc why, const char* detail) {
      later.push_back({.reply = std::move(fresh.message.reply), .got = failure(why, detail)});
    };
    if (stopped_) {
      refuse(base_errc::shutting_down, "the node is stopping");
    } else if (bytes > limits_.command_bytes_max) {
      refuse(base_errc::malformed, "the command is too long for another node");
    } else if (!has_room(loads_[fresh.charged], bytes)) {
      ++counts_.overloaded;
      refuse(base_errc::overloaded, "too many commands for that node are under way");
    } else {
      const std::uint64_t number = next_request_++;
      load& at = loads_[fresh.charged];
      ++at.requests;
      at.bytes += bytes;
      ++counts_.requests;
      request& kept = requests_.emplace(number, std::move(fresh)).first->second;
      agenda_.emplace(kept.due, number);
      place_request(number, kept, later);
    }
  }
  carry_out(later);
}

bool remote_sender::has_room(const load& at, std::size_t bytes) const {
  return at.requests < limits_.requests_per_peer_max &&
         at.bytes + bytes <= limits_.bytes_per_peer_max;
}

// Before a copy leaves.
void remote_sender::note_doubt(request& what) const {
  const duration_ms now = with_.time.monotonic();
  if (!what.first_left) what.first_left = now;
  if (!what.doubtful) return;
  what.message.doubt = now - *what.first_left;
  what.message.doubt_as_of = now;
}

void remote_sender::place_request(std::uint64_t number, request& what, deeds& later) {
  if (with_.place.leads(what.shard)) {
    become(number, what, stage::here);
    what.target = with_.net.self();
    note_doubt(what);
    be_due(number, what, what.give_up);
    deed give{.number = number};
    give.local = copy_of(what.message);
    give.local->reply = [this, number](answer got) {
      take_answer(with_.net.self(), number, std::move(got));
    };
    return later.push_back(std::move(give));
  }
  const auto leader =
      what.hint ? std::exchange(what.hint, std::nullopt) : with_.place.leader(what.shard);
  if (!leader || *leader == with_.net.self() || !with_.net.is_up(*leader))
    return wait(number, what);
  charge(what, *leader);
  become(number, what, stage::out);
  what.target = *leader;
  note_doubt(what);
  const duration_ms now = with_.time.monotonic();
  // A patient caller's answer is late by its own wish.
  be_due(number, what,
         may_repeat(what) ? now + what.message.wait + limits_.repeat_after : what.give_up);
  later.push_back({.number = number,
                   .to = *leader,
                   .frame = formats_.of(*leader).encode_command(number, what.message, with_.time.wall())});
}

void remote_sender::wait(std::uint64_t number, request& what) {
  become(number, what, stage::waiting);
  const auto step =
      limits_.retry_first * (std::int64_t{1} << std::min<std::uint32_t>(what.tries++, 10));
  be_due(number, what, with_.time.monotonic() + std::min(step, limits_.retry_most));
}

bool remote_sender::waits_for(const request& what, node_id peer) const {
  return what.at == stage::waiting &&
         (what.hint ? *what.hint == peer : with_.place.leader(what.shard) == peer);
}

void remote_sender::become(std::uint64_t number, request& what, stage now) {
  if (now == stage::waiting) {
    waiting_.emplace(what.shard, number);
  } else if (what.at == stage::waiting) {
    waiting_.erase({what.shard, number});
  }
  what.at = now;
}

void remote_sender::be_due(std::uint64_t number, request& what, duration_ms at) {
  agenda_.erase({what.due, number});
  what.due = std::min(at, what.give_up);
  agenda_.emplace(what.due, number);
}

void remote_sender::charge(request& what, node_id to) {
  if (what.charged == to) return;
  const std::size_t bytes = bytes_of(what.message);
  load& before = loads_[what.charged];
  --before.requests;
  before.bytes -= bytes;
  load& after = loads_[to];
  ++after.requests;
  after.bytes += bytes;
  what.charged = to;
}

void remote_sender::carry_out(deeds& all) {
  for (deed& each : all) {
    if (each.local) {
      with_.entrance.send(std::move(*each.local));
    } else if (each.to != 0) {
      if (!with_.net.send(each.to, channel::command, std::move(each.frame))) not_sent(each.number);
    } else if (each.reply) {
      each.reply(std::move(each.got));
    }
  }
}

// The window is full or the peer has just gone: this copy was not executed.
void remote_sender::not_sent(std::uint64_t number) {
  deeds later;
  {
    std::lock_guard lock(guard_);
    const auto found = requests_.find(number);
    if (found == requests_.end() || found->second.at != stage::out) return;
    request& what = found->second;
    const bool crowded = with_.net.is_up(what.target);
    // Who can be told to come back later is; the engine's own commands and doubtful ones go on.
    if (crowded && !what.doubtful && what.message.asker.as != role::system) {
      ++counts_.overloaded;
      finish(number, failure(base_errc::overloaded, "too much waits for that node"), later);
    } else {
      wait(number, what);
    }
  }
  carry_out(later);
}

// --- answers
// --------------------------------------------------------------------------------------

void remote_sender::on_answer(node_id from, std::string_view bytes) {
  auto read = formats_.of(from).decode_answer(bytes);
  if (read) return take_answer(from, read->request, std::move(read->got));
  std::lock_guard lock(guard_);
  ++counts_.stray;
}

void remote_sender::take_answer(node_id from, std::uint64_t number, answer got) {
  deeds later;
  {
    std::lock_guard lock(guard_);
    const auto found = requests_.find(number);
    // Only who was asked may answer.
    if (found == requests_.end() || found->second.target != from) {
      ++counts_.stray;
      return;
    }
    judge(number, found->second, std::move(got), later);
  }
  carry_out(later);
}

void remote_sender::judge(std::uint64_t number, request& what, answer got, deeds& later) {
  if (!got.failure) return finish(number, std::move(got), later);
  const error& why = *got.failure;
  if (did_nothing(why)) {
    ++counts_.redirected;
    const auto named = leader_named_by(why);
    const bool elsewhere = named && *named != what.target && *named != with_.net.self();
    if (elsewhere && what.tries == 0) {
      what.hint = named;
      ++what.tries;  // once at once; two nodes that name each other are asked with growing pauses
      return place_request(number, what, later);
    }
    if (elsewhere) what.hint = named;
    return wait(number, what);
  }
  if (is_doubt(why) && may_repeat(what)) {
    what.doubtful = true;
    return wait(number, what);
  }
  if (what.doubtful && why.is(base_errc::in_progress)) {
    become(number, what, stage::waiting);
    return be_due(number, what, with_.time.monotonic() + in_progress_pause);
  }
  // Of one copy this is true, of the other nothing is known.
  if (what.doubtful && is_fault(why.number)) return wait(number, what);
  if (what.doubtful && why.is(base_errc::expired)) return give_up(number, what, later);
  finish(number, std::move(got), later);
}

void remote_sender::finish(std::uint64_t number, answer got, deeds& later) {
  const auto found = requests_.find(number);
  request& what = found->second;
  if (got.failure && got.failure->is(base_errc::unknown_outcome)) ++counts_.unknown;
  later.push_back({.reply = std::move(what.message.reply), .got = std::move(got)});
  load& at = loads_[what.charged];
  --at.requests;
  at.bytes -= bytes_of(what.message);
  agenda_.erase({what.due, number});
  waiting_.erase({what.shard, number});
  requests_.erase(found);
}

// --- time, and peers that go
// ----------------------------------------------------------------------

void remote_sender::tick() {
  deeds later;
  {
    std::lock_guard lock(guard_);
    const duration_ms now = with_.time.monotonic();
    // Each is looked at once: what waits again is due later than now.
    while (!agenda_.empty() && agenda_.begin()->first <= now) {
      const std::uint64_t number = agenda_.begin()->second;
      look_at(number, requests_.at(number), later);
    }
  }
  carry_out(later);
}

void remote_sender::leader_changed(std::uint16_t shard) {
  deeds later;
  {
    std::lock_guard lock(guard_);
    std::vector<std::uint64_t> held;
    for (auto at = waiting_.lower_bound({shard, 0}); at != waiting_.end() && at->first == shard;
         ++at) {
      held.push_back(at->second);
    }
    for (const std::uint64_t number : held) {
      request& what = requests_.at(number);
      what.tries = 0;  // it may not be ready yet: then soon again
      what.hint.reset();
      look_at(number, what, later);
    }
  }
  carry_out(later);
}

void remote_sender::look_at(std::uint64_t number, request& what, deeds& later) {
  const duration_ms now = with_.time.monotonic();
  const bool nobody_took_it = what.at == stage::waiting && !what.doubtful && now >= what.find_by;
  if (now >= what.give_up || nobody_took_it) return give_up(number, what, later);
  if (what.at == stage::out) {
    what.doubtful = true;
    ++counts_.repeated;
  }
  place_request(number, what, later);
}

void remote_sender::give_up(std::uint64_t number, request& what, deeds& later) {
  const bool maybe_done = what.doubtful || what.at != stage::waiting;
  finish(number,
         maybe_done
             ? failure(base_errc::unknown_outcome, "the node that leads gave no answer in time")
             : nobody_took_it(with_.place.leader(what.shard), with_.net.self()),
         later);
}

void remote_sender::on_change(const peer_change& change) {
  deeds later;
  {
    std::lock_guard lock(guard_);
    std::vector<std::uint64_t> affected;
    for (const auto& [number, what] : requests_) {
      const bool concerned = change.up ? waits_for(what, change.peer)
                                       : what.at == stage::out && what.target == change.peer;
      if (concerned) affected.push_back(number);
    }
    for (const std::uint64_t number : affected) {
      request& what = requests_.at(number);
      if (change.up) {
        look_at(number, what, later);
      } else if (may_repeat(what)) {
        what.doubtful = true;
        ++counts_.repeated;
        wait(number, what);
      } else {
        give_up(number, what, later);
      }
    }
  }
  carry_out(later);
}

void remote_sender::stop() {
  deeds later;
  {
    std::lock_guard lock(guard_);
    stopped_ = true;
    while (!requests_.empty()) {
      const auto& [number, what] = *requests_.begin();
      const bool maybe_done = what.doubtful || what.at != stage::waiting;
      finish(number,
             maybe_done ? failure(base_errc::unknown_outcome, "the node is stopping")
                        : failure(base_errc::shutting_down, "the node is stopping"),
             later);
    }
  }
  carry_out(later);
}

remote_sender_counts remote_sender::counts() const {
  std::lock_guard lock(guard_);
  remote_sender_counts now = counts_;
  now.waiting = requests_.size();
  return now;
}

}  // namespace omnicart::cluster
