#include "tests/sim/sim_world.hpp"

#include <algorithm>
#include <utility>

#include "persistence/reader_pool.hpp"
#include "persistence/verify.hpp"
#include "tests/sim/story.hpp"

namespace omnicart::sim {
namespace {

constexpr duration_ms settle_time =
    std::chrono::minutes(80);  // beyond the longest hold and the order's patience

node_options draw_node(timeline& time) {
  node_options options;
  options.shard_count = static_cast<std::uint16_t>(time.between(1, 4));
  options.idle = duration_ms{time.chance(50) ? 2'000 : 60'000};
  if (time.chance(25)) {  // nobody stays
    options.idle = duration_ms{0};
    options.sweep = duration_ms{time.between(5, 50)};
  }
  options.flush_delay = duration_ms{time.chance(70) ? 2 : 20};
  options.batch_items_max = time.chance(30) ? static_cast<std::size_t>(time.between(1, 8)) : 4'096;
  options.sync_max = duration_ms{time.chance(50) ? time.between(0, 3) : time.between(4, 30)};
  options.stall_one_in = time.chance(30) ? 100 : 0;
  return options;
}

crowd_plan draw_crowd(timeline& time) {
  crowd_plan plan;
  plan.shoppers = static_cast<std::uint32_t>(time.chance(30) ? 2 : time.between(2, 9));
  plan.products = static_cast<std::uint32_t>(time.between(1, 6));
  plan.actions = static_cast<std::uint32_t>(time.between(160, 360)) / plan.shoppers;
  plan.stock = time.chance(50) ? time.between(2, 12) : time.between(30, 200);
  plan.reckless_percent = static_cast<std::uint32_t>(time.between(0, 60));
  plan.locations = static_cast<std::uint32_t>(time.between(0, 3));
  return plan;
}

crowd_plan crowd_of(tale story) {
  if (story == tale::journey)
    return {.shoppers = 0, .products = 2, .actions = 0, .stock = 12, .reckless_percent = 0};
  return {.shoppers = 1,
          .products = 2,
          .actions = 16,
          .stock = 12,
          .locations = 2,
          .reckless_percent = 0};
}

}  // namespace

sim_world::sim_world(std::uint64_t seed, const reader& read_along,
                     std::optional<single_crash> crash)
    : time_(seed), provider_(time_), crash_(crash) {
  if (read_along) {
    time_.read_along([this, read_along](std::string_view line) { read_along(time_.wall(), line); });
  }
  plan_ = draw_crowd(time_);
  if (crash_) {
    plan_ = crowd_of(crash_->of);
  } else if (time_.chance(70)) {
    plan_.codes = static_cast<std::uint32_t>(time_.between(1, 3));
  }
  sim_node::hooks hooks;
  hooks.committed = [this](const persistence::committed_batch& batch) {
    checks_.committed(batch);
    if (!time_.is_read()) return;
    for (const auto& each : batch.entries) {
      for (const auto& part : each.entry.items) {
        time_.note("  " + part.kind + '/' + part.id + " v" + std::to_string(part.first_version));
      }
    }
  };
  hooks.effect = [this](const entity_ref& from, const envelope& what) {
    checks_.effect_sent(from, what);
  };
  hooks.snapshot = [this] {
    if (time_.chance(25) && !crash_)
      strike_at_step_ = std::min(strike_at_step_, time_.steps() + 1 + time_.below(4));
  };
  hooks.fatal = [this](const std::string& why) {
    time_.note("the journal ends the process: " + why);
    dying_ = true;
  };
  node_ = std::make_unique<sim_node>(time_, provider_, draw_node(time_), std::move(hooks));
  invite();
}

sim_world::~sim_world() = default;

void sim_world::invite() {
  const bool travels = crash_ && crash_->of == tale::journey;
  const auto work = travels ? 0 : crash_ ? 5 : time_.between(8, 50);
  staff_ = std::make_unique<staff>(time_, *this, checks_, plan_, static_cast<std::uint32_t>(work));
  if (travels) journey_ = std::make_unique<journey>(time_, *this, checks_, provider_);
  if (plan_.codes > 0) {
    desk_ = std::make_unique<order_desk>(time_, *this, checks_,
                                         static_cast<std::uint32_t>(time_.between(5, 40)));
  }
  if (desk_ || journey_) news_ = std::make_unique<news_bearer>(time_, *this, checks_, provider_);
  for (std::uint32_t i = 0; i < plan_.shoppers; ++i) {
    const bool careful = !time_.chance(plan_.reckless_percent);
    shoppers_.push_back(std::make_unique<shopper>(
        time_, *this, checks_, "c" + std::to_string(i), plan_, careful,
        [this](const std::string& order) {
          staff_->heard_of_order(order);
          if (desk_) desk_->heard_of_order(order);
        }));
  }
}

// --- the network -------------------------------------------------------------------------------

void sim_world::reach(envelope message, std::function<void(answer)> got) {
  const auto number = ++requests_;
  connections_.emplace(number, connection{message.to, std::move(got)});
  time_.after(duration_ms{time_.between(0, network_delay.count())}, timeline::owner::world,
              [this, number, message = std::move(message)]() mutable {
                arrive(number, std::move(message));
              });
}

void sim_world::arrive(std::uint64_t number, envelope message) {
  if (!connections_.contains(number)) return;
  if (!node_->up()) return deliver(number, lost_connection(base_errc::unavailable), duration_ms{1});
  message.reply = [this, number, to = message.to](answer got) {
    const auto refusing = node_->log().refusing();
    checks_.answered(to, got, refusing && refusing->is(base_errc::unknown_outcome));
    const bool lost = !healed_ && time_.chance(2);
    deliver(number, lost ? lost_connection(base_errc::timeout) : std::move(got),
            duration_ms{time_.between(0, network_delay.count())});
  };
  node_->send(std::move(message));
}

void sim_world::deliver(std::uint64_t number, answer got, duration_ms delay) {
  auto ended = connections_.extract(number);
  ++delivered_;
  if (ended.empty())
    return checks_.violate("a command is answered once", "request " + std::to_string(number));
  time_.after(
      delay, timeline::owner::world,
      [got = std::move(got), to = std::move(ended.mapped().got)]() mutable { to(std::move(got)); });
}

void sim_world::break_connections() {
  while (!connections_.empty()) {
    deliver(connections_.begin()->first, lost_connection(base_errc::timeout),
            duration_ms{time_.between(1, 100)});
  }
}

// --- the machine -------------------------------------------------------------------------------

void sim_world::boot() {
  std::optional<std::uint64_t> power_at;
  if (!healed_ && crashes_ > 0 && !machine_runs_ && time_.chance(15))
    power_at = 1 + time_.below(30);
  const auto started = machine_runs_ ? node_->resume() : node_->start(disk_, power_at);
  machine_runs_ = false;
  if (started) {
    time_.note("the node starts");
    checks_.restarted(node_->data());
    if (node_->disk().power_is_cut())
      go_down(ending::power_lost);  // it went with the last word of the start
    return;
  }
  if (!node_->disk().power_is_cut()) {
    return checks_.violate("what a crash leaves is a store that opens", started.error().detail);
  }
  time_.note("the power goes while the node starts");
  disk_ = node_->crash();
  time_.after(duration_ms{time_.between(10, 2'000)}, timeline::owner::world, [this] { boot(); });
}

void sim_world::go_down(ending how) {
  ++crashes_;
  switch (how) {
    case ending::killed:
      time_.note("the node is killed");
      node_->kill();
      machine_runs_ = true;
      break;
    case ending::power_lost:
      time_.note("the power is lost");
      disk_ = node_->crash();
      break;
    case ending::stopped:
      time_.note("the node stops");
      disk_ = node_->stop();
      break;
  }
  dying_ = false;  // also of a stop that failed
  provider_.forget_callers();
  break_connections();
  if (time_.chance(30)) time_.shift_wall(duration_ms{time_.between(-3'000, 3'000)});
  const duration_ms pause{time_.chance(70) ? time_.between(1, 500) : time_.between(500, 20'000)};
  time_.after(pause, timeline::owner::world, [this] { boot(); });
}

void sim_world::plan_next_strike() { strike_at_step_ = time_.steps() + 1 + time_.below(1'500); }

sim_world::ailment sim_world::draw_ailment() {
  struct share {
    ailment what;
    std::uint32_t percent;
  };
  constexpr share shares[] = {{ailment::kill, 24},      {ailment::power_loss, 24},
                              {ailment::power_cut, 18}, {ailment::failed_sync, 8},
                              {ailment::disk_full, 6},  {ailment::orderly_stop, 6},
                              {ailment::read_only, 4},  {ailment::flush, 10}};
  auto lot = static_cast<std::uint32_t>(time_.below(100));
  for (const auto& [what, percent] : shares) {
    if (lot < percent) return what;
    lot -= percent;
  }
  return ailment::none;
}

void sim_world::strike() {
  --strikes_left_;
  struck_ = true;
  if (crash_) return go_down(crash_->power_lost ? ending::power_lost : ending::killed);
  plan_next_strike();
  switch (draw_ailment()) {
    case ailment::none:
      return;
    case ailment::kill:
      return go_down(ending::killed);
    case ailment::power_loss:
      return go_down(ending::power_lost);
    case ailment::orderly_stop:
      return go_down(ending::stopped);
    case ailment::power_cut:
      time_.note("power will go");
      return node_->disk().cut_power(1 + time_.below(8));
    case ailment::failed_sync:
      time_.note("a sync will fail");
      return node_->disk().fail_sync(1 + time_.below(3));
    case ailment::disk_full:
      time_.note("the disk fills up");
      return node_->disk().limit_space(time_.below(4'000));
    case ailment::read_only:
      time_.note("little disk is left for a while");
      node_->disk().set_free_bytes(0);
      return time_.after(duration_ms{time_.between(500, 6'000)}, timeline::owner::world,
                         [this] { node_->disk().set_free_bytes(std::uint64_t{1} << 40); });
    case ailment::flush:
      time_.note("memtables are flushed");
      if (time_.chance(50)) node_->disk().cut_power(1 + time_.below(40));
      return node_->flush_memtables();
  }
}

void sim_world::disturb_provider() {
  time_.after(duration_ms{time_.between(2'000, 60'000)}, timeline::owner::world, [this] {
    if (healed_) return;
    time_.note("the provider crashes");
    provider_.crash();
    time_.after(duration_ms{time_.between(10, 100'000)}, timeline::owner::world,
                [this] { provider_.restart(); });
    disturb_provider();
  });
}

// --- the story ---------------------------------------------------------------------------------

bool sim_world::open_for_business() const {
  if (!shop_is_open_ || !staff_->finished()) return true;
  if (desk_ && !desk_->finished()) return true;
  if (journey_ && !journey_->finished()) return true;
  return !std::all_of(shoppers_.begin(), shoppers_.end(),
                      [](const auto& each) { return each->finished(); });
}

story_end sim_world::run() {
  boot();
  strikes_left_ = 2 + time_.below(5);
  plan_next_strike();
  if (crash_) {
    strikes_left_ = 1;
    strike_at_step_ = crash_->after_step;
  }
  if (!journey_) {
    provider_.set_trouble(static_cast<std::uint32_t>(time_.below(9)));
    if (time_.chance(40)) disturb_provider();
  }
  staff_->start([this] {
    shop_is_open_ = true;
    for (const auto& each : shoppers_) each->start();
    if (desk_) desk_->start();
    if (journey_) journey_->start();
  });
  trade();
  if (!checks_.broken()) settle();
  if (!checks_.broken()) check_at_rest();
  if (!checks_.broken()) check_disk();
  story_end end{.broken = checks_.broken(), .trace_hash = time_.hash(), .steps = time_.steps()};
  end.requests = requests_;
  end.crashes = crashes_;
  end.struck = struck_;
  end.turns = std::move(turns_);
  for (const auto& each : shoppers_) end.orders += each->orders().size();
  for (const auto& each : provider_.ledger())
    end.captures += each.kind == pay::entry_kind::capture ? 1 : 0;
  return end;
}

void sim_world::trade() {
  while (open_for_business() && !checks_.broken()) {
    if (!time_.step(duration_ms::max()))
      return checks_.violate("the story goes on", "nothing is left to happen");
    heed_provider();
    if (time_.steps() > story_steps_max) return checks_.violate("the story ends", "it does not");
    if (crash_ && !struck_) note_turn();
    if (dying_ || (node_->up() && node_->disk().power_is_cut())) {
      // The process ends in the middle of a write; or the machine does.
      go_down(time_.chance(50) ? ending::killed : ending::power_lost);
    } else if (node_->up() && strikes_left_ > 0 && time_.steps() >= strike_at_step_) {
      strike();
    }
  }
}

void sim_world::heed_provider() {
  checks_.booked(provider_.ledger());
  if (news_) news_->look();
}

void sim_world::note_turn() {
  const auto mark =
      (node_->up() ? node_->disk().counters().operations : 0) + delivered_ + provider_.passages();
  if (std::exchange(mark_, mark) != mark) turns_.push_back(time_.steps());
}

void sim_world::step_until(duration_ms until) {
  while (!checks_.broken() && time_.step(until)) {
    heed_provider();
    if (time_.steps() > story_steps_max) checks_.violate("the story ends", "it does not");
    if (dying_ || (node_->up() && node_->disk().power_is_cut())) go_down(ending::power_lost);
  }
}

void sim_world::settle() {
  time_.note("everything heals");
  healed_ = true;
  provider_.set_trouble(0);
  provider_.restart();
  if (node_->up()) go_down(ending::power_lost);  // faults that are still armed go with the machine
  step_until(time_.monotonic() + settle_time);
  if (!connections_.empty() && !checks_.broken()) {
    checks_.violate("every command is answered", connections_.begin()->second.to.str());
  }
}

void sim_world::check_at_rest() {
  const auto past = read_history(node_->data());
  if (!past) return checks_.violate("the log reads without a gap", past.error().detail);
  if (news_ && !news_->idle())
    return checks_.violate("an order takes the provider's word", "some is still under way");
  // Timers have had their time; restarts may have set the clock back a little.
  checks_.at_rest(*past, provider_.ledger(), time_.wall() - std::chrono::minutes(5));
  if (checks_.broken()) return;
  go_down(ending::power_lost);
  step_until(time_.monotonic() + std::chrono::minutes(1));
  if (checks_.broken()) return;
  check_stored_states(*past);
  for (const auto& each : shoppers_) each->look_back();
  staff_->look_back();
  step_until(time_.monotonic() + std::chrono::minutes(1));
}

// Every entity as it is found on the disk (snapshot, and the events after it) against all its
// events from the first.
void sim_world::check_stored_states(const history& past) {
  persistence::reader_pool_options inline_reads;
  inline_reads.executor = [](const std::function<void()>& read) { read(); };
  persistence::reader_pool reads(node_->data(), inline_reads);
  for (const auto& [name, events] : past) {
    if (auto wrong = compare_stored(reads, *entity_ref::parse(name), events))
      return checks_.violate(wrong->law, wrong->detail);
  }
}

void sim_world::check_disk() {
  const auto image = node_->stop();
  const auto report = persistence::verify("/data", std::make_shared<fault_fs>(1, image));
  if (!report) return checks_.violate("the store verifies", report.error().detail);
  if (!report->ok())
    checks_.violate("the store verifies",
                    report->problems.front().where + ": " + report->problems.front().what);
}

}  // namespace omnicart::sim
