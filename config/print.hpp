#pragma once

#include <string>

#include "config/options.hpp"

namespace omnicart::config {

// The options as TOML with every key, which parse() reads back to equal options. `--check-config`
// prints it. A key that differs from its default says so in a comment.
std::string to_toml(const options& all);

// The table of docs/configuration.md, one section of Markdown per section of the file.
std::string reference_markdown();

}  // namespace omnicart::config
