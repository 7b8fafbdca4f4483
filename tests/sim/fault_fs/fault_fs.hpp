#pragma once

#include <rocksdb/file_system.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace omnicart::sim {

// What a machine finds on its disk when it starts: bytes by path.
using disk_image = std::map<std::string, std::string>;

// How often the disk did what, since it was made.
struct disk_counters {
  std::uint64_t appends = 0;
  std::uint64_t appended_bytes = 0;
  std::uint64_t syncs = 0;  // of files
  std::uint64_t directory_syncs = 0;
  std::uint64_t operations = 0;       // appends, syncs, creations, renames, deletions
  std::uint64_t failed_syncs = 0;     // on demand
  std::uint64_t refused_appends = 0;  // for want of space
};

// A disk in memory that behaves as badly as a real one may, from a seed, without threads or clock:
//   - bytes are durable only once their file is synced, names only once their directory is;
//   - crash() keeps what is durable, of every file a random part of the unsynced end, and of the
//     changes of names a random beginning (they reach a real disk in order too);
//   - on demand a sync fails: what it covered never becomes durable, since its pages are marked
//     clean, as Linux does; it is read back until InvalidateCache drops those pages;
//   - on demand space runs out (half of the last append lands), or power is cut at the n-th
//     operation: it lands in part, and nothing after it does anything but fail.
// OPTIONS files are refused: RocksDB can do without, and parses each back after writing it (2 ms).
class fault_fs final : public rocksdb::FileSystem {
 public:
  explicit fault_fs(std::uint64_t seed, disk_image image = {});
  ~fault_fs() override;

  // The n-th sync from now fails (1: the next), once.
  void fail_sync(std::uint64_t n);
  // Appends fail once this many more bytes were written; nothing: never.
  void limit_space(std::optional<std::uint64_t> bytes);
  // What the free-space question is answered; independent of limit_space.
  void set_free_bytes(std::uint64_t bytes);
  // Power goes at the n-th operation from now (1: the next).
  void cut_power(std::uint64_t n);
  bool power_is_cut() const;
  // It was only the process that ended at that operation: the machine goes on, with all that was
  // written in its memory, synced or not, and without the faults that were still to come.
  void revive();

  // What survives if power goes now, when it is not gone already. Same seed and same calls: same
  // image.
  disk_image crash();
  // Everything as the running machine sees it.
  disk_image contents() const;
  disk_counters counters() const;

  const char* Name() const override { return "omnicart.fault_fs"; }
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* logger,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus FileExists(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetChildren(const std::string& path, const rocksdb::IOOptions& options,
                                std::vector<std::string>* names,
                                rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, std::size_t bytes,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options,
                                std::uint64_t* bytes, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileModificationTime(const std::string& path,
                                            const rocksdb::IOOptions& options,
                                            std::uint64_t* seconds,
                                            rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus UnlockFile(rocksdb::FileLock* lock, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetTestDirectory(const rocksdb::IOOptions& options, std::string* path,
                                     rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetAbsolutePath(const std::string& path, const rocksdb::IOOptions& options,
                                    std::string* absolute, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                 std::uint64_t* bytes, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus IsDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                bool* is_directory, rocksdb::IODebugContext* debug) override;

  struct disk;  // shared with the open files, which may outlive this object

 private:
  std::shared_ptr<disk> disk_;
};

}  // namespace omnicart::sim
