#pragma once

#include <string>

#include "config/options.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::node {

// An address to listen on: itself, or what a host name means on this machine (IPv4 where it means
// both). Blocks for the name service. Refusal: malformed, naming `key` and the host.
result<std::string> listen_address(const std::string& key, const std::string& host);

// What can be known before the data is touched, so that a wrong configuration leaves nothing
// behind: host names become addresses, certificate and key are read and tried, the provider's URL
// is one, quotas are for calls that there are, one for each and its subject. Refusal: malformed, with one clear line.
status preflight(config::options& options);

// Whether the link to other nodes would start with these: name and address are ones, the certificates' files read, are
// this node's, and are there unless the address is of loopback. For a start: a node that runs reads its certificates
// again by itself, and keeps those it has when the new ones are bad. Nothing is checked where cluster.port says that
// there is no link. Refusal: malformed, with one clear line that names the key or the file.
status check_link(const config::cluster_options& options);

}  // namespace omnicart::node
