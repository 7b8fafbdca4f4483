#include "tools/load/run.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <fstream>

#include "tools/load/report.hpp"

namespace omnicart::load {
namespace {

class steady_stopwatch final : public stopwatch {
 public:
  std::int64_t now_us() const override {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
  }
};

std::int64_t cpu_us() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec +
         used.ru_stime.tv_usec;
}

endpoint endpoint_of(const std::string& url) {
  auto parsed = parse_url(url);
  if (!parsed) throw cannot_go_on(parsed.error().detail);
  return *parsed;
}

shop_address address_of(const load_options& options) {
  shop_address where{.nodes = {}, .operator_port = {}, .token_file = options.token_file};
  for (const auto& each : options.targets) where.nodes.push_back(endpoint_of(each));
  if (!options.operator_url.empty()) where.operator_port = endpoint_of(options.operator_url);
  return where;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& each : texts) all += (all.empty() ? "" : ", ") + each;
  return all;
}

// A descriptor for each connection and some to spare.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Each second a line on a terminal, over the last one; elsewhere one line every five seconds.
class live_display {
 public:
  live_display(asio::io_context& io, recorder& record, const stage& on)
      : timer_(io.get_executor()), record_(record), on_(on), terminal_(isatty(STDERR_FILENO) == 1) {
    next_ = timer::clock_type::now();
    arm();
  }
  void stop() {
    stopped_ = true;
    timer_.cancel();
    record_.close_second();
    if (terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  void arm() {
    next_ += std::chrono::seconds(1);
    timer_.expires_at(next_);
    timer_.async_wait([this](boost::system::error_code ec) {
      if (ec || stopped_) return;
      show(record_.close_second());
      arm();
    });
  }
  void show(const second_record& now) {
    ++second_;
    if (!terminal_ && second_ % 5 != 0) return;
    const auto line = live_line(second_, now, record_.errors(), record_.retries(),
                                on_.progress ? on_.progress() : "");
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
    std::fflush(stderr);
  }

  timer timer_;
  timer::time_point next_;
  recorder& record_;
  const stage& on_;
  bool terminal_;
  bool stopped_ = false;
  std::int64_t second_ = 0;
};

task<scenario_outcome> play(stage& on) {
  if (on.options.scenario == "replay") return run_replay(on);
  if (on.options.scenario == "flash-sale") return run_flash_sale(on);
  if (on.options.scenario == "storefront") return run_storefront(on);
  return run_bench(on);
}

void write_file(const std::string& path, const std::string& content) {
  if (path.empty()) return;
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw cannot_go_on("cannot write " + path);
}

class session_of_load {
 public:
  explicit session_of_load(const load_options& options)
      : options_(options),
        state_{.io = io_, .watch = watch_, .record = record_},
        shop_dog_(io_, std::chrono::seconds(options.timeout_s)),
        operator_dog_(io_, std::chrono::seconds(std::max<std::int64_t>(180, options.timeout_s))),
        where_(state_, shop_dog_, operator_dog_, address_of(options), options.scenario.seed),
        on_{.where = where_, .options = options.scenario} {
    state_.ride_through_us = options.ride_through_s * 1'000'000;
    state_.first_contact_us = std::min(state_.first_contact_us, state_.ride_through_us);
  }

  int run() {
    asio::signal_set signals(io_, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code ec, int) {
      if (ec) return;
      on_.interrupted = true;
      constexpr std::int64_t patience_us = 10'000'000;
      state_.ride_through_us = std::min(state_.ride_through_us, patience_us);
      signals.clear();  // a second one ends the process
    });
    live_display display(io_, record_, on_);
    const std::int64_t begin_us = watch_.now_us();
    asio::co_spawn(io_.get_executor(), play(on_),
                   [&](std::exception_ptr failed, scenario_outcome out) {
                     failed_ = failed;
                     outcome_ = std::move(out);
                     display.stop();
                     shop_dog_.stop();
                     operator_dog_.stop();
                     signals.cancel();
                   });
    io_.run();
    if (failed_) {
      // What was measured until then helps to see why.
      std::fputs(text_report(input(watch_.now_us() - begin_us)).c_str(), stdout);
      std::fflush(stdout);
      std::rethrow_exception(failed_);
    }
    return report(watch_.now_us() - begin_us);
  }

 private:
  report_input input(std::int64_t elapsed_us) const {
    return {.title = options_.scenario.scenario + " against " + joined(options_.targets),
            .record = record_,
            .outcome = outcome_,
            .elapsed_us = elapsed_us,
            .cpu_us = cpu_us()};
  }
  int report(std::int64_t elapsed_us) {
    const report_input in = input(elapsed_us);
    std::fputs(text_report(in).c_str(), stdout);
    std::fflush(stdout);
    write_file(options_.json_file, json_report(in));
    write_file(options_.html_file, html_report(in));
    return outcome_.laws_hold() ? 0 : 1;
  }

  const load_options& options_;
  steady_stopwatch watch_;
  asio::io_context io_{1};  // one thread: no locks inside
  recorder record_;
  run_state state_;
  watchdog shop_dog_;
  watchdog operator_dog_;
  shop where_;
  stage on_;
  std::exception_ptr failed_;
  scenario_outcome outcome_;
};

}  // namespace

int run(const load_options& options) {
  raise_file_limit();
  try {
    session_of_load session(options);
    return session.run();
  } catch (const cannot_go_on& why) {
    std::fprintf(stderr, "omnicart-load: %s\n", why.what());
    return 2;
  } catch (const std::exception& what) {
    std::fprintf(stderr, "omnicart-load: %s\n", what.what());
    return 2;
  }
}

}  // namespace omnicart::load
