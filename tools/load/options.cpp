#include "tools/load/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/base/version.hpp"
#include "tools/load/card_mix.hpp"

namespace omnicart::load {
namespace {

constexpr const char* examples = R"(
Examples:
  omnicart-load --operator http://127.0.0.1:8081 --token-file data/dev/operator.token storefront --duration 20
  omnicart-load --operator … --token-file … flash-sale --clients 2000 --stock 100
  omnicart-load --operator … --token-file … replay online-retail.csv.gz --returns --json totals.json --html replay.html
  omnicart-load --target http://10.0.0.1:8080,http://10.0.0.2:8080 --operator … --token-file … storefront
  omnicart-load --operator … --token-file … storefront --coupons 100 --single-use 50 --cards timeout_after=10,twice=10
  omnicart-load --target http://127.0.0.1:80 bench --requests raw --path /constant     (any other server)

Requests lost to a dying server, time-outs and 503 are repeated with the same idempotency key for up to
--ride-through seconds; they count as retries, not as errors.
Exit codes: 0 all laws hold, 1 a law is broken, 2 wrong usage or a scenario that could not be carried out.)";

// For CLI11, which shows what is returned: a report that cannot be written must not be found out
// after an hour of traffic. Touches nothing.
std::string writable(const std::string& path) {
  const std::filesystem::path file(path);
  std::error_code none;
  if (std::filesystem::is_directory(file, none)) return "cannot write " + path + ": it is a folder";
  const bool there = std::filesystem::exists(file, none);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int done = there ? ::access(path.c_str(), W_OK) : ::access(folder.c_str(), W_OK | X_OK);
  return done == 0 ? std::string() : "cannot write " + path + ": " + std::strerror(errno);
}

void add_common(CLI::App& app, load_options& into) {
  auto& s = into.scenario;
  app.add_option(
         "--target", into.targets,
         "The shop, http://host:port; several nodes of one with commas or repeated: a client "
         "whose node is lost goes on at the next")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  auto* op = app.add_option("--operator", into.operator_url,
                            "The operator's port, for staff authority and the laws");
  auto* file =
      app.add_option("--token-file", into.token_file, "File that holds the operator's token");
  op->needs(file);
  file->needs(op);
  app.add_option("--connections", s.connections,
                 "Connections (= clients at work) at most; default by scenario")
      ->check(CLI::Range(1, 20'000));
  app.add_option("--duration", s.duration_s, "Seconds (storefront, bench)")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.add_option("--rate", s.rate,
                 "Open loop: sessions (storefront) or requests (bench) a second; latency counts "
                 "from the intended start")
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--seed", s.seed, "Seed of all draws")->capture_default_str();
  app.add_option("--timeout", into.timeout_s, "Seconds one attempt may take")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_option("--ride-through", into.ride_through_s,
                 "Seconds one request outlasts a server that is gone")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  app.add_option("--json", into.json_file, "Write the report as JSON")->check(writable);
  app.add_option("--html", into.html_file, "Write the report as one self-contained page")
      ->check(writable);
}

// For CLI11, one share at a time; what they come to together is asked once all are read.
std::string card_share(const std::string& share) {
  const auto mix = card_mix::parse({share});
  return mix ? std::string() : mix.error().detail;
}

void add_percent(CLI::App& app, const std::string& name, double& into, const std::string& about) {
  app.add_option(name, into, about)->check(CLI::Range(0.0, 100.0))->capture_default_str();
}

void add_storefront(CLI::App& app, scenario_options& into) {
  auto* store = app.add_subcommand(
      "storefront", "People who browse, search, fill carts, leave or pay, and send things back");
  store
      ->add_option("--think-ms", into.think_ms,
                   "Mean pause between two steps, exponential; 0 is full speed")
      ->check(CLI::Range(0, 600'000))
      ->capture_default_str();
  store->add_option("--zipf", into.zipf_exponent, "Exponent of the products' popularity")
      ->check(CLI::Range(0.0, 5.0))
      ->capture_default_str();
  add_percent(*store, "--declined", into.declined_percent,
              "Percent of buyers whose card is declined");
  store
      ->add_option(
          "--cards", into.cards,
          "What the others pay with, CARD=PERCENT with commas (ok, declined, timeout_before, "
          "timeout_after, twice, late, garbage, async, async_declined: the simulated "
          "provider's); the rest pays with ok")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(card_share)
      ->capture_default_str();
  add_percent(*store, "--abandon", into.abandon_percent,
              "Percent of filled carts that are left behind");
  add_percent(*store, "--suggest", into.suggest_percent,
              "Percent of searches that are typed letter by letter, with completions");
  add_percent(*store, "--facets", into.facet_percent,
              "Percent of results of which a facet's count is looked into");
  add_percent(*store, "--coupons", into.coupon_percent,
              "Percent of buyers who enter a coupon (only with --operator)");
  add_percent(*store, "--gift-cards", into.gift_percent,
              "Percent of buyers who enter a gift card (only with --operator)");
  add_percent(*store, "--returned", into.returned_percent,
              "Percent of orders that come back in part (only with --operator)");
  store->add_option("--single-use", into.single_use_coupons, "Coupons for one order, to race for")
      ->check(CLI::Range(0, 1'000))
      ->capture_default_str();
  store->add_option("--gift-cards-issued", into.gift_cards, "Gift cards there are")
      ->check(CLI::Range(0, 1'000))
      ->capture_default_str();
  store->add_flag(
      "--leave-terms", into.leave_terms,
      "Put no tax rates and shipping methods for the run, also where the shop has none");
}

void add_scenarios(CLI::App& app, scenario_options& into) {
  add_storefront(app, into);
  auto* flash = app.add_subcommand("flash-sale", "Many clients, few units, one moment");
  flash->add_option("--clients", into.clients, "Guests who want one unit")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  flash->add_option("--stock", into.stock, "Units there are")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();

  auto* year =
      app.add_subcommand("replay", "A wholesaler's year: every invoice of the file as a purchase");
  year->add_option("file", into.file, "online-retail.csv(.gz)")->required();
  year->add_option("--limit", into.row_limit, "Only the first N data rows")
      ->check(CLI::Range(std::int64_t{1}, INT64_MAX));
  year->add_flag("--returns", into.returns,
                 "Then the cancellation rows: each a return of the customer's earlier purchases, "
                 "restocked and refunded");

  auto* bench = app.add_subcommand("bench", "One kind of request at full speed, for comparisons");
  bench
      ->add_option(
          "--requests", into.requests,
          "raw, cart-read, cart-write, cart-long, reserve-hot, reserve-many, checkout, or a file "
          "written by --save")
      ->required();
  bench->add_option("--path", into.path, "Path that `raw` gets")->capture_default_str();
  bench
      ->add_option("--save", into.save_file,
                   "Write the prepared requests, to send them to another server")
      ->check(writable);
  bench->add_option("--sessions", into.sessions, "Prepared guest sessions")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  bench->add_option("--lines", into.lines, "Lines of cart-long's long cart")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  bench->add_option("--ttl-s", into.ttl_s, "Seconds a reservation lives")
      ->check(CLI::Range(1, 1800))
      ->capture_default_str();
  for (auto* each : app.get_subcommands({})) each->fallthrough();
}

}  // namespace

std::optional<load_options> read_options(int argc, const char* const* argv, int& exit_code) {
  load_options options;
  CLI::App app("omnicart-load: traffic for an OmniCart shop, and the check that its books agree");
  app.set_version_flag("--version", version_text());
  app.footer(examples);
  app.require_subcommand(1);
  add_common(app, options);
  add_scenarios(app, options.scenario);
  try {
    app.parse(argc, argv);
    const auto mix = card_mix::parse(options.scenario.cards);
    if (!mix) throw CLI::ValidationError("--cards", mix.error().detail);
  } catch (const CLI::ParseError& stop) {
    const bool asked_for = app.exit(stop) == 0;
    exit_code = asked_for ? 0 : 2;
    return std::nullopt;
  }
  options.scenario.scenario = app.get_subcommands().front()->get_name();
  return options;
}

}  // namespace omnicart::load
