#include "cluster/backup/manifest.hpp"

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace omnicart::cluster {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view seal = "blake2b ";
constexpr std::size_t hash_digits = 64;

json json_of(const cut_totals& t) {
  return {{"orders", t.orders},       {"orders_by_status", t.orders_by_status},
          {"in_flight", t.in_flight}, {"gross", t.gross},
          {"captures", t.captures},   {"captured", t.captured},
          {"refunded", t.refunded},   {"products", t.products},
          {"on_hand", t.on_hand},     {"reserved", t.reserved},
          {"sold", t.sold},           {"returned", t.returned}};
}

cut_totals totals_of(const json& in) {
  cut_totals t;
  in.at("orders").get_to(t.orders);
  in.at("orders_by_status").get_to(t.orders_by_status);
  in.at("in_flight").get_to(t.in_flight);
  in.at("gross").get_to(t.gross);
  in.at("captures").get_to(t.captures);
  in.at("captured").get_to(t.captured);
  in.at("refunded").get_to(t.refunded);
  in.at("products").get_to(t.products);
  in.at("on_hand").get_to(t.on_hand);
  in.at("reserved").get_to(t.reserved);
  in.at("sold").get_to(t.sold);
  in.at("returned").get_to(t.returned);
  return t;
}

json json_of(const backed_up_shard& s) {
  auto chunks = json::array();
  for (const auto& chunk : s.chunks) chunks.push_back({chunk.hash, chunk.bytes});
  return {{"shard", s.shard},     {"index", s.index},
          {"term", s.term},       {"time", s.time.time_since_epoch().count()},
          {"records", s.records}, {"chunks", std::move(chunks)}};
}

backed_up_shard shard_of(const json& in) {
  backed_up_shard s;
  in.at("shard").get_to(s.shard);
  in.at("index").get_to(s.index);
  in.at("term").get_to(s.term);
  s.time = timestamp_ms{duration_ms{in.at("time").get<std::int64_t>()}};
  in.at("records").get_to(s.records);
  for (const auto& chunk : in.at("chunks"))
    s.chunks.push_back(
        {.hash = chunk.at(0).get<std::string>(), .bytes = chunk.at(1).get<std::uint64_t>()});
  return s;
}

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  text.pop_back();
  return text;
}

std::string bytes_of_hex(const std::string& text) {
  std::string bytes(text.size() / 2, '\0');
  std::size_t count = 0;
  sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                 text.size(), nullptr, &count, nullptr);
  bytes.resize(count);
  return bytes;
}

bool is_hash(std::string_view text) {
  return text.size() == hash_digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

backup_manifest manifest_of(const json& in) {
  backup_manifest m;
  in.at("id").get_to(m.id);
  m.created = timestamp_ms{duration_ms{in.at("created_ms").get<std::int64_t>()}};
  in.at("by").get_to(m.by);
  in.at("why").get_to(m.why);
  in.at("version").get_to(m.version);
  in.at("cluster").get_to(m.cluster);
  in.at("node").get_to(m.node);
  in.at("shard_count").get_to(m.shard_count);
  in.at("store_format").get_to(m.store_format);
  m.paused = duration_ms{in.at("paused_ms").get<std::int64_t>()};
  in.at("tries").get_to(m.tries);
  m.token_keys = bytes_of_hex(in.at("token_keys").get<std::string>());
  m.totals = totals_of(in.at("totals"));
  for (const auto& shard : in.at("shards")) m.shards.push_back(shard_of(shard));
  return m;
}

// What a sealed manifest cannot lack, unless a program wrote nonsense and sealed it.
bool is_sound(const backup_manifest& m) {
  if (!is_backup_id(m.id) || m.shard_count == 0 || m.shards.size() != m.shard_count) return false;
  for (std::size_t i = 0; i < m.shards.size(); ++i) {
    const auto& shard = m.shards[i];
    if (shard.shard != i || shard.index == 0) return false;
    if (!std::all_of(shard.chunks.begin(), shard.chunks.end(),
                     [](const auto& c) { return is_hash(c.hash); }))
      return false;
  }
  return true;
}

}  // namespace

std::uint64_t backup_manifest::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& shard : shards) {
    for (const auto& chunk : shard.chunks) sum += chunk.bytes;
  }
  return sum;
}

std::uint64_t backup_manifest::records() const {
  std::uint64_t sum = 0;
  for (const auto& shard : shards) sum += shard.records;
  return sum;
}

std::string encode_manifest(const backup_manifest& what) {
  json body{{"format", backup_format},
            {"id", what.id},
            {"created", to_rfc3339(what.created)},
            {"created_ms", what.created.time_since_epoch().count()},
            {"by", what.by},
            {"why", what.why},
            {"version", what.version},
            {"cluster", what.cluster},
            {"node", what.node},
            {"shard_count", what.shard_count},
            {"store_format", what.store_format},
            {"paused_ms", what.paused.count()},
            {"tries", what.tries},
            {"token_keys", hex(what.token_keys)},
            {"totals", json_of(what.totals)},
            {"shards", json::array()}};
  for (const auto& shard : what.shards) body["shards"].push_back(json_of(shard));
  std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
  text += std::string(seal) + hash_of(text) + '\n';
  return text;
}

result<backup_manifest> decode_manifest(std::string_view bytes) {
  constexpr std::size_t seal_bytes = seal.size() + hash_digits + 1;
  const auto damaged = [](const std::string& why) {
    return fail(base_errc::malformed, "the manifest is damaged: " + why);
  };
  if (bytes.size() <= seal_bytes) return damaged("it is cut short");
  const auto body = bytes.substr(0, bytes.size() - seal_bytes);
  if (bytes.substr(body.size()) != std::string(seal) + hash_of(body) + '\n')
    return damaged("its hash does not match");
  const auto read = json::parse(body, nullptr, false);
  if (!read.is_object()) return damaged("it is no JSON");
  try {
    const auto format = read.at("format").get<std::uint32_t>();
    if (format == 0 || format > backup_format) {
      return fail(base_errc::malformed, "the backup has format " + std::to_string(format) +
                                            "; this program reads formats up to " +
                                            std::to_string(backup_format));
    }
    auto manifest = manifest_of(read);
    if (!is_sound(manifest)) return damaged("a shard or chunk is missing or has no name");
    return manifest;
  } catch (const json::exception& wrong) {
    return damaged(wrong.what());
  }
}

std::string totals_json(const cut_totals& totals) { return json_of(totals).dump(); }

std::string hash_of(std::string_view bytes) {
  std::array<unsigned char, hash_digits / 2> digest{};
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                     0);
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool is_backup_id(std::string_view text) {
  return text.size() == 25 && text.find_first_not_of("0123456789TZ-abcdef") == text.npos;
}

}  // namespace omnicart::cluster
