#pragma once

#include "config/options.hpp"
#include "runtime/kind.hpp"

namespace omnicart::node {

// The registry: every kind of entity this node knows.
kind_registry all_kinds(const config::options& options);

}  // namespace omnicart::node
