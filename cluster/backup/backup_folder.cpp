#include "cluster/backup/backup_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "cluster/link/private_file.hpp"

namespace omnicart::cluster {
namespace {

namespace fs = std::filesystem;

constexpr const char* mark_name = "/omnicart-backup";
constexpr std::string_view mark_content =
    "Backups of an OmniCart shop: omnicartctl backup list, verify, restore. Change nothing in here "
    "by hand.\n";
constexpr std::string_view manifest_ending = ".manifest";
constexpr const char* unfinished =
    ".new-";  // what write_private_file calls a file that is not whole yet

tl::unexpected<error> failed(const std::string& path, int why) {
  const auto code = why == ENOSPC ? base_errc::storage_full : base_errc::io;
  return fail(code, path + ": " + std::generic_category().message(why));
}

result<std::string> read_file(const std::string& path) {
  std::error_code wrong;
  if (!fs::exists(path, wrong)) return fail(base_errc::not_found, path + " is missing");
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return fail(base_errc::io, path + ": cannot be read");
  return bytes;
}

status sync_folder(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return failed(path, errno);
  const bool synced = ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  return synced ? status{} : failed(path, why);
}

}  // namespace

result<std::unique_ptr<backup_folder>> backup_folder::open(const std::string& path, use how) {
  std::unique_ptr<backup_folder> opened(new backup_folder(path));
  std::error_code wrong;
  const bool is_one = fs::exists(path + mark_name, wrong);
  if (how == use::read) {
    if (wrong) return failed(path, wrong.value());
    if (!is_one) return fail(base_errc::not_found, path + ": there is no backup folder");
    return opened;
  }
  if (!is_one && fs::exists(path, wrong) && !fs::is_empty(path, wrong)) {
    return fail(base_errc::precondition_failed, path + " is neither empty nor a backup folder");
  }
  if (auto ready = opened->prepare(); !ready) return fail(ready.error());
  return opened;
}

backup_folder::~backup_folder() {
  if (lock_ >= 0) ::close(lock_);
}

status backup_folder::prepare() {
  for (const auto* part : {"", "/chunks", "/backups"}) {
    if (auto made = make_private_folder(path_ + part); !made) return made;
  }
  auto marked = write_private_file(path_ + mark_name, mark_content, existing_files::keep);
  if (!marked && !marked.error().is(base_errc::precondition_failed)) return marked;
  if (auto locked = lock(); !locked) return locked;
  return remove_leftovers();
}

status backup_folder::lock() {
  const auto path = path_ + mark_name;
  lock_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (lock_ < 0) return failed(path, errno);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return fail(base_errc::in_progress, path_ + ": another backup is being written to it");
  }
  return {};
}

// Of a backup that was killed; its chunks stay, and are used.
status backup_folder::remove_leftovers() const {
  std::error_code wrong;
  for (fs::recursive_directory_iterator at(path_, wrong), end; !wrong && at != end;
       at.increment(wrong)) {
    if (at->path().filename().string().find(unfinished) != std::string::npos)
      fs::remove(at->path(), wrong);
  }
  return wrong ? failed(path_, wrong.value()) : status{};
}

std::string backup_folder::chunk_path(const std::string& hash) const {
  return path_ + "/chunks/" + hash.substr(0, 2) + '/' + hash;
}
std::string backup_folder::manifest_path(const std::string& id) const {
  return path_ + "/backups/" + id + std::string(manifest_ending);
}

result<bool> backup_folder::put_chunk(const chunk_name& name, std::string_view bytes) {
  const auto path = chunk_path(name.hash);
  std::error_code absent;
  const auto there = fs::file_size(path, absent);
  // A chunk of another length is damaged: it is put right.
  if (!absent && there == name.bytes) return false;
  if (auto made = make_private_folder(path_ + "/chunks/" + name.hash.substr(0, 2)); !made)
    return fail(made.error());
  auto written = write_private_file(path, bytes, existing_files::replace);
  if (!written) return fail(written.error());
  return true;
}

result<std::string> backup_folder::chunk(const chunk_name& name) const {
  const auto path = chunk_path(name.hash);
  auto bytes = read_file(path);
  if (!bytes) return bytes;
  if (bytes->size() != name.bytes || hash_of(*bytes) != name.hash) {
    return fail(base_errc::malformed, path + " is damaged: it has not the content it is named for");
  }
  return bytes;
}

status backup_folder::put_manifest(const backup_manifest& what) {
  for (const auto* part :
       {"/chunks", ""}) {  // what lies in them is on the disk, but not yet their names
    if (auto synced = sync_folder(path_ + part); !synced) return synced;
  }
  return write_private_file(manifest_path(what.id), encode_manifest(what), existing_files::keep);
}

result<std::vector<std::string>> backup_folder::ids() const {
  std::vector<std::string> found;
  std::error_code wrong;
  for (fs::directory_iterator at(path_ + "/backups", wrong), end; !wrong && at != end;
       at.increment(wrong)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(manifest_ending)) continue;
    const auto id = name.substr(0, name.size() - manifest_ending.size());
    if (is_backup_id(id)) found.push_back(id);
  }
  if (wrong) return failed(path_ + "/backups", wrong.value());
  std::sort(found.begin(), found.end());
  return found;
}

result<backup_manifest> backup_folder::manifest(const std::string& id) const {
  const auto path = manifest_path(id);
  const auto bytes = read_file(path);
  if (!bytes) return fail(bytes.error());
  auto read = decode_manifest(*bytes);
  if (!read) return fail(base_errc::malformed, path + ": " + read.error().detail);
  if (read->id != id)
    return fail(base_errc::malformed, path + " is the manifest of another backup, " + read->id);
  return read;
}

result<std::string> backup_folder::find(const std::string& id) const {
  const auto all = ids();
  if (!all) return fail(all.error());
  if (id.empty() && !all->empty()) return all->back();
  if (!id.empty() && std::binary_search(all->begin(), all->end(), id)) return id;
  return fail(base_errc::not_found,
              path_ + (id.empty() ? ": there is no backup in it" : ": there is no backup " + id));
}

}  // namespace omnicart::cluster
