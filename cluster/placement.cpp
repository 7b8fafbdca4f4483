#include "cluster/placement.hpp"

namespace omnicart::cluster {

bool single_node::leads(std::uint16_t) const { return true; }

std::uint64_t single_node::term(std::uint16_t) const { return 1; }

}  // namespace omnicart::cluster
