#include "tools/omnicartctl/command_line.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>

#include "runtime/base/version.hpp"
#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* program_footer =
    R"(Options of the program may stand before or after the command. Each command explains itself:
  omnicartctl laws --help

The operator's token lies in the node's data directory, readable by its owner only:
  omnicartctl --token-file /srv/shop/operator.token status

Exit codes: 0 fine; 1 a law or check failed, or no such record; 64 wrong usage; 69 the node does not answer;
74 a file could not be read or written; 77 the token was refused.)";

constexpr const char* status_footer =
    R"(The first line says whether the node serves; lines with "!" say what is wrong and what to do.
Exit code 1 when the node refuses work. Examples:
  omnicartctl status
  omnicartctl status --json | jq .read_only)";

constexpr const char* entity_footer =
    R"(Kinds: cart, session, user, email, order, product, stock. Examples:
  omnicartctl entity show stock/sample-00001
  omnicartctl entity show order/4f1c… --history            who did what, and when
  omnicartctl entity show product/sample-00001 --at 2026-03-01T12:00:00Z)";

constexpr const char* laws_footer =
    R"(A law across entities holds only when no order is under way: --wait gives them time to end.
Exit code 1 when one is broken. Examples:
  omnicartctl laws --wait 30s
  omnicartctl laws --wait 2m --json | jq .figures)";

constexpr const char* token_footer =
    R"(The token is all that is printed, so that a script can take it. Examples:
  TOKEN=$(omnicartctl token issue --role admin)
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/orders
  omnicartctl token issue --role support --ttl 30m)";

constexpr const char* user_footer =
    R"(The password is asked for on the terminal, or is the first line of standard input, or of --password-file.
It is never an argument: those can be read by everyone on the machine. Examples:
  omnicartctl user create --email ann@shop.example --role admin --name "Ann"
  pass show shop/ann | omnicartctl user create --email ann@shop.example --role support)";

constexpr const char* user_export_footer =
    R"(The account with its addresses, and its sessions, carts, orders and reviews, also of the guests that count as the user:
what GET /api/users/profile/export gives the user. It is written down in the audit log. Examples:
  omnicartctl user export ann@shop.example > ann.json
  omnicartctl user export 01j8x0c2m4v6y8a0c2e4g6j8k0 | jq '.orders | length')";

constexpr const char* user_erase_footer =
    R"(Ends the sessions and destroys profile, address and the keys that the personal data in orders and reviews are encrypted
with. The orders stay, and nobody can read whose they were: ship, or cancel, what is under way first. The guest of an order
is erased by --order. Who registered as that guest is refused; who signed in to an account as that guest is not told apart,
and the account, too, loses what was ordered there. Who, when and why stand in the audit log for ever: do not name the person
there. Examples:
  omnicartctl user erase ann@shop.example --reason "asked by letter of 2 March"
  omnicartctl user erase --order 4f1c… --reason "ticket 1204" --yes)";

constexpr const char* verify_footer =
    R"(Reads every byte of a store that no node has open, and of the simulated provider's ledger in DIR/pay, and changes
nothing. Exit code 1 when something is wrong.
A running node's directory is refused: stop the node, or verify a copy. Examples:
  omnicartctl store verify ./data/dev
  omnicartctl store verify /backup/monday --json | jq .problems)";

constexpr const char* cert_init_footer =
    R"(Makes ca.crt and ca.key in a folder, readable by you only. Keep ca.key where no node is: whoever has it can
make a node. It prints the name that every node of the cluster needs in its configuration. Examples:
  omnicartctl cert init ./certs
  omnicartctl cert init ./certs --cluster berlin-1)";

constexpr const char* cert_node_footer =
    R"(Makes node-N.crt and node-N.key beside the authority's files. A node is given these two and ca.crt, never ca.key.
To renew them, make them again with --force and copy them over the old ones. They end no later than the authority's.
Nodes on one machine that listen on loopback only can do without.
Examples:
  omnicartctl cert node ./certs --id 1
  omnicartctl cert node ./certs --id 2 --host shop-2.example --host 10.0.0.2)";

constexpr const char* completion_footer =
    R"(Prints a script for your shell. To have it in every new one:
  omnicartctl completion bash > ~/.local/share/bash-completion/completions/omnicartctl
  omnicartctl completion zsh  > "${fpath[1]}/_omnicartctl"
  omnicartctl completion fish > ~/.config/fish/completions/omnicartctl.fish)";

void take_entity(command_line& into, const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size())
    throw CLI::ValidationError("KIND/ID", "\"" + text + "\" names no entity; write cart/ID");
  into.entity_kind = text.substr(0, slash);
  into.entity_id = text.substr(slash + 1);
}

void take_time(command_line& into, const std::string& text) {
  const auto parsed = parse_rfc3339(text);
  if (!parsed) {
    throw CLI::ValidationError("--at", "\"" + text + "\" is no time; write 2026-03-01T12:00:00Z");
  }
  into.at = to_rfc3339(*parsed);
}

void describe_entity(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "entity", "Look at one entity");
  auto& show = add_verb(group, into, verb::entity_show, "show",
                        "Print an entity's state, as it is or was, or its events", entity_footer);
  show.add_option_function<std::string>(
          "entity", [&into](const std::string& text) { take_entity(into, text); },
          "Which entity: cart/ID, stock/ID, …")
      ->type_name("KIND/ID")
      ->required();
  auto* const history =
      show.add_flag("--history", into.history, "Its events instead of its state, one a line");
  show.add_option_function<std::string>(
          "--at", [&into](const std::string& text) { take_time(into, text); },
          "The state as it was at this time (RFC 3339)")
      ->type_name("TIME")
      ->excludes(history);
  show.add_option("--limit", into.limit, "With --history: at most so many events, oldest first")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->needs(history);
}

void describe_laws(CLI::App& app, command_line& into) {
  auto& laws = add_verb(app, into, verb::laws, "laws",
                        "Check the books: stock, orders and payments must agree", laws_footer);
  laws.add_option_function<std::string>(
          "--wait",
          [&into](const std::string& text) { into.wait = duration_or_throw("--wait", text); },
          "Let what is under way end first, at most so long (up to 10m)")
      ->type_name("SPAN");
}

void add_role(CLI::App& to, command_line& into, std::vector<std::string> roles) {
  to.add_option("--role", into.role, "What the bearer may do")
      ->type_name("ROLE")
      ->required()
      ->check(CLI::IsMember(std::move(roles)));
}

void describe_token(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "token", "Access tokens of the shop's HTTP API");
  auto& issue =
      add_verb(group, into, verb::token_issue, "issue", "Print a fresh access token", token_footer);
  add_role(issue, into, {"support", "admin"});
  issue
      .add_option_function<std::string>(
          "--ttl",
          [&into](const std::string& text) {
            into.ttl = duration_or_throw("--ttl", text);
            if (*into.ttl < std::chrono::seconds(1))
              throw CLI::ValidationError("--ttl", "must be at least one second");
          },
          "How long it is good for; without it the node's own choice")
      ->type_name("SPAN");
}

void describe_user(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "user", "Accounts of people, and what is kept of them");
  auto& create = add_verb(group, into, verb::user_create, "create",
                          "Make an account, staff included", user_footer);
  create.add_option("--email", into.email, "The address they log in with")
      ->type_name("E-MAIL")
      ->required();
  add_role(create, into, {"shopper", "support", "admin"});
  create.add_option("--name", into.name, "How they are called")->type_name("NAME");
  create
      .add_option("--password-file", into.password_file, "The password is this file's first line")
      ->type_name("FILE");
  add_verb(group, into, verb::user_export, "export", "Print all that is known of a user",
           user_export_footer)
      .add_option("user", into.target, "Which user: the id, or the address")
      ->type_name("ID|E-MAIL")
      ->required();
  auto& erase = add_verb(group, into, verb::user_erase, "erase",
                         "Make unreadable who somebody was, for good", user_erase_footer);
  auto* const user = erase.add_option("user", into.target, "Which user: the id, or the address")
                         ->type_name("ID|E-MAIL");
  erase.add_option("--order", into.order, "In place of a user: the guest who placed this order")
      ->type_name("ID")
      ->excludes(user);
  erase.add_option("--reason", into.why, "Why, for the audit log, which keeps it for ever")
      ->type_name("TEXT")
      ->required();
  erase.add_option("--who", into.who, "Who does it (USER@HOST)")->type_name("NAME");
  erase.add_flag("--yes", into.yes, "Do not ask");
}

void add_cert_options(CLI::App& to, command_line& into) {
  to.add_option("directory", into.directory, "The folder of the cluster's certificates")
      ->type_name("DIR")
      ->required();
  to.add_option("--days", into.days, "For how many days it is good")
      ->type_name("N")
      ->check(CLI::Range(1, 36'500));
  to.add_flag("--force", into.force, "Replace the files that are there");
}

void describe_cert(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "cert", "Certificates of the nodes of a cluster");
  auto& init = add_verb(group, into, verb::cert_init, "init", "Make a cluster's own authority",
                        cert_init_footer);
  add_cert_options(init, into);
  init.add_option("--cluster", into.cluster, "What the cluster is called: a-z, 0-9, - (random)")
      ->type_name("NAME");
  auto& node = add_verb(group, into, verb::cert_node, "node", "Make the certificate of one node",
                        cert_node_footer);
  add_cert_options(node, into);
  node.add_option_function<std::string>(
          "--id",
          [&into](const std::string& text) { into.node = node_number_or_throw("--id", text); },
          "The node's number, never given twice")
      ->type_name("N")
      ->required();
  node.add_option("--host", into.hosts, "A name or address of it; may be given again")
      ->type_name("HOST")
      ->allow_extra_args(false);
}

void describe_rest(CLI::App& app, command_line& into) {
  auto& store = add_group(app, "store", "A data directory on this machine, without a node");
  add_verb(store, into, verb::store_verify, "verify", "Say whether a store is sound, and what not",
           verify_footer)
      .add_option("directory", into.directory, "The node's data directory")
      ->type_name("DIR")
      ->required();
  add_verb(app, into, verb::completion, "completion", "Print a completion script for a shell",
           completion_footer)
      .add_option("shell", into.shell, "bash, zsh or fish")
      ->type_name("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

// Throws what CLI11 does for anything missing, unless a whole command was given.
void want_whole_command(const CLI::App& app) {
  const auto has_children = [](const CLI::App* each) {
    return !each->get_subcommands([](const CLI::App*) { return true; }).empty();
  };
  const auto given = app.get_subcommands();
  if (!given.empty())
    return has_children(given.front()) ? want_whole_command(*given.front()) : void();
  std::string choice;
  for (const auto* each : app.get_subcommands([](const CLI::App*) { return true; }))
    choice += (choice.empty() ? "" : ", ") + each->get_name();
  throw CLI::RequiredError(app.get_name() + " wants a command: " + choice,
                           CLI::ExitCodes::RequiredError);
}

}  // namespace

void describe_command_line(CLI::App& app, command_line& into) {
  app.name("omnicartctl");
  app.description("Looks at an OmniCart node and looks after it.");
  // Not "exactly one": then a misspelt command would only be said to be missing.
  app.require_subcommand(0, 1);
  // Inherited by what is added from here on: an option a command does not know is the program's.
  app.fallthrough();
  app.add_option("--operator", into.operator_url, "The node's operator port")
      ->type_name("URL")
      ->capture_default_str()
      ->take_last();
  app.add_option("--token-file", into.token_file,
                 std::string("File that holds the operator's token (default ") +
                     default_token_file + " if it exists)")
      ->type_name("FILE")
      ->take_last();
  app.add_flag_callback(
      "--json", [&into] { into.as = form::json; }, "Print JSON, for programs");
  app.set_version_flag("--version", version_text());
  app.footer(program_footer);

  add_verb(app, into, verb::status, "status", "How the node is, at a glance", status_footer);
  describe_entity(app, into);
  describe_laws(app, into);
  describe_token(app, into);
  describe_user(app, into);
  describe_orders(app, into);
  describe_catalogue(app, into);
  describe_locations(app, into);
  describe_cluster(app, into);
  describe_security(app, into);
  describe_backup(app, into);
  describe_cert(app, into);
  describe_rest(app, into);
}

std::variant<command_line, early_end> parse_command_line(
    const std::vector<std::string>& arguments) {
  command_line into;
  CLI::App app;
  describe_command_line(app, into);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    want_whole_command(app);
  } catch (const CLI::ParseError& end) {
    std::ostringstream out, err;
    if (app.exit(end, out, err) == 0) return early_end{.code = exit_code::ok, .text = out.str()};
    return early_end{.code = exit_code::usage,
                     .text = std::string("omnicartctl: ") + end.what() +
                             " (--help after any command explains it)\n"};
  }
  return into;
}

}  // namespace omnicart::ctl
