#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace omnicart::http {

// What one peer may cost the node. Defaults suit a public front; each says why. Read by the
// connections' threads; changed as a whole through server::set_limits.
struct server_limits {
  // Longest request target. 8 KiB is what RFC 9110 section 4.1 asks servers to take; beyond: 414.
  std::size_t uri_bytes_max = 8 * 1024;
  // Request line and fields together; large enough for two tokens and cookies, small enough for
  // 10,000 peers; 431.
  std::size_t header_bytes_max = 16 * 1024;
  // Number of fields: bounds what a lookup by name scans; 431.
  std::size_t header_fields_max = 100;
  // A body without a route's own limit. 500 cart lines take 50 KiB; 413.
  std::size_t body_bytes_max = 1024 * 1024;
  // Open connections of the whole server; one further is answered 503 and closed.
  std::size_t connections_max = 20'000;
  // Of those beyond it, over TLS, how many are answered at a time, since each takes a handshake,
  // and that linger_timeout at most; then they are answered as all are. The others are closed at
  // once.
  std::size_t turned_away_max = 32;
  // Requests whose handler has not answered, over the whole server; beyond: 503 with Retry-After.
  std::size_t in_flight_max = 4'096;
  // From a connection's first byte (or from accepting it) to the end of the request's head; 408.
  std::chrono::milliseconds header_timeout{10'000};
  // Keep-alive without a byte of a further request; then closed silently.
  std::chrono::milliseconds idle_timeout{60'000};
  // A body may be silent this long in all, and must otherwise keep the rate below; 408.
  std::chrono::milliseconds body_grace{10'000};
  // Slowest accepted sender and reader after the grace: a bad mobile line does ten times this.
  std::size_t bytes_per_second_min = 1'024;
  // A peer that does not read may hold an answer this long (plus its size at the rate above); then
  // closed.
  std::chrono::milliseconds write_timeout{15'000};
  // After a last answer, how long to wait for the peer to read it and close (RFC 9112 section 9.6).
  std::chrono::milliseconds linger_timeout{2'000};
  // What Retry-After says when the server sheds.
  std::uint32_t retry_after_s = 1;
};

}  // namespace omnicart::http
