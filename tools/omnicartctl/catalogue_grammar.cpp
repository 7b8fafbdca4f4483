#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* import_footer =
    R"(One product a line, as JSON; the file may be compressed with gzip. It is read piece by piece, and sent to the shop in
groups. A product that is there already is replaced by what the line says, or left as it is when that is the same: an import
that broke off may be run again, or from the line it names. Exit code 1 when lines were refused. Examples:
  omnicartctl catalogue import products.jsonl.gz
  omnicartctl catalogue import products.jsonl --on-hand 100
  omnicartctl catalogue import products.jsonl --from-line 12001)";

constexpr const char* list_footer =
    R"(Projections are what lists and searches are read from. Example:
  omnicartctl projection list)";

constexpr const char* rebuild_footer =
    R"(Drops what the projection keeps and makes it anew from the kept histories, on this node only, while the shop serves;
questions to it wait. Names: projection list. Example:
  omnicartctl projection rebuild search)";

}  // namespace

void describe_catalogue(CLI::App& app, command_line& into) {
  auto& catalogue = add_group(app, "catalogue", "The shop's products");
  auto& taking = add_verb(catalogue, into, verb::catalogue_import, "import",
                          "Take products from a file", import_footer);
  taking.add_option("file", into.file, "JSON lines, plain or gzip")->type_name("FILE")->required();
  taking.add_option("--from-line", into.from_line, "Leave out the lines before this one")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  taking
      .add_option("--on-hand", into.on_hand, "Units in stock of products whose line does not say")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  auto& projection = add_group(app, "projection", "What lists and searches are read from");
  add_verb(projection, into, verb::projection_list, "list", "Which there are, and how far behind",
           list_footer);
  add_verb(projection, into, verb::projection_rebuild, "rebuild", "Make one anew", rebuild_footer)
      .add_option("name", into.name, "Which one")
      ->type_name("NAME")
      ->required();
}

}  // namespace omnicart::ctl
