#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include "cluster/backup/backup_folder.hpp"

namespace omnicart::ctl::testing {

inline constexpr const char* backup_id = "20260301T120000Z-00000001";

inline cluster::backed_up_shard first_shard() {
  return {.shard = 0, .index = 3, .term = 2, .time = {}, .records = 0, .chunks = {}};
}

// Completes a backup of a shop with one shard, whose chunks are in the folder already.
inline void put_one_shard_backup(cluster::backup_folder& into, cluster::backed_up_shard shard,
                                 cluster::cut_totals totals) {
  const cluster::backup_manifest what{.id = backup_id,
                                      .created = {},
                                      .by = "ann",
                                      .why = "",
                                      .version = "v",
                                      .cluster = "c",
                                      .node = 1,
                                      .shard_count = 1,
                                      .store_format = 1,
                                      .paused = duration_ms{9},
                                      .tries = 1,
                                      .token_keys = std::string(64, 'k'),
                                      .totals = std::move(totals),
                                      .shards = {std::move(shard)}};
  BOOST_TEST_REQUIRE(into.put_manifest(what).has_value());
}

}  // namespace omnicart::ctl::testing
