#include "http/outbox.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "http/server/json_writer.hpp"

namespace omnicart::http {
namespace {

tl::unexpected<error> broken(const std::string& path, const char* what) {
  return fail(base_errc::io, path + ": " + what + ": " + std::strerror(errno));
}

std::string line_of(const mail& what) {
  std::string text;
  json_writer json(text);
  json.begin_object()
      .member("to", what.to)
      .member("kind", what.kind)
      .member("secret", what.secret)
      .member("valid_until", to_rfc3339(what.valid_until))
      .end_object();
  return text + '\n';
}

}  // namespace

status outbox_file::send(const mail& what) {
  const std::string line = line_of(what);
  const std::lock_guard lock(guard_);
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0 && info.st_size >= bytes_max &&
      std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) {
    return broken(path_, "cannot be renamed");
  }
  const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return broken(path_, "cannot be opened");
  const bool written = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  ::close(file);
  if (!written) return broken(path_, "cannot be written");
  return {};
}

}  // namespace omnicart::http
