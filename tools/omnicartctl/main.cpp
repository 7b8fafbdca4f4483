// omnicartctl: the operator's command line.
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tools/omnicartctl/confirmation.hpp"
#include "tools/omnicartctl/run.hpp"
#include "tools/omnicartctl/secret_input.hpp"

int main(int argc, char** argv) {
  using namespace omnicart::ctl;
  // A pager that is closed early is a failed write, not a death by signal.
  std::signal(SIGPIPE, SIG_IGN);
  const auto given = parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
  if (const auto* end = std::get_if<early_end>(&given)) {
    (end->code == exit_code::ok ? std::cout : std::cerr) << end->text << std::flush;
    return static_cast<int>(end->code);
  }
  const auto pause = [](omnicart::duration_ms time) {
    std::this_thread::sleep_for(time);
    return true;
  };
  const surroundings with{.out = std::cout,
                          .err = std::cerr,
                          .password = ask_password,
                          .confirm = ask_confirmation,
                          .pause = pause,
                          .terminal = ::isatty(STDOUT_FILENO) != 0};
  return static_cast<int>(run(std::get<command_line>(given), with));
}
