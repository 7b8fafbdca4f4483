#include "tools/omnicartd/part_options.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "config/quota.hpp"
#include "http/secret_file.hpp"
#include "runtime/base/ip_network.hpp"

namespace omnicart::node {
namespace {

constexpr std::size_t webhook_secret_bytes_min = 32;
constexpr std::size_t mib(std::int64_t count) { return static_cast<std::size_t>(count) << 20; }

// The list has been checked with the rest of the configuration.
std::vector<http::rate_limits::quota> quotas_of(const config::rate_limit_options& o) {
  std::vector<http::rate_limits::quota> all;
  for (const auto& text : o.quotas) {
    auto parsed = config::parse_quota(text);
    if (!parsed) continue;
    const auto who = static_cast<http::rate_subject>(parsed->per);
    all.push_back({std::move(parsed->route), who, parsed->count, parsed->seconds, parsed->burst});
  }
  return all;
}

// The list has been checked with the rest of the configuration.
http::trusted_proxies proxies_of(const config::http_options& o) {
  std::vector<ip_network> proxies;
  for (const auto& text : o.trusted_proxies) {
    if (const auto parsed = ip_network::parse(text)) proxies.push_back(*parsed);
  }
  const bool standard = o.client_field == "forwarded";
  return {std::move(proxies), standard ? http::client_field::forwarded : http::client_field::x_forwarded_for};
}

}  // namespace

persistence::store_options store_options(const config::options& o) {
  persistence::store_options with;
  with.directory = o.node.data;
  with.shard_count = static_cast<std::uint16_t>(o.node.shard_count);
  with.block_cache_bytes = mib(o.memory.block_cache_mib);
  with.memtable_bytes = mib(o.memory.memtables_mib);
  with.wal_bytes_max = mib(o.storage.wal_mib_max);
  with.receipts_max = static_cast<std::uint64_t>(o.storage.receipts_max);
  with.free_disk_bytes_min = mib(o.storage.min_free_mib);
  return with;
}

cluster::journal_options journal_options(const config::options& o) {
  cluster::journal_options with;
  with.batch_items_max = static_cast<std::size_t>(o.storage.commit_batch_items_max);
  with.batch_bytes_max = static_cast<std::size_t>(o.storage.commit_batch_bytes_max);
  with.self = static_cast<cluster::node_id>(o.cluster.node);
  with.founder = o.cluster.peers.empty();
  with.election_timeout = duration_ms{o.cluster.election_timeout_ms};
  with.heartbeat = duration_ms{o.cluster.heartbeat_ms};
  return with;
}

router_limits limits_of(const config::options& o) {
  router_limits limits;
  limits.backlog_per_entity = static_cast<std::uint32_t>(o.limits.entity_mailbox_max);
  limits.backlog_per_shard = static_cast<std::uint32_t>(o.limits.shard_in_flight_max);
  limits.memory_bytes = mib(o.memory.entity_budget_mib);
  limits.idle = std::chrono::seconds(o.memory.idle_passivation_s);
  return limits;
}

http::server_limits limits_of(const config::http_options& o) {
  http::server_limits limits;
  limits.uri_bytes_max = static_cast<std::size_t>(o.uri_bytes_max);
  limits.header_bytes_max = static_cast<std::size_t>(o.header_bytes_max);
  limits.body_bytes_max = static_cast<std::size_t>(o.body_bytes_max);
  limits.connections_max = static_cast<std::size_t>(o.connections_max);
  limits.in_flight_max = static_cast<std::size_t>(o.in_flight_max);
  limits.header_timeout = duration_ms{o.header_timeout_ms};
  limits.idle_timeout = duration_ms{o.idle_timeout_ms};
  limits.bytes_per_second_min = static_cast<std::size_t>(o.body_bytes_per_s_min);
  limits.write_timeout = duration_ms{o.write_timeout_ms};
  return limits;
}

http::server_options server_options(const config::options& o) {
  http::server_options with;
  with.host = o.http.address;
  with.port = static_cast<std::uint16_t>(o.http.port);
  with.threads = static_cast<unsigned>(o.node.http_threads);
  with.limits = limits_of(o.http);
  with.cors.origins = o.http.cors_allow;
  with.proxies = proxies_of(o.http);
  if (!o.http.tls_cert.empty()) with.tls = http::tls_files{o.http.tls_cert, o.http.tls_key};
  return with;
}

http::rate_limits limits_of(const config::rate_limit_options& o) {
  return {.enabled = o.enabled,
          .loopback_exempt = o.loopback_exempt,
          .read = {o.read_per_s, o.read_burst},
          .write = {o.write_per_s, o.write_burst},
          .checkout = {o.checkout_per_s, o.checkout_burst},
          .login = {o.login_per_s, o.login_burst},
          .session_percent = o.session_percent,
          .user_percent = o.user_percent,
          .quotas = quotas_of(o),
          .addresses_max = static_cast<std::size_t>(o.addresses_max)};
}

http::sign_in_limits limits_of(const config::password_options& o) {
  return {.slow_after_account = o.slow_after_account,
          .slow_after_address = o.slow_after_address,
          .base = duration_ms{o.slow_base_ms},
          .most = duration_ms{o.slow_max_ms},
          .forget_after = std::chrono::seconds(o.slow_forget_s)};
}

http::password_options password_options(const config::options& o) {
  http::password_options with;
  with.memory_bytes = static_cast<std::size_t>(o.passwords.memory_kib) << 10;
  with.passes = static_cast<unsigned>(o.passwords.iterations);
  with.threads = static_cast<std::size_t>(o.node.password_workers);
  with.queue_max = static_cast<std::size_t>(o.limits.password_queue_max);
  return with;
}

void set_limits(http::shop& of, const config::options& o) {
  of.access_token_ttl = std::chrono::seconds(o.sessions.access_token_ttl_s);
  of.guest_session_ttl = std::chrono::seconds(o.sessions.guest_ttl_s);
  of.user_session_ttl = std::chrono::seconds(o.sessions.refresh_ttl_s);
  of.cookie_origins = o.http.cors_allow;
  of.capture = o.payment.capture == "shipment" ? payment::capture_when::at_shipment : payment::capture_when::at_order;
}

pay_command simulated_provider(const config::options& o) {
  pay_command with{.program = own_pay_program(), .data = o.node.data + "/pay"};
  const bool reachable = o.http.port != 0 && o.http.tls_cert.empty();
  if (o.payment.webhook_secret_file.empty() || !reachable) return with;
  const bool anywhere = o.http.address == "0.0.0.0" || o.http.address == "::";
  const std::string host = anywhere ? "127.0.0.1" : o.http.address;
  with.webhook_url = "http://" + host + ':' + std::to_string(o.http.port) + "/api/payments/webhook";
  with.webhook_secret_file = o.payment.webhook_secret_file;
  return with;
}

result<std::string> webhook_secret_of(const config::options& o) {
  if (o.payment.webhook_secret_file.empty()) return std::string();
  return http::read_secret_file(o.payment.webhook_secret_file, webhook_secret_bytes_min);
}

http::payment_gateway_options gateway_options(const config::options& o, http::provider_address provider) {
  http::payment_gateway_options with;
  with.provider = std::move(provider);
  with.connections = static_cast<std::size_t>(o.payment.connections_max);
  with.queue_max = static_cast<std::size_t>(o.limits.provider_queue_max);
  with.connect_timeout = duration_ms{o.payment.connect_timeout_ms};
  with.answer_timeout = duration_ms{o.payment.answer_timeout_ms};
  return with;
}

}  // namespace omnicart::node
