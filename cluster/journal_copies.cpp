#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>

#include "cluster/copy/shard_copier.hpp"
#include "cluster/journal_round.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/log.hpp"

// Replicas whose content comes from another node, because its log no longer reaches back to theirs.
//
//   Raft wants a snapshot  ->  durable mark  ->  copy, on the copier's thread  ->  one synced
//   write: log, record
//
// Until that write, log and record stay what they were, so that the node can still vote by them. A
// copy that fails, or whose leader is none any more, leaves a replica without content: its group
// starts anew from what is stored, takes entries and gives votes, but leaves it to others to stand
// (journal_clock.cpp) and applies nothing before it has got the content from a leader. What comes contains more of the log
// than was asked for; the mark stays until the log has been applied that far.
namespace omnicart::cluster {

void replicated_journal::begin_install(replica& r, const raft::snapshot_wanted& wanted,
                                       round& now) {
  ensure(r.proposals.empty() || r.published_term != r.group->term(), "a leader installs nothing");
  r.installing = wanted.metadata;
  r.copy_from = wanted.from;
  r.unapplied.clear();  // Raft has forgotten them too
  lose_content(r, monotonic());
  if (std::exchange(r.copy_noted, true)) return;
  storage_.put_copying(r.shard, true, now.batch);
  now.sync = true;
}

void replicated_journal::lose_content(replica& r, raft::monotonic_time copy_at) {
  r.content_void = true;
  r.copy_runs = false;
  r.copy_failed = false;
  ++r.copy_attempt;  // what an earlier one brings is not wanted any more
  r.copy_at = copy_at;
  if (std::find(copying_.begin(), copying_.end(), r.shard) == copying_.end())
    copying_.push_back(r.shard);
}

// At the end of a round, when everything is written: the groups that give up an install start from
// it.
bool replicated_journal::tend_copies(round& now) {
  if (copying_.empty()) return true;
  std::erase_if(copying_, [this](auto shard) { return !replicas_[shard].content_void; });
  bool restarted = false;
  for (const auto shard : copying_) {
    auto& r = replicas_[shard];
    if (r.installing && (r.copy_failed || r.group->leader() != r.copy_from)) {
      if (auto done = restart(r, now); !done) {
        fail_all(now, done.error().detail);
        return false;
      }
      restarted = true;
    } else if (!r.copy_runs && monotonic() >= r.copy_at) {
      start_copy(r);
    }
  }
  return !restarted || settle(now);
}

status replicated_journal::restart(replica& r, round& now) {
  abandon(r, now);
  replica fresh;
  fresh.held = std::move(r.held);
  fresh.controls = std::move(r.controls);
  fresh.published_term = r.published_term;
  fresh.fence = r.fence;
  fresh.refusals = r.refusals;
  fresh.copy_attempt = r.copy_attempt;
  const auto shard = r.shard;
  r = std::move(fresh);
  return recover(shard, now);
}

void replicated_journal::start_copy(replica& r) {
  const auto from = r.installing ? r.copy_from : r.group->leader();
  if (from == no_node || from == options_.self || options_.copies == nullptr) return;
  copy_request wanted{.shard = r.shard, .at_least = r.applied};
  if (r.installing) wanted.at_least = wanted.entry = r.installing->index;
  r.copy_runs = true;
  log::info("shard is copied", {{"shard", r.shard}, {"from", from}, {"at_least", wanted.at_least}});
  options_.copies->fetch(from, wanted,
                         [this, shard = r.shard, attempt = r.copy_attempt](auto outcome) {
                           {
                             const std::lock_guard lock(inbox_guard_);
                             copied_.push_back({shard, attempt, std::move(outcome)});
                           }
                           ring();
                         });
}

bool replicated_journal::take_copies(round& now) {
  std::vector<copied_shard> copied;
  {
    const std::lock_guard lock(inbox_guard_);
    copied.swap(copied_);
  }
  for (auto& [shard, attempt, content] : copied) {
    auto& r = replicas_[shard];
    if (attempt != r.copy_attempt || !r.copy_runs) continue;
    r.copy_runs = false;
    if (!content) {
      log::warning("shard was not copied", {{"shard", shard}, {"why", content.error().detail}});
      r.copy_failed = true;
      r.copy_at = monotonic() + options_.copy_again_after;
    } else if (!take_content(r, *content, now)) {
      return false;
    }
  }
  return true;
}

bool replicated_journal::take_content(replica& r, const shard_content& content, round& now) {
  rocksdb::WriteBatch batch;
  if (r.installing) {
    const auto& installed = *r.installing;
    r.record.latest = stored_configuration{installed.configuration_index, installed.members};
    r.record.previous.reset();
    r.record.older.clear();
    r.applied = r.last_stored = r.snapshot_index = installed.index;
    storage_.put_installed(r.shard, installed, content.entry, r.record, batch);
  }
  r.content_through = content.through;
  r.applied_is_written = true;
  r.content_void = false;
  note_whole(r, batch);
  rocksdb::WriteOptions how;
  how.sync = store_.options().sync;
  if (const auto written = store_.db().Write(how, &batch); !written.ok()) {
    fail_all(now, written.ToString());
    return false;
  }
  raise_time(r.shard, content.time);
  shards_[r.shard].recent.begin(monotonic());  // the other node's content came without
  if (auto read = timers_.reload(r.shard); !read)
    log::error("timers cannot be read", {{"why", read.error().detail}});
  r.learn_members(options_.self);
  now.touch(r.shard);
  if (const auto installed = std::exchange(r.installing, std::nullopt)) {
    note(r, r.group->snapshot_installed(monotonic(), *installed), now);
  }
  log::info("shard was copied", {{"shard", r.shard}, {"through", content.through}});
  if (options_.installed) options_.installed(r.shard, content.through);
  return true;
}

// The content is that of what is applied, once as much is applied as it contains.
void replicated_journal::note_whole(replica& r, rocksdb::WriteBatch& out) {
  if (!r.copy_noted || r.content_void || r.applied < r.content_through) return;
  storage_.put_copying(r.shard, false, out);
  r.copy_noted = false;
}

}  // namespace omnicart::cluster
