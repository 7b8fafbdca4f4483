#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/payment/payment_messages.hpp"
#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"

// What becomes of an order once it stands: parcels, returns, refunds and notes, and the commands that make them.
// Every record has a number, from 1 in the order it was made, that stays with it.
namespace omnicart::order {

inline constexpr std::size_t shipments_max = 200;  // of one order, and so on
inline constexpr std::size_t returns_max = 500;
inline constexpr std::size_t refunds_max = 900;  // the provider takes 1,000 of one payment
inline constexpr std::size_t notes_max = 200;
inline constexpr std::size_t carrier_bytes_max = 64;
inline constexpr std::size_t tracking_bytes_max = 128;
inline constexpr std::size_t reason_bytes_max = 200;
inline constexpr std::size_t note_bytes_max = 2'000;

// So many units of one of the order's lines.
struct line_count {
  std::uint32_t line_id = 0;
  std::int64_t quantity = 0;
  friend bool operator==(const line_count&, const line_count&) = default;
  OMNICART_FIELDS(line_id, quantity)
};
using line_counts = std::vector<line_count>;

enum class shipment_status : std::uint8_t { shipped = 0, delivered = 1 };
const char* to_string(shipment_status status);

struct shipment {
  std::uint32_t number = 0;
  shipment_status status{};
  std::string carrier;
  std::string tracking;
  line_counts lines;
  timestamp_ms shipped_at;
  timestamp_ms delivered_at;  // the epoch: not yet
  OMNICART_FIELDS(number, status, carrier, tracking, lines, shipped_at, delivered_at)
};

enum class return_status : std::uint8_t { requested = 0, received = 1, refused = 2 };
const char* to_string(return_status status);

struct return_record {
  std::uint32_t number = 0;
  return_status status{};
  line_counts lines;
  std::string reason;
  bool restock = false;      // received: the units went back to the shelf
  std::uint32_t refund = 0;  // the refund made for it; 0: none
  timestamp_ms requested_at;
  timestamp_ms closed_at;  // the epoch: not yet
  OMNICART_FIELDS(number, status, lines, reason, restock, refund, requested_at, closed_at)
};

enum class refund_status : std::uint8_t { owed = 0, made = 1 };
const char* to_string(refund_status status);

// The part of a refund that goes back to a gift card.
struct card_share {
  std::string code;
  std::int64_t amount_minor = 0;
  bool made = false;
  friend bool operator==(const card_share&, const card_share&) = default;
  OMNICART_FIELDS(code, amount_minor, made)
};

// Always to what the order was paid with. `key` names it at the provider and at each gift card.
struct refund_record {
  std::uint32_t number = 0;
  refund_status status{};
  std::string key;
  money amount;                  // all of it: what `cards` do not get is the provider's part
  line_counts lines;             // whose price it gives back; empty: an amount without lines
  std::uint32_t for_return = 0;  // 0: none
  std::string reason;
  timestamp_ms asked_at;
  timestamp_ms made_at;  // the epoch: not yet, or not all of it
  std::vector<card_share> cards;
  bool provider_made = false;  // the provider's part is; one that is made needs not say so
  OMNICART_FIELDS(number, status, key, amount, lines, for_return, reason, asked_at, made_at, cards,
                  provider_made)
};

// For staff only.
struct note_record {
  std::uint32_t number = 0;
  std::string text;
  role as{};
  std::string user;
  timestamp_ms at;
  OMNICART_FIELDS(number, text, as, user, at)
};

// Units of a return that are owed to a stock record.
struct shelving {
  std::uint32_t of_return = 0;
  std::uint32_t stock = 0;  // index among the order's products in id order
  std::int64_t quantity = 0;
  friend bool operator==(const shelving&, const shelving&) = default;
  OMNICART_FIELDS(of_return, stock, quantity)
};

// What became of an authorisation that was not captured at once.
enum class holding : std::uint8_t {
  none = 0,  // there was none
  held = 1,
  to_capture = 2,
  taken = 3,
  lost = 4,  // the provider will not capture it: shipped and not paid
  to_void = 5,
  voided = 6,
};
const char* to_string(holding state);

// What an operator says of an order that does not get on by itself.
enum class resolution : std::uint8_t {
  give_up = 0,       // stop waiting for the provider's word: void the payment
  refunds_done = 1,  // what the provider owes the buyer was given back by other means
  stock_done = 2,    // what is owed to stock records was put right by hand
  written_off = 3,   // a payment that was lost will not come
};
const char* to_string(resolution how);

// All of it; part of the order's state and of what it shows.
struct aftermath {
  std::vector<shipment> shipments;
  std::vector<return_record> returns;
  std::vector<refund_record> refunds;
  std::vector<note_record> notes;
  std::vector<shelving> to_shelve;
  timestamp_ms captured_at;  // the epoch: not, or before this was kept
  holding hold = holding::none;
  timestamp_ms authorised_at;
  std::string capture_trouble;    // lost: the provider's word
  bool stray = false;             // captured although the order does not stand: all of it goes back
  bool remainder_made = false;    // what a cancellation or a stray charge owed was refunded
  OMNICART_FIELDS(shipments, returns, refunds, notes, to_shelve, captured_at, hold, authorised_at, capture_trouble,
                  stray, remainder_made)
};

// Staff. No lines: all that is left. The first one makes a paid order processing, the last one shipped.
struct ship {
  std::string carrier;
  std::string tracking;
  line_counts lines;
  OMNICART_FIELDS(carrier, tracking, lines)
};
// Staff. Twice changes nothing. The last one of a shipped order makes it delivered.
struct deliver { std::uint32_t number = 0; OMNICART_FIELDS(number) };
// The buyer asks; staff may receive at once. Of units that were shipped.
struct ask_return {
  line_counts lines;
  std::string reason;
  bool received = false;  // staff only, as are the next two
  bool restock = true;    // the units go back to the shelf
  bool refund = true;     // what was paid for them goes back, as far as it has not yet
  OMNICART_FIELDS(lines, reason, received, restock, refund)
};
// Staff, of a return that is requested.
struct close_return {
  std::uint32_t number = 0;
  return_status to = return_status::received;
  bool restock = true;
  bool refund = true;
  std::string reason;  // of a refusal
  OMNICART_FIELDS(number, to, restock, refund, reason)
};
// Staff. Exactly one of `amount` and `lines`. At most what was paid, by card and by gift cards, and not refunded.
struct give_refund {
  std::optional<money> amount;
  line_counts lines;
  std::string reason;
  OMNICART_FIELDS(amount, lines, reason)
};
struct add_note { std::string text; OMNICART_FIELDS(text) };  // staff

// By the engine itself, from a webhook or a reconciliation. What is known already changes nothing.
struct payment_told { payment::news what; OMNICART_FIELDS(what) };
// By an operator. retry asks again for what the provider refused; see resolution for the other.
struct retry { OMNICART_FIELDS() };
struct resolve { resolution how{}; std::string note; OMNICART_FIELDS(how, note) };

// Answers to the order's own effects.
struct capture_answered { payment::charge_result result; OMNICART_FIELDS(result) };
struct capture_refused { error_number code = 0; OMNICART_FIELDS(code) };
struct shelved { std::uint32_t of_return = 0; std::uint32_t stock = 0; OMNICART_FIELDS(of_return, stock) };
struct part_refunded { std::uint32_t number = 0; OMNICART_FIELDS(number) };
// `card` is the index among the refund's gift cards.
struct card_refunded { std::uint32_t number = 0; std::uint32_t card = 0; OMNICART_FIELDS(number, card) };

}  // namespace omnicart::order
