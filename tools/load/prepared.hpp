#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "tools/load/caller.hpp"

// Requests made ready beforehand, as bytes: sending one costs the client next to nothing, and the
// same ones can be sent to another server for comparison.
namespace omnicart::load {

// For each connection its own turn of requests, sent round and round.
using prepared_turns = std::vector<std::vector<std::string>>;

// Deals `requests` out to `connections` turns, as evenly as it goes; with fewer requests than
// connections some are sent by several.
prepared_turns deal(std::vector<std::string> requests, std::size_t connections);

// The file format: for each request its length in bytes as decimal digits, a line end, the bytes, a
// line end. Fault: base_errc::io.
status save_prepared(const std::string& path, const std::vector<std::string>& requests);
// Refusals: base_errc::malformed, io. At most 1,000,000 requests of at most 1 MB.
result<std::vector<std::string>> load_prepared(const std::string& path);

}  // namespace omnicart::load
