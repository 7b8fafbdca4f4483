#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "http/server/access.hpp"
#include "http/server/message.hpp"

namespace omnicart::http {

// Rate, errors and duration of the calls, by route pattern and method. Thread-safe; a request costs
// a look into a table of its thread and four relaxed additions. Routes are as many as the router
// has, so nothing grows with traffic.
class metrics {
 public:
  metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  void count(const access_record& done);

  // Prometheus text format 0.0.4: omnicart_http_requests_total {route, method, status="2xx"} and
  // the histogram omnicart_http_request_duration_seconds {route, method}. Requests without a route
  // have route="".
  std::string text() const;

 private:
  // Upper bounds of the histogram in microseconds; one bucket more for all above.
  static constexpr std::array<std::int64_t, 15> bounds_us = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};
  struct series {
    series(std::string_view pattern, method called) : route(pattern), verb(called) {}
    const std::string route;
    const method verb;
    std::array<std::atomic<std::uint64_t>, 6>
        by_class{};  // of the status: [2] is 2xx, [0] is none of 1-5
    std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> by_duration{};
    std::atomic<std::uint64_t> spent_us{0};
  };

  series& find(std::string_view route, method verb);
  series& find_shared(std::string_view route, method verb);

  const std::uint64_t serial_;  // names this object in the threads' tables
  mutable std::mutex mutex_;    // of the list; the figures are atomic
  std::deque<series> all_;      // never moved, never removed
};

// Counts each request and writes its line of the access log. `figures` outlives the server.
access_observer request_observer(metrics& figures);

}  // namespace omnicart::http
