#pragma once

#include <string>
#include <string_view>

#include "cluster/link/certificates.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::cluster {

// Writes a file of mode 0600, whole or not at all, and durably. Refusal: precondition_failed when
// it is there and is to be kept. Fault: io.
status write_private_file(const std::string& path, std::string_view content,
                          existing_files on_existing);

// Makes a folder of mode 0700; one that is there stays as it is. Its parent must exist. Fault: io.
status make_private_folder(const std::string& path);

}  // namespace omnicart::cluster
