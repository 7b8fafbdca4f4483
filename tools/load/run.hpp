#pragma once

#include "tools/load/options.hpp"

namespace omnicart::load {

// Runs the scenario to its end on this thread, with the live line on standard error and the report
// on standard output and in the files asked for. Ctrl-C once ends it early but in order. Answers
// the exit code: 0 all laws hold, 1 a law is broken, 2 the scenario could not be carried out.
int run(const load_options& options);

}  // namespace omnicart::load
