#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "http/catalogue_list.hpp"
#include "http/order_list.hpp"
#include "http/product_search.hpp"
#include "http/record_list.hpp"
#include "http/user_list.hpp"
#include "tests/unit/source_dir.hpp"

// That a node registers these and no others, tests/e2e/search.py asks it.
namespace omnicart::http {
namespace projections_page_test {

struct row {
  std::string made_by;
  std::set<std::string> kinds;
  std::string made_anew_from;
};

std::map<std::string, row> rows_of_page() {
  std::ifstream file(std::string(omnicart::trial::source_dir) + "/docs/architecture.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::regex line(R"(\| `(\w+)` \| `(\w+)` \| (`[^|]*`) \| [^|]* \| ([^|]*) \|)"), word("`(\\w+)`");
  std::map<std::string, row> rows;
  for (std::string text; std::getline(page, text);) {
    std::smatch part;
    if (!std::regex_match(text, part, line)) continue;
    row& at = rows[part[1]];
    at = {.made_by = part[2], .kinds = {}, .made_anew_from = part[4]};
    const std::string kinds = part[3];
    for (std::sregex_iterator each(kinds.begin(), kinds.end(), word), end; each != end; ++each)
      at.kinds.insert((*each)[1]);
  }
  return rows;
}

BOOST_AUTO_TEST_SUITE(projections_page)

BOOST_AUTO_TEST_CASE(the_table_of_projections_says_what_they_are) {
  const auto rows = rows_of_page();
  order_list orders;
  catalogue_list catalogue;
  record_list records;
  user_list users;
  product_search search("unused");
  const std::map<std::string, const projection*> all{{"order_list", &orders},
                                                     {"catalogue_list", &catalogue},
                                                     {"record_list", &records},
                                                     {"user_list", &users},
                                                     {"product_search", &search}};
  BOOST_TEST(rows.size() == all.size());
  for (const auto& [made_by, each] : all) {
    const auto at = rows.find(std::string(each->name()));
    BOOST_TEST_REQUIRE((at != rows.end()), each->name());
    BOOST_TEST(at->second.made_by == made_by);
    for (const char* kind : {"cart", "session", "user", "email", "order", "product", "reviews", "stock", "coupon",
                             "gift_card", "tariff", "location", "audit", "keyring", "cluster"})
      BOOST_TEST(each->wants(kind) == at->second.kinds.contains(kind), each->name() << ' ' << kind);
    const bool from_snapshots = at->second.made_anew_from.find("snapshots") != std::string::npos;
    const bool reads_them = dynamic_cast<const snapshot_reader*>(each) != nullptr;
    BOOST_TEST(reads_them == from_snapshots, each->name());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace projections_page_test
}  // namespace omnicart::http
