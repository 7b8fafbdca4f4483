#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tools/load/chance.hpp"
#include "tools/load/histogram.hpp"
#include "tools/load/pacer.hpp"
#include "tools/load/recorder.hpp"
#include "tools/load/report.hpp"

namespace omnicart::load {
namespace measure_test {

BOOST_AUTO_TEST_SUITE(load_measure)

BOOST_AUTO_TEST_CASE(percentiles_are_within_one_percent_above_the_true_value) {
  constexpr std::uint64_t seed = 7;
  BOOST_TEST_MESSAGE("seed " << seed);
  chance luck(seed);
  histogram h;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 50'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(std::exp(luck.fraction() * 30)));
    h.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(percent / 100 * 50'000)));
    const auto exact = values[rank - 1];
    const auto shown = h.percentile(percent);
    BOOST_TEST(shown >= exact);
    BOOST_TEST(static_cast<double>(shown) <= static_cast<double>(exact) * 1.008 + 0.5);
  }
  BOOST_TEST(h.max() == values.back());
  BOOST_TEST(h.percentile(100) == values.back());
}

BOOST_AUTO_TEST_CASE(small_and_huge_values_have_their_buckets) {
  histogram h;
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{256}, ~std::uint64_t{0}}) {
    h.clear();
    h.record(value);
    BOOST_TEST(h.percentile(50) == value);
    BOOST_TEST(h.max() == value);
  }
  histogram empty;
  BOOST_TEST(empty.percentile(99) == 0u);
}

BOOST_AUTO_TEST_CASE(merged_histograms_count_both) {
  histogram a, b;
  a.record(10);
  b.record(1000);
  b.record(1000);
  a.merge(b);
  BOOST_TEST(a.count() == 3u);
  BOOST_TEST(a.max() == 1000u);
  BOOST_TEST(a.percentile(33) == 10u);
}

BOOST_AUTO_TEST_CASE(zipf_draws_follow_the_law) {
  constexpr std::size_t ranks = 100;
  constexpr int draws = 200'000;
  chance luck(11);
  const zipf law(ranks, 1.1);
  std::vector<int> drawn(ranks);
  for (int i = 0; i < draws; ++i) ++drawn[law.draw(luck)];
  double sum = 0;
  for (std::size_t k = 1; k <= ranks; ++k) sum += std::pow(static_cast<double>(k), -1.1);
  for (const std::size_t k : {1, 2, 3, 10}) {
    const double expected = draws * std::pow(static_cast<double>(k), -1.1) / sum;
    // Five standard deviations of a binomial count.
    BOOST_TEST(std::abs(drawn[k - 1] - expected) < 5 * std::sqrt(expected));
  }
  BOOST_TEST(zipf(1, 1.1).draw(luck) == 0u);
}

BOOST_AUTO_TEST_CASE(equal_seeds_draw_equally) {
  chance a(3), b(3);
  for (int i = 0; i < 100; ++i) BOOST_TEST(a.fraction() == b.fraction());
}

// Time that moves only when told.
struct fake_stopwatch final : stopwatch {
  std::int64_t now_us() const override { return at_us; }
  std::int64_t at_us = 0;
};

BOOST_AUTO_TEST_CASE(a_stalled_server_is_charged_for_the_requests_that_had_to_wait) {
  // 100 starts a second for one second; each answer takes 1 ms, but the first takes 500 ms.
  fake_stopwatch watch;
  pacer schedule(0, 1'000'000, 100);
  histogram latency_us;
  while (const auto due_us = schedule.next(watch.now_us())) {
    watch.at_us = std::max(watch.at_us, *due_us);
    watch.at_us += latency_us.count() == 0 ? 500'000 : 1'000;
    latency_us.record(static_cast<std::uint64_t>(watch.now_us() - *due_us));
  }
  BOOST_TEST(latency_us.count() == 100u);
  BOOST_TEST(latency_us.max() == 500'000u);
  // Starts due at 10, 20, … ms waited 491, 482, … ms: half of all, not one in a hundred.
  BOOST_TEST(latency_us.percentile(50) > 40'000u);
  BOOST_TEST(latency_us.percentile(90) > 400'000u);
  BOOST_TEST(schedule.missed() == 0);
}

BOOST_AUTO_TEST_CASE(starts_still_owed_at_the_end_are_counted_as_missed) {
  pacer schedule(0, 1'000'000, 100);
  BOOST_TEST(*schedule.next(0) == 0);
  BOOST_TEST(*schedule.next(900'000) == 10'000);
  BOOST_TEST(!schedule.next(1'000'000).has_value());
  BOOST_TEST(schedule.missed() == 98);
}

BOOST_AUTO_TEST_CASE(rounding_of_the_gap_does_not_add_up) {
  pacer schedule(0, 3'000'000, 3);
  std::int64_t last_us = 0;
  int starts = 0;
  while (const auto due_us = schedule.next(0)) {
    last_us = *due_us;
    ++starts;
  }
  BOOST_TEST(starts == 9);
  BOOST_TEST(last_us == 2'666'666);
}

BOOST_AUTO_TEST_CASE(refusals_are_no_errors_and_seconds_are_closed) {
  recorder record;
  const auto op = record.named("check out");
  BOOST_TEST(record.named("check out") == op);
  record.answered(op, 100, verdict::ok);
  record.answered(op, 300, verdict::refused, "out_of_stock");
  record.answered(op, 200, verdict::failed, "http_500");
  record.retried(op);
  BOOST_TEST(record.errors() == 1);
  const auto second = record.close_second();
  BOOST_TEST(second.answers == 3);
  BOOST_TEST(second.errors == 1);
  BOOST_TEST(second.retries == 1);
  BOOST_TEST(second.max_us == 300u);
  BOOST_TEST(record.close_second().answers == 0);
  BOOST_TEST(record.operations()[op]->refused.at("out_of_stock") == 1);
}

BOOST_AUTO_TEST_CASE(the_page_fetches_nothing_and_escapes_what_it_shows) {
  recorder record;
  record.answered(record.named("<add>"), 1500, verdict::ok);
  record.close_second();
  scenario_outcome outcome;
  outcome.laws.push_back({.name = "law", .holds = false, .why = "a & b"});
  const std::string page = html_report({.title = "t", .record = record, .outcome = outcome});
  BOOST_TEST(page.find("&lt;add&gt;") != std::string::npos);
  BOOST_TEST(page.find("a &amp; b") != std::string::npos);
  for (const char* fetch : {"http://", "https://", "<script", "<link", "@import", "url("}) {
    BOOST_TEST(page.find(fetch) == std::string::npos, fetch);
  }
  const std::string json = json_report({.title = "t", .record = record, .outcome = outcome});
  BOOST_TEST(json.find(R"("law": false)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(numbers_are_shown_for_people) {
  BOOST_TEST(grouped(0) == "0");
  BOOST_TEST(grouped(999) == "999");
  BOOST_TEST(grouped(1000) == "1,000");
  BOOST_TEST(grouped(-1234567) == "-1,234,567");
  BOOST_TEST(span_text(830) == "830 us");
  BOOST_TEST(span_text(1234) == "1.23 ms");
  BOOST_TEST(span_text(4'560'000) == "4.56 s");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace measure_test
}  // namespace omnicart::load
