#include <rocksdb/db.h>

#include <algorithm>
#include <utility>

#include "cluster/journal_round.hpp"
#include "cluster/raft/membership.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/entry_writer.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/crash_point.hpp"
#include "runtime/log.hpp"

// One round of the journal's loop.
//
//   orders of cuts, messages, timeouts, items  ->  Raft  ->  one batch  ->  write, sync  ->  Raft  ->  what is committed  ->  told
//
// Messages that may leave before the write do (the disk and the peers work at the same time); Raft itself holds back
// those that may not. What is committed by others' word needs its content written, which no sync has to follow: the log
// has it, and "applied/" says where to go on.
namespace omnicart::cluster {
namespace {

constexpr raft::log_index uncommitted_entries_max = 1'024;  // of one shard; the rest waits outside the log
// Of what is gathered into one entry, whatever a batch may hold: Raft takes no entry over
// entry_bytes_max. A larger item has one to itself.
constexpr std::size_t gathered_bytes_max = std::size_t{8} << 20;

// Heartbeats and their echoes come in crowds while nobody does anything.
bool has_entries(const shard_message& message) {
  const auto* append = std::get_if<raft::append_request>(&message.content.body);
  return append != nullptr && !append->entries.empty();
}

// Content of the entry for the batch; of an own proposal it is at hand.
void put_own(const persistence::store& data, std::uint16_t shard, const proposal& own, rocksdb::WriteBatch& out) {
  std::size_t next = 0;
  for (const auto& waiting : own.items) {
    if (!waiting.barrier) put_item(data, shard, waiting.prefix, own.entry.items[next++], out);
  }
}

}  // namespace

bool replicated_journal::flush_once() {
  round now;
  if (failed_) {  // the disk is not believed any more, nor what is in memory: nobody hears from this node again
    take_items(now);
    tell(now);
    give_up();
    return queue_.items() > 0;
  }
  take_cut_orders(now);
  if (!take_copies(now)) return false;
  take_messages(now);
  take_timeouts(now);
  take_controls(now);
  if (!pause_ && !now.has_marked) take_items(now);
  if (!settle(now) || !tend_copies(now)) return false;
  // Before anybody can see how far a log is applied, or that this node leads: who asks lists behind that has it in them.
  if (options_.committed && !now.log.entries.empty()) options_.committed(now.log);
  publish(now);
  tell(now);
  return !pause_ && (queue_.items() > 0 || held_may_go());
}

// Writes, and confirms what is written to Raft, until nothing more follows from it.
bool replicated_journal::settle(round& now) {
  for (;;) {
    send_out(now);
    if (!write(now)) return false;
    tell_marks(now);
    confirm(now);
    apply(now);
    const bool confirmed = std::none_of(now.touched.begin(), now.touched.end(),
                                        [this](auto shard) { return replicas_[shard].write != 0; });
    if (confirmed && now.batch.Count() == 0 && now.marks.empty()) break;
  }
  send_out(now);
  return true;
}

// --- what comes in --------------------------------------------------------------------------------------------

void replicated_journal::take_messages(round& now) {
  std::vector<shard_message> came;
  {
    const std::lock_guard lock(inbox_guard_);
    came.swap(inbox_);
    inbox_bytes_ = 0;
  }
  gathered_ += static_cast<std::size_t>(std::count_if(came.begin(), came.end(), has_entries));
  for (const auto& [shard, content] : came) {
    if (shard >= replicas_.size()) {
      malformed_.note(content.from, "there is no such shard");
      continue;
    }
    auto& r = replicas_[shard];
    if (!r.can_lead() && std::holds_alternative<raft::timeout_now>(content.body)) continue;
    auto update = r.group->receive(monotonic(), content);
    if (update) {
      note(r, std::move(*update), now);
    } else if (update.error().is(base_errc::malformed)) {
      malformed_.note(content.from, update.error().detail);
    } else if (update.error().is(base_errc::io) && !std::exchange(r.stopped, true)) {
      // A leader that contradicts what is committed here: a lost disk came back under its old name, or worse.
      log::error("replica stopped", {{"shard", shard}, {"why", update.error().detail}});
      now.touch(shard);
    }
  }
}

void replicated_journal::take_items(round& now) {
  auto taken = queue_.take(options_.batch_items_max, options_.batch_bytes_max);
  gathered_ += taken.size();
  if (failed_) {
    for (auto& item : taken) {
      now.refused.emplace_back(std::move(item), make_error(base_errc::unknown_outcome, "a write had failed before"));
    }
    return;
  }
  std::map<std::uint16_t, std::vector<persistence::queued_item>> by_shard;
  for (auto& r : replicas_) {
    if (!r.held.empty()) by_shard[r.shard] = std::exchange(r.held, {});
  }
  held_bytes_ = 0;
  for (auto& item : taken) by_shard[item.shard].push_back(std::move(item));
  for (auto& [shard, items] : by_shard) propose(replicas_[shard], std::move(items), now);
}

// While leadership is being handed over, items wait: should the other node not take it, they go on in their order, as if
// nothing had happened.
void replicated_journal::propose(replica& r, std::vector<persistence::queued_item> items, round& now) {
  now.touch(r.shard);
  // In a term that nobody was told of, nothing can have been decided.
  const bool leads = r.published_term != 0 && r.published_term == r.group->term();
  const auto stale = [&](const persistence::queued_item& q) {
    return !leads || (q.term != 0 && q.term != r.fence);
  };
  const auto bytes_max = std::min(options_.batch_bytes_max, gathered_bytes_max);
  std::vector<persistence::queued_item> taken;
  std::size_t bytes = 0;
  const auto propose_taken = [&] {
    bytes = 0;
    propose_entry(r, std::exchange(taken, {}), now);
  };
  for (auto& item : items) {
    if (stale(item)) {
      now.refused.emplace_back(std::move(item), not_the_leader(leader(r.shard)));
      continue;
    }
    const bool is_full = taken.size() == options_.batch_items_max || bytes + item.bytes > bytes_max;
    if (is_full && !taken.empty()) propose_taken();
    bytes += item.bytes;
    taken.push_back(std::move(item));
  }
  if (!taken.empty()) propose_taken();
}

void replicated_journal::propose_entry(replica& r, std::vector<persistence::queued_item> taken, round& now) {
  if (r.has_refused) return refuse(r, std::move(taken), not_the_leader(std::nullopt), now);
  if (!r.held.empty() || must_wait(r)) return hold(r, std::move(taken));
  if (std::all_of(taken.begin(), taken.end(), [](const auto& q) { return q.barrier; })) {
    return wait_behind(r, std::move(taken), now);
  }
  proposal made;
  made.entry.term = r.group->term();
  for (auto& item : taken) {
    made.bytes += item.bytes;
    if (!item.barrier) made.entry.items.push_back(std::move(item.content));
  }
  // Read after the items were queued: not below any log time that their events were given.
  made.entry.time = timestamp_ms{duration_ms{shards_[r.shard].time_ms.load()}};
  auto update = r.group->submit(monotonic(), {encode(made.entry)});
  if (!update) return refuse(r, std::move(taken), update.error(), now);
  now.items += taken.size();
  proposed_bytes_ += made.bytes;
  made.items = std::move(taken);
  made.index = update->entries.front().index;
  r.proposals.push_back(std::move(made));
  note(r, std::move(*update), now);
}

bool replicated_journal::must_wait(const replica& r) const {
  return r.group->handing_over() || r.group->last_index() - r.group->commit_index() >= uncommitted_entries_max ||
         (!r.alone && proposed_bytes_ >= options_.uncommitted_bytes_max);
}

// Something that waited can be proposed, or told that this node leads no more.
bool replicated_journal::held_may_go() const {
  return held_bytes_ > 0 && std::any_of(replicas_.begin(), replicas_.end(), [this](const replica& r) {
           return !r.held.empty() && (r.published_term == 0 || !must_wait(r));
         });
}

void replicated_journal::hold(replica& r, std::vector<persistence::queued_item> items) {
  for (auto& item : items) {
    held_bytes_ += item.bytes;
    r.held.push_back(std::move(item));
  }
}

// Barriers alone write nothing: they are told with what was proposed before them.
void replicated_journal::wait_behind(replica& r, std::vector<persistence::queued_item> barriers, round& now) {
  if (!r.proposals.empty()) {
    auto& last = r.proposals.back().items;
    std::move(barriers.begin(), barriers.end(), std::back_inserter(last));
  } else {
    finish_own(r, std::move(barriers), now);
  }
}

// An own entry counts whoever committed it. A barrier is a read, and what was proposed before it may be committed by the
// word of a leader that has taken more since.
void replicated_journal::finish_own(const replica& r, std::vector<persistence::queued_item> items, round& now) {
  const auto may_read = [&] { return r.alone || r.group->may_read(monotonic(), r.applied); };
  for (auto& item : items) {
    if (item.barrier && !may_read()) {
      now.refused.emplace_back(std::move(item), not_the_leader(std::nullopt));
    } else {
      now.finished.push_back(std::move(item));
    }
  }
}

// --- what Raft wants done -------------------------------------------------------------------------------------

void replicated_journal::note(replica& r, raft::update update, round& now) {
  now.touch(r.shard);
  if (r.group->current_state() != raft::state::leader || r.group->handing_over()) end_lease(r);
  if (update.write != 0) {
    r.write = update.write;
    now.sync = true;
  }
  if (update.hard) {
    r.record.hard = *update.hard;
    storage_.put(r.shard, r.record, now.batch);
  }
  if (update.install) begin_install(r, *update.install, now);
  if (!update.entries.empty()) note_entries(r, update.entries, now);
  for (auto& message : update.messages) {
    const auto to = message.to;
    if (const auto* offer = std::get_if<raft::install_request>(&message.body)) {
      if (!r.can_lead()) continue;  // whoever took the offer would give up content that is whole for some that is not
      r.offers.push_back({.to = to, .index = offer->snapshot.index, .until = monotonic() + options_.install_timeout});
    }
    now.outbox[to].push_back({r.shard, std::move(message)});
  }
  answer_reads(r, std::move(update.reads), now);
}

// A lease that ends before its time: nobody reads by it any more once a message may leave that lets another node lead.
// publish() would be too late, for a slow sync may lie between.
void replicated_journal::end_lease(const replica& r) {
  shards_[r.shard].lease_until_ms.store(0, std::memory_order_release);
}

void replicated_journal::note_entries(replica& r, const std::vector<raft::log_entry>& entries, round& now) {
  if (entries.front().index <= r.last_stored) take_back(r, entries.front().index, now);
  for (const auto& entry : entries) {
    const bool has_time = entry.type == raft::entry_type::command;
    storage_.put_entry(r.shard, entry, has_time ? timestamp_ms{} : time_of_last(r), now.batch);
    r.unapplied.push_back(entry);
    if (r.content_void && has_time) r.unapplied.back().bytes.reset();  // they may be many; the log has them
    r.last_stored = entry.index;
    if (entry.type == raft::entry_type::change) note_change(r, entry, now);
    // Committed as soon as it is durable: its content goes along.
    if (r.alone && r.content_through + 1 == entry.index) put_content(r, entry, now);
  }
}

// Log time for an entry that has none of its own: not below those that are stored and not applied yet.
timestamp_ms replicated_journal::time_of_last(const replica& r) const {
  const timestamp_ms time{duration_ms{std::max<std::int64_t>(shards_[r.shard].time_ms.load(), 0)}};
  const auto last = std::find_if(r.unapplied.rbegin(), r.unapplied.rend(),
                                 [](const auto& entry) { return entry.type == raft::entry_type::command && entry.bytes; });
  if (last == r.unapplied.rend()) return time;
  const auto content = persistence::decode_log_entry(*last->bytes);
  return content ? std::max(time, content->time) : time;
}

// A new leader's entries replace those from `first` on.
void replicated_journal::take_back(replica& r, raft::log_index first, round& now) {
  ensure(first > r.applied, "nothing that is applied is taken back");
  while (!r.unapplied.empty() && r.unapplied.back().index >= first) r.unapplied.pop_back();
  while (!r.proposals.empty() && r.proposals.back().index >= first) {
    for (auto& item : r.proposals.back().items) {
      now.refused.emplace_back(std::move(item), make_error(base_errc::unknown_outcome, "another node took the lead"));
    }
    proposed_bytes_ -= r.proposals.back().bytes;
    r.proposals.pop_back();
  }
  storage_.remove_entries(r.shard, first, r.last_stored, now.batch);
  if (!r.record.take_back(first)) return;
  storage_.put(r.shard, r.record, now.batch);
  r.learn_members(options_.self);
}

void replicated_journal::note_change(replica& r, const raft::log_entry& entry, round& now) {
  auto members = raft::decode_configuration(*entry.bytes);
  ensure(members.has_value(), "Raft checked the configuration");
  r.record.add({entry.index, std::move(*members)}, r.applied);
  storage_.put(r.shard, r.record, now.batch);
  r.learn_members(options_.self);
  if (!r.alone && !r.applied_is_written) {
    storage_.put_applied(r.shard, r.content_through, now.batch);
    r.applied_is_written = true;
  }
}

void replicated_journal::put_content(replica& r, const raft::log_entry& entry, round& now) {
  r.content_through = entry.index;
  if (entry.type != raft::entry_type::command) return;
  const auto own = std::find_if(r.proposals.rbegin(), r.proposals.rend(),
                                [&](const proposal& p) { return p.index == entry.index; });
  if (own != r.proposals.rend()) return put_own(store_, r.shard, *own, now.batch);
  const auto content = persistence::decode_log_entry(*entry.bytes);
  ensure(content.has_value(), "an entry of the log decodes");
  put_items(store_, r.shard, *content, now.batch);
}

void replicated_journal::answer_reads(replica& r, std::vector<raft::entries_wanted> reads, round& now) {
  for (auto& wanted : reads) {
    if (wanted.first < r.group->first_index()) continue;  // cut off since: the follower is offered the content
    auto entries = storage_.read(r.shard, wanted.first, wanted.count);
    if (!entries) {
      log::error("log cannot be read for a follower", {{"shard", r.shard}, {"why", entries.error().detail}});
      if (options_.damaged) options_.damaged(entries.error());
      continue;
    }
    for (auto& message : r.group->complete_append(wanted, std::move(*entries))) {
      const auto to = message.to;
      now.outbox[to].push_back({r.shard, std::move(message)});
    }
  }
}

void replicated_journal::send_out(round& now) {
  for (auto& [to, messages] : std::exchange(now.outbox, {})) {
    if (options_.send) options_.send(to, std::move(messages));
  }
}

// --- the write ------------------------------------------------------------------------------------------------

bool replicated_journal::write(round& now) {
  if (now.batch.Count() == 0) return true;
  OMNICART_CRASH_POINT("before_sync");
  rocksdb::WriteOptions how;
  how.sync = now.sync && store_.options().sync;
  const auto began = now_us();
  const auto written = store_.db().Write(how, &now.batch);
  if (!written.ok()) {
    fail_all(now, written.ToString());
    return false;
  }
  if (now.sync) count(std::exchange(now.items, 0), now.batch.GetDataSize(), now_us() - began);
  OMNICART_CRASH_POINT("after_sync");
  now.batch.Clear();
  now.sync = false;
  return true;
}

void replicated_journal::confirm(round& now) {
  for (std::size_t i = 0; i < now.touched.size(); ++i) {
    auto& r = replicas_[now.touched[i]];
    const auto number = std::exchange(r.write, 0);
    if (number != 0) note(r, r.group->persisted(monotonic(), number), now);
  }
}

// What is committed by now goes into the store, if it is not there yet, and to those who wait.
void replicated_journal::apply(round& now) {
  for (const auto shard : now.touched) {
    auto& r = replicas_[shard];
    if (r.content_void) continue;
    const auto committed = r.group->applicable_index();
    const auto before = r.applied;
    const auto marks = now.marks.size();
    while (!r.unapplied.empty() && r.unapplied.front().index <= committed) {
      apply_next(r, now);
      if (now.marks.size() != marks) break;  // what comes next is no part of the cut, and waits for its write
    }
    if (r.applied == before) continue;
    if (!r.alone) {
      storage_.put_applied(shard, r.applied, now.batch);
      r.applied_is_written = true;
      note_whole(r, now.batch);
    } else if (r.applied_is_written && r.content_through == r.last_stored) {
      storage_.put_applied(shard, std::nullopt, now.batch);
      r.applied_is_written = false;
    }
  }
}

void replicated_journal::apply_next(replica& r, round& now) {
  auto entry = std::move(r.unapplied.front());
  r.unapplied.pop_front();
  if (entry.type == raft::entry_type::command && !entry.bytes) {
    auto stored = storage_.read(r.shard, entry.index, 1);
    ensure(stored && !stored->empty(), "an entry that is not applied is in the log");
    entry = std::move(stored->front());
  }
  const bool is_new = entry.index > r.content_through;
  r.content_through = std::max(r.content_through, entry.index);
  r.applied = entry.index;
  auto& told = now.log.entries.emplace_back();
  told.shard = r.shard;
  told.index = entry.index;
  if (!r.proposals.empty() && r.proposals.front().index == entry.index) {
    auto own = std::move(r.proposals.front());
    r.proposals.pop_front();
    proposed_bytes_ -= own.bytes;
    if (is_new) put_own(store_, r.shard, own, now.batch);
    told.entry = std::move(own.entry);
    finish_own(r, std::move(own.items), now);
  } else if (entry.type == raft::entry_type::command) {
    auto content = persistence::decode_log_entry(*entry.bytes);
    ensure(content.has_value(), "an entry of the log decodes");
    told.entry = std::move(*content);
    if (is_new) put_items(store_, r.shard, told.entry, now.batch);
    raise_time(r.shard, told.entry.time);
    note_mark(told, now);
  }
  remember(r.shard, told.entry);
}

}  // namespace omnicart::cluster
