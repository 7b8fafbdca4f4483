#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace omnicart::http {

// The first line of a file that only its owner may read; at least `bytes_min` characters. Refusal: io, naming the file
// and what is wrong with it, never what is in it.
result<std::string> read_secret_file(const std::string& path, std::size_t bytes_min);

}  // namespace omnicart::http
