#include "tests/sim/sim_node.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "actors/cart/cart_kind.hpp"
#include "actors/coupon/coupon_kind.hpp"
#include "actors/email/email_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/product/product_kind.hpp"
#include "actors/session/session_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "actors/user/user_kind.hpp"
#include "persistence/reader_pool.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/router.hpp"
#include "runtime/timers.hpp"
#include "tests/sim/sim_links.hpp"

namespace omnicart::sim {
namespace {

constexpr duration_ms timer_tick{100};
constexpr duration_ms read_delay{2};

// When the journal is heard: now, or when its sync is over.
using told_fn = std::function<void(std::function<void()>)>;

// The journal, with a word to the timeline when it has something to write.
class prompted_journal final : public journal {
 public:
  prompted_journal(cluster::replicated_journal& real, const std::function<void()>& snapshot,
                   std::function<void()> appended, told_fn tell)
      : real_(real), snapshot_(snapshot), appended_(std::move(appended)), tell_(std::move(tell)) {}
  ticket append(journal_item item) override {
    if (item.state) snapshot_();
    if (item.done) {
      item.done = [this, done = std::move(item.done)](status how) {
        tell_([done, how = std::move(how)] { done(how); });
      };
    }
    const ticket number = real_.append(std::move(item));
    appended_();
    return number;
  }
  ticket durable(const entity_ref& entity) const override { return real_.durable(entity); }
  std::uint64_t term_of(const entity_ref& entity) const override { return real_.term_of(entity); }
  bool may_answer(const entity_ref& entity) const override { return real_.may_answer(entity); }
  recollection recall(const entity_ref& entity, command_id id) const override { return real_.recall(entity, id); }
  std::optional<error> refusing() const override { return real_.refusing(); }
  timestamp_ms log_time(const entity_ref& entity) override { return real_.log_time(entity); }

 private:
  cluster::replicated_journal& real_;
  const std::function<void()>& snapshot_;
  std::function<void()> appended_;
  told_fn tell_;
};

}  // namespace

const kind_registry& sim_node::kinds() {
  static const kind_registry all({kind_of<cart::kind>(), kind_of<coupon::kind>(),
                                  kind_of<email::kind>(), kind_of<gift_card::kind>(),
                                  kind_of<order::kind>(), kind_of<product::kind>(),
                                  kind_of<session::kind>(), kind_of<stock::kind>(),
                                  kind_of<user::kind>()});
  return all;
}

// In the order of construction: whatever a part refers to stands above it.
struct sim_node::running {
  running(timeline& t, const node_options& o, const hooks& c, const surroundings& around)
      : time(t),
        here(around.time ? *around.time : t),
        fast(around.fast),
        options(o),
        calls(c),
        net(around.net) {}
  ~running() { time.forget(owner()); }

  status open(const std::shared_ptr<fault_fs>& on);
  void build(message_sink& provider);
  timeline::owner owner() const { return timeline::owner_of(options.self); }
  void in_node(duration_ms delay, std::function<void()> what) {
    time.after(delay, owner(), std::move(what));
  }
  void led(std::uint16_t shard, std::uint64_t term);
  void flush_soon();
  void flush();
  void flush_at(duration_ms delay);
  void tell(std::function<void()> what);
  void end_sync();
  void await_timeout();
  void look_after();
  void tick_timers();
  void sweep();

  timeline& time;
  const clock& here;  // by which the node lives
  const std::int64_t fast;
  const node_options& options;
  const hooks& calls;
  cluster::transport* net;  // null: it is alone
  std::unique_ptr<persistence::store> data;
  std::unique_ptr<persistence::timer_index> timers;
  std::unique_ptr<sim_links> links;  // as net
  std::unique_ptr<cluster::replicated_journal> log;
  std::unique_ptr<persistence::reader_pool> readers;
  std::unique_ptr<prompted_journal> prompted;
  std::vector<std::unique_ptr<message_sink>> sinks;  // of every host there was
  std::unique_ptr<router> routes;
  std::unique_ptr<timer_service> wakes;
  bool flush_due = false;
  fault_fs* disk = nullptr;
  std::optional<std::uint64_t> syncs_before;  // during a round
  std::optional<duration_ms> sync_ends_at;    // the journal waits for its disk
  std::vector<std::function<void()>> behind_sync;
  std::optional<duration_ms> tick_at;
  std::optional<duration_ms> timeout_at;  // when the journal is looked at, at the latest
};

// What a host lives in: the router, with somebody looking at what leaves. A host that has gone may
// still have something to say, so what looks at it stays as long as the node.
class sim_node::watched_sink final : public message_sink {
 public:
  watched_sink(message_sink& real, entity_ref self, const hooks& calls)
      : real_(real), self_(std::move(self)), calls_(calls) {}
  void send(envelope message) override {
    calls_.effect(self_, message);
    real_.send(std::move(message));
  }

 private:
  message_sink& real_;
  const entity_ref self_;
  const hooks& calls_;
};

class sim_node::watched_environment final : public host_environment {
 public:
  watched_environment(host_environment& real, message_sink& sink)
      : host_environment(real.journal, real.store, sink, real.time), real_(real) {}

  void handled(const entity_host& host) override { real_.handled(host); }
  bool retire(const entity_host& host) override { return real_.retire(host); }
  void resident_changed(std::int64_t bytes) override { real_.resident_changed(bytes); }
  void unreadable(const entity_ref& entity, const error& why) override {
    real_.unreadable(entity, why);
  }

 private:
  host_environment& real_;
};

// One step per message, so that anything may happen between two.
class sim_node::queued_mailbox final : public mailbox,
                                       public std::enable_shared_from_this<queued_mailbox> {
 public:
  queued_mailbox(running& node, const entity_ref& self, const kind_entry& kind,
                 host_environment& env)
      : node_(node),
        watched_(env, *node.sinks.emplace_back(
                          std::make_unique<watched_sink>(env.out, self, node.calls))),
        host_(self, kind, watched_, *this) {}

  void post(host_message message) override {
    inbox_.push_back(std::move(message));
    if (!scheduled_) schedule();
  }
  void post_after(duration_ms delay, host_message message) override {
    auto held = std::make_shared<host_message>(std::move(message));
    node_.in_node(delay, [box = shared_from_this(), held] { box->post(std::move(*held)); });
  }

 private:
  void schedule() {
    scheduled_ = true;
    const duration_ms delay{node_.time.one_in(8) ? 1 : 0};
    node_.in_node(delay, [box = shared_from_this()] { box->run_one(); });
  }
  void run_one() {
    scheduled_ = false;
    if (inbox_.empty()) return;  // retired meanwhile
    auto message = std::move(inbox_.front());
    inbox_.pop_front();
    if (!inbox_.empty()) schedule();
    if (host_.receive(std::move(message))) inbox_.clear();
  }

  running& node_;
  std::deque<host_message> inbox_;
  bool scheduled_ = false;
  watched_environment watched_;
  entity_host host_;
};

status sim_node::running::open(const std::shared_ptr<fault_fs>& on) {
  persistence::store_options with;
  with.directory = "/data";
  with.shard_count = options.shard_count;
  with.memtable_bytes = std::size_t{4} << 20;
  with.block_cache_bytes = std::size_t{1} << 20;
  with.background = persistence::background_work::inline_only;
  with.file_system = on;
  disk = on.get();
  auto store = persistence::store::open(std::move(with), here);
  if (!store) return fail(store.error());
  data = std::move(*store);
  auto index = persistence::timer_index::open(*data);
  if (!index) return fail(index.error());
  timers = std::move(*index);
  cluster::journal_options commit;
  commit.batch_items_max = options.batch_items_max;
  commit.committed = calls.committed;
  commit.fatal = calls.fatal;
  commit.self = options.self;
  commit.founder = options.founder;
  commit.seed = options.seed;
  commit.election_timeout = options.election_timeout;
  commit.heartbeat = options.heartbeat;
  commit.trailing_entries = options.trailing_entries;
  commit.leadership = [this](std::uint16_t shard, std::uint64_t term) { led(shard, term); };
  commit.led_by = [this](std::uint16_t shard, node_id) {
    if (links) links->leader_changed(shard);
  };
  commit.installed = calls.installed;
  if (net) {
    links = std::make_unique<sim_links>(*net, time, here, owner(), [this] { flush_soon(); });
    links->describe(commit, *data, options.copy_chunk_bytes, calls.sent);
    commit.send = [this, send = std::move(commit.send)](
                      node_id to, std::vector<cluster::shard_message> messages) {
      tell([send, to, messages = std::move(messages)] { send(to, messages); });
    };
  }
  auto journal = cluster::replicated_journal::open(*data, *timers, here, std::move(commit));
  if (!journal) return fail(journal.error());
  log = std::move(*journal);
  return {};
}

// As the composition root does it.
void sim_node::running::led(std::uint16_t shard, std::uint64_t term) {
  if (calls.leadership) calls.leadership(shard, term);
  if (!routes) return;
  routes->drop(shard);
  if (term == 0) return;
  wakes->took_over(shard);
  in_node(timer_tick, [this] { static_cast<void>(wakes->tick()); });
}

void sim_node::running::build(message_sink& provider) {
  persistence::reader_pool_options reading;
  reading.executor = [this](std::function<void()> read) {
    in_node(duration_ms{time.between(0, read_delay.count())}, std::move(read));
  };
  readers = std::make_unique<persistence::reader_pool>(*data, std::move(reading));
  prompted = std::make_unique<prompted_journal>(
      *log, calls.snapshot, [this] { flush_soon(); }, [this](auto what) { tell(std::move(what)); });
  router_limits limits;
  limits.idle = options.idle;
  routes = std::make_unique<router>(
      router::parts{sim_node::kinds(), *prompted, *readers, here, *log, data->shard_count()},
      limits, [this](const entity_ref& self, const kind_entry& kind, host_environment& env) {
        return std::make_shared<queued_mailbox>(*this, self, kind, env);
      });
  routes->add_service("payment", provider);
  wakes = std::make_unique<timer_service>(*timers, *routes, *log, here, data->group_count());
  in_node(options.sweep, [this] { sweep(); });
  tick_at = here.monotonic() + duration_ms{time.between(0, timer_tick.count())};
  in_node(*tick_at - here.monotonic(),
          [this] { tick_timers(); });  // whoever owed something is woken
  if (!links) return;
  links->attach(*log, *routes, data->shard_count());
  await_timeout();
  in_node(duration_ms{time.between(0, options.upkeep.count())}, [this] { look_after(); });
}

void sim_node::running::flush_soon() {
  if (!flush_due) flush_at(duration_ms{time.between(0, options.flush_delay.count())});
}

void sim_node::running::flush_at(duration_ms delay) {
  flush_due = true;
  in_node(delay, [this] {
    flush_due = false;
    flush();
  });
}

void sim_node::running::flush() {
  if (sync_ends_at) {
    if (!flush_due) flush_at(*sync_ends_at - time.monotonic());
    return;
  }
  syncs_before = disk->counters().syncs;
  const bool more = log->flush_once();
  syncs_before.reset();
  if (!behind_sync.empty()) {
    const bool stalls = options.stall_one_in != 0 && time.one_in(options.stall_one_in);
    const duration_ms takes{stalls ? time.between(100, options.stall_max.count())
                                   : time.between(0, options.sync_max.count())};
    sync_ends_at = time.monotonic() + takes;
    in_node(takes, [this] { end_sync(); });
  }
  if (more) flush_soon();
  if (calls.round) calls.round();
  tick_timers();
  if (links) await_timeout();
}

// Something that the journal says: it waits for a sync of this round, but for that of a failure.
void sim_node::running::tell(std::function<void()> what) {
  if (!syncs_before || options.sync_max == duration_ms{0}) return what();
  const auto refusing = log->refusing();
  const bool has_failed = refusing && refusing->is(base_errc::unknown_outcome);
  if (has_failed || disk->counters().syncs == *syncs_before) return what();
  behind_sync.push_back(std::move(what));
}

void sim_node::running::end_sync() {
  sync_ends_at.reset();
  for (const auto& each : std::exchange(behind_sync, {})) each();
}

// Elections and heartbeats. One event waits for them; it may come too early, and then waits on.
void sim_node::running::await_timeout() {
  const auto wait = log->until_next_timeout();
  if (wait == raft::monotonic_time::max()) return;
  const auto at = here.monotonic() + wait;
  if (timeout_at && *timeout_at <= at) return;
  timeout_at = at;
  const duration_ms span = (wait * 1'000 + duration_ms{999 + fast}) / (1'000 + fast);
  in_node(span, [this, at] {
    if (timeout_at != at) return;  // an earlier one took its place
    timeout_at.reset();
    log->until_next_timeout() <= raft::monotonic_time{1} ? flush() : await_timeout();
  });
}

void sim_node::running::look_after() {
  if (calls.tick) calls.tick();
  links->copy_soon();
  in_node(options.upkeep, [this] { look_after(); });
}

// Every 100 ms while timers are near; otherwise when the next one is due, so that hours pass
// quickly.
void sim_node::running::tick_timers() {
  const duration_ms now = here.monotonic();
  if (tick_at && *tick_at <= now) {
    tick_at.reset();
    if (!wakes->tick()) return;
  }
  const auto due = timers->next_due();
  if (!due) return;
  const duration_ms wait =
      std::max(timer_tick, std::chrono::duration_cast<duration_ms>(*due - here.wall()));
  if (tick_at && *tick_at <= now + wait) return;
  tick_at = now + wait;
  in_node(wait, [this, at = *tick_at] {
    if (tick_at == at) tick_timers();
  });
}

void sim_node::running::sweep() {
  routes->sweep();
  const bool busy = routes->stats().residents > 0;
  in_node(busy ? options.sweep : options.sweep * 60, [this] { sweep(); });
}

sim_node::sim_node(timeline& time, message_sink& provider, node_options options, hooks calls,
                   surroundings around)
    : time_(time),
      provider_(provider),
      options_(options),
      hooks_(std::move(calls)),
      around_(around) {}

sim_node::~sim_node() = default;

status sim_node::start(disk_image image, std::optional<std::uint64_t> power_at) {
  disk_ = std::make_shared<fault_fs>(time_.below(UINT64_MAX), std::move(image));
  if (power_at) disk_->cut_power(*power_at);
  return open();
}

status sim_node::open() {
  auto starting = std::make_unique<running>(time_, options_, hooks_, around_);
  if (auto opened = starting->open(disk_); !opened) return opened;
  starting->build(provider_);
  run_ = std::move(starting);
  return {};
}

disk_image sim_node::crash() {
  auto kept = disk_->crash();
  time_.forget(timeline::owner_of(options_.self));
  run_.reset();
  return kept;
}

void sim_node::kill() {
  static_cast<void>(disk_->crash());  // what is torn down from here on writes nothing
  time_.forget(timeline::owner_of(options_.self));
  run_.reset();
  disk_->revive();
}

status sim_node::resume() { return open(); }

disk_image sim_node::stop() {
  run_->end_sync();
  while (run_->log->flush_once()) {
  }
  const auto refusing = run_->log->refusing();
  if (refusing && refusing->is(base_errc::unknown_outcome)) return crash();
  time_.forget(timeline::owner_of(options_.self));
  run_->readers->stop();
  static_cast<void>(run_->data->close());
  auto all = disk_->contents();
  run_.reset();
  return all;
}

void sim_node::look_at_clock() {
  run_->tick_at.reset();
  run_->tick_timers();
}

void sim_node::send(envelope message) { run_->routes->send(std::move(message)); }
void sim_node::flush_memtables() { static_cast<void>(run_->data->flush()); }
persistence::store& sim_node::data() { return *run_->data; }
cluster::replicated_journal& sim_node::log() { return *run_->log; }

}  // namespace omnicart::sim
