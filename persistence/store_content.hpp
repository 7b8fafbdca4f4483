#pragma once

#include <vector>

#include "persistence/verify.hpp"

namespace omnicart::persistence {

// The part of verify that reads keys and values: each decodes and stands in its shard, versions and
// log indexes have no gap, timers and markers agree. `families` in the order of enum family.
void check_content(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                   verify_report& report);

}  // namespace omnicart::persistence
