#include "tools/omnicartctl/catalogue_line.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::ctl {

BOOST_AUTO_TEST_SUITE(catalogue_lines)

BOOST_AUTO_TEST_CASE(a_line_becomes_what_the_shop_takes) {
  const struct {
    const char *given, *sent;
  } table[] = {
      {R"({"id":"a","name":"A","price":1.50})", R"({"id":"a","name":"A","price":1.5})"},
      {R"({"sku":"a","name":"A","price_minor":150,"currency":"USD"})",
       R"({"name":"A","id":"a","price":{"amount":150,"currency":"USD"}})"},
      {R"({"id":"a","category_path":["x","y"],"description":null})",
       R"({"id":"a","category":"x > y"})"},
      {R"({"id":"a","category_path":[]})", R"({"id":"a"})"},
      {R"({"id":"a","model":"M1","released":"2006","attributes":{"n":1.0}})",
       R"({"id":"a","attributes":{"n":1.0,"model":"M1","released":"2006"}})"},
      {R"({"sku":"a","family":"f","options":{"size":42,"glaze":"blue","fit":null}})",
       R"({"family":"f","options":{"size":42,"glaze":"blue"},"id":"a"})"},
      {"{\"id\":\"a\",\"name\":\"two\\nlines\"}", R"({"id":"a","name":"two lines"})"},
      {"{\"id\":\"a\",\"name\":\"fast\xC2\x97 very \xC2\xA3 5\"}", "{\"id\":\"a\",\"name\":\"fast  very \xC2\xA3 5\"}"},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.given) {
      const auto got = catalogue_line(row.given, {});
      BOOST_REQUIRE(got.has_value());
      BOOST_TEST(*got == row.sent);
    }
  }
}

BOOST_AUTO_TEST_CASE(stock_is_given_where_the_line_says_nothing) {
  BOOST_TEST(*catalogue_line(R"({"id":"a"})", 5) == R"({"id":"a","on_hand":5})");
  BOOST_TEST(*catalogue_line(R"({"id":"a","on_hand":2})", 5) == R"({"id":"a","on_hand":2})");
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_refused) {
  for (const char* bad : {"", "{", "[]", "1", "\xFF"})
    BOOST_TEST(!catalogue_line(bad, {}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::ctl
