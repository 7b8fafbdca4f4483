#pragma once

#include "cluster/remote/envelope_format.hpp"

namespace omnicart::cluster::test {

// A format that today's build cannot read: what it says stands behind a byte that begins no msgpack, in reverse order.
envelope_format next_format(std::uint8_t version);

}  // namespace omnicart::cluster::test
