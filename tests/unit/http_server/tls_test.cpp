#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "tests/unit/http_server/test_shop.hpp"

namespace omnicart::http {
namespace tls_test {

template <auto Free>
struct freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

// A self-signed certificate for one day, in a directory that goes with it.
struct certificate {
  std::filesystem::path folder;
  tls_files files;

  certificate() {
    char name[] = "/tmp/omnicart-tls-XXXXXX";
    folder = ::mkdtemp(name);
    files = {.certificate_chain = folder / "chain.pem", .private_key = folder / "key.pem"};
    const std::unique_ptr<EVP_PKEY, freer<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, freer<X509_free>> x509(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 86'400);
    X509_set_pubkey(x509.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("shop"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), subject);
    X509_sign(x509.get(), key.get(), EVP_sha256());
    write(files.certificate_chain, [&](FILE* f) { PEM_write_X509(f, x509.get()); });
    write(files.private_key, [&](FILE* f) {
      PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  ~certificate() { std::filesystem::remove_all(folder); }

  template <class F>
  static void write(const std::string& path, F f) {
    FILE* file = std::fopen(path.c_str(), "w");
    f(file);
    std::fclose(file);
  }
};

// A TLS client that speaks up to `version`; nothing is verified.
struct tls_peer {
  peer plain;
  std::unique_ptr<SSL_CTX, freer<SSL_CTX_free>> context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, freer<SSL_free>> ssl;
  bool connected = false;

  tls_peer(std::uint16_t port, int version) : plain(port) {
    std::signal(SIGPIPE, SIG_IGN);  // the server may have closed before we greet
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_security_level(context.get(), 0);
    ssl.reset(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), plain.socket());
    connected = SSL_connect(ssl.get()) == 1;
  }
  // Everything until the server ends the connection.
  std::string ask(const std::string& request) {
    SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
    return rest();
  }
  std::string rest() {
    if (!connected) return {};
    std::string all;
    char bytes[16 * 1024];
    for (int count; (count = SSL_read(ssl.get(), bytes, sizeof bytes)) > 0;)
      all.append(bytes, static_cast<std::size_t>(count));
    return all;
  }
};

BOOST_AUTO_TEST_SUITE(http_tls)

BOOST_AUTO_TEST_CASE(requests_are_served_over_tls_1_2_and_1_3_only) {
  const certificate own;
  server_options options;
  options.tls = own.files;
  const test_shop shop(std::move(options));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_peer client(shop.port(), version);
    BOOST_TEST_REQUIRE(client.connected);
    const auto all = client.ask(
        "GET /api/large HTTP/1.1\r\nHost: a\r\n\r\nGET /api/hello HTTP/1.1\r\nHost: a\r\n"
        "Connection: close\r\n\r\n");
    BOOST_TEST(all.size() > 4'000'000u);
    BOOST_TEST(all.find("Strict-Transport-Security: ") != all.npos);
    BOOST_TEST(all.ends_with(R"({"hello":1})"));
  }
  BOOST_TEST(!tls_peer(shop.port(), TLS1_1_VERSION).connected);
}

BOOST_AUTO_TEST_CASE(a_plain_request_to_a_tls_port_ends_the_connection) {
  const certificate own;
  server_options options;
  options.tls = own.files;
  const test_shop shop(std::move(options));
  auto client = shop.connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  BOOST_TEST(client.read().status == 0);
}

BOOST_AUTO_TEST_CASE(connections_over_the_limit_are_told_so_over_tls_too) {
  const certificate own;
  server_options options;
  options.tls = own.files;
  options.limits.connections_max = 2;
  const test_shop shop(std::move(options));
  tls_peer one(shop.port(), TLS1_3_VERSION), other(shop.port(), TLS1_2_VERSION);
  BOOST_TEST_REQUIRE((one.connected && other.connected));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_peer further(shop.port(), version);
    BOOST_TEST_REQUIRE(further.connected);
    const auto said = further.rest();
    BOOST_TEST(said.starts_with("HTTP/1.1 503 "));
    BOOST_TEST(said.find("\r\nRetry-After: 1\r\n") != said.npos);
    BOOST_TEST(said.find("\r\nConnection: close\r\n") != said.npos);
    BOOST_TEST(said.find("\r\nStrict-Transport-Security: ") != said.npos);
    BOOST_TEST(said.find("\"code\":\"overloaded\"") != said.npos);
  }
  BOOST_TEST(shop.front->counts().connections == 2u);
  BOOST_TEST(shop.front->counts().refused_connections == 2u);
  const auto served = one.ask("GET /api/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  BOOST_TEST(served.ends_with(R"({"hello":1})"));
}

BOOST_AUTO_TEST_CASE(only_so_many_are_told_so_over_tls_at_a_time) {
  const certificate own;
  server_options options;
  options.tls = own.files;
  options.threads = 1;  // takes them in order
  options.limits.connections_max = 1;
  options.limits.turned_away_max = 2;
  options.limits.linger_timeout = std::chrono::minutes(1);
  const test_shop shop(std::move(options));
  const tls_peer served(shop.port(), TLS1_3_VERSION);
  auto silent = shop.connect(), mute = shop.connect(), further = shop.connect();
  BOOST_TEST(further.ended());
  silent.close();
  mute.close();
  std::string said;
  for (int i = 0; i < 1'000 && said.empty(); ++i) said = tls_peer(shop.port(), TLS1_3_VERSION).rest();
  BOOST_TEST(said.starts_with("HTTP/1.1 503 "));
}

BOOST_AUTO_TEST_CASE(who_is_told_so_over_tls_and_says_nothing_is_dropped_in_time) {
  const certificate own;
  server_options options;
  options.tls = own.files;
  options.limits.connections_max = 1;
  options.limits.linger_timeout = std::chrono::milliseconds(50);
  const test_shop shop(std::move(options));
  const tls_peer served(shop.port(), TLS1_3_VERSION);
  BOOST_TEST(shop.connect().ended());
}

BOOST_AUTO_TEST_CASE(an_unreadable_certificate_is_refused_in_one_line) {
  server_options options;
  options.tls = tls_files{.certificate_chain = "/nonexistent/chain.pem",
                          .private_key = "/nonexistent/key.pem"};
  const auto started = server::start(std::move(options), router());
  BOOST_TEST_REQUIRE(!started.has_value());
  BOOST_TEST(
      started.error().detail.starts_with("cannot use the certificate /nonexistent/chain.pem: "));
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_used_are_named_without_a_server) {
  const certificate own, other;
  BOOST_TEST(check_tls(own.files).has_value());
  const struct {
    tls_files files;
    std::string names;
  } rows[] = {
      {{"/nonexistent/chain.pem", own.files.private_key}, "certificate /nonexistent/chain.pem: "},
      {{own.files.private_key, own.files.private_key}, "certificate " + own.files.private_key},
      {{own.files.certificate_chain, "/nonexistent/key.pem"}, "private key /nonexistent/key.pem: "},
      {{own.files.certificate_chain, own.files.certificate_chain},
       "private key " + own.files.certificate_chain},
      {{own.files.certificate_chain, other.files.private_key},
       "private key " + other.files.private_key},
  };
  for (const auto& [files, names] : rows) {
    const auto checked = check_tls(files);
    BOOST_TEST_REQUIRE(!checked.has_value(), names);
    BOOST_TEST(checked.error().is(base_errc::malformed));
    BOOST_TEST(checked.error().detail.starts_with("cannot use the " + names),
               checked.error().detail);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace tls_test
}  // namespace omnicart::http
