#include "config/load.hpp"

#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "config/fields.hpp"

namespace omnicart::config {
namespace load_test {

std::string refusal(std::string_view text) {
  const auto parsed = parse(text, "shop.toml");
  return parsed ? "" : parsed.error().detail;
}

// A file of this test's own, gone at its end.
struct temporary_file {
  explicit temporary_file(std::string_view text)
      : path(std::filesystem::temp_directory_path() /
             ("omnicart_config_" + std::to_string(::getpid()) + ".toml")) {
    std::ofstream(path) << text;
  }
  ~temporary_file() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

BOOST_AUTO_TEST_SUITE(config_load)

BOOST_AUTO_TEST_CASE(an_empty_file_leaves_the_defaults) {
  BOOST_TEST((parse("", "x") == options{}));
}

BOOST_AUTO_TEST_CASE(values_of_every_type_are_taken) {
  const auto all = parse(
      "[http]\nport = 81\naddress = \"::1\"\ncors_allow = [\"https://a.example\", "
      "\"https://b.example\"]\n"
      "[rate_limits]\nenabled = false\n[log]\nlevel = \"debug\"\n",
      "x");
  BOOST_TEST_REQUIRE(all.has_value());
  BOOST_TEST(all->http.port == 81);
  BOOST_TEST(all->http.address == "::1");
  BOOST_TEST(all->http.cors_allow.size() == 2);
  BOOST_TEST(!all->rate_limits.enabled);
  BOOST_TEST(all->log.level == "debug");
  BOOST_TEST(all->node.shard_count == 64);
}

BOOST_AUTO_TEST_CASE(every_bad_line_is_refused_by_file_line_and_key) {
  struct row {
    const char* text;
    const char* detail;
  };
  for (const auto& r : {
           row{"[http]\nprot = 1\n", "shop.toml:2: unknown key http.prot"},
           row{"\n[htpt]\n", "shop.toml:2: unknown key htpt"},
           row{"port = 1\n", "shop.toml:1: unknown key port"},
           row{"http = 1\n", "shop.toml:1: http must be a section, [http]"},
           row{"[http.port]\nx = 1\n", "shop.toml:1: http.port must be a whole number"},
           row{"[http]\nport = \"80\"\n", "shop.toml:2: http.port must be a whole number"},
           row{"[http]\nport = 80.0\n", "shop.toml:2: http.port must be a whole number"},
           row{"[http]\nport = 65536\n", "shop.toml:2: http.port 65536 outside 0 to 65535"},
           row{"[http]\nport = -1\n", "shop.toml:2: http.port -1 outside 0 to 65535"},
           row{"[http]\naddress = \"\"\n", "shop.toml:2: http.address length 0 outside 1 to 253"},
           row{"[http]\naddress = \"a\\nb\"\n",
               "shop.toml:2: http.address has a control character"},
           row{"[http]\naddress = 1\n", "shop.toml:2: http.address must be a text in quotes"},
           row{"[http]\ncors_allow = \"*\"\n",
               "shop.toml:2: http.cors_allow must be a list of texts"},
           row{"[http]\ncors_allow = [1]\n",
               "shop.toml:2: http.cors_allow must be a list of texts"},
           row{"[http]\ncors_allow = [\"\"]\n",
               "shop.toml:2: http.cors_allow must be a list of texts"},
           row{"[rate_limits]\nenabled = 1\n",
               "shop.toml:2: rate_limits.enabled must be true or false"},
           row{"[log]\nlevel = \"loud\"\n",
               "shop.toml:2: log.level must be one of debug|info|warning|error|off"},
           row{"[passwords]\nmemory_kib = 1024\n",
               "shop.toml:2: passwords.memory_kib 1024 outside 19456 to 1048576"},
       }) {
    BOOST_TEST(refusal(r.text) == r.detail);
  }
}

BOOST_AUTO_TEST_CASE(all_faults_are_named_in_the_order_of_the_file) {
  BOOST_TEST(refusal("[node]\nshard_count = 0\n[http]\nport = \"x\"\n[colony]\n") ==
             "shop.toml:2: node.shard_count 0 outside 1 to 1024\nshop.toml:4: http.port must be a "
             "whole number\n"
             "shop.toml:5: unknown key colony");
}

BOOST_AUTO_TEST_CASE(text_that_is_not_toml_is_refused_with_its_line) {
  BOOST_TEST(refusal("[http]\nport = = 1\n").starts_with("shop.toml:2: "));
  BOOST_TEST(refusal("[http]\nport = 1\nport = 2\n").starts_with("shop.toml:3: "));
}

BOOST_AUTO_TEST_CASE(both_bounds_of_every_number_are_taken_and_one_further_is_not) {
  options sample;
  for (const auto& row : fields()) {
    if (!std::holds_alternative<std::int64_t*>(row.at(sample))) continue;
    const auto line = [&](std::int64_t value) {
      return "[" + std::string(row.section) + "]\n" + std::string(row.key) + " = " +
             std::to_string(value);
    };
    BOOST_TEST(refusal(line(row.least)) == "", row.name());
    BOOST_TEST(refusal(line(row.most)) == "", row.name());
    BOOST_TEST(refusal(line(row.least - 1)) != "", row.name());
    BOOST_TEST(refusal(line(row.most + 1)) != "", row.name());
  }
}

BOOST_AUTO_TEST_CASE(settings_that_contradict_each_other_are_refused) {
  struct row {
    const char* text;
    const char* names;
  };
  for (const auto& r : {
           row{"[http]\ntls_cert = \"a.pem\"\n", "http.tls_key"},
           row{"[http]\ntls_key = \"a.pem\"\n", "http.tls_cert"},
           row{"[http]\nport = 9000\n[operator]\nport = 9000\n", "operator.port"},
           row{"[passwords]\nslow_base_ms = 60000\nslow_max_ms = 1\n", "passwords.slow_max_ms"},
           row{"[shop]\ncurrency = \"gbp\"\n", "shop.currency"},
           row{"[payment]\nurl = \"provider\"\n", "payment.url"},
           row{"[payment]\nurl = \"http://me:secret@provider\"\n", "payment.url"},
           row{"[payment]\nurl = \"http://provider/path\"\n", "payment.url"},
           row{"[payment]\nurl = \"https://provider\"\n", "payment.url"},
           row{"[http]\ncors_allow = [\"*\"]\n", "http.cors_allow"},
           row{"[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"proxy.example\"]\n",
               "'proxy.example'"},
           row{"[http]\ntrusted_proxies = [\"10.0.0.1/8\"]\n", "http.trusted_proxies"},
           row{"[rate_limits]\nread_burst = 1\n", "rate_limits.read_burst"},
           row{"[rate_limits]\nwrite_burst = 1\n", "rate_limits.write_burst"},
           row{"[rate_limits]\ncheckout_burst = 1\n", "rate_limits.checkout_burst"},
           row{"[rate_limits]\nlogin_per_s = 50\n", "rate_limits.login_burst"},
           row{"[cluster]\npeers = [\"1@10.0.0.1:7400\"]\n", "cluster.port"},
           row{"[cluster]\nport = 7400\n", "payment.url"},
           row{"[cluster]\npeers = [\"10.0.0.1:7400\"]\n", "'10.0.0.1:7400'"},
           row{"[cluster]\npeers = [\"0@10.0.0.1:7400\"]\n", "cluster.peers"},
           row{"[cluster]\nadvertise = \"10.0.0.1\"\n", "cluster.advertise"},
           row{"[cluster]\ncertificate = \"node.pem\"\n", "cluster.private_key"},
           row{"[cluster]\nheartbeat_ms = 100\n", "cluster.election_timeout_ms"},
       }) {
    const auto all = parse(r.text, "x");
    BOOST_TEST_REQUIRE(all.has_value(), r.text);
    const auto checked = check(*all);
    BOOST_TEST_REQUIRE(!checked.has_value(), r.text);
    BOOST_TEST(checked.error().detail.find(r.names) != std::string::npos, checked.error().detail);
  }
  BOOST_TEST(check({}).has_value());
}

BOOST_AUTO_TEST_CASE(the_command_line_wins_over_the_file) {
  const temporary_file file(
      "[node]\ndata = \"/from/file\"\n[http]\nport = 1\naddress = \"file\"\n[payment]\nurl = "
      "\"http://file\"\n");
  const auto plain = load(file.path.string());
  BOOST_TEST_REQUIRE(plain.has_value());
  BOOST_TEST(plain->node.data == "/from/file");
  BOOST_TEST(plain->http.port == 1);
  const auto said = load(file.path.string(), {.data = "/said",
                                              .http = "[::1]:9000",
                                              .operator_port = "127.0.0.1:0",
                                              .pay = "http://said:1"});
  BOOST_TEST_REQUIRE(said.has_value());
  BOOST_TEST(said->node.data == "/said");
  BOOST_TEST(said->http.address == "::1");
  BOOST_TEST(said->http.port == 9000);
  BOOST_TEST(said->operators.port == 0);
  BOOST_TEST(said->payment.url == "http://said:1");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_missing_or_bad_is_named) {
  const auto missing = load("/nowhere/shop.toml");
  BOOST_TEST_REQUIRE(!missing.has_value());
  BOOST_TEST(missing.error().is(base_errc::io));
  BOOST_TEST(missing.error().detail == "/nowhere/shop.toml: cannot be read");
  const temporary_file file("[http]\nprot = 1\n");
  BOOST_TEST(load(file.path.string()).error().detail ==
             file.path.string() + ":2: unknown key http.prot");
}

BOOST_AUTO_TEST_CASE(who_said_what_is_wrong_is_named) {
  const std::string sound = "[http]\nport = 9000\n", bad = "[payment]\nurl = \"ftp://x\"\n";
  struct row {
    std::string text;
    overrides said;
    std::string begins;  // FILE stands for the file
  };
  for (const auto& [text, said, begins] :
       {row{sound, {.http = "nonsense"}, "--http: 'nonsense' is not HOST:PORT"},
        row{sound, {.pay = "https://provider"}, "on the command line: payment.url"},
        row{sound, {.operator_port = "127.0.0.1:9000"}, "on the command line: http.port"},
        row{bad, {}, "FILE: payment.url"},
        row{bad, {.http = "127.0.0.1:1"}, "FILE: payment.url"}}) {
    const temporary_file file(text);
    const auto all = load(file.path.string(), said);
    BOOST_TEST_REQUIRE(!all.has_value(), begins);
    const auto wanted = begins.starts_with("FILE") ? file.path.string() + begins.substr(4) : begins;
    BOOST_TEST(all.error().detail.starts_with(wanted), all.error().detail);
  }
  const temporary_file file(bad);
  BOOST_TEST(load(file.path.string(), {.pay = "http://provider"}).has_value());
}

BOOST_AUTO_TEST_CASE(addresses_parse_or_are_refused) {
  BOOST_TEST((parse_host_port("127.0.0.1:80") == host_port{"127.0.0.1", 80}));
  BOOST_TEST((parse_host_port("[::1]:0") == host_port{"::1", 0}));
  BOOST_TEST((parse_host_port("shop.example:65535") == host_port{"shop.example", 65535}));
  for (const char* text : {"", "80", ":80", "a:", "a:65536", "a:-1", "a: 1", "a:1x", "::1:80",
                           "[::1]", "[]:1", "a/b:1", "[a:1", "a]:1", "a b:1"}) {
    BOOST_TEST(!parse_host_port(text).has_value(), text);
  }
  BOOST_TEST(load(std::nullopt, {.http = "80"}).error().detail == "--http: '80' is not HOST:PORT");
}

BOOST_AUTO_TEST_CASE(threads_follow_the_cores_unless_said) {
  options all;
  all.node.worker_threads = 3;
  resolve_threads(all, 8);
  BOOST_TEST(all.node.http_threads == 8);
  BOOST_TEST(all.node.worker_threads == 3);
  options left_to_us;
  resolve_threads(left_to_us, 8);
  BOOST_TEST(left_to_us.node.worker_threads == 4);
  options unknown;
  resolve_threads(unknown, 0);
  BOOST_TEST(unknown.node.http_threads == 1);
  BOOST_TEST(unknown.node.worker_threads == 1);
}

BOOST_AUTO_TEST_CASE(connections_leave_files_for_the_store) {
  struct row {
    std::uint64_t files_max;
    std::int64_t asked, given;
  };
  for (const auto& [files_max, asked, given] :
       {row{1'048'576, 20'000, 20'000}, row{21'024, 20'000, 20'000}, row{20'000, 20'000, 18'976},
        row{1'024, 20'000, 512}, row{1'024, 100, 100}, row{0, 20'000, 1},
        row{~std::uint64_t{0}, 1'000'000, 1'000'000}}) {
    options all;
    all.http.connections_max = asked;
    fit_connections(all, files_max);
    BOOST_TEST(all.http.connections_max == given, files_max);
  }
}

BOOST_AUTO_TEST_CASE(a_reload_takes_the_level_and_the_limits_and_names_the_rest) {
  options running, fresh;
  fresh.log.level = "debug";
  fresh.limits.entity_mailbox_max = 100;
  fresh.rate_limits.read_burst = 500;
  fresh.http.port = 1;
  fresh.node.shard_count = 8;
  const auto waiting = reload(running, fresh);
  BOOST_TEST(waiting == (std::vector<std::string>{"node.shard_count", "http.port"}),
             boost::test_tools::per_element());
  BOOST_TEST(running.log.level == "debug");
  BOOST_TEST(running.limits.entity_mailbox_max == 100);
  BOOST_TEST(running.rate_limits.read_burst == 500);
  BOOST_TEST(running.http.port == 8080);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace load_test
}  // namespace omnicart::config
