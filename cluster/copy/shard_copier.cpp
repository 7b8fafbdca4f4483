#include "cluster/copy/shard_copier.hpp"

#include <pthread.h>

#include <algorithm>
#include <string>

#include "runtime/base/assert.hpp"
#include "runtime/log.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::chrono::milliseconds look_every{100};  // for copies that do not move

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};

}  // namespace

shard_copier::shard_copier(persistence::store& data, chunk_channel& channel, const clock& time,
                           copier_options options)
    : store_(data),
      channel_(channel),
      time_(time),
      options_(options),
      // Frames that belong to a copy of an earlier life must not be taken for one of this.
      next_copy_(static_cast<std::uint64_t>(time.wall().time_since_epoch().count()) << 20) {}

shard_copier::~shard_copier() { stop(); }

void shard_copier::start() {
  ensure(!thread_.joinable(), "a copier is started once");
  thread_ = std::thread([this] { run(); });
}

void shard_copier::stop() {
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
  }
  bell_.notify_one();
  if (thread_.joinable()) thread_.join();
  outgoing_.clear();  // they hold on to the store, which may be closed now
}

void shard_copier::run() {
  ::pthread_setname_np(::pthread_self(), "shard copies");
  for (;;) {
    while (work()) {
    }
    std::unique_lock lock(guard_);
    const auto called = [this] { return stopping_ || std::exchange(rung_, false); };
    if (incoming_.empty() && outgoing_.empty()) {
      bell_.wait(lock, called);
    } else {
      bell_.wait_for(lock, look_every, called);
    }
    if (stopping_) return;
  }
}

void shard_copier::wake() {
  rung_ = true;
  bell_.notify_one();
}

bool shard_copier::work() {
  {
    const std::lock_guard lock(guard_);
    if (stopping_) return false;
  }
  bool more = take_losses();
  more = take_orders() || more;
  more = take_frames() || more;
  more = push() || more;
  expire();
  return more;
}

// --- what others say
// ------------------------------------------------------------------------------

void shard_copier::fetch(node_id from, copy_request wanted, done_fn done) {
  const std::lock_guard lock(guard_);
  orders_.push_back({.from = from, .wanted = wanted, .done = std::move(done)});
  wake();
}

void shard_copier::received(node_id from, std::string bytes) {
  const std::lock_guard lock(guard_);
  frames_.emplace_back(from, std::move(bytes));
  wake();
}

void shard_copier::room(node_id) {
  const std::lock_guard lock(guard_);
  wake();
}

void shard_copier::peer_down(node_id peer) {
  const std::lock_guard lock(guard_);
  lost_.push_back(peer);
  wake();
}

copier_stats shard_copier::stats() const {
  const std::lock_guard lock(guard_);
  auto now = stats_;
  now.strangers = strangers_.count();
  now.malformed = malformed_.count();
  return now;
}

void shard_copier::count(const std::function<void(copier_stats&)>& change) {
  const std::lock_guard lock(guard_);
  change(stats_);
}

// What waits in the channel for a peer that went down is gone.
bool shard_copier::take_losses() {
  std::vector<node_id> lost;
  {
    const std::lock_guard lock(guard_);
    lost.swap(lost_);
  }
  for (const auto peer : lost) {
    std::erase_if(outgoing_, [&](const auto& copy) { return copy.first.first == peer; });
    std::vector<std::uint16_t> ended;
    for (const auto& [shard, copy] : incoming_) {
      if (copy.into.from() == peer) ended.push_back(shard);
    }
    for (const auto shard : ended) {
      fail_copy(shard, make_error(base_errc::unavailable, "the node went down"));
    }
  }
  return !lost.empty();
}

bool shard_copier::take_orders() {
  std::deque<order> orders;
  {
    const std::lock_guard lock(guard_);
    orders.swap(orders_);
  }
  for (auto& asked : orders) begin(std::move(asked));
  return !orders.empty();
}

void shard_copier::begin(order asked) {
  const auto shard = asked.wanted.shard;
  if (const auto earlier = incoming_.find(shard); earlier != incoming_.end()) {
    channel_.send(earlier->second.into.from(),
                  encode_copy_frame(copy_stop{earlier->second.into.wanted().copy}));
    incoming_.erase(earlier);
  }
  asked.wanted.copy = ++next_copy_;
  const auto [copy, is_new] =
      incoming_.emplace(shard, incoming{.into = {store_, asked.wanted, asked.from},
                                        .done = std::move(asked.done),
                                        .moved_at = time_.monotonic()});
  if (auto wiped = copy->second.into.wipe(); !wiped) return fail_copy(shard, wiped.error());
  if (!channel_.send(asked.from, encode_copy_frame(asked.wanted)))
    fail_copy(shard, make_error(base_errc::unavailable, "the node is not reached"));
}

bool shard_copier::take_frames() {
  std::deque<std::pair<node_id, std::string>> frames;
  {
    const std::lock_guard lock(guard_);
    frames.swap(frames_);
  }
  for (auto& [from, bytes] : frames) {
    if (const auto frame = decode_copy_frame(bytes)) {
      take(from, *frame);
    } else {
      malformed_.note(from, frame.error().detail);
    }
    channel_.consumed(from, bytes.size());
  }
  return !frames.empty();
}

void shard_copier::take(node_id from, const copy_frame& frame) {
  std::visit(overloaded{[&](const copy_request& wanted) { answer(from, wanted); },
                        [&](const copy_stop& stop) {
                          outgoing_.erase({from, stop.copy});
                        },
                        [&](const copy_chunk& chunk) {
                          if (auto* copy = expected(from, chunk.copy)) take_chunk(*copy, chunk);
                        },
                        [&](const copy_end& end) {
                          if (auto* copy = expected(from, end.copy)) take_end(*copy, end);
                        },
                        [&](const copy_refused& refused) {
                          if (auto* copy = expected(from, refused.copy)) {
                            fail_copy(copy->into.wanted().shard,
                                      make_error(base_errc::unavailable, refused.why));
                          }
                        }},
             frame);
}

// --- from others
// ----------------------------------------------------------------------------------

shard_copier::incoming* shard_copier::expected(node_id from, std::uint64_t copy) {
  const auto found = std::find_if(incoming_.begin(), incoming_.end(), [&](const auto& one) {
    return one.second.into.from() == from && one.second.into.wanted().copy == copy;
  });
  return found == incoming_.end() ? nullptr : &found->second;
}

void shard_copier::take_chunk(incoming& copy, const copy_chunk& chunk) {
  copy.moved_at = time_.monotonic();
  if (auto added = copy.into.add(chunk); !added)
    return fail_copy(copy.into.wanted().shard, added.error());
  count([&](copier_stats& s) { s.received_bytes += chunk.bytes.size(); });
}

void shard_copier::take_end(incoming& copy, const copy_end& end) {
  auto content = copy.into.finish(end);
  if (!content) return fail_copy(copy.into.wanted().shard, content.error());
  const auto done = std::move(copy.done);
  incoming_.erase(copy.into.wanted().shard);
  count([](copier_stats& s) { ++s.received; });
  done(std::move(*content));
}

void shard_copier::fail_copy(std::uint16_t shard, error why) {
  const auto copy = incoming_.find(shard);
  channel_.send(copy->second.into.from(),
                encode_copy_frame(copy_stop{copy->second.into.wanted().copy}));
  const auto done = std::move(copy->second.done);
  incoming_.erase(copy);
  count([](copier_stats& s) { ++s.failed; });
  done(fail(std::move(why)));
}

// --- for others
// -----------------------------------------------------------------------------------

void shard_copier::answer(node_id asker, const copy_request& wanted) {
  const auto refuse = [&](std::string why) {
    channel_.send(asker, encode_copy_frame(copy_refused{wanted.copy, std::move(why)}));
  };
  if (options_.may_have && !options_.may_have(asker)) {
    strangers_.note(asker, "it wants shard " + std::to_string(wanted.shard));
    return refuse("the cluster's record, as this node has it, does not name the asker");
  }
  if (wanted.shard >= store_.group_count()) return refuse("there is no such shard");
  if (outgoing_.size() >= options_.sources_max) return refuse("too many copies at once");
  auto source = copy_source::open(store_, wanted);
  if (!source) return refuse(source.error().detail);
  outgoing_[{asker, wanted.copy}] =
      outgoing{.from = std::move(*source), .moved_at = time_.monotonic()};
}

// One chunk of each, as far as there is room; true when another could follow at once.
bool shard_copier::push() {
  bool more = false;
  for (auto copy = outgoing_.begin(); copy != outgoing_.end();) {
    const bool moved = push(copy->first, copy->second);
    const bool over = copy->second.ended && copy->second.waiting.empty();
    copy = over ? outgoing_.erase(copy) : std::next(copy);
    more = more || (moved && !over);
  }
  return more;
}

bool shard_copier::push(const outgoing_key& key, outgoing& copy) {
  if (copy.waiting.empty()) {
    auto bytes = copy.from->next(options_.chunk_bytes);
    if (!bytes) {
      log::error("a shard cannot be read for another node", {{"why", bytes.error().detail}});
      copy.waiting = encode_copy_frame(copy_refused{key.second, "it cannot be read"});
      copy.ended = true;
    } else if (bytes->empty()) {
      copy.waiting = encode_copy_frame(copy_end{key.second, copy.chunks, copy.from->content()});
      copy.ended = true;
      count([](copier_stats& s) { ++s.sent; });
    } else {
      copy.waiting = encode_copy_frame(copy_chunk{key.second, ++copy.chunks, std::move(*bytes)});
    }
  }
  const auto bytes = copy.waiting.size();
  if (!channel_.send(key.first, copy.waiting)) return false;
  copy.waiting.clear();
  copy.moved_at = time_.monotonic();
  count([&](copier_stats& s) { s.sent_bytes += bytes; });
  return true;
}

void shard_copier::expire() {
  const auto oldest = time_.monotonic() - options_.idle_max;
  std::erase_if(outgoing_, [&](const auto& copy) { return copy.second.moved_at < oldest; });
  std::vector<std::uint16_t> ended;
  for (const auto& [shard, copy] : incoming_) {
    if (copy.moved_at < oldest) ended.push_back(shard);
  }
  for (const auto shard : ended) {
    fail_copy(shard, make_error(base_errc::unavailable, "the copy does not go on"));
  }
}

}  // namespace omnicart::cluster
