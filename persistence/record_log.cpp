#include "persistence/record_log.hpp"

#include <algorithm>
#include <boost/crc.hpp>

namespace omnicart::persistence {
namespace {

constexpr std::size_t block_bytes = 32'768;
constexpr std::size_t header_bytes = 7;
constexpr std::uint32_t mask_delta =
    0xa282ead8;  // util/crc32c.h: a CRC over data that holds CRCs is masked

enum class fragment : std::uint8_t { zero = 0, full = 1, first = 2, middle = 3, last = 4 };

// Castagnoli's polynomial (RFC 3720 appendix B.4).
using crc_32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + mask_delta; }

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

class scanner {
 public:
  explicit scanner(std::string_view bytes) : bytes_(bytes) {}

  record_log_scan run() {
    while (at_ < bytes_.size() && !ended_) {
      if (block_left() < header_bytes) {
        check_padding();
      } else {
        check_record();
      }
    }
    if (in_parts_ && !found_.torn_at) found_.torn_at = record_at_;
    return std::move(found_);
  }

 private:
  std::size_t block_left() const { return block_bytes - at_ % block_bytes; }
  std::uint8_t byte(std::size_t offset) const {
    return static_cast<std::uint8_t>(bytes_[at_ + offset]);
  }

  void damage(std::string what) {
    found_.damages.push_back({.offset = at_, .what = std::move(what)});
    in_parts_ = false;
    lost_ = true;
    at_ += block_left();  // where a record may begin again
  }

  void check_padding() {
    const auto padding = bytes_.substr(at_, block_left());
    if (!all_zero(padding)) return damage("the padding of the block is not zero");
    at_ += padding.size();
  }

  void check_record() {
    const auto left = bytes_.substr(at_);
    if (left.size() < header_bytes) return torn(left);
    const std::uint32_t crc = byte(0) | byte(1) << 8 | byte(2) << 16 | std::uint32_t{byte(3)} << 24;
    const std::size_t length = byte(4) | byte(5) << 8;
    const auto type = byte(6);
    if (crc == 0 && length == 0 && type == 0) return check_zeros(left);
    if (header_bytes + length > block_left()) return damage("a length that leaves the block");
    const auto data =
        left.substr(header_bytes - 1, length + 1);  // the checksum covers the type too
    if (data.size() < length + 1) {
      return matches_shortened(data, crc) ? damage("a damaged length") : torn(left);
    }
    crc_32c sum;
    sum.process_bytes(data.data(), data.size());
    if (masked(sum.checksum()) != crc) return damage("the checksum does not match");
    if (const auto* wrong = wrong_order(static_cast<fragment>(type))) return damage(wrong);
    at_ += header_bytes + length;
  }

  static bool matches_shortened(std::string_view data, std::uint32_t crc) {
    crc_32c sum;
    for (const char c : data) {
      sum.process_byte(static_cast<unsigned char>(c));
      if (masked(sum.checksum()) == crc) return true;
    }
    return false;
  }

  // Space allocated ahead and never written.
  void check_zeros(std::string_view left) {
    if (!all_zero(left)) return damage("zeros where a record should be");
    ended_ = true;
  }

  void torn(std::string_view left) {
    if (!all_zero(left)) found_.torn_at = in_parts_ ? record_at_ : at_;
    in_parts_ = false;
    ended_ = true;
  }

  // Takes a part of a record in; says what is wrong when it cannot stand here.
  const char* wrong_order(fragment type) {
    const bool begins = type == fragment::full || type == fragment::first;
    if (!begins && type != fragment::middle && type != fragment::last)
      return "a record of an unknown type";
    if (begins && in_parts_) return "a record that never ends";
    if (!begins && !in_parts_) {
      // Behind damage the rest of its record is no news.
      return lost_ ? nullptr : "the rest of a record without its beginning";
    }
    lost_ = false;
    if (begins) record_at_ = at_;
    in_parts_ = type == fragment::first || type == fragment::middle;
    if (!in_parts_) ++found_.records;
    return nullptr;
  }

  std::string_view bytes_;
  record_log_scan found_;
  std::size_t at_ = 0;
  std::size_t record_at_ = 0;
  bool in_parts_ = false;
  bool lost_ = false;
  bool ended_ = false;
};

}  // namespace

record_log_scan scan_record_log(std::string_view bytes) { return scanner(bytes).run(); }

}  // namespace omnicart::persistence
