#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/histogram.hpp"

namespace omnicart::load {

enum class verdict : std::uint8_t {
  ok,       // 2xx
  refused,  // a business answer that is no success: 402, 409
  failed,   // any other answer, or none before the patience ran out
};

// What one operation came to.
struct operation_record {
  std::string name;
  histogram latency_us;  // every final answer, retries included in its time
  std::int64_t ok = 0;
  std::int64_t retries = 0;  // attempts after which the same request was sent again
  std::map<std::string, std::int64_t, std::less<>> refused;  // by the problem's code
  std::map<std::string, std::int64_t, std::less<>> failed;
  std::int64_t refused_count() const;
  std::int64_t failed_count() const;
};

// One second of the run.
struct second_record {
  std::int64_t answers = 0;
  std::int64_t errors = 0;
  std::int64_t retries = 0;
  std::uint64_t p50_us = 0;
  std::uint64_t p99_us = 0;
  std::uint64_t max_us = 0;
};

// Collects what the clients saw. One thread. Grows by 48 bytes a second of the run, not by the
// number of requests.
class recorder {
 public:
  using operation = std::size_t;

  // The operation of this name; made at its first use. The order of first use is the order of the
  // report.
  operation named(std::string_view name);

  void answered(operation which, std::int64_t latency_us, verdict how, std::string_view code = {});
  void retried(operation which);

  // Ends the current second and answers its figures.
  const second_record& close_second();

  const std::vector<std::unique_ptr<operation_record>>& operations() const { return operations_; }
  const std::vector<second_record>& seconds() const { return seconds_; }
  std::int64_t answers() const { return answers_; }
  std::int64_t errors() const { return errors_; }
  std::int64_t retries() const { return retries_; }
  std::int64_t oks() const { return oks_; }

 private:
  std::vector<std::unique_ptr<operation_record>> operations_;
  std::vector<second_record> seconds_;
  histogram this_second_us_;
  second_record now_;
  std::int64_t answers_ = 0;
  std::int64_t errors_ = 0;
  std::int64_t retries_ = 0;
  std::int64_t oks_ = 0;
};

}  // namespace omnicart::load
