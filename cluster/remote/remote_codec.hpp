#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/message.hpp"

// Commands and answers as they travel between nodes: [schema 1, fields] of runtime/base/codec.hpp.
// New fields go to the end, so that builds with more or fewer of them understand each other; what
// cannot be said that way becomes another format (envelope_format.hpp), and a node then writes to
// each peer what it reads.
//
// Times are spans, never clock readings: two nodes' clocks may differ by more than a deadline.
namespace omnicart::cluster {

// Longest patience of a caller that is taken over from a peer.
inline constexpr duration_ms remote_wait_max = std::chrono::minutes(10);
// Longest time since the first copy left, likewise.
inline constexpr duration_ms doubt_max = std::chrono::hours(1);

// `request` is the asker's number for it, not 0.
std::string encode_command(std::uint64_t request, const envelope& message, timestamp_ms now);

struct remote_command {
  std::uint64_t request = 0;
  envelope message;  // without reply; its deadline is by the clock of the reader
};
// Refusal: malformed, also for names, roles and spans that cannot be.
result<remote_command> decode_command(std::string_view bytes, timestamp_ms now);

std::string encode_answer(std::uint64_t request, const answer& got);

struct remote_answer {
  std::uint64_t request = 0;
  answer got;
};
// Refusal: malformed.
result<remote_answer> decode_answer(std::string_view bytes);

}  // namespace omnicart::cluster
