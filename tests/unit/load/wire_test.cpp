#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>

#include "runtime/base/text.hpp"
#include "tools/load/caller.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/options.hpp"
#include "tools/load/prepared.hpp"

namespace omnicart::load {
namespace wire_test {

// Feeds `bytes` in pieces; the answers read, or "malformed" at the end.
std::vector<std::string> answers_in(std::string_view bytes, std::size_t piece,
                                    bool then_closed = false) {
  std::vector<std::string> seen;
  answer_reader reader;
  http_answer answer;
  reader.begin(answer);
  const auto keep = [&] {
    seen.push_back(std::to_string(answer.status) + (answer.keep_alive ? " " : " close ") +
                   answer.body);
    reader.begin(answer);
  };
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = bytes.substr(at, piece);
    const auto [where, room] = reader.space();
    BOOST_TEST_REQUIRE(room >= part.size());
    std::memcpy(where, part.data(), part.size());
    auto whole = reader.took(part.size());
    while (whole && *whole) {
      keep();
      whole = reader.took(0);
    }
    if (!whole) {
      seen.push_back("malformed");
      return seen;
    }
  }
  if (then_closed && reader.closed()) keep();
  return seen;
}

BOOST_AUTO_TEST_SUITE(load_wire)

BOOST_AUTO_TEST_CASE(answers_are_read_whatever_the_pieces) {
  struct row {
    const char* bytes;
    std::vector<std::string> expected;
  };
  for (const auto& r :
       {row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", {"200 hello"}},
        row{"HTTP/1.1 204 No Content\r\n\r\n", {"204 "}},
        row{"HTTP/1.1 201 Created\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            {"201 abcde"}},
        row{"HTTP/1.1 409 Conflict\r\nConnection: close\r\ncontent-length: 2\r\n\r\n{}",
            {"409 close {}"}},
        row{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 Not "
            "Found\r\nContent-Length: 1\r\n\r\nb",
            {"200 a", "404 b"}},
        row{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            {"100 ", "200 "}},
        row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", {}},
        row{"SMTP ready\r\n\r\n", {"malformed"}},
        row{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", {"malformed"}}}) {
    for (const std::size_t piece : {1, 3, 7, 4000}) {
      BOOST_TEST(answers_in(r.bytes, piece) == r.expected, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_without_length_ends_with_the_connection) {
  const auto seen = answers_in("HTTP/1.1 200 OK\r\n\r\nrest", 4, true);
  BOOST_TEST_REQUIRE(seen.size() == 1u);
  BOOST_TEST(seen[0] == "200 close rest");
}

BOOST_AUTO_TEST_CASE(a_cut_answer_is_no_answer) {
  BOOST_TEST(answers_in("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nrest", 100, true).empty());
  BOOST_TEST(answers_in("", 100, true).empty());
}

BOOST_AUTO_TEST_CASE(a_large_answer_fits) {
  const std::string body(300'000, 'x');
  const auto seen = answers_in("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body, 4000);
  BOOST_TEST_REQUIRE(seen.size() == 1u);
  BOOST_TEST(seen[0].size() == body.size() + 4);
}

BOOST_AUTO_TEST_CASE(urls_are_plain_http_hosts) {
  const auto plain = parse_url("http://127.0.0.1:8080");
  BOOST_TEST_REQUIRE(plain.has_value());
  BOOST_TEST(plain->host == "127.0.0.1");
  BOOST_TEST(plain->port == "8080");
  BOOST_TEST(plain->authority == "127.0.0.1:8080");
  BOOST_TEST(parse_url("http://shop/")->port == "80");
  BOOST_TEST(parse_url("http://[::1]:81")->host == "::1");
  for (const char* bad :
       {"", "shop:80", "https://shop", "http://", "http://shop/api", "http://shop:0",
        "http://shop:x", "http://shop:99999", "http://a@b", "http://[::1"}) {
    BOOST_TEST(!parse_url(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(a_request_is_formatted_with_what_it_needs_only) {
  const endpoint peer{.host = "h", .port = "1", .authority = "h:1"};
  std::string out = "old";
  format_request({.method = "GET", .path = "/a"}, peer, out);
  BOOST_TEST(out == "GET /a HTTP/1.1\r\nHost: h:1\r\n\r\n");
  format_request({.method = "POST", .path = "/a", .body = "{}", .idempotency_key = "k"}, peer, out);
  BOOST_TEST(
      out ==
      "POST /a HTTP/1.1\r\nHost: h:1\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n"
      "Content-Length: 2\r\n\r\n{}");
  BOOST_TEST(percent_encoded("BANK CHARGES") == "BANK%20CHARGES");
  BOOST_TEST(percent_encoded("a/b?c%\xC2\xA3~") == "a%2Fb%3Fc%25%C2%A3~");
}

BOOST_AUTO_TEST_CASE(only_answers_that_may_change_are_repeated) {
  struct row {
    int status;
    const char* body;
    bool again;
  };
  for (const auto& r :
       {row{503, "", true}, row{429, "{}", true}, row{408, "", true}, row{504, "", true},
        row{200, "", false}, row{404, "{}", false}, row{402, R"({"retryable":true})", false},
        row{409, R"({"code":"in_progress","retryable":true,"order_id":"o"})", true},
        row{409, R"({"code":"out_of_stock","order_id":"o","retryable":false})", false},
        row{409, R"({"code":"key_spent"})", false}, row{500, "{}", false},
        row{500, R"({"retryable":true})", true}}) {
    const http_answer answer{.status = r.status, .body = r.body};
    BOOST_TEST(worth_repeating(answer) == r.again, r.status << " " << r.body);
  }
}

BOOST_AUTO_TEST_CASE(only_a_node_that_cannot_answer_is_left_for_another) {
  for (const int status : {502, 503, 504})
    BOOST_TEST(worth_leaving({.status = status, .body = {}}));
  for (const int status : {200, 402, 404, 408, 409, 429, 500}) {
    BOOST_TEST(!worth_leaving({.status = status, .body = {}}));
  }
}

BOOST_AUTO_TEST_CASE(back_off_doubles_to_a_second_and_never_beyond) {
  chance luck(5);
  for (const auto& [attempt, most_us] :
       {std::pair{1, 20'000}, {2, 40'000}, {5, 320'000}, {7, 1'000'000}, {1000, 1'000'000}}) {
    for (int i = 0; i < 50; ++i) {
      const auto wait_us = back_off(attempt, luck).count();
      BOOST_TEST(wait_us >= most_us / 2);
      BOOST_TEST(wait_us <= most_us);
    }
  }
}

BOOST_AUTO_TEST_CASE(members_are_found_at_the_outermost_level_only) {
  const char* text =
      R"({"a":{"code":"inner","x":[1,{"code":"deep"}]}, "s" : "q\"\u00e9", "n":-12,"t":true,"code":"out"})";
  BOOST_TEST(json_string(text, "code") == "out");
  BOOST_TEST(json_string(text, "s") == "q\"\xC3\xA9");
  BOOST_TEST(json_integer(text, "n").value() == -12);
  BOOST_TEST(json_true(text, "t"));
  BOOST_TEST(json_member(text, "a") == R"({"code":"inner","x":[1,{"code":"deep"}]})");
  BOOST_TEST(json_string(text, "x") == "");
  BOOST_TEST(!json_integer(text, "s").has_value());
}

BOOST_AUTO_TEST_CASE(broken_json_reads_as_absent) {
  for (const char* text : {"", "{", "{\"code", "{\"code\"", "{\"code\":", "[\"code\"]",
                           "{\"code\":\"x", "{\"a\":[1,2", "{\"a\":\"\\", "null", "{code:1}"}) {
    BOOST_TEST(json_string(text, "code") == "", text);
    BOOST_TEST(!json_integer(text, "code").has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(quoted_text_survives_a_parse) {
  const std::string odd = "7\" \\ tab\t nul\x01 \xC2\xA3";
  BOOST_TEST(json_string("{\"v\":" + json_quoted(odd) + "}", "v") == odd);
}

BOOST_AUTO_TEST_CASE(prepared_requests_are_dealt_evenly_and_saved_as_they_are) {
  std::vector<std::string> made;
  for (int i = 0; i < 10; ++i)
    made.push_back("GET /" + std::to_string(i) + "\r\n\r\n" + std::string(1, '\0'));
  const char* path = "unit_load_prepared";
  BOOST_TEST_REQUIRE(save_prepared(path, made).has_value());
  const auto read = load_prepared(path);
  std::remove(path);
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST((*read == made));
  const auto turns = deal(made, 4);
  BOOST_TEST(turns[0].size() == 3u);
  BOOST_TEST(turns[3].size() == 2u);
  const auto few = deal({"a"}, 3);
  BOOST_TEST(few[2].front() == "a");
  BOOST_TEST(!load_prepared("/nonexistent").has_value());
}

BOOST_AUTO_TEST_CASE(options_are_read_before_and_after_the_scenario) {
  int code = -1;
  const char* line[] = {"omnicart-load", "--target", "http://h:1",    "replay", "f.csv",
                        "--limit",       "7",        "--connections", "8",      "--json",
                        "out.json"};
  const auto read = read_options(static_cast<int>(std::size(line)), line, code);
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST(read->targets == std::vector<std::string>{"http://h:1"},
             boost::test_tools::per_element());
  BOOST_TEST(read->scenario.scenario == "replay");
  BOOST_TEST(read->scenario.row_limit == 7);
  BOOST_TEST(read->scenario.connections == 8u);
  BOOST_TEST(read->json_file == "out.json");
}

BOOST_AUTO_TEST_CASE(nodes_are_named_with_commas_or_one_by_one) {
  int code = -1;
  const char* line[] = {"omnicart-load", "--target",   "http://a:1,http://b:2",
                        "--target",      "http://c:3", "storefront"};
  const auto read = read_options(static_cast<int>(std::size(line)), line, code);
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST(read->targets == (std::vector<std::string>{"http://a:1", "http://b:2", "http://c:3"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_storefronts_proportions_are_read) {
  int code = -1;
  const char* line[] = {"omnicart-load", "storefront", "--cards",      "late=2.5,twice=3",
                        "--coupons",     "70",         "--single-use", "3",
                        "--returned",    "5",          "--leave-terms"};
  const auto read = read_options(static_cast<int>(std::size(line)), line, code);
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST(read->scenario.cards == (std::vector<std::string>{"late=2.5", "twice=3"}),
             boost::test_tools::per_element());
  BOOST_TEST(read->scenario.coupon_percent == 70);
  BOOST_TEST(read->scenario.single_use_coupons == 3u);
  BOOST_TEST(read->scenario.returned_percent == 5);
  BOOST_TEST(read->scenario.leave_terms);
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_exit_code_2) {
  for (const std::vector<const char*>& line :
       {std::vector<const char*>{"omnicart-load"},
        {"omnicart-load", "no-such"},
        {"omnicart-load", "replay"},
        {"omnicart-load", "storefront", "--duration", "0"},
        {"omnicart-load", "--operator", "http://h:1", "storefront"},
        {"omnicart-load", "storefront", "--unknown"},
        {"omnicart-load", "storefront", "--cards", "gold=5"},
        {"omnicart-load", "storefront", "--cards", "late=60,twice=50"},
        {"omnicart-load", "storefront", "--coupons", "101"},
        // Found out at the start, not after an hour of traffic.
        {"omnicart-load", "storefront", "--json", "/nowhere/report.json"},
        {"omnicart-load", "storefront", "--html", "/tmp"},
        {"omnicart-load", "bench", "--requests", "raw", "--save", "/nowhere/requests"}}) {
    int code = -1;
    BOOST_TEST(!read_options(static_cast<int>(line.size()), line.data(), code).has_value());
    BOOST_TEST(code == 2);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wire_test
}  // namespace omnicart::load
