#pragma once

namespace omnicart::trial {

// The sources that this was built of: for tests of pages, configurations and data that lie there. In a source that is
// made with the build, so that one object alone differs between two checkouts.
extern const char* const source_dir;

}  // namespace omnicart::trial
