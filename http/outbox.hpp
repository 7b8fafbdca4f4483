#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {

// A message to somebody outside. `secret` is what only its reader may know; it goes into the
// message and nowhere else.
struct mail {
  std::string to;
  std::string kind;  // "password_reset", "email_confirmation"
  std::string secret;
  timestamp_ms valid_until;
};

// Where mails go. Implementations must not block for long and write no secret into a log.
class outbox {
 public:
  virtual ~outbox() = default;
  // Fault: io, full. Whoever asked may ask again.
  virtual status send(const mail& what) = 0;
};

// Appends each mail as a line of JSON to a file that only this user may read, for the operator's
// own mailer to take from there: {to, kind, secret, valid_until}. Once the file has `bytes_max` it
// is renamed to FILE.1 (over the one before) and begun anew. Thread-safe.
class outbox_file final : public outbox {
 public:
  static constexpr std::int64_t bytes_max = 16L << 20;

  explicit outbox_file(std::string path) : path_(std::move(path)) {}

  status send(const mail& what) override;

 private:
  const std::string path_;
  std::mutex guard_;
};

}  // namespace omnicart::http
