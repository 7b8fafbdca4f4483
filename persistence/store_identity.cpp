#include "persistence/store_identity.hpp"

#include <rocksdb/db.h>

#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"
#include "persistence/store.hpp"

namespace omnicart::persistence {

std::optional<std::uint64_t> parse_store_identity(std::string_view value) {
  const auto number = decode_u64(value);
  return number && *number != 0 ? number : std::nullopt;
}

result<std::uint64_t> store_identity(store& data, std::uint64_t fresh) {
  std::string bytes;
  auto done = data.db().Get({}, data.of(family::meta), identity_key, &bytes);
  if (done.ok()) {
    const auto known = parse_store_identity(bytes);
    if (!known) return fail(base_errc::io, "the store's own number is not readable");
    return *known;
  }
  if (!done.IsNotFound()) return fail(io_error("cannot read the store's own number", done));
  rocksdb::WriteOptions how;
  how.sync = data.options().sync;
  done = data.db().Put(how, data.of(family::meta), identity_key, encode_u64(fresh));
  if (!done.ok()) return fail(io_error("cannot write the store's own number", done));
  return fresh;
}

}  // namespace omnicart::persistence
