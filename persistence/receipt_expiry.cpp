#include "persistence/receipt_expiry.hpp"

#include "persistence/key_layout.hpp"

namespace omnicart::persistence {
namespace {

class receipt_expiry final : public rocksdb::CompactionFilter {
 public:
  explicit receipt_expiry(timestamp_ms now) : now_(now) {}

  Decision FilterV2(int, const rocksdb::Slice&, ValueType type, const rocksdb::Slice& value,
                    std::string*, std::string*) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    const auto proof = decode_receipt(value.ToStringView());
    return proof && proof->expires_at < now_ ? Decision::kRemove : Decision::kKeep;
  }
  const char* Name() const override { return "omnicart.receipt_expiry"; }

 private:
  timestamp_ms now_;  // at the start of the compaction: later would only drop more
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> receipt_expiry_factory::CreateCompactionFilter(
    const rocksdb::CompactionFilter::Context&) {
  return std::make_unique<receipt_expiry>(time_.wall());
}

}  // namespace omnicart::persistence
