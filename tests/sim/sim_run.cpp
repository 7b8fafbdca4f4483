#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <string>

#include "runtime/base/text.hpp"
#include "runtime/log.hpp"
#include "tests/sim/cluster_world.hpp"
#include "tests/sim/sim_world.hpp"

// Runs stories of the simulator: one seed with its trace, or many.
namespace {

using omnicart::sim::cluster_world;
using omnicart::sim::sim_world;
using omnicart::sim::story_end;

// One node, with its own kinds of stories, or several.
story_end tell(std::uint64_t seed, std::uint64_t nodes, const sim_world::reader& reader = {},
               std::optional<omnicart::sim::single_crash> crash = {}) {
  if (nodes > 1) return cluster_world(seed, nodes, reader).run();
  return sim_world(seed, reader, crash).run();
}

// An assertion of the engine ends the process: the seed must be known then.
volatile sig_atomic_t doomed_seed_digits = 0;
char doomed_seed[64] = "";

void on_abort(int) {
  static_cast<void>(
      !::write(STDOUT_FILENO, doomed_seed, static_cast<std::size_t>(doomed_seed_digits)));
  ::signal(SIGABRT, SIG_DFL);
  ::raise(SIGABRT);
}

void announce(std::uint64_t seed) {
  doomed_seed_digits = std::snprintf(doomed_seed, sizeof doomed_seed,
                                     "seed %llu FAILED: an assertion of the engine\n",
                                     static_cast<unsigned long long>(seed));
}

void print_failure(std::uint64_t seed, const story_end& end) {
  std::printf("seed %llu FAILED: %s: %s\n", static_cast<unsigned long long>(seed),
              end.broken->law.c_str(), end.broken->detail.c_str());
  std::fflush(stdout);
}

bool replay(std::uint64_t seed, std::uint64_t nodes,
            std::optional<omnicart::sim::single_crash> crash) {
  announce(seed);
  const auto print = [](omnicart::timestamp_ms at, std::string_view line) {
    std::printf("%s %.*s\n", omnicart::to_rfc3339(at).c_str(), static_cast<int>(line.size()),
                line.data());
  };
  const auto end = tell(seed, nodes, print, crash);
  std::printf(
      "seed %llu: %llu steps, %llu requests, %llu crashes, %llu orders, %llu captures, trace "
      "%016llx\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(end.steps),
      static_cast<unsigned long long>(end.requests), static_cast<unsigned long long>(end.crashes),
      static_cast<unsigned long long>(end.orders), static_cast<unsigned long long>(end.captures),
      static_cast<unsigned long long>(end.trace_hash));
  if (end.broken) print_failure(seed, end);
  return !end.broken;
}

// What happened last before a law broke.
void print_end_of_story(std::uint64_t seed, std::uint64_t nodes) {
  constexpr std::size_t lines_max = 25;
  std::deque<std::string> last;
  const auto keep = [&last](omnicart::timestamp_ms at, std::string_view line) {
    last.push_back("  " + omnicart::to_rfc3339(at) + ' ' + std::string(line));
    if (last.size() > lines_max) last.pop_front();
  };
  static_cast<void>(tell(seed, nodes, keep));
  for (const auto& line : last) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

struct totals {
  std::uint64_t seeds = 0, failed = 0, steps = 0, requests = 0, crashes = 0, orders = 0,
                captures = 0, compared = 0;
  omnicart::sim::toll taken;
};

void run_one(std::uint64_t seed, std::uint64_t nodes, bool twice, totals& sum) {
  announce(seed);
  auto end = tell(seed, nodes);
  if (twice && !end.broken) {
    const auto again = tell(seed, nodes);
    if (again.trace_hash != end.trace_hash) {
      end.broken = omnicart::sim::broken_law{"the same seed gives the same trace", "two hashes"};
    }
  }
  ++sum.seeds;
  sum.steps += end.steps;
  sum.requests += end.requests;
  sum.crashes += end.crashes;
  sum.orders += end.orders;
  sum.captures += end.captures;
  sum.compared += end.compared;
  sum.taken.add(end.taken);
  if (!end.broken) return;
  print_failure(seed, end);
  if (++sum.failed <= 3) print_end_of_story(seed, nodes);
}

// "A..B" or one number.
bool parse_range(const std::string& text, std::uint64_t& first, std::uint64_t& last) {
  const auto dots = text.find("..");
  try {
    first = std::stoull(text.substr(0, dots));
    last = dots == std::string::npos ? first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return first <= last;
}

void print_toll(const omnicart::sim::toll& taken) {
  for (std::size_t i = 0; i < omnicart::sim::harm_count; ++i) {
    std::printf("%10llu %s\n", static_cast<unsigned long long>(taken.of(i)),
                omnicart::sim::harm_names[i].data());
  }
}

bool run_many(std::uint64_t first, std::uint64_t last, std::uint64_t nodes, bool twice) {
  totals sum;
  const auto began = std::chrono::steady_clock::now();
  for (auto seed = first; seed <= last; ++seed) run_one(seed, nodes, twice, sum);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf(
      "%llu seeds, %llu failed: %llu steps, %llu requests, %llu crashes, %llu orders, %llu "
      "captures, %llu replicas compared in %.1f s\n",
      static_cast<unsigned long long>(sum.seeds), static_cast<unsigned long long>(sum.failed),
      static_cast<unsigned long long>(sum.steps), static_cast<unsigned long long>(sum.requests),
      static_cast<unsigned long long>(sum.crashes), static_cast<unsigned long long>(sum.orders),
      static_cast<unsigned long long>(sum.captures), static_cast<unsigned long long>(sum.compared),
      took.count());
  if (nodes > 1) print_toll(sum.taken);
  return sum.failed == 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The simulated shop: many crashes, one thread, no real time"};
  std::optional<std::uint64_t> seed;
  std::string seeds = "1..200";
  std::uint64_t nodes = 1;
  bool twice = false;
  std::optional<std::uint64_t> crash_after;
  bool power_lost = false, travels = false;
  app.add_option("--seed", seed, "replay this seed and print its trace");
  app.add_option("--seeds", seeds, "run these, FIRST..LAST");
  app.add_option("--nodes", nodes, "of the shop: 1, or several with a network between them")
      ->check(CLI::Range(1, 7));
  app.add_option("--crash-after", crash_after,
                 "with --seed: a small shop, and one crash after this step")
      ->needs("--seed");
  app.add_flag("--power-lost", power_lost, "with --crash-after: the machine goes down too")
      ->needs("--crash-after");
  app.add_flag("--journey", travels, "with --crash-after: the journey of an order instead")
      ->needs("--crash-after");
  app.add_flag("--twice", twice, "run each seed twice and compare the traces");
  CLI11_PARSE(app, argc, argv);
  ::signal(SIGABRT, on_abort);
  omnicart::log::set_level(omnicart::log::level::off);  // stories have their own words
  std::optional<omnicart::sim::single_crash> crash;
  using omnicart::sim::tale;
  if (crash_after)
    crash = {*crash_after, power_lost, travels ? tale::journey : tale::small_shop};
  if (seed) return replay(*seed, nodes, crash) ? 0 : 1;
  std::uint64_t first = 0, last = 0;
  if (!parse_range(seeds, first, last)) {
    std::fprintf(stderr, "error: --seeds wants FIRST..LAST\n");
    return 2;
  }
  return run_many(first, last, nodes, twice) ? 0 : 1;
}
