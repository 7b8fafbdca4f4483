#include "tools/omnicartd/backups.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "runtime/base/version.hpp"
#include "tools/backup/backup_json.hpp"
#include "tools/backup/shop_books.hpp"

namespace omnicart::node {
namespace {

using phase = cluster::backup_state::phase;

struct accountant final : cluster::backup_maker::accountant {
  status take(persistence::family which, std::string_view key, std::string_view value) override {
    return books.take(which, key, value);
  }
  cluster::cut_totals totals() override { return books.totals(); }
  backup::shop_books books;
};

const char* name_of(phase at) {
  switch (at) {
    case phase::idle:
      return "idle";
    case phase::cutting:
      return "cutting";
    case phase::copying:
      return "copying";
    case phase::done:
      return "done";
    case phase::failed:
      return "failed";
  }
  return "";
}

}  // namespace

backups::backups(parts with) : with_(with), maker_(wiring()) {
  if (with_.others) with_.others->attach(&maker_);
}

cluster::backup_maker::parts backups::wiring() {
  return {.data = with_.data,
          .time = with_.time,
          .draw = [this] { return with_.ids.next().low | 1; },
          .nodes =
              [this] {
                auto nodes = with_.others ? with_.others->up() : std::vector<node_id>();
                nodes.push_back(with_.self);
                return nodes;
              },
          .send = [this](node_id to, const cluster::cut_order& what) { order(to, what); },
          .ready = [this] { return ready(); },
          .books = [] { return std::make_unique<accountant>(); },
          .describe = [this](cluster::backup_manifest& what) { describe(what); }};
}

void backups::stop() {
  if (with_.others) with_.others->attach(static_cast<cluster::backup_maker*>(nullptr));
  maker_.stop();
}

void backups::order(node_id to, const cluster::cut_order& what) {
  if (to != with_.self) return with_.others->others().send(to, what);
  with_.log.obey(
      what, [this](const cluster::cut_report& report) { maker_.reported(with_.self, report); });
}

// A backup is copied from this node's own store, which must have all shards.
status backups::ready() const {
  for (const auto& view : with_.log.views()) {
    if (view.shard >= with_.data.shard_count()) continue;
    if (view.members.servers.empty()) {
      return fail(base_errc::unavailable,
                  "this node belongs to no cluster yet, or has not heard of shard " +
                      std::to_string(view.shard) + "; ask another one");
    }
    if (!view.whole) {
      return fail(base_errc::unavailable,
                  "shard " + std::to_string(view.shard) +
                      " is being copied to this node; try again later, or ask another one");
    }
  }
  return {};
}

void backups::describe(cluster::backup_manifest& what) const {
  const auto record = with_.members.record();
  what.cluster = record->cluster;
  what.node = with_.self;
  what.version = version_text();
  const auto* key = cluster_record::key_to_sign(*record, with_.time.wall());
  if (!key && !record->keys.empty()) key = &record->keys.back();
  if (key) what.token_keys = key->secret;
}

status backups::begin(wish what) {
  return maker_.begin({.directory = std::move(what.directory),
                       .by = std::move(what.who),
                       .why = std::move(what.why),
                       .rate_bytes_max = what.rate_bytes_max});
}

std::string backups::look() {
  const auto now = maker_.look();
  nlohmann::ordered_json out{{"state", name_of(now.at)}};
  if (now.at == phase::idle) return out.dump();
  out["to"] = now.directory;
  out["shards"] = now.shards;
  out["shards_copied"] = now.shards_copied;
  out["bytes"] = now.copied.bytes;
  out["new_bytes"] = now.copied.new_bytes;
  if (now.why)
    out["why"] = now.why->detail.empty() ? to_string(static_cast<base_errc>(now.why->number))
                                         : now.why->detail;
  if (now.made) out["backup"] = backup::to_json(*now.made);
  if (now.at == phase::done || now.at == phase::failed) out["took_ms"] = now.took.count();
  return out.dump();
}

}  // namespace omnicart::node
