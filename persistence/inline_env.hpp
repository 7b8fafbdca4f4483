#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace omnicart::persistence {

// RocksDB's view of a simulated machine: the given files, and a clock of its own that only moves
// when it is read or slept on (RocksDB sleeps a second after a failed flush). Nothing of the real
// time reaches the files.
std::unique_ptr<rocksdb::Env> make_inline_env(std::shared_ptr<rocksdb::FileSystem> files);

}  // namespace omnicart::persistence
