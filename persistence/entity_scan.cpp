#include "persistence/entity_scan.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <memory>

#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::persistence {
namespace {

// The lowest key behind everything of an entity: its terminating 00 raised to 01.
std::string behind(std::string prefix) {
  prefix.back() = '\1';
  return prefix;
}

}  // namespace

result<std::vector<std::string>> entity_scan::ids(std::string_view kind, std::uint16_t shard,
                                                  std::string_view after, std::size_t limit) {
  std::vector<std::string> found;
  // An entity has events, or, where those are cut, a snapshot.
  for (const auto which : {family::events, family::snapshots}) {
    std::vector<std::string> here;
    std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(which)));
    const entity_ref first{std::string(kind), std::string(after)};
    std::string from = entity_prefix(shard, first);
    after.empty() ? from.pop_back() : static_cast<void>(from = behind(std::move(from)));
    for (at->Seek(from); at->Valid() && here.size() < limit;) {
      auto key = parse_entity_key(at->key().ToStringView());
      if (!key || key->shard != shard || key->entity.kind != kind) break;
      at->Seek(behind(entity_prefix(shard, key->entity)));
      here.push_back(std::move(key->entity.id));
    }
    if (!at->status().ok()) return fail(io_error("cannot list entities", at->status()));
    found.insert(found.end(), here.begin(), here.end());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  found.resize(std::min(found.size(), limit));
  return found;
}

}  // namespace omnicart::persistence
