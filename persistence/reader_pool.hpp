#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "persistence/store.hpp"
#include "runtime/journal.hpp"

namespace omnicart::persistence {

struct reader_pool_options {
  std::size_t threads = 2;
  std::size_t queue_max = 10'000;
  // Runs a read instead of the threads, now or later (the simulator); null: threads.
  std::function<void(std::function<void()>)> executor;
  // A read met bytes that do not read, as it answers too; any thread. May be null.
  std::function<void(const error&)> damaged;
};

// Reads for activation. Callbacks run on a pool thread, but for what needs no disk and comes on the
// caller's own thread before the call returns: an entity that lies in memory or has nothing stored
// (not with an executor), and two refusals: overloaded (queue_max reads wait already),
// shutting_down (after stop). Errors of reads: io, naming entity and version where stored bytes do
// not decode or a version is missing.
class reader_pool final : public entity_store {
 public:
  reader_pool(store& data, reader_pool_options options);
  ~reader_pool() override;  // stops

  void load(const entity_ref& entity, std::function<void(result<stored_entity>)> done) override;
  presence receipt_presence(const entity_ref& entity, command_id id) override;
  void find_receipt(const entity_ref& entity, command_id id,
                    std::function<void(result<std::optional<receipt>>)> done) override;
  void history(const entity_ref& entity, std::uint64_t first_version, std::size_t limit,
               std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)>
                   done) override;

  // Waiting reads are answered shutting_down; running ones finish.
  void stop();
  std::size_t queued() const;

  // The same reads on the caller's thread; any thread.
  result<stored_entity> load_now(const entity_ref& entity) const;
  result<std::optional<receipt>> find_receipt_now(const entity_ref& entity, command_id id) const;
  result<std::vector<std::pair<std::uint64_t, event_record>>> history_now(
      const entity_ref& entity, std::uint64_t first_version, std::size_t limit) const;

 private:
  // Called with nothing to read, or with the refusal to answer instead.
  using job = std::function<void(std::optional<error>)>;
  // Nothing: the entity's bytes are not all in memory and the tier (rocksdb::ReadTier) forbids the disk.
  result<std::optional<stored_entity>> load_with(const entity_ref& entity, int tier) const;
  void submit(job work);
  template <class T>
  result<T> noted(result<T> found) const;  // as it is; damage is told
  void run();

  store& store_;
  reader_pool_options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<job> queue_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace omnicart::persistence
