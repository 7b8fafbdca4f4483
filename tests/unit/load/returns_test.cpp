#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "tools/load/sales_book.hpp"
#include "tests/unit/source_dir.hpp"

namespace omnicart::load {
namespace returns_test {

const std::string year = std::string(omnicart::trial::source_dir) + "/../shared/data/online-retail.csv.gz";

returned_units lot(std::uint32_t invoice, std::int64_t pence, std::int64_t quantity) {
  return {.invoice = invoice, .product = 0, .unit_pence = pence, .quantity = quantity};
}
matched_return row(std::uint32_t number) { return {.row = number, .number = "C1", .from = {}}; }

std::string text(const std::vector<returned_units>& from) {
  std::string out;
  for (const auto& each : from) {
    out += std::to_string(each.quantity) + "@" + std::to_string(each.unit_pence) + "#" + std::to_string(each.invoice) + " ";
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(load_returns)

BOOST_AUTO_TEST_CASE(the_own_price_goes_first_then_the_newest) {
  returns_book book;
  book.sold("c", "A", lot(1, 200, 3));
  book.sold("c", "A", lot(2, 300, 3));
  book.sold("c", "A", lot(3, 200, 1));
  book.sold("c", "A", lot(4, 400, 2));
  BOOST_TEST(book.cancelled("c", "A", row(1), 7, 200));
  const auto& rows = book.by_customer();
  BOOST_TEST_REQUIRE((rows.size() == 1u && rows[0].size() == 1u));
  BOOST_TEST(text(rows[0][0].from) == "1@200#3 3@200#1 2@400#4 1@300#2 ");
  BOOST_TEST((book.claimed_pence == 1'400 && book.refund_pence == 4 * 200 + 2 * 400 + 300));
  BOOST_TEST(book.cancelled("c", "A", row(2), 2, 999));
  BOOST_TEST(text(rows[0][1].from) == "2@300#2 ");
}

BOOST_AUTO_TEST_CASE(a_row_matches_wholly_or_not_at_all) {
  returns_book book;
  book.sold("c", "A", lot(1, 200, 3));
  BOOST_TEST(!book.cancelled("c", "A", row(1), 4, 200));
  BOOST_TEST(book.cancelled("c", "A", row(2), 3, 200));
  BOOST_TEST(!book.cancelled("c", "A", row(3), 1, 200));
  BOOST_TEST((book.matched_rows == 1 && book.unmatched_rows == 2 && book.unmatched_pence == 1'000));
}

BOOST_AUTO_TEST_CASE(other_customers_codes_and_nobody_match_nothing) {
  returns_book book;
  book.sold("c", "A", lot(1, 200, 3));
  book.sold("", "A", lot(2, 200, 3));
  BOOST_TEST(!book.cancelled("d", "A", row(1), 1, 200));
  BOOST_TEST(!book.cancelled("c", "a", row(2), 1, 200));
  BOOST_TEST(!book.cancelled("", "A", row(3), 1, 200));
}

BOOST_AUTO_TEST_CASE(the_whole_year_comes_to_the_totals_that_are_known) {
  if (!std::filesystem::exists(year)) {
    std::cout << "skip the_whole_year_comes_to_the_totals_that_are_known: the trade data is not beside the project\n";
    return;
  }
  const auto book = read_sales(year, INT64_MAX);
  BOOST_TEST_REQUIRE(book.has_value());
  const auto& back = book->returns;
  BOOST_TEST(back.matched_rows == 7'518);
  BOOST_TEST(back.claimed_pence == 46'874'819);
  BOOST_TEST(back.refund_pence == 46'914'042);
  BOOST_TEST(back.unmatched_rows == 1'770);
  BOOST_TEST(back.claimed_pence + back.unmatched_pence == 89'681'249);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace returns_test
}  // namespace omnicart::load
