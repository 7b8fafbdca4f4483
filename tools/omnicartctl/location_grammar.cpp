#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* import_footer =
    R"(One store or warehouse a line, as JSON; the file may be compressed with gzip. Lines are in the shop's own form with an
"id", or as others export stores: address, address2, city, state, zip, location {lat, lon}. One that is there already
becomes what the line says and is opened, or is left as it is when that is the same: an import that broke off may be run
again, or from the line it names. Exit code 1 when lines were refused. Examples:
  omnicartctl locations import stores.jsonl.gz
  omnicartctl locations import stores.jsonl --from-line 1201)";

constexpr const char* list_footer =
    R"(All of them by id, closed ones too. Examples:
  omnicartctl locations list
  omnicartctl locations list --json | jq '.items[] | select(.active | not) | .id')";

}  // namespace

void describe_locations(CLI::App& app, command_line& into) {
  auto& locations = add_group(app, "locations", "Stores and warehouses, where stock lies");
  auto& taking = add_verb(locations, into, verb::locations_import, "import",
                          "Take locations from a file", import_footer);
  taking.add_option("file", into.file, "JSON lines, plain or gzip")->type_name("FILE")->required();
  taking.add_option("--from-line", into.from_line, "Leave out the lines before this one")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_verb(locations, into, verb::locations_list, "list", "Which there are", list_footer);
}

}  // namespace omnicart::ctl
