#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* create_footer =
    R"(The node writes it to a folder on its own machine while it serves: the whole shop as it was at one moment. Into a
folder that has backups already only what changed is written. Examples:
  omnicartctl backup create --to /backup/shop
  omnicartctl backup create --to /backup/shop --why "before the update" --rate 200)";

constexpr const char* list_footer =
    R"(Examples:
  omnicartctl backup list /backup/shop
  omnicartctl backup list /backup/shop --json | jq '.backups[-1].id')";

constexpr const char* verify_footer =
    R"(Reads every byte of a backup, decodes every record and adds up the books again. Exit code 1 when something is
damaged; each damaged file is named. Examples:
  omnicartctl backup verify /backup/shop
  omnicartctl backup verify /backup/shop 20260301T120000Z-1f2e3d4c)";

constexpr const char* restore_footer =
    R"(Into the empty data directory of one node, which founds a cluster of its own when it is started; others join it then,
as many as you like. No node of the old cluster may serve any more.
The provider's ledger is asked first. What it captured or refunded and the backup does not know is listed, here and in
DATA.unknown-payments.json, and ends it with exit code 1; with --accept-unknown it goes on. Those customers paid for orders
that are lost: settle with each of them. Payments of the backup that the ledger does not have are listed as missing, and end
it too, unless --accept-missing: the URL most likely names another provider. Examples:
  omnicartctl backup restore /backup/shop --data /srv/shop-new --provider http://pay.internal:9000
  omnicartctl backup restore /backup/shop 20260301T120000Z-1f2e3d4c --data ./n1 --provider http://127.0.0.1:9000 --accept-unknown)";

void add_folder(CLI::App& to, command_line& into) {
  to.add_option("folder", into.directory, "The backup folder")->type_name("DIR")->required();
}
void add_id(CLI::App& to, command_line& into) {
  to.add_option("id", into.backup_id, "Which backup (the newest)")->type_name("ID");
}

}  // namespace

void describe_backup(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "backup", "Backups of the whole shop, made while it serves");
  auto& create = add_verb(group, into, verb::backup_create, "create", "Have the node make a backup",
                          create_footer);
  create
      .add_option("--to", into.directory,
                  "The backup folder on the node's machine, an absolute path")
      ->type_name("DIR")
      ->required();
  create
      .add_option("--rate", into.rate_mib,
                  "MiB a second that are copied at most (64); 0: as fast as it goes")
      ->type_name("N")
      ->check(CLI::Range(0, 100'000));
  create.add_option("--why", into.why, "A line that is kept with the backup")->type_name("TEXT");
  create.add_option("--who", into.who, "Who does it (USER@HOST of this terminal)")
      ->type_name("NAME");
  add_folder(
      add_verb(group, into, verb::backup_list, "list", "The backups in a folder", list_footer),
      into);
  auto& verify = add_verb(group, into, verb::backup_verify, "verify",
                          "Say whether a backup is sound, and what not", verify_footer);
  add_folder(verify, into);
  add_id(verify, into);
  auto& restore = add_verb(group, into, verb::backup_restore, "restore",
                           "Fill a node's empty data directory with a backup", restore_footer);
  add_folder(restore, into);
  add_id(restore, into);
  restore.add_option("--data", into.data, "The node's data directory: empty, or made")
      ->type_name("DIR")
      ->required();
  restore.add_option("--provider", into.provider, "The payment provider, whose ledger is compared")
      ->type_name("URL")
      ->required();
  restore.add_flag("--accept-unknown", into.accept_unknown,
                   "Although payments are listed that the backup does not know");
  restore.add_flag("--accept-missing", into.accept_missing,
                   "Although the provider does not have payments that the backup knows");
}

}  // namespace omnicart::ctl
