#include "runtime/base/result.hpp"

namespace omnicart {

const char* to_string(base_errc code) {
  switch (code) {
    case base_errc::malformed: return "malformed";
    case base_errc::precondition_failed: return "precondition_failed";
    case base_errc::id_reused: return "id_reused";
    case base_errc::not_found: return "not_found";
    case base_errc::forbidden: return "forbidden";
    case base_errc::overflow: return "overflow";
    case base_errc::unknown_kind: return "unknown_kind";
    case base_errc::in_progress: return "in_progress";
    case base_errc::overloaded: return "overloaded";
    case base_errc::timeout: return "timeout";
    case base_errc::unavailable: return "unavailable";
    case base_errc::storage_full: return "storage_full";
    case base_errc::shutting_down: return "shutting_down";
    case base_errc::expired: return "expired";
    case base_errc::unknown_outcome: return "unknown_outcome";
    case base_errc::io: return "io";
  }
  return "";
}

}  // namespace omnicart
