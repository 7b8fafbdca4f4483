#include "cluster/copy/content_hash.hpp"

#include <xxhash.h>

#include <chrono>
#include <memory>
#include <string>

#include "cluster/copy/copy_source.hpp"
#include "cluster/copy/record_stream.hpp"
#include "persistence/key_layout.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::size_t read_bytes = std::size_t{1} << 20;

// Sums up records; what may go by itself is passed over.
class sum {
 public:
  explicit sum(content_hash& into) : into_(into) { XXH3_64bits_reset(state_.get()); }

  status add(persistence::family which, std::string_view key, std::string_view value) {
    if (which == persistence::family::receipts) {
      const auto proof = persistence::decode_receipt(value);
      if (!proof) return fail(base_errc::io, "a receipt does not read: " + proof.error().detail);
      if (proof->expires_at < into_.receipts_after) return {};
    }
    bytes_.clear();
    append_record(which, key, value, bytes_);
    XXH3_64bits_update(state_.get(), bytes_.data(), bytes_.size());
    ++into_.records;
    return {};
  }
  void finish() { into_.hash = XXH3_64bits_digest(state_.get()); }

 private:
  struct freed {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };

  content_hash& into_;
  std::unique_ptr<XXH3_state_t, freed> state_{XXH3_createState()};
  std::string bytes_;
};

}  // namespace

result<content_hash> hash_content(persistence::store& data, std::uint16_t shard, timestamp_ms now) {
  const auto source = copy_source::open(data, {.shard = shard});
  if (!source) return fail(source.error());
  using std::chrono::hours;
  content_hash found{.shard = shard, .through = (*source)->content().through};
  found.receipts_after = timestamp_ms(std::chrono::floor<hours>(now.time_since_epoch()) + hours(2));
  sum all(found);
  record_stream records;
  while (true) {
    const auto bytes = (*source)->next(read_bytes);
    if (!bytes) return fail(bytes.error());
    if (bytes->empty()) break;
    const auto added = records.add(
        *bytes, [&](auto which, auto key, auto value) { return all.add(which, key, value); });
    if (!added) return fail(added.error());
  }
  all.finish();
  return found;
}

}  // namespace omnicart::cluster
