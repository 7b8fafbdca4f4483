#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.hpp"
#include "tools/load/returns_book.hpp"

// The wholesaler's year: which rows of the file are sales, and what they come to.
namespace omnicart::load {

// Why a row is no sale, in the order asked: the first that fits counts.
enum class skip_reason : std::uint8_t {
  none,
  cancellation,  // the invoice number starts with C
  adjustment,    // the invoice number is not all digits
  quantity,      // not above 0
  price,         // not above 0 (before rounding)
};
const char* to_string(skip_reason why);

// A price as typed, rounded half away from zero to whole pence, exactly.
struct typed_price {
  std::int64_t pence = 0;
  bool above_zero = false;  // true for 0.001, whose pence are 0
};
// [-]digits[.digits]. Refusal: base_errc::malformed otherwise, and beyond 10^11 pence.
result<typed_price> parse_price(std::string_view text);

skip_reason classify(std::string_view invoice, std::int64_t quantity, const typed_price& price);

struct sale {
  std::uint32_t product = 0;  // index into sales_book::products
  std::uint32_t row = 0;      // data row in the file, from 1
  std::int64_t quantity = 0;
  std::int64_t unit_pence = 0;
};

struct invoice {
  std::string number;
  std::string customer;  // may be empty
  std::vector<sale> sales;
};

struct sold_product {
  std::string code;
  std::string name;  // first description that is not blank, outer blanks cut; else the code
  std::int64_t list_pence = 0;  // first positive price; 1 when there was none
  std::int64_t units = 0;
};

// All remaining rows, gathered by invoice wherever they stand in the file. Fill it with add(), then
// finish().
class sales_book {
 public:
  // One record of the file: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
  // CustomerID, Country. The first record is the header. Refusal: base_errc::malformed, naming what
  // is wrong.
  status add(const std::vector<std::string_view>& fields);
  void finish();

  std::vector<invoice> invoices;                // in order of their first sale
  std::vector<sold_product> products;           // in order of their first sale
  std::map<std::string, std::int64_t> skipped;  // by to_string(skip_reason); all four reasons
  std::int64_t rows = 0;
  std::int64_t lines = 0;  // sales
  std::int64_t units = 0;
  std::int64_t gross_pence = 0;
  std::int64_t invoices_without_sales = 0;  // all-digit ones
  returns_book returns;                     // what the cancellations take back

 private:
  void keep(const std::vector<std::string_view>& fields, std::int64_t quantity, std::int64_t pence);

  bool header_seen_ = false;
  std::unordered_map<std::string, std::size_t> invoice_at_;  // npos: no sale yet
  std::unordered_map<std::string, std::uint32_t> product_at_;
};

// Reads the first `row_limit` data rows of a file (.gz or plain). Refusals: read_csv_file()'s and
// add()'s.
result<sales_book> read_sales(const std::string& path, std::int64_t row_limit);

}  // namespace omnicart::load
