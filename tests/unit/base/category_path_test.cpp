#include "runtime/base/category_path.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace omnicart {

BOOST_AUTO_TEST_SUITE(category_paths)

// Also of paths that end badly: what lies in a category is what is counted for it.
BOOST_AUTO_TEST_CASE(a_category_lies_in_each_of_its_levels_and_in_no_others) {
  const struct {
    const char* path;
    std::vector<std::string> levels;
  } table[] = {{"", {}},
               {"a", {"a"}},
               {"a > b", {"a", "a > b"}},
               {"a > b > c", {"a", "a > b", "a > b > c"}},
               {"a > ", {"a", "a > "}},
               {"a>b", {"a>b"}}};
  for (const auto& row : table) {
    std::vector<std::string> levels;
    each_level(row.path, [&](std::string_view level) { levels.emplace_back(level); });
    BOOST_TEST(levels == row.levels, boost::test_tools::per_element());
    for (const auto& level : levels) BOOST_TEST(lies_in(row.path, level));
    BOOST_TEST(lies_in(row.path, ""));
  }
  BOOST_TEST(!lies_in("ab", "a"));
  BOOST_TEST(!lies_in("a", "a > b"));
  BOOST_TEST(!lies_in("a > bc", "a > b"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart
