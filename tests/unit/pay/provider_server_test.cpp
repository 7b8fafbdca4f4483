#include "tools/pay/provider_server.hpp"

#include <fcntl.h>

#include <vector>

#include "tests/unit/pay/pay_fixture.hpp"

namespace omnicart::pay {
namespace provider_server_test {

const std::string captured_k =
    R"({"key":"k","status":"captured","amount":1299,"currency":"GBP","last4":"4242","decline_code":""})";

BOOST_AUTO_TEST_SUITE(pay_provider_server)

BOOST_AUTO_TEST_CASE(every_call_answers_over_loopback) {
  running_provider provider;
  raw_client client(provider.port());
  struct row {
    const char *method, *target;
    std::string body;
    int status;
    std::string answer;
  };
  const std::vector<row> rows{
      {"GET", "/health", "", 200, R"({"status":"ok"})"},
      {"POST", "/charges", charge_body("k", "tok_ok"), 200, captured_k},
      {"POST", "/charges", charge_body("k", "tok_ok"), 200, captured_k},
      {"POST", "/charges", charge_body("k", "tok_ok", 1), 409,
       R"({"key":"k","error":"key_reused"})"},
      {"POST", "/charges", charge_body("d", "tok_declined"), 200,
       R"({"key":"d","status":"declined","amount":1299,"currency":"GBP","last4":"0002","decline_code":"card_declined"})"},
      {"POST", "/charges",
       R"({"key":"i","amount":1,"currency":"GBP","method":"invoice","token":""})", 422,
       R"({"key":"i","error":"unknown_method"})"},
      {"POST", "/charges/k/void", "", 409, R"({"key":"k","error":"captured"})"},
      {"POST", "/charges/v%2F1/void", "", 200, R"({"key":"v/1","status":"voided"})"},
      {"POST", "/charges", charge_body("v/1", "tok_ok"), 409, R"({"key":"v/1","error":"voided"})"},
      {"POST", "/charges/k/refunds", R"({"refund_key":"r","amount":299,"currency":"GBP"})", 200,
       R"({"key":"k","refund_key":"r","status":"refunded","amount":299,"currency":"GBP"})"},
      {"POST", "/charges/k/refunds", R"({"refund_key":"s","amount":1001,"currency":"GBP"})", 409,
       R"({"key":"k","error":"over_refund"})"},
      {"POST", "/charges/d/refunds", R"({"refund_key":"r","amount":1,"currency":"GBP"})", 409,
       R"({"key":"d","error":"not_captured"})"},
      {"GET", "/charges/k", "", 200,
       R"({"key":"k","status":"captured","amount":1299,"currency":"GBP","method":"card","last4":"4242",)"
       R"("decline_code":"","refunded":299})"},
      {"GET", "/charges/none", "", 404, R"({"error":"not_found","detail":"no such key"})"},
      {"GET", "/ledger/summary", "", 200,
       R"({"entries":5,"authorisations":1,"captures":1,"declines":1,"voids":1,"refunds":1,)"
       R"("totals":[{"currency":"GBP","captured":1299,"refunded":299}]})"},
  };
  for (const auto& r : rows) {
    const auto answer = client.ask(r.method, r.target, r.body);
    BOOST_TEST(status_of(answer) == r.status, r.method << ' ' << r.target << ' ' << r.body);
    BOOST_TEST(body_of(answer) == r.answer);
  }
}

BOOST_AUTO_TEST_CASE(requests_it_does_not_understand_are_refused_by_name) {
  running_provider provider;
  raw_client client(provider.port());
  struct row {
    const char *method, *target;
    std::string body;
    int status;
  };
  const std::vector<row> rows{
      {"POST", "/charges", "", 400},
      {"POST", "/charges", "[]", 400},
      {"POST", "/charges", "7", 400},
      {"POST", "/charges", R"({"key":"k"})", 400},
      {"POST", "/charges", charge_body("k", "tok_ok") + "{}", 400},
      {"POST", "/charges",
       R"({"key":"k","amount":1.0,"currency":"GBP","method":"card","token":"t"})", 400},
      {"POST", "/charges",
       R"({"key":"k","amount":"1","currency":"GBP","method":"card","token":"t"})", 400},
      {"POST", "/charges",
       R"({"key":"k","amount":-1,"currency":"GBP","method":"card","token":"t"})", 400},
      {"POST", "/charges",
       R"({"key":"k","amount":9223372036854775808,"currency":"GBP","method":"card","token":"t"})",
       400},
      {"POST", "/charges", R"({"key":"k","amount":1,"currency":"gbp","method":"card","token":"t"})",
       400},
      {"POST", "/charges", R"({"key":"k","key":"k","amount":1,"currency":"GBP","method":"card"})",
       400},
      {"POST", "/charges", R"({"key":"","amount":1,"currency":"GBP","method":"card","token":"t"})",
       400},
      {"POST", "/charges", R"({"key":"k","amount":1,"currency":"GBP","method":"cash","token":"t"})",
       422},
      {"GET", "/charges", "", 405},
      {"POST", "/ledger", "", 405},
      {"DELETE", "/charges/k", "", 405},
      {"GET", "/charges/k/void", "", 405},
      {"GET", "/charges/k/other", "", 404},
      {"GET", "/charges/%zz", "", 400},
      {"GET", "/charges/", "", 400},
      {"POST", "/charges/k/void", "{}", 400},
      {"GET", "/ledger?from=0", "", 400},
      {"GET", "/ledger?limit=x", "", 400},
      {"GET", "/ledger?page=2", "", 400},
      {"GET", "/nowhere", "", 404},
  };
  for (const auto& r : rows) {
    BOOST_TEST(status_of(client.ask(r.method, r.target, r.body)) == r.status,
               r.method << ' ' << r.target << ' ' << r.body);
  }
  BOOST_TEST(body_of(client.ask("GET", "/ledger/summary")).starts_with("{\"entries\":0,"));
}

BOOST_AUTO_TEST_CASE(sizes_are_bounded) {
  running_provider provider;
  const auto answer_to = [&](const std::string& request) {
    raw_client client(provider.port());
    client.write(request);
    return status_of(client.read_to_end());
  };
  BOOST_TEST(answer_to("POST /charges HTTP/1.1\r\nContent-Length: 4097\r\n\r\n") == 413);
  BOOST_TEST(answer_to("GET /" + std::string(1'024, 'x') + " HTTP/1.1\r\n\r\n") == 414);
  BOOST_TEST(answer_to("GET / HTTP/1.1\r\nA: " + std::string(9'000, 'x') + "\r\n\r\n") == 431);
  BOOST_TEST(answer_to("nonsense\r\n\r\n") == 400);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  running_provider provider;
  raw_client client(provider.port());
  client.write("GET /charges/a HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\n\r\n");
  BOOST_TEST(status_of(client.read_answer()) == 404);
  BOOST_TEST(status_of(client.read_answer()) == 200);
}

BOOST_AUTO_TEST_CASE(the_ledger_is_streamed_and_paged) {
  running_provider provider;
  raw_client client(provider.port());
  for (int i = 0; i < 300; ++i)
    client.ask("POST", "/charges", charge_body(std::to_string(i), "tok_ok"));
  const auto get = [&](const std::string& target) {
    raw_client reader(provider.port());
    reader.write("GET " + target + " HTTP/1.0\r\n\r\n");
    return body_of(reader.read_to_end());
  };
  const auto all = get("/ledger");
  BOOST_TEST(all.starts_with(R"({"entries":[{"seq":1,)"));
  BOOST_TEST(all.ends_with("\"}]}"));
  BOOST_TEST(std::count(all.begin(), all.end(), '{') == 601);
  const auto page = get("/ledger?from=300&limit=2");
  BOOST_TEST(page.starts_with(R"({"entries":[{"seq":300,)"));
  BOOST_TEST(std::count(page.begin(), page.end(), '{') == 3);
  BOOST_TEST(get("/ledger?from=601") == R"({"entries":[]})");
  raw_client chunked(provider.port());
  chunked.write("GET /ledger HTTP/1.1\r\nConnection: close\r\n\r\n");
  BOOST_TEST(chunked.read_to_end().find("Transfer-Encoding") == std::string::npos);
  raw_client kept(provider.port());
  kept.write(
      "GET /ledger?limit=1 HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto both = kept.read_to_end();
  BOOST_TEST(both.find("\r\n0\r\n\r\nHTTP/1.1 200 OK") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_limit_are_told_so) {
  running_provider provider({.connections_max = 1});
  raw_client first(provider.port());
  BOOST_TEST(status_of(first.ask("GET", "/health")) == 200);
  raw_client second(provider.port());
  BOOST_TEST(status_of(second.read_to_end()) == 503);
  BOOST_TEST(status_of(first.ask("GET", "/health")) == 200);
}

BOOST_AUTO_TEST_CASE(idle_slow_and_held_connections_end) {
  const auto end_of = [](const server_options& options, const std::string& request) {
    running_provider provider(options);
    raw_client client(provider.port());
    if (!request.empty()) client.write(request);
    return client.read_to_end();
  };
  constexpr duration_ms soon{5};
  BOOST_TEST(end_of({.idle_max = soon, .sweep_every = soon}, "") == "");
  BOOST_TEST(end_of({.slow_max = soon, .sweep_every = soon},
                    "POST /charges HTTP/1.1\r\nContent-Le") == "");
  const auto body = charge_body("k", "tok_timeout_after");
  BOOST_TEST(end_of({.held_max = soon, .sweep_every = soon},
                    "POST /charges HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
                        "\r\n\r\n" + body) == "");
}

BOOST_AUTO_TEST_CASE(answers_go_wrong_the_way_the_token_is_named) {
  running_provider provider({.late_by = duration_ms{20}});
  raw_client client(provider.port());
  const auto clean = [](const std::string& key, const char* last4) {
    return R"({"key":")" + key +
           R"(","status":"captured","amount":1299,"currency":"GBP","last4":")" + last4 +
           R"(","decline_code":""})";
  };
  BOOST_TEST(body_of(client.ask("POST", "/charges", charge_body("t", "tok_twice"))) ==
             clean("t", "0222") + clean("t", "0222"));
  BOOST_TEST(body_of(client.ask("POST", "/charges", charge_body("t", "tok_twice"))) ==
             clean("t", "0222"));
  const auto garbage = client.ask("POST", "/charges", charge_body("g", "tok_garbage"));
  BOOST_TEST(status_of(garbage) == 200);
  BOOST_TEST(body_of(garbage).find("captured") == std::string::npos);
  BOOST_TEST(body_of(client.ask("POST", "/charges", charge_body("g", "tok_garbage"))) ==
             clean("g", "0341"));
  BOOST_TEST(body_of(client.ask("POST", "/charges", charge_body("l", "tok_late"))) ==
             clean("l", "0259"));
}

BOOST_AUTO_TEST_CASE(a_stop_sends_late_answers_at_once_and_never_sends_held_ones) {
  running_provider provider({.late_by = duration_ms{60'000}});
  raw_client late(provider.port()), held(provider.port()), probe(provider.port());
  const auto send = [](raw_client& client, const std::string& body) {
    client.write("POST /charges HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
  };
  send(late, charge_body("l", "tok_late"));
  send(held, charge_body("h", "tok_timeout_after"));
  while (body_of(probe.ask("GET", "/ledger/summary")).find("\"captures\":2") == std::string::npos) {
  }
  BOOST_TEST(provider.stop().has_value());
  BOOST_TEST(status_of(late.read_to_end()) == 200);
  BOOST_TEST(held.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(what_was_answered_is_there_after_a_restart) {
  temporary_folder folder;
  {
    running_provider provider({.data = folder.path()});
    raw_client client(provider.port());
    BOOST_TEST(body_of(client.ask("POST", "/charges", charge_body("k", "tok_ok"))) == captured_k);
  }
  running_provider provider({.data = folder.path()});
  raw_client client(provider.port());
  BOOST_TEST(body_of(client.ask("POST", "/charges", charge_body("k", "tok_ok"))) == captured_k);
  BOOST_TEST(body_of(client.ask("GET", "/ledger/summary")).starts_with("{\"entries\":2,"));
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_named) {
  running_provider provider;
  temporary_folder folder;
  const machine_clock time;
  const auto other = provider_server::open({.data = folder.path(), .port = provider.port()}, time);
  BOOST_TEST_REQUIRE(!other.has_value());
  BOOST_TEST(other.error().detail.find(std::to_string(provider.port())) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_death_of_the_parent_ends_it) {
  temporary_folder folder;
  const machine_clock time;
  auto server = provider_server::open({.data = folder.path()}, time);
  BOOST_TEST_REQUIRE(server.has_value());
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  BOOST_REQUIRE((*server)->stop_when_closed(ends[0]).has_value());
  ::close(ends[1]);  // what the kernel does for a parent killed with -9
  BOOST_TEST((*server)->run().has_value());
  auto orphan = provider_server::open({.data = folder.path() / "other"}, time);
  BOOST_TEST(!(*orphan)->stop_when_closed(9'999).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace provider_server_test
}  // namespace omnicart::pay
