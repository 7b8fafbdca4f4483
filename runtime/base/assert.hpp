#pragma once

#include <source_location>
#include <string_view>

namespace omnicart {

// Ends the process with the violated rule and where it stood. A bug, never a caller's mistake; on in release.
[[noreturn]] void bug(std::string_view rule,
                      std::source_location where = std::source_location::current());

inline void ensure(bool holds, std::string_view rule,
                   std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] {
    bug(rule, where);
  }
}

}  // namespace omnicart
