#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/options.hpp"
#include "runtime/base/result.hpp"

// From text to checked options. Precedence: command line over file over default; the environment is
// not read. Refusals are base_errc::malformed; their detail has one line per fault, in the order of
// the file, each naming file, line and key: "shop.toml:7: unknown key http.prot". Functions may be
// called from any thread.
namespace omnicart::config {

// What the command line may say; unset members leave the file's word.
struct overrides {
  std::optional<std::string> data;           // --data DIR
  std::optional<std::string> http;           // --http HOST:PORT
  std::optional<std::string> operator_port;  // --operator HOST:PORT
  std::optional<std::string> pay;            // --pay URL
};

struct host_port {
  std::string host;
  std::int64_t port = 0;
  friend bool operator==(const host_port&, const host_port&) = default;
};

// "127.0.0.1:8080", "shop.example:80", "[::1]:8080" (the brackets are not part of the host).
result<host_port> parse_host_port(std::string_view text);

// The options of a TOML text; `name` stands for the file in refusals. Keys not named keep their
// defaults.
result<options> parse(std::string_view text, std::string_view name);

// The file's options (all defaults without one) under what the command line says, checked as a
// whole. Fault: base_errc::io when the file cannot be read.
result<options> load(const std::optional<std::string>& file, const overrides& said = {});

// What no single field can tell: TLS needs certificate and key, two ports must differ, a burst
// holds a second's worth… Detail names the keys.
status check(const options& all);

// Replaces "0: one per core" by the figure. `cores` below 1 counts as 1.
void resolve_threads(options& all, unsigned cores);

// Lowers http.connections_max so that of `files_max` open files 1,024 (or half of fewer) are left
// for the store, links and logs: peers must not be able to take those.
void fit_connections(options& all, std::uint64_t files_max);

}  // namespace omnicart::config
