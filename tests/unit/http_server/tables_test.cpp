#include <boost/test/unit_test.hpp>

#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/server/router.hpp"

namespace omnicart::http {
namespace tables_test {

using namespace std::string_literals;

request with(std::vector<name_value> fields, method verb = method::get) {
  request req;
  req.verb = verb;
  req.fields = std::move(fields);
  return req;
}

BOOST_AUTO_TEST_SUITE(http_tables)

BOOST_AUTO_TEST_CASE(paths_find_their_routes) {
  router routes;
  const handler nothing = [](request&) -> task<response> { co_return response{}; };
  for (const char* path :
       {"/api/cart", "/api/cart/{user}", "/api/cart/items", "/api/cart/items/{product}",
        "/api/cart/{user}/items", "/api/cart/{user}/items/{product}", "/health", "/",
        "/api/cart/{user}/lines/{line}"}) {
    routes.get(path, nothing);
  }
  routes.remove("/api/cart/{owner}", nothing);
  struct row {
    const char* path;
    const char* pattern;
    const char* params;
  };
  const row rows[] = {
      {"/api/cart", "/api/cart", ""},
      {"/cart/", "/api/cart", ""},
      {"/api/cart/items", "/api/cart/items", ""},
      {"/api/cart/u1", "/api/cart/{user}", "user=u1;"},
      {"/api/cart/items/p1", "/api/cart/items/{product}", "product=p1;"},
      {"/api/cart/u1/items", "/api/cart/{user}/items", "user=u1;"},
      {"/api/cart/u1/items/p%2F1", "/api/cart/{user}/items/{product}", "user=u1;product=p/1;"},
      {"/api/cart/items/lines/l1", "/api/cart/{user}/lines/{line}", "user=items;line=l1;"},
      {"/api/c%61rt", "/api/cart", ""},
      {"/api/health", "/health", ""},
      {"/", "/", ""},
      {"/api", "/", ""},
      {"/api/cart/u1/other", nullptr, ""},
      {"/api/cart//items", nullptr, ""},
      {"/api/cart//", nullptr, ""},
      {"//", nullptr, ""},
      {"cart", nullptr, ""},
      {"", nullptr, ""},
      {"/API/cart", nullptr, ""},
      {"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t", nullptr, ""},
  };
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.path) {
      std::vector<name_value> params;
      std::string scratch;
      const auto match = routes.match(method::get, r.path, params, scratch);
      BOOST_TEST((match.what == route_match::outcome::found) == (r.pattern != nullptr));
      if (match.found == nullptr) continue;
      BOOST_TEST(match.found->pattern == r.pattern);
      std::string text;
      for (const auto& p : params) text += std::string(p.name) + '=' + std::string(p.value) + ';';
      BOOST_TEST(text == r.params);
    }
  }
  std::vector<name_value> params;
  std::string scratch;
  const auto other = routes.match(method::post, "/cart/u1", params, scratch);
  BOOST_TEST((other.what == route_match::outcome::no_method));
  BOOST_TEST(other.allow == "GET, HEAD, DELETE, OPTIONS");
  BOOST_TEST_REQUIRE(routes.match(method::delete_, "/cart/u1", params, scratch).found != nullptr);
  BOOST_TEST(params.front().name == "owner");
}

BOOST_AUTO_TEST_CASE(idempotency_keys_are_read_quoted_or_bare) {
  struct row {
    std::string sent;
    std::string key;
  };  // "" is a refusal
  const row rows[] = {
      {"abc", "abc"},
      {"\"abc\"", "abc"},
      {"\"a\\\"b\\\\c\"", "a\"b\\c"},
      {"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
      {"two words", "two words"},
      {std::string(255, 'x'), std::string(255, 'x')},
      {std::string(256, 'x'), ""},
      {"", ""},
      {"\"\"", ""},
      {"\"", ""},
      {"\"abc", ""},
      {"\"a\"b\"", ""},
      {"\"a\\b\"", ""},
      {"\"a\\\"", ""},
      {"\" a\"", ""},
      {"caf\xc3\xa9", ""},
      {"a\tb", ""}};
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.sent) {
      const auto key = idempotency_key(with({{"idempotency-key", r.sent}}));
      BOOST_TEST(key.has_value() == !r.key.empty());
      if (key) BOOST_TEST(key->value() == r.key);
    }
  }
  BOOST_TEST(!idempotency_key(with({}))->has_value());
  BOOST_TEST(
      !idempotency_key(with({{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}})).has_value());
}

BOOST_AUTO_TEST_CASE(if_none_match_spares_a_body) {
  struct row {
    const char* sent;
    bool spared;
  };
  for (const auto& r :
       {row{"\"7\"", true}, row{"W/\"7\"", true}, row{"*", true}, row{"\"1\", \"7\"", true},
        row{"\"1\",W/\"7\"", true}, row{"\"8\"", false}, row{"7", false}, row{"\"7", false},
        row{"", false}, row{"\"1\" \"7\"", false}, row{"\"a\\\", \"7\"", true}}) {
    BOOST_TEST(not_modified(with({{"If-None-Match", r.sent}}), "\"7\"") == r.spared, r.sent);
  }
  BOOST_TEST(!not_modified(with({}), "\"7\""));
  BOOST_TEST(!not_modified(with({{"If-None-Match", "\"7\""}}, method::put), "\"7\""));
}

BOOST_AUTO_TEST_CASE(if_match_names_a_version) {
  constexpr auto nobody = ~std::uint64_t{0};
  struct row {
    const char* sent;
    std::optional<std::uint64_t> version;
  };
  for (const auto& r : {row{"\"7\"", 7}, row{"\"0\"", 0}, row{"W/\"7\"", nobody},
                        row{"\"x\"", nobody}, row{"\"07\"", nobody}, row{"\"7\", \"9\"", 9},
                        row{"*", std::nullopt}, row{"\"99999999999999999999\"", nobody}}) {
    const auto condition = if_match(with({{"If-Match", r.sent}}));
    BOOST_TEST_REQUIRE(condition.has_value(), r.sent);
    BOOST_TEST((condition->version == r.version), r.sent);
    BOOST_TEST(condition->must_exist);
  }
  BOOST_TEST(!if_match(with({}))->must_exist);
  for (const char* bad : {"7", "\"7", "", "\"7\" \"8\"", "w/\"7\"", ","}) {
    BOOST_TEST(!if_match(with({{"If-Match", bad}})).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(accept_fields_are_understood) {
  struct row {
    const char* accept;
    bool taken;
  };
  for (const auto& r :
       {row{"", true}, row{"*/*", true}, row{"application/json", true},
        row{"APPLICATION/JSON", true}, row{"application/*", true},
        row{"application/problem+json", true}, row{"text/csv", true}, row{"text/html", false},
        row{"text/html, application/json;q=0.1", true}, row{"application/json;q=0", false},
        row{"*/*;q=0", false}, row{"*/*;q=0.0", false}, row{"application/*;q=0, */*", true},
        row{"image/*", false}, row{"application/jsonp", false}}) {
    BOOST_TEST(accepts(r.accept, "text/csv") == r.taken, r.accept);
  }
}

BOOST_AUTO_TEST_CASE(trace_parents_are_checked) {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const std::string good = "00-" + trace + "-00f067aa0ba902b7-01";
  BOOST_TEST(parse_traceparent(good)->trace_id == trace);
  BOOST_TEST(parse_traceparent("cc" + good.substr(2) + "-more").has_value());
  for (const std::string& bad : {std::string(), good + "-x", "ff" + good.substr(2), good.substr(1),
                                 "00-" + std::string(32, '0') + good.substr(35),
                                 good.substr(0, 36) + std::string(16, '0') + "-01",
                                 "00-" + std::string(32, 'A') + good.substr(35)}) {
    BOOST_TEST(!parse_traceparent(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(cookies_and_tokens_are_found) {
  BOOST_TEST(*cookie(with({{"Cookie", "a=1; session=xyz; b=2"}}), "session") == "xyz");
  BOOST_TEST(!cookie(with({{"Cookie", "xsession=1"}}), "session").has_value());
  BOOST_TEST(*bearer_token(with({{"authorization", "bearer  t.o.k"}})) == "t.o.k");
  BOOST_TEST(!bearer_token(with({{"Authorization", "Basic abc"}})).has_value());
}

// What parse_json says: "" for good, else the first error's pointer and code.
std::string verdict(std::string_view text) {
  std::vector<field_error> errors;
  const auto value = parse_json(text, errors);
  if (value) return errors.empty() ? "" : "value and errors";
  return errors.empty() ? "nothing" : errors.front().pointer + ' ' + errors.front().code;
}

BOOST_AUTO_TEST_CASE(json_is_taken_strictly) {
  struct row {
    std::string text;
    const char* verdict;
  };
  const std::string deep32 = std::string(32, '[') + std::string(32, ']');
  const std::string deep33 = std::string(33, '[') + std::string(33, ']');
  const row rows[] = {
      {"{}", ""},
      {" {\"a\" : [1, 2.50, true, null, \"x\"]}\n", ""},
      {"1", ""},
      {"\"\\u00e9\\ud83d\\ude00\"", ""},
      {deep32, ""},
      {deep33, "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0 out_of_range"},
      {"", " malformed"},
      {"{", " malformed"},
      {"{} {}", " malformed"},
      {"{}x", " malformed"},
      {"{}\0"s, " malformed"},
      {"\xEF\xBB\xBF{}", " malformed"},
      {"{\"a\":\"\xff\"}", " malformed"},
      {"{\"a\":\"\xc0\xaf\"}", " malformed"},
      {"\"\xed\xa0\x80\"", " malformed"},
      {"\"\\ud800\"", " malformed"},
      {"\"\\udc00\\ud800\"", " malformed"},
      {"\"\\x41\"", " malformed"},
      {"\"a\nb\"", " malformed"},
      {"{\"a\":1,}", " malformed"},
      {"[1,]", " malformed"},
      {"{a:1}", " malformed"},
      {"{'a':1}", " malformed"},
      {"// c\n{}", " malformed"},
      {"01", " malformed"},
      {"+1", " malformed"},
      {".5", " malformed"},
      {"1.", " malformed"},
      {"0x10", " malformed"},
      {"NaN", " malformed"},
      {"Infinity", " malformed"},
      {"1e999", " malformed"},
      {"True", " malformed"},
      {"{\"a\":1,\"a\":2}", "/a duplicate_key"},
      {"{\"x\":[{},{\"b/~\":1,\"c\":2,\"b/~\":3}]}", "/x/1/b~1~0 duplicate_key"},
      {"{\"a\":1,\"\\u0061\":2}", "/a duplicate_key"}};
  for (const auto& r : rows)
    BOOST_TEST(verdict(r.text) == r.verdict, r.text << " gives " << verdict(r.text));
}

std::string errors_text(const std::vector<field_error>& errors) {
  std::string text;
  for (const auto& e : errors) text += e.pointer + ' ' + e.code + ';';
  return text;
}

BOOST_AUTO_TEST_CASE(members_are_read_without_passing_through_floats) {
  struct row {
    const char* body;
    const char* errors;
  };
  const row rows[] = {
      {R"({"email":"a@b","quantity":3})", ""},
      {R"({"email":"a@b","quantity":null})", ""},
      {R"({"quantity":3})", "/email missing;"},
      {R"({"email":null})", "/email wrong_type;"},
      {R"({"email":7})", "/email wrong_type;"},
      {R"({"email":""})", "/email out_of_range;"},
      {R"({"email":"12345678901"})", "/email too_long;"},
      {R"({"email":"a\u0000b"})", "/email malformed;"},
      {R"({"email":"a","quantity":1.0})", "/quantity wrong_type;"},
      {R"({"email":"a","quantity":1e3})", "/quantity wrong_type;"},
      {R"({"email":"a","quantity":"3"})", "/quantity wrong_type;"},
      {R"({"email":"a","quantity":true})", "/quantity wrong_type;"},
      {R"({"email":"a","quantity":-1})", "/quantity out_of_range;"},
      {R"({"email":"a","quantity":1000000})", "/quantity out_of_range;"},
      {R"({"email":"a","quantity":99999999999999999999})", "/quantity out_of_range;"},
      {R"({"email":"a","quantity":18446744073709551615})", "/quantity out_of_range;"},
      {R"({"email":"a","price":{"amount":1299,"currency":"GBP"}})", ""},
      {R"({"email":"a","price":12.99})", ""},
      {R"({"email":"a","price":"12.99"})", ""},
      {R"({"email":"a","price":12.999})", "/price malformed;"},
      {R"({"email":"a","price":1e1})", "/price malformed;"},
      {R"({"email":"a","price":-1})", "/price out_of_range;"},
      {R"({"email":"a","price":true})", "/price wrong_type;"},
      {R"({"email":"a","price":{"amount":12.99,"currency":"GBP"}})", "/price/amount wrong_type;"},
      {R"({"email":"a","price":{"amount":1}})", "/price/currency missing;"},
      {R"({"email":"a","price":{"amount":1,"currency":"gbp"}})", "/price/currency malformed;"},
      {R"({"email":"a","price":{"amount":1,"currency":"GBP","x":1}})", "/price/x unknown_member;"},
      {R"({"email":"a","tags":["x","y"]})", ""},
      {R"({"email":"a","tags":["x",1,"toolong"]})", "/tags/1 wrong_type;/tags/2 too_long;"},
      {R"({"email":"a","tags":["1","2","3","4"]})", "/tags out_of_range;"},
      {R"({"email":"a","tags":{}})", "/tags wrong_type;"},
      {R"({"email":"a","type":"card"})", ""},
      {R"({"email":"a","type":"cash"})", "/type out_of_range;"},
      {R"({"email":"a","flag":1})", "/flag wrong_type;"},
      {R"({"email":"a","extra":1,"b/c":2})", "/extra unknown_member;/b~1c unknown_member;"},
      {R"({"Email":"a"})", "/email missing;/Email unknown_member;"},
      {R"([])", " wrong_type;"},
      {R"("email")", " wrong_type;"},
      {R"({"email":1,"quantity":"x","y":0})",
       "/email wrong_type;/quantity wrong_type;/y unknown_member;"},
      {"{", " malformed;"},
  };
  const auto gbp = *currency_code::parse("GBP");
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.body) {
      std::vector<field_error> errors;
      const auto body = parse_json(r.body, errors);
      object_reader read(body, errors);
      read.required_string("email", 10);
      read.optional_int("quantity", 0, 999'999);
      const auto price = read.optional_money("price", gbp);
      read.string_array("tags", 3, 5);
      read.optional_word("type", {"card", "paypal"});
      read.optional_bool("flag");
      read.finish();
      BOOST_TEST(errors_text(errors) == r.errors);
      if (price) BOOST_TEST(price->amount_minor == 1299);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_is_written_as_it_came) {
  const std::string text =
      R"({"b":[1,2.50,-0.10,"x\"y",{"z":null}],"a":true,"é":12345678901234567890.123456789})";
  std::vector<field_error> errors;
  const auto value = parse_json(text, errors);
  BOOST_TEST_REQUIRE(value.has_value());
  BOOST_TEST(to_text(*value) == text);
}

BOOST_AUTO_TEST_CASE(text_is_written_as_valid_json) {
  std::string out;
  json_writer json(out);
  json.begin_object()
      .member("s", "a\"\\\n\x01\xff")
      .member("n", std::int64_t{-5})
      .member("u", ~std::uint64_t{0});
  json.key("list")
      .begin_array()
      .value(1)
      .value(true)
      .null()
      .begin_object()
      .end_object()
      .end_array();
  json.key("m").money_value(1299, "GBP").key("r").raw("[0]").end_object();
  BOOST_TEST(out ==
             "{\"s\":\"a\\\"\\\\\\u000a\\u0001\xEF\xBF\xBD\",\"n\":-5,\"u\":18446744073709551615,"
             "\"list\":[1,true,null,{}],\"m\":{\"amount\":1299,\"currency\":\"GBP\"},\"r\":[0]}");
}

BOOST_AUTO_TEST_CASE(problems_name_what_is_wrong) {
  const auto answer = problem_response({.status = 409,
                                        .code = "price_changed",
                                        .retryable = false,
                                        .errors = {{"/items/0", "out_of_range", "x"}},
                                        .retry_after_s = 3,
                                        .members = R"("order_id":"o1")"},
                                       "r1");
  BOOST_TEST(
      answer.body ==
      R"({"type":"urn:omnicart:problem:price_changed","title":"Conflict","status":409,"detail":"Conflict",)"
      R"("code":"price_changed",)"
      R"("request_id":"r1","retryable":false,"errors":[{"pointer":"/items/0","code":"out_of_range","detail":"x"}],)"
      R"("order_id":"o1"})");
  BOOST_TEST(answer.headers == "Retry-After: 3\r\n");
}

BOOST_AUTO_TEST_CASE(every_401_names_a_way_to_be_let_in) {
  BOOST_TEST(problem_response({.status = 401, .code = "bad_credentials"}, "r1").headers == "WWW-Authenticate: Bearer\r\n");
  BOOST_TEST(problem_response({.status = 403, .code = "forbidden"}, "r1").headers.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace tables_test
}  // namespace omnicart::http
