#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fake_operator.hpp"
#include "tools/omnicartctl/command_line.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl::testing {

// Its own, below the system's for temporary files; gone with the object.
struct folder {
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-ctl-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
    return (path / name).string();
  }
  std::filesystem::path path;
};

struct said {
  exit_code code;
  std::string out, err;
  std::string all() const { return out + err; }
};

// A folder with a token, a node that answers, and a command line between them.
struct shell {
  folder home;
  mutable fake_operator node;
  std::string token_file = home.file("operator.token", std::string(good_token) + "\n");
  outcome<std::string> typed = std::string("correct horse");  // as the password
  std::optional<bool> sure;                                   // what a person answers; nothing: there is none to ask
  mutable std::string asked_person;

  // What is no command is said as its text and code are.
  said operator()(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--operator", node.url(), "--token-file", token_file});
    const auto given = parse_command_line(arguments);
    if (const auto* end = std::get_if<early_end>(&given)) return {end->code, end->text, ""};
    std::ostringstream out, err;
    surroundings with{.out = out, .err = err, .password = [this] { return typed; }};
    if (sure) {
      with.confirm = [this](const std::string& question) -> outcome<bool> {
        asked_person = question;
        return *sure;
      };
    }
    const auto code = run(std::get<command_line>(given), with);
    return {code, out.str(), err.str()};
  }
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace omnicart::ctl::testing
