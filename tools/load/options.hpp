#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/load/scenario.hpp"

namespace omnicart::load {

struct load_options {
  std::vector<std::string> targets = {"http://127.0.0.1:8080"};  // nodes of one shop
  std::string operator_url;
  std::string token_file;
  std::string json_file;
  std::string html_file;
  std::int64_t timeout_s = 30;
  std::int64_t ride_through_s = 120;
  scenario_options scenario;
};

// Reads the command line. Nothing when the program has only to exit, with `exit_code`: help,
// version (0) and mistakes (2), whose text has been printed.
std::optional<load_options> read_options(int argc, const char* const* argv, int& exit_code);

}  // namespace omnicart::load
