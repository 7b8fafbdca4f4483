#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::cluster {

struct chunk_sizes {
  std::size_t least = std::size_t{64} << 10;   // no end before that
  std::size_t usual = std::size_t{256} << 10;  // beyond `least`, on average; a power of two
  std::size_t most = std::size_t{1}
                     << 20;  // an end wherever it is reached; only a longer record is longer
};

// Cuts the records of a shard, given in key order, into chunks. Where a chunk ends depends on the
// record there, not on what came before it, so that the same records make the same chunks again
// although others were put between (content-defined chunking; Muthitacharoen et al. 2001, "A
// low-bandwidth network file system", section 3, on records in place of bytes). A plain value.
//
//   chunk = records as in cluster/copy/copy_frame.hpp, all of one family
class chunk_cutter {
 public:
  using sink = std::function<status(const std::string& chunk, std::size_t records)>;

  explicit chunk_cutter(sink out, chunk_sizes sizes = {}) : out_(std::move(out)), sizes_(sizes) {}

  // Errors: the sink's.
  status add(persistence::family which, std::string_view key, std::string_view value);
  // The last chunk.
  status finish();

 private:
  sink out_;
  const chunk_sizes sizes_;
  persistence::family family_ = persistence::family::meta;
  std::string chunk_;
  std::size_t records_ = 0;
};

}  // namespace omnicart::cluster
