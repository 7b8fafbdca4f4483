#include "tools/omnicartd/pay_supervisor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace omnicart::node {
namespace pay_supervisor_test {

constexpr duration_ms patience{20'000};

// A folder with a shell script in the provider's place.
struct pretended {
  std::filesystem::path folder;

  explicit pretended(const std::string& script) {
    std::string name =
        (std::filesystem::temp_directory_path() / "omnicart-pay-test.XXXXXX").string();
    folder = ::mkdtemp(name.data());
    const auto program = folder / "omnicart-pay";
    std::ofstream(program) << "#!/bin/sh\ncd " << folder.string() << "\n" << script;
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }
  ~pretended() { std::filesystem::remove_all(folder); }

  pay_command command() const {
    return {.program = (folder / "omnicart-pay").string(), .data = folder.string()};
  }
  std::string text_of(const char* name) const {
    std::ifstream in(folder / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

constexpr const char* ready = "echo 'ready http=127.0.0.1:4711'\n";
constexpr const char* until_the_end = "exec cat <&3\n";  // of the pipe from its parent

template <class F>
bool comes_true(F holds) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return holds();
}

BOOST_AUTO_TEST_SUITE(pay_supervisor_suite)

BOOST_AUTO_TEST_CASE(delays_double_up_to_ten_seconds) {
  const std::pair<unsigned, int> rows[] = {
      {1, 100}, {2, 200}, {3, 400}, {7, 6'400}, {8, 10'000}, {9, 10'000}, {4'000'000'000, 10'000}};
  for (const auto& [attempt, ms] : rows) {
    BOOST_TEST(pay_supervisor::delay_before(attempt).count() == ms, "attempt " << attempt);
  }
}

BOOST_AUTO_TEST_CASE(one_that_was_killed_is_started_again_on_its_address) {
  const pretended provider(std::string("echo \"$4\" >>calls\n") + ready +
                           "test \"$(wc -l <calls)\" = 1 && kill -9 $$\n" + until_the_end);
  pay_supervisor supervisor;
  BOOST_TEST_REQUIRE(supervisor.start(provider.command()).has_value());
  BOOST_TEST(supervisor.url() == "http://127.0.0.1:4711");
  BOOST_TEST_REQUIRE(comes_true([&] { return supervisor.look().restarts == 1; }));
  BOOST_TEST(supervisor.look().up);
  BOOST_TEST(supervisor.look().trouble == "");
  supervisor.stop(patience);
  BOOST_TEST(provider.text_of("calls") == "127.0.0.1:0\n127.0.0.1:4711\n");
  BOOST_TEST(!supervisor.look().up);
}

BOOST_AUTO_TEST_CASE(while_it_is_down_the_trouble_says_how_it_ended_and_stopping_does_not_wait) {
  const struct {
    const char* end;
    const char* says;
  } rows[] = {{"exit 74", "ended with exit code 74"}, {"kill -9 $$", "was killed by signal 9"}};
  for (const auto& [end, says] : rows) {
    const pretended provider(std::string("echo >>calls\ntest \"$(wc -l <calls)\" = 1 || exit 1\n") +
                             ready + end + '\n');
    pay_supervisor supervisor;
    BOOST_TEST_REQUIRE(supervisor.start(provider.command()).has_value());
    std::string first;
    BOOST_TEST_REQUIRE(comes_true([&] { return !(first = supervisor.look().trouble).empty(); }));
    BOOST_TEST(first == std::string("omnicart-pay ") + says);
    BOOST_TEST_REQUIRE(comes_true([&] {
      return supervisor.look().trouble.find("before it was ready") != std::string::npos;
    }));
    BOOST_TEST(!supervisor.look().up);
    BOOST_TEST(supervisor.look().restarts == 0u);
    supervisor.stop(patience);
  }
}

BOOST_AUTO_TEST_CASE(it_inherits_no_socket_of_its_parent) {
  const pretended provider(std::string("ls /proc/self/fd | tr '\\n' ' ' >fds\n") + ready +
                           until_the_end);
  const int open_socket = ::socket(AF_UNIX, SOCK_STREAM, 0);  // as Asio's: not close-on-exec
  const int high = ::fcntl(open_socket, F_DUPFD, 200);
  pay_supervisor supervisor;
  BOOST_TEST_REQUIRE(supervisor.start(provider.command()).has_value());
  const auto fds = ' ' + provider.text_of("fds");
  for (const int fd : {open_socket, high}) {
    if (fd > 4)
      BOOST_TEST(fds.find(' ' + std::to_string(fd) + ' ') == std::string::npos,
                 fds);  // 4: the folder `ls` reads
    ::close(fd);
  }
}

BOOST_AUTO_TEST_CASE(a_first_start_that_fails_is_one_clear_line) {
  const struct {
    const char* script;
    const char* says;
  } rows[] = {{"exit 1\n", "ended before it was ready"},
              {"echo hello\n", "said something unexpected: hello"}};
  for (const auto& [script, says] : rows) {
    const pretended provider(script);
    pay_supervisor supervisor;
    const auto started = supervisor.start(provider.command());
    BOOST_TEST_REQUIRE(!started.has_value());
    BOOST_TEST(started.error().detail.find(says) != std::string::npos, started.error().detail);
  }
  pay_supervisor supervisor;
  const auto started = supervisor.start({.program = "/nowhere/omnicart-pay", .data = "/tmp"});
  BOOST_TEST(started.error().detail.find("/nowhere/omnicart-pay") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace pay_supervisor_test
}  // namespace omnicart::node
