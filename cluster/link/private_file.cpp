#include "cluster/link/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace omnicart::cluster {
namespace {

tl::unexpected<error> failed(const std::string& path) {
  return fail(base_errc::io, path + ": " + std::generic_category().message(errno));
}

// To the disk, in a new file.
status write_new(const std::string& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return failed(path);
  status done{};
  while (done && !content.empty()) {
    const ssize_t count = ::write(file, content.data(), content.size());
    if (count >= 0) {
      content.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      done = failed(path);
    }
  }
  if (done && ::fsync(file) != 0) done = failed(path);
  if (::close(file) != 0 && done) done = failed(path);
  return done;
}

// So that the file's name lasts as well.
status sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return failed(folder);
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced ? status{} : failed(folder);
}

}  // namespace

status write_private_file(const std::string& path, std::string_view content,
                          existing_files on_existing) {
  const std::string beside = path + ".new-" + std::to_string(::getpid());
  auto done = write_new(beside, content);
  if (done && on_existing == existing_files::replace) {
    if (std::rename(beside.c_str(), path.c_str()) != 0) done = failed(path);
  } else if (done &&
             ::link(beside.c_str(), path.c_str()) != 0) {  // never over a file, unlike a rename
    done = errno == EEXIST ? fail(base_errc::precondition_failed, path + " is there already")
                           : failed(path);
  }
  ::unlink(beside.c_str());
  return done ? sync_folder_of(path) : done;
}

status make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failed(path);
}

}  // namespace omnicart::cluster
