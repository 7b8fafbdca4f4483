#include "runtime/system_ports.hpp"

#include <sodium/core.h>
#include <sodium/randombytes.h>

#include <chrono>

#include "runtime/base/assert.hpp"

namespace omnicart {

timestamp_ms system_clock::wall() const {
  return std::chrono::time_point_cast<duration_ms>(std::chrono::system_clock::now());
}

duration_ms system_clock::monotonic() const {
  return std::chrono::duration_cast<duration_ms>(std::chrono::steady_clock::now().time_since_epoch());
}

random_ids::random_ids() { ensure(sodium_init() >= 0, "libsodium starts"); }

command_id random_ids::next() {
  command_id id;
  do {
    randombytes_buf(&id, sizeof id);
  } while (!id);
  return id;
}

}  // namespace omnicart
