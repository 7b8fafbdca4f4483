#include "tools/omnicartctl/certificate_commands.hpp"

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "cluster/link/certificates.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

cluster::existing_files existing_of(const command_line& given) {
  return given.force ? cluster::existing_files::replace : cluster::existing_files::keep;
}

// `when_there`: what --force would do to the file that is there already.
tl::unexpected<failure> failed(const error& why, const char* when_there) {
  if (why.is(base_errc::malformed)) return fail_with(exit_code::usage, why.detail);
  if (why.is(base_errc::not_found)) return fail_with(exit_code::failed, why.detail);
  if (why.is(base_errc::precondition_failed)) {
    return fail_with(exit_code::failed, why.detail + when_there);
  }
  return fail_with(exit_code::io, why.detail);
}

void print(const command_line& given, const json& what, const std::string& text,
           std::ostream& out) {
  if (given.as == form::json) {
    out << what.dump(2) << '\n';
  } else {
    out << text;
  }
}

}  // namespace

outcome<exit_code> make_authority(const command_line& given, std::ostream& out) {
  cluster::authority_wish wish{.cluster = given.cluster, .on_existing = existing_of(given)};
  if (given.days) wish.days = *given.days;
  const auto made = cluster::make_authority(given.directory, wish);
  if (!made) {
    return failed(made.error(),
                  "; --force makes another authority, which no node of this cluster trusts");
  }
  const auto files = cluster::authority_files_in(given.directory);
  print(
      given,
      {{"cluster", *made}, {"certificate", files.certificate}, {"private_key", files.private_key}},
      "made the authority of cluster " + *made + "\n  certificate  " + files.certificate +
          "\n  private key  " + files.private_key +
          " (keep it away from the nodes)\nevery node's configuration needs under [cluster]:\n" +
          "  name = \"" + *made + "\"\n",
      out);
  return exit_code::ok;
}

outcome<exit_code> make_node_certificate(const command_line& given, std::ostream& out) {
  cluster::node_wish wish{
      .node = given.node, .hosts = given.hosts, .on_existing = existing_of(given)};
  if (given.days) wish.days = *given.days;
  const auto made = cluster::make_node(given.directory, wish);
  if (!made) return failed(made.error(), "; --force replaces it");
  print(given,
        {{"node", given.node},
         {"authority", made->authority},
         {"certificate", made->certificate},
         {"private_key", made->private_key}},
        "made the certificate of node " + std::to_string(given.node) +
            "; it needs these:\n  authority    " + made->authority + "\n  certificate  " +
            made->certificate + "\n  private key  " + made->private_key + "\n",
        out);
  return exit_code::ok;
}

}  // namespace omnicart::ctl
