#pragma once

#include <cstddef>
#include <cstdint>

namespace omnicart::cluster {

// Why a connection ended; what comes before `lost` can only happen before it was up, and counts as
// a bad handshake.
enum class ending : std::uint8_t {
  too_many,       // of more connections than allowed in their handshake, it gave way to a newer one
  slow,           // the handshake took too long
  truncated,      // the peer went away before the end of the handshake
  tls_refused,    // no TLS 1.3, or no certificate of the cluster's authority
  no_identity,    // a certificate of the authority that names no node
  garbage,        // bytes that are no frame, or a message out of place
  wrong_cluster,  // another cluster's node
  wrong_node,     // its hello names another node than its certificate, or than was dialled
  wrong_side,     // the lower number dials: this one should have waited
  not_a_member,   // the membership does not know it, or no longer
  another_store,  // a member's number, but not its store: what it promised, and its part of majorities, is lost
  no_common_version,
  old_boot,   // a process whose successor has been here already
  replayed,   // it could not repeat what it was told: an old recording
  lost,       // the peer closed, or the network failed
  silent,     // heartbeats were not answered in time
  violation,  // garbage from a peer that was up
  replaced,   // the same peer connected again
  removed,    // the membership dropped the peer
  stopped,    // by us
};
inline constexpr std::size_t ending_count = 20;

const char* to_string(ending why);

}  // namespace omnicart::cluster
