#include "tests/sim/sim_cluster.hpp"

#include <algorithm>
#include <utility>

#include "cluster/shard_steps.hpp"
#include "tests/sim/describe_view.hpp"

namespace omnicart::sim {
namespace {

constexpr int moves_max = 4;  // of one node at once: cluster settings' moves_max

}  // namespace

sim_cluster::sim_cluster(timeline& time, sim_provider& provider, sim_checks& checks, node_id nodes,
                         const node_options& like, std::function<void(node_id)> died)
    : time_(time),
      checks_(checks),
      group_count_(omnicart::group_count(like.shard_count)),
      died_(std::move(died)),
      net_(time),
      terms_(checks),
      hashes_(checks, group_count_),
      log_(checks, hashes_, group_count_),
      wishes_(group_count_) {
  const std::int64_t fast_max = time.chance(30) ? 100 : 0;
  for (node_id id = 1; id <= nodes; ++id) {
    const duration_ms up{time.between(1, 100'000'000)};
    const auto fast = time.between(0, fast_max);
    auto fresh = std::make_unique<member>(time, up, fast);
    fresh->landed.resize(group_count_);
    node_options with = like;
    with.self = id;
    with.founder = id == 1;
    with.seed = static_cast<unsigned>(time.below(UINT32_MAX));
    fresh->machine = std::make_unique<sim_node>(
        time, provider.gateway_of(timeline::owner_of(id)), with, watch(id),
        surroundings{.time = &fresh->clock, .net = &net_.join(id), .fast = fast});
    members_.push_back(std::move(fresh));
  }
}

sim_cluster::~sim_cluster() = default;

// --- what is seen of a node
// ------------------------------------------------------------------------

sim_node::hooks sim_cluster::watch(node_id id) {
  sim_node::hooks hooks;
  hooks.committed = [this, id](const persistence::committed_batch& batch) {
    if (time_.is_read() && log_.last(batch.entries.front().shard) < batch.entries.front().index)
      note_entries(batch);
    log_.applied(id, batch, node(id).data());
  };
  hooks.effect = [this](const entity_ref& from, const envelope& what) {
    checks_.effect_sent(from, what);
  };
  hooks.snapshot = [] {};
  hooks.fatal = [this, id](const std::string& why) {
    time_.note("the journal of " + name_of(id) + " ends the process: " + why);
    at(id).dying = true;
  };
  hooks.leadership = [this, id](std::uint16_t shard, std::uint64_t term) {
    if (term != 0) took_office(id, shard, term);
    time_.note(name_of(id) + (term == 0 ? " leads no more shard " : " leads shard ") +
               std::to_string(shard) + (term == 0 ? "" : " in term " + std::to_string(term)));
  };
  hooks.sent = [this](const std::vector<cluster::shard_message>& messages) {
    terms_.sent(messages);
  };
  hooks.installed = [this, id](std::uint16_t shard, std::uint64_t through) {
    time_.note(name_of(id) + " has copied shard " + std::to_string(shard) + " through " +
               std::to_string(through));
    at(id).landed[shard] = 0;
    taken_.add(harm::copied);
  };
  hooks.round = [this, id] { after_round(id); };
  hooks.tick = [this, id] { tend_shards(id); };
  return hooks;
}

// While it starts, what it has applied cannot be asked for yet.
void sim_cluster::took_office(node_id id, std::uint16_t shard, std::uint64_t term) {
  const auto committed = log_.last(shard);
  const auto applied = up(id) ? node(id).log().last_index(shard) : committed;
  terms_.in_office(shard, term, id, applied, committed);
}

void sim_cluster::note_entries(const persistence::committed_batch& batch) {
  for (const auto& [shard, index, entry] : batch.entries) {
    for (const auto& part : entry.items) {
      time_.note("  " + std::to_string(shard) + ':' + std::to_string(index) + ' ' + part.kind +
                 '/' + part.id + " v" + std::to_string(part.first_version));
    }
  }
}

void sim_cluster::after_round(node_id id) {
  auto& own = at(id);
  if (own.dying || own.machine->disk().power_is_cut()) return;
  check_leases();
  auto& log = own.machine->log();
  for (std::uint16_t shard = 0; shard < group_count_; ++shard) {
    const auto applied = log.last_index(shard);
    if (own.landed[shard] == applied || !log.views()[shard].whole) continue;
    const auto before = std::exchange(own.landed[shard], applied);
    hashes_.compare(id, shard, before, applied, own.machine->data());
  }
}

void sim_cluster::check_leases() {
  for (std::uint16_t shard = 0; shard < group_count_; ++shard) {
    std::vector<node_id> reading;
    for (node_id id = 1; id <= size(); ++id) {
      auto& each = at(id);
      if (!up(id) || each.dying || each.machine->disk().power_is_cut()) continue;
      if (each.machine->log().may_read(shard)) reading.push_back(id);
    }
    terms_.reading(shard, reading);
  }
}

// As tools/omnicartd/membership does it, with the story's wishes for the cluster's record.
void sim_cluster::tend_shards(node_id id) {
  auto& own = at(id);
  auto& log = own.machine->log();
  std::vector<node_id> living;
  for (node_id each = 1; each <= size(); ++each) living.push_back(each);
  const auto reachable = [&](node_id other) { return other == id || net_.join(id).is_up(other); };
  for (const auto& view : log.views()) {
    if (!view.leading || !view.serving || *own.steps >= moves_max) continue;
    const auto seen = cluster::seen_of(view, id, living, reachable);
    const auto step = cluster::next_step(wishes_[view.shard], seen);
    if (!step) continue;
    time_.note(name_of(id) + " wants shard " + std::to_string(view.shard) + " to " +
               cluster::to_string(step->what) + ' ' + std::to_string(step->node));
    ++*own.steps;
    cluster::take_step(log, view.shard, *step,
                       [this, open = own.steps, what = step->what](const status& how) {
                         --*open;
                         if (how) step_taken(what);
                       });
  }
}

void sim_cluster::step_taken(cluster::shard_step::kind what) {
  using kind = cluster::shard_step::kind;
  if (what == kind::make_standby) taken_.add(harm::made_standby);
  if (what == kind::promote) taken_.add(harm::promoted);
  if (what == kind::remove) taken_.add(harm::removed);
  if (what == kind::transfer) taken_.add(harm::transferred);
}

// --- machines
// --------------------------------------------------------------------------------------

void sim_cluster::start(node_id id, std::optional<std::uint64_t> power_at) {
  auto& own = at(id);
  own.steps = std::make_shared<int>(0);
  std::fill(own.landed.begin(), own.landed.end(), 0);
  net_.boot(id);
  const bool resumes = std::exchange(own.keeps_memory, false);
  if (!resumes) own.counted = {};
  const auto started =
      resumes ? own.machine->resume() : own.machine->start(std::move(own.disk), power_at);
  if (started) {
    time_.note(name_of(id) + " starts");
    if (own.machine->disk().power_is_cut()) return;
    for (std::uint16_t shard = 0; shard < group_count_; ++shard)
      log_.started(id, shard, own.machine->log().last_index(shard), own.machine->data());
  } else if (!own.machine->disk().power_is_cut()) {
    checks_.violate("what a crash leaves is a store that opens",
                    name_of(id) + ": " + started.error().detail);
  } else {
    time_.note("the power goes while " + name_of(id) + " starts");
    taken_.add(harm::cut_at_start);
    count_disk(own);
    own.disk = own.machine->crash();
    net_.end(id, sim_network::ending::machine);
    died_(id);
  }
}

void sim_cluster::end(node_id id, ending how) {
  auto& own = at(id);
  const bool power_is_gone = own.machine->disk().power_is_cut();
  switch (how) {
    case ending::killed:
      time_.note(name_of(id) + " is killed");
      own.machine->kill();
      own.keeps_memory = true;
      break;
    case ending::power_lost:
      time_.note("the power of " + name_of(id) + " is lost");
      own.disk = own.machine->crash();
      break;
    case ending::stopped:
      time_.note(name_of(id) + " stops");
      own.disk = own.machine->stop();
      break;
  }
  own.dying = false;
  if (power_is_gone) taken_.add(harm::power_cut);
  count_disk(own);
  const bool quiet = how == ending::power_lost || (power_is_gone && how != ending::killed);
  net_.end(id, quiet ? sim_network::ending::machine : sim_network::ending::process);
  died_(id);
}

std::vector<node_id> sim_cluster::doomed() const {
  std::vector<node_id> ended;
  for (node_id id = 1; id <= size(); ++id) {
    if (up(id) && (at(id).dying || at(id).machine->disk().power_is_cut())) ended.push_back(id);
  }
  return ended;
}

void sim_cluster::count_disk(member& own) {
  const auto now = own.machine->disk().counters();
  taken_.add(harm::failed_sync, now.failed_syncs - own.counted.failed_syncs);
  taken_.add(harm::no_space, now.refused_appends - own.counted.refused_appends);
  own.counted = now;
}

toll sim_cluster::taken() const {
  toll all = taken_;
  all.add(net_.taken());
  return all;
}

bool sim_cluster::storage_failed(node_id id) {
  if (!up(id)) return false;
  const auto refusing = node(id).log().refusing();
  return refusing && refusing->is(base_errc::unknown_outcome);
}

void sim_cluster::jump_clock(node_id id, duration_ms ahead) {
  at(id).clock.be_ahead(ahead);
  if (up(id)) time_.reach(timeline::owner_of(id), [this, id] { node(id).look_at_clock(); });
}

void sim_cluster::stand_still(node_id id, duration_ms span) {
  time_.note(name_of(id) + " stands still");
  taken_.add(harm::stood_still);
  const auto whose = timeline::owner_of(id);
  const auto number = time_.hold(whose);
  net_.stands_still(id);
  time_.after(span, timeline::owner::world, [this, id, whose, number] {
    if (time_.release(whose, number)) go_on(id);
  });
}

void sim_cluster::go_on(node_id id) {
  time_.note(name_of(id) + " goes on");
  net_.goes_on(id);
  for (std::uint16_t shard = 0; shard < group_count_; ++shard) {
    const auto led = node(id).log().term(shard);
    if (led != 0 && leader(shard) != id) taken_.add(harm::overtaken);
  }
}

void sim_cluster::skip(duration_ms span) {
  time_.shift_wall(span);
  for (node_id id = 1; id <= size(); ++id) {
    if (up(id)) node(id).look_at_clock();
  }
}

// --- shards
// ----------------------------------------------------------------------------------------

node_id sim_cluster::leader(std::uint16_t shard) {
  node_id found = 0;
  std::uint64_t term = 0;
  for (node_id id = 1; id <= size(); ++id) {
    if (!up(id) || node(id).log().term(shard) <= term) continue;
    found = id;
    term = node(id).log().term(shard);
  }
  return found;
}

bool sim_cluster::holds(node_id id, std::uint16_t shard) {
  const auto members = node(leader(shard)).log().views()[shard].members;
  const auto* found = raft::find(members, id);
  return found != nullptr && found->as != raft::role::spare;
}

bool sim_cluster::agreed() {
  for (std::uint16_t shard = 0; shard < group_count_; ++shard) {
    const auto lead = leader(shard);
    if (lead == 0) return false;
    const auto seen = node(lead).log().views()[shard];
    if (seen.applied != seen.last) return false;
    for (const auto& each : seen.members.servers) {
      if (each.as == raft::role::spare) continue;
      if (!up(each.node)) return false;
      const auto view = node(each.node).log().views()[shard];
      if (!view.whole || view.applied != seen.last) return false;
    }
  }
  return true;
}

void sim_cluster::compare_replicas() {
  for (std::uint16_t shard = 0; shard < group_count_; ++shard) {
    const auto members = node(leader(shard)).log().views()[shard].members;
    for (const auto& each : members.servers) {
      if (each.as == raft::role::spare) continue;
      auto& holder = node(each.node);
      hashes_.compare_all(each.node, shard, holder.log().last_index(shard), holder.data());
    }
  }
}

std::string sim_cluster::describe() {
  std::string text;
  for (node_id id = 1; id <= size(); ++id) {
    text += "\n  " + name_of(id) + (up(id) ? "" : " is down");
    if (!up(id)) continue;
    for (const auto& view : node(id).log().views()) text += "\n    " + sim::describe(view);
  }
  return text;
}

}  // namespace omnicart::sim
