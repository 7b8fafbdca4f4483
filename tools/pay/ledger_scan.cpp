#include "tools/pay/ledger_scan.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "runtime/base/ids.hpp"
#include "tools/pay/entry_codec.hpp"

namespace omnicart::pay {
namespace {

constexpr std::uint64_t sector_bytes = 512;  // the least that a disk writes at once
constexpr std::size_t seq_digits = 20;       // of ledger.synced

struct stored_record {
  std::uint64_t place = 0;
  entry what;
};

// One line without its LF. Nothing: damaged.
std::optional<stored_record> parse_record(std::string_view line) {
  if (line.size() < ledger_hash_digits + 4 || line[ledger_hash_digits] != ' ') return std::nullopt;
  const auto hashed = line.substr(ledger_hash_digits + 1);
  if (ledger_hash(hashed) != line.substr(0, ledger_hash_digits)) return std::nullopt;
  stored_record record;
  const auto [end, wrong] =
      std::from_chars(hashed.data(), hashed.data() + hashed.size(), record.place);
  const auto digits = static_cast<std::size_t>(end - hashed.data());
  if (wrong != std::errc{} || digits == hashed.size() || hashed[digits] != ' ') return std::nullopt;
  auto what = parse_entry(hashed.substr(digits + 1));
  if (!what) return std::nullopt;
  record.what = std::move(*what);
  return record;
}

// Whether a whole record stands in a line without LF, with more behind it: then its LF was there
// once.
bool lost_its_end(std::string_view line) {
  for (auto brace = line.find('}'); brace != line.npos; brace = line.find('}', brace + 1)) {
    if (brace + 1 < line.size() && parse_record(line.substr(0, brace + 1))) return true;
  }
  return false;
}

// Sectors that never reached the disk read as zeros, from the old end of the file (where the bad
// record begins) or from a sector's begin, up to a sector's end or the file's.
bool has_unwritten_sectors(std::string_view file, std::uint64_t from, std::uint64_t to) {
  bool found = false;
  for (auto begin = file.find('\0', from); begin < to;) {
    const auto end = std::min<std::uint64_t>(file.find_first_not_of('\0', begin), file.size());
    const bool begins = begin == from || begin % sector_bytes == 0;
    const bool ends = end == file.size() || end % sector_bytes == 0;
    if (!begins || !ends) return false;
    found = true;
    begin = file.find('\0', end);
  }
  return found;
}

class scanner {
 public:
  scanner(std::string_view file, std::uint64_t synced, const ledger_visitor& visit)
      : file_(file), synced_(synced), visit_(visit) {}

  ledger_scan run() {
    if (!file_.starts_with(ledger_header)) {
      if (!ledger_header.starts_with(file_)) {
        found_.damages.push_back({0, "not a ledger of format 1"});
      } else if (synced_ > 0) {
        accuse_missing();
      } else {
        found_.unfinished_header = true;
      }
      return std::move(found_);
    }
    for (std::uint64_t at = ledger_header.size(); at < file_.size();) {
      const auto end = file_.find('\n', at);
      const auto record =
          end == file_.npos ? std::nullopt : parse_record(file_.substr(at, end - at));
      const auto next = end == file_.npos ? file_.size() : end + 1;
      record ? take(*record, at, next - at) : suspect_at(at, end);
      at = next;
    }
    judge_tail();
    if (found_.damages.empty() && next_seq_ <= synced_) accuse_missing();
    return std::move(found_);
  }

 private:
  struct suspect {
    std::uint64_t offset = 0;
    std::uint64_t seq = 0;
    bool torn = false;
  };

  void take(const stored_record& record, std::uint64_t at, std::uint64_t bytes) {
    accuse_synced(record);
    next_seq_ = record.what.seq + 1;
    if (!suspects_.empty() || !found_.damages.empty()) return;
    if (visit_(record.what, at, bytes)) {
      ++found_.entries;
    } else {
      found_.damages.push_back({at, "entry " + std::to_string(record.what.seq) +
                                        " does not follow from those before it"});
    }
  }

  // A record of a later group says that all before its group was on disk.
  void accuse_synced(const stored_record& later) {
    const auto synced = [&](const suspect& each) {
      return later.what.seq > each.seq + later.place;
    };
    for (const auto& each : suspects_) {
      if (synced(each)) accuse(each, "is damaged, and a later one says that it was synced");
    }
    std::erase_if(suspects_, synced);
  }

  void accuse(const suspect& what, const char* why) {
    found_.damages.push_back({what.offset, "entry " + std::to_string(what.seq) + ' ' + why});
  }

  // The file ends too early, and between two records.
  void accuse_missing() {
    accuse({.offset = file_.size(), .seq = next_seq_},
           "is missing, and ledger.synced says that it was synced");
  }

  void suspect_at(std::uint64_t at, std::size_t end) {
    const bool cut_off = end == file_.npos;
    const auto line = file_.substr(at, cut_off ? file_.npos : end - at);
    const bool torn = line.find('\0') == line.npos
                          ? cut_off && !lost_its_end(line)
                          : has_unwritten_sectors(file_, at, at + line.size());
    suspects_.push_back({at, next_seq_++, torn});
  }

  // What no later group speaks of: the last one, which may never have been finished.
  void judge_tail() {
    for (const auto& each : suspects_) {
      if (each.seq <= synced_) {
        accuse(each, "is damaged, and ledger.synced says that it was synced");
      } else if (each.torn) {
        found_.torn_at = each.offset;
        return;
      } else {
        accuse(each, "is damaged, and no crash leaves such a line");
      }
    }
  }

  std::string_view file_;
  std::uint64_t synced_;
  const ledger_visitor& visit_;
  ledger_scan found_;
  std::vector<suspect> suspects_;
  std::uint64_t next_seq_ = 1;
};

}  // namespace

std::string ledger_hash(std::string_view text) {
  std::array<char, ledger_hash_digits + 1> digits;
  std::snprintf(digits.data(), digits.size(), "%016llx",
                static_cast<unsigned long long>(body_hash(text)));
  return {digits.data(), ledger_hash_digits};
}

std::string synced_mark(std::uint64_t seq) {
  std::array<char, seq_digits + 1> digits;
  std::snprintf(digits.data(), digits.size(), "%0*llu", static_cast<int>(seq_digits),
                static_cast<unsigned long long>(seq));
  const std::string_view text(digits.data(), seq_digits);
  return ledger_hash(text) + ' ' + std::string(text) + '\n';
}

std::uint64_t synced_through(const std::filesystem::path& folder) {
  std::ifstream in(folder / "ledger.synced", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::uint64_t seq = 0;
  if (bytes.size() != ledger_hash_digits + seq_digits + 2) return 0;
  const char* const digits = bytes.data() + ledger_hash_digits + 1;
  std::from_chars(digits, digits + seq_digits, seq);
  return bytes == synced_mark(seq) ? seq : 0;
}

ledger_scan scan_ledger(std::string_view bytes, std::uint64_t synced, const ledger_visitor& visit) {
  return scanner(bytes, synced, visit).run();
}

result<ledger_scan> verify_ledger(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT && synced_through(file.parent_path()) > 0)
    return scan_ledger(ledger_header, synced_through(file.parent_path()), [](const auto&...) { return true; });
  if (fd < 0) {
    return fail(errno == ENOENT ? base_errc::not_found : base_errc::io,
                file.string() + ": " + std::strerror(errno));
  }
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto synced = synced_through(file.parent_path());
  ::close(fd);  // and the lock
  if (!locked) {
    return fail(base_errc::unavailable, file.string() + " is in use by another process");
  }
  if (!in.is_open() || in.bad()) return fail(base_errc::io, file.string() + ": cannot be read");
  provider_book book;
  return scan_ledger(
      bytes, synced,
      [&](const entry& what, std::uint64_t, std::uint64_t) { return book.apply(what); });
}

}  // namespace omnicart::pay
