#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* create_footer =
    R"(The key is printed once and kept nowhere: the shop has only a digest of it. A machine sends it as
"Authorization: Bearer KEY". It may make the calls of its role that one of its scopes covers; docs/access.md names
the scope of every call. Examples:
  omnicartctl keys create --name warehouse --role support --scope orders:read --scope stock:read
  omnicartctl keys create --name importer --role admin --scope catalogue:write --ttl 720h)";

constexpr const char* list_footer =
    R"(Examples:
  omnicartctl keys list
  omnicartctl keys list --json | jq -r '.items[] | select(.role == "admin").id')";

constexpr const char* revoke_footer =
    R"(The next request with it is refused, on every node. Example:
  omnicartctl keys revoke 01j8x0c2m4v6y8a0c2e4g6j8k0)";

constexpr const char* audit_list_footer =
    R"(What staff and operators did, oldest first: when, who, what, by which request, and how it ended. Examples:
  omnicartctl audit list --limit 20
  omnicartctl audit list --json | jq -r '.items[] | select(.credential == "operator").what')";

constexpr const char* audit_verify_footer =
    R"(Every entry has a digest of itself and of the one before it. Exit code 1 when an entry was changed, put in or
left out. Whoever can write the store could still write the whole log anew, or cut off its end: note the head now and
then where they cannot write, and let --expect compare. Examples:
  omnicartctl audit verify
  omnicartctl audit verify --expect 1204:8d1f…)";

void describe_keys(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "keys", "Keys that machines use in place of a session");
  auto& create =
      add_verb(group, into, verb::keys_create, "create", "Make a key and print it", create_footer);
  create.add_option("--name", into.name, "What it is for")->type_name("NAME")->required();
  create.add_option("--role", into.role, "What it may do at most")
      ->type_name("ROLE")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"support", "admin"}));
  create.add_option("--scope", into.scopes, "A kind of calls it is good for; may be repeated")
      ->type_name("RESOURCE:read|write")
      ->required();
  create
      .add_option_function<std::string>(
          "--ttl",
          [&into](const std::string& text) { into.ttl = duration_or_throw("--ttl", text); },
          "How long it is good for; without it until it is revoked")
      ->type_name("SPAN");
  add_verb(group, into, verb::keys_list, "list", "The keys there are", list_footer);
  add_verb(group, into, verb::keys_revoke, "revoke", "End a key", revoke_footer)
      .add_option("id", into.target, "The key's id")
      ->type_name("ID")
      ->required();
}

void describe_audit(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "audit", "The log of what staff and operators did");
  add_verb(group, into, verb::audit_list, "list", "Show the log", audit_list_footer)
      .add_option("--limit", into.limit, "Entries to show at most")
      ->type_name("N");
  add_verb(group, into, verb::audit_verify, "verify", "Say whether the log is as it was written",
           audit_verify_footer)
      .add_option("--expect", into.expect, "An entry's number and digest, as verified before")
      ->type_name("N:DIGEST");
}

}  // namespace

void describe_security(CLI::App& app, command_line& into) {
  describe_keys(app, into);
  describe_audit(app, into);
}

}  // namespace omnicart::ctl
