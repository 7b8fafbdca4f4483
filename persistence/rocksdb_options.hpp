#pragma once

#include <rocksdb/options.h>

#include <memory>
#include <string>

#include "persistence/store.hpp"

// RocksDB as the promises of the store need it; tests/unit/persistence/store_options_test.cpp
// asserts each setting.
namespace omnicart::persistence {

// `env` must outlive the database.
rocksdb::DBOptions database_options(const store_options& options, rocksdb::Env* env);

// `time` must outlive the database: receipts expire by its wall clock, during compaction.
rocksdb::ColumnFamilyOptions family_options(family which, const store_options& options,
                                            const clock& time,
                                            const std::shared_ptr<rocksdb::Cache>& cache);

// For databases read without a store: families with what their files need to be read.
rocksdb::ColumnFamilyOptions family_options_to_read(family which);

// An error of ours for a failed call: io, with what was attempted and RocksDB's reason.
error io_error(const std::string& attempt, const rocksdb::Status& status);

}  // namespace omnicart::persistence
