#include "cluster/backup/chunk_cutter.hpp"

#include <xxhash.h>

#include <utility>

#include "cluster/copy/record_stream.hpp"

namespace omnicart::cluster {

status chunk_cutter::add(persistence::family which, std::string_view key, std::string_view value) {
  if (which != family_) {
    if (auto done = finish(); !done) return done;
    family_ = which;
  }
  const auto before = chunk_.size();
  append_record(which, key, value, chunk_);
  ++records_;
  if (chunk_.size() >= sizes_.most) return finish();
  if (chunk_.size() < sizes_.least) return {};
  // An end falls on so many bytes on average: a long record is as likely to bring one as many short
  // ones together.
  const auto bytes = chunk_.size() - before;
  const bool is_end = XXH3_64bits(key.data(), key.size()) % sizes_.usual < bytes;
  return is_end ? finish() : status{};
}

status chunk_cutter::finish() {
  if (records_ == 0) return {};
  auto done = out_(chunk_, std::exchange(records_, 0));
  chunk_.clear();
  return done;
}

}  // namespace omnicart::cluster
