#pragma once

#include <string>

namespace omnicart::sim {

struct broken_law {
  std::string law;
  std::string detail;
};

}  // namespace omnicart::sim
