#include "tools/load/run.hpp"

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = omnicart::load::read_options(argc, argv, exit_code);
  return options ? omnicart::load::run(*options) : exit_code;
}
