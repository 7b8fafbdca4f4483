#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "actors/cluster/cluster.hpp"
#include "fake_operator.hpp"
#include "http/cluster_routes.hpp"
#include "loopback_server.hpp"

namespace omnicart::ctl::testing {

// A cluster whose record follows its real rules, and whose shards are at once where it wants them,
// unless a test says otherwise.
class fake_desk final : public http::cluster_desk {
 public:
  // n1 alone, then n2 and n3: four shards and the cluster's own group, all on all.
  void found_with(std::size_t nodes) {
    give(cluster_record::found{
        .cluster = std::string(32, 'c'), .first = node_of(1), .shard_count = 4, .keys = {}});
    cluster_record::place all;
    for (cluster_record::node_id id = 2; id <= nodes; ++id) add(id);
    for (std::uint16_t shard = 0; shard <= 4; ++shard) {
      all.shards.push_back({.shard = shard, .voters = {}});
      for (cluster_record::node_id n = 0; n < nodes; ++n)
        all.shards.back().voters.push_back(1 + (n + shard) % nodes);
    }
    give(all);
  }

  http::cluster_report report() override {
    const std::lock_guard guard(mutex_);
    http::cluster_report told{.cluster = record_.cluster,
                              .record_version = version_,
                              .self = 1,
                              .at = now_,
                              .shard_count = record_.shard_count,
                              .settings = record_.settings,
                              .nodes = {},
                              .shards = {},
                              .operations = record_.operations};
    for (const auto* n : living_nodes(record_))
      told.nodes.push_back({.what = *n,
                            .reachable = n->id != silent,
                            .silent_for = std::chrono::seconds(12),
                            .clock_offset = duration_ms{3},
                            .version = "0.1.0",
                            .unfit = n->id == unfit ? why : http::cluster_report::unfitness{}});
    for (std::size_t shard = 0; shard < record_.desired.size(); ++shard) {
      const auto& wanted = record_.desired[shard];
      http::cluster_report::shard s{.number = static_cast<std::uint16_t>(shard),
                                    .term = 7,
                                    .leader = wanted.voters.front(),
                                    .voters = {},
                                    .standbys = {},
                                    .desired = wanted};
      const auto still = voting.find(s.number);
      for (const auto voter : still == voting.end() ? wanted.voters : still->second)
        s.voters.push_back({.node = voter, .lag = 0});
      s.moving = still != voting.end();
      told.shards.push_back(std::move(s));
    }
    return told;
  }
  result<std::vector<http::replica_hash>> hashes() override {
    if (fault) return fail(*fault);
    return std::vector<http::replica_hash>{
        {.shard = 3, .through = 17, .records = 5, .receipts_after = now_, .hash = 0xabc}};
  }
  void found(done_fn done) override {
    done(give(cluster_record::found{
        .cluster = std::string(32, 'c'), .first = node_of(1), .shard_count = 4, .keys = {}}));
  }
  void submit(cluster_record::command what, std::optional<std::uint64_t> version, done_fn done) override {
    if (fault) return done(fail(*fault));
    if (!meanwhile.empty()) {
      give(meanwhile.front(), role::admin);
      meanwhile.pop_front();
    }
    if (version && *version != version_) return done(fail(base_errc::precondition_failed, "the record has changed"));
    if (auto* rotation = std::get_if<cluster_record::rotate_key>(&what)) {
      rotation->key = {.number = record_.keys.size() + 1,
                       .secret = std::string(cluster_record::key_secret_bytes, 'k'),
                       .active_from = now_ + std::chrono::minutes(1),
                       .expires_at = now_ + std::chrono::hours(24)};
    }
    done(give(what, role::admin));
  }

  const cluster_record::record& record() const { return record_; }
  // Another node, which holds nothing yet.
  void add(cluster_record::node_id id) {
    give(cluster_record::join{.who = node_of(id), .by = {.who = "ann@desk", .why = ""}});
    give(cluster_record::ready{id});
  }

  cluster_record::node_id silent = 0;
  cluster_record::node_id unfit = 0;
  http::cluster_report::unfitness why;  // that one is
  // By shard, where Raft's voters are not the wanted ones yet.
  std::map<std::uint16_t, std::vector<cluster_record::node_id>> voting;
  std::optional<error> fault;
  std::deque<cluster_record::command> meanwhile;  // by somebody else, before each command

 private:
  static cluster_record::node node_of(cluster_record::node_id id) {
    const auto digits = std::to_string(id);
    return {.id = id,
            .name = "n" + digits,
            .link = "10.0.0." + digits + ":7000",
            .http = {},
            .operators = {},
            .state = {},
            .since = {}};
  }
  status give(const cluster_record::command& what, role as = role::system) {
    const std::lock_guard guard(mutex_);
    now_ += duration_ms{1'000};
    const context ctx{.now = now_, .command = {}, .asker = {.as = as, .session = {}, .user = {}}};
    auto events = decide(record_, what, ctx);
    if (!events) return fail(std::move(events.error()));
    for (const auto& e : *events) apply(record_, e);
    version_ += events->size();
    return {};
  }

  std::mutex mutex_;
  cluster_record::record record_;
  std::uint64_t version_ = 0;
  timestamp_ms now_{std::chrono::hours(1)};
};

// The real routes on a free loopback port, to bearers of good_token.
class cluster_port {
 public:
  explicit cluster_port(http::cluster_desk* desk) : routes_(desk) {
    routes_.add_to(
        server_.routes(), [](http::cluster_routes::handler what) -> http::cluster_routes::handler {
          return [what](const httplib::Request& in, httplib::Response& out) {
            if (in.get_header_value("Authorization") == std::string("Bearer ") + good_token)
              return what(in, out);
            out.status = 401;
          };
        });
    server_.start();
  }
  std::string url() const { return server_.url(); }

 private:
  http::cluster_routes routes_;
  loopback_server server_;
};

}  // namespace omnicart::ctl::testing
