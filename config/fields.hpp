#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/options.hpp"

// The table of everything that may be configured: one row per field, in the order of the sections.
// It drives loading and its checks (load.cpp), printing (print.cpp) and the table in
// docs/configuration.md.
namespace omnicart::config {

// Where a field's value stands in an `options`; its alternative is the field's type.
using target = std::variant<bool*, std::int64_t*, std::string*, std::vector<std::string>*>;

// When a change in the file is taken: by SIGHUP, by the next start, or only when the data directory
// is created.
enum class change { on_reload, on_start, on_creation };

struct field {
  std::string_view section;
  std::string_view key;
  target (*at)(options&);  // valid as long as the options it was given
  std::string_view unit;   // "" for names, switches and counts of nothing in particular
  std::int64_t least = 0;  // of a number; of a text its shortest length in bytes
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view choices;  // of a text: the words allowed, split by '|'; "": any
  change taken = change::on_start;
  std::string_view reason;  // what it does, and why the default is what it is

  std::string name() const { return std::string(section) + '.' + std::string(key); }
};

// Every field. Lives as long as the program.
std::span<const field> fields();

// Copies the fields marked on_reload from `fresh` into `running`. Returns the names of the other
// fields that differ: they wait for the next start.
std::vector<std::string> reload(options& running, options fresh);

}  // namespace omnicart::config
