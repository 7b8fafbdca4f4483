#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/worker_pool.hpp"

namespace omnicart::http {

struct password_options {
  // OWASP Password Storage Cheat Sheet: Argon2id with at least 19 MiB, two passes, one lane.
  std::size_t memory_bytes = std::size_t{19} << 20;
  unsigned passes = 2;
  std::size_t threads = 1;
  std::size_t queue_max = 64;  // at about 30 ms each, two seconds of waiting
};

// Argon2id (RFC 9106) through libsodium, on a bounded pool of its own: it costs tens of milliseconds. Callbacks run
// on a pool thread, or, for base_errc::overloaded, on the caller's before the call returns. Thread-safe.
class password_hasher {
 public:
  explicit password_hasher(const password_options& options);

  void hash(std::string password, std::function<void(result<std::string>)> done);
  // An empty `encoded` (no such account) takes as long as a real one and answers false.
  void verify(std::string encoded, std::string password, std::function<void(result<bool>)> done);

  void stop() { pool_.stop(); }
  std::size_t queued() const { return pool_.queued(); }

 private:
  const password_options options_;
  std::string decoy_;  // hash of a random password: what unknown accounts are compared with
  worker_pool pool_;
};

}  // namespace omnicart::http
