#include "tools/load/scenario.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>

#include "tests/unit/load/fake_shop.hpp"

namespace omnicart::load {
namespace scenario_test {

using testing::fake_shop;
using testing::mischief;

class test_stopwatch final : public stopwatch {
 public:
  std::int64_t now_us() const override {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
  }
};

// A file that lives as long as the test.
class scratch_file {
 public:
  scratch_file(const std::string& name, const std::string& content) : path_("unit_load_" + name) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~scratch_file() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr const char* small_year =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "100,85123A,\"HEART, \"\"WHITE\"\"\",6,2010-12-01T08:26:00,2.55,17850,UK\n"
    "100,BANK CHARGES,Bank Charges,1,2010-12-01T08:26:00,15.00,17850,UK\n"
    "C101,85123A,HEART,-6,2010-12-01T08:26:00,2.55,17850,UK\n"
    "102,85123a,HEART,2,2010-12-01T08:27:00,2.555,,UK\n"
    "A103,B,Adjust,1,2010-12-01T08:27:00,5.00,,UK\n"
    "100,85123A,HEART,4,2010-12-01T08:28:00,2.55,17850,UK\n"
    "104,85123A,,-1,2010-12-01T08:28:00,0.00,,UK\n"
    "105,85123A,,3,2010-12-01T08:28:00,0.00,,UK\n"
    "102,PADS,PADS,1,2010-12-01T08:28:00,0.001,,UK\n";

// Where nobody listens.
endpoint lost_node(asio::io_context& io) {
  asio::ip::tcp::acceptor door(io, {asio::ip::address_v4::loopback(), 0});
  return *parse_url("http://127.0.0.1:" + std::to_string(door.local_endpoint().port()));
}

// Runs one scenario against a fake shop that behaves like that; `lost` more of its nodes are gone.
struct played {
  scenario_outcome outcome;
  recorder record;
  std::string failure;
  int adds = 0;
  int orders = 0;
  int sessions = 0;
  bool terms_taken_back = false;

  explicit played(scenario_options options, mischief how = {}, bool with_products = false,
                  int lost = 0, bool with_staff = true) {
    const scratch_file token("operator.token", "operator\n");
    const scratch_file year("year.csv", small_year);
    options.file = year.path();
    asio::io_context io(1);
    fake_shop fake(io, how);
    if (with_products) {
      for (const char* id : {"a", "b b", "c"}) {
        fake.prices[id] = 250;
        fake.stock[id] = 100'000;
        fake.categories[id] = "Toys";
      }
      fake.prices["dear"] = 9'900;
      fake.stock["dear"] = 100'000;
      fake.brands["dear"] = fake.brands["a"] = "Acme";
    }
    const auto here = *parse_url(fake.url());
    std::vector<endpoint> nodes{here};
    for (int i = 0; i < lost; ++i) nodes.push_back(lost_node(io));
    test_stopwatch watch;
    run_state run{.io = io, .watch = watch, .record = record};
    run.ride_through_us = how.stays_away ? 200'000 : 5'000'000;
    watchdog dog(io, std::chrono::seconds(5));
    shop_address address{.nodes = nodes, .operator_port = {}, .token_file = token.path()};
    if (with_staff) address.operator_port = here;
    shop where(run, dog, dog, address, 1);
    stage on{.where = where, .options = options};
    const auto play = options.scenario == "replay"       ? &run_replay
                      : options.scenario == "flash-sale" ? &run_flash_sale
                      : options.scenario == "storefront" ? &run_storefront
                                                         : &run_bench;
    asio::co_spawn(io.get_executor(), play(on),
                   [&](std::exception_ptr failed, scenario_outcome out) {
                     outcome = std::move(out);
                     try {
                       if (failed) std::rethrow_exception(failed);
                     } catch (const std::exception& what) {
                       failure = what.what();
                     }
                     dog.stop();
                     fake.stop();
                   });
    io.run();
    adds = fake.adds;
    orders = static_cast<int>(fake.orders.size());
    sessions = fake.sessions;
    terms_taken_back = fake.taxes == "{}" && fake.shipping == "{}";
  }

  bool asked_for(const std::string& operation) const {
    for (const auto& each : record.operations()) {
      if (each->name == operation && each->latency_us.count() > 0) return true;
    }
    return false;
  }

  bool holds(const std::string& name) const {
    for (const auto& each : outcome.laws) {
      if (each.name == name) return each.holds;
    }
    BOOST_FAIL("no law " + name);
    return false;
  }
};

scenario_options of(const char* name) { return {.scenario = name, .connections = 4}; }

BOOST_AUTO_TEST_SUITE(load_scenarios)

BOOST_AUTO_TEST_CASE(a_replay_trades_each_invoice_once_and_reports_what_was_acknowledged) {
  const played run(of("replay"));
  BOOST_TEST(run.failure == "");
  const auto& out = run.outcome;
  BOOST_TEST(out.orders == 2);
  BOOST_TEST(out.lines == 5);
  BOOST_TEST(out.order_lines == 4);
  BOOST_TEST(out.units == 14);
  // 10 x 2.55 + 15.00 + 2 x 2.56 + 0
  BOOST_TEST(out.gross.amount_minor == 2550 + 1500 + 512);
  BOOST_TEST(out.skipped.at("cancellation") == 1);
  BOOST_TEST(out.skipped.at("adjustment") == 1);
  BOOST_TEST(out.skipped.at("quantity") == 1);
  BOOST_TEST(out.skipped.at("price") == 1);
  BOOST_TEST(out.answers.at("invoices_without_sales") == 2);
  for (const auto& each : out.laws) BOOST_TEST(each.holds, each.name << ": " << each.why);
  BOOST_TEST(run.record.errors() == 0);
}

BOOST_AUTO_TEST_CASE(only_the_first_rows_are_traded_when_limited) {
  auto options = of("replay");
  options.row_limit = 3;
  const played run(options);
  BOOST_TEST(run.outcome.orders == 1);
  BOOST_TEST(run.outcome.lines == 2);
  BOOST_TEST(run.outcome.laws_hold());
}

BOOST_AUTO_TEST_CASE(lost_answers_refusals_and_expired_tokens_change_nothing_but_the_retries) {
  for (const auto& how :
       {mischief{.drop_every = 3}, mischief{.refuse_every = 4}, mischief{.expire_staff_every = 5},
        mischief{.drop_every = 5, .refuse_every = 7, .expire_staff_every = 4}}) {
    const played run(of("replay"), how);
    BOOST_TEST(run.failure == "");
    BOOST_TEST(run.outcome.laws_hold());
    BOOST_TEST(run.outcome.gross.amount_minor == 4562);
    BOOST_TEST(run.adds == 5);
    BOOST_TEST(run.orders == 2);
    BOOST_TEST(run.sessions == 2);
    BOOST_TEST(run.record.errors() == 0);
    if (how.expire_staff_every == 0) BOOST_TEST(run.record.retries() > 0);
  }
}

BOOST_AUTO_TEST_CASE(a_shop_that_dies_and_comes_back_is_ridden_through) {
  for (const int moment : {3, 8, 12, 16, 20}) {
    const played run(of("replay"), {.goes_away_at = moment});
    BOOST_TEST(run.failure == "");
    for (const auto& each : run.outcome.laws) BOOST_TEST(each.holds, each.name << ": " << each.why);
    BOOST_TEST(run.outcome.orders == 2);
    BOOST_TEST(run.adds == 5);
    BOOST_TEST(run.record.errors() == 0);
    BOOST_TEST(run.record.retries() > 0);
  }
}

BOOST_AUTO_TEST_CASE(what_a_lost_node_does_not_answer_is_asked_of_another) {
  for (const int lost : {1, 2}) {
    const played run(of("replay"), {.refuse_every = 5}, false, lost);
    BOOST_TEST(run.failure == "");
    for (const auto& each : run.outcome.laws) BOOST_TEST(each.holds, each.name << ": " << each.why);
    BOOST_TEST(run.outcome.orders == 2);
    BOOST_TEST(run.adds == 5);
    BOOST_TEST(run.record.errors() == 0);
    BOOST_TEST(run.record.retries() > 0);
  }
}

BOOST_AUTO_TEST_CASE(a_shop_that_stays_away_ends_the_replay) {
  for (const int moment : {8, 12, 16}) {
    const played run(of("replay"), {.goes_away_at = moment, .stays_away = true});
    BOOST_TEST(run.failure.find("connect") != std::string::npos, run.failure);
    BOOST_TEST(run.outcome.laws.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_shop_that_cheats_breaks_the_law_that_forbids_it) {
  struct row {
    mischief how;
    const char* law;
  };
  for (const auto& r : {row{{.loses_an_order = true}, "told_orders_exist_once"},
                        row{{.lists_an_order_twice = true}, "told_orders_exist_once"},
                        row{{.changes_a_total = true}, "told_orders_agree"},
                        row{{.changes_a_total = true}, "gross_agrees"},
                        row{{.makes_a_second_order = true}, "no_untold_order"},
                        row{{.keeps_sold_stock = true}, "stock_agrees"},
                        row{{.leaves_a_hold = true}, "stock_agrees"},
                        row{{.captures_twice = true}, "provider_agrees"},
                        row{{.drops_a_line = true}, "file_traded_whole"},
                        row{{.drops_a_line = true}, "answers_agree"},
                        row{{.breaks_own_law = true}, "engine.no_oversell"}}) {
    const played run(of("replay"), r.how);
    BOOST_TEST(run.failure == "");
    BOOST_TEST(!run.holds(r.law), r.law);
    BOOST_TEST(!run.outcome.laws_hold());
  }
}

BOOST_AUTO_TEST_CASE(a_flash_sale_sells_what_there_is_and_tells_the_others) {
  auto options = of("flash-sale");
  options.clients = 60;
  options.stock = 10;
  options.connections = 20;
  for (const auto& how : {mischief{}, mischief{.drop_every = 7}}) {
    const played run(options, how);
    BOOST_TEST(run.failure == "");
    BOOST_TEST(run.outcome.orders == 10);
    BOOST_TEST(run.outcome.answers.at("out_of_stock") == 50);
    for (const auto& each : run.outcome.laws) BOOST_TEST(each.holds, each.name << ": " << each.why);
  }
}

BOOST_AUTO_TEST_CASE(an_oversold_flash_sale_breaks_the_laws) {
  auto options = of("flash-sale");
  options.clients = 20;
  options.stock = 5;
  const played run(options, {.oversells = true});
  BOOST_TEST(!run.holds("sold_what_there_was"));
  BOOST_TEST(!run.holds("others_told_out_of_stock"));
  BOOST_TEST(!run.holds("nothing_left_over"));
  BOOST_TEST(!run.holds("no_oversell"));
}

BOOST_AUTO_TEST_CASE(a_storefront_run_ends_with_agreeing_books) {
  auto options = of("storefront");
  options.duration_s = 1;
  options.think_ms = 0;
  options.declined_percent = 20;
  for (const double rate : {0.0, 200.0}) {
    options.rate = rate;
    const played run(options, {.drop_every = 101}, true);
    BOOST_TEST(run.failure == "");
    BOOST_TEST(run.outcome.orders > 0);
    for (const auto& each : run.outcome.laws) BOOST_TEST(each.holds, each.name << ": " << each.why);
  }
}

BOOST_AUTO_TEST_CASE(a_storefront_notices_a_line_its_shop_forgot) {
  auto options = of("storefront");
  options.duration_s = 1;
  options.think_ms = 0;
  options.abandon_percent = 0;
  options.declined_percent = 0;
  options.connections = 1;
  const played run(options, {.drops_a_line = true}, true);
  BOOST_TEST(!run.holds("answers_agree"));
}

scenario_options busy_storefront() {
  auto options = of("storefront");
  options.duration_s = 1;
  options.think_ms = 0;
  options.abandon_percent = 0;
  options.declined_percent = 20;
  options.coupon_percent = 80;
  options.gift_percent = 40;
  options.returned_percent = 40;
  options.suggest_percent = 50;
  options.facet_percent = 50;
  options.single_use_coupons = 2;
  return options;
}

BOOST_AUTO_TEST_CASE(a_storefront_makes_every_call_and_keeps_every_promise) {
  for (const auto& how : {mischief{}, mischief{.drop_every = 37}}) {
    const played run(busy_storefront(), how, true);
    BOOST_TEST(run.failure == "");
    for (const auto& each : run.outcome.laws) BOOST_TEST(each.holds, each.name << ": " << each.why);
    for (const char* operation :
         {"search", "suggest", "narrow by facet", "choose shipping", "apply coupon",
          "apply gift card", "ship", "ask return", "receive return", "set tax rates",
          "set shipping methods", "create coupon", "issue gift card", "disable offer"}) {
      BOOST_TEST(run.asked_for(operation), operation);
    }
    const auto& told = run.outcome.answers;
    BOOST_TEST(told.at("searches_checked") > 0);
    BOOST_TEST(told.at("facets_checked") > 0);
    BOOST_TEST(told.at("returned_units") > 0);
    BOOST_TEST(told.at("checkouts_tok_declined") > 0);
    BOOST_TEST(run.terms_taken_back);
    BOOST_TEST(run.outcome.notes.empty());
  }
}

BOOST_AUTO_TEST_CASE(each_broken_promise_breaks_its_law) {
  struct row {
    mischief how;
    const char* law;
  };
  for (const auto& r : {row{{.shows_dear_hits = true}, "search_hits_fit"},
                        row{{.ignores_sorting = true}, "search_sorted"},
                        row{{.miscounts_facets = true}, "facet_counts_agree"},
                        row{{.suggests_too_much = true}, "suggestions_fit"},
                        row{{.miscounts_totals = true}, "totals_add_up"},
                        row{{.miscounts_totals = true}, "orders_read_add_up"},
                        row{{.sells_coupons_again = true}, "single_use_once"},
                        row{{.sells_coupons_again = true}, "coupon_limits_hold"},
                        row{{.forgets_uses = true}, "coupon_limits_hold"},
                        row{{.keeps_gift_money = true}, "gift_cards_balance"},
                        row{{.refunds_too_much = true}, "refunds_within_captures"},
                        row{{.forgets_gift_refunds = true}, "gift_refunds_told"},
                        row{{.forgets_to_restock = true}, "returns_restocked"},
                        row{{.charges_declined = true}, "declined_not_charged"}}) {
    // A second is enough for the lie to be told, unless the machine has little time for it: then it goes on for longer.
    bool noticed = false;
    for (int duration_s = 1; !noticed && duration_s <= 16; duration_s *= 4) {
      auto options = busy_storefront();
      options.duration_s = duration_s;
      const played run(options, r.how, true);
      BOOST_TEST(run.failure == "");
      noticed = !run.holds(r.law);
    }
    BOOST_TEST(noticed, r.law);
  }
}

BOOST_AUTO_TEST_CASE(without_staff_a_storefront_leaves_their_part_out_and_says_so) {
  const played run(busy_storefront(), {}, true, 0, false);
  BOOST_TEST(run.failure == "");
  BOOST_TEST(run.outcome.orders > 0);
  BOOST_TEST(run.asked_for("suggest"));
  BOOST_TEST(run.asked_for("choose shipping"));
  for (const char* operation : {"create coupon", "apply coupon", "ship", "set tax rates"})
    BOOST_TEST(!run.asked_for(operation), operation);
  BOOST_TEST(run.holds("search_hits_fit"));
  BOOST_TEST(run.outcome.laws.size() == 5u);
  BOOST_TEST(run.outcome.notes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(terms_are_left_alone_when_asked_to) {
  auto options = busy_storefront();
  options.leave_terms = true;
  const played run(options, {}, true);
  BOOST_TEST(run.failure == "");
  BOOST_TEST(!run.asked_for("set tax rates"));
  BOOST_TEST(run.outcome.laws_hold());
}

BOOST_AUTO_TEST_CASE(each_kind_of_benchmark_gets_answers) {
  auto options = of("bench");
  options.duration_s = 1;
  options.sessions = 8;
  options.lines = 600;
  for (const char* kind : {"cart-read", "cart-write", "cart-long", "checkout", "raw"}) {
    options.requests = kind;
    options.path = "/api/products";
    const played run(options);
    BOOST_TEST(run.failure == "");
    const auto& figures = run.outcome.figures;
    const char* name = std::string(kind) == "checkout"    ? "checkouts_per_s"
                       : std::string(kind) == "cart-long" ? "ratio"
                                                          : "requests_per_s";
    BOOST_TEST(figures.at(name) > 0, kind);
  }
}

BOOST_AUTO_TEST_CASE(a_scenario_that_cannot_be_carried_out_says_why) {
  BOOST_TEST(played(of("storefront")).failure == "the shop has no products: import some first");
  const played refused(of("replay"), {.refuses_a_product = true});
  BOOST_TEST(refused.failure.find("importing products") == 0u, refused.failure);
  auto options = of("bench");
  options.requests = "no-such-kind";
  BOOST_TEST(played(options).failure.find("no-such-kind") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace scenario_test
}  // namespace omnicart::load
