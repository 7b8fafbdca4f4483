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
#include <optional>
#include <vector>

extern char** environ;

namespace omnicart::node {
namespace {

using clock = std::chrono::steady_clock;

constexpr duration_ms start_timeout{15'000};
constexpr duration_ms reap_timeout{2'000};
constexpr int child_lifeline = 3;  // the descriptor's number in the child

tl::unexpected<error> broken(const std::string& what) {
  return fail(base_errc::unavailable, "omnicart-pay " + what);
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

void close_end(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

enum class waited { readable, gave_up, timed_out };

// Until `fd` has bytes or is at its end. No deadline: for ever.
waited wait_for(int fd, int give_up, std::optional<clock::time_point> until) {
  for (;;) {
    int left_ms = -1;
    if (until) {
      left_ms = static_cast<int>(std::chrono::ceil<duration_ms>(*until - clock::now()).count());
      if (left_ms <= 0) return waited::timed_out;
    }
    std::array<pollfd, 2> both{pollfd{fd, POLLIN, 0}, pollfd{give_up, POLLIN, 0}};
    if (::poll(both.data(), both.size(), left_ms) < 0 && errno != EINTR) return waited::timed_out;
    if (both[1].revents != 0) return waited::gave_up;
    if (both[0].revents != 0) return waited::readable;
  }
}

std::string describe_end(int status_code) {
  if (WIFSIGNALED(status_code))
    return "was killed by signal " + std::to_string(WTERMSIG(status_code));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status_code));
}

// The front's and the operators' sockets are not close-on-exec: a child that held them would keep
// connections open which we have closed.
int spawn(const pay_command& what, int lifeline, int output, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, lifeline, child_lifeline);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, child_lifeline + 1);
  const std::string fd = std::to_string(child_lifeline);
  std::vector<const char*> arguments = {what.program.c_str(), "--data",        what.data.c_str(), "--http",
                                        what.address.c_str(), "--parent-pipe", fd.c_str()};
  if (!what.webhook_url.empty()) {
    arguments.insert(arguments.end(), {"--webhook", what.webhook_url.c_str(), "--webhook-secret-file",
                                       what.webhook_secret_file.c_str()});
  }
  arguments.push_back(nullptr);
  const int failed = ::posix_spawn(&pid, what.program.c_str(), &actions, nullptr,
                                   const_cast<char* const*>(arguments.data()), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) pid = -1;
  return failed;
}

}  // namespace

std::string own_pay_program() {
  std::array<char, 4096> path;
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string text(path.data(), static_cast<std::size_t>(length > 0 ? length : 0));
  return (length > 0 ? text.substr(0, text.rfind('/')) : ".") + "/omnicart-pay";
}

status pay_child::start(const pay_command& what, int give_up) {
  pipe_ends lifeline, output;
  if (!lifeline.open() || !output.open()) {
    const std::string why = std::strerror(errno);
    close_end(lifeline.read);
    close_end(lifeline.write);
    return broken("cannot be started: " + why);
  }
  lifeline_ = lifeline.write;
  output_ = output.read;
  const int failed = spawn(what, lifeline.read, output.write, pid_);
  ::close(lifeline.read);
  ::close(output.write);
  auto ready =
      failed == 0 ? read_ready_line(give_up)
                  : broken("cannot be started from " + what.program + ": " + std::strerror(failed));
  if (!ready) stop(duration_ms{0});
  return ready;
}

// "ready http=HOST:PORT"
status pay_child::read_ready_line(int give_up) {
  std::string line;
  const auto until = clock::now() + start_timeout;
  while (line.find('\n') == std::string::npos) {
    switch (wait_for(output_, give_up, until)) {
      case waited::timed_out:
        return broken("was not ready in time");
      case waited::gave_up:
        return broken("is not wanted any more");
      case waited::readable:
        break;
    }
    std::array<char, 256> bytes;
    const ssize_t count = ::read(output_, bytes.data(), bytes.size());
    if (count <= 0)
      return broken("ended before it was ready; its message stands on standard error");
    line.append(bytes.data(), static_cast<std::size_t>(count));
  }
  const std::string mark = "ready http=";
  if (!line.starts_with(mark)) return broken("said something unexpected: " + line);
  address_ = line.substr(mark.size(), line.find_first_of(" \n", mark.size()) - mark.size());
  return {};
}

bool pay_child::wait(int give_up) {
  std::array<char, 256> bytes;
  do {
    if (wait_for(output_, give_up, std::nullopt) == waited::gave_up) return false;
  } while (::read(output_, bytes.data(), bytes.size()) > 0);
  stop(reap_timeout);
  return true;
}

void pay_child::stop(duration_ms deadline) {
  close_end(lifeline_);
  const auto until = clock::now() + deadline;
  int status_code = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status_code, WNOHANG) == 0) {
    if (clock::now() >= until) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status_code, 0);
      break;
    }
    ::poll(nullptr, 0, 10);
  }
  if (pid_ > 0) ending_ = describe_end(status_code);
  pid_ = -1;
  close_end(output_);
  address_.clear();
}

}  // namespace omnicart::node
