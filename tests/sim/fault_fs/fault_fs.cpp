#include "tests/sim/fault_fs/fault_fs.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <utility>

namespace omnicart::sim {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

struct file {
  std::string bytes;
  std::size_t durable_bytes = 0;
  bool poisoned = false;  // a sync failed: its pages count as clean and never reach the disk
};
using file_ptr = std::shared_ptr<file>;

// A change of names that has not been synced: `node` now stands at `path`; null: nothing does.
struct name_change {
  std::string path;
  file_ptr node;
};

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string normal(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

IOStatus no_power() { return IOStatus::IOError("the power is off"); }
IOStatus missing(const std::string& path) { return IOStatus::PathNotFound(path); }

}  // namespace

struct fault_fs::disk {
  mutable std::mutex mutex;
  std::mt19937_64 random;
  std::map<std::string, file_ptr> names;          // as the running machine sees them
  std::map<std::string, file_ptr> durable;        // as the disk would, without what follows
  std::vector<std::vector<name_change>> changes;  // in order; those of one operation together
  std::set<std::string> directories;
  std::set<std::string> locks;
  disk_counters counts;
  std::optional<std::uint64_t> sync_to_fail;
  std::optional<std::uint64_t> space;
  std::optional<std::uint64_t> operations_left;
  std::uint64_t free_bytes = std::uint64_t{1} << 40;
  bool dark = false;

  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : random() % bound; }

  // Counts one operation; false when the power goes with it.
  bool alive() {
    if (dark) return false;
    ++counts.operations;
    if (operations_left && --*operations_left == 0) dark = true;
    return !dark;
  }

  void rename_all(std::vector<name_change> change) {
    for (const auto& [path, node] : change) {
      if (node) {
        names[path] = node;
      } else {
        names.erase(path);
      }
    }
    changes.push_back(std::move(change));
  }

  static void apply(std::map<std::string, file_ptr>& to, const std::vector<name_change>& change) {
    for (const auto& [path, node] : change) {
      if (node) {
        to[path] = node;
      } else {
        to.erase(path);
      }
    }
  }

  IOStatus append(file& to, const Slice& data) {
    const bool was_dark = dark;
    if (!alive()) {
      if (!was_dark)
        to.bytes.append(data.data(), below(data.size() + 1));  // torn where the power went
      return no_power();
    }
    ++counts.appends;
    if (space && *space < data.size()) {
      to.bytes.append(data.data(), data.size() / 2);
      space = 0;
      ++counts.refused_appends;
      return IOStatus::NoSpace("no space left on the simulated disk");
    }
    if (space) *space -= data.size();
    counts.appended_bytes += data.size();
    to.bytes.append(data.data(), data.size());
    return IOStatus::OK();
  }

  IOStatus sync(file& what) {
    const bool was_dark = dark;
    if (!alive()) {
      if (!was_dark && below(2) == 0)
        what.durable_bytes = what.bytes.size();  // done, but nobody was told
      return no_power();
    }
    ++counts.syncs;
    if (sync_to_fail && --*sync_to_fail == 0) {
      sync_to_fail.reset();
      ++counts.failed_syncs;
      what.poisoned = true;
      return IOStatus::IOError("the simulated sync failed");
    }
    if (!what.poisoned) what.durable_bytes = what.bytes.size();
    return IOStatus::OK();
  }

  IOStatus sync_directory() {
    if (!alive()) return no_power();
    ++counts.directory_syncs;
    // Journaling file systems commit in order: what any directory changed earlier goes along.
    for (const auto& change : changes) apply(durable, change);
    changes.clear();
    return IOStatus::OK();
  }

  disk_image surviving() {
    auto after = durable;
    const auto kept = below(changes.size() + 1);
    for (std::uint64_t i = 0; i < kept; ++i) apply(after, changes[i]);
    disk_image image;
    for (const auto& [path, node] : after) {
      const auto torn = node->poisoned ? 0 : below(node->bytes.size() - node->durable_bytes + 1);
      image[path] = node->bytes.substr(0, node->durable_bytes + torn);
    }
    return image;
  }
};

namespace {

using disk_ptr = std::shared_ptr<fault_fs::disk>;

class sequential_file final : public rocksdb::FSSequentialFile {
 public:
  sequential_file(disk_ptr on, file_ptr node) : disk_(std::move(on)), node_(std::move(node)) {}

  IOStatus Read(std::size_t n, const IOOptions&, Slice* out, char* scratch,
                IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    if (disk_->dark) return no_power();
    const auto size = std::min(n, node_->bytes.size() - std::min(at_, node_->bytes.size()));
    std::memcpy(scratch, node_->bytes.data() + std::min(at_, node_->bytes.size()), size);
    at_ += size;
    *out = Slice(scratch, size);
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  disk_ptr disk_;
  file_ptr node_;
  std::size_t at_ = 0;
};

class random_access_file final : public rocksdb::FSRandomAccessFile {
 public:
  random_access_file(disk_ptr on, file_ptr node) : disk_(std::move(on)), node_(std::move(node)) {}

  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* out, char* scratch,
                IODebugContext*) const override {
    const std::lock_guard lock(disk_->mutex);
    if (disk_->dark) return no_power();
    const auto begin = std::min<std::size_t>(offset, node_->bytes.size());
    const auto size = std::min(n, node_->bytes.size() - begin);
    std::memcpy(scratch, node_->bytes.data() + begin, size);
    *out = Slice(scratch, size);
    return IOStatus::OK();
  }

 private:
  disk_ptr disk_;
  file_ptr node_;
};

class writable_file final : public rocksdb::FSWritableFile {
 public:
  writable_file(disk_ptr on, file_ptr node) : disk_(std::move(on)), node_(std::move(node)) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    return disk_->append(*node_, data);
  }
  IOStatus Truncate(std::uint64_t bytes, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    if (!disk_->alive()) return no_power();
    node_->bytes.resize(bytes);
    node_->durable_bytes = std::min<std::size_t>(node_->durable_bytes, bytes);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    return disk_->sync(*node_);
  }
  // Clean pages are read from the disk again, and those of a failed sync count as clean.
  IOStatus InvalidateCache(std::size_t, std::size_t) override {
    const std::lock_guard lock(disk_->mutex);
    if (std::exchange(node_->poisoned, false)) node_->bytes.resize(node_->durable_bytes);
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    return node_->bytes.size();
  }

 private:
  disk_ptr disk_;
  file_ptr node_;
};

class directory final : public rocksdb::FSDirectory {
 public:
  explicit directory(disk_ptr on) : disk_(std::move(on)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    return disk_->sync_directory();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  disk_ptr disk_;
};

class silent_log final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class file_lock final : public rocksdb::FileLock {
 public:
  explicit file_lock(std::string locked) : path(std::move(locked)) {}
  const std::string path;
};

}  // namespace

fault_fs::fault_fs(std::uint64_t seed, disk_image image) : disk_(std::make_shared<disk>()) {
  disk_->random.seed(seed);
  for (auto& [path, bytes] : image) {
    const auto size = bytes.size();
    disk_->names[path] =
        std::make_shared<file>(file{.bytes = std::move(bytes), .durable_bytes = size});
    for (auto up = parent(path); !up.empty(); up = parent(up)) disk_->directories.insert(up);
  }
  disk_->durable = disk_->names;
}

fault_fs::~fault_fs() = default;

void fault_fs::fail_sync(std::uint64_t n) {
  const std::lock_guard lock(disk_->mutex);
  disk_->sync_to_fail = n;
}

void fault_fs::limit_space(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(disk_->mutex);
  disk_->space = bytes;
}

void fault_fs::set_free_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(disk_->mutex);
  disk_->free_bytes = bytes;
}

void fault_fs::cut_power(std::uint64_t n) {
  const std::lock_guard lock(disk_->mutex);
  disk_->operations_left = n;
}

void fault_fs::revive() {
  const std::lock_guard lock(disk_->mutex);
  disk_->dark = false;
  disk_->operations_left.reset();
  disk_->sync_to_fail.reset();
  disk_->space.reset();
  disk_->locks.clear();
}

bool fault_fs::power_is_cut() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->dark;
}

disk_image fault_fs::crash() {
  const std::lock_guard lock(disk_->mutex);
  disk_->dark = true;
  return disk_->surviving();
}

disk_image fault_fs::contents() const {
  const std::lock_guard lock(disk_->mutex);
  disk_image image;
  for (const auto& [path, node] : disk_->names) image[path] = node->bytes;
  return image;
}

disk_counters fault_fs::counters() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->counts;
}

IOStatus fault_fs::NewSequentialFile(const std::string& path, const FileOptions&,
                                     std::unique_ptr<rocksdb::FSSequentialFile>* out,
                                     IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto found = disk_->names.find(normal(path));
  if (found == disk_->names.end()) return missing(path);
  *out = std::make_unique<sequential_file>(disk_, found->second);
  return IOStatus::OK();
}

IOStatus fault_fs::NewRandomAccessFile(const std::string& path, const FileOptions&,
                                       std::unique_ptr<rocksdb::FSRandomAccessFile>* out,
                                       IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto found = disk_->names.find(normal(path));
  if (found == disk_->names.end()) return missing(path);
  *out = std::make_unique<random_access_file>(disk_, found->second);
  return IOStatus::OK();
}

IOStatus fault_fs::NewWritableFile(const std::string& path, const FileOptions&,
                                   std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  if (path.find("/OPTIONS-") != std::string::npos) return IOStatus::NotSupported("OPTIONS files");
  if (!disk_->alive()) return no_power();
  auto node = std::make_shared<file>();
  disk_->rename_all({{normal(path), node}});
  *out = std::make_unique<writable_file>(disk_, std::move(node));
  return IOStatus::OK();
}

IOStatus fault_fs::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* out,
                                      IODebugContext* debug) {
  {
    const std::lock_guard lock(disk_->mutex);
    const auto found = disk_->names.find(normal(path));
    if (found != disk_->names.end()) {
      *out = std::make_unique<writable_file>(disk_, found->second);
      return IOStatus::OK();
    }
  }
  return NewWritableFile(path, options, out, debug);
}

IOStatus fault_fs::NewDirectory(const std::string&, const IOOptions&,
                                std::unique_ptr<rocksdb::FSDirectory>* out, IODebugContext*) {
  *out = std::make_unique<directory>(disk_);
  return IOStatus::OK();
}

IOStatus fault_fs::NewLogger(const std::string&, const IOOptions&,
                             std::shared_ptr<rocksdb::Logger>* out, IODebugContext*) {
  *out = std::make_shared<silent_log>();
  return IOStatus::OK();
}

IOStatus fault_fs::FileExists(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto at = normal(path);
  const bool exists = disk_->names.count(at) + disk_->directories.count(at) > 0;
  return exists ? IOStatus::OK() : IOStatus::NotFound(path);
}

IOStatus fault_fs::GetChildren(const std::string& path, const IOOptions&,
                               std::vector<std::string>* out, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto at = normal(path);
  out->clear();
  const auto add = [&](const std::string& child) {
    if (parent(child) == at) out->push_back(child.substr(at.size() + 1));
  };
  for (const auto& [child, node] : disk_->names) add(child);
  for (const auto& child : disk_->directories) add(child);
  return out->empty() && disk_->directories.count(at) == 0 ? IOStatus::NotFound(path)
                                                           : IOStatus::OK();
}

IOStatus fault_fs::DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->names.count(normal(path)) == 0) return missing(path);
  if (!disk_->alive()) return no_power();
  disk_->rename_all({{normal(path), nullptr}});
  return IOStatus::OK();
}

IOStatus fault_fs::Truncate(const std::string& path, std::size_t bytes, const IOOptions& options,
                            IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSWritableFile> opened;
  if (FileExists(path, options, debug).IsNotFound()) return missing(path);
  if (auto done = ReopenWritableFile(path, FileOptions(), &opened, debug); !done.ok()) return done;
  return opened->Truncate(bytes, options, debug);
}

IOStatus fault_fs::CreateDir(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  return disk_->directories.insert(normal(path)).second ? IOStatus::OK()
                                                        : IOStatus::IOError("exists", path);
}

IOStatus fault_fs::CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  disk_->directories.insert(normal(path));
  return IOStatus::OK();
}

IOStatus fault_fs::DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  disk_->directories.erase(normal(path));
  return IOStatus::OK();
}

IOStatus fault_fs::GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* bytes,
                               IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto found = disk_->names.find(normal(path));
  if (found == disk_->names.end()) return missing(path);
  *bytes = found->second->bytes.size();
  return IOStatus::OK();
}

IOStatus fault_fs::GetFileModificationTime(const std::string&, const IOOptions&,
                                           std::uint64_t* seconds, IODebugContext*) {
  *seconds = 0;
  return IOStatus::OK();
}

IOStatus fault_fs::RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                              IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto found = disk_->names.find(normal(from));
  if (found == disk_->names.end()) return missing(from);
  if (!disk_->alive()) return no_power();
  const auto node = found->second;
  disk_->rename_all({{normal(to), node}, {normal(from), nullptr}});
  return IOStatus::OK();
}

IOStatus fault_fs::LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** out,
                            IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const auto at = normal(path);
  if (!disk_->locks.insert(at).second) return IOStatus::IOError("lock " + path, "already held");
  disk_->names.try_emplace(at, std::make_shared<file>());
  *out = new file_lock(at);
  return IOStatus::OK();
}

IOStatus fault_fs::UnlockFile(rocksdb::FileLock* held, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  const std::unique_ptr<file_lock> owned(static_cast<file_lock*>(held));
  disk_->locks.erase(owned->path);
  return IOStatus::OK();
}

IOStatus fault_fs::GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) {
  *path = "/test";
  return IOStatus::OK();
}

IOStatus fault_fs::GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                                   IODebugContext*) {
  *absolute = path;
  return IOStatus::OK();
}

IOStatus fault_fs::GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* bytes,
                                IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  *bytes = disk_->free_bytes;
  return IOStatus::OK();
}

IOStatus fault_fs::IsDirectory(const std::string& path, const IOOptions&, bool* is_directory,
                               IODebugContext*) {
  const std::lock_guard lock(disk_->mutex);
  *is_directory = disk_->directories.count(normal(path)) > 0;
  return IOStatus::OK();
}

}  // namespace omnicart::sim
