#include "config/fields.hpp"

#include <array>

namespace omnicart::config {
namespace {

template <auto Section, auto Member>
target at(options& all) {
  return &(all.*Section.*Member);
}

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t text_most = 4'096;
constexpr auto on_reload = change::on_reload;

using o = options;
using node = node_options;
using http = http_options;
using clu = cluster_options;
using lim = limit_options;
using mem = memory_options;
using sto = storage_options;
using ses = session_options;
using pas = password_options;
using rat = rate_limit_options;
using pay = payment_options;

// clang-format off
constexpr std::array table{
    field{"node", "data", at<&o::node, &node::data>, "path", 0, text_most, "", change::on_start,
          "directory of the store; `--data` says it for one run. There is no default: a shop's books have a chosen place"},
    field{"node", "shard_count", at<&o::node, &node::shard_count>, "shards", 1, 1'024, "", change::on_creation,
          "parts the entities are spread over; fixed in the data directory when it is made. 64 leaves room for 20 nodes with three copies each"},
    field{"node", "http_threads", at<&o::node, &node::http_threads>, "threads", 0, 256, "", change::on_start,
          "threads that serve connections, each with its own event loop; 0: one per core"},
    field{"node", "worker_threads", at<&o::node, &node::worker_threads>, "threads", 0, 256, "", change::on_start,
          "threads that run entities; 0: one for two cores"},
    field{"node", "loader_threads", at<&o::node, &node::loader_threads>, "threads", 1, 64, "", change::on_start,
          "threads that read entities from disk; reads wait for the disk, so two do even on one core"},
    field{"node", "password_workers", at<&o::node, &node::password_workers>, "threads", 1, 64, "", change::on_start,
          "threads that hash passwords; each takes a core for tens of milliseconds, so one leaves the rest to the shop"},
    field{"node", "drain_timeout_s", at<&o::node, &node::drain_timeout_s>, "s", 0, 600, "", change::on_start,
          "how long SIGTERM waits for accepted requests before connections are cut"},

    field{"shop", "currency", at<&o::shop, &shop_options::currency>, "ISO 4217", 3, 3, "", change::on_start,
          "currency of decimal prices and of an empty cart; money with its code named keeps that"},

    field{"http", "address", at<&o::http, &http::address>, "", 1, 253, "", change::on_start,
          "address that shoppers' requests arrive at; loopback until somebody decides otherwise"},
    field{"http", "port", at<&o::http, &http::port>, "", 0, 65'535, "", change::on_start,
          "its TCP port; 0 takes a free one, named in the line `ready`"},
    field{"http", "tls_cert", at<&o::http, &http::tls_cert>, "path", 0, text_most, "", change::on_start,
          "certificate chain in PEM; with `tls_key` it turns TLS on"},
    field{"http", "tls_key", at<&o::http, &http::tls_key>, "path", 0, text_most, "", change::on_start,
          "private key in PEM, readable by this user alone"},
    field{"http", "uri_bytes_max", at<&o::http, &http::uri_bytes_max>, "bytes", 512, 65'536, "", on_reload,
          "longer request targets answer 414; RFC 9110 section 4.1 asks for at least 8,000"},
    field{"http", "header_bytes_max", at<&o::http, &http::header_bytes_max>, "bytes", 1'024, 262'144, "", on_reload,
          "longer header sections answer 431; browsers with cookies stay below 16 KiB"},
    field{"http", "body_bytes_max", at<&o::http, &http::body_bytes_max>, "bytes", 1'024, 67'108'864, "", on_reload,
          "longer bodies answer 413, unless a call states a limit of its own; 500 items of a cart need 60 KiB"},
    field{"http", "header_timeout_ms", at<&o::http, &http::header_timeout_ms>, "ms", 100, 600'000, "", on_reload,
          "a connection that has not sent a whole header section after this is closed, with 408 once it has begun: silent and byte-by-byte senders hold nothing for long"},
    field{"http", "idle_timeout_ms", at<&o::http, &http::idle_timeout_ms>, "ms", 100, 3'600'000, "", on_reload,
          "a kept connection without a request is closed after this"},
    field{"http", "body_bytes_per_s_min", at<&o::http, &http::body_bytes_per_s_min>, "bytes/s", 1, 1'048'576, "", on_reload,
          "a body that arrives slower than this answers 408; 1 KiB/s is below the worst mobile link"},
    field{"http", "write_timeout_ms", at<&o::http, &http::write_timeout_ms>, "ms", 100, 600'000, "", on_reload,
          "a reader that takes nothing for this long is cut off"},
    field{"http", "connections_max", at<&o::http, &http::connections_max>, "connections", 1, 1'000'000, "", on_reload,
          "connections beyond it are answered 503 and closed (over TLS 32 at a time, since each takes a handshake, and the others are only closed); about 10 KB each. Fewer where the hard limit on open files is below it: 1,024 stay for the store"},
    field{"http", "in_flight_max", at<&o::http, &http::in_flight_max>, "requests", 1, 1'000'000, "", on_reload,
          "requests being answered at once; beyond it 503, so that accepted ones keep their latency"},
    field{"http", "cors_allow", at<&o::http, &http::cors_allow>, "origins", 0, 100, "", change::on_start,
          "web origins whose scripts may read answers (`https://shop.example`); none by default"},
    field{"http", "trusted_proxies", at<&o::http, &http::trusted_proxies>, "addresses", 0, 100, "", change::on_start,
          "proxies in front of the node, as addresses or networks (`10.0.0.0/8`): of a request from one of them the client's address is what they say, for limits and log. None by default: anybody can write such a field"},
    field{"http", "client_field", at<&o::http, &http::client_field>, "", 0, 16, "x-forwarded-for|forwarded", change::on_start,
          "the field in which these proxies name the client; they must set it themselves, and the rightmost address that is not theirs counts"},

    field{"operator", "address", at<&o::operators, &operator_options::address>, "", 1, 253, "", change::on_start,
          "address of health, metrics and inspection; guarded by a token, and still best kept on loopback"},
    field{"operator", "port", at<&o::operators, &operator_options::port>, "", 0, 65'535, "", change::on_start,
          "its TCP port; 0 takes a free one"},

    field{"cluster", "node", at<&o::cluster, &clu::node>, "", 1, 65'535, "", change::on_creation,
          "number of this node; never given twice, not even to the successor of a node that lost its disk"},
    field{"cluster", "name", at<&o::cluster, &clu::name>, "", 1, 64, "", change::on_start,
          "name of the cluster; nodes of differently named clusters, and their certificates, do not talk to each other"},
    field{"cluster", "address", at<&o::cluster, &clu::address>, "", 1, 253, "", change::on_start,
          "address that the other nodes' links arrive at; without certificates it must be a loopback address"},
    field{"cluster", "port", at<&o::cluster, &clu::port>, "", -1, 65'535, "", change::on_start,
          "TCP port of the link to other nodes; -1: none, the node stays alone; 0 takes a free one"},
    field{"cluster", "advertise", at<&o::cluster, &clu::advertise>, "HOST:PORT", 0, 260, "", change::on_start,
          "where the other nodes find this one; empty: `address` and `port`"},
    field{"cluster", "peers", at<&o::cluster, &clu::peers>, "ID@HOST:PORT", 0, 100, "", change::on_start,
          "some members of the cluster that this node belongs to or is to join, `1@10.0.0.1:7400`. Empty: a node without data founds a cluster of its own"},
    field{"cluster", "authority", at<&o::cluster, &clu::authority>, "path", 0, text_most, "", change::on_start,
          "certificate of the cluster's own authority in PEM (`omnicartctl cert init`); with the next two it turns TLS on, read again on SIGHUP"},
    field{"cluster", "certificate", at<&o::cluster, &clu::certificate>, "path", 0, text_most, "", change::on_start,
          "this node's certificate in PEM (`omnicartctl cert node`)"},
    field{"cluster", "private_key", at<&o::cluster, &clu::private_key>, "path", 0, text_most, "", change::on_start,
          "its private key in PEM, readable by this user alone"},
    field{"cluster", "election_timeout_ms", at<&o::cluster, &clu::election_timeout_ms>, "ms", 50, 60'000, "", change::on_start,
          "a shard whose leader is silent this long, up to twice it, elects another; the same on all nodes"},
    field{"cluster", "heartbeat_ms", at<&o::cluster, &clu::heartbeat_ms>, "ms", 5, 10'000, "", change::on_start,
          "how often a leader is heard at least; a fifth of the election timeout or less lets some be late"},

    field{"limits", "entity_mailbox_max", at<&o::limits, &lim::entity_mailbox_max>, "messages", 16, 1'000'000, "", on_reload,
          "messages that may wait for one entity; beyond it 503. Holds a rush of some thousand buyers on one product"},
    field{"limits", "shard_in_flight_max", at<&o::limits, &lim::shard_in_flight_max>, "messages", 16, 1'000'000, "", on_reload,
          "messages under way in one shard; beyond it 503"},
    field{"limits", "loader_queue_max", at<&o::limits, &lim::loader_queue_max>, "entities", 16, 1'000'000, "", change::on_start,
          "entities that may wait to be read from disk; beyond it 503"},
    field{"limits", "password_queue_max", at<&o::limits, &lim::password_queue_max>, "passwords", 1, 10'000, "", change::on_start,
          "passwords that may wait to be hashed; 64 are about two seconds of one worker, longer nobody waits"},
    field{"limits", "provider_queue_max", at<&o::limits, &lim::provider_queue_max>, "calls", 1, 1'000'000, "", change::on_start,
          "calls that may wait for the payment provider; beyond it orders retry later by themselves"},

    field{"memory", "entity_budget_mib", at<&o::memory, &mem::entity_budget_mib>, "MiB", 16, 1'048'576, "", on_reload,
          "memory of active entities; beyond it the longest idle go to rest. 512 MiB are 200,000 carts of five lines"},
    field{"memory", "block_cache_mib", at<&o::memory, &mem::block_cache_mib>, "MiB", 8, 1'048'576, "", change::on_start,
          "the store's cache of read blocks"},
    field{"memory", "memtables_mib", at<&o::memory, &mem::memtables_mib>, "MiB", 16, 65'536, "", change::on_start,
          "writes held in memory before they are sorted to disk"},
    field{"memory", "idle_passivation_s", at<&o::memory, &mem::idle_passivation_s>, "s", 1, 86'400, "", on_reload,
          "an entity that nobody spoke to for this long goes to rest"},

    field{"storage", "min_free_mib", at<&o::storage, &sto::min_free_mib>, "MiB", 16, 1'048'576, "", change::on_start,
          "with less disk left the node only reads, so that it never fails half way through a write"},
    field{"storage", "wal_mib_max", at<&o::storage, &sto::wal_mib_max>, "MiB", 16, 16'384, "", change::on_start,
          "write-ahead log kept before it is flushed; what a restart reads, so it bounds the time of one"},
    field{"storage", "receipts_max", at<&o::storage, &sto::receipts_max>, "receipts", 1'000, 10'000'000'000, "", change::on_start,
          "proofs of executed commands with a client's key kept (72 h each); a full store refuses new work, it never forgets early"},
    field{"storage", "commit_batch_bytes_max", at<&o::storage, &sto::commit_batch_bytes_max>, "bytes", 4'096, 268'435'456, "", change::on_start,
          "most bytes of one synced write; more gains nothing and makes the first wait"},
    field{"storage", "commit_batch_items_max", at<&o::storage, &sto::commit_batch_items_max>, "commands", 1, 1'000'000, "", change::on_start,
          "most commands of one synced write; batches of 1,024 already cost a fortieth of single ones"},

    field{"sessions", "access_token_ttl_s", at<&o::sessions, &ses::access_token_ttl_s>, "s", 30, 3'600, "", change::on_start,
          "life of an access token; short, since clients renew it with the refresh token"},
    field{"sessions", "refresh_ttl_s", at<&o::sessions, &ses::refresh_ttl_s>, "s", 300, 365 * day_s, "", change::on_start,
          "how long a user's session lives without being used"},
    field{"sessions", "guest_ttl_s", at<&o::sessions, &ses::guest_ttl_s>, "s", 300, 365 * day_s, "", change::on_start,
          "how long a guest's session lives without being refreshed, and a guest's cart without being changed; then they are removed"},

    field{"passwords", "memory_kib", at<&o::passwords, &pas::memory_kib>, "KiB", 19'456, 1'048'576, "", change::on_start,
          "memory of one Argon2id hash; 19 MiB is the least OWASP names (with 2 iterations, 1 lane)"},
    field{"passwords", "iterations", at<&o::passwords, &pas::iterations>, "passes", 2, 64, "", change::on_start,
          "passes of one Argon2id hash; 2 is the least OWASP names for 19 MiB"},
    field{"passwords", "slow_after_account", at<&o::passwords, &pas::slow_after_account>, "attempts", 1, 1'000, "", on_reload,
          "wrong passwords for one account before further ones must wait"},
    field{"passwords", "slow_after_address", at<&o::passwords, &pas::slow_after_address>, "attempts", 1, 100'000, "", on_reload,
          "wrong passwords from one address before further ones must wait; offices share an address"},
    field{"passwords", "slow_base_ms", at<&o::passwords, &pas::slow_base_ms>, "ms", 1, 60'000, "", on_reload,
          "first wait; it doubles with each further wrong password"},
    field{"passwords", "slow_max_ms", at<&o::passwords, &pas::slow_max_ms>, "ms", 1, 3'600'000, "", on_reload,
          "longest wait: slows a guesser to a thousand tries a day and never locks an owner out"},
    field{"passwords", "slow_forget_s", at<&o::passwords, &pas::slow_forget_s>, "s", 1, 30 * day_s, "", on_reload,
          "wrong passwords are forgotten after this long without another"},

    field{"rate_limits", "enabled", at<&o::rate_limits, &rat::enabled>, "", 0, 1, "", on_reload,
          "whether requests are counted, per client address, session and user, over all nodes of a cluster; beyond the limits below: 429 with `Retry-After`"},
    field{"rate_limits", "loopback_exempt", at<&o::rate_limits, &rat::loopback_exempt>, "", 0, 1, "", on_reload,
          "do not count requests from this machine; off behind a proxy on the same machine"},
    field{"rate_limits", "read_per_s", at<&o::rate_limits, &rat::read_per_s>, "1/s", 1, 1'000'000, "", on_reload,
          "reads an address may make, over time"},
    field{"rate_limits", "read_burst", at<&o::rate_limits, &rat::read_burst>, "requests", 1, 1'000'000, "", on_reload,
          "reads an address may make at once: a page asks for many"},
    field{"rate_limits", "write_per_s", at<&o::rate_limits, &rat::write_per_s>, "1/s", 1, 1'000'000, "", on_reload,
          "changes an address may make, over time"},
    field{"rate_limits", "write_burst", at<&o::rate_limits, &rat::write_burst>, "requests", 1, 1'000'000, "", on_reload,
          "changes an address may make at once"},
    field{"rate_limits", "checkout_per_s", at<&o::rate_limits, &rat::checkout_per_s>, "1/s", 1, 1'000'000, "", on_reload,
          "orders an address may place, over time"},
    field{"rate_limits", "checkout_burst", at<&o::rate_limits, &rat::checkout_burst>, "requests", 1, 1'000'000, "", on_reload,
          "orders an address may place at once"},
    field{"rate_limits", "login_per_s", at<&o::rate_limits, &rat::login_per_s>, "1/s", 1, 1'000'000, "", on_reload,
          "registrations, logins and token refreshes of an address, over time"},
    field{"rate_limits", "login_burst", at<&o::rate_limits, &rat::login_burst>, "requests", 1, 1'000'000, "", on_reload,
          "registrations, logins and token refreshes of an address at once"},
    field{"rate_limits", "session_percent", at<&o::rate_limits, &rat::session_percent>, "%", 1, 10'000, "", on_reload,
          "limits of a session, of those of an address: lower ones keep one browser of an office from using up all of it"},
    field{"rate_limits", "user_percent", at<&o::rate_limits, &rat::user_percent>, "%", 1, 10'000, "", on_reload,
          "limits of a user, whatever address or session they come with, of those of an address"},
    field{"rate_limits", "quotas", at<&o::rate_limits, &rat::quotas>, "", 0, 100, "", on_reload,
          "limits for single calls in place of the above, `POST /api/orders 5/60s burst 2 per user` (or per session, per address): the path as docs/access.md has it; one for each call and subject"},
    field{"rate_limits", "addresses_max", at<&o::rate_limits, &rat::addresses_max>, "addresses", 100, 10'000'000, "", on_reload,
          "addresses, sessions and users counted at once, about 100 bytes each; beyond it the longest idle is forgotten"},

    field{"payment", "url", at<&o::payment, &pay::url>, "URL", 0, text_most, "", change::on_start,
          "payment provider, `http://HOST:PORT`; `--pay` says it for one run. Empty: the node starts the simulated provider beside its binary"},
    field{"payment", "connect_timeout_ms", at<&o::payment, &pay::connect_timeout_ms>, "ms", 10, 60'000, "", change::on_start,
          "a provider that does not accept a connection within this is tried again later"},
    field{"payment", "answer_timeout_ms", at<&o::payment, &pay::answer_timeout_ms>, "ms", 10, 120'000, "", change::on_start,
          "an answer later than this counts as unknown and the order asks again"},
    field{"payment", "connections_max", at<&o::payment, &pay::connections_max>, "connections", 1, 1'024, "", change::on_start,
          "connections, and so calls, to the provider at once; each has a thread"},
    field{"payment", "capture", at<&o::payment, &pay::capture>, "", 0, 16, "order|shipment", change::on_start,
          "when an order's money is taken: as it is placed, or with its first shipment (until then it is only authorised)"},
    field{"payment", "webhook_secret_file", at<&o::payment, &pay::webhook_secret_file>, "path", 0, text_most, "", change::on_start,
          "file of the secret that the provider signs its webhooks with, 32 characters or more, for its owner alone; empty: none are taken"},
    field{"payment", "reconcile_every_s", at<&o::payment, &pay::reconcile_every_s>, "s", 0, 86'400, "", change::on_start,
          "how often what the provider entered since is compared with the orders, and mended, which needs an account at the provider that is this shop's alone; 0: only by `omnicartctl payments reconcile`"},

    field{"log", "level", at<&o::log, &log_options::level>, "", 0, 16, "debug|info|warning|error|off", on_reload,
          "the least serious messages that are written"},
    field{"log", "format", at<&o::log, &log_options::format>, "", 0, 16, "text|json", change::on_start,
          "`key=value` lines for people or JSON lines for collectors"},
    field{"log", "file", at<&o::log, &log_options::file>, "path", 0, text_most, "", change::on_start,
          "file the lines are appended to, reopened by SIGHUP; empty: standard error"},
    field{"log", "access", at<&o::log, &log_options::access>, "", 0, 1, "", on_reload,
          "a line per request; tokens, passwords and cookies are never written"},
};
// clang-format on

bool equal(const target& a, const target& b) {
  return std::visit(
      [&](auto* value) { return *value == *std::get<std::decay_t<decltype(value)>>(b); }, a);
}

}  // namespace

std::span<const field> fields() { return table; }

std::vector<std::string> reload(options& running, options fresh) {
  std::vector<std::string> waiting;
  for (const auto& row : table) {
    const target ours = row.at(running), theirs = row.at(fresh);
    if (equal(ours, theirs)) continue;
    if (row.taken != change::on_reload) {
      waiting.push_back(row.name());
      continue;
    }
    std::visit([&](auto* value) { *value = *std::get<std::decay_t<decltype(value)>>(theirs); },
               ours);
  }
  return waiting;
}

}  // namespace omnicart::config
