#include "tools/omnicartctl/location_line.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::ctl {

BOOST_AUTO_TEST_SUITE(location_lines)

BOOST_AUTO_TEST_CASE(a_line_becomes_what_the_shop_takes) {
  const struct {
    const char *given, *id, *sent;
  } table[] = {
      {R"({"id":"leeds","name":"Leeds","latitude":53.5,"longitude":-1.5})", "leeds",
       R"({"name":"Leeds","latitude":53.5,"longitude":-1.5})"},
      {R"({"id":1000,"type":"BigBox","name":"Mall","address":"340 W Market","address2":"","city":"Bloomington",)"
       R"("state":"MN","zip":"55425","location":{"lat":44.85466,"lon":-93.24565},"hours":"Mon: 10-9","services":["A","B "]})",
       "1000",
       R"({"type":"BigBox","name":"Mall","hours":"Mon: 10-9","services":["A","B"],"address":{"line1":"340 W Market",)"
       R"("city":"Bloomington","region":"MN","postal_code":"55425","country":"US"},)"
       R"("latitude":44.85466,"longitude":-93.24565})"},
      {R"({"id":1,"name":"A","address":"x","address2":null,"country":"CA"})", "1",
       R"({"name":"A","address":{"line1":"x","country":"CA"}})"},
      {R"({"id":"a","name":"A","address":{"line1":"x","country":"GB"}})", "a",
       R"({"name":"A","address":{"line1":"x","country":"GB"}})"},
      {R"({"id":"a","name":" two\nlines ","services":["",null],"hours":null})", "a",
       R"({"name":"two lines"})"},
      {R"({"id":"a","opening":"soon","address":{}})", "a", R"({"opening":"soon"})"},
      // Half away from zero, digit by digit; what the shop would refuse anyway stays as it is.
      {R"({"id":"a","location":{"lat":30.1234565,"lon":-93.12345649}})", "a",
       R"({"latitude":30.123457,"longitude":-93.123456})"},
      {R"({"id":"a","location":{"lat":-0.9999995,"lon":0.00000049}})", "a",
       R"({"latitude":-1,"longitude":0})"},
      {R"({"id":"a","location":{"lat":1.0000000e1,"lon":"east"}})", "a",
       R"({"latitude":1.0000000e1,"longitude":"east"})"},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.given) {
      const auto got = read_location_line(row.given);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(got->id == row.id);
      BOOST_TEST(got->body == row.sent);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_has_no_id_is_refused) {
  for (const char* bad :
       {"", "{", "[]", "1", "\"a\"", "\xFF", R"({"name":"A"})", R"({"id":null})", R"({"id":true})",
        R"({"id":"a/b"})", R"({"id":".."})", R"({"id":"a","id":"b"})"}) {
    const auto got = read_location_line(bad);
    BOOST_TEST_REQUIRE(!got.has_value(), bad);
    BOOST_TEST((got.error().code == exit_code::usage));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::ctl
