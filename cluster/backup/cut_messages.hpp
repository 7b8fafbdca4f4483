#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/node_id.hpp"
#include "runtime/base/fields.hpp"
#include "runtime/base/time.hpp"

// What the node that makes a backup tells all nodes, itself included, and what they answer. The
// story, and why it gives a consistent cut, is in cut_coordinator.hpp.
namespace omnicart::cluster {

using cut_id = std::uint64_t;  // drawn at random for each try; 0: none

// Numbers travel between nodes: never reuse one. (1 was a pause without markers.)
enum class cut_step : std::uint8_t {
  mark = 2,    // a marker into the log of each shard that is led here, and nothing behind it
  resume = 3,  // go on
};

struct cut_order {
  cut_id cut = 0;
  cut_step step = cut_step::mark;
  duration_ms at_most{0};  // of mark: the pause ends by itself after that

  friend bool operator==(const cut_order&, const cut_order&) = default;
  OMNICART_FIELDS(cut, step, at_most)
};

// Where a marker stands in its shard's log.
struct shard_mark {
  std::uint16_t shard = 0;
  std::uint64_t index = 0;
  std::uint64_t term = 0;

  friend bool operator==(const shard_mark&, const shard_mark&) = default;
  OMNICART_FIELDS(shard, index, term)
};

struct cut_report {
  cut_id cut = 0;
  cut_step step = cut_step::mark;  // of the order that it answers
  // Of mark: the node is paused by this cut. Of resume: it was all the while, and leads what it
  // marked, in the same terms, and nobody else can.
  bool held = false;
  std::uint64_t paused_us = 0;    // of resume: for how long
  std::vector<shard_mark> marks;  // of mark

  friend bool operator==(const cut_report&, const cut_report&) = default;
  OMNICART_FIELDS(cut, step, held, paused_us, marks)
};

// The answer to an order that is not carried out.
inline cut_report nothing_held(const cut_order& order) {
  return {.cut = order.cut, .step = order.step, .held = false, .paused_us = 0, .marks = {}};
}

// This node's replica has applied a shard's log up to a marker, and nothing behind it.
struct marked_shard {
  cut_id cut = 0;
  shard_mark at;
  timestamp_ms time;  // log time
};

// What a marker's entry carries (persistence::log_entry::change), and the cut in it; 0 for
// anything else.
std::string mark_text(cut_id cut);
cut_id cut_of_mark(std::string_view text);

}  // namespace omnicart::cluster
