#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::pay {

// The append-only ledger of one provider. Owned by one thread.
//
// DIR/ledger.log, grammar (LF ends a line):
//
//   file   = "omnicart-pay ledger 1" LF *record
//   record = hash SP place SP entry LF
//   hash   = 16 hex digits: XXH3-64 of place SP entry
//   place  = decimal: how many records of the same group stand before this one (0 for the first)
//   entry  = one line of JSON (entry_codec.hpp), seq rising by one
//
// DIR/ledger.synced:
//
//   file   = hash SP seq LF
//   seq    = 20 digits: all records through this one are synced
//
// A group is what one write and one fdatasync made durable together. A record at place p says that
// all records up to its seq - p - 1 had been synced before it was written, and ledger.synced,
// written behind each sync, says so of the last group, too; a loss of power may leave an older one,
// never a newer. So a damaged or missing record is corruption if either says so, or if no crash
// leaves such a line (ledger_scan.hpp); otherwise it belongs to a group that nobody was answered
// from, and is cut off.
class ledger_file {
 public:
  // Opens or creates, locks (flock), and replays every entry into `book`. `notice` is called with a
  // line for people when a torn tail was cut. Errors (base_errc::io), one clear line each: cannot
  // create or open, in use by another process, another format, corrupted at a named offset (or cut
  // short there, with the first entry that is missing).
  static result<std::unique_ptr<ledger_file>> open(const std::filesystem::path& folder,
                                                   provider_book& book, std::string& notice);
  ~ledger_file();
  ledger_file(const ledger_file&) = delete;
  ledger_file& operator=(const ledger_file&) = delete;

  // Adds to the open group; no I/O.
  void append(const entry& what);
  bool has_open_group() const { return !group_.empty(); }
  // Writes and syncs the open group. An error (base_errc::io) is final: never call again, end the
  // process.
  status commit();

  // The last entry that is on disk.
  std::uint64_t durable_seq() const { return durable_seq_; }

  // A place to read on from. Durable entries only.
  struct cursor {
    std::uint64_t next_seq = 1;
    std::uint64_t offset = 0;
    bool first = true;  // nothing has been read from here yet
  };
  // At the entry `seq`, or behind the last when there is none. Reads at most index_stride lines.
  result<cursor> seek(std::uint64_t seq) const;
  // Appends the JSON of the next entries, at most `limit` and at most 64 KiB of them, with a comma
  // before each but the cursor's first. Returns how many; 0 at the end.
  result<std::uint64_t> read(cursor& from, std::uint64_t limit, std::string& out) const;

 private:
  explicit ledger_file(int fd) : fd_(fd) {}
  status replay(provider_book& book, std::uint64_t synced, std::string& notice);
  status open_mark(const std::filesystem::path& folder, std::uint64_t synced);
  status mark();
  status start_new();
  status cut(std::uint64_t surplus_bytes, std::string& notice);
  void index(std::uint64_t seq, std::uint64_t offset);

  int fd_ = -1;
  int mark_fd_ = -1;
  std::uint64_t size_ = 0;  // bytes on disk
  std::uint64_t durable_seq_ = 0;
  std::uint64_t group_place_ = 0;
  std::string group_;
  std::vector<std::uint64_t> offsets_;  // of entries 1, 1 + index_stride, …
};

}  // namespace omnicart::pay
