#pragma once

#include <rocksdb/compaction_filter.h>

#include <memory>

#include "runtime/clock.hpp"

namespace omnicart::persistence {

// Drops receipts whose time is over while their files are compacted: never before `expires_at`,
// some time after. A receipt that does not decode stays, for `store verify` to find.
class receipt_expiry_factory final : public rocksdb::CompactionFilterFactory {
 public:
  // `time` must outlive the database.
  explicit receipt_expiry_factory(const clock& time) : time_(time) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& context) override;
  const char* Name() const override { return "omnicart.receipt_expiry"; }

 private:
  const clock& time_;
};

}  // namespace omnicart::persistence
