#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/money.hpp"
#include "runtime/base/time.hpp"

// The rules of the simulated payment provider: pure and deterministic, no clock and no I/O, so that
// the provider's process and the simulator run the same ones.
namespace omnicart::pay {

inline constexpr std::size_t key_bytes_max = 160;
inline constexpr std::size_t refunds_per_charge_max = 1'000;
inline constexpr std::size_t unanswered_keys_max = 100'000;
inline constexpr duration_ms pending_for{1'500};
inline constexpr std::size_t pending_keys_max = 10'000;  // beyond it a slow card is decided at once

enum class method : std::uint8_t { card = 0, paypal = 1, invoice = 2 };
const char* to_string(method how);
std::optional<method> parse_method(std::string_view text);

// What a token stands for. The token itself is not kept: it might be a card number.
enum class test_card : std::uint8_t {
  invalid = 0,         // any other token: declined with invalid_token
  ok = 1,              // approved
  declined = 2,        // declined with card_declined
  timeout_before = 3,  // first attempt: no effect, no answer; approved when asked again
  timeout_after = 4,   // approved, but the first answer never comes
  twice = 5,           // approved; the first answer comes twice
  late = 6,            // approved; the first answer comes late
  garbage = 7,         // approved; the first answer is nonsense
  slow = 8,            // approved, but decided only after pending_for; until then "pending"
  slow_declined = 9,   // the same, and declined with card_declined
};
test_card card_of(std::string_view token);
const char* token_of(test_card card);              // "tok_ok"; "" for invalid
const char* last4_of(method how, test_card card);  // "4242"; "" unless a known card

// Whether the money is taken as it is authorised, or by a capture_request later.
enum class capture_mode : std::uint8_t { at_once = 0, later = 1 };

struct charge_request {
  std::string key;
  money amount;
  method how{};
  std::string token;
  capture_mode mode = capture_mode::at_once;
};
struct capture_request {
  std::string key;
  money amount;  // all that was authorised
};
struct void_request {
  std::string key;
};
struct refund_request {
  std::string key;
  std::string refund_key;
  money amount;
};
using request = std::variant<charge_request, void_request, refund_request, capture_request>;

enum class charge_status : std::uint8_t { captured = 0, declined = 1, voided = 2, refunded = 3, authorised = 4 };
const char* to_string(charge_status status);

enum class decline_reason : std::uint8_t {
  none = 0,
  card_declined = 1,
  invalid_token = 2,
  amount_too_large = 3
};
const char* to_string(decline_reason reason);
std::optional<decline_reason> parse_decline_reason(std::string_view text);

// Definite refusals; none of them leaves an entry.
enum class refusal : std::uint8_t {
  malformed = 0,       // key or refund key empty, too long or not plain ASCII; negative amount
  unknown_method = 1,  // invoices are not charged here
  key_reused = 2,      // the key (or refund key) is known with other content
  voided = 3,          // the key was voided: refused for ever
  captured = 4,        // void of a captured key: too late
  not_captured = 5,    // refund of what was never captured
  over_refund = 6,  // refunds would exceed the capture, or be of another currency, or be too many
  no_answer = 7,    // nothing happened and nothing is said (delivery::none)
  not_authorised = 8,  // capture of what was not authorised, or of another amount
  pending = 9,         // not decided yet: ask again, or wait to be told
};
const char* to_string(refusal why);

struct outcome {
  charge_status status{};
  money amount;  // charged or refunded; 0 XXX for a void
  std::string last4;
  decline_reason declined = decline_reason::none;
  friend bool operator==(const outcome&, const outcome&) = default;
};

// How the answer travels: whatever it says, the ledger is right.
enum class delivery : std::uint8_t { normal = 0, none = 1, late = 2, twice = 3, garbage = 4 };

delivery first_answer_of(test_card card);

struct verdict {
  tl::expected<outcome, refusal> result;
  delivery how = delivery::normal;
};

enum class entry_kind : std::uint8_t {
  authorisation = 0,
  capture = 1,
  decline = 2,
  void_charge = 3,
  refund = 4
};
const char* to_string(entry_kind kind);  // "authorisation", "capture", "decline", "void", "refund"
std::optional<entry_kind> parse_entry_kind(std::string_view text);

// One line of the ledger. An approved charge is two: authorisation and capture.
struct entry {
  std::uint64_t seq = 0;  // from 1, without gaps
  timestamp_ms at;        // never below the entry before
  entry_kind kind{};
  std::string key;
  money amount;  // 0 XXX for a void
  method how{};
  test_card card{};
  decline_reason declined{};
  std::string refund_key;
  friend bool operator==(const entry&, const entry&) = default;
};

enum class key_state : std::uint8_t { authorised = 0, captured = 1, declined = 2, voided = 3 };
const char* to_string(key_state state);

// What the provider knows of one key.
struct charge_record {
  key_state state{};
  money amount;
  method how{};
  test_card card{};
  decline_reason declined{};
  std::int64_t refunded_minor = 0;
  std::vector<std::pair<std::string, std::int64_t>> refunds;  // refund key, minor units
};

struct currency_totals {
  std::int64_t captured_minor = 0;
  std::int64_t refunded_minor = 0;
  friend bool operator==(const currency_totals&, const currency_totals&) = default;
};

struct ledger_summary {
  std::map<std::string, currency_totals> totals;  // by currency
  std::uint64_t entries = 0;
  std::uint64_t authorisations = 0;
  std::uint64_t captures = 0;
  std::uint64_t declines = 0;
  std::uint64_t voids = 0;
  std::uint64_t refunds = 0;
};

// 1 to key_bytes_max printable ASCII characters, without space, quote and backslash: no escaping in
// JSON.
bool is_key(std::string_view text);

// All keys ever seen, in memory (about 200 bytes each). Owned by one thread.
class provider_book {
 public:
  // Decides, applies, and appends the new entries (none, one or two) to `made`. Idempotent by key
  // and refund key.
  verdict handle(const request& asked, timestamp_ms now, std::vector<entry>& made);
  // Decides the charges that have been pending long enough; appends their entries.
  void decide_due(timestamp_ms now, std::vector<entry>& made);
  // Replays a stored entry. False when it does not follow from what is there: a damaged ledger.
  [[nodiscard]] bool apply(const entry& what);

  // Null when the key is not known; valid until the next change.
  const charge_record* find(const std::string& key) const;
  const ledger_summary& summary() const { return summary_; }
  std::uint64_t last_seq() const { return summary_.entries; }

 private:
  using entries = std::vector<entry>;
  verdict charge(const charge_request& asked, timestamp_ms now, entries& made);
  verdict charge_again(const charge_record& known, const charge_request& asked, timestamp_ms now,
                       entries& made);
  verdict charge_first(const charge_request& asked, timestamp_ms now, entries& made);
  verdict decide(const charge_request& asked, timestamp_ms now, entries& made);
  verdict capture(const capture_request& asked, timestamp_ms now, entries& made);
  verdict put_off(const charge_request& asked, timestamp_ms now);
  verdict void_charge(const void_request& asked, timestamp_ms now, entries& made);
  verdict refund(const refund_request& asked, timestamp_ms now, entries& made);
  void record(entry what, timestamp_ms now, entries& made);
  bool would_overflow(const money& amount) const;

  bool apply_authorisation(const entry& what);
  bool apply_capture(const entry& what);
  bool apply_decline(const entry& what);
  bool apply_void(const entry& what);
  bool apply_refund(const entry& what);

  std::unordered_map<std::string, charge_record> charges_;
  std::unordered_set<std::string>
      unanswered_;  // timeout_before keys after their first attempt; not stored
  struct undecided {
    charge_request asked;
    timestamp_ms due;
  };
  std::map<std::string, undecided> pending_;  // not stored either: whoever asks again begins anew
  ledger_summary summary_;
  timestamp_ms last_at_{};
};

}  // namespace omnicart::pay
