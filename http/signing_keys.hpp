#pragma once

#include <cstdint>
#include <optional>

#include "actors/cluster/cluster_record.hpp"
#include "http/access_token.hpp"
#include "runtime/id_source.hpp"

// How the signing keys of the cluster's record are used, and made. Pure but for the ids.
namespace omnicart::http {

inline constexpr duration_ms key_signs_for = std::chrono::hours(30 * 24);
// Nodes that are busy hear of a new key a little later than others.
inline constexpr duration_ms key_is_known_after = std::chrono::minutes(1);

// The newest key in force at `now` signs; all that have not expired are believed. As long as none
// is in force, the newest signs. Nothing: the record has no keys. Keys come into force by time
// alone, so it is to be asked again and again.
std::optional<token_keyring> keyring_at(const cluster_record::record& r, timestamp_ms now);

// Whether the secret of refresh tokens stays when the one of access tokens changes. Where it is drawn
// too, no refresh token that was given out before is good once the key is in force: whoever has the
// old secret could compute those of all sessions, so keys that may have leaked want a fresh one.
enum class refresh_half : std::uint8_t { kept, fresh };

// A key to follow the newest, in force `key_is_known_after` from now. `first`: what a record
// without keys goes on from.
cluster_record::signing_key next_key(const cluster_record::record& r, const token_keys& first,
                                     id_source& random, timestamp_ms now, refresh_half refresh);

// Both secrets as a record keeps them: of access tokens, then of refresh tokens.
std::string secret_of(const token_keys& keys);

}  // namespace omnicart::http
