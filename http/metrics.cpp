#include "http/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <vector>

#include "runtime/log.hpp"

namespace omnicart::http {
namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::string method_label(method verb) {
  return verb == method::other ? "other" : std::string(to_string(verb));
}

prometheus::MetricFamily family(const char* name, const char* help, prometheus::MetricType type) {
  prometheus::MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

}  // namespace

metrics::metrics() : serial_(next_serial()) {}

metrics::series& metrics::find_shared(std::string_view route, method verb) {
  const std::lock_guard held(mutex_);
  const auto at = std::find_if(all_.begin(), all_.end(),
                               [&](const series& s) { return s.verb == verb && s.route == route; });
  return at != all_.end() ? *at : all_.emplace_back(route, verb);
}

// A pattern keeps its address while its router lives, so the address finds it; its text is compared
// all the same, in case another router's pattern stands there now.
metrics::series& metrics::find(std::string_view route, method verb) {
  struct table {
    std::uint64_t serial = 0;
    std::unordered_map<const char*, std::array<series*, 8>> by_pattern;
  };
  thread_local table known;
  if (known.serial != serial_) known = {.serial = serial_, .by_pattern = {}};
  series*& found =
      known.by_pattern[route.empty() ? nullptr : route.data()][static_cast<std::size_t>(verb)];
  if (found == nullptr || found->route != route) found = &find_shared(route, verb);
  return *found;
}

void metrics::count(const access_record& done) {
  series& of = find(done.route, parse_method(done.method));
  const auto digit = static_cast<std::size_t>(done.status / 100);
  const auto bucket =
      std::lower_bound(bounds_us.begin(), bounds_us.end(), done.duration_us) - bounds_us.begin();
  of.by_class[digit < of.by_class.size() ? digit : 0].fetch_add(1, std::memory_order_relaxed);
  of.by_duration[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  of.spent_us.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(done.duration_us, 0)),
                        std::memory_order_relaxed);
}

std::string metrics::text() const {
  auto requests = family("omnicart_http_requests_total",
                         "Answered requests by route, method and class of status.",
                         prometheus::MetricType::Counter);
  auto durations = family("omnicart_http_request_duration_seconds",
                          "From a request's head to handing its answer to the socket.",
                          prometheus::MetricType::Histogram);
  const std::lock_guard held(mutex_);
  for (const series& one : all_) {
    const std::vector<prometheus::ClientMetric::Label> labels = {
        {"route", one.route}, {"method", method_label(one.verb)}};
    for (std::size_t digit = 0; digit < one.by_class.size(); ++digit) {
      const auto count = one.by_class[digit].load(std::memory_order_relaxed);
      if (count == 0) continue;
      prometheus::ClientMetric metric;
      metric.label = labels;
      metric.label.push_back({"status", digit == 0 ? "other" : std::to_string(digit) + "xx"});
      metric.counter.value = static_cast<double>(count);
      requests.metric.push_back(std::move(metric));
    }
    prometheus::ClientMetric metric;
    metric.label = labels;
    auto& histogram = metric.histogram;
    for (std::size_t i = 0; i < one.by_duration.size(); ++i) {
      histogram.sample_count += one.by_duration[i].load(std::memory_order_relaxed);
      const double bound = i < bounds_us.size() ? static_cast<double>(bounds_us[i]) / 1e6
                                                : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = static_cast<double>(one.spent_us.load(std::memory_order_relaxed)) / 1e6;
    durations.metric.push_back(std::move(metric));
  }
  return prometheus::TextSerializer().Serialize({requests, durations});
}

access_observer request_observer(metrics& figures) {
  return [&figures](const access_record& done) {
    figures.count(done);
    if (!done.fault.empty()) {
      log::error("a call failed here",
                 {{"route", done.route}, {"why", done.fault}, {"request_id", done.request_id}});
    }
    log::access("request", {{"method", done.method},
                            {"route", done.route},
                            {"status", done.status},
                            {"duration_us", done.duration_us},
                            {"request_bytes", done.request_bytes},
                            {"response_bytes", done.response_bytes},
                            {"peer", done.peer},
                            {"request_id", done.request_id},
                            {"trace_id", done.trace_id}});
  };
}

}  // namespace omnicart::http
