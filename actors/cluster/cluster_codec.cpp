#include "runtime/base/codec.hpp"

#include "actors/cluster/cluster_kind.hpp"
#include "runtime/base/describe.hpp"

// Stored and sent forms of the cluster's record, schema 1: the field rules of
// runtime/base/codec.hpp over the structs of cluster_record.hpp, cluster_messages.hpp and
// cluster.hpp, alternatives numbered as in their variants. Append only.
namespace omnicart::cluster_record {
namespace {

// Enough to tell two keys apart, of no use to make a token.
void hide(signing_key& key) {
  key.secret = "fingerprint " + to_base32(digest_128({"signing key", key.secret}));
}

}  // namespace

std::string encode(const command& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_shards(const std::vector<std::uint16_t>& shards) {
  return codec::encode(shards);
}
result<std::vector<std::uint16_t>> decode_shards(std::string_view bytes) {
  return codec::decode<std::vector<std::uint16_t>>(bytes);
}

std::string kind::encode_reply(const cluster_record::reply& what) { return codec::encode(what); }
std::string kind::encode_command(const command& what) { return codec::encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return codec::decode<command>(bytes);
}
std::string kind::encode_event(const event& what) { return codec::encode(what); }
result<event> kind::decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string kind::encode_state(const state& s) { return codec::encode(s); }
result<state> kind::decode_state(std::string_view bytes) { return codec::decode<state>(bytes); }

std::string kind::describe_event(const event& what) {
  event shown = what;
  if (auto* e = std::get_if<founded>(&shown)) std::ranges::for_each(e->keys, hide);
  if (auto* e = std::get_if<key_rotated>(&shown)) hide(e->key);
  return describe::to_json(shown);
}
std::string kind::describe_state(const state& s) {
  state shown = s;
  std::ranges::for_each(shown.keys, hide);
  return describe::to_json(shown);
}

}  // namespace omnicart::cluster_record
