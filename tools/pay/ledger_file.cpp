#include "tools/pay/ledger_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "runtime/base/ids.hpp"
#include "tools/pay/entry_codec.hpp"

namespace omnicart::pay {
namespace {

constexpr std::string_view header = "omnicart-pay ledger 1\n";
constexpr std::uint64_t index_stride = 256;
constexpr std::size_t hash_digits = 16;
constexpr std::size_t read_bytes = 64 * 1024;  // far above the longest record

tl::unexpected<error> io_error(const std::string& what) { return fail(base_errc::io, what); }

tl::unexpected<error> system_error(const std::string& what) {
  return io_error(what + ": " + std::strerror(errno));
}

std::string hash_of(std::string_view text) {
  std::array<char, hash_digits + 1> digits;
  std::snprintf(digits.data(), digits.size(), "%016llx",
                static_cast<unsigned long long>(body_hash(text)));
  return {digits.data(), hash_digits};
}

struct stored_record {
  std::uint64_t place = 0;
  entry what;
};

// One line without its LF. Nothing: damaged.
std::optional<stored_record> parse_record(std::string_view line) {
  if (line.size() < hash_digits + 4 || line[hash_digits] != ' ') return std::nullopt;
  const auto hashed = line.substr(hash_digits + 1);
  if (hash_of(hashed) != line.substr(0, hash_digits)) return std::nullopt;
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

// Takes the next line off `rest`. Nothing: no LF is left.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// Whether a good record in `rest` says that record `seq` had been synced.
bool was_synced(std::string_view rest, std::uint64_t seq) {
  while (const auto line = take_line(rest)) {
    const auto record = parse_record(*line);
    if (record && record->what.seq > seq + record->place) return true;
  }
  return false;
}

// A file's bytes, read-only, for the time of a replay.
class mapping {
 public:
  mapping(int fd, std::size_t size) : size_(size) {
    if (size > 0) at_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  }
  ~mapping() {
    if (ok() && size_ > 0) ::munmap(at_, size_);
  }
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;
  bool ok() const { return at_ != MAP_FAILED; }
  std::string_view text() const { return {static_cast<const char*>(at_), size_}; }

 private:
  void* at_ = nullptr;
  std::size_t size_;
};

status write_all(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("cannot write the ledger");
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Without it a crash may forget that the file exists.
status sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open " + folder.string());
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced ? status{} : status{system_error("cannot sync " + folder.string())};
}

}  // namespace

result<std::unique_ptr<ledger_file>> ledger_file::open(const std::filesystem::path& folder,
                                                       provider_book& book, std::string& notice) {
  std::error_code wrong;
  std::filesystem::create_directories(folder, wrong);
  if (wrong) return io_error("cannot create " + folder.string() + ": " + wrong.message());
  const auto path = folder / "ledger.log";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("cannot open " + path.string());
  std::unique_ptr<ledger_file> file(new ledger_file(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return io_error(path.string() + " is in use by another process");
  if (auto done = file->replay(book, notice); !done)
    return io_error(path.string() + ": " + done.error().detail);
  if (file->durable_seq_ == 0) {
    if (auto done = sync_folder(folder); !done) return fail(done.error());
  }
  return file;
}

ledger_file::~ledger_file() { ::close(fd_); }

status ledger_file::replay(provider_book& book, std::string& notice) {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return system_error("cannot read the ledger");
  const mapping file(fd_, static_cast<std::size_t>(info.st_size));
  if (!file.ok()) return system_error("cannot map the ledger");
  if (!file.text().starts_with(header)) {
    // An unfinished header is the whole of a file that was just being made.
    if (header.starts_with(file.text())) return start_new();
    return io_error("not a ledger of format 1");
  }
  auto rest = file.text().substr(header.size());
  size_ = header.size();
  while (!rest.empty()) {
    const auto from_here = rest;
    const auto line = take_line(rest);
    const auto record = line ? parse_record(*line) : std::nullopt;
    if (!record) {
      if (was_synced(from_here, durable_seq_ + 1)) {
        return io_error("entry " + std::to_string(durable_seq_ + 1) + " at byte " +
                        std::to_string(size_) +
                        " is damaged and later ones are not: the ledger is corrupted");
      }
      return cut(from_here.size(), notice);
    }
    if (!book.apply(record->what)) {
      return io_error("entry " + std::to_string(record->what.seq) + " at byte " +
                      std::to_string(size_) +
                      " does not follow from those before it: the ledger is corrupted");
    }
    durable_seq_ = record->what.seq;
    index(durable_seq_, size_);
    size_ += line->size() + 1;
  }
  return {};
}

status ledger_file::start_new() {
  if (::ftruncate(fd_, 0) != 0) return system_error("cannot empty the ledger");
  if (auto done = write_all(fd_, header, 0); !done) return done;
  if (::fsync(fd_) != 0) return system_error("cannot sync the ledger");
  size_ = header.size();
  return {};
}

status ledger_file::cut(std::uint64_t surplus_bytes, std::string& notice) {
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0 || ::fsync(fd_) != 0) {
    return system_error("cannot cut the ledger's torn tail");
  }
  notice = "cut " + std::to_string(surplus_bytes) + " torn bytes behind entry " +
           std::to_string(durable_seq_) + " (a write that was never finished nor answered)";
  return {};
}

void ledger_file::index(std::uint64_t seq, std::uint64_t offset) {
  if ((seq - 1) % index_stride == 0) offsets_.push_back(offset);
}

void ledger_file::append(const entry& what) {
  std::string hashed = std::to_string(group_place_++) + ' ';
  append_entry(hashed, what);
  index(what.seq, size_ + group_.size());
  group_ += hash_of(hashed);
  group_ += ' ';
  group_ += hashed;
  group_ += '\n';
}

status ledger_file::commit() {
  if (group_.empty()) return {};
  if (auto done = write_all(fd_, group_, size_); !done) return done;
  if (::fdatasync(fd_) != 0) return system_error("cannot sync the ledger");
  size_ += group_.size();
  durable_seq_ += group_place_;
  group_place_ = 0;
  group_.clear();
  return {};
}

result<ledger_file::cursor> ledger_file::seek(std::uint64_t seq) const {
  seq = std::clamp<std::uint64_t>(seq, 1, durable_seq_ + 1);
  if (seq > durable_seq_) return cursor{seq, size_};
  const auto slot = (seq - 1) / index_stride;
  cursor at{slot * index_stride + 1, offsets_[slot]};
  std::string passed;
  while (at.next_seq < seq) {
    passed.clear();
    auto count = read(at, seq - at.next_seq, passed);
    if (!count) return fail(count.error());
    if (*count == 0) return io_error("the ledger ends before its last entry");
  }
  at.first = true;
  return at;
}

result<std::uint64_t> ledger_file::read(cursor& from, std::uint64_t limit, std::string& out) const {
  std::string buffer(std::min<std::uint64_t>(read_bytes, size_ - from.offset), '\0');
  const auto got = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(from.offset));
  if (got < 0) return system_error("cannot read the ledger");
  std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
  std::uint64_t count = 0;
  while (count < limit) {
    const auto line = take_line(rest);
    if (!line) break;
    const auto entry_at = line->find(' ', hash_digits + 1);
    if (entry_at == std::string_view::npos) return io_error("the ledger changed while it was read");
    if (!from.first) out += ',';
    from.first = false;
    out += line->substr(entry_at + 1);
    from.offset += line->size() + 1;
    ++from.next_seq;
    ++count;
  }
  return count;
}

}  // namespace omnicart::pay
