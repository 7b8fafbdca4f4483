#include "persistence/key_layout.hpp"

#include "runtime/base/codec.hpp"

namespace omnicart::persistence {
namespace {

constexpr std::size_t shard_bytes = 2;
constexpr std::size_t u64_bytes = 8;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

void append_shard(std::string& out, std::uint16_t shard) {
  out += static_cast<char>(shard >> 8);
  out += static_cast<char>(shard & 0xff);
}

void append_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void append_escaped(std::string& out, std::string_view id) {
  for (const char c : id) {
    if (c == '\0' || c == '\1') {
      out += '\1';
      out += static_cast<char>(c + 1);
    } else {
      out += c;
    }
  }
}

std::uint64_t sortable(timestamp_ms time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) ^ sign_bit;
}

std::uint16_t read_shard(std::string_view bytes) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                                    static_cast<unsigned char>(bytes[1]));
}

// Nothing for bytes that no name is written as.
std::optional<entity_ref> parse_name(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == name.npos || slash == 0) return std::nullopt;
  entity_ref entity{.kind = std::string(name.substr(0, slash)), .id = {}};
  for (std::size_t i = slash + 1; i < name.size(); ++i) {
    if (name[i] == '\0') return std::nullopt;
    if (name[i] == '\1') {
      if (++i == name.size() || (name[i] != '\1' && name[i] != '\2')) return std::nullopt;
      entity.id += static_cast<char>(name[i] - 1);
    } else {
      entity.id += name[i];
    }
  }
  return entity;
}

std::string row_prefix(char type, std::string_view projection) {
  std::string key(1, type);
  key += projection;
  key += '\0';
  return key;
}

}  // namespace

std::string entity_prefix(std::uint16_t shard, const entity_ref& entity) {
  std::string key;
  key.reserve(shard_bytes + entity.kind.size() + entity.id.size() + 2 + 2 * u64_bytes);
  append_shard(key, shard);
  key += entity.kind;
  key += '/';
  append_escaped(key, entity.id);
  key += '\0';
  return key;
}

std::string event_key(std::string_view prefix, std::uint64_t version) {
  std::string key;
  key.reserve(prefix.size() + u64_bytes);
  key += prefix;
  append_u64(key, version);
  return key;
}

std::string receipt_key(std::string_view prefix, command_id id) {
  std::string key;
  key.reserve(prefix.size() + 2 * u64_bytes);
  key += prefix;
  append_u64(key, id.high);
  append_u64(key, id.low);
  return key;
}

std::string timer_key(std::uint16_t shard, timestamp_ms due, const entity_ref& entity) {
  std::string key;
  append_shard(key, shard);
  append_u64(key, sortable(due));
  key += entity.kind;
  key += '/';
  append_escaped(key, entity.id);
  return key;
}

std::string log_key(std::uint16_t shard, std::uint64_t index) {
  std::string key;
  append_shard(key, shard);
  append_u64(key, index);
  return key;
}

std::string shard_key(std::uint16_t shard) {
  std::string key;
  append_shard(key, shard);
  return key;
}

std::string end_of_shard(std::uint16_t shard) { return shard_key(static_cast<std::uint16_t>(shard + 1)); }

std::string row_key(std::string_view projection, std::string_view key) {
  return row_prefix('d', projection).append(key);
}

std::string position_key(std::string_view projection, std::uint16_t shard) {
  std::string key = row_prefix('p', projection);
  append_shard(key, shard);
  return key;
}

std::string encode_u64(std::uint64_t value) {
  std::string bytes;
  append_u64(bytes, value);
  return bytes;
}

std::string encode_time(timestamp_ms time) { return encode_u64(sortable(time)); }

std::optional<entity_key> parse_entity_key(std::string_view key) {
  if (key.size() <= shard_bytes) return std::nullopt;
  const auto end = key.find('\0', shard_bytes);
  if (end == key.npos) return std::nullopt;
  auto entity = parse_name(key.substr(shard_bytes, end - shard_bytes));
  if (!entity) return std::nullopt;
  return entity_key{
      .shard = read_shard(key), .entity = std::move(*entity), .rest = key.substr(end + 1)};
}

std::optional<timer_position> parse_timer_key(std::string_view key) {
  if (key.size() <= shard_bytes + u64_bytes) return std::nullopt;
  auto entity = parse_name(key.substr(shard_bytes + u64_bytes));
  if (!entity) return std::nullopt;
  return timer_position{.shard = read_shard(key),
                        .due = *decode_time(key.substr(shard_bytes, u64_bytes)),
                        .entity = std::move(*entity)};
}

std::optional<log_position> parse_log_key(std::string_view key) {
  if (key.size() != shard_bytes + u64_bytes) return std::nullopt;
  return log_position{.shard = read_shard(key), .index = *decode_u64(key.substr(shard_bytes))};
}

std::optional<std::uint64_t> decode_u64(std::string_view bytes) {
  if (bytes.size() != u64_bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::optional<timestamp_ms> decode_time(std::string_view bytes) {
  const auto value = decode_u64(bytes);
  if (!value) return std::nullopt;
  return timestamp_ms{duration_ms{static_cast<std::int64_t>(*value ^ sign_bit)}};
}

std::string encode(const store_format& value) { return codec::encode(value); }
std::string encode(const log_entry& value) { return codec::encode(value); }
std::string encode(const event_record& value) { return codec::encode(value); }
std::string encode(const snapshot& value) { return codec::encode(value); }
std::string encode(const receipt& value) { return codec::encode(value); }

result<store_format> decode_store_format(std::string_view bytes) {
  return codec::decode<store_format>(bytes);
}
result<log_entry> decode_log_entry(std::string_view bytes) {
  return codec::decode<log_entry>(bytes);
}
result<event_record> decode_event_record(std::string_view bytes) {
  return codec::decode<event_record>(bytes);
}
result<snapshot> decode_snapshot(std::string_view bytes) { return codec::decode<snapshot>(bytes); }
result<receipt> decode_receipt(std::string_view bytes) { return codec::decode<receipt>(bytes); }

}  // namespace omnicart::persistence
