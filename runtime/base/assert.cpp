#include "runtime/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace omnicart {

void bug(std::string_view rule, std::source_location where) {
  std::fprintf(stderr, "omnicart: broken rule at %s:%u in %s: %.*s\n", where.file_name(), where.line(),
               where.function_name(), static_cast<int>(rule.size()), rule.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace omnicart
