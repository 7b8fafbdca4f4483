#include "http/secret_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace omnicart::http {

result<std::string> read_secret_file(const std::string& path, std::size_t bytes_min) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return fail(base_errc::io, path + ": cannot be read: " + std::strerror(errno));
  if ((info.st_mode & 077) != 0)
    return fail(base_errc::io, path + ": may be read by others; set its mode to 0600");
  std::ifstream file(path);
  std::string secret;
  std::getline(file, secret);
  while (!secret.empty() && (secret.back() == '\r' || secret.back() == ' ')) secret.pop_back();
  if (secret.size() < bytes_min) {
    return fail(base_errc::io, path + ": holds no secret of at least " + std::to_string(bytes_min) +
                                   " characters");
  }
  return secret;
}

}  // namespace omnicart::http
