#include "tools/load/recorder.hpp"

#include <algorithm>
#include <numeric>

namespace omnicart::load {
namespace {

using by_code = std::map<std::string, std::int64_t, std::less<>>;

std::int64_t sum(const by_code& counts) {
  return std::accumulate(
      counts.begin(), counts.end(), std::int64_t{0},
      [](std::int64_t so_far, const auto& entry) { return so_far + entry.second; });
}

void count(by_code& counts, std::string_view code) {
  const auto known = counts.find(code);
  if (known != counts.end()) {
    ++known->second;
  } else {
    counts.emplace(code, 1);
  }
}

}  // namespace

std::int64_t operation_record::refused_count() const { return sum(refused); }
std::int64_t operation_record::failed_count() const { return sum(failed); }

recorder::operation recorder::named(std::string_view name) {
  const auto known = std::find_if(operations_.begin(), operations_.end(),
                                  [&](const auto& each) { return each->name == name; });
  if (known != operations_.end()) return static_cast<operation>(known - operations_.begin());
  operations_.push_back(std::make_unique<operation_record>());
  operations_.back()->name = name;
  return operations_.size() - 1;
}

void recorder::answered(operation which, std::int64_t latency_us, verdict how,
                        std::string_view code) {
  const auto spent_us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency_us));
  auto& record = *operations_[which];
  record.latency_us.record(spent_us);
  this_second_us_.record(spent_us);
  ++answers_;
  ++now_.answers;
  switch (how) {
    case verdict::ok:
      ++record.ok;
      ++oks_;
      break;
    case verdict::refused:
      count(record.refused, code);
      break;
    case verdict::failed:
      count(record.failed, code);
      ++errors_;
      ++now_.errors;
      break;
  }
}

void recorder::retried(operation which) {
  ++operations_[which]->retries;
  ++retries_;
  ++now_.retries;
}

const second_record& recorder::close_second() {
  now_.p50_us = this_second_us_.percentile(50);
  now_.p99_us = this_second_us_.percentile(99);
  now_.max_us = this_second_us_.max();
  seconds_.push_back(now_);
  now_ = {};
  this_second_us_.clear();
  return seconds_.back();
}

}  // namespace omnicart::load
