#include "cluster/backup/backup_maker.hpp"

#include <pthread.h>
#include <rocksdb/snapshot.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include "persistence/key_layout.hpp"
#include "runtime/log.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::chrono::milliseconds cut_tick{2};
constexpr int low_priority = 10;

// Linux keeps a niceness for each thread. The disk follows it where its scheduler knows priorities.
// Not before the cut is taken: the whole shop waits for who takes it.
void be_humble() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), low_priority);
}

}  // namespace

backup_maker::backup_maker(parts with)
    : with_(std::move(with)),
      moments_(with_.data),
      cuts_({.time = with_.time,
             .draw = with_.draw,
             .nodes = with_.nodes,
             .send = with_.send,
             .follow = [this](cut_id cut) { moments_.follow(cut); }},
            with_.data.shard_count()) {}

backup_maker::~backup_maker() { stop(); }

void backup_maker::stop() {
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
  }
  bell_.notify_all();
  if (thread_.joinable()) thread_.join();
}

status backup_maker::begin(backup_wish wish) {
  if (!wish.directory.starts_with('/'))
    return fail(base_errc::malformed, "a backup folder is named by its absolute path");
  while (wish.directory.size() > 1 && wish.directory.ends_with('/')) wish.directory.pop_back();
  if (auto ready = with_.ready(); !ready) return ready;
  const std::lock_guard lock(guard_);
  if (stopping_) return fail(base_errc::shutting_down);
  if (runs_)
    return fail(base_errc::in_progress, "this node makes a backup already, to " + state_.directory);
  auto folder = backup_folder::open(wish.directory, backup_folder::use::write);
  if (!folder) return fail(folder.error());
  if (thread_.joinable()) thread_.join();  // it has ended
  runs_ = true;
  state_ = {.at = backup_state::phase::cutting,
            .directory = wish.directory,
            .shards = with_.data.shard_count()};
  thread_ = std::thread([this, wish = std::move(wish), folder = std::move(*folder)]() mutable {
    run(std::move(wish), std::move(folder));
  });
  return {};
}

backup_state backup_maker::look() const {
  const std::lock_guard lock(guard_);
  return state_;
}

void backup_maker::reported(node_id from, const cut_report& report) {
  const std::lock_guard lock(guard_);
  cuts_.reported(from, report);
}

void backup_maker::marked(const marked_shard& shard) {
  if (!moments_.reached(shard)) return;
  const std::lock_guard lock(guard_);
  cuts_.reached(shard);
}

void backup_maker::run(backup_wish wish, std::unique_ptr<backup_folder> folder) {
  ::pthread_setname_np(::pthread_self(), "backup");
  const auto began = with_.time.monotonic();
  auto made = make(wish, *folder);
  moments_.follow(0);
  folder.reset();  // others may write to it
  const std::lock_guard lock(guard_);
  state_.took = with_.time.monotonic() - began;
  state_.at = made ? backup_state::phase::done : backup_state::phase::failed;
  if (made) {
    log::info("backup made", {{"id", made->id},
                              {"folder", wish.directory},
                              {"bytes", state_.copied.bytes},
                              {"new_bytes", state_.copied.new_bytes},
                              {"paused_ms", made->paused.count()}});
    state_.made = std::move(*made);
  } else {
    log::error("no backup was made", {{"folder", wish.directory}, {"why", made.error().detail}});
    state_.why = made.error();
  }
  runs_ = false;
}

result<backup_manifest> backup_maker::make(const backup_wish& wish, backup_folder& folder) {
  const auto cut = take_cut();
  if (!cut) return fail(cut.error());
  be_humble();
  backup_manifest what;
  what.created = with_.time.wall();
  what.by = wish.by;
  what.why = wish.why;
  what.shard_count = with_.data.shard_count();
  what.store_format = persistence::format_version;
  what.paused = cut->paused;
  what.tries = cut->tries;
  what.id = new_id();
  {
    const std::lock_guard lock(guard_);
    state_.at = backup_state::phase::copying;
  }
  const auto books = with_.books();
  auto shards = copy(*cut, wish, folder, *books);
  if (!shards) return fail(shards.error());
  what.shards = std::move(*shards);
  what.totals = books->totals();
  with_.describe(what);
  if (auto put = folder.put_manifest(what); !put) return fail(put.error());
  return what;
}

result<consistent_cut> backup_maker::take_cut() {
  std::unique_lock lock(guard_);
  cuts_.start();
  for (;;) {
    if (auto over = cuts_.outcome()) return std::move(*over);
    bell_.wait_for(lock, cut_tick);
    if (stopping_) {
      cuts_.stop();
    } else {
      cuts_.tick();
    }
  }
}

result<std::vector<backed_up_shard>> backup_maker::copy(const consistent_cut& cut,
                                                        const backup_wish& wish,
                                                        backup_folder& folder, accountant& books) {
  const auto began = with_.time.monotonic();
  std::vector<backed_up_shard> made;
  for (const auto& shard : cut.shards) {
    const auto moment = moments_.take(shard.at.shard);
    if (!moment) return fail(base_errc::unavailable, "the cut's content is no longer held");
    auto copied = copy_shard(
        with_.data, shard, *moment, folder,
        [&](std::uint16_t, persistence::family which, std::string_view key,
            std::string_view value) { return books.take(which, key, value); },
        [&](const copy_progress& step) { return pace(step, wish, began); });
    if (!copied) return fail(copied.error());
    made.push_back(std::move(*copied));
    const std::lock_guard lock(guard_);
    ++state_.shards_copied;
  }
  return made;
}

// After each chunk.
status backup_maker::pace(const copy_progress& step, const backup_wish& wish, duration_ms began) {
  std::unique_lock lock(guard_);
  state_.copied.bytes += step.bytes;
  state_.copied.new_bytes += step.new_bytes;
  state_.copied.chunks += step.chunks;
  const auto spent = with_.time.monotonic() - began;
  if (spent > copied_within)
    return fail(base_errc::timeout,
                "the copy took too long; what it has copied helps the next one");
  if (wish.rate_bytes_max > 0) {
    const duration_ms due{
        static_cast<std::int64_t>(state_.copied.bytes * 1'000 / wish.rate_bytes_max)};
    if (due > spent) bell_.wait_for(lock, due - spent, [this] { return stopping_; });
  }
  return stopping_ ? fail(base_errc::shutting_down) : status{};
}

std::string backup_maker::new_id() {
  char text[40];
  const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::time_point(
      std::chrono::milliseconds(with_.time.wall().time_since_epoch().count())));
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  const auto end = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  std::snprintf(text + end, sizeof text - end, "-%08x",
                static_cast<unsigned>(with_.draw() & 0xffffffffU));
  return text;
}

}  // namespace omnicart::cluster
