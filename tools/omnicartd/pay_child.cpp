#include "tools/omnicartd/pay_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

extern char** environ;

namespace omnicart::node {
namespace {

constexpr int start_timeout_ms = 15'000;
constexpr int child_lifeline = 3;  // the descriptor's number in the child

tl::unexpected<error> broken(const std::string& what) {
  return fail(base_errc::unavailable, "omnicart-pay " + what);
}

std::string own_folder() {
  std::array<char, 4096> path;
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return ".";
  const std::string text(path.data(), static_cast<std::size_t>(length));
  return text.substr(0, text.rfind('/'));
}

struct pipe_ends {
  int read = -1;
  int write = -1;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
};

}  // namespace

status pay_child::start(const std::string& data_directory) {
  const std::string program = own_folder() + "/omnicart-pay";
  pipe_ends lifeline, output;
  if (!lifeline.open() || !output.open()) return broken("cannot be started: " + std::string(std::strerror(errno)));

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, lifeline.read, child_lifeline);
  ::posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
  const std::string fd = std::to_string(child_lifeline);
  std::array<const char*, 9> arguments = {program.c_str(), "--data", data_directory.c_str(), "--http", "127.0.0.1:0",
                                          "--parent-pipe", fd.c_str(), nullptr, nullptr};
  const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                                   const_cast<char* const*>(arguments.data()), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(lifeline.read);
  ::close(output.write);
  lifeline_ = lifeline.write;
  if (failed != 0) {
    pid_ = -1;
    ::close(output.read);
    return broken("cannot be started from " + program + ": " + std::strerror(failed));
  }
  auto ready = read_ready_line(output.read);
  ::close(output.read);
  if (!ready) stop(duration_ms{0});
  return ready;
}

// "ready http=HOST:PORT"
status pay_child::read_ready_line(int output) {
  std::string line;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(start_timeout_ms);
  while (line.find('\n') == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd waiting{output, POLLIN, 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) return broken("was not ready in time");
    std::array<char, 256> bytes;
    const ssize_t count = ::read(output, bytes.data(), bytes.size());
    if (count <= 0) return broken("ended before it was ready; its message stands above");
    line.append(bytes.data(), static_cast<std::size_t>(count));
  }
  const std::string mark = "ready http=";
  if (!line.starts_with(mark)) return broken("said something unexpected: " + line);
  url_ = "http://" + line.substr(mark.size(), line.find_first_of(" \n", mark.size()) - mark.size());
  return {};
}

void pay_child::stop(duration_ms deadline) {
  if (lifeline_ >= 0) ::close(lifeline_);
  lifeline_ = -1;
  url_.clear();
  if (pid_ <= 0) return;
  const auto until = std::chrono::steady_clock::now() + deadline;
  int status_code = 0;
  while (::waitpid(pid_, &status_code, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= until) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status_code, 0);
      break;
    }
    ::poll(nullptr, 0, 10);
  }
  pid_ = -1;
}

}  // namespace omnicart::node
