#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "cluster/link/hello.hpp"
#include "cluster/link/transport.hpp"
#include "cluster/remote/remote_codec.hpp"

namespace omnicart::cluster {

// How commands and answers are written to, and read from, a peer with which this version of the protocol was agreed.
struct envelope_format {
  std::uint8_t version = 1;
  std::string (*encode_command)(std::uint64_t request, const envelope& message, timestamp_ms now) = nullptr;
  result<remote_command> (*decode_command)(std::string_view bytes, timestamp_ms now) = nullptr;
  std::string (*encode_answer)(std::uint64_t request, const answer& got) = nullptr;
  result<remote_answer> (*decode_answer)(std::string_view bytes) = nullptr;
};

// All that this build speaks, oldest first, without gaps. A change that the codec's field rules do not carry adds one and
// keeps the one before, so that a cluster's nodes can be replaced one after the other. Stands alone in its source file: a
// test links another table in its place.
std::span<const envelope_format> envelope_formats();

// What the link offers its peers.
version_range envelope_versions();

// The format agreed with each peer. Thread-safe.
class peer_formats {
 public:
  explicit peer_formats(std::span<const envelope_format> formats = envelope_formats());

  // Follows the transport from now on. Once, before messages can arrive; `net` lives as long as this.
  void attach(transport& net);
  // The oldest while nothing is agreed: every build reads it.
  const envelope_format& of(node_id peer) const;

 private:
  const std::span<const envelope_format> formats_;
  mutable std::mutex guard_;
  std::map<node_id, const envelope_format*> agreed_;
};

}  // namespace omnicart::cluster
