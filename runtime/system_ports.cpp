#include "runtime/system_ports.hpp"

#include <sodium/core.h>
#include <sodium/randombytes.h>

#include <ctime>

#include <chrono>

#include "runtime/base/assert.hpp"

namespace omnicart {

timestamp_ms system_clock::wall() const {
  return std::chrono::time_point_cast<duration_ms>(std::chrono::system_clock::now());
}

duration_ms system_clock::monotonic() const {
  // Goes on while the machine sleeps, unlike steady_clock's: a lease must not outlive its time that way.
  timespec now{};
  ensure(::clock_gettime(CLOCK_BOOTTIME, &now) == 0, "the machine has a clock");
  return std::chrono::duration_cast<duration_ms>(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
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
