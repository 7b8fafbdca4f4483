#include "tools/omnicartd/figures.hpp"

#include <string>
#include <utility>

#include "http/catalogue_list.hpp"
#include "http/password_hasher.hpp"
#include "http/payment_gateway.hpp"
#include "http/product_search.hpp"
#include "http/server/server.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/projection_runner.hpp"
#include "persistence/reader_pool.hpp"
#include "persistence/store.hpp"
#include "runtime/router.hpp"
#include "tools/omnicartd/ledger_duty.hpp"
#include "tools/omnicartd/pay_supervisor.hpp"
#include "tools/omnicartd/peers.hpp"

namespace omnicart::node {
namespace {

class figure_list {
 public:
  template <class N>
  void gauge(const char* name, N value, const char* help, std::string labels = {}) {
    all.push_back({std::string("omnicart_") + name, std::move(labels), static_cast<double>(value), "gauge", help});
  }
  template <class N>
  void counter(const char* name, N value, const char* help, std::string labels = {}) {
    all.push_back({std::string("omnicart_") + name, std::move(labels), static_cast<double>(value), "counter", help});
  }
  std::vector<http::figure> all;
};

std::string label(const char* name, const std::string& value) { return std::string("{") + name + "=\"" + value + "\"}"; }

void add_entities(figure_list& out, const router_stats& now) {
  out.gauge("entities_resident", now.residents, "Entities in memory");
  out.gauge("entities_resident_bytes", now.resident_bytes, "Memory of their states and hosts, as they estimate it");
  out.counter("entity_activations_total", now.activations, "Entities taken into memory");
  out.counter("entity_passivations_total", now.passivations, "Entities that left memory");
  out.gauge("mailbox_backlog", now.backlog, "Messages waiting at entities");
  out.gauge("mailbox_deepest", now.deepest, "Most messages waiting at one entity");
  out.counter("messages_refused_total", now.refused, "Messages beyond a limit");
}

// A histogram of powers of two: bucket n holds values below 2^(n+1). `labels`: more of them, `a="b",`.
template <class Buckets>
void add_histogram(figure_list& out, const char* name, const Buckets& buckets, const char* help,
                   const std::string& labels = {}) {
  const auto up_to = [&](const std::string& bound) { return "{" + labels + "le=\"" + bound + "\"}"; };
  std::uint64_t sum = 0;
  for (std::size_t n = 0; n < buckets.size(); ++n) {
    sum += buckets[n];
    out.counter(name, sum, help, up_to(std::to_string((std::uint64_t{1} << (n + 1)) - 1)));
  }
  out.counter(name, sum, help, up_to("+Inf"));
}

void add_journal(figure_list& out, const cluster::journal_stats& now) {
  out.counter("journal_items_total", now.items, "Commands written");
  out.counter("journal_batches_total", now.batches, "Group commits: one sync each");
  out.counter("journal_bytes_total", now.batch_bytes, "Bytes written by them");
  out.gauge("journal_queue_items", now.queue_items, "Commands waiting to be written");
  out.gauge("journal_queue_bytes", now.queue_bytes, "Their bytes");
  out.counter("journal_commit_us_total", now.commit_us_total, "Microseconds spent writing and syncing");
  add_histogram(out, "journal_batch_items_bucket", now.batch_items, "Commands per group commit");
  add_histogram(out, "journal_commit_us_bucket", now.commit_us, "Microseconds per group commit");
}

void add_store(figure_list& out, const persistence::store_stats& now) {
  out.gauge("rocksdb_memtable_bytes", now.memtable_bytes, "Memory of unflushed writes");
  out.gauge("rocksdb_block_cache_bytes", now.block_cache_bytes, "Memory of cached blocks");
  out.gauge("rocksdb_table_reader_bytes", now.table_reader_bytes, "Memory of indexes and filters");
  out.gauge("rocksdb_table_file_bytes", now.table_file_bytes, "Size of the table files");
  out.gauge("rocksdb_wal_bytes", now.wal_bytes, "Size of the write-ahead log");
  out.gauge("rocksdb_pending_compaction_bytes", now.pending_compaction_bytes, "Bytes waiting for compaction");
  out.gauge("rocksdb_running_compactions", now.running_compactions, "Compactions under way");
  out.gauge("rocksdb_running_flushes", now.running_flushes, "Flushes under way");
  out.gauge("rocksdb_write_stopped", now.write_stopped, "1 while writes wait for compaction");
  out.gauge("rocksdb_background_errors", now.background_errors, "Errors of background work");
  for (std::size_t i = 0; i < persistence::family_count; ++i) {
    out.gauge("rocksdb_keys", now.keys[i], "Keys, as estimated",
              label("family", persistence::to_string(static_cast<persistence::family>(i))));
  }
}

void add_projections(figure_list& out, const std::map<std::string, persistence::projection_stats>& all) {
  for (const auto& [name, now] : all) {
    out.gauge("projection_lag_batches", now.lag_batches, "Committed and not yet applied", label("projection", name));
  }
  for (const auto& [name, now] : all) {
    out.counter("projection_queries_total", now.queries, "Queries answered", label("projection", name));
  }
}

// Where lists and searches are answered.
void add_search(figure_list& out, const http::catalogue_list& catalogue, const http::product_search& finder) {
  const std::pair<const char*, http::query_times::figures> kinds[] = {
      {"list", catalogue.times()}, {"search", finder.search_times()}, {"suggest", finder.suggest_times()}};
  for (const auto& [kind, now] : kinds) {
    out.counter("search_queries_total", now.queries, "Lists of products, searches and completions made", label("kind", kind));
  }
  for (const auto& [kind, now] : kinds) {
    out.counter("search_us_total", now.us_total, "Microseconds that making them took", label("kind", kind));
  }
  for (const auto& [kind, now] : kinds) {
    add_histogram(out, "search_us_bucket", now.us, "Microseconds that making one took", std::string("kind=\"") + kind + "\",");
  }
}

void add_payments(figure_list& out, const http::payment_gateway_figures& now) {
  out.gauge("payment_waiting", now.waiting, "Calls to the provider without an answer");
  out.counter("payment_answered_total", now.answered, "Definite answers of the provider");
  out.counter("payment_refused_total", now.refused, "Definite refusals of the provider");
  out.counter("payment_unknown_total", now.unknown, "Calls without a clear answer");
  out.counter("payment_not_sent_total", now.not_sent, "Calls that never left");
}

void add_provider(figure_list& out, const pay_supervisor& provider) {
  if (!provider.started()) return;  // not ours to keep alive
  const auto now = provider.look();
  out.gauge("payment_provider_up", now.up, "1 while the simulated provider runs");
  out.counter("payment_provider_restarts_total", now.restarts, "Times it had ended and was started again");
}

void add_ledger(figure_list& out, const http::ledger_watch::figures& now) {
  out.counter("ledger_entries_total", now.entries, "Entries of the provider's ledger that were compared with the orders here");
  out.counter("ledger_mended_total", now.mended, "Differences found by that and mended");
  out.gauge("ledger_waiting", now.waiting, "Entries to be compared again: their orders are under way, or did not answer; at 10,000 no more are read");
}

void add_shards(figure_list& out, const std::vector<cluster::replica_view>& views) {
  std::uint64_t led = 0, votes = 0, leaderless = 0, behind = 0;
  for (const auto& view : views) {
    led += view.leading && view.serving;
    leaderless += view.leader == cluster::no_node;
    behind += view.last - view.applied;
    votes += view.members.servers.size();
  }
  out.gauge("shards_led", led, "Raft groups that this node leads");
  out.gauge("shards_without_leader", leaderless, "Raft groups whose leader this node does not know");
  out.gauge("shard_members", votes, "Members of all Raft groups, as this node knows them");
  out.gauge("log_entries_unapplied", behind, "Entries of its logs that are not committed and applied here yet");
}

// Connections that ended and dials that failed, by reason: strangers at the door show here first.
void add_endings(figure_list& out, const cluster::link_counts& now) {
  for (std::size_t i = 0; i < cluster::ending_count; ++i) {
    out.counter("link_endings_total", now.endings[i], "Connections to and from nodes that ended, by reason",
                label("reason", cluster::to_string(static_cast<cluster::ending>(i))));
  }
  out.counter("link_bad_handshakes_total", now.bad_handshakes, "Those that ended before they were up");
  out.counter("link_failed_dials_total", now.failed_dials, "Nodes that could not be reached when they were called");
  if (now.certificate_expires_s) {
    out.gauge("link_certificate_expires_seconds", *now.certificate_expires_s,
              "Seconds until this node's certificate ends; negative once it has");
  }
  out.gauge("link_half_open", now.half_open, "Accepted connections whose handshake is not over");
}

// Messages of nodes that nobody took, by reason. `raft`: those that the journal took for unsound.
void add_dropped(figure_list& out, peers& others, std::uint64_t raft) {
  const auto got = others.receiver().counts();
  const auto copies = others.copies().stats();
  const std::pair<const char*, std::uint64_t> reasons[] = {{"malformed_command", got.malformed},
                                                           {"malformed_raft", raft + others.malformed_raft()},
                                                           {"malformed_copy", copies.malformed},
                                                           {"malformed_control", others.others().malformed()},
                                                           {"lost_answer", got.lost_answers},
                                                           {"stray_answer", others.sender().counts().stray},
                                                           {"no_member", others.members().dropped() + copies.strangers}};
  for (const auto& [reason, count] : reasons) {
    out.counter("remote_dropped_total", count, "Messages between nodes that were dropped, by reason", label("reason", reason));
  }
}

void add_peers(figure_list& out, peers& others, const cluster::journal_stats& journal) {
  const auto links = others.link().counts();
  add_endings(out, links);
  // A figure's lines stand together, whatever nodes it is told of.
  const auto of_each = [&](auto add) {
    for (const auto& peer : links.peers) add(peer, label("node", std::to_string(peer.peer)));
  };
  of_each([&](const auto& peer, const auto& of) { out.gauge("link_up", peer.up, "1 while the node is connected", of); });
  of_each([&](const auto& peer, const auto& of) { out.counter("link_connects_total", peer.connects, "Times it came up", of); });
  of_each([&](const auto& peer, const auto& of) { out.counter("link_bytes_in_total", peer.bytes_in, "Bytes received", of); });
  of_each([&](const auto& peer, const auto& of) { out.counter("link_bytes_out_total", peer.bytes_out, "Bytes sent", of); });
  of_each([&](const auto& peer, const auto& of) {
    out.gauge("link_waiting_bytes", peer.waiting_bytes, "Bytes waiting to be sent", of);
  });
  of_each([&](const auto& peer, const auto& of) {
    out.gauge("link_round_trip_us", peer.round_trip_us, "Microseconds of the last heartbeat", of);
  });
  const auto sent = others.sender().counts();
  out.counter("remote_requests_total", sent.requests, "Commands to entities of other nodes");
  out.counter("remote_redirected_total", sent.redirected, "Commands answered by a node that does not lead");
  out.counter("remote_repeated_total", sent.repeated, "Commands sent again because the answer may have been lost");
  out.counter("remote_unknown_total", sent.unknown, "Commands whose outcome stayed unknown");
  out.gauge("remote_waiting", sent.waiting, "Commands without an answer");
  const auto copies = others.copies().stats();
  out.counter("shard_copies_sent_total", copies.sent, "Whole shards that other nodes took from here");
  out.counter("shard_copies_received_total", copies.received, "Whole shards taken from other nodes");
  out.counter("shard_copies_failed_total", copies.failed, "Copies of either that were cut short");
  const auto got = others.receiver().counts();
  out.counter("remote_commands_total", got.commands, "Commands of other nodes");
  out.counter("remote_overloaded_total", got.overloaded, "Commands of other nodes refused beyond the limit");
  add_dropped(out, others, journal.malformed);
}

}  // namespace

std::vector<http::figure> node_figures(const figure_sources& from) {
  figure_list out;
  add_entities(out, from.entities.stats());
  const auto journal = from.log.stats();
  add_journal(out, journal);
  add_shards(out, from.log.views());
  if (from.others) add_peers(out, *from.others, journal);
  add_projections(out, from.projections.stats());
  add_search(out, from.catalogue, from.finder);
  add_store(out, from.data.stats());
  add_payments(out, from.payments.figures());
  add_provider(out, from.provider);
  if (from.ledger) add_ledger(out, from.ledger->figures());
  out.gauge("password_queue", from.passwords.queued(), "Password checks waiting");
  out.gauge("loader_queue", from.readers.queued(), "Reads waiting");
  if (from.front) {
    const auto now = from.front->counts();
    out.gauge("http_connections", now.connections, "Open connections");
    out.gauge("http_in_flight", now.in_flight, "Requests being handled");
    out.counter("http_refused_connections_total", now.refused_connections, "Connections beyond the limit");
    out.counter("http_refused_requests_total", now.refused_requests, "Requests shed for want of room");
  }
  return out.all;
}

std::vector<http::projection_state> projection_states(const persistence::projection_set& all) {
  std::vector<http::projection_state> states;
  for (const auto& [name, stats] : all.stats()) {
    states.push_back({.name = name, .lag_batches = stats.lag_batches, .applied = stats.applied, .queries = stats.queries});
  }
  return states;
}

}  // namespace omnicart::node
