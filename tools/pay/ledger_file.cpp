#include "tools/pay/ledger_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tools/pay/entry_codec.hpp"
#include "tools/pay/ledger_scan.hpp"

namespace omnicart::pay {
namespace {

constexpr std::uint64_t index_stride = 256;
constexpr std::size_t ledger_read_bytes = 64 * 1024;  // far above the longest record

tl::unexpected<error> io_error(const std::string& what) { return fail(base_errc::io, what); }

tl::unexpected<error> system_error(const std::string& what) {
  return io_error(what + ": " + std::strerror(errno));
}

// Takes the next line off `rest`. Nothing: no LF is left.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
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
  if (synced_through(folder) > 0 && !std::filesystem::exists(path, wrong))
    return io_error(path.string() + " is missing, and ledger.synced says that it had entries");
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("cannot open " + path.string());
  std::unique_ptr<ledger_file> file(new ledger_file(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return io_error(path.string() + " is in use by another process");
  const auto synced = synced_through(folder);
  if (auto done = file->replay(book, synced, notice); !done)
    return io_error(path.string() + ": " + done.error().detail);
  if (auto done = file->open_mark(folder, synced); !done) return fail(done.error());
  return file;
}

ledger_file::~ledger_file() {
  if (mark_fd_ >= 0) {
    ::fdatasync(mark_fd_);
    ::close(mark_fd_);
  }
  ::close(fd_);
}

// What was replayed is answered from, also what a killed process wrote and did not sync.
status ledger_file::open_mark(const std::filesystem::path& folder, std::uint64_t synced) {
  mark_fd_ = ::open((folder / "ledger.synced").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (mark_fd_ < 0) return system_error("cannot open " + (folder / "ledger.synced").string());
  if (durable_seq_ > 0 && synced == durable_seq_) return {};
  if (::fdatasync(fd_) != 0) return system_error("cannot sync the ledger");
  if (auto done = mark(); !done) return done;
  const auto bytes = static_cast<off_t>(synced_mark(0).size());  // whatever stood there
  if (::ftruncate(mark_fd_, bytes) != 0 || ::fsync(mark_fd_) != 0)
    return system_error("cannot sync ledger.synced");
  return sync_folder(folder);
}

status ledger_file::mark() { return write_all(mark_fd_, synced_mark(durable_seq_), 0); }

status ledger_file::replay(provider_book& book, std::uint64_t synced, std::string& notice) {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return system_error("cannot read the ledger");
  const mapping file(fd_, static_cast<std::size_t>(info.st_size));
  if (!file.ok()) return system_error("cannot map the ledger");
  size_ = ledger_header.size();
  const auto found =
      scan_ledger(file.text(), synced,
                  [&](const entry& what, std::uint64_t offset, std::uint64_t bytes) {
                    if (!book.apply(what)) return false;
                    durable_seq_ = what.seq;
                    index(durable_seq_, offset);
                    size_ = offset + bytes;
                    return true;
                  });
  if (found.unfinished_header) return start_new();
  if (!found.damages.empty()) {
    const auto& first = found.damages.front();
    return io_error("corrupted at byte " + std::to_string(first.offset) + ": " + first.what);
  }
  return found.torn_at ? cut(file.text().size() - *found.torn_at, notice) : status{};
}

status ledger_file::start_new() {
  if (::ftruncate(fd_, 0) != 0) return system_error("cannot empty the ledger");
  if (auto done = write_all(fd_, ledger_header, 0); !done) return done;
  if (::fsync(fd_) != 0) return system_error("cannot sync the ledger");
  size_ = ledger_header.size();
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
  group_ += ledger_hash(hashed);
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
  return mark();
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
  std::string buffer(std::min<std::uint64_t>(ledger_read_bytes, size_ - from.offset), '\0');
  const auto got = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(from.offset));
  if (got < 0) return system_error("cannot read the ledger");
  std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
  std::uint64_t count = 0;
  while (count < limit) {
    const auto line = take_line(rest);
    if (!line) break;
    const auto entry_at = line->find(' ', ledger_hash_digits + 1);
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
