#include "tests/unit/cluster/journal/journal_cluster.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <limits>

#include "cluster/raft/message_codec.hpp"
#include "tests/sim/describe_view.hpp"

namespace omnicart::cluster {
namespace {

using persistence::family;

constexpr auto content_families = {family::events, family::snapshots, family::receipts,
                                   family::timers};

std::string place(std::uint16_t shard, std::uint64_t index) {
  return "shard " + std::to_string(shard) + ", entry " + std::to_string(index);
}

// With this another node may lead before it has waited for an election timeout.
bool lets_another_lead(const raft::message& m) {
  const auto* vote = std::get_if<raft::vote_result>(&m.body);
  return std::holds_alternative<raft::timeout_now>(m.body) ||
         (vote != nullptr && vote->granted && !vote->pre_vote);
}

}  // namespace

journal_cluster::journal_cluster(std::uint64_t seed, node_id nodes, network_options network)
    : random_(seed), network_(network) {
  for (node_id id = 1; id <= nodes; ++id) {
    nodes_[id].disk = std::make_shared<sim::fault_fs>(random_());
    start(id);
  }
}

journal_cluster::~journal_cluster() = default;

std::int64_t journal_cluster::pick(std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
}

std::vector<node_id> journal_cluster::nodes() const {
  std::vector<node_id> ids;
  for (const auto& [id, n] : nodes_) ids.push_back(id);
  return ids;
}

journal_options journal_cluster::options_of(node_id node) {
  journal_options with;
  with.self = node;
  with.founder = node == 1;
  with.seed = static_cast<unsigned>(random_());
  with.election_timeout = election_timeout;
  with.heartbeat = raft::monotonic_time{30};
  with.install_timeout = raft::monotonic_time{600};
  with.copy_again_after = raft::monotonic_time{50};
  with.trailing_entries = trailing_entries;
  with.uncommitted_bytes_max = 5'000;
  with.queue_bytes_max = 10'000;
  with.installed = [this, node](std::uint16_t, std::uint64_t) { ++at(node).installs; };
  with.committed = [this](const persistence::committed_batch& batch) { committed(batch); };
  with.marked = [this, node](const marked_shard& shard) {
    if (marked) marked(node, shard);
  };
  with.leadership = [this, node](std::uint16_t shard, std::uint64_t term) {
    auto& n = at(node);
    n.leaderships.emplace_back(shard, term);
    law(!n.parts || !n.parts->journal || !n.parts->journal->leads(shard), "entities are let go while others are let in");
    if (term == 0) return;
    const auto [first, is_new] = leaders_.emplace(std::pair(shard, term), std::pair(node, n.life));
    law(is_new || first->second == std::pair(node, n.life),
        "two leaders in term " + std::to_string(term));
  };
  with.send = [this, node](node_id to, std::vector<shard_message> messages) {
    transmit(node, to, messages);
  };
  return with;
}

void journal_cluster::start(node_id node) {
  auto& n = at(node);
  ++n.life;
  n.leaderships.clear();
  n.versions.clear();
  n.checked.clear();
  auto store = persistence::options_on(n.disk);
  store.shard_count = shards;
  n.parts = std::make_unique<journal_parts>(
      store, time_, std::make_unique<virtual_chunks>(*this, node), options_of(node));
}

journal_parts::journal_parts(const persistence::store_options& store, const clock& time,
                             std::unique_ptr<virtual_chunks> channel, journal_options commit)
    : chunks(std::move(channel)) {
  data = persistence::store::open(store, time).value();
  timers = persistence::timer_index::open(*data).value();
  copier = std::make_unique<shard_copier>(
      *data, *chunks, time, copier_options{.chunk_bytes = 300, .idle_max = duration_ms{400}});
  commit.fatal = [this](const std::string& why) { fatal.push_back(why); };
  commit.copies = copier.get();
  journal = replicated_journal::open(*data, *timers, time, std::move(commit)).value();
  reader = std::make_unique<persistence::reader_pool>(
      *data,
      persistence::reader_pool_options{.executor = [](std::function<void()> read) { read(); }});
}

void journal_cluster::crash(node_id node) {
  auto& n = at(node);
  if (!n.parts) return;
  auto image = n.disk->crash();
  n.parts.reset();
  for (const auto other : nodes()) disconnect(node, other);
  n.disk = std::make_shared<sim::fault_fs>(random_(), std::move(image));
}

void journal_cluster::isolate(node_id node) {
  for (const auto other : nodes()) {
    if (other == node) continue;
    cut(node, other);
    cut(other, node);
  }
}

// --- time and network
// -----------------------------------------------------------------------------------------

void journal_cluster::transmit(node_id from, node_id to,
                               const std::vector<shard_message>& messages) {
  std::vector<raft::group_message> frame;
  for (const auto& message : messages) {
    const auto& [shard, content] = message;
    if (overheard) overheard(from, message);
    law(!lets_another_lead(content) || !up(from) || !journal(from).may_read(shard),
        "nobody reads by a lease when another node is let to lead");
    frame.push_back({.group = shard, .content = content});
  }
  if (pick(0, 99) < network_.lost_percent) return;
  for (int copies = pick(0, 99) < network_.doubled_percent ? 2 : 1; copies > 0; --copies) {
    const auto due_ms = time_.up.count() + pick(1, network_.delay_ms_max);
    wire_.push({.at_ms = due_ms,
                .order = ++sent_,
                .from = from,
                .to = to,
                .frame = raft::encode_frame(frame)});
  }
}

void journal_cluster::run_for(std::int64_t ms) {
  for (; ms > 0; --ms) step();
}

bool journal_cluster::run_until(const std::function<bool()>& reached, std::int64_t ms) {
  for (; ms > 0 && !reached(); --ms) step();
  return reached();
}

void journal_cluster::step() {
  time_.up += duration_ms{1};
  time_.now += duration_ms{1};
  while (!wire_.empty() && wire_.top().at_ms <= time_.up.count()) {
    const auto next = wire_.top();
    wire_.pop();
    next.chunk ? deliver_chunk(next) : deliver(next);
  }
  for (const auto node : nodes()) {
    if (up(node) && !ended(node) && !stopped_.contains(node)) parts(node).copier->work();
    flush(node);
  }
}

void journal_cluster::deliver(const delivery& next) {
  if (!nodes_.contains(next.to) || !up(next.to) || cuts_.contains({next.from, next.to})) return;
  const auto decoded = raft::decode_frame(next.frame);
  law(decoded.has_value(), "a frame reads back");
  std::vector<shard_message> messages;
  for (const auto& [group, content] : *decoded)
    messages.push_back({static_cast<std::uint16_t>(group), content});
  journal(next.to).receive(std::move(messages));
  flush(next.to);
}

// A connection: in order, and lost as a whole.
void journal_cluster::deliver_chunk(const delivery& next) {
  if (next.lives != std::pair(at(next.from).life, at(next.to).life)) return;
  if (cuts_.contains({next.from, next.to})) return disconnect(next.from, next.to);
  if (up(next.to)) parts(next.to).copier->received(next.from, next.frame);
}

void journal_cluster::disconnect(node_id one, node_id other) {
  for (const auto& [from, to] : {std::pair(one, other), std::pair(other, one)}) {
    on_the_way_[{from, to}] = {};
    if (up(from)) parts(from).copier->peer_down(to);
  }
}

bool virtual_chunks::send(node_id to, std::string bytes) {
  auto& c = cluster_;
  auto& [count, last_ms] = c.on_the_way_[{self_, to}];
  if (!c.nodes_.contains(to) || !c.up(to) || c.cuts_.contains({self_, to}) || count >= window)
    return false;
  ++count;
  last_ms = std::max(last_ms, c.time_.up.count() + c.pick(1, c.network_.delay_ms_max));
  c.wire_.push({.at_ms = last_ms,
                .order = ++c.sent_,
                .from = self_,
                .to = to,
                .frame = std::move(bytes),
                .chunk = true,
                .lives = {c.at(self_).life, c.at(to).life}});
  return true;
}

void virtual_chunks::consumed(node_id from, std::size_t) {
  auto& [count, last_ms] = cluster_.on_the_way_[{from, self_}];
  if (count > 0) --count;
  if (cluster_.up(from)) cluster_.parts(from).copier->room(self_);
}

void journal_cluster::flush(node_id node) {
  if (!up(node) || stopped_.contains(node)) return;
  while (journal(node).flush_once()) {
  }
  if (!ended(node)) check(node);
}

// --- what is asked of the journals
// ----------------------------------------------------------------------------

std::shared_ptr<const sent_item> journal_cluster::send(node_id node, const entity_ref& entity) {
  auto& n = at(node);
  if (!n.parts) return nullptr;
  const auto term = journal(node).term_of(entity);
  if (term == 0) return nullptr;
  auto& [in_term, version] = n.versions[entity.str()];
  if (in_term != term) {
    const auto stored = parts(node).reader->history_now(entity, 1, 100'000).value();
    version = stored.empty() ? 0 : stored.back().first;
    in_term = term;
  }
  auto made = std::make_shared<sent_item>();
  made->to = node;
  made->life = n.life;
  made->entity = entity;
  made->version = ++version;
  made->term = term;
  made->text = "event " + std::to_string(items_.size() + 1);
  items_.push_back(made);
  journal_item item{.entity = entity, .term = term, .first_version = made->version};
  item.events.push_back(persistence::event_at(journal(node).log_time(entity), made->text));
  item.proof = receipt{.id = {1, items_.size()}};
  const auto due = [](std::uint64_t v) {
    return persistence::at_ms(static_cast<std::int64_t>(1'000 + v));
  };
  item.timer = timer_change{.before = {}, .after = due(made->version)};
  if (made->version > 1) item.timer->before = due(made->version - 1);
  if (made->version % 4 == 0) item.state = snapshot{.version = made->version, .state = made->text};
  item.done = [this, made](status outcome) { told(made, std::move(outcome)); };
  journal(node).append(std::move(item));
  return made;
}

void journal_cluster::told(const std::shared_ptr<sent_item>& item, status outcome) {
  law(!item->told, "an item is told once");
  if (outcome) {
    law(written_.contains(item->text), "what was told written is committed: " + item->text);
  } else if (outcome.error().is(base_errc::unavailable)) {
    // (A node whose write fails in the round in which it hears of another leader tells nobody that
    // it leads no more.)
    law(journal(item->to).term_of(item->entity) != item->term || journal(item->to).refusing(),
        "nothing is refused in the term it was decided in");
  } else {
    law(outcome.error().is(base_errc::unknown_outcome), "an item is told one of three things");
  }
  item->told = std::move(outcome);
}

std::optional<status> journal_cluster::ask_and_wait(
    const std::function<void(replicated_journal::done_fn)>& ask) {
  const auto end = std::make_shared<std::optional<status>>();
  ask([end](status outcome) { *end = std::move(outcome); });
  run_until([&] { return end->has_value(); }, 3'000);
  return *end;
}

std::optional<status> journal_cluster::ask(node_id node, std::uint16_t shard,
                                           const raft::membership_change& change) {
  return ask_and_wait(
      [&](auto done) { journal(node).change_membership(shard, change, std::move(done)); });
}

std::optional<status> journal_cluster::ask_catch_up(node_id node, std::uint16_t shard,
                                                    node_id behind) {
  return ask_and_wait([&](auto done) { journal(node).catch_up(shard, behind, std::move(done)); });
}

std::optional<status> journal_cluster::ask_transfer(node_id node, std::uint16_t shard, node_id to) {
  return ask_and_wait([&](auto done) { journal(node).transfer(shard, to, std::move(done)); });
}

void journal_cluster::grow(node_id nodes) {
  using kind = raft::membership_change::kind;
  const auto must = [this](const std::optional<status>& end, const char* what) {
    law(end.has_value(), std::string("no end of: ") + what + describe());
    law(end->has_value(), std::string(what) + ": " + (end->has_value() ? "" : end->error().detail));
  };
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    for (node_id node = 2; node <= nodes; ++node) {
      const auto lead = wait_for_leader(shard);
      must(ask(lead, shard, {.what = kind::add, .node = node, .as = raft::role::standby}), "add");
      must(ask_catch_up(lead, shard, node), "catch up");
      must(ask(lead, shard, {.what = kind::assign, .node = node, .as = raft::role::voter}),
           "promote");
    }
  }
}

// --- what is there
// --------------------------------------------------------------------------------------------

node_id journal_cluster::leader(std::uint16_t shard) {
  node_id found = no_node;
  std::uint64_t term = 0;
  for (const auto id : nodes()) {
    if (!up(id) || ended(id) || journal(id).term(shard) <= term) continue;
    found = id;
    term = journal(id).term(shard);
  }
  return found;
}

node_id journal_cluster::wait_for_leader(std::uint16_t shard) {
  const auto leads = [&] {
    const auto node = leader(shard);
    return node != no_node && view(node, shard).serving &&
           journal(node).may_answer(entity_of(shard, 0));
  };
  law(run_until(leads), "a leader is found:" + describe());
  return leader(shard);
}

entity_ref journal_cluster::entity_of(std::uint16_t shard, int number) const {
  for (int i = 0;; ++i) {
    entity_ref candidate{"cart", "c" + std::to_string(number) + "-" + std::to_string(i)};
    if (omnicart::shard_of(candidate.id, shards) == shard) return candidate;
  }
}

std::vector<std::string> journal_cluster::events(node_id node, const entity_ref& entity) {
  std::vector<std::string> texts;
  const auto history = parts(node).reader->history_now(entity, 1, 100'000).value();
  for (const auto& [version, record] : history) {
    law(version == texts.size() + 1, "versions have no gap");
    texts.push_back(record.event);
  }
  return texts;
}

bool journal_cluster::agreed(std::uint16_t shard) {
  const auto lead = leader(shard);
  if (lead == no_node) return false;
  const auto seen = view(lead, shard);
  return std::all_of(seen.members.servers.begin(), seen.members.servers.end(),
                     [&](const raft::server& member) {
                       return member.as == raft::role::spare ||
                              (up(member.node) && view(member.node, shard).applied == seen.last);
                     });
}

void journal_cluster::check_written() {
  std::map<std::string, std::vector<std::string>> stored;
  for (const auto& item : items_) {
    if (item->told && !*item->told && item->told->error().is(base_errc::unavailable)) {
      law(!written_.contains(item->text),
          "what was told unavailable is not written: " + item->text);
    }
    law(item->told || !up(item->to) || at(item->to).life != item->life,
        "everybody is told in the end: " + item->text);
    if (!item->told || !*item->told) continue;
    const auto lead = leader(omnicart::shard_of(item->entity.id, shards));
    law(lead != no_node, "somebody leads");
    auto& texts = stored[item->entity.str()];
    if (texts.empty()) texts = events(lead, item->entity);
    law(texts.size() >= item->version && texts[item->version - 1] == item->text,
        "nothing written is lost: " + item->text);
  }
}

void journal_cluster::cut_logs(node_id node) {
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    journal(node).cut_log(shard, std::numeric_limits<std::uint64_t>::max());
  }
}

std::string journal_cluster::describe() {
  std::string text;
  for (const auto& [id, n] : nodes_) {
    text +=
        "\n  node " + std::to_string(id) + (up(id) ? ended(id) ? " has ended" : "" : " is down");
    if (!up(id)) continue;
    for (const auto& v : journal(id).views()) {
      text += "\n    " + sim::describe(v);
      for (const auto& f : v.followers) {
        text += "; " + std::to_string(f.node) + " has " + std::to_string(f.match) + ", catch-up " +
                std::to_string(static_cast<int>(f.catch_up));
      }
    }
  }
  return text;
}

// --- what always holds
// ----------------------------------------------------------------------------------------

void journal_cluster::committed(const persistence::committed_batch& batch) {
  for (const auto& [shard, index, entry] : batch.entries) {
    const auto [first, is_new] = committed_.emplace(std::pair(shard, index), encode(entry));
    law(is_new || first->second == encode(entry),
        place(shard, index) + " is another on another node");
    for (const auto& item : entry.items) {
      auto version = item.first_version;
      for (const auto& bytes : item.records) {
        const auto text = persistence::decode_event_record(bytes).value().event;
        const auto name = entity_ref{item.kind, item.id}.str();
        const auto [event, is_new_event] = history_.emplace(std::pair(name, version++), text);
        law(event->second == text,
            "one version stands for one event: " + text + " and " + event->second);
        if (is_new)
          law(is_new_event && written_.insert(text).second, "an event is written once: " + text);
      }
    }
  }
}

void journal_cluster::check(node_id node) {
  const auto all = nodes();
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    const auto reads = [&](node_id any) {
      return up(any) && !ended(any) && journal(any).may_read(shard);
    };
    law(std::count_if(all.begin(), all.end(), reads) <= 1, "one node at most reads by a lease");
    const auto applied = journal(node).last_index(shard);
    if (!view(node, shard).whole) continue;
    if (std::exchange(at(node).checked[shard], applied) == applied) continue;
    const auto now = content(node, shard);
    const auto [first, is_new] = contents_.emplace(std::pair(shard, applied), now);
    law(first->second == now,
        "node " + std::to_string(node) + " holds other content at " + place(shard, applied));
  }
}

// Keys and values of the shard, and that each event among them is committed.
std::string journal_cluster::content(node_id node, std::uint16_t shard) {
  std::string all;
  const auto& data = *parts(node).data;
  for (const auto which : content_families) {
    std::unique_ptr<rocksdb::Iterator> it(data.db().NewIterator({}, data.of(which)));
    for (it->Seek(persistence::shard_key(shard)); it->Valid(); it->Next()) {
      if (!it->key().starts_with(persistence::shard_key(shard))) break;
      all += it->key().ToString() + '=' + it->value().ToString() + '\n';
      const auto key = persistence::parse_entity_key(it->key().ToStringView());
      if (which != family::events ||
          persistence::decode_u64(key->rest) == persistence::timer_marker_version)
        continue;
      const auto text = persistence::decode_event_record(it->value().ToStringView()).value().event;
      law(written_.contains(text), "content is committed: " + text);
    }
  }
  return all;
}

}  // namespace omnicart::cluster
