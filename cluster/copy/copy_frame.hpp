#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "cluster/raft/types.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

// What two nodes say to each other while one copies a shard from the other. A frame is a message of
// copy_frame (runtime/base/codec.hpp); `copy` is the asker's number for the whole conversation.
//
//   asker                                source
//   copy_request            ->
//                           <-           copy_chunk 1, 2, 3 …      the shard's records, cut
//                           anywhere
//                           <-           copy_end                  or copy_refused at any point
//   copy_stop               ->                                     at any point: no more, please
//
//   record = family (1 byte), length of key and of value (4 bytes each, big-endian), key, value
namespace omnicart::cluster {

inline constexpr std::size_t copy_chunk_bytes = 256 * 1024;
inline constexpr std::size_t copy_frame_bytes_max = copy_chunk_bytes + 1024;
inline constexpr std::size_t copy_record_bytes_max = std::size_t{64} << 20;

struct copy_request {
  std::uint64_t copy = 0;
  std::uint16_t shard = 0;
  raft::log_index at_least = 0;  // what the content must contain
  raft::log_index entry = 0;     // of the log, wanted with it; 0: none
  OMNICART_FIELDS(copy, shard, at_least, entry)
};

struct copy_chunk {
  std::uint64_t copy = 0;
  std::uint64_t number = 0;  // from 1
  std::string bytes;
  OMNICART_FIELDS(copy, number, bytes)
};

// What the content is.
struct shard_content {
  raft::log_index through = 0;  // it contains the log up to here
  timestamp_ms time;            // log time there
  std::string entry;            // the wanted entry, as stored; it travels as a record of the log
  OMNICART_FIELDS(through, time)
};

struct copy_end {
  std::uint64_t copy = 0;
  std::uint64_t chunks = 0;
  shard_content content;
  OMNICART_FIELDS(copy, chunks, content)
};

struct copy_refused {
  std::uint64_t copy = 0;
  std::string why;
  OMNICART_FIELDS(copy, why)
};

struct copy_stop {
  std::uint64_t copy = 0;
  OMNICART_FIELDS(copy)
};

// Alternatives have numbers on the wire: new ones go to the end.
using copy_frame = std::variant<copy_request, copy_chunk, copy_end, copy_refused, copy_stop>;

std::string encode_copy_frame(const copy_frame& frame);
result<copy_frame> decode_copy_frame(std::string_view bytes);

}  // namespace omnicart::cluster
