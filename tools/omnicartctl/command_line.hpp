#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/time.hpp"
#include "tools/omnicartctl/exit_code.hpp"

namespace CLI {
class App;
}

namespace omnicart::ctl {

inline constexpr const char* default_operator_url = "http://127.0.0.1:8081";
inline constexpr const char* default_token_file = "./data/dev/operator.token";

enum class verb {
  status,
  entity_show,
  laws,
  token_issue,
  user_create,
  user_export,
  user_erase,
  orders_stuck,
  orders_explain,
  orders_retry,
  orders_resolve,
  payments_reconcile,
  keys_create,
  keys_list,
  keys_revoke,
  audit_list,
  audit_verify,
  store_verify,
  cert_init,
  cert_node,
  completion,
  cluster_init,
  cluster_join,
  cluster_status,
  cluster_nodes,
  cluster_shards,
  cluster_hashes,
  cluster_drain,
  cluster_resume,
  cluster_remove,
  cluster_replace,
  cluster_transfer,
  cluster_rebalance,
  cluster_configure,
  cluster_rotate_key,
  cluster_watch,
  backup_create,
  backup_list,
  backup_verify,
  backup_restore,
  catalogue_import,
  locations_import,
  locations_list,
  projection_list,
  projection_rebuild
};
enum class form { text, json };

struct command_line {
  verb what = verb::status;
  form as = form::text;
  std::string operator_url = default_operator_url;
  std::string token_file;  // empty: default_token_file if it exists

  std::string entity_kind, entity_id;
  bool history = false;
  std::optional<std::string> at;       // RFC 3339, checked
  std::optional<std::uint64_t> limit;  // events of --history, or rounds of watch
  duration_ms wait{0};                 // laws: for what is under way to end
  duration_ms older{60'000};           // orders stuck: for how long at least
  std::string resolution;              // orders resolve: how
  bool mend = false;                   // payments reconcile
  std::string role;
  std::optional<duration_ms> ttl;
  std::string email, name, password_file;
  std::vector<std::string> scopes;  // keys create
  std::string expect;               // audit verify: "N:DIGEST"
  std::string directory;   // store verify, cert, backup
  std::string cluster;     // cert init; empty: a random one
  std::uint64_t node = 0;  // cert node, cluster join
  std::vector<std::string> hosts;
  std::optional<int> days;
  bool force = false;
  std::string shell;

  std::string target;                 // a node of the cluster, by name or number; a key, by id; a user, by id or address
  std::string order;                  // user erase: that of a guest
  std::string substitute;             // the node that replaces it
  std::string shard;                  // a number, or "cluster"
  std::string link, http, operators;  // addresses of a node that joins
  std::optional<std::uint32_t> replicas, moves_max;
  std::string who;  // empty: USER@HOST of this terminal
  std::string why;
  bool yes = false;              // do not ask
  bool distrust_others = false;  // rotate-key
  duration_ms every{2'000};      // watch

  std::string backup_id;                  // empty: the newest
  std::string data, provider;             // restore
  bool accept_unknown = false;            // restore
  bool accept_missing = false;            // restore
  std::optional<std::uint32_t> rate_mib;  // create: MiB/s

  std::string file;                     // catalogue and locations import
  std::uint64_t from_line = 1;
  std::optional<std::int64_t> on_hand;  // nothing: stock stays as it is
};

// --help, --version or a wrong command line: what to print and end with.
struct early_end {
  exit_code code = exit_code::ok;
  std::string text;
};

// `arguments` without the program's name.
std::variant<command_line, early_end> parse_command_line(const std::vector<std::string>& arguments);

// The grammar alone: fills `app`, which writes into `into` when it parses. Both must stay where
// they are.
void describe_command_line(CLI::App& app, command_line& into);

}  // namespace omnicart::ctl
