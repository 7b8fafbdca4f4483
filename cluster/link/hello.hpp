#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cluster/node_id.hpp"
#include "runtime/base/fields.hpp"
#include "runtime/base/result.hpp"

// What two links say to each other on channel::link. Both sides send hello, then confirm, then they
// are up:
//
//   A                                    B
//   hello{versions, who, boot, nonce} -> <- hello{…}
//   confirm{nonce of B, version}      -> <- confirm{nonce of A, version}
//
// The nonce is new for each connection, so a recorded conversation never gets beyond its hello.
namespace omnicart::cluster {

// Raised when a frame or an envelope changes in a way that the codec's field rules (runtime/base/codec.hpp) do not carry;
// the version before stays readable (cluster/remote/envelope_format.hpp).
struct version_range {
  std::uint8_t min = 1;
  std::uint8_t max = 1;

  friend bool operator==(const version_range&, const version_range&) = default;
  OMNICART_FIELDS(min, max)
};
// The highest version that both speak.
std::optional<std::uint8_t> common_version(version_range ours, version_range theirs);

struct hello {
  version_range versions;
  std::string cluster;
  node_id node = no_node;
  std::uint64_t boot = 0;
  std::uint64_t nonce = 0;
  std::uint64_t store = 0;  // names the sender's store (persistence/store_identity.hpp); 0: a build that does not say

  friend bool operator==(const hello&, const hello&) = default;
  OMNICART_FIELDS(versions, cluster, node, boot, nonce, store)
};
struct confirm {
  std::uint64_t nonce = 0;
  std::uint8_t version = 0;

  friend bool operator==(const confirm&, const confirm&) = default;
  OMNICART_FIELDS(nonce, version)
};
// A heartbeat and its echo; `stamp` means something to its sender alone.
struct ping {
  std::uint64_t stamp = 0;

  friend bool operator==(const ping&, const ping&) = default;
  OMNICART_FIELDS(stamp)
};
struct pong {
  std::uint64_t stamp = 0;

  friend bool operator==(const pong&, const pong&) = default;
  OMNICART_FIELDS(stamp)
};
// So many more bytes of snapshots may be sent.
struct credit {
  std::uint64_t bytes = 0;

  friend bool operator==(const credit&, const credit&) = default;
  OMNICART_FIELDS(bytes)
};
using link_message = std::variant<hello, confirm, ping, pong, credit>;

std::string encode(const link_message& message);
// Refusal: malformed, also for names that are none, impossible numbers and an unknown kind of
// message.
result<link_message> decode_link_message(std::string_view bytes);

// 1-64 of a-z, 0-9 and "-": what may stand in a certificate's name and in a file's.
bool is_cluster_id(std::string_view text);

}  // namespace omnicart::cluster
