#include "http/location_json.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::http {
namespace location_json_test {

// What is wrong with a description, "pointer code" by "pointer code"; "" when nothing is.
std::string faults_of(std::string_view text) {
  std::vector<field_error> errors;
  const auto body = parse_json(text, errors);
  object_reader read(body, errors);
  (void)read_location(read, errors);
  read.finish();
  std::string all;
  for (const auto& each : errors) all += (all.empty() ? "" : ", ") + each.pointer + ' ' + each.code;
  return all;
}

BOOST_AUTO_TEST_SUITE(location_json_suite)

BOOST_AUTO_TEST_CASE(degrees_are_read_and_written_to_the_millionth) {
  const struct {
    const char* text;
    std::int64_t udeg;
    const char* again;
  } table[] = {
      {"0", 0, "0"},
      {"-0", 0, "0"},
      {"44.85466", 44'854'660, "44.85466"},
      {"-93.24565", -93'245'650, "-93.24565"},
      {"-0.000001", -1, "-0.000001"},
      {"0.100000", 100'000, "0.1"},
      {"180.0", 180'000'000, "180"},
      {"999.999999", 999'999'999, "999.999999"},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.text) {
      const auto got = parse_micro_degrees(row.text);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(*got == row.udeg);
      BOOST_TEST(degrees_text(*got) == row.again);
    }
  }
  for (const char* bad : {"", "-", ".5", "5.", "1e1", "1.0e0", "+1", "1000", "0.1234567", "1.2.3",
                          "--1", "1,5", " 1", "NaN"})
    BOOST_TEST(!parse_micro_degrees(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_description_is_named) {
  const struct {
    const char *text, *faults;
  } table[] = {
      {R"({"name":"Leeds"})", ""},
      {R"({"name":"Leeds","latitude":null,"longitude":null,"address":null})", ""},
      {R"({"name":"Leeds","latitude":90,"longitude":-180.0})", ""},
      {R"({})", "/name missing"},
      {R"({"name":"Leeds","latitude":1})", "/longitude missing"},
      {R"({"name":"Leeds","longitude":1})", "/latitude missing"},
      {R"({"name":"Leeds","latitude":"1","longitude":1})", "/latitude wrong_type"},
      {R"({"name":"Leeds","latitude":90.000001,"longitude":1})", "/latitude out_of_range"},
      {R"({"name":"Leeds","latitude":1,"longitude":0.1234567})", "/longitude out_of_range"},
      {R"({"name":"Leeds","active":false})", "/active unknown_member"},
      {R"({"name":"Leeds","address":{"line1":"a","city":"b","postal_code":"c","country":"gb"}})",
       "/address/country malformed"},
      {R"({"name":"Leeds","address":{"city":"b","postal_code":"c","country":"GB","name":"d"}})",
       "/address/line1 missing, /address/name unknown_member"},
  };
  for (const auto& row : table) BOOST_TEST(faults_of(row.text) == row.faults, row.text);
}

BOOST_AUTO_TEST_CASE(a_location_is_shown_with_what_it_has) {
  location::location_view view;
  view.content.name = "Leeds";
  BOOST_TEST(location_json("1", view, 3) ==
             R"({"id":"1","name":"Leeds","active":true,"created_at":"1970-01-01T00:00:00.000Z",)"
             R"("updated_at":"1970-01-01T00:00:00.000Z","version":3})");
  view.content.type = "Store";
  view.content.at = location::coordinates{.latitude_udeg = 53'796'480, .longitude_udeg = -1};
  view.content.services = {"a"};
  view.active = false;
  const auto whole = location_json("1", view, 3);
  BOOST_TEST(
      whole.find(R"("type":"Store","latitude":53.79648,"longitude":-0.000001,"services":["a"],)"
                 R"("active":false)") != std::string::npos,
      whole);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace location_json_test
}  // namespace omnicart::http
