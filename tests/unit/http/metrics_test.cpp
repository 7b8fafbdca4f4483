#include "http/metrics.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

namespace omnicart::http {
namespace metrics_test {

access_record done(std::string_view method, std::string_view route, int status, std::int64_t us) {
  access_record record;
  record.method = method;
  record.route = route;
  record.status = status;
  record.duration_us = us;
  return record;
}

bool has(const std::string& text, const std::string& line) {
  return text.find(line + '\n') != text.npos;
}

BOOST_AUTO_TEST_SUITE(metrics_suite)

BOOST_AUTO_TEST_CASE(requests_are_counted_by_route_method_and_class_of_status) {
  metrics figures;
  const std::string route = "/api/cart";
  figures.count(done("GET", route, 200, 90));
  figures.count(done("GET", route, 304, 90));
  figures.count(done("GET", route, 200, 700));
  figures.count(done("DELETE", route, 404, 20'000'000));
  figures.count(done("BREW", "", 405, 10));
  const std::string text = figures.text();
  const std::string name = "omnicart_http_requests_total{route=\"/api/cart\",method=\"";
  BOOST_TEST(has(text, name + "GET\",status=\"2xx\"} 2"));
  BOOST_TEST(has(text, name + "GET\",status=\"3xx\"} 1"));
  BOOST_TEST(has(text, name + "DELETE\",status=\"4xx\"} 1"));
  BOOST_TEST(
      has(text, "omnicart_http_requests_total{route=\"\",method=\"other\",status=\"4xx\"} 1"));
  BOOST_TEST(text.find("status=\"5xx\"") == text.npos);
}

BOOST_AUTO_TEST_CASE(durations_fall_into_cumulative_buckets) {
  metrics figures;
  const std::string route = "/api/cart";
  for (const std::int64_t us : {0, 100, 101, 250, 10'000'000, 10'000'001})
    figures.count(done("GET", route, 200, us));
  const std::string text = figures.text();
  const std::string name =
      "omnicart_http_request_duration_seconds_bucket{route=\"/api/cart\",method=\"GET\",le=\"";
  BOOST_TEST(has(text, name + "0.0001\"} 2"));
  BOOST_TEST(has(text, name + "0.00025\"} 4"));
  BOOST_TEST(has(text, name + "10\"} 5"));
  BOOST_TEST(has(text, name + "+Inf\"} 6"));
  BOOST_TEST(has(
      text, "omnicart_http_request_duration_seconds_count{route=\"/api/cart\",method=\"GET\"} 6"));
}

BOOST_AUTO_TEST_CASE(a_pattern_at_an_address_used_before_is_counted_under_its_own_name) {
  metrics figures;
  std::string route = "/api/first";
  figures.count(done("GET", route, 200, 1));
  route = "/api/other";  // same memory
  figures.count(done("GET", route, 200, 1));
  const std::string text = figures.text();
  BOOST_TEST(has(
      text, "omnicart_http_requests_total{route=\"/api/first\",method=\"GET\",status=\"2xx\"} 1"));
  BOOST_TEST(has(
      text, "omnicart_http_requests_total{route=\"/api/other\",method=\"GET\",status=\"2xx\"} 1"));
}

BOOST_AUTO_TEST_CASE(two_sets_of_figures_on_one_thread_do_not_mix) {
  const std::string route = "/api/cart";
  metrics first;
  metrics second;
  first.count(done("GET", route, 200, 1));
  second.count(done("GET", route, 200, 1));
  first.count(done("GET", route, 200, 1));
  BOOST_TEST(
      has(first.text(),
          "omnicart_http_requests_total{route=\"/api/cart\",method=\"GET\",status=\"2xx\"} 2"));
  BOOST_TEST(
      has(second.text(),
          "omnicart_http_requests_total{route=\"/api/cart\",method=\"GET\",status=\"2xx\"} 1"));
}

BOOST_AUTO_TEST_CASE(threads_count_together) {
  metrics figures;
  const std::string route = "/api/cart";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) figures.count(done("GET", route, 200, n));
    });
  }
  for (auto& one : threads) one.join();
  BOOST_TEST(
      has(figures.text(),
          "omnicart_http_requests_total{route=\"/api/cart\",method=\"GET\",status=\"2xx\"} 4000"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace metrics_test
}  // namespace omnicart::http
