#include "tools/omnicartctl/secret_input.hpp"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>

namespace omnicart::ctl {
namespace {

volatile std::sig_atomic_t caught_signal = 0;

void note_signal(int number) { caught_signal = number; }

// A terminal that shows nothing of what is typed, until the end of the scope. A signal meanwhile
// interrupts the read and takes effect once the terminal is as it was.
class silent_terminal {
 public:
  explicit silent_terminal(int fd) : fd_(fd) {
    caught_signal = 0;
    struct sigaction noting {};
    noting.sa_handler = note_signal;  // without SA_RESTART: read() returns
    ::sigaction(SIGINT, &noting, &old_int_);
    ::sigaction(SIGTERM, &noting, &old_term_);
    ::tcgetattr(fd_, &old_mode_);
    termios silent = old_mode_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  ~silent_terminal() {
    ::tcsetattr(fd_, TCSAFLUSH, &old_mode_);
    ::sigaction(SIGINT, &old_int_, nullptr);
    ::sigaction(SIGTERM, &old_term_, nullptr);
    if (caught_signal != 0) ::raise(caught_signal);
  }
  silent_terminal(const silent_terminal&) = delete;
  silent_terminal& operator=(const silent_terminal&) = delete;

 private:
  int fd_;
  termios old_mode_{};
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
};

void say(const char* what) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, what, std::strlen(what));
}

// Byte by byte: what follows the line stays for whoever reads `fd` next.
outcome<std::string> read_line(int fd, const std::string& name) {
  std::string line;
  for (char c = 0;;) {
    const auto count = ::read(fd, &c, 1);
    if (count < 0 && errno == EINTR && caught_signal == 0) continue;
    if (count < 0) return fail_with(exit_code::io, name + ": " + std::strerror(errno));
    if (count == 0 || c == '\n') break;
    line += c;
    if (line.size() > secret_bytes_max)
      return fail_with(exit_code::io, name + ": the first line is too long to be a secret");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

outcome<std::string> ask_silently(const char* prompt) {
  say(prompt);
  outcome<std::string> line = [] {
    const silent_terminal silent(STDIN_FILENO);
    return read_line(STDIN_FILENO, "terminal");
  }();
  say("\n");
  return line;
}

}  // namespace

outcome<std::string> first_line_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_with(exit_code::io, path + ": " + std::strerror(errno));
  auto line = read_line(fd, path);
  ::close(fd);
  return line;
}

outcome<std::string> read_token(const std::string& token_file, const std::string& fallback_file) {
  std::error_code unimportant;
  if (token_file.empty() && !std::filesystem::exists(fallback_file, unimportant))
    return std::string();
  const auto& path = token_file.empty() ? fallback_file : token_file;
  auto line = first_line_of(path);
  if (!line) return line;
  const auto first = line->find_first_not_of(" \t");
  if (first == std::string::npos) return fail_with(exit_code::io, path + ": holds no token");
  auto token = line->substr(first, line->find_last_not_of(" \t") - first + 1);
  // It becomes part of a header line.
  const bool is_plain = std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!is_plain) return fail_with(exit_code::io, path + ": holds something else than a token");
  return token;
}

outcome<std::string> ask_password() {
  const bool on_terminal = ::isatty(STDIN_FILENO) == 1;
  auto first = on_terminal ? ask_silently("Password: ") : read_line(STDIN_FILENO, "standard input");
  if (!first) return first;
  if (first->empty()) return fail_with(exit_code::usage, "no password given");
  if (!on_terminal) return first;
  const auto second = ask_silently("The same again: ");
  if (!second) return second;
  if (*second != *first) return fail_with(exit_code::usage, "the two passwords differ");
  return first;
}

}  // namespace omnicart::ctl
