#include "tests/sim/sim_network.hpp"

#include <algorithm>

namespace omnicart::sim {
namespace {

using cluster::channel;

constexpr std::size_t chunk_window_bytes = 8 * 1024;
constexpr std::int64_t dead_after_ms = 1'500;  // link_options::dead_after
constexpr std::int64_t redial_ms_max = 300;
constexpr std::int64_t told_ms_max = 3;  // how long it takes to hear that the other end has closed

}  // namespace

sim_network::~sim_network() = default;

sim_network::port& sim_network::join(node_id node) {
  auto& end = ports_[node];
  if (!end) end = std::make_unique<port>(*this, node);
  return *end;
}

void sim_network::port::forget() {
  ++boot_;
  handlers_ = {};
  watchers_.clear();
  room_ = nullptr;
}

void sim_network::port::tell(node_id peer, bool up) {
  const cluster::peer_change change{
      .peer = peer, .up = up, .boot = net_.ports_.at(peer)->boot_, .version = 1};
  net_.time_.reach(timeline::owner_of(self_), [this, change] {
    for (const auto& each : watchers_) each(change);
  });
}

duration_ms sim_network::draw_delay() {
  if (time_.chance(weather_.late)) {
    taken_.add(harm::message_late);
    return duration_ms{time_.between(1, weather_.late_max.count())};
  }
  return duration_ms{time_.between(0, weather_.delay_max.count())};
}

// Either direction: the link wants its heartbeats echoed.
bool sim_network::silent(node_id a, node_id b) const {
  const auto mute = [this](node_id node) {
    return !alive_.contains(node) || time_.stands_still(timeline::owner_of(node));
  };
  return cuts_.contains({a, b}) || cuts_.contains({b, a}) || mute(a) || mute(b);
}

// --- connections
// ------------------------------------------------------------------------------------

void sim_network::boot(node_id node) {
  ports_.at(node)->forget();
  alive_.insert(node);
  dial_all(node);
}

void sim_network::end(node_id node, ending how) {
  alive_.erase(node);
  ports_.at(node)->forget();
  for (const auto& [other, end] : ports_) {
    if (other == node) continue;
    at(other, node).up = false;
    if (!at(node, other).up) continue;
    if (how == ending::process) {
      lose(node, other, duration_ms{time_.between(1, told_ms_max)});
    } else {
      await_silence(node, other);
    }
  }
}

void sim_network::stands_still(node_id node) {
  for (const auto& [other, end] : ports_) {
    if (other != node) await_silence(node, other);
  }
}

bool sim_network::cut(node_id from, node_id to) {
  if (from == to || !cuts_.insert({from, to}).second) return false;
  await_silence(from, to);
  return true;
}

void sim_network::heal() {
  cuts_.clear();
  for (const auto& [node, end] : ports_) dial_all(node);
}

bool sim_network::break_line(node_id one, node_id other) {
  if (one == other) return false;
  lose(one, other, duration_ms{time_.between(0, told_ms_max)});
  lose(other, one, duration_ms{time_.between(0, told_ms_max)});
  return at(one, other).up || at(other, one).up;
}

// Each end gives up by its own clock.
void sim_network::await_silence(node_id a, node_id b) {
  for (const auto& [from, to] : {pair{a, b}, pair{b, a}}) {
    const duration_ms patience{dead_after_ms + time_.between(0, 250)};
    time_.after(patience, timeline::owner::world,
                [this, from = from, to = to, line = lines_[ordered(a, b)]] {
                  if (silent(from, to)) drop(from, to, line);
                });
  }
}

void sim_network::lose(node_id from, node_id to, duration_ms after) {
  time_.after(after, timeline::owner::world,
              [this, from, to, line = lines_[ordered(from, to)]] { drop(from, to, line); });
}

// The receiver's end closes; the sender's hears of it if it can.
void sim_network::drop(node_id from, node_id to, std::uint64_t line) {
  auto& way = at(from, to);
  if (line != lines_[ordered(from, to)] || !way.up) return;
  way.up = false;
  at(to, from).chunk_bytes = 0;
  at(to, from).refused_chunk = false;
  if (alive_.contains(to)) ports_.at(to)->tell(from, false);
  if (at(to, from).up && !silent(from, to))
    lose(to, from, duration_ms{time_.between(1, told_ms_max)});
  if (!at(to, from).up) dial(from, to);
}

void sim_network::dial_all(node_id node) {
  for (const auto& [other, end] : ports_) {
    if (other != node) dial(node, other);
  }
}

void sim_network::dial(node_id a, node_id b) {
  time_.after(duration_ms{time_.between(5, redial_ms_max)}, timeline::owner::world,
              [this, a, b] { connect(a, b); });
}

// An end that still thinks of the connection before learns of the new one.
void sim_network::connect(node_id a, node_id b) {
  if (silent(a, b) || (at(a, b).up && at(b, a).up)) return;
  const auto before = lines_[ordered(a, b)];
  drop(a, b, before);
  drop(b, a, before);
  ++lines_[ordered(a, b)];
  for (const auto& [from, to] : {pair{a, b}, pair{b, a}}) {
    auto& fresh = at(from, to);
    fresh = {};
    fresh.up = true;
  }
  ports_.at(a)->tell(b, true);
  ports_.at(b)->tell(a, true);
}

// --- messages
// ---------------------------------------------------------------------------------------

bool sim_network::send(node_id from, node_id to, channel on, std::string bytes) {
  if (!alive_.contains(from) || !ports_.contains(to) || !at(to, from).up) return false;
  auto& way = at(from, to);
  if (on == channel::snapshot) {
    if (way.chunk_bytes > 0 && way.chunk_bytes + bytes.size() > chunk_window_bytes) {
      way.refused_chunk = true;
      return false;
    }
    way.chunk_bytes += bytes.size();
  } else if (time_.chance(weather_.crowded)) {
    taken_.add(harm::message_refused);
    return false;
  }
  flight what{lines_[ordered(from, to)], std::move(bytes)};
  if (on == channel::raft) {
    send_raft(from, to, what);
    return true;
  }
  // A loss that nobody hears of: the transport allows it.
  if (on != channel::snapshot && time_.chance(weather_.lost)) {
    taken_.add(harm::message_lost);
    return true;
  }
  const auto number = static_cast<std::size_t>(on);
  const auto due = std::max(way.last_due[number], time_.monotonic() + draw_delay());
  way.last_due[number] = due;
  way.under_way[number].push_back(std::move(what));
  travel(from, to, on, due - time_.monotonic());
  return true;
}

// In order. What meets a cut is sent again, as TCP does, until it is through or the line is given
// up.
void sim_network::travel(node_id from, node_id to, channel on, duration_ms delay) {
  time_.after(delay, timeline::owner::world, [this, from, to, on] {
    auto& waiting = at(from, to).under_way[static_cast<std::size_t>(on)];
    if (waiting.empty()) return;  // they went with their connection
    if (cuts_.contains({from, to}) && stands(from, to, waiting.front().line)) {
      taken_.add(harm::message_cut);
      return travel(from, to, on, duration_ms{time_.between(50, 200)});
    }
    auto next = std::move(waiting.front());
    waiting.pop_front();
    arrive(from, to, on, std::move(next));
  });
}

bool sim_network::stands(node_id from, node_id to, std::uint64_t line) {
  return line == lines_[ordered(from, to)] && at(from, to).up && alive_.contains(to);
}

void sim_network::send_raft(node_id from, node_id to, const flight& what) {
  if (time_.chance(weather_.lost)) return taken_.add(harm::message_lost);
  const bool twice = time_.chance(weather_.doubled);
  if (twice) taken_.add(harm::message_doubled);
  for (int copies = twice ? 2 : 1; copies > 0; --copies) {
    time_.after(draw_delay(), timeline::owner::world,
                [this, from, to, what] { arrive(from, to, channel::raft, what); });
  }
}

// Whoever stands still reads it later, even if the connection is gone by then.
void sim_network::arrive(node_id from, node_id to, channel on, flight what) {
  if (!stands(from, to, what.line)) return;
  if (cuts_.contains({from, to})) return taken_.add(harm::message_cut);
  time_.reach(timeline::owner_of(to),
              [this, from, to, on, bytes = std::move(what.bytes)]() mutable {
                const auto& handler = ports_.at(to)->handlers_[static_cast<std::size_t>(on)];
                if (handler) handler(from, std::move(bytes));
              });
}

void sim_network::consumed(node_id from, node_id to, std::size_t bytes) {
  time_.after(
      draw_delay(), timeline::owner::world,
      [this, from, to, bytes, line = lines_[ordered(from, to)]] {
        auto& way = at(from, to);
        if (line != lines_[ordered(from, to)] || cuts_.contains({to, from}) || !at(to, from).up)
          return;
        way.chunk_bytes -= std::min(way.chunk_bytes, bytes);
        const bool roomy = way.chunk_bytes <= chunk_window_bytes / 2;
        if (!roomy || !std::exchange(way.refused_chunk, false)) return;
        time_.reach(timeline::owner_of(from), [this, from, to] {
          const auto& handler = ports_.at(from)->room_;
          if (handler) handler(to);
        });
      });
}

}  // namespace omnicart::sim
