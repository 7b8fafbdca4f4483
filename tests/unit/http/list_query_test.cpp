#include "http/list_query.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::http {
namespace list_query_test {

// All that a list may read, and what was wrong with it; "" when nothing was.
std::string errors_of(std::vector<name_value> params) {
  request req;
  req.query_params = std::move(params);
  list_query read(req);
  (void)read.limit();
  (void)read.cursor();
  (void)read.text("q", 5);
  (void)read.integer("min", -3, 3);
  (void)read.flag("in_stock");
  (void)read.word("sort", {"name", "price"});
  const auto refused = read.finish();
  return refused ? refused->body : "";
}

BOOST_AUTO_TEST_SUITE(list_query_suite)

BOOST_AUTO_TEST_CASE(what_a_list_does_not_take_is_refused_by_name_and_code) {
  const struct {
    name_value given;
    const char* code;  // "": fine
  } rows[] = {{{"limit", "1"}, ""},
              {{"limit", "100"}, ""},
              {{"limit", "0"}, "out_of_range"},
              {{"limit", "101"}, "out_of_range"},
              {{"limit", "99999999999999999999"}, "wrong_type"},
              {{"limit", "ten"}, "wrong_type"},
              {{"limit", "1.0"}, "wrong_type"},
              {{"limit", " 1"}, "wrong_type"},
              {{"limit", ""}, "wrong_type"},
              {{"min", "-3"}, ""},
              {{"min", "-4"}, "out_of_range"},
              {{"min", "+1"}, "wrong_type"},
              {{"q", "12345"}, ""},
              {{"q", "123456"}, "too_long"},
              {{"in_stock", "true"}, ""},
              {{"in_stock", "yes"}, "wrong_type"},
              {{"sort", "price"}, ""},
              {{"sort", "Price"}, "out_of_range"},
              {{"unheard_of", "1"}, "unknown_member"}};
  for (const auto& row : rows) {
    const std::string body = errors_of({row.given});
    const std::string place = std::string(row.given.name) + '=' + std::string(row.given.value);
    if (*row.code == '\0') {
      BOOST_TEST(body.empty(), place);
    } else {
      BOOST_TEST(body.find("\"code\":\"" + std::string(row.code) + '"') != body.npos,
                 place << ": " << body);
      BOOST_TEST(body.find("\"?" + std::string(row.given.name) + '"') != body.npos,
                 place << ": " << body);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_bad_parameter_is_told_at_once) {
  const std::string body =
      errors_of({{"limit", "0"}, {"sort", "x"}, {"limit", "1"}, {"extra", ""}});
  for (const char* code : {"out_of_range", "duplicate_key", "unknown_member"})
    BOOST_TEST(body.find(code) != body.npos);
}

BOOST_AUTO_TEST_CASE(what_is_left_out_has_its_default) {
  request req;
  list_query read(req);
  BOOST_TEST(read.limit() == 20U);
  BOOST_TEST(read.cursor() == "");
  BOOST_TEST(!read.text("q", 5).has_value());
  BOOST_TEST(!read.word("sort", {"a"}).has_value());
  BOOST_TEST(!read.finish().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace list_query_test
}  // namespace omnicart::http
