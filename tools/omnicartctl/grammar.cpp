#include "tools/omnicartctl/grammar.hpp"

#include <charconv>

#include "cluster/node_id.hpp"
#include "tools/omnicartctl/duration_text.hpp"

namespace omnicart::ctl {

CLI::App& add_verb(CLI::App& to, command_line& into, verb what, const char* name, const char* says,
                   const char* footer) {
  CLI::App* const added = to.add_subcommand(name, says);
  added->footer(footer);
  added->callback([&into, what] { into.what = what; });
  return *added;
}

CLI::App& add_group(CLI::App& to, const char* name, const char* says) {
  CLI::App* const added = to.add_subcommand(name, says);
  added->require_subcommand(0, 1);
  return *added;
}

duration_ms duration_or_throw(const char* option, const std::string& text) {
  const auto parsed = parse_duration(text);
  if (!parsed) throw CLI::ValidationError(option, parsed.error().detail);
  return *parsed;
}

std::uint64_t node_number_or_throw(const char* option, const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end || number == cluster::no_node ||
      number > cluster::node_id_max) {
    throw CLI::ValidationError(option, "\"" + text +
                                           "\" is no number of a node; they are from 1 to " +
                                           std::to_string(cluster::node_id_max));
  }
  return number;
}

}  // namespace omnicart::ctl
