#pragma once

#include "runtime/placement.hpp"

namespace omnicart::cluster {

using omnicart::node_id;
inline constexpr node_id no_node = 0;

}  // namespace omnicart::cluster
