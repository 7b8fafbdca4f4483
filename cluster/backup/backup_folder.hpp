#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/backup/manifest.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::cluster {

// The files of backups, which share what they have in common. Readable by their owner only.
//
//   DIR/omnicart-backup       says that the folder is one
//   DIR/chunks/xx/HASH        a chunk; xx: the first two digits
//   DIR/backups/ID.manifest   a backup; removing it removes the backup
//
// Every file is written beside its name and renamed once it is on the disk. Used by one thread at a
// time.
class backup_folder {
 public:
  enum class use { read, write };

  // To write: `path` may be missing or empty; it is made, and locked against other writers. Errors,
  // naming the path: precondition_failed (something else is in it), in_progress (another backup is
  // being written to it), not_found (to read: there is no backup folder), io.
  static result<std::unique_ptr<backup_folder>> open(const std::string& path, use how);
  ~backup_folder();
  backup_folder(const backup_folder&) = delete;
  backup_folder& operator=(const backup_folder&) = delete;

  // False: it was there already. Errors: io, storage_full.
  result<bool> put_chunk(const chunk_name& name, std::string_view bytes);
  // Errors: not_found, malformed (not the bytes it is named for), io; each names the file.
  result<std::string> chunk(const chunk_name& name) const;

  status put_manifest(const backup_manifest& what);
  // Ids of all backups, oldest first. Errors: io.
  result<std::vector<std::string>> ids() const;
  // Errors: not_found, malformed, io; each names the file.
  result<backup_manifest> manifest(const std::string& id) const;
  // Of the newest for "". Errors: not_found.
  result<std::string> find(const std::string& id) const;

  const std::string& path() const { return path_; }

 private:
  explicit backup_folder(std::string path) : path_(std::move(path)) {}
  status prepare();
  status lock();
  status remove_leftovers() const;
  std::string chunk_path(const std::string& hash) const;
  std::string manifest_path(const std::string& id) const;

  const std::string path_;
  int lock_ = -1;
};

}  // namespace omnicart::cluster
