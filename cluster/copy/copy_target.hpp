#pragma once

#include <cstdint>
#include <string>

#include "cluster/copy/copy_frame.hpp"
#include "cluster/copy/record_stream.hpp"
#include "cluster/node_id.hpp"
#include "persistence/store.hpp"

namespace omnicart::cluster {

// Fills a shard with another node's content. Used by one thread at a time; nobody else may write
// the shard's content meanwhile, and whoever wants the shard has noted durably that it is not whole
// (replica_storage::put_copying). Nothing is synced here: the write that ends it does that.
class copy_target {
 public:
  copy_target(persistence::store& data, const copy_request& wanted, node_id from)
      : store_(data), wanted_(wanted), from_(from) {}

  // Before the first chunk. Errors: io.
  status wipe();
  // Errors: malformed (not the chunk that was due, or a record of another shard), io.
  status add(const copy_chunk& chunk);
  // The content, if all of it came and it is enough. Errors: malformed.
  result<shard_content> finish(const copy_end& end);

  const copy_request& wanted() const { return wanted_; }
  node_id from() const { return from_; }

 private:
  persistence::store& store_;
  copy_request wanted_;
  node_id from_;
  std::uint64_t chunks_ = 0;
  record_stream records_;
  std::string entry_;
};

}  // namespace omnicart::cluster
