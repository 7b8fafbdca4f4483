// omnicartd: one node of the shop.
#include <CLI/CLI.hpp>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include "config/fields.hpp"
#include "config/load.hpp"
#include "config/print.hpp"
#include "runtime/base/version.hpp"
#include "runtime/log.hpp"
#include "tools/omnicartd/node.hpp"
#include "tools/omnicartd/preflight.hpp"

namespace {

using namespace omnicart;

constexpr int exit_usage = 64, exit_unavailable = 69, exit_io = 74, exit_config = 78;  // sysexits.h

struct arguments {
  std::optional<std::string> config_file;
  config::overrides said;
  bool check_config = false;
};

int complain(int code, const std::string& what) {
  std::fprintf(stderr, "omnicartd: %s\n", what.c_str());
  return code;
}

int code_of(const error& why) {
  if (why.is(base_errc::io)) return exit_io;
  if (why.is(base_errc::malformed)) return exit_config;
  return exit_unavailable;
}

// Shells and service managers start programs with 1,024 open files for the sake of select(); more
// is theirs to ask.
std::uint64_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'024;
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

result<config::options> read_options(const arguments& given) {
  auto options = config::load(given.config_file, given.said);
  if (!options) return options;
  config::resolve_threads(*options, std::thread::hardware_concurrency());
  config::fit_connections(*options, raise_file_limit());
  if (auto sound = node::preflight(*options); !sound) return fail(sound.error());
  return options;
}

void reload(node::node& running, const arguments& given) {
  auto fresh = read_options(given);
  if (!fresh) return log::error("configuration not taken", {{"why", fresh.error().detail}});
  for (const auto& key : running.reload(*fresh)) log::warning("changes at the next start", {{"key", key}});
  if (auto reopened = log::reopen(); !reopened) log::error("log", {{"why", reopened.error().detail}});
  log::info("configuration read again", {});
}

// Blocks until asked to end. A second request ends at once.
void wait_for_end(const sigset_t& signals, node::node& running, const arguments& given) {
  for (int number = 0; ::sigwait(&signals, &number) == 0;) {
    if (number != SIGHUP) return;
    reload(running, given);
  }
}

int serve(const arguments& given) {
  auto options = read_options(given);
  if (!options) return complain(exit_config, options.error().detail);
  if (auto link = node::check_link(options->cluster); !link) return complain(exit_config, link.error().detail);
  if (given.check_config) {
    std::fputs(config::to_toml(*options).c_str(), stdout);
    return 0;
  }
  if (options->node.data.empty()) return complain(exit_usage, "say where the data lies: --data DIR");

  ::umask(S_IRWXG | S_IRWXO);  // what the store and the ledger know is nobody else's
  // Blocked before any thread starts, so that only sigwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  log::settings logging;
  logging.at = log::parse_level(options->log.level).value_or(log::level::info);
  logging.as = options->log.format == "json" ? log::format::json : log::format::text;
  logging.file = options->log.file;
  logging.access = options->log.access;
  if (auto opened = log::open(logging); !opened) return complain(exit_io, opened.error().detail);

  const auto drain = std::chrono::seconds(options->node.drain_timeout_s);
  auto running = node::node::start(std::move(*options));
  if (!running) return complain(code_of(running.error()), running.error().detail);
  std::printf("ready http=%s operator=%s pay=%s\n", (*running)->http_address().c_str(),
              (*running)->operator_address().c_str(), (*running)->pay_url().c_str());
  std::fflush(stdout);
  log::info("ready", {{"http", (*running)->http_address()}, {"version", version_text()}});

  wait_for_end(signals, **running, given);
  sigdelset(&signals, SIGHUP);  // to read a configuration again would be too late, and must not end the drain
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  log::info("stopping", {});
  (*running)->stop(drain);
  running->reset();
  log::info("stopped", {});
  log::flush();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  arguments given;
  CLI::App app("One node of an OmniCart shop: entities, store, HTTP front and operator port in one process.", "omnicartd");
  app.add_option("--data", given.said.data, "Folder of everything this node knows; made when missing")->type_name("DIR");
  app.add_option("--config", given.config_file, "Configuration file (TOML); see docs/configuration.md")->type_name("FILE");
  app.add_option("--http", given.said.http, "Where shoppers are served; port 0 takes a free one")->type_name("HOST:PORT");
  app.add_option("--operator", given.said.operator_port, "Where operators are served")->type_name("HOST:PORT");
  app.add_option("--pay", given.said.pay, "The payment provider; without one the simulated provider is started")
      ->type_name("URL");
  app.add_flag("--check-config", given.check_config,
               "Print the effective configuration and end; certificates are read and tried, nothing is opened");
  app.set_version_flag("--version", version_text());
  app.footer(
      "Prints \"ready http=… operator=… pay=…\" when it serves. SIGTERM stops it in order, SIGHUP reads the\n"
      "configuration again (log level and limits). Exit codes: 0, 64 usage, 69 cannot start (port or data in use),\n"
      "74 disk, 78 configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : exit_usage;
  }
  return serve(given);
}
