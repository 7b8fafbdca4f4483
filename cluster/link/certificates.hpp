#pragma once

#include <string>
#include <vector>

#include "cluster/node_id.hpp"
#include "runtime/base/result.hpp"

// Makes a cluster's own authority and its nodes' certificates: EC P-256, signed with SHA-256, X.509
// v3. Blocks on the disk; for one thread of a tool.
namespace omnicart::cluster {

// Names of files in a folder. All are readable by their owner only.
struct authority_files {
  std::string certificate, private_key;
};
struct node_files {
  std::string authority, certificate, private_key;
};
authority_files authority_files_in(const std::string& folder);
node_files node_files_in(const std::string& folder, node_id node);

enum class existing_files { keep, replace };

struct authority_wish {
  std::string cluster;  // empty: 26 random characters. Otherwise is_cluster_id()
  int days = 3'650;
  existing_files on_existing = existing_files::keep;
};
// Makes the folder if it is missing. Returns the cluster's id. Refusals: malformed (a wish that
// makes no sense), precondition_failed (a file is there already). Fault: io.
result<std::string> make_authority(const std::string& folder, const authority_wish& wish);

struct node_wish {
  node_id node = no_node;
  std::vector<std::string> hosts;  // names and addresses others reach it by; for people and other
                                   // programs: the link goes by the node's number alone
  int days = 397;  // that end no later than the authority's
  existing_files on_existing = existing_files::keep;
};
// Signs with the authority in the folder. Refusals: malformed (also a number above node_id_max, and
// days beyond the authority's own end), precondition_failed, not_found (a file of the authority is
// not there; says where to get it). Fault: io.
result<node_files> make_node(const std::string& folder, const node_wish& wish);

}  // namespace omnicart::cluster
