#include "tools/omnicartd/membership.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "cluster/shard_steps.hpp"
#include "config/load.hpp"
#include "http/signing_keys.hpp"
#include "runtime/base/version.hpp"
#include "runtime/log.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms link_tick{50};  // from a node's start until its links are noticed here, at most
constexpr duration_ms founding_within{10'000};
constexpr duration_ms reading_within{2'000};  // later it is taken over when it comes
constexpr duration_ms dead_after = std::chrono::minutes(10);  // then others take a node's place
constexpr duration_ms clock_off_max{500};  // beyond it a node does not lead: expiries go by the leader's clock
constexpr duration_ms keys_are_looked_at_every{1'000};

std::string hex(command_id id) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const auto word : {id.high, id.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[word >> shift & 15];
  }
  return text;
}

}  // namespace

membership::membership(parts with, const http::token_keys& first_keys)
    : with_(with),
      self_(static_cast<node_id>(with.options.cluster.node)),
      group_(with.shard_count),
      first_keys_(first_keys), watch_(with.store, with.shard_count) {}

cluster_record::node membership::self() const {
  cluster_record::node us;
  us.id = self_;
  us.name = "n" + std::to_string(us.id);
  us.link = with_.others ? with_.others->address() : std::string();
  us.state = cluster_record::node_state::active;
  us.store = with_.store_identity;
  const std::lock_guard lock(guard_);
  us.http = http_;
  us.operators = operators_;
  return us;
}

void membership::look() {
  const auto until = with_.time.monotonic() + reading_within;
  bool is_new = watch_.refresh();
  while (!watch_.has_looked() && with_.time.monotonic() < until) {
    std::this_thread::sleep_for(duration_ms{1});
    is_new = watch_.refresh() || is_new;
  }
  if (is_new || watch_.refresh()) take_over_record();
}

status membership::start() {
  if (!with_.options.cluster.peers.empty()) return {};
  const auto until = with_.time.monotonic() + founding_within;
  bool asked = false;
  while (with_.time.monotonic() < until) {
    if (watch_.refresh()) take_over_record();
    if (watch_.now()->founded()) return {};
    // Not before the stored record was looked at.
    if (!std::exchange(asked, with_.log.leads(group_))) {
      if (asked) found();
    }
    std::this_thread::sleep_for(duration_ms{5});
  }
  return fail(base_errc::unavailable, "the cluster's record could not be written");
}

void membership::found() {
  const auto now = with_.time.wall();
  cluster_record::found what;
  what.cluster = hex(with_.ids.next());
  what.first = self();
  what.shard_count = with_.shard_count;
  const auto lives = http::key_signs_for * 2 + std::chrono::seconds(with_.options.sessions.access_token_ttl_s);
  what.keys = {{.number = 1, .secret = http::secret_of(first_keys_), .active_from = now, .expires_at = now + lives}};
  log::info("this node is a cluster of its own from now on", {{"cluster", what.cluster}, {"node", self_}});
  send(std::move(what));
}

void membership::send(cluster_record::command what, std::optional<std::uint64_t> version) {
  envelope message;
  message.to = cluster_record::the_record();
  message.command = cluster_record::encode(what);
  message.asker.as = role::system;
  message.expected_version = version;
  ++*under_way_;
  message.reply = [open = under_way_](answer got) {
    --*open;
    if (!got.failure || got.failure->is(base_errc::precondition_failed)) return;
    log::warning("the cluster's record refused a command", {{"code", got.failure->number}, {"why", got.failure->detail}});
  };
  with_.entities.send(std::move(message));
}

void membership::tick() {
  if (watch_.refresh()) take_over_record();
  const auto now = watch_.now();
  if (!now->founded() || stopped_) return;
  if (with_.time.monotonic() >= next_keys_) use_keys(*now);
  tell_addresses(*now);
  if (with_.others) {
    note_reached(*now);
    heed_clock();
    heed_disk();
    tell_fitness();
    if (said_.any()) {
      hand_over();
    } else {
      tend_shards(*now);
    }
  }
  const auto time = with_.time.monotonic();
  if (time < next_plan_ || *under_way_ > 0 || !with_.log.leads(group_)) return;
  next_plan_ = time + duration_ms{200};
  plan_placement(*now);
  rotate_keys(*now);
}

void membership::take_over_record() {
  const auto now = watch_.now();
  if (!now->founded()) return;
  use_keys(*now);
  if (!with_.others) return;
  std::vector<cluster::peer_address> members;
  for (const auto* each : cluster_record::living_nodes(*now)) {
    const auto where = config::parse_host_port(each->link);
    if (each->id == self_ || !where) continue;
    members.push_back({each->id, where->host, static_cast<std::uint16_t>(where->port), each->store});
  }
  // Our record may be an old one, and who leads it now have joined later: without them it would stay old.
  std::vector<cluster::peer_address> strangers;
  for (const auto& named : with_.others->named()) {
    if (named.node != self_ && !cluster_record::find(*now, named.node)) strangers.push_back(named);
  }
  with_.others->follow(std::move(members), std::move(strangers));
}

// A key comes into force, and out of it, without a change of the record.
void membership::use_keys(const cluster_record::record& now) {
  next_keys_ = with_.time.monotonic() + keys_are_looked_at_every;
  if (auto ring = http::keyring_at(now, with_.time.wall())) with_.tokens.use(std::move(*ring));
}

void membership::note_reached(const cluster_record::record& now) {
  const auto time = with_.time.monotonic();
  const std::lock_guard lock(guard_);
  for (const auto* node : cluster_record::living_nodes(now)) {
    auto& with = contacts_.try_emplace(node->id, contact{.last = time, .up_since = {}}).first->second;
    if (node->id == self_ || with_.others->link().is_up(node->id)) {
      with.last = time;
      with.up_since = with.up_since.value_or(time);
    } else {
      with.up_since.reset();
    }
  }
}

// A node that has just started gives no vote for an election timeout, and lets no leadership be handed to it.
bool membership::is_settled(node_id node) const {
  const std::lock_guard lock(guard_);
  const auto with = contacts_.find(node);
  const duration_ms silence{with_.options.cluster.election_timeout_ms};
  return with != contacts_.end() && with->second.up_since &&
         with_.time.monotonic() - *with->second.up_since > silence + link_tick;
}

duration_ms membership::silent_for(node_id node) const {
  const std::lock_guard lock(guard_);
  const auto with = contacts_.find(node);
  return with == contacts_.end() ? duration_ms{0} : with_.time.monotonic() - with->second.last;
}

void membership::serve_at(std::string http, std::string operators) {
  if (with_.others) {
    const auto why = unfit();
    with_.others->introduce(
        {.leaving = why.any(), .wall = {}, .version = version_text(), .http = http, .operators = operators, .why = why});
  }
  const std::lock_guard lock(guard_);
  http_ = std::move(http);
  operators_ = std::move(operators);
}

void membership::heed_clock() {
  const auto ahead = with_.others->others().clock_ahead();
  const bool off = ahead && std::chrono::abs(*ahead) > clock_off_max;
  if (off == clock_is_off_.exchange(off)) return;
  if (off) {
    log::error("this node's clock differs from the others' and it leads nothing until that is mended",
               {{"ahead_ms", ahead->count()}});
  } else {
    log::info("this node's clock agrees with the others' again", {});
  }
}

// Writes are refused here while the disk is low, and others may have room.
void membership::heed_disk() {
  const auto refused = with_.log.refusing();
  const bool low = refused && refused->is(base_errc::storage_full);
  if (low == disk_is_low_.exchange(low)) return;
  if (low) {
    log::error("this node's disk is low and it leads nothing until there is room", {{"why", refused->detail}});
  } else {
    log::info("this node's disk has room again", {});
  }
}

// Damage is told where it is met, by any thread, and what that said may have been overtaken.
void membership::tell_fitness() {
  const auto now = unfit();
  if (now != std::exchange(said_, now)) with_.others->say_unfit(now);
}

void membership::met_damage(const error& what) {
  if (is_damaged_.exchange(true)) return;
  log::error("the store is damaged: verify says where; others lead, put a new node in the place of this one",
             {{"why", what.detail}});
  if (with_.others) with_.others->say_unfit(unfit());
}

std::string membership::http_of(node_id node) const {
  const auto now = record();
  const auto* of = cluster_record::find(*now, node);
  if (of == nullptr || of->http.starts_with("0.0.0.0:") || of->http.starts_with("[::]:")) return {};
  return of->http;
}

bool membership::is_draining() const {
  const auto now = record();
  const auto* us = cluster_record::find(*now, self_);
  return us != nullptr && us->state == cluster_record::node_state::draining;
}

void membership::tell_addresses(const cluster_record::record& now) {
  const auto us = self();
  const auto* known = cluster_record::find(now, us.id);
  if (!known || us.http.empty() || *under_way_ > 0) return;
  if (known->link == us.link && known->http == us.http && known->operators == us.operators && known->store != 0) return;
  send(cluster_record::update_addresses{
      .id = us.id, .link = us.link, .http = us.http, .operators = us.operators, .store = us.store});
}

void membership::rotate_keys(const cluster_record::record& now) {
  const auto time = with_.time.wall();
  if (now.keys.empty() || time < now.keys.back().active_from + http::key_signs_for) return;
  send(cluster_record::rotate_key{.key = next_key(http::refresh_half::kept),
                                  .by = {.who = "the cluster", .why = "signing keys are changed every 30 days"},
                                  .distrust_others = false});
}

cluster_record::signing_key membership::next_key(http::refresh_half refresh) const {
  return http::next_key(*record(), first_keys_, with_.ids, with_.time.wall(), refresh);
}

// Who can be reached, this node included. A node that is about to stop counts as gone: it is to lead nothing more.
bool membership::is_reachable(node_id node) const {
  return node == self_ || (with_.others->link().is_up(node) && is_settled(node) && !with_.others->others().is_leaving(node));
}

void membership::tend_shards(const cluster_record::record& now) {
  std::vector<node_id> living;
  for (const auto* node : cluster_record::living_nodes(now)) living.push_back(node->id);
  const auto views = with_.log.views();
  const auto may = cluster::may_step(plan_input_of(now, views));
  for (const auto& view : views) {
    if (!view.leading || !view.serving || view.shard >= now.desired.size() || !may[view.shard]) continue;
    if (*steps_ >= static_cast<int>(now.settings.moves_max)) return;
    auto seen = cluster::seen_of(view, self_, living, [this](node_id node) { return is_reachable(node); });
    for (auto& member : seen.members) member.may_lead = may_lead(view.shard, member.node);
    if (const auto step = cluster::next_step(wish_of(now, view.shard), seen)) take(view.shard, *step);
  }
}

cluster::shard_wish membership::wish_of(const cluster_record::record& now, std::uint16_t shard) const {
  cluster::shard_wish wish{.voters = now.desired[shard].voters, .standbys = {}};
  for (const auto* node : cluster_record::living_nodes(now)) {
    // Lists and projections are read on every node, so everybody gets every log.
    if (shard == group_ || cluster_record::is_serving(*node)) wish.standbys.push_back(node->id);
  }
  return wish;
}

bool membership::may_lead(std::uint16_t shard, node_id node) const {
  return pauses_->may_try(shard, node, with_.time.monotonic());
}

std::function<void(const status&)> membership::note_transfer(std::uint16_t shard, node_id node) const {
  return [all = pauses_, &time = with_.time, shard, node](const status& ended) {
    if (ended) return all->succeeded(shard, node);
    // Otherwise it was not even offered.
    if (ended.error().is(base_errc::timeout)) all->failed(shard, node, time.monotonic());
  };
}

void membership::take(std::uint16_t shard, const cluster::shard_step& step) {
  ++*steps_;
  auto note = step.what == cluster::shard_step::kind::transfer ? note_transfer(shard, step.node) : nullptr;
  auto done = [open = steps_, note = std::move(note), shard, step](status ended) {
    --*open;
    if (note) note(ended);
    const bool expected = ended || ended.error().is(base_errc::overloaded) || ended.error().is(base_errc::unavailable);
    if (expected) return;
    log::warning("a shard's step was not taken",
                 {{"shard", shard}, {"step", to_string(step.what)}, {"node", step.node}, {"why", ended.error().detail}});
  };
  cluster::take_step(with_.log, shard, step, std::move(done));
}

// Where the record's group is led.
void membership::plan_placement(const cluster_record::record& now) {
  for (const auto& node : now.nodes) {
    if (node.state == cluster_record::node_state::joining && is_reachable(node.id)) {
      return send(cluster_record::ready{node.id});
    }
  }
  cluster_record::place places;
  for (auto& [shard, voters] : cluster::plan(plan_input_of(now, with_.log.views()))) places.shards.push_back({shard, std::move(voters)});
  if (!places.shards.empty()) send(std::move(places), watch_.version());
}

cluster::plan_input membership::plan_input_of(const cluster_record::record& now,
                                              const std::vector<cluster::replica_view>& views) {
  cluster::plan_input in;
  in.replicas = now.settings.replicas;
  in.moves_max = now.settings.moves_max;
  for (const auto* node : cluster_record::living_nodes(now)) {
    if (!cluster_record::is_serving(*node)) continue;
    in.nodes.push_back({.node = node->id,
                        .active = node->state == cluster_record::node_state::active,
                        .reachable = !with_.others || is_reachable(node->id),
                        .dead = silent_for(node->id) >= dead_after});
  }
  for (const auto& wish : now.desired) in.wanted.push_back({.voters = wish.voters, .pinned = wish.pinned});
  in.seen.resize(in.wanted.size());
  for (const auto& view : views) {
    if (view.shard < in.seen.size()) in.seen[view.shard] = {.voters = raft::voters_of(view.members), .leader = view.leader};
  }
  return in;
}

bool membership::hand_over() {
  if (!with_.others) return true;
  bool nothing = true;
  for (const auto& view : with_.log.views()) {
    if (!view.leading) continue;
    const auto to = cluster::heir_of(view, [&](node_id node) { return is_reachable(node) && may_lead(view.shard, node); });
    if (to == cluster::no_node) {
      // One that has just come, or did not take over, may take it in a moment.
      const auto is_up = [this](node_id node) {
        return with_.others->link().is_up(node) && !with_.others->others().is_leaving(node);
      };
      nothing = nothing && cluster::heir_of(view, is_up) == cluster::no_node;
      continue;
    }
    nothing = false;
    if (view.serving) with_.log.transfer(view.shard, to, note_transfer(view.shard, to));
  }
  return nothing;
}

}  // namespace omnicart::node
