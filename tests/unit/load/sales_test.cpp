#include <boost/test/unit_test.hpp>
#include <fstream>

#include "tools/load/csv.hpp"
#include "tools/load/sales_book.hpp"

namespace omnicart::load {
namespace sales_test {

using records = std::vector<std::vector<std::string>>;

// Reads `text` in pieces of `piece` bytes.
result<records> parsed(std::string_view text, std::size_t piece) {
  records all;
  csv_reader reader([&](const std::vector<std::string_view>& fields) {
    all.emplace_back(fields.begin(), fields.end());
    return true;
  });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (const auto went = reader.feed(text.substr(at, piece)); !went) return fail(went.error());
  }
  if (const auto went = reader.finish(); !went) return fail(went.error());
  return all;
}

BOOST_AUTO_TEST_SUITE(load_sales)

BOOST_AUTO_TEST_CASE(quotes_commas_and_line_ends_are_read_as_rfc_4180_says) {
  struct row {
    const char* text;
    records expected;
  };
  for (const auto& r :
       {row{"a,b\nc,d\n", {{"a", "b"}, {"c", "d"}}}, row{"a,b\r\nc,d", {{"a", "b"}, {"c", "d"}}},
        row{"\"a,1\",\"say \"\"x\"\"\"\n", {{"a,1", "say \"x\""}}},
        row{"\"two\nlines\",\n", {{"two\nlines", ""}}}, row{",,\n", {{"", "", ""}}},
        row{"\"\",x", {{"", "x"}}}, row{"a,", {{"a", ""}}},
        row{" a , \"b\"\n", {{" a ", " \"b\""}}}, row{"7\"\" x\n", {{"7\"\" x"}}}, row{"", {}}}) {
    for (const std::size_t piece : {1, 2, 3, 100}) {
      const auto got = parsed(r.text, piece);
      BOOST_TEST_REQUIRE(got.has_value(), r.text);
      BOOST_TEST((*got == r.expected), r.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(text_after_a_closing_quote_and_open_quotes_are_refused) {
  for (const char* text : {"\"a\"b\n", "\"a", "a\rb\n"})
    BOOST_TEST(!parsed(text, 100).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_record_without_end_is_refused_before_it_fills_the_memory) {
  BOOST_TEST(!parsed("\"" + std::string(csv_record_bytes_max + 10, 'x'), 4096).has_value());
}

BOOST_AUTO_TEST_CASE(prices_are_rounded_to_pence_half_away_from_zero_exactly) {
  struct row {
    const char* text;
    std::int64_t pence;
    bool above_zero;
  };
  for (const auto& r :
       {row{"2.55", 255, true}, row{"2.545", 255, true}, row{"2.5449", 254, true},
        row{"0.001", 0, true}, row{"0.005", 1, true}, row{"0.00", 0, false}, row{"7", 700, true},
        row{"1.1", 110, true}, row{"-11062.06", -1106206, false}, row{"-0.005", -1, false},
        row{"38970.00", 3897000, true}, row{"1.005", 101, true}, row{"0.995", 100, true},
        row{"-0.00", 0, false}}) {
    const auto price = parse_price(r.text);
    BOOST_TEST_REQUIRE(price.has_value(), r.text);
    BOOST_TEST(price->pence == r.pence, r.text);
    BOOST_TEST(price->above_zero == r.above_zero, r.text);
  }
  for (const char* text : {"", "-", ".5", "1.", "1,5", "1e3", "+1", "99999999999", "x"}) {
    BOOST_TEST(!parse_price(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_row_is_skipped_for_the_first_reason_that_fits) {
  struct row {
    const char* invoice;
    std::int64_t quantity;
    const char* price;
    skip_reason why;
  };
  for (const auto& r :
       {row{"536365", 6, "2.55", skip_reason::none},
        row{"C536379", -1, "0", skip_reason::cancellation},
        row{"A563185", -1, "-1", skip_reason::adjustment}, row{"", 1, "1", skip_reason::adjustment},
        row{"53636x", 1, "1", skip_reason::adjustment}, row{"1", 0, "1", skip_reason::quantity},
        row{"1", -5, "0", skip_reason::quantity}, row{"1", 1, "0.00", skip_reason::price},
        row{"1", 1, "-0.5", skip_reason::price}, row{"1", 1, "0.001", skip_reason::none},
        row{"c1", 1, "1", skip_reason::adjustment}}) {
    BOOST_TEST((classify(r.invoice, r.quantity, *parse_price(r.price)) == r.why), r.invoice);
  }
}

struct dirty_file {
  dirty_file() {
    std::ofstream(path)
        << "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
           "1,X,  ,2,d,1.00,c1,UK\n"
           "2,x,\" THE \"\"X\"\", small \",1,d,0.001,,UK\n"
           "C3,X,no,-2,d,1.00,c1,UK\n"
           "1,X,Big X,3,d,1.005,c1,UK\n"
           "4,Y,write-off,-9,d,0.00,,UK\n"
           "4,Y,damaged,9,d,0.00,,UK\n"
           "A5,B,debt,1,d,100.00,,UK\n";
  }
  ~dirty_file() { std::remove(path); }
  const char* path = "unit_load_dirty.csv";
};

BOOST_FIXTURE_TEST_CASE(an_invoice_is_all_its_remaining_rows_wherever_they_stand, dirty_file) {
  const auto book = read_sales(path, 1000);
  BOOST_TEST_REQUIRE(book.has_value());
  BOOST_TEST(book->rows == 7);
  BOOST_TEST(book->lines == 3);
  BOOST_TEST(book->units == 6);
  BOOST_TEST(book->gross_pence == 200 + 303);
  BOOST_TEST(book->invoices_without_sales == 1);
  BOOST_TEST_REQUIRE(book->invoices.size() == 2u);
  BOOST_TEST(book->invoices[0].number == "1");
  BOOST_TEST(book->invoices[0].customer == "c1");
  BOOST_TEST_REQUIRE(book->invoices[0].sales.size() == 2u);
  BOOST_TEST(book->invoices[0].sales[1].row == 4u);
  BOOST_TEST(book->skipped.at("cancellation") == 1);
  BOOST_TEST(book->skipped.at("adjustment") == 1);
  BOOST_TEST(book->skipped.at("quantity") == 1);
  BOOST_TEST(book->skipped.at("price") == 1);
}

BOOST_FIXTURE_TEST_CASE(products_differ_by_case_and_take_their_first_name_and_price, dirty_file) {
  const auto book = read_sales(path, 1000);
  BOOST_TEST_REQUIRE(book->products.size() == 2u);
  BOOST_TEST(book->products[0].code == "X");
  BOOST_TEST(book->products[0].name == "Big X");
  BOOST_TEST(book->products[0].list_pence == 100);
  BOOST_TEST(book->products[0].units == 5);
  BOOST_TEST(book->products[1].code == "x");
  BOOST_TEST(book->products[1].name == "THE \"X\", small");
  BOOST_TEST(book->products[1].list_pence == 1);
}

BOOST_FIXTURE_TEST_CASE(the_row_limit_counts_data_rows, dirty_file) {
  const auto book = read_sales(path, 2);
  BOOST_TEST(book->rows == 2);
  BOOST_TEST(book->lines == 2);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_the_year_is_refused_with_the_place) {
  const char* path = "unit_load_bad.csv";
  std::ofstream(path) << "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,"
                         "CustomerID,Country\n1,a,b,two,"
                         "d,1,c,UK\n";
  const auto bad = read_sales(path, 10);
  BOOST_TEST_REQUIRE(!bad.has_value());
  BOOST_TEST(bad.error().detail.find("record 2") != std::string::npos, bad.error().detail);
  std::remove(path);
  BOOST_TEST(!read_sales("/nonexistent/file.csv", 10).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sales_test
}  // namespace omnicart::load
