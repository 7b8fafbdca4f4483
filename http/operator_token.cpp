#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "http/operator_server.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t token_bytes = 32;

tl::unexpected<error> broken(const std::string& path, const std::string& what) {
  return fail(base_errc::io, path + ": " + what);
}

result<std::string> make_token(const std::string& path, int file) {
  std::array<unsigned char, token_bytes> random;
  randombytes_buf(random.data(), random.size());
  std::array<char, token_bytes * 2 + 1> text;
  sodium_bin2hex(text.data(), text.size(), random.data(), random.size());
  std::string token(text.data());
  const std::string line = token + '\n';
  const bool written = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written) return broken(path, "cannot be written");
  return token;
}

}  // namespace

result<std::string> operator_token(const std::string& directory) {
  const std::string path = directory + "/operator.token";
  const int fresh = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fresh >= 0) return make_token(path, fresh);
  if (errno != EEXIST) return broken(path, std::string("cannot be made: ") + std::strerror(errno));
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return broken(path, std::string("cannot be read: ") + std::strerror(errno));
  struct stat info {};
  std::array<char, 256> text;
  const bool known = ::fstat(file, &info) == 0;
  const ssize_t length = ::read(file, text.data(), text.size());
  ::close(file);
  if (!known || length <= 0) return broken(path, "cannot be read");
  if ((info.st_mode & 077) != 0) return broken(path, "may be read by others; set its mode to 0600");
  std::string token(text.data(), static_cast<std::size_t>(length));
  while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  if (token.size() < 32) return broken(path, "holds no token of at least 32 characters; delete it and start again");
  return token;
}

}  // namespace omnicart::http
