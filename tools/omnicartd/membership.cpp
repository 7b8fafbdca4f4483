#include "tools/omnicartd/membership.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "config/load.hpp"
#include "runtime/log.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms founding_within{10'000};
constexpr duration_ms key_signs_for = std::chrono::hours(30 * 24);
constexpr std::size_t half = cluster_record::key_secret_bytes / 2;

std::string secret_of(const http::token_keys& keys) {
  std::string secret(keys.access.begin(), keys.access.end());
  secret.append(keys.refresh.begin(), keys.refresh.end());
  return secret;
}

std::array<unsigned char, half> part_of(const std::string& secret, std::size_t from) {
  std::array<unsigned char, half> part{};
  std::copy_n(secret.begin() + static_cast<std::ptrdiff_t>(from), half, part.begin());
  return part;
}

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
    : with_(with), group_(with.shard_count), first_keys_(first_keys), watch_(with.store, with.shard_count) {}

cluster_record::node membership::self() const {
  const auto& o = with_.options;
  cluster_record::node us;
  us.id = static_cast<cluster_record::node_id>(o.cluster.node);
  us.name = "node-" + std::to_string(us.id);
  us.link = with_.others ? with_.others->address() : std::string();
  us.state = cluster_record::node_state::active;
  return us;
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
  const auto lives = key_signs_for * 2 + std::chrono::seconds(with_.options.sessions.access_token_ttl_s);
  what.keys = {{.number = 1, .secret = secret_of(first_keys_), .active_from = now, .expires_at = now + lives}};
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
  tell_addresses(*now);
  if (with_.others) tend_shards(*now);
  const auto time = with_.time.monotonic();
  if (time < next_plan_ || *under_way_ > 0 || !with_.log.leads(group_)) return;
  next_plan_ = time + duration_ms{200};
  if (const char* t = std::getenv("OMNICART_TEMP_JOIN")) {
    std::string all = t; std::size_t b = 0;
    while (b < all.size()) {
      auto e = all.find(',', b); if (e == all.npos) e = all.size();
      auto one = all.substr(b, e - b); b = e + 1;
      auto at = one.find('@');
      cluster_record::node n; n.id = std::stoull(one.substr(0, at)); n.name = "node-" + one.substr(0, at); n.link = one.substr(at + 1);
      if (!cluster_record::find(*now, n.id)) { send(cluster_record::join{n, {"me", "temp"}}); return; }
    }
  }
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
    if (each->id == self().id || !where) continue;
    members.push_back({each->id, where->host, static_cast<std::uint16_t>(where->port)});
  }
  with_.others->follow(std::move(members));
}

// The newest key in force signs; all that have not expired are believed.
void membership::use_keys(const cluster_record::record& now) {
  const auto time = with_.time.wall();
  const auto* signing = cluster_record::key_to_sign(now, time);
  if (!signing) signing = now.keys.empty() ? nullptr : &now.keys.back();
  if (!signing) return;
  http::token_keyring ring;
  ring.signing = {.access = part_of(signing->secret, 0), .refresh = part_of(signing->secret, half)};
  for (auto key = now.keys.rbegin(); key != now.keys.rend(); ++key) {
    if (key->number != signing->number && key->expires_at > time) ring.believed.push_back(part_of(key->secret, 0));
  }
  with_.tokens.use(std::move(ring));
}

void membership::tell_addresses(const cluster_record::record& now) {
  const auto us = self();
  const auto* known = cluster_record::find(now, us.id);
  if (!known || known->link == us.link || *under_way_ > 0) return;
  send(cluster_record::update_addresses{.id = us.id, .link = us.link, .http = known->http, .operators = known->operators});
}

void membership::rotate_keys(const cluster_record::record& now) {
  const auto time = with_.time.wall();
  if (now.keys.empty() || time < now.keys.back().active_from + key_signs_for) return;
  const auto& newest = now.keys.back();
  const auto random = with_.ids.next(), more = with_.ids.next();
  std::string secret;
  for (const auto word : {random.high, random.low, more.high, more.low}) {
    for (int shift = 0; shift < 64; shift += 8) secret += static_cast<char>(word >> shift & 255);
  }
  // Nodes that are busy hear of it a little later than others.
  const auto from = time + std::chrono::minutes(1);
  send(cluster_record::rotate_key{
      .key = {.number = newest.number + 1,
              .secret = secret + newest.secret.substr(half),
              .active_from = from,
              .expires_at = from + key_signs_for * 2},
      .by = {.who = "the cluster", .why = "signing keys are changed every 30 days"}});
}

// TEMP
void membership::tend_shards(const cluster_record::record& now) {
  for (const auto& view : with_.log.views()) {
    if (!view.leading || !view.serving || view.shard >= now.desired.size()) continue;
    const auto& want = now.desired[view.shard].voters;
    for (const auto id : want) {
      const auto* there = raft::find(view.members, id);
      if (!there) {
        with_.log.change_membership(view.shard, {raft::membership_change::kind::add, id, raft::role::spare}, [](status) {});
        break;
      }
      if (there->as == raft::role::voter) continue;
      const auto at = std::find_if(view.followers.begin(), view.followers.end(), [&](const auto& f) { return f.node == id; });
      using cs = raft::raft_group::catch_up_state;
      if (at->catch_up == cs::done) {
        with_.log.change_membership(view.shard, {raft::membership_change::kind::assign, id, raft::role::voter}, [](status) {});
      } else if (at->catch_up != cs::running) {
        with_.log.catch_up(view.shard, id, [](status) {});
      }
      break;
    }
  }
}

void membership::plan_placement(const cluster_record::record& now) {
  std::vector<cluster_record::node_id> active;
  for (const auto& n : now.nodes) {
    if (n.state == cluster_record::node_state::joining && with_.others->link().is_up(n.id)) {
      send(cluster_record::ready{n.id});
      return;
    }
    if (n.state == cluster_record::node_state::active) active.push_back(n.id);
  }
  if (active.size() > 3) active.resize(3);
  cluster_record::place what;
  for (std::uint16_t s = 0; s < now.desired.size(); ++s) {
    if (now.desired[s].voters.size() < active.size()) {
      auto v = active;
      std::rotate(v.begin(), v.begin() + s % static_cast<int>(active.size()), v.end());
      what.shards.push_back({s, v});
    }
  }
  if (!what.shards.empty()) send(std::move(what), watch_.version());
}

bool membership::hand_over() {
  bool nothing = true;
  for (const auto& view : with_.log.views()) {
    if (!view.leading) continue;
    const auto best = std::max_element(view.followers.begin(), view.followers.end(),
                                       [](const auto& a, const auto& b) { return a.match < b.match; });
    if (best == view.followers.end() || !with_.others || !with_.others->link().is_up(best->node)) continue;
    nothing = false;
    if (view.serving) with_.log.transfer(view.shard, best->node, [](status) {});
  }
  return nothing;
}

}  // namespace omnicart::node
