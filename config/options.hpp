#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What may be configured, with its default. Unit, bounds and the reason for each figure stand in
// config/fields.cpp, which drives loading, printing and docs/configuration.md. Plain values: copied
// freely.
namespace omnicart::config {

struct node_options {
  std::string data;
  std::int64_t shard_count = 64;
  std::int64_t http_threads = 0;
  std::int64_t worker_threads = 0;
  std::int64_t loader_threads = 2;
  std::int64_t password_workers = 1;
  std::int64_t drain_timeout_s = 20;
  friend bool operator==(const node_options&, const node_options&) = default;
};

struct shop_options {
  std::string currency = "GBP";
  friend bool operator==(const shop_options&, const shop_options&) = default;
};

struct http_options {
  std::string address = "127.0.0.1";
  std::int64_t port = 8080;
  std::string tls_cert;
  std::string tls_key;
  std::int64_t uri_bytes_max = 8'192;
  std::int64_t header_bytes_max = 16'384;
  std::int64_t body_bytes_max = 1'048'576;
  std::int64_t header_timeout_ms = 10'000;
  std::int64_t idle_timeout_ms = 60'000;
  std::int64_t body_bytes_per_s_min = 1'024;
  std::int64_t write_timeout_ms = 15'000;
  std::int64_t connections_max = 20'000;
  std::int64_t in_flight_max = 4'096;
  std::vector<std::string> cors_allow;
  std::vector<std::string> trusted_proxies;
  std::string client_field = "x-forwarded-for";
  friend bool operator==(const http_options&, const http_options&) = default;
};

struct operator_options {
  std::string address = "127.0.0.1";
  std::int64_t port = 8081;
  friend bool operator==(const operator_options&, const operator_options&) = default;
};

struct cluster_options {
  std::int64_t node = 1;
  std::string name = "omnicart";
  std::string address = "127.0.0.1";
  std::int64_t port = -1;
  std::string advertise;
  std::vector<std::string> peers;
  std::string authority;
  std::string certificate;
  std::string private_key;
  std::int64_t election_timeout_ms = 250;
  std::int64_t heartbeat_ms = 40;
  friend bool operator==(const cluster_options&, const cluster_options&) = default;
};

struct limit_options {
  std::int64_t entity_mailbox_max = 4'096;
  std::int64_t shard_in_flight_max = 16'384;
  std::int64_t loader_queue_max = 16'384;
  std::int64_t password_queue_max = 64;
  std::int64_t provider_queue_max = 4'096;
  friend bool operator==(const limit_options&, const limit_options&) = default;
};

struct memory_options {
  std::int64_t entity_budget_mib = 512;
  std::int64_t block_cache_mib = 128;
  std::int64_t memtables_mib = 64;
  std::int64_t idle_passivation_s = 300;
  friend bool operator==(const memory_options&, const memory_options&) = default;
};

struct storage_options {
  std::int64_t min_free_mib = 512;
  std::int64_t wal_mib_max = 64;
  std::int64_t receipts_max = 50'000'000;
  std::int64_t commit_batch_bytes_max = 4'194'304;
  std::int64_t commit_batch_items_max = 4'096;
  friend bool operator==(const storage_options&, const storage_options&) = default;
};

struct session_options {
  std::int64_t access_token_ttl_s = 300;
  std::int64_t refresh_ttl_s = 2'592'000;
  std::int64_t guest_ttl_s = 2'592'000;
  friend bool operator==(const session_options&, const session_options&) = default;
};

struct password_options {
  std::int64_t memory_kib = 19'456;
  std::int64_t iterations = 2;
  std::int64_t slow_after_account = 5;
  std::int64_t slow_after_address = 20;
  std::int64_t slow_base_ms = 1'000;
  std::int64_t slow_max_ms = 60'000;
  std::int64_t slow_forget_s = 3'600;
  friend bool operator==(const password_options&, const password_options&) = default;
};

struct rate_limit_options {
  bool enabled = true;
  bool loopback_exempt = true;
  std::int64_t read_per_s = 50;
  std::int64_t read_burst = 200;
  std::int64_t write_per_s = 20;
  std::int64_t write_burst = 100;
  std::int64_t checkout_per_s = 2;
  std::int64_t checkout_burst = 10;
  std::int64_t login_per_s = 1;
  std::int64_t login_burst = 10;
  std::int64_t session_percent = 100;
  std::int64_t user_percent = 100;
  std::vector<std::string> quotas;
  std::int64_t addresses_max = 100'000;
  friend bool operator==(const rate_limit_options&, const rate_limit_options&) = default;
};

struct payment_options {
  std::string url;
  std::int64_t connect_timeout_ms = 1'000;
  std::int64_t answer_timeout_ms = 3'000;
  std::int64_t connections_max = 16;
  std::string capture = "order";
  std::string webhook_secret_file;
  std::int64_t reconcile_every_s = 60;
  friend bool operator==(const payment_options&, const payment_options&) = default;
};

struct log_options {
  std::string level = "info";
  std::string format = "text";
  std::string file;
  bool access = true;
  friend bool operator==(const log_options&, const log_options&) = default;
};

struct options {
  node_options node;
  shop_options shop;
  http_options http;
  operator_options operators;  // section [operator]
  cluster_options cluster;
  limit_options limits;
  memory_options memory;
  storage_options storage;
  session_options sessions;
  password_options passwords;
  rate_limit_options rate_limits;
  payment_options payment;
  log_options log;
  friend bool operator==(const options&, const options&) = default;
};

}  // namespace omnicart::config
