#include "config/print.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include "config/fields.hpp"
#include "config/load.hpp"
#include "tests/unit/source_dir.hpp"

namespace omnicart::config {
namespace print_test {

const std::filesystem::path source{omnicart::trial::source_dir};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A random value within the field's bounds.
void shake(const field& row, const target& where, std::mt19937_64& random) {
  const auto number = [&](std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  if (auto* const* flag = std::get_if<bool*>(&where)) **flag = number(0, 1) == 1;
  if (auto* const* count = std::get_if<std::int64_t*>(&where))
    **count = number(row.least, row.most);
  if (auto* const* text = std::get_if<std::string*>(&where)) {
    if (row.choices.empty()) **text = "/a \"b\\c\" \xc3\xa9#" + std::to_string(number(0, 99));
    if (std::cmp_greater((*text)->size(), row.most))
      (*text)->resize(static_cast<std::size_t>(row.most));
  }
  if (auto* const* list = std::get_if<std::vector<std::string>*>(&where)) {
    (*list)->assign(static_cast<std::size_t>(number(0, 3)), "https://x\"y.example");
  }
}

BOOST_AUTO_TEST_SUITE(config_print)

BOOST_AUTO_TEST_CASE(any_options_print_and_read_back_equal) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    options all;
    for (const auto& row : fields()) shake(row, row.at(all), random);
    const auto back = parse(to_toml(all), "printed");
    BOOST_TEST_REQUIRE(back.has_value(), "seed " << seed << ": " << back.error().detail);
    BOOST_TEST_REQUIRE((*back == all), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_changed_key_names_its_default) {
  options all;
  all.http.port = 1;
  BOOST_TEST(to_toml(all).find("\nport = 1  # default: 8080\n") != std::string::npos);
  BOOST_TEST(to_toml({}).find('#') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_field_has_a_name_of_its_own_a_reason_and_a_default_in_its_bounds) {
  options defaults;
  std::set<std::string> names;
  for (const auto& row : fields()) {
    BOOST_TEST(names.insert(row.name()).second, row.name());
    BOOST_TEST(row.reason.size() > 10, row.name());
    BOOST_TEST(row.reason.find('|') == std::string_view::npos, row.name());
    const target where = row.at(defaults);
    if (const auto* const* number = std::get_if<std::int64_t*>(&where)) {
      BOOST_TEST((**number >= row.least && **number <= row.most), row.name());
    }
  }
  BOOST_TEST(parse(to_toml(defaults), "defaults").has_value());
}

BOOST_AUTO_TEST_CASE(no_two_fields_share_a_value) {
  options sample;
  std::set<const void*> places;
  for (const auto& row : fields()) {
    const auto* place =
        std::visit([](auto* value) -> const void* { return value; }, row.at(sample));
    BOOST_TEST(places.insert(place).second, row.name());
  }
}

BOOST_AUTO_TEST_CASE(the_shipped_files_load) {
  const auto development = load((source / "config/development.toml").string());
  BOOST_TEST_REQUIRE(development.has_value(), development.error().detail);
  const auto production = load((source / "config/production.toml").string());
  BOOST_TEST_REQUIRE(production.has_value(), production.error().detail);
  BOOST_TEST(production->rate_limits.enabled);
  BOOST_TEST(!production->rate_limits.loopback_exempt);
  BOOST_TEST(development->rate_limits.loopback_exempt);
}

BOOST_AUTO_TEST_CASE(the_documented_table_is_the_table_in_the_code) {
  const std::string doc = text_of(source / "docs/configuration.md");
  const auto start = doc.find("### [node]");
  const std::string expected = reference_markdown();
  if (start == std::string::npos || doc.substr(start) != expected) {
    const auto path = std::filesystem::temp_directory_path() / "omnicart_configuration_table.md";
    std::ofstream(path) << expected;
    BOOST_ERROR("docs/configuration.md from '### [node]' on must be what stands in " << path);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace print_test
}  // namespace omnicart::config
