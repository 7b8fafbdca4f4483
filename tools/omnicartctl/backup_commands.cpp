#include "tools/omnicartctl/backup_commands.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "cluster/backup/restore.hpp"
#include "cluster/link/private_file.hpp"
#include "http/provider_ledger.hpp"
#include "runtime/system_ports.hpp"
#include "tools/backup/backup_json.hpp"
#include "tools/backup/ledger_comparison.hpp"
#include "tools/backup/shop_books.hpp"
#include "tools/omnicartctl/backup_report.hpp"
#include "tools/omnicartctl/cluster_commands.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;
using cluster::backup_folder;
using cluster::backup_manifest;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms look_every{200};
constexpr const char* token_keys_name = "tokens.key";  // http/access_token.hpp
constexpr std::size_t token_keys_bytes = 64;
constexpr std::int64_t mib = std::int64_t{1} << 20;

tl::unexpected<failure> failed(const error& why) {
  if (why.is(base_errc::io) || why.is(base_errc::storage_full))
    return fail_with(exit_code::io, why.detail);
  if (why.is(base_errc::unavailable) || why.is(base_errc::in_progress))
    return fail_with(exit_code::unreachable, why.detail);
  return fail_with(exit_code::failed, why.detail);
}

void pause(const surroundings& with) {
  if (with.pause) {
    with.pause(look_every);
  } else {
    std::this_thread::sleep_for(look_every);
  }
}

// Of an object: a member that is missing or of another type is "" or 0.
std::string word_in(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}
std::int64_t number_in(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

std::string progress_of(const json& state) {
  if (word_in(state, "state") == "cutting") return "taking the cut";
  return grouped(number_in(state, "bytes") / mib) + " MiB, " +
         std::to_string(number_in(state, "shards_copied")) + " of " +
         std::to_string(number_in(state, "shards")) + " shards";
}

ending end_of_create(const json& state, const command_line& given, const surroundings& with) {
  const bool made_one = word_in(state, "state") == "done" && state.contains("backup") &&
                        state["backup"].is_object();
  if (!made_one) {
    const auto why = word_in(state, "why");
    return fail_with(
        exit_code::unreachable,
        "no backup was made: " + (why.empty() ? "the node does not say why" : printable(why)));
  }
  if (given.as == form::json) {
    with.out << state.dump(2) << '\n';
    return exit_code::ok;
  }
  const json& made = state["backup"];
  with.out << report_backup(made) << "  new        "
           << grouped(number_in(state, "new_bytes")) << " bytes in " << number_in(state, "took_ms")
           << " ms\n"
           << "  paused     " << number_in(made, "paused_ms") << " ms, try "
           << number_in(made, "tries") << '\n';
  return exit_code::ok;
}

}  // namespace

ending create_backup(const command_line& given, operator_client& node, const surroundings& with) {
  json wish{{"to", given.directory}, {"who", given.who.empty() ? who_is_here() : given.who}};
  if (!given.why.empty()) wish["why"] = given.why;
  if (given.rate_mib) wish["rate_mib_s"] = *given.rate_mib;
  std::string text;
  try {
    text = wish.dump();
  } catch (const json::exception&) {  // only strings from outside can make it throw
    return fail_with(exit_code::usage, "--to, --who and --why must be UTF-8");
  }
  auto body = node.post("/backup", text, answer_within);
  for (;;) {
    if (!body) return tl::unexpected<failure>(body.error());
    const json state = json::parse(*body, nullptr, false);
    const auto at = state.is_object() ? word_in(state, "state") : std::string();
    const bool runs = at == "cutting" || at == "copying";
    if (with.terminal && given.as == form::text)
      with.out << "\r\x1b[K" << (runs ? progress_of(state) : "") << std::flush;
    if (!state.is_object())
      return fail_with(exit_code::unreachable,
                       node.url() + ": an answer that is no state of a backup");
    if (!runs) return end_of_create(state, given, with);
    pause(with);
    body = node.get("/backup", answer_within);
  }
}

// --- without a node
// -------------------------------------------------------------------------------------------

namespace {

// A folder and one of its backups.
struct chosen {
  std::unique_ptr<backup_folder> folder;
  backup_manifest what;
};

result<chosen> choose(const command_line& given) {
  auto folder = backup_folder::open(given.directory, backup_folder::use::read);
  if (!folder) return fail(folder.error());
  const auto id = (*folder)->find(given.backup_id);
  if (!id) return fail(id.error());
  auto what = (*folder)->manifest(*id);
  if (!what) return fail(what.error());
  return chosen{.folder = std::move(*folder), .what = std::move(*what)};
}

cluster::record_visitor into(backup::shop_books& books) {
  return [&books](std::uint16_t, persistence::family which, std::string_view key,
                  std::string_view value) { return books.take(which, key, value); };
}

// The backup as it is; where it has no faults its books are compared as well.
cluster::backup_report check(const chosen& from, backup::shop_books& books) {
  auto found = cluster::check_backup(*from.folder, from.what, into(books));
  if (found.ok() && books.totals() != from.what.totals) {
    found.add("totals", "the records add up to " + cluster::totals_json(books.totals()) +
                            ", the manifest says " + cluster::totals_json(from.what.totals));
  }
  return found;
}

void print_check(const cluster::backup_report& found, const chosen& from, const command_line& given,
                 const surroundings& with) {
  if (given.as == form::json) {
    with.out << check_json(found, given.directory, from.what.id).dump(2) << '\n';
  } else {
    with.out << report_check(found, given.directory, from.what.id);
  }
}

status ask_provider(const std::string& url, backup::ledger_comparison& compared) {
  auto ledger = http::provider_ledger::open(url);
  if (!ledger) return fail(ledger.error());
  return ledger->read([&](const http::provider_ledger::entry& each) {
    compared.take({.kind = each.kind,
                   .order = each.key,
                   .currency = each.currency,
                   .at = each.at,
                   .amount_minor = each.amount,
                   .refund_key = each.refund_key});
  });
}

std::string file_of_unknown(const std::string& data) {
  std::string name = data;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name + ".unknown-payments.json";
}

std::string restored_text(const chosen& from, const command_line& given,
                          const backup::ledger_comparison& compared) {
  return "restored into " + given.data + ": " + report_backup(backup::to_json(from.what)) +
         "  provider   " + grouped(static_cast<std::int64_t>(compared.known())) +
         " entries known, " + grouped(static_cast<std::int64_t>(compared.awaited())) +
         " that their orders will ask for again, " +
         grouped(static_cast<std::int64_t>(compared.unknown().size())) + " unknown, " +
         grouped(static_cast<std::int64_t>(compared.missing().size())) + " missing\n" +
         "Start a node on it without [cluster] peers; then others may join: omnicartctl cluster "
         "join\n";
}

// Whether the provider allows it: nothing unknown and nothing missing, or accepted. What is, is on
// the disk by then.
ending heed_provider(const command_line& given, const backup::ledger_comparison& compared,
                     const surroundings& with) {
  const auto missing = compared.missing().size();
  if (compared.unknown().empty() && missing == 0) return exit_code::ok;
  const auto file = file_of_unknown(given.data);
  auto kept = cluster::write_private_file(file, unknown_json(compared).dump(2) + '\n',
                                          cluster::existing_files::replace);
  if (!kept) return failed(kept.error());
  if (given.as == form::text) with.out << report_unknown(compared) << report_missing(compared);
  if (missing > 0 && !given.accept_missing) {
    return fail_with(
        exit_code::failed,
        given.provider + " has no entry of " + std::to_string(missing) +
            " payments that orders of the backup were paid with, listed in " + file +
            ": another provider, or not its whole ledger. Nothing was restored. Name the right provider; if they "
            "are really gone there, go on with --accept-missing");
  }
  if (compared.unknown().empty() || given.accept_unknown) return exit_code::ok;
  return fail_with(
      exit_code::failed,
      std::to_string(compared.unknown().size()) +
          " payments that the backup does not know, listed in " + file +
          "; nothing was restored. Go on with --accept-unknown, and settle with those customers");
}

}  // namespace

ending list_backups(const command_line& given, const surroundings& with) {
  const auto folder = backup_folder::open(given.directory, backup_folder::use::read);
  if (!folder) return failed(folder.error());
  const auto ids = (*folder)->ids();
  if (!ids) return failed(ids.error());
  auto backups = json::array();
  bool sound = true;
  for (const auto& id : *ids) {
    const auto what = (*folder)->manifest(id);
    sound = sound && what;
    backups.push_back(what ? backup::to_json(*what)
                           : json{{"id", id}, {"damaged", what.error().detail}});
  }
  if (given.as == form::json) {
    with.out << json{{"folder", given.directory}, {"backups", std::move(backups)}}.dump(2) << '\n';
  } else {
    for (const auto& each : backups) {
      with.out << (each.contains("damaged")
                       ? "! " + each["id"].get<std::string>() + ": " +
                             printable(each["damaged"].get<std::string>()) + '\n'
                       : report_backup(each));
    }
    if (backups.empty()) with.out << "no backups in " << given.directory << '\n';
  }
  return sound ? exit_code::ok : exit_code::failed;
}

ending verify_backup(const command_line& given, const surroundings& with) {
  const auto from = choose(given);
  if (!from) return failed(from.error());
  backup::shop_books books;
  const auto found = check(*from, books);
  print_check(found, *from, given, with);
  return found.ok() ? exit_code::ok : exit_code::failed;
}

ending restore_backup(const command_line& given, const surroundings& with) {
  const auto from = choose(given);
  if (!from) return failed(from.error());
  if (auto ready = cluster::check_restorable(given.data); !ready) return failed(ready.error());
  backup::ledger_comparison compared;
  backup::shop_books read(
      [&](const order_id& id, const order::state& what) { compared.add(id, what); });
  if (const auto found = check(*from, read); !found.ok()) {
    print_check(found, *from, given, with);
    return fail_with(exit_code::failed, "the backup is damaged; nothing was restored");
  }
  if (auto asked = ask_provider(given.provider, compared); !asked) return failed(asked.error());
  if (auto allowed = heed_provider(given, compared, with); !allowed) return allowed;
  cluster::restore_plan plan{.data_directory = given.data, .files = {}};
  if (from->what.token_keys.size() == token_keys_bytes)
    plan.files[token_keys_name] = from->what.token_keys;
  const system_clock time;
  backup::shop_books written;
  if (auto done = cluster::restore_backup(*from->folder, from->what, plan, time, into(written));
      !done)
    return failed(done.error());
  if (given.as == form::text) {
    with.out << restored_text(*from, given, compared);
    return exit_code::ok;
  }
  with.out << json{{"data", given.data},
                   {"backup", backup::to_json(from->what)},
                   {"provider", unknown_json(compared)}}
                  .dump(2)
           << '\n';
  return exit_code::ok;
}

}  // namespace omnicart::ctl
