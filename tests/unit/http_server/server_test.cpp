#include "http/server/server.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "tests/unit/http_server/test_shop.hpp"

namespace omnicart::http {
namespace server_test {

using std::chrono::milliseconds;
using namespace std::string_literals;

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: shop\r\n" + fields + "\r\n";
}
std::string post(const std::string& path, const std::string& body,
                 const std::string& type = "application/json", const std::string& fields = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: shop\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& path, const std::string& chunks,
                    const std::string& fields = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n" + fields +
         "Transfer-Encoding: chunked\r\n\r\n" + chunks;
}
server_options with(void (*change)(server_limits&)) {
  server_options options;
  change(options.limits);
  return options;
}

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(every_shape_of_request_gets_its_answer) {
  const test_shop shop;
  struct row {
    std::string name;
    std::string request;
    int status;
    std::string body_or_code;
  };
  const std::string host = "Host: shop\r\n";
  const row rows[] = {
      {"plain", get("/api/hello"), 200, R"({"hello":1})"},
      {"without the prefix", get("/hello"), 200, R"({"hello":1})"},
      {"trailing slash", get("/api/hello/"), 200, R"({"hello":1})"},
      {"absolute form", get("http://shop/api/hello"), 200, R"({"hello":1})"},
      {"absolute form, query only", get("http://shop?x=1"), 404, "no_such_path"},
      {"empty lines first", "\r\n\r\n" + get("/api/hello"), 200, R"({"hello":1})"},
      {"parameter decoded once", get("/api/items/a%2Fb%2525"), 200, "a/b%25|-"},
      {"query decoded", get("/api/items/1?q=a+b%26&r"), 200, "1|a b&"},
      {"HTTP/1.0 without host", "GET /api/hello HTTP/1.0\r\n\r\n", 200, R"({"hello":1})"},
      {"unknown path", get("/api/nothing"), 404, "no_such_path"},
      {"prefix twice", get("/api/api/hello"), 404, "no_such_path"},
      {"empty segment", get("/api//hello"), 404, "no_such_path"},
      {"empty parameter", get("/api/items/"), 404, "no_such_path"},
      {"bad escape in the path", get("/api/items/%zz"), 400, "malformed_request"},
      {"cut escape", get("/api/items/%4"), 400, "malformed_request"},
      {"NUL in the path", get("/api/items/%00"), 400, "malformed_request"},
      {"bad escape in the query", get("/api/hello?a=%g1"), 400, "malformed_request"},
      {"fragment", get("/api/hello#x"), 400, "malformed_request"},
      {"bytes above ASCII", get("/api/items/\xc3\xa9"), 400, "malformed_request"},
      {"wrong method", "DELETE /api/hello HTTP/1.1\r\n" + host + "\r\n", 405, "method_not_allowed"},
      {"unknown method", "BREW /api/hello HTTP/1.1\r\n" + host + "\r\n", 405, "method_not_allowed"},
      {"method in lower case", "get /api/hello HTTP/1.1\r\n" + host + "\r\n", 405,
       "method_not_allowed"},
      {"not acceptable", get("/api/hello", "Accept: text/html\r\n"), 406, "not_acceptable"},
      {"JSON refused by weight",
       get("/api/hello", "Accept: application/json;q=0, application/problem+json;q=0\r\n"), 406,
       "not_acceptable"},
      {"a browser's Accept", get("/api/hello", "Accept: text/html,*/*;q=0.8\r\n"), 200,
       R"({"hello":1})"},
      {"the route's own type", get("/api/csv", "Accept: text/csv\r\n"), 200, "a,b"},
      {"no host", "GET /api/hello HTTP/1.1\r\n\r\n", 400, "malformed_request"},
      {"two hosts", get("/api/hello", host), 400, "malformed_request"},
      {"bad host", "GET /api/hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed_request"},
      {"space before the colon", get("/api/hello", "X-A : 1\r\n"), 400, "malformed_request"},
      {"bad header name", get("/api/hello", "X(A: 1\r\n"), 400, "malformed_request"},
      {"no colon", get("/api/hello", "Hello\r\n"), 400, "malformed_request"},
      {"folded value", get("/api/hello", "X-A: 1\r\n 2\r\n"), 400, "malformed_request"},
      {"folded empty value", get("/api/hello", "X-A:\r\n 2\r\n"), 400, "malformed_request"},
      {"bare LF line ends", "GET /api/hello HTTP/1.1\nHost: shop\n\n", 400, "malformed_request"},
      {"bare LF in a field", get("/api/hello", "X-A: 1\nX-B: 2\r\n"), 400, "malformed_request"},
      {"bare CR in a field", get("/api/hello", "X-A: 1\rX-B: 2\r\n"), 400, "malformed_request"},
      {"NUL in a field", get("/api/hello", "X-A: a\0b\r\n"s), 400, "malformed_request"},
      {"no version", "GET /api/hello\r\n" + host + "\r\n", 400, "malformed_request"},
      {"HTTP/2.0", "GET /api/hello HTTP/2.0\r\n" + host + "\r\n", 505, "version_not_supported"},
      {"HTTP/1.2", "GET /api/hello HTTP/1.2\r\n" + host + "\r\n", 505, "version_not_supported"},
      {"TLS greeting", "\x16\x03\x01\x02\r\n\r\n"s, 400, "malformed_request"},
      {"two spaces", "GET  /api/hello HTTP/1.1\r\n" + host + "\r\n", 400, "malformed_request"},
      {"length and chunks",
       "POST /api/echo HTTP/1.1\r\n" + host +
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400, "malformed_request"},
      {"chunks, then length",
       "POST /api/echo HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
       400, "malformed_request"},
      {"two lengths", post("/api/echo", "{}", "application/json", "Content-Length: 3\r\n"), 400,
       "malformed_request"},
      {"list of lengths", "POST /api/echo HTTP/1.1\r\n" + host + "Content-Length: 2, 2\r\n\r\n{}",
       400, "malformed_request"},
      {"signed length", "POST /api/echo HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\n{}", 400,
       "malformed_request"},
      {"negative length", "POST /api/echo HTTP/1.1\r\n" + host + "Content-Length: -2\r\n\r\n{}",
       400, "malformed_request"},
      {"length over 64 bits",
       "POST /api/echo HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400,
       "malformed_request"},
      {"other coding", "POST /api/echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n",
       501, "coding_not_supported"},
      {"coding list",
       "POST /api/echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
       501, "coding_not_supported"},
      {"chunked twice",
       "POST /api/echo HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400, "malformed_request"},
      {"chunked disguised",
       "POST /api/echo HTTP/1.1\r\n" + host +
           "Transfer-Encoding: \x0b"
           "chunked\r\n\r\n0\r\n\r\n",
       400, "malformed_request"},
      {"chunked in 1.0", "POST /api/echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400, "malformed_request"},
      {"chunks", chunked("/api/echo", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"), 201,
       "abcde"},
      {"bad chunk size", chunked("/api/echo", "g\r\nabc\r\n0\r\n\r\n"), 400, "malformed_request"},
      {"chunk size over 64 bits", chunked("/api/echo", "fffffffffffffffff\r\n"), 400,
       "malformed_request"},
      {"chunk longer than its size", chunked("/api/echo", "2\r\nabc\r\n0\r\n\r\n"), 400,
       "malformed_request"},
      {"endless chunk line", chunked("/api/echo", "2;" + std::string(6000, 'x')), 400,
       "malformed_request"},
      {"too many chunked bytes", chunked("/api/small", "11\r\n12345678901234567\r\n0\r\n\r\n"), 413,
       "body_too_large"},
      {"body", post("/api/echo", R"({"a":1})"), 201, R"({"a":1})"},
      {"body with charset", post("/api/echo", "{}", "application/json; charset=UTF-8"), 201, "{}"},
      {"other charset", post("/api/echo", "{}", "application/json; charset=latin1"), 415,
       "unsupported_media_type"},
      {"form", post("/api/echo", "a=b", "application/x-www-form-urlencoded"), 415,
       "unsupported_media_type"},
      {"coded body", post("/api/echo", "{}", "application/json", "Content-Encoding: gzip\r\n"), 415,
       "unsupported_media_type"},
      {"no type", "POST /api/echo HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}", 415,
       "unsupported_media_type"},
      {"no body, no type", "POST /api/echo HTTP/1.1\r\n" + host + "\r\n", 201, ""},
      {"body at the route's limit", post("/api/small", std::string(16, 'x')), 200, "16"},
      {"body over the route's limit", post("/api/small", std::string(17, 'x')), 413,
       "body_too_large"},
      {"body over the server's limit",
       "POST /api/echo HTTP/1.1\r\n" + host +
           "Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n",
       413, "body_too_large"},
      {"target too long", get("/" + std::string(8 * 1024, 'a')), 414, "uri_too_long"},
      {"endless target", "GET /" + std::string(9 * 1024, 'a'), 414, "uri_too_long"},
      {"headers too large", get("/api/hello", "X-A: " + std::string(17 * 1024, 'a') + "\r\n"), 431,
       "headers_too_large"},
      {"endless headers", "GET / HTTP/1.1\r\nX-A: " + std::string(17 * 1024, 'a'), 431,
       "headers_too_large"},
      {"too many fields",
       get("/api/hello",
           [] {
             std::string f;
             for (int i = 0; i < 101; ++i) f += "A: 1\r\n";
             return f;
           }()),
       431, "headers_too_large"},
      {"other expectation", post("/api/echo", "{}", "application/json", "Expect: tea\r\n"), 417,
       "expectation_failed"},
      {"exception in a handler", get("/api/throws"), 500, "internal"},
      {"exception without a task", get("/api/throws-at-once"), 500, "internal"},
      {"lost reply", get("/api/lost"), 503, "unavailable"},
      {"replies gathered from threads", get("/api/gather"), 200, "410"},
      {"stream", post("/api/stream", std::string(70'000, 'x'), "application/x-ndjson"), 200,
       "70000"},
  };
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.name) {
      auto client = shop.connect();
      const auto got = client.ask(r.request);
      BOOST_TEST(got.status == r.status);
      BOOST_TEST((got.code().empty() ? got.body : got.code()) == r.body_or_code);
      BOOST_TEST(got.header("X-Request-Id").size() == 32u);
      BOOST_TEST(got.header("X-Content-Type-Options") == "nosniff");
      BOOST_TEST(!got.header("Date").empty());
      BOOST_TEST(got.body.find("/etc") == got.body.npos);
      if (r.status >= 400) BOOST_TEST(got.header("Content-Type") == "application/problem+json");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_405_names_the_methods) {
  const test_shop shop;
  BOOST_TEST(shop.connect().ask("PUT /api/hello HTTP/1.1\r\nHost: a\r\n\r\n").header("Allow") ==
             "GET, HEAD, OPTIONS");
  const auto options = shop.connect().ask("OPTIONS /api/echo HTTP/1.1\r\nHost: a\r\n\r\n");
  BOOST_TEST(options.status == 204);
  BOOST_TEST(options.header("Allow") == "POST, OPTIONS");
  BOOST_TEST(shop.connect().ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 204);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  test_shop shop;
  auto client = shop.connect();
  std::string burst = get("/api/held?1");
  for (int i = 0; i < 200; ++i) burst += get("/api/items/" + std::to_string(i));
  burst += post("/api/echo", "last");
  client.send(burst);
  for (auto& done : shop.held.take(1)) done(7);
  BOOST_TEST(client.read().body == "7/api/held?1");
  for (int i = 0; i < 200; ++i) BOOST_TEST(client.read().body == std::to_string(i) + "|-");
  BOOST_TEST(client.read().body == "last");
}

BOOST_AUTO_TEST_CASE(a_request_may_arrive_byte_by_byte) {
  const test_shop shop;
  auto client = shop.connect();
  for (int round = 0; round < 2; ++round) {
    for (const char c : post("/api/echo", R"({"slow":true})")) client.send({&c, 1});
    BOOST_TEST(client.read().body == R"({"slow":true})");
    for (const char c : chunked("/api/echo", "5\r\nhello\r\n0\r\n\r\n")) client.send({&c, 1});
    BOOST_TEST(client.read().body == "hello");
    // Beast asserts when the end of a lone last chunk comes later than its line.
    for (const char c : chunked("/api/echo", "0\r\n\r\n")) client.send({&c, 1});
    BOOST_TEST(client.read().status == 201);
  }
}

BOOST_AUTO_TEST_CASE(head_is_get_without_its_body) {
  const test_shop shop;
  auto client = shop.connect();
  client.send("HEAD /api/hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/api/hello"));
  const auto head = client.read(true);
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.header("Content-Length") == "11");
  BOOST_TEST(client.read().body == R"({"hello":1})");
}

BOOST_AUTO_TEST_CASE(a_refused_request_with_a_small_body_keeps_its_connection) {
  const test_shop shop;
  auto client = shop.connect();
  client.send(post("/api/nothing", "{}") + chunked("/api/nothing", "2\r\n{}\r\n0\r\n\r\n") +
              get("/api/hello"));
  BOOST_TEST(client.read().status == 404);
  BOOST_TEST(client.read().status == 404);
  BOOST_TEST(client.read().status == 200);
}

BOOST_AUTO_TEST_CASE(a_broken_request_ends_its_connection_after_the_answer) {
  const test_shop shop;
  auto client = shop.connect();
  client.send("nonsense\r\n\r\n" + get("/api/hello"));
  const auto got = client.read();
  BOOST_TEST(got.status == 400);
  BOOST_TEST(got.header("Connection") == "close");
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(connections_close_when_the_peer_says_so) {
  const test_shop shop;
  auto client = shop.connect();
  BOOST_TEST(client.ask(get("/api/hello", "Connection: close\r\n")).header("Connection") ==
             "close");
  BOOST_TEST(client.ended());
  auto old = shop.connect();
  BOOST_TEST(old.ask("GET /api/hello HTTP/1.0\r\n\r\n").status == 200);
  BOOST_TEST(old.ended());
  auto kept = shop.connect();
  const std::string keep = "GET /api/hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  BOOST_TEST(kept.ask(keep).header("Connection") == "keep-alive");
  BOOST_TEST(kept.ask(keep).status == 200);
}

BOOST_AUTO_TEST_CASE(a_peer_that_only_shut_its_sending_still_gets_its_answer) {
  const test_shop shop;
  auto client = shop.connect();
  client.send(get("/api/large"));
  client.shut_sending();
  BOOST_TEST(client.read().body.size() == 4'000'000u);
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(expectations_are_met_before_the_body_comes) {
  const test_shop shop;
  for (const std::string path : {"/api/echo", "/api/stream"}) {
    auto client = shop.connect();
    const auto type = path == "/api/echo" ? "application/json" : "application/x-ndjson";
    client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
                "\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(client.read(true).status == 100);
    client.send("abc");
    BOOST_TEST(client.read().status == (path == "/api/echo" ? 201 : 200));
  }
  auto refused = shop.connect();
  refused.send(
      "POST /api/small HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
      "99\r\nExpect: "
      "100-continue\r\n\r\n");
  BOOST_TEST(refused.read().status == 413);
  BOOST_TEST(refused.ended());
}

BOOST_AUTO_TEST_CASE(ids_are_kept_when_well_formed_and_made_otherwise) {
  const test_shop shop;
  auto client = shop.connect();
  BOOST_TEST(client.ask(get("/api/hello", "X-Request-Id: abc-1.2_3\r\n")).header("X-Request-Id") ==
             "abc-1.2_3");
  BOOST_TEST(client.ask(get("/api/hello", "X-Request-Id: a b\r\n")).header("X-Request-Id").size() ==
             32u);
  const auto trace = "4bf92f3577b34da6a3ce929d0e0e4736"s;
  const auto kept =
      client.ask(get("/api/hello", "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n"));
  BOOST_TEST(kept.header("traceparent").substr(0, 36) == "00-" + trace + "-");
  BOOST_TEST(kept.header("traceparent").find("00f067aa0ba902b7") == std::string::npos);
  BOOST_TEST(kept.header("traceparent").ends_with("-01"));
  const auto made =
      client.ask(get("/api/hello", "traceparent: 00-" + trace + "-0-01\r\n")).header("traceparent");
  BOOST_TEST(made.size() == 55u);
  BOOST_TEST(made.find(trace) == made.npos);
}

BOOST_AUTO_TEST_CASE(a_handlers_fields_cannot_be_split_and_its_caching_stands) {
  const test_shop shop;
  const auto got = shop.connect().ask(get("/api/csv"));
  BOOST_TEST(got.header("Cache-Control") == "max-age=5");
  BOOST_TEST(got.head.find("no-store") == std::string::npos);
  BOOST_TEST(got.header("Injected").empty());
  BOOST_TEST(got.header("Content-Type") == "text/csv");
  BOOST_TEST(got.header("Strict-Transport-Security").empty());
}

BOOST_AUTO_TEST_CASE(browsers_of_listed_origins_are_let_in) {
  server_options options;
  options.cors.origins = {"https://shop.example"};
  const test_shop shop(std::move(options));
  auto client = shop.connect();
  const std::string origin = "Origin: https://shop.example\r\n";
  const auto flight = client.ask("OPTIONS /api/echo HTTP/1.1\r\nHost: a\r\n" + origin +
                                 "Access-Control-Request-Method: POST\r\n\r\n");
  BOOST_TEST(flight.status == 204);
  BOOST_TEST(flight.header("Access-Control-Allow-Methods") == "POST, OPTIONS");
  BOOST_TEST(flight.header("Access-Control-Allow-Origin") == "https://shop.example");
  const auto got = client.ask(get("/api/hello", origin));
  BOOST_TEST(got.header("Access-Control-Allow-Origin") == "https://shop.example");
  BOOST_TEST(got.header("Vary") == "Origin");
  const auto other = client.ask(get("/api/hello", "Origin: https://evil.example\r\n"));
  BOOST_TEST(other.header("Access-Control-Allow-Origin").empty());
  BOOST_TEST(other.header("Vary") == "Origin");
}

BOOST_AUTO_TEST_CASE(slow_peers_are_cut_off) {
  const test_shop shop(with([](server_limits& l) {
    l.header_timeout = l.body_grace = l.idle_timeout = milliseconds(60);
    l.linger_timeout = milliseconds(60);
  }));
  auto silent = shop.connect();
  auto half_head = shop.connect();
  half_head.send("GET /api/hello HT");
  auto half_body = shop.connect();
  half_body.send(
      "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
      "5\r\n\r\nab");
  auto half_chunks = shop.connect();
  half_chunks.send(chunked("/api/echo", "5\r\nab"));
  auto half_stream = shop.connect();
  half_stream.send(
      "POST /api/stream HTTP/1.1\r\nHost: a\r\nContent-Type: "
      "application/x-ndjson\r\nContent-Length: 5\r\n\r\nab");
  auto idle = shop.connect();
  BOOST_TEST(idle.ask(get("/api/hello")).status == 200);
  BOOST_TEST(half_head.read().status == 408);
  BOOST_TEST(half_body.read().status == 408);
  BOOST_TEST(half_chunks.read().status == 408);
  BOOST_TEST(half_stream.read().body == R"("the body came too slowly")");
  for (peer* one : {&silent, &half_head, &half_body, &half_chunks, &half_stream, &idle})
    BOOST_TEST(one->ended());
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_is_cut_off) {
  const test_shop shop(with([](server_limits& l) {
    l.write_timeout = milliseconds(60);
    l.bytes_per_second_min = 1'000'000'000;
  }));
  auto client = shop.connect();
  for (int i = 0; i < 4; ++i) client.send(get("/api/large"));
  while (shop.front->counts().connections > 0) std::this_thread::yield();
}

BOOST_AUTO_TEST_CASE(slow_connections_do_not_delay_others) {
  const test_shop shop;
  std::vector<peer> slow;
  for (int i = 0; i < 500; ++i) {
    slow.push_back(shop.connect());
    slow.back().send("GET /api/hello HTTP/1.1\r\nHost: a\r\nX-");
  }
  auto client = shop.connect();
  for (int i = 0; i < 1000; ++i) BOOST_TEST(client.ask(get("/api/hello")).status == 200);
  BOOST_TEST(shop.front->counts().connections == 501u);
  for (auto& one : slow) one.send("A: 1\r\n\r\n");
  for (auto& one : slow) BOOST_TEST(one.read().status == 200);
}

BOOST_AUTO_TEST_CASE(requests_over_the_limit_in_flight_are_shed) {
  test_shop shop(with([](server_limits& l) { l.in_flight_max = 2; }));
  auto a = shop.connect();
  auto b = shop.connect();
  a.send(get("/api/held"));
  b.send(get("/api/held"));
  auto held = shop.held.take(1);
  while (held.size() < 2) held.push_back(shop.held.take(1).front());
  auto c = shop.connect();
  const auto shed = c.ask(get("/api/hello"));
  BOOST_TEST(shed.status == 503);
  BOOST_TEST(shed.header("Retry-After") == "1");
  BOOST_TEST(shed.code() == "overloaded");
  for (auto& done : held) done(1);
  BOOST_TEST(a.read().status == 200);
  BOOST_TEST(b.read().status == 200);
  BOOST_TEST(c.ask(get("/api/hello")).status == 200);
  BOOST_TEST(shop.front->counts().refused_requests == 1u);
}

BOOST_AUTO_TEST_CASE(connections_over_the_limit_are_turned_away) {
  const test_shop shop(with([](server_limits& l) { l.connections_max = 2; }));
  auto a = shop.connect();
  auto b = shop.connect();
  BOOST_TEST(a.ask(get("/api/hello")).status == 200);
  const auto served = b.ask(get("/api/hello"));
  BOOST_TEST(served.status == 200);
  auto c = shop.connect();
  const auto refused = c.read();
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(refused.code() == "overloaded");
  BOOST_TEST(refused.body.ends_with("}"));
  BOOST_TEST(refused.header("X-Request-Id").size() == 32u);
  BOOST_TEST(refused.body.find(refused.header("X-Request-Id")) != refused.body.npos);
  BOOST_TEST(refused.header("traceparent").size() == 55u);
  BOOST_TEST(!refused.header("Date").empty());
  for (const char* field : {"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
                            "Content-Security-Policy", "Cache-Control"}) {
    BOOST_TEST_CONTEXT(field) BOOST_TEST(refused.header(field) == served.header(field));
  }
  BOOST_TEST(refused.header("Retry-After") == "1");
  BOOST_TEST(shop.connect().read().header("X-Request-Id") != refused.header("X-Request-Id"));
  BOOST_TEST(c.ended());
  a.close();
  while (shop.front->counts().connections > 1) std::this_thread::yield();
  BOOST_TEST(shop.connect().ask(get("/api/hello")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_handler_may_be_answered_from_any_thread_and_only_once) {
  test_shop shop;
  auto client = shop.connect();
  for (int i = 0; i < 50; ++i) {
    client.send(get("/api/held"));
    auto held = shop.held.take(1);
    std::thread([done = held.front(), i] {
      done(i);
      done(-1);
    }).join();
    BOOST_TEST(client.read().body == std::to_string(i) + "/api/held");
  }
}

BOOST_AUTO_TEST_CASE(a_peer_that_leaves_does_not_take_its_request_along) {
  test_shop shop;
  {
    auto client = shop.connect();
    client.send(get("/api/held"));
    auto held = shop.held.take(1);
    client.close();
    held.front()(1);
  }
  BOOST_TEST(shop.log.wait(1).front() == "GET /api/held 200");
  while (shop.front->counts().connections > 0) std::this_thread::yield();
  BOOST_TEST(shop.front->counts().in_flight == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_breaks_off_is_told_to_its_handler) {
  test_shop shop;
  auto client = shop.connect();
  client.send(
      "POST /api/stream HTTP/1.1\r\nHost: a\r\nContent-Type: "
      "application/x-ndjson\r\nContent-Length: 9\r\n\r\nab");
  client.close();
  BOOST_TEST(shop.log.wait(1).front() == "POST /api/stream 400");
}

BOOST_AUTO_TEST_CASE(a_handler_need_not_read_its_stream) {
  const test_shop shop;
  auto client = shop.connect();
  const auto got = client.ask(post("/api/ignore-stream", std::string(100'000, 'x'), "text/plain"));
  BOOST_TEST(got.status == 200);
  BOOST_TEST(got.header("Connection") == "close");
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(the_access_log_has_a_line_for_each_answer) {
  test_shop shop;
  auto client = shop.connect();
  client.send(get("/api/items/1?q=secret") + get("/api/nothing") + get("/api/throws") +
              "bad\r\n\r\n");
  for (int i = 0; i < 4; ++i) client.read();
  const std::vector<std::string> expected{"GET /api/items/{id} 200", "GET  404",
                                          "GET /api/throws 500 fault", "  400"};
  BOOST_TEST(shop.log.wait(4) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(stopping_lets_requests_in_flight_end) {
  test_shop shop;
  auto idle = shop.connect();
  BOOST_TEST(idle.ask(get("/api/hello")).status == 200);
  auto busy = shop.connect();
  busy.send(get("/api/held"));
  auto held = shop.held.take(1);
  bool in_time = false;
  std::thread stopper([&] { in_time = shop.front->stop(std::chrono::seconds(20)); });
  BOOST_TEST(idle.ended());
  held.front()(5);
  const auto last = busy.read();
  BOOST_TEST(last.body == "5/api/held");
  BOOST_TEST(last.header("Connection") == "close");
  BOOST_TEST(busy.ended());
  stopper.join();
  BOOST_TEST(in_time);
}

BOOST_AUTO_TEST_CASE(stopping_does_not_wait_beyond_its_deadline) {
  std::vector<reply_callback<int>> late;
  {
    test_shop shop;
    auto busy = shop.connect();
    busy.send(get("/api/held"));
    late = shop.held.take(1);
    BOOST_TEST(!shop.front->stop(milliseconds(10)));
    BOOST_TEST(busy.ended());
  }
  late.front()(1);  // the server is gone: nothing happens
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_refused_in_one_line) {
  const test_shop shop;
  server_options options;
  options.port = shop.port();
  auto second = server::start(std::move(options), router());
  BOOST_TEST_REQUIRE(!second.has_value());
  BOOST_TEST(second.error().detail == "cannot listen on 127.0.0.1:" + std::to_string(shop.port()) +
                                          ": Address already in use");
  options.host = "nowhere";
  BOOST_TEST(!server::start(std::move(options), router()).has_value());
}

BOOST_AUTO_TEST_CASE(new_limits_hold_for_what_comes) {
  const test_shop shop;
  server_limits limits;
  limits.body_bytes_max = 4;
  shop.front->set_limits(limits);
  auto client = shop.connect();
  BOOST_TEST(client.ask(post("/api/echo", "12345")).status == 413);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace server_test
}  // namespace omnicart::http
