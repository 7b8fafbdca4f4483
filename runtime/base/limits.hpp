#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Limits that are part of the contract (api.md) or of a stored format, and so are not configurable.
namespace omnicart::limits {

inline constexpr std::size_t kind_bytes_max = 16;
inline constexpr std::size_t id_bytes_max = 160;          // entity ids, percent-decoded
inline constexpr std::size_t url_id_bytes_max = 128;      // ids in a URL
inline constexpr std::size_t product_id_bytes_max = 64;
inline constexpr std::size_t idempotency_key_bytes_max = 255;

inline constexpr std::int64_t line_quantity_max = 999'999;
inline constexpr std::size_t cart_lines_max = 5'000;
inline constexpr std::size_t items_per_request_max = 500;
inline constexpr std::size_t list_page_max = 100;
inline constexpr std::size_t list_page_default = 20;

inline constexpr std::size_t session_holds_max = 10;
inline constexpr std::chrono::milliseconds session_hold_ttl_max = std::chrono::minutes{30};
// From a session's word that it may hold, the stock has this long to make the hold.
inline constexpr std::chrono::milliseconds session_hold_window = std::chrono::seconds{5};
inline constexpr std::chrono::hours receipt_retention{72};
inline constexpr std::chrono::minutes brief_receipt_retention{1};  // where an older build stores them

inline constexpr std::size_t effects_in_flight_max = 32;  // per entity
inline constexpr std::size_t reference_bytes_max = 64;

}  // namespace omnicart::limits
