#include "tests/sim/cluster_world.hpp"

#include <algorithm>
#include <utility>

#include "persistence/reader_pool.hpp"
#include "persistence/verify.hpp"
#include "tests/sim/story.hpp"

namespace omnicart::sim {
namespace {

constexpr duration_ms story_max = std::chrono::minutes(30);
constexpr duration_ms client_patience{4'000};  // beside the wait that it asked for

// What is open ends within seconds; holds and orders within hours, which pass in leaps.
constexpr duration_ms first_rest{8'000};
constexpr int rounds_of_rest = 6;
constexpr duration_ms round_of_rest{3'500};
constexpr duration_ms leap = std::chrono::minutes(15);

node_options draw_nodes(timeline& time) {
  node_options options;
  options.shard_count = static_cast<std::uint16_t>(time.between(1, 3));
  options.idle = duration_ms{time.chance(50) ? 2'000 : 60'000};
  if (time.chance(20)) {  // nobody stays
    options.idle = duration_ms{0};
    options.sweep = duration_ms{time.between(20, 50)};
  }
  options.flush_delay = duration_ms{time.chance(80) ? 2 : 10};
  options.batch_items_max = time.chance(30) ? static_cast<std::size_t>(time.between(1, 8)) : 4'096;
  options.sync_max = duration_ms{time.chance(60) ? time.between(0, 3) : time.between(4, 30)};
  options.stall_one_in = time.chance(30) ? 300 : 0;
  options.election_timeout = duration_ms{1'000};
  options.heartbeat = duration_ms{300};
  options.trailing_entries = static_cast<unsigned>(time.chance(50) ? 4 : 64);
  return options;
}

crowd_plan draw_small_crowd(timeline& time) {
  crowd_plan plan;
  plan.shoppers = static_cast<std::uint32_t>(time.between(1, 3));
  plan.products = static_cast<std::uint32_t>(time.between(1, 3));
  plan.actions = static_cast<std::uint32_t>(time.between(36, 72)) / plan.shoppers;
  plan.stock = time.chance(50) ? time.between(2, 12) : time.between(30, 200);
  plan.reckless_percent = static_cast<std::uint32_t>(time.between(0, 60));
  plan.locations = static_cast<std::uint32_t>(time.between(0, 3));
  plan.long_pause = duration_ms{4'000};
  plan.codes = static_cast<std::uint32_t>(time.chance(60) ? time.between(1, 2) : 0);
  return plan;
}

}  // namespace

cluster_world::cluster_world(std::uint64_t seed, node_id nodes, const reader& read_along)
    : time_(seed), provider_(time_) {
  if (read_along) {
    time_.read_along([this, read_along](std::string_view line) { read_along(time_.wall(), line); });
  }
  plan_ = draw_small_crowd(time_);
  cluster_ = std::make_unique<sim_cluster>(time_, provider_, checks_, nodes, draw_nodes(time_),
                                           [this](node_id node) { node_died(node); });
  mishaps_ = std::make_unique<sim_mishaps>(time_, *cluster_);
  for (std::uint16_t shard = 0; shard < cluster_->group_count(); ++shard) {
    auto& wish = cluster_->wish(shard);
    for (node_id i = 0; i < nodes; ++i) {
      const node_id id = 1 + (shard + i) % nodes;
      (i < 3 ? wish.voters : wish.standbys).push_back(id);
    }
  }
  invite();
}

cluster_world::~cluster_world() = default;

void cluster_world::invite() {
  staff_ = std::make_unique<staff>(time_, *this, checks_, plan_,
                                   static_cast<std::uint32_t>(time_.between(5, 16)));
  if (plan_.codes > 0) {
    desk_ = std::make_unique<order_desk>(time_, *this, checks_,
                                         static_cast<std::uint32_t>(time_.between(3, 12)));
    news_ = std::make_unique<news_bearer>(time_, *this, checks_, provider_);
  }
  for (std::uint32_t i = 0; i < plan_.shoppers; ++i) {
    const bool careful = !time_.chance(plan_.reckless_percent);
    shoppers_.push_back(std::make_unique<shopper>(
        time_, *this, checks_, "c" + std::to_string(i), plan_, careful,
        [this](const std::string& order) {
          staff_->heard_of_order(order);
          if (desk_) desk_->heard_of_order(order);
        }));
  }
  const auto carts = time_.between(1, 2);
  for (std::int64_t i = 0; i < carts; ++i) {
    const auto name = "shared-" + std::to_string(i);
    auto cart = std::make_unique<shared_cart>(name, time_, checks_);
    const auto owners = time_.between(2, 3);
    for (std::int64_t each = 0; each < owners; ++each) {
      const auto actions = static_cast<std::uint32_t>(time_.between(6, 15));
      cart->owners.push_back(std::make_unique<cart_witness>(
          time_, *this, checks_, name + '-' + std::to_string(each), actions, cart->book));
    }
    shared_.push_back(std::move(cart));
  }
}

// --- clients and nodes
// ---------------------------------------------------------------------------

// Whoever is there, mostly; a client does not know.
node_id cluster_world::draw_entrance() {
  const node_id first = 1 + time_.below(cluster_->size());
  if (time_.chance(5)) return first;
  for (node_id i = 0; i < cluster_->size(); ++i) {
    const node_id id = 1 + (first - 1 + i) % cluster_->size();
    if (cluster_->up(id)) return id;
  }
  return first;
}

void cluster_world::reach(envelope message, std::function<void(answer)> got) {
  const auto number = ++requests_;
  const auto by = draw_entrance();
  time_.after(message.wait + client_patience, timeline::owner::world,
              [this, number] { hang_up(number); });
  connections_.emplace(number, connection{message.to, std::move(got), by});
  time_.after(duration_ms{time_.between(0, network_delay.count())}, timeline::owner::world,
              [this, number, message = std::move(message)]() mutable {
                arrive(number, std::move(message));
              });
}

void cluster_world::arrive(std::uint64_t number, envelope message) {
  const auto at = connections_.find(number);
  if (at == connections_.end()) return;
  const auto by = at->second.by;
  if (!cluster_->up(by))
    return deliver(number, lost_connection(base_errc::unavailable), duration_ms{1});
  message.reply = [this, number, by, to = message.to](answer got) {
    checks_.answered(to, got, cluster_->storage_failed(by));
    if (got.failure && got.failure->is(base_errc::storage_full)) taken_.add(harm::little_space);
    const bool lost = !healed_ && time_.chance(2);
    deliver(number, lost ? lost_connection(base_errc::timeout) : std::move(got),
            duration_ms{time_.between(0, network_delay.count())});
  };
  time_.reach(timeline::owner_of(by), [this, by, message = std::move(message)]() mutable {
    cluster_->node(by).send(std::move(message));
  });
}

void cluster_world::deliver(std::uint64_t number, answer got, duration_ms delay) {
  auto ended = connections_.extract(number);
  if (ended.empty())
    return checks_.violate("a command is answered once", "request " + std::to_string(number));
  if (ended.mapped().given_up) return;
  time_.after(
      delay, timeline::owner::world,
      [got = std::move(got), to = std::move(ended.mapped().got)]() mutable { to(std::move(got)); });
}

void cluster_world::hang_up(std::uint64_t number) {
  const auto at = connections_.find(number);
  if (at == connections_.end() || std::exchange(at->second.given_up, true)) return;
  at->second.got(lost_connection(base_errc::timeout));
}

void cluster_world::node_died(node_id node) {
  ++crashes_;
  provider_.forget_callers(timeline::owner_of(node));
  std::vector<std::uint64_t> broken;
  for (const auto& [number, each] : connections_) {
    if (each.by == node) broken.push_back(number);
  }
  for (const auto number : broken)
    deliver(number, lost_connection(base_errc::timeout), duration_ms{time_.between(1, 100)});
  const duration_ms pause{time_.chance(60) ? time_.between(1, 600) : time_.between(500, 9'000)};
  time_.after(pause, timeline::owner::world, [this, node] { boot(node); });
}

void cluster_world::boot(node_id node) {
  if (cluster_->up(node)) return;
  std::optional<std::uint64_t> power_at;
  if (!healed_ && crashes_ > 0 && time_.chance(10)) power_at = 1 + time_.below(30);
  cluster_->start(node, power_at);
}

// --- the story
// -------------------------------------------------------------------------------------

// False: nothing is left to happen before then.
bool cluster_world::step(duration_ms until) {
  if (!time_.step(until)) return false;
  checks_.booked(provider_.ledger());
  if (news_) news_->look();
  if (time_.steps() > story_steps_max) checks_.violate("the story ends", "it does not");
  // The process ends in the middle of a write; or the machine does.
  for (const auto node : cluster_->doomed()) {
    cluster_->end(node,
                  time_.chance(50) ? sim_cluster::ending::killed : sim_cluster::ending::power_lost);
  }
  return !checks_.broken();
}

bool cluster_world::open_for_business() const {
  const auto finished = [](const auto& each) { return each->finished(); };
  if (!shop_is_open_ || !staff_->finished() || (desk_ && !desk_->finished())) return true;
  if (!std::all_of(shoppers_.begin(), shoppers_.end(), finished)) return true;
  return !std::all_of(shared_.begin(), shared_.end(), [&](const auto& cart) {
    return std::all_of(cart->owners.begin(), cart->owners.end(), finished);
  });
}

story_end cluster_world::run() {
  for (node_id id = 1; id <= cluster_->size(); ++id) cluster_->start(id);
  provider_.set_trouble(static_cast<std::uint32_t>(time_.below(7)));
  mishaps_->begin(3 + time_.below(9));
  staff_->start([this] {
    shop_is_open_ = true;
    for (const auto& each : shoppers_) each->start();
    if (desk_) desk_->start();
    for (const auto& cart : shared_) {
      for (const auto& owner : cart->owners) owner->start();
    }
  });
  trade();
  if (!checks_.broken()) settle();
  if (!checks_.broken()) check_at_rest();
  story_end end{.broken = checks_.broken(), .trace_hash = time_.hash(), .steps = time_.steps()};
  end.requests = requests_;
  end.crashes = crashes_;
  end.compared = cluster_->hashes().compared();
  end.taken = taken_;
  end.taken.add(cluster_->taken());
  end.taken.add(mishaps_->taken());
  for (const auto& each : shoppers_) end.orders += each->orders().size();
  for (const auto& each : provider_.ledger())
    end.captures += each.kind == pay::entry_kind::capture ? 1 : 0;
  return end;
}

void cluster_world::trade() {
  while (open_for_business() && !checks_.broken()) {
    if (!step(story_max) && !checks_.broken())
      return checks_.violate("the story goes on", "clients wait for ever:" + cluster_->describe());
  }
}

void cluster_world::heal() {
  time_.note("everything heals");
  healed_ = true;
  mishaps_->end();
  provider_.set_trouble(0);
  // Faults of disks that are still armed go with the machines.
  for (node_id id = 1; id <= cluster_->size(); ++id) {
    if (cluster_->up(id)) cluster_->end(id, sim_cluster::ending::power_lost);
  }
}

void cluster_world::settle() {
  heal();
  const auto pass = [this](duration_ms span) {
    const auto until = time_.monotonic() + span;
    while (step(until)) {
    }
  };
  pass(first_rest);
  for (int i = 0; i < rounds_of_rest && !checks_.broken(); ++i) {
    cluster_->skip(leap);
    pass(round_of_rest);
  }
  const auto at_rest = [this] {
    return cluster_->agreed() && connections_.empty() && (!news_ || news_->idle());
  };
  for (int i = 0; i < 20 && !at_rest(); ++i) pass(round_of_rest);
  if (checks_.broken()) return;
  if (!connections_.empty())
    checks_.violate("every command is answered", connections_.begin()->second.to.str());
  if (!cluster_->agreed()) checks_.violate("the members agree in the end", cluster_->describe());
}

// --- the end
// ---------------------------------------------------------------------------------------

void cluster_world::check_at_rest() {
  cluster_->compare_replicas();
  const auto& past = cluster_->log().past();
  checks_.nothing_lost(past);
  if (news_ && !news_->idle())
    checks_.violate("an order takes the provider's word", "some is still under way");
  checks_.at_rest(past, provider_.ledger(), time_.wall() - std::chrono::minutes(5));
  for (node_id id = 1; id <= cluster_->size() && !checks_.broken(); ++id) check_stored_states(id);
  if (checks_.broken()) return;
  for (const auto& each : shoppers_) each->look_back();
  staff_->look_back();
  for (const auto& cart : shared_) cart->owners.front()->look_back();
  const auto until = time_.monotonic() + round_of_rest;
  while (step(until)) {
  }
  for (const auto& cart : shared_)
    check_linearizable(cart->book.cart(), cart->book.calls(), checks_);
  for (node_id id = 1; id <= cluster_->size() && !checks_.broken(); ++id) check_disk(id);
}

void cluster_world::check_disk(node_id id) {
  auto image = cluster_->node(id).stop();
  const auto report = persistence::verify("/data", std::make_shared<fault_fs>(1, std::move(image)));
  if (!report)
    return checks_.violate("the store verifies", name_of(id) + ": " + report.error().detail);
  if (report->ok()) return;
  const auto& first = report->problems.front();
  checks_.violate("the store verifies", name_of(id) + ": " + first.where + ": " + first.what);
}

// Every entity as it is found on the node's disk against all its events from the first.
void cluster_world::check_stored_states(node_id id) {
  auto& node = cluster_->node(id);
  std::vector<bool> holds;
  for (std::uint16_t shard = 0; shard < cluster_->group_count(); ++shard)
    holds.push_back(cluster_->holds(id, shard));
  persistence::reader_pool_options inline_reads;
  inline_reads.executor = [](const std::function<void()>& read) { read(); };
  persistence::reader_pool reads(node.data(), inline_reads);
  for (const auto& [name, events] : cluster_->log().past()) {
    const auto entity = entity_ref::parse(name);
    if (!holds[node.data().shard_of(*entity)]) continue;
    if (auto wrong = compare_stored(reads, *entity, events))
      return checks_.violate(wrong->law, "node " + std::to_string(id) + ": " + wrong->detail);
  }
}

}  // namespace omnicart::sim
