#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "tools/pay/provider_rules.hpp"

// Reading of DIR/ledger.log and DIR/ledger.synced, whose grammars stand in ledger_file.hpp. Changes
// nothing.
namespace omnicart::pay {

inline constexpr std::string_view ledger_header = "omnicart-pay ledger 1\n";
inline constexpr std::size_t ledger_hash_digits = 16;

// The hash that stands before `text` (place, blank, entry).
std::string ledger_hash(std::string_view text);

// All of ledger.synced, which says that the entries through `seq` were synced; always as long.
std::string synced_mark(std::uint64_t seq);
// What it says. 0: it is not there, or unreadable, and nothing is known.
std::uint64_t synced_through(const std::filesystem::path& folder);

struct ledger_damage {
  std::uint64_t offset = 0;
  std::string what;
};

struct ledger_scan {
  std::uint64_t entries = 0;  // sound ones before the first damage, or before the torn tail
  std::vector<ledger_damage> damages;
  std::optional<std::uint64_t> torn_at;  // from here on a write that a crash cut short
  bool unfinished_header = false;        // a file that was just being made, or an empty one
};

// Called with each sound entry, its offset and the bytes of its record, until the first damage.
// False: it cannot follow those before it, which is a damage too.
using ledger_visitor = std::function<bool(const entry&, std::uint64_t offset, std::uint64_t bytes)>;

// Tells what a crash leaves from what it cannot. An append that was cut short leaves a line without
// its end, or whole sectors of zeros. A line that is there to its LF with another hash was changed
// later; so was anything that a later group says was synced, or that is not behind entry `synced`.
ledger_scan scan_ledger(std::string_view bytes, std::uint64_t synced, const ledger_visitor& visit);

// Reads the ledger in `file`, which no provider may have open, and checks that its entries follow
// from each other. Faults: not_found, unavailable (in use), io (with why). What is wrong with it is
// no fault but in the scan.
result<ledger_scan> verify_ledger(const std::filesystem::path& file);

}  // namespace omnicart::pay
