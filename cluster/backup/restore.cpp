#include "cluster/backup/restore.hpp"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "cluster/link/private_file.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::cluster {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t batch_bytes = std::size_t{1} << 20;

tl::unexpected<error> failed(const std::string& path, const std::error_code& why) {
  return fail(base_errc::io, path + ": " + why.message());
}

status sync_folder(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const std::error_code why(errno, std::generic_category());
  if (file >= 0) ::close(file);
  return synced ? status{} : failed(path, why);
}

// Content in batches without a log of their own: tables at the end are all there is to be.
class filler {
 public:
  explicit filler(persistence::store& into) : into_(into) {}

  status put(persistence::family which, std::string_view key, std::string_view value) {
    batch_.Put(into_.of(which), {key.data(), key.size()}, {value.data(), value.size()});
    return batch_.GetDataSize() < batch_bytes ? status{} : write();
  }
  status write() {
    rocksdb::WriteOptions how;
    how.disableWAL = true;
    const auto done = into_.db().Write(how, &batch_);
    batch_.Clear();
    if (!done.ok()) return fail(persistence::io_error("cannot write what is restored", done));
    return {};
  }

 private:
  persistence::store& into_;
  rocksdb::WriteBatch batch_;
};

// The shard's log: the cut's marker, from which a lone node goes on.
std::string log_begin(const backed_up_shard& shard) {
  persistence::log_entry entry;
  entry.term = shard.term;
  entry.time = shard.time;
  return encode(entry);
}

status fill(const backup_folder& from, const backup_manifest& what, persistence::store& into,
            const record_visitor& seen, const std::function<void(std::uint64_t)>& progress) {
  filler out(into);
  std::uint64_t bytes = 0;
  for (const auto& shard : what.shards) {
    std::uint64_t records = 0;
    const auto take = [&](std::uint16_t number, persistence::family which, std::string_view key,
                          std::string_view value) -> status {
      ++records;
      if (auto sound = check_record(number, what.shard_count, which, key, value); !sound)
        return sound;
      if (auto told = seen(number, which, key, value); !told) return told;
      return out.put(which, key, value);
    };
    for (const auto& chunk : shard.chunks) {
      if (auto read = read_chunk(from, chunk, shard.shard, take); !read) return read;
      bytes += chunk.bytes;
      if (progress) progress(bytes);
    }
    if (records != shard.records)
      return fail(base_errc::malformed, "shard " + std::to_string(shard.shard) + " is not whole");
    if (auto put = out.put(persistence::family::log, persistence::log_key(shard.shard, shard.index),
                           log_begin(shard));
        !put) {
      return put;
    }
  }
  return out.write();
}

}  // namespace

status check_restorable(const std::string& directory) {
  std::error_code wrong;
  if (!fs::exists(directory, wrong)) return wrong ? failed(directory, wrong) : status{};
  if (fs::exists(directory + '/' + persistence::restoring_name, wrong)) {
    return fail(base_errc::precondition_failed, directory + " holds a restore that did not end (" +
                                                    persistence::restoring_name +
                                                    "): remove what is in it, and restore again");
  }
  const bool is_empty = fs::is_empty(directory, wrong);
  if (wrong) return failed(directory, wrong);
  return is_empty ? status{} : fail(base_errc::precondition_failed, directory + " is not empty");
}

status restore_backup(const backup_folder& from, const backup_manifest& what,
                      const restore_plan& plan, const clock& time, const record_visitor& seen,
                      const std::function<void(std::uint64_t)>& progress) {
  const auto& directory = plan.data_directory;
  if (auto ready = check_restorable(directory); !ready) return ready;
  if (what.store_format > persistence::format_version) {
    return fail(base_errc::malformed, "the backup is of a store of format " +
                                          std::to_string(what.store_format) +
                                          "; this program reads formats up to " +
                                          std::to_string(persistence::format_version));
  }
  const std::string aside = directory + '/' + persistence::restoring_name;
  for (const auto& folder : {directory, aside}) {
    if (auto made = make_private_folder(folder); !made) return made;
  }
  if (auto synced = sync_folder(directory); !synced) return synced;
  persistence::store_options options;
  options.directory = aside;
  options.shard_count = what.shard_count;
  options.free_disk_bytes_min = 0;
  auto store = persistence::store::open(options, time);
  if (!store) return fail(store.error());
  if (auto filled = fill(from, what, **store, seen, progress); !filled) return filled;
  if (auto closed = (*store)->close(); !closed) return closed;
  for (const auto& [name, content] : plan.files) {
    if (auto put = write_private_file(directory + '/' + name, content, existing_files::keep); !put)
      return put;
  }
  std::error_code wrong;
  fs::rename(aside + "/db", directory + "/db", wrong);
  if (wrong) return failed(directory + "/db", wrong);
  if (auto synced = sync_folder(directory); !synced) return synced;
  fs::remove_all(aside, wrong);
  if (wrong) return failed(aside, wrong);
  return sync_folder(directory);
}

}  // namespace omnicart::cluster
