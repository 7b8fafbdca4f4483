#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "cluster/raft/types.hpp"

namespace omnicart::raft {

// What a replica keeps in memory of its log: the term of every entry that is still in it, and the
// newest entries whole, up to a number of bytes. Older ones are read from disk by whoever needs
// them.
class log_window {
 public:
  explicit log_window(std::size_t bytes_max);

  // Begins anew behind a snapshot (index 0: none) with an empty log whose first entry will be
  // `first_index`.
  void reset(log_index first_index, log_index snapshot_index, term_number snapshot_term);
  // Learns of an entry that is on disk: its term alone.
  void append_stored(term_number term);
  // Takes a new entry; its index is last_index() + 1.
  void append(const log_entry& entry);
  // Forgets the entries from `index` on.
  void truncate(log_index index);
  // The log now begins behind `index`; a snapshot stands for everything up to `snapshot_index`.
  void cut(log_index index, log_index snapshot_index, term_number snapshot_term);
  // Drops whole entries, oldest first, while there are too many bytes; never one behind
  // `stored_index`, which no disk could give back yet.
  void shrink(log_index stored_index);

  log_index first_index() const { return first_; }
  log_index last_index() const;
  // 0 when the entry is neither in the log nor the snapshot's last.
  term_number term_at(log_index index) const;
  // The entries if all of them are in memory.
  std::optional<std::vector<log_entry>> entries(log_index first, std::size_t count) const;
  std::size_t bytes() const { return bytes_; }

 private:
  struct run {
    log_index last = 0;  // the term's last entry
    term_number term = 0;
  };

  void note(term_number term);

  std::size_t bytes_max_;
  log_index first_ = 1;
  log_index snapshot_index_ = 0;
  term_number snapshot_term_ = 0;
  std::deque<run> runs_;  // ascending, without gaps from first_ on
  std::deque<log_entry> recent_;
  std::size_t bytes_ = 0;
};

}  // namespace omnicart::raft
