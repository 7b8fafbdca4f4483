#pragma once

#include "runtime/placement.hpp"

namespace omnicart::cluster {

using omnicart::node_id;
inline constexpr node_id no_node = 0;
// What a configuration may call a node (cluster.node).
inline constexpr node_id node_id_max = 65'535;

}  // namespace omnicart::cluster
