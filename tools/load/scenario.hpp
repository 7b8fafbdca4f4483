#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/load/shop.hpp"

namespace omnicart::load {

// What is asked for on the command line; options.cpp says which scenario uses which.
struct scenario_options {
  std::string scenario;
  std::size_t connections = 0;  // 0: the scenario's own default
  std::int64_t duration_s = 30;
  double rate = 0;  // sessions (storefront) or requests (bench) a second; 0: closed loop
  std::uint64_t seed = 1;
  // replay
  std::string file;
  std::int64_t row_limit = INT64_MAX;
  bool returns = false;
  // flash-sale
  std::size_t clients = 2000;
  std::int64_t stock = 100;
  // storefront
  std::int64_t think_ms = 500;
  double zipf_exponent = 1.1;
  double declined_percent = 5;
  double abandon_percent = 50;
  double suggest_percent = 30;   // of searches are typed letter by letter
  double facet_percent = 10;     // of answers have a facet counted again
  double coupon_percent = 30;    // of buyers enter a coupon
  double gift_percent = 10;      // of buyers enter a gift card
  double returned_percent = 10;  // of orders come back in part
  std::size_t single_use_coupons = 8;
  std::size_t gift_cards = 8;
  bool leave_terms = false;  // put no tax and shipping, also where the shop has none
  std::vector<std::string> cards = {"timeout_before=1", "timeout_after=1", "twice=2",
                                    "late=1",           "garbage=1",       "async=1",
                                    "async_declined=1"};  // see card_mix
  // bench
  std::string requests;    // a kind, or a file of prepared requests
  std::string path = "/";  // of `raw`
  std::string save_file;   // where to write the prepared requests
  std::size_t sessions = 256;
  std::size_t lines = 1000;  // of the long cart
  std::int64_t ttl_s = 60;   // of a reservation
};

// What a run came to.
struct scenario_outcome {
  std::int64_t orders = 0;
  std::int64_t lines = 0;  // adds the shop acknowledged (replay), items of the orders otherwise
  std::int64_t order_lines = 0;
  std::int64_t units = 0;
  money gross;
  std::map<std::string, std::int64_t> skipped;
  std::map<std::string, std::int64_t>
      answers;                            // other counts worth a line: refusals told, sessions, …
  std::map<std::string, double> figures;  // of a benchmark
  std::vector<law> laws;
  std::vector<std::string> notes;
  bool laws_hold() const;
};

// What a scenario runs in.
struct stage {
  shop& where;
  const scenario_options& options;
  // Set while the run goes on: what the live line says beside the rates ("orders 12/19,959").
  std::function<std::string()> progress = {};
  // Ctrl-C: the scenario starts nothing new, then takes stock.
  bool interrupted = false;
};

// Each throws cannot_go_on when it cannot be carried out.
task<scenario_outcome> run_replay(stage& on);
task<scenario_outcome> run_flash_sale(stage& on);
task<scenario_outcome> run_storefront(stage& on);
task<scenario_outcome> run_bench(stage& on);

// Copies the sums of what the clients were told.
void take_sums(const told& clients, scenario_outcome& into);

}  // namespace omnicart::load
