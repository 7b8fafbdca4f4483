#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

// A value or an error. Three kinds of failure are never mixed: a refusal (the caller's doing), a fault
// (I/O, time-out, overload: a retry may help), a bug (see assert.hpp). Only the first two are errors.
namespace omnicart {

// Code ranges, one enum class per module; numbers are stored and sent, so they are never reused.
//   1-99 runtime/base, 100-199 cart, 200-299 stock, 300-399 product, 400-499 order, 500-599 session,
//   600-699 user, 700-799 email claim, 800-899 payment, 1000-1099 cluster record,
//   1300-1399 coupon, 1400-1499 gift card, 1500-1599 audit, 1600-1699 keyring, 1700-1799 tariff,
//   1800-1899 location, 1900-1999 reviews.
using error_number = std::uint16_t;

struct [[nodiscard]] error {
  error_number number = 0;
  std::string detail;  // for people; nobody branches on it
  std::string data;    // for programs: what the code's module says it carries, encoded by its codec

  template <class E>
    requires std::is_enum_v<E>
  bool is(E code) const {
    return number == static_cast<error_number>(code);
  }
  friend bool operator==(const error&, const error&) = default;
};

template <class E>
  requires std::is_enum_v<E>
error make_error(E code, std::string detail = {}, std::string data = {}) {
  return error{.number = static_cast<error_number>(code), .detail = std::move(detail), .data = std::move(data)};
}

template <class T>
using result = tl::expected<T, error>;

using status = result<void>;

template <class E>
  requires std::is_enum_v<E>
tl::unexpected<error> fail(E code, std::string detail = {}, std::string data = {}) {
  return tl::unexpected<error>(make_error(code, std::move(detail), std::move(data)));
}

inline tl::unexpected<error> fail(error e) { return tl::unexpected<error>(std::move(e)); }

// What can go wrong with any command to any entity.
enum class base_errc : error_number {
  malformed = 1,            // refusal: bytes or text that do not parse
  precondition_failed = 2,  // refusal: If-Match names another version
  id_reused = 3,            // refusal: the command id was used with another body
  not_found = 4,            // refusal: no such record, or not the caller's to see
  forbidden = 5,            // refusal: the caller's role does not allow it
  overflow = 6,             // refusal: an amount outside 64 bits or another currency
  unknown_kind = 7,         // refusal: no such kind of entity
  in_progress = 30,         // fault: the same command is still running; retry later
  overloaded = 31,          // fault: a limit on queued work is reached; retry later
  timeout = 32,             // fault: no answer in time; the outcome is unknown
  unavailable = 33,         // fault: this node does not serve the shard (now); retry later
  storage_full = 34,        // fault: the node is read-only for want of disk space
  shutting_down = 35,       // fault: the node stops; retry on another or later
  expired = 36,             // refusal: the command's deadline has passed
  unknown_outcome = 37,     // fault: the write failed half way; it may or may not have happened
  io = 38,                  // fault: reading or writing failed
};

// Stable name of a base code ("precondition_failed"); "" for other numbers.
const char* to_string(base_errc code);

// True for 30-35, 37 and 38: the same request may succeed later. Expired commands (36) may not be repeated.
constexpr bool is_fault(error_number number) { return number >= 30 && number <= 38 && number != 36; }

}  // namespace omnicart
