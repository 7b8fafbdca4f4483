#pragma once

#include "runtime/base/ids.hpp"

namespace omnicart {

// Unpredictable 128-bit ids (libsodium in production, a seeded generator under simulation). Thread-safe.
class id_source {
 public:
  virtual ~id_source() = default;
  virtual command_id next() = 0;
};

}  // namespace omnicart
