#include "tests/unit/raft/raft_cluster.hpp"

#include <algorithm>

#include "cluster/raft/message_codec.hpp"

namespace omnicart::raft {
namespace {

std::string name(const log_entry& e) {
  return std::to_string(e.index) + "^" + std::to_string(e.term);
}

bool same(const log_entry& a, const log_entry& b) {
  return a.term == b.term && a.type == b.type &&
         (a.bytes ? *a.bytes : "") == (b.bytes ? *b.bytes : "");
}

}  // namespace

raft_cluster::raft_cluster(cluster_options options)
    : options_(std::move(options)), random_(options_.seed) {
  configuration members;
  for (const auto id : options_.voters) members.servers.push_back({.node = id, .as = role::voter});
  auto all = options_.voters;
  all.insert(all.end(), options_.joiners.begin(), options_.joiners.end());
  for (const auto id : all) {
    auto n = std::make_unique<node_state>();
    n->id = id;
    n->disk_us = options_.disk_us_max;
    n->clock_offset_us = pick(0, 1'000'000);
    const auto drift_ppm = options_.clock_drift_percent_max * 10'000;
    n->clock_rate_ppm = 1'000'000 + pick(-drift_ppm, drift_ppm);
    if (std::ranges::find(options_.voters, id) != options_.voters.end()) {
      n->disk.hard.term = 1;
      n->disk.entries[1] = first_entry(members);
    }
    nodes_[id] = std::move(n);
  }
  for (const auto id : all) start(id);
}

std::int64_t raft_cluster::pick(std::int64_t low, std::int64_t high) {
  return low >= high ? low
                     : low + static_cast<std::int64_t>(random_() %
                                                       static_cast<std::uint64_t>(high - low + 1));
}

monotonic_time raft_cluster::local(const node_state& n) const {
  return monotonic_time{(n.clock_offset_us + now_us_ * (n.clock_rate_ppm / 1000) / 1000) / 1000};
}

std::int64_t raft_cluster::global_us(const node_state& n, monotonic_time local_time) const {
  // Rounded up: a timer never fires early.
  return (local_time.count() * 1000 - n.clock_offset_us) * 1000 / (n.clock_rate_ppm / 1000) + 1;
}

void raft_cluster::later(std::int64_t delay_us, std::function<void()> run) {
  events_.push({.at_us = now_us_ + delay_us, .order = next_order_++, .run = std::move(run)});
}

void raft_cluster::start(node_id node) {
  auto& n = at(node);
  ++n.life;
  auto options = options_.group;
  options.self = node;
  options.seed = static_cast<unsigned>(random_());
  n.group = std::make_unique<raft_group>(options);
  stored_state stored{.hard = n.disk.hard, .snapshot = n.disk.snapshot};
  for (const auto& [index, e] : n.disk.entries) stored.entries.push_back(e);
  n.log = n.disk.entries;
  n.content = n.disk.content;
  n.checked = n.content.index;
  n.disk_free_us = now_us_;
  auto begun = n.group->start(local(n), stored);
  law(begun.has_value(), "what is on disk starts: " + (begun ? "" : begun.error().detail));
  handle(n, std::move(*begun));
}

void raft_cluster::crash(node_id node) {
  auto& n = at(node);
  if (!n.group) return;
  // The system may have written some of what nobody waited for.
  const auto survive = pick(0, static_cast<std::int64_t>(n.writing.size()));
  for (std::int64_t i = 0; i < survive; ++i)
    apply_write(n.disk, n.writing[static_cast<std::size_t>(i)]);
  n.writing.clear();
  n.waiting.clear();
  n.group.reset();
  n.next_write_fails = false;
  ++n.life;
}

void raft_cluster::fail_next_write(node_id node) { at(node).next_write_fails = true; }

void raft_cluster::calm() {
  options_.network = {};
  for (auto& [id, n] : nodes_) n->next_write_fails = false;
}

void raft_cluster::isolate(node_id node) {
  for (const auto& [other, n] : nodes_) {
    if (other == node) continue;
    cut(node, other);
    cut(other, node);
  }
}

std::optional<log_index> raft_cluster::submit(node_id node, const std::string& text) {
  auto& n = at(node);
  if (!n.group) return std::nullopt;
  auto done = n.group->submit(local(n), {text});
  if (!done) return std::nullopt;
  const auto index = done->entries.front().index;
  n.waiting.push_back({.index = index, .term = n.group->term(), .text = text});
  handle(n, std::move(*done));
  return index;
}

bool raft_cluster::transfer(node_id from, node_id to) {
  auto& n = at(from);
  auto done = n.group ? n.group->transfer(local(n), to) : fail(base_errc::unavailable);
  if (done) handle(n, std::move(*done));
  return done.has_value();
}

bool raft_cluster::change(node_id leader, const membership_change& change) {
  auto& n = at(leader);
  auto done = n.group ? n.group->change_membership(local(n), change) : fail(base_errc::unavailable);
  if (done) handle(n, std::move(*done));
  return done.has_value();
}

bool raft_cluster::catch_up(node_id leader, node_id node) {
  auto& n = at(leader);
  auto done = n.group ? n.group->catch_up(local(n), node) : fail(base_errc::unavailable);
  if (done) handle(n, std::move(*done));
  return done.has_value();
}

bool raft_cluster::take_snapshot(node_id node) {
  auto& n = at(node);
  if (!n.group) return false;
  const auto taken = n.group->describe_snapshot(n.content.index);
  if (!taken) return false;
  n.disk.snapshot = *taken;
  n.disk.content = n.content;
  handle(n, n.group->snapshot_taken(local(n), *taken, options_.trailing));
  n.disk.entries.erase(n.disk.entries.begin(), n.disk.entries.lower_bound(n.group->first_index()));
  n.log.erase(n.log.begin(), n.log.lower_bound(n.group->first_index()));
  return true;
}

void raft_cluster::run_for(std::int64_t ms) {
  const auto until_us = now_us_ + ms * 1000;
  while (step(until_us)) {
  }
  now_us_ = until_us;
}

bool raft_cluster::run_until(const std::function<bool()>& reached, std::int64_t ms) {
  const auto until_us = now_us_ + ms * 1000;
  while (!reached()) {
    if (!step(until_us)) return false;
  }
  return true;
}

// The next event or timer before `until_us`.
bool raft_cluster::step(std::int64_t until_us) {
  node_state* due = nullptr;
  std::int64_t due_us = until_us;
  for (auto& [id, n] : nodes_) {
    if (!n->group) continue;
    const auto at_us = std::max(now_us_, global_us(*n, n->group->next_timeout()));
    if (at_us < due_us) {
      due = n.get();
      due_us = at_us;
    }
  }
  if (!events_.empty() && events_.top().at_us <= due_us) {
    auto next = events_.top();
    if (next.at_us > until_us) return false;
    events_.pop();
    now_us_ = std::max(now_us_, next.at_us);
    next.run();
    return true;
  }
  if (due == nullptr) return false;
  now_us_ = due_us;
  handle(*due, due->group->timeout(local(*due)));
  return true;
}

void raft_cluster::handle(node_state& n, update u) {
  if (!u.entries.empty()) {
    n.log.erase(n.log.lower_bound(u.entries.front().index), n.log.end());
    for (const auto& e : u.entries) n.log[e.index] = e;
  }
  if (u.write != 0) write(n, {.write = u.write, .hard = u.hard, .entries = std::move(u.entries)});
  for (const auto& m : u.messages) send(m);
  for (const auto& wanted : u.reads) read_entries(n, wanted);
  if (u.install) {
    n.log.clear();
    fetch_snapshot(n, *u.install, 5);
  }
  check_leader(n);
  check_commits(n);
  acknowledge(n);
  apply(n);
  check_reads();
}

void raft_cluster::write(node_state& n, pending_write w) {
  n.writing.push_back(std::move(w));
  n.disk_free_us = std::max(n.disk_free_us, now_us_) + pick(n.disk_us / 10, n.disk_us);
  later(n.disk_free_us - now_us_, [this, &n, life = n.life] {
    if (n.life == life) complete_write(n);
  });
}

void raft_cluster::apply_write(disk_state& disk, const pending_write& w) {
  if (w.hard) disk.hard = *w.hard;
  if (w.install) {
    disk.snapshot = w.install->first;
    disk.content = w.install->second;
    disk.entries.clear();
  }
  if (w.entries.empty()) return;
  disk.entries.erase(disk.entries.lower_bound(w.entries.front().index), disk.entries.end());
  for (const auto& e : w.entries) disk.entries[e.index] = e;
}

void raft_cluster::complete_write(node_state& n) {
  if (n.next_write_fails) {
    n.writing.clear();  // nothing of it, and the process ends
    crash(n.id);
    return;
  }
  auto done = std::move(n.writing.front());
  n.writing.pop_front();
  apply_write(n.disk, done);
  if (done.install) {
    ++installs_;
    n.content = done.install->second;
    n.checked = n.content.index;
    handle(n, n.group->snapshot_installed(local(n), done.install->first));
  } else {
    handle(n, n.group->persisted(local(n), done.write));
  }
}

void raft_cluster::send(const message& m) {
  if (filter && !filter(m)) return;
  const auto& net = options_.network;
  if (chance(net.lost_percent)) return;
  const int copies = chance(net.doubled_percent) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const auto delay_us = chance(net.late_percent) ? pick(net.delay_us_max, net.late_us_max)
                                                   : pick(net.delay_us_min, net.delay_us_max);
    // As bytes, as everywhere.
    later(delay_us, [this, frame = encode_frame({{.group = 1, .content = m}})] {
      const auto decoded = decode_frame(frame);
      law(decoded && decoded->size() == 1, "a frame reads back");
      deliver(decoded->front().content);
    });
  }
}

void raft_cluster::deliver(const message& m) {
  const auto to = nodes_.find(m.to);
  if (to == nodes_.end() || !to->second->group || cuts_.contains({m.from, m.to})) return;
  auto& n = *to->second;
  auto done = n.group->receive(local(n), m);
  law(done.has_value() || done.error().is(base_errc::malformed),
      "node " + std::to_string(m.to) + ": " + (done ? "" : done.error().detail));
  law(done.has_value(), "a sound message is taken: " + (done ? "" : done.error().detail));
  handle(n, std::move(*done));
}

void raft_cluster::read_entries(node_state& n, const entries_wanted& wanted) {
  ++reads_;
  std::vector<log_entry> entries;
  for (log_index i = wanted.first; i < wanted.first + wanted.count; ++i) {
    const auto e = n.disk.entries.find(i);
    if (e != n.disk.entries.end()) entries.push_back(e->second);
  }
  later(pick(50, 2'000), [this, &n, life = n.life, wanted, entries = std::move(entries)] {
    if (n.life != life) return;
    for (const auto& m : n.group->complete_append(wanted, entries)) send(m);
  });
}

// The content may be newer than the snapshot asked for: stores do not keep old states.
void raft_cluster::fetch_snapshot(node_state& n, const snapshot_wanted& wanted, int attempts) {
  later(pick(1'000, 30'000), [this, &n, life = n.life, wanted, attempts] {
    if (n.life != life) return;
    const auto& source = at(wanted.from);
    const bool reachable =
        source.group && !cuts_.contains({n.id, source.id}) && !cuts_.contains({source.id, n.id});
    if (reachable && source.content.index >= wanted.metadata.index) {
      pending_write w;
      w.install = {wanted.metadata, source.content};
      write(n, std::move(w));
    } else if (attempts > 1) {
      fetch_snapshot(n, wanted, attempts - 1);
    } else {
      crash(n.id);
      start(n.id);
    }
  });
}

void raft_cluster::check_commits(node_state& n) {
  for (auto index = n.checked + 1; index <= n.group->commit_index(); ++index) {
    const auto mine = n.log.find(index);
    if (mine == n.log.end()) break;  // in a snapshot that is on its way
    const auto [first, is_new] = committed_.emplace(index, mine->second);
    law(is_new || same(first->second, mine->second),
        "node " + std::to_string(n.id) + " commits " + name(mine->second) + ", another committed " +
            name(first->second));
    n.checked = index;
  }
}

void raft_cluster::apply(node_state& n) {
  if (!n.group) return;
  while (n.content.index < n.group->applicable_index()) {
    const auto e = n.log.find(n.content.index + 1);
    law(e != n.log.end(), "what is to be applied is there");
    if (e->second.type == entry_type::command) n.content.texts.push_back(*e->second.bytes);
    ++n.content.index;
  }
  const auto before = n.disk.snapshot ? n.disk.snapshot->index : 0;
  if (options_.snapshot_every != 0 && n.content.index >= before + options_.snapshot_every)
    take_snapshot(n.id);
}

void raft_cluster::acknowledge(node_state& n) {
  const auto& g = *n.group;
  std::erase_if(n.waiting, [&](const submitted& s) {
    if (g.term() != s.term || g.current_state() != state::leader) return true;  // unknown for ever
    if (g.commit_index() < s.index) return false;
    acknowledged_[s.index] = s.text;
    return true;
  });
}

void raft_cluster::check_leader(node_state& n) {
  const auto term = n.group->term();
  // A leader whose term no disk knows is none yet: nothing leaves it.
  if (n.group->current_state() != state::leader || n.disk.hard.term < term) return;
  const auto [first, is_new] = leaders_.emplace(term, std::pair(n.id, n.life));
  law(is_new || first->second == std::pair(n.id, n.life),
      "two leaders in term " + std::to_string(term));
  if (!is_new) return;
  for (const auto& [index, e] : committed_) {
    if (index < n.group->first_index()) continue;
    law(n.group->term_at(index) == e.term,
        "the leader of term " + std::to_string(term) + " lacks " + name(e));
  }
}

bool raft_cluster::may_read(node_id node) {
  if (node == 0) return false;
  auto& n = at(node);
  return n.group && n.group->may_read(local(n), n.content.index);
}

void raft_cluster::check_reads() {
  for (const auto& [id, n] : nodes_) {
    if (!may_read(id)) continue;
    law(n->group->term() == leaders_.rbegin()->first,
        "node " + std::to_string(id) + " reads in term " + std::to_string(n->group->term()) +
            ", term " + std::to_string(leaders_.rbegin()->first) + " has a leader");
    law(acknowledged_.empty() || acknowledged_.rbegin()->first <= n->group->commit_index(),
        "a read misses a write");
  }
}

std::vector<node_id> raft_cluster::nodes() const {
  std::vector<node_id> ids;
  for (const auto& [id, n] : nodes_) ids.push_back(id);
  return ids;
}

node_id raft_cluster::leader() const {
  node_id best = 0;
  term_number term = 0;
  for (const auto& [id, n] : nodes_) {
    if (n->group && n->group->current_state() == state::leader && n->group->term() > term) {
      best = id;
      term = n->group->term();
    }
  }
  return best;
}

node_id raft_cluster::wait_for_leader() {
  const bool found = run_until([&] { return leader() != 0 && may_read(leader()); });
  law(found, "a leader is found among" + describe());
  return leader();
}

std::string raft_cluster::describe() const {
  std::string text;
  for (const auto& [id, n] : nodes_) {
    text += "\n  node " + std::to_string(id) + ": ";
    if (!n->group) {
      text += "down";
      continue;
    }
    const auto& g = *n->group;
    text += std::string(to_string(g.current_state())) + " in term " + std::to_string(g.term()) +
            ", log " + std::to_string(g.first_index()) + ".." + std::to_string(g.last_index()) +
            " (last term " + std::to_string(g.term_at(g.last_index())) + "), committed " +
            std::to_string(g.commit_index()) + ", stored " + std::to_string(g.stored_index()) +
            ", applicable " + std::to_string(g.applicable_index()) + ", barrier " +
            std::to_string(g.barrier_index()) + ", leader " + std::to_string(g.leader()) +
            ", applied " + std::to_string(n->content.index) + ", members";
    for (const auto& s : g.members().servers) {
      text += " " + std::to_string(s.node) +
              (s.as == role::voter     ? "v"
               : s.as == role::standby ? "s"
                                       : "-");
    }
  }
  return text;
}

}  // namespace omnicart::raft
