#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* init_footer =
    R"(A node that starts with an empty data directory and is told of no cluster founds one by itself; then this says which.
Example:
  omnicartctl cluster init)";

constexpr const char* join_footer =
    R"(Tells the cluster of a node that may come; ask any node of the cluster. The number is the one in the new node's
certificate, and was never another node's: a node that lost its disk comes back with a new number, see replace.
The node holds shards as soon as it has started and was heard. Examples:
  omnicartctl cluster join --id 2 --link 10.0.0.2:7000
  omnicartctl cluster join --id 3 --link 10.0.0.3:7000 --name paris-3 --why "third site")";

constexpr const char* status_footer =
    R"(The first line says whether all shards serve; lines with "!" say what is wrong and what to do.
Exit code 1 when some cannot be written to. Examples:
  omnicartctl cluster status
  omnicartctl cluster status --json | jq '.warnings[].what')";

constexpr const char* nodes_footer =
    R"(A node LEADS shards, has REPLICAS that vote, and STANDBYS that only follow. Examples:
  omnicartctl cluster nodes
  omnicartctl cluster nodes --json | jq '.nodes[] | select(.reachable | not) | .name')";

constexpr const char* shards_footer =
    R"(VOTERS and STANDBYS show how many entries each is behind (n2+17), WANTED what they should become: the first one leads,
with "*" because an operator chose it. Examples:
  omnicartctl cluster shards
  omnicartctl cluster shards --json | jq '.shards[] | select(.moving) | .shard')";

constexpr const char* hashes_footer =
    R"(What the replicas of the node that is asked contain, read to the last byte, each as one number. Two replicas that
contain the same log (THROUGH) must have the same HASH; ask again while the shop is busy. Damage of the node's store is named,
and the exit code is then 1: put a new node in its place, see replace. A node that cannot answer now gives 69. Example:
  diff <(omnicartctl --operator URL1 cluster hashes) <(omnicartctl --operator URL2 cluster hashes))";

constexpr const char* drain_footer =
    R"(Others take over what the node leads, then its replicas, as far as there are other nodes for them. Once it leads
nothing it may be restarted; once it holds nothing it may be removed. Examples:
  omnicartctl cluster drain n3 --why "kernel update"
  omnicartctl cluster drain 3 --yes)";

constexpr const char* resume_footer = R"(Ends a drain: the node takes shards again. Example:
  omnicartctl cluster resume n3)";

constexpr const char* remove_footer =
    R"(For good: the number never comes back, and its certificate is refused from then on. A node that still holds shards is
drained first; --force removes one that is gone, unless a shard would be left without a majority. Examples:
  omnicartctl cluster remove n3 --why "hardware returned"
  omnicartctl cluster remove n3 --force)";

constexpr const char* replace_footer =
    R"(The new node, which has joined, takes the place of the old one everywhere; the old one drains. Examples:
  omnicartctl cluster replace n3 n4 --why "disk of n3 lost")";

constexpr const char* transfer_footer =
    R"(One of the shard's voters leads it from now on, until "rebalance". The cluster's own group is called "cluster".
Examples:
  omnicartctl cluster transfer 17 n2
  omnicartctl cluster transfer cluster n1)";

constexpr const char* rebalance_footer =
    R"(Forgets which leaders operators chose; then leaders are spread evenly again. Example:
  omnicartctl cluster rebalance)";

constexpr const char* configure_footer =
    R"(Replicas are the voters of each shard, as far as there are nodes: 3 outlive the loss of one node, 5 of two.
Examples:
  omnicartctl cluster configure --replicas 5
  omnicartctl cluster configure --moves-max 8)";

constexpr const char* rotate_key_footer =
    R"(Access tokens are signed with another key a minute later; the cluster does so itself every 30 days. What older keys signed
stays good until it expires, and refresh tokens go on working. When keys may have leaked, distrust the others: who has
them can make tokens of anybody. From that minute on no token is good that was given out before: customers and staff
sign in again, guests begin a new session, and tokens of "token issue" have to be issued again. Examples:
  omnicartctl cluster rotate-key
  omnicartctl cluster rotate-key --distrust-others --why "a backup of n2 was stolen")";

constexpr const char* watch_footer =
    R"(Shows status and nodes again and again, until it is interrupted, also while the node does not answer: it may be the one
that is being restarted. A token that is refused ends it at once, with exit code 77. After --times looks the exit code is
that of "status" at the last one: 1 when some shard cannot be written to, 69 when the node did not answer. Examples:
  omnicartctl cluster watch
  omnicartctl cluster watch --every 500ms
  omnicartctl cluster watch --every 1s --times 30)";

void add_node(CLI::App& to, std::string& into, const char* name, const char* says) {
  to.add_option(name, into, says)->type_name("NODE")->required();
}

// Who and why are kept in the log of operations.
void add_cause(CLI::App& to, command_line& into) {
  to.add_option("--why", into.why, "A line for the log of operations")->type_name("TEXT");
  to.add_option("--who", into.who, "Who does it (USER@HOST of this terminal)")->type_name("NAME");
}
void add_question(CLI::App& to, command_line& into) {
  to.add_flag("--yes", into.yes, "Do not ask whether this is meant");
}

void describe_looking(CLI::App& group, command_line& into) {
  add_verb(group, into, verb::cluster_status, "status", "What is wrong, and what to do",
           status_footer);
  add_verb(group, into, verb::cluster_nodes, "nodes", "The nodes and what they hold", nodes_footer);
  add_verb(group, into, verb::cluster_shards, "shards", "The shards and who holds them",
           shards_footer);
  add_verb(group, into, verb::cluster_hashes, "hashes",
           "What a node's replicas contain, as numbers", hashes_footer);
  auto& watch = add_verb(group, into, verb::cluster_watch, "watch",
                         "Status and nodes, again and again", watch_footer);
  watch
      .add_option_function<std::string>(
          "--every",
          [&into](const std::string& text) {
            into.every = duration_or_throw("--every", text);
            if (into.every < duration_ms{100})
              throw CLI::ValidationError("--every", "must be at least 100ms");
          },
          "How often (2s)")
      ->type_name("SPAN");
  watch.add_option("--times", into.limit, "End after so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
}

void describe_coming(CLI::App& group, command_line& into) {
  add_verb(group, into, verb::cluster_init, "init", "Make this node a cluster of its own",
           init_footer);
  auto& join = add_verb(group, into, verb::cluster_join, "join", "Let a node become part of it",
                        join_footer);
  join.add_option_function<std::string>(
          "--id",
          [&into](const std::string& text) { into.node = node_number_or_throw("--id", text); },
          "The number in its certificate")
      ->type_name("N")
      ->required();
  join.add_option("--link", into.link, "Where it listens for other nodes")
      ->type_name("HOST:PORT")
      ->required();
  join.add_option("--name", into.name, "How it is called (n and its number)")->type_name("NAME");
  join.add_option("--http", into.http, "Where it serves the shop")->type_name("HOST:PORT");
  join.add_option("--operators", into.operators, "Where its operator port is")
      ->type_name("HOST:PORT");
  add_cause(join, into);
}

void describe_going(CLI::App& group, command_line& into) {
  auto& drain = add_verb(group, into, verb::cluster_drain, "drain",
                         "Have others take over a node's shards", drain_footer);
  auto& resume =
      add_verb(group, into, verb::cluster_resume, "resume", "End a node's drain", resume_footer);
  auto& remove = add_verb(group, into, verb::cluster_remove, "remove", "Remove a node for good",
                          remove_footer);
  auto& replace = add_verb(group, into, verb::cluster_replace, "replace",
                           "Put a new node in an old one's place", replace_footer);
  for (auto* each : {&drain, &resume, &remove})
    add_node(*each, into.target, "node", "Its name or number");
  add_node(replace, into.target, "old", "The name or number of the node that goes");
  add_node(replace, into.substitute, "new", "And of the one that takes its place");
  remove.add_flag("--force", into.force, "Although shards are still placed on it");
  for (auto* each : {&drain, &remove, &replace}) add_question(*each, into);
  for (auto* each : {&drain, &resume, &remove, &replace}) add_cause(*each, into);
}

void describe_balance(CLI::App& group, command_line& into) {
  auto& transfer = add_verb(group, into, verb::cluster_transfer, "transfer",
                            "Choose a shard's leader", transfer_footer);
  transfer.add_option("shard", into.shard, "Its number, or \"cluster\"")
      ->type_name("SHARD")
      ->required();
  add_node(transfer, into.target, "node", "The name or number of one of its voters");
  auto& rebalance = add_verb(group, into, verb::cluster_rebalance, "rebalance",
                             "Spread leaders evenly again", rebalance_footer);
  auto& configure = add_verb(group, into, verb::cluster_configure, "configure",
                             "Say how many replicas there should be", configure_footer);
  configure.add_option("--replicas", into.replicas, "Voters of each shard")
      ->type_name("N")
      ->check(CLI::Range(1, 5));
  configure.add_option("--moves-max", into.moves_max, "Shards that may be on the move at a time")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  add_question(configure, into);
  auto& rotate = add_verb(group, into, verb::cluster_rotate_key, "rotate-key",
                          "Sign access tokens with another key", rotate_key_footer);
  rotate.add_flag("--distrust-others", into.distrust_others,
                  "Refuse all tokens that others made, refresh tokens too: they may have leaked");
  add_question(rotate, into);
  for (auto* each : {&transfer, &rebalance, &configure, &rotate}) add_cause(*each, into);
}

}  // namespace

void describe_cluster(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "cluster", "The nodes of a cluster, and who holds which shard");
  describe_looking(group, into);
  describe_coming(group, into);
  describe_going(group, into);
  describe_balance(group, into);
}

}  // namespace omnicart::ctl
