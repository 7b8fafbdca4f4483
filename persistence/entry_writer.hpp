#pragma once

#include <cstdint>
#include <string>

#include "persistence/key_layout.hpp"
#include "persistence/store.hpp"

namespace rocksdb {
class WriteBatch;
}

namespace omnicart::persistence {

// Adds to the batch what an item of a committed entry means for the store: events, receipt, timer, snapshot, cut. The
// same item again gives the same keys. `prefix` is the entity_prefix of the item's entity.
void put_item(const store& data, std::uint16_t shard, const std::string& prefix,
              const logged_item& item, rocksdb::WriteBatch& out);
// The same for every item of an entry.
void put_items(const store& data, std::uint16_t shard, const log_entry& entry,
               rocksdb::WriteBatch& out);

}  // namespace omnicart::persistence
