#include "runtime/base/version.hpp"

namespace omnicart {

// Defined in the file that version.cmake writes.
extern const char* const built_version;
extern const char* const built_commit;

std::string version_text() {
  return std::string("omnicart ") + built_version + " (" + built_commit + ")";
}

std::string version_number() { return built_version; }

}  // namespace omnicart
