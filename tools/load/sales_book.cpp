#include "tools/load/sales_book.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/limits.hpp"
#include "tools/load/csv.hpp"

namespace omnicart::load {
namespace {

constexpr std::size_t no_sale_yet = static_cast<std::size_t>(-1);
// Bounds that keep a line total far inside 64 bits.
constexpr std::int64_t pence_max = 100'000'000'000;
constexpr std::int64_t quantity_max = limits::line_quantity_max;

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_outer_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

result<std::int64_t> parse_quantity(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value > quantity_max ||
      value < -quantity_max) {
    return fail(base_errc::malformed,
                "quantity \"" + std::string(text) + "\" is no whole number up to 999,999");
  }
  return value;
}

}  // namespace

const char* to_string(skip_reason why) {
  switch (why) {
    case skip_reason::none:
      return "none";
    case skip_reason::cancellation:
      return "cancellation";
    case skip_reason::adjustment:
      return "adjustment";
    case skip_reason::quantity:
      return "quantity";
    case skip_reason::price:
      return "price";
  }
  return "";
}

result<typed_price> parse_price(std::string_view text) {
  const auto malformed = [&] {
    return fail(base_errc::malformed, "price \"" + std::string(text) + "\" is no decimal number");
  };
  const bool negative = text.starts_with('-');
  const auto digits = text.substr(negative ? 1 : 0);
  const auto point = digits.find('.');
  const auto whole = digits.substr(0, point);
  const auto decimals = point == std::string_view::npos ? "0" : digits.substr(point + 1);
  if (!all_digits(whole) || !all_digits(decimals)) return malformed();
  std::int64_t pence = 0;
  for (const char c : whole) {
    pence = pence * 10 + (c - '0') * 100;
    if (pence > pence_max) return malformed();
  }
  pence += (decimals[0] - '0') * 10;
  if (decimals.size() > 1) pence += decimals[1] - '0';
  // Half away from zero: the first digit cut decides, whatever follows.
  if (decimals.size() > 2 && decimals[2] >= '5') ++pence;
  const bool zero = whole.find_first_not_of('0') == std::string_view::npos &&
                    decimals.find_first_not_of('0') == std::string_view::npos;
  return typed_price{.pence = negative ? -pence : pence, .above_zero = !negative && !zero};
}

skip_reason classify(std::string_view invoice, std::int64_t quantity, const typed_price& price) {
  if (invoice.starts_with('C')) return skip_reason::cancellation;
  if (!all_digits(invoice)) return skip_reason::adjustment;
  if (quantity <= 0) return skip_reason::quantity;
  if (!price.above_zero) return skip_reason::price;
  return skip_reason::none;
}

status sales_book::add(const std::vector<std::string_view>& fields) {
  constexpr std::size_t columns = 8;
  if (fields.size() != columns) {
    return fail(base_errc::malformed, std::to_string(fields.size()) + " fields instead of 8");
  }
  if (!header_seen_) {
    header_seen_ = true;
    if (fields[0] != "InvoiceNo" || fields[5] != "UnitPrice") {
      return fail(base_errc::malformed, "the first line is not the header InvoiceNo,StockCode,...");
    }
    return {};
  }
  const auto quantity = parse_quantity(fields[3]);
  if (!quantity) return fail(quantity.error());
  const auto price = parse_price(fields[5]);
  if (!price) return fail(price.error());
  ++rows;
  const auto why = classify(fields[0], *quantity, *price);
  if (all_digits(fields[0])) invoice_at_.try_emplace(std::string(fields[0]), no_sale_yet);
  if (why != skip_reason::none) {
    ++skipped[to_string(why)];
    if (why == skip_reason::cancellation && *quantity < 0) {
      matched_return row{.row = static_cast<std::uint32_t>(rows), .number = std::string(fields[0]), .from = {}};
      returns.cancelled(fields[6], fields[1], std::move(row), -*quantity, price->pence);
    }
    return {};
  }
  if (__builtin_add_overflow(gross_pence, *quantity * price->pence, &gross_pence)) {
    return fail(base_errc::overflow, "the sum of all sales is outside 64 bits");
  }
  keep(fields, *quantity, price->pence);
  return {};
}

void sales_book::keep(const std::vector<std::string_view>& fields, std::int64_t quantity,
                      std::int64_t pence) {
  auto& at = invoice_at_.find(std::string(fields[0]))->second;
  if (at == no_sale_yet) {
    at = invoices.size();
    invoices.push_back(
        {.number = std::string(fields[0]), .customer = std::string(fields[6]), .sales = {}});
  }
  const auto [known, fresh] =
      product_at_.try_emplace(std::string(fields[1]), static_cast<std::uint32_t>(products.size()));
  if (fresh) products.push_back({.code = std::string(fields[1]), .name = {}});
  auto& product = products[known->second];
  if (product.name.empty()) product.name = without_outer_blanks(fields[2]);
  if (product.list_pence == 0) product.list_pence = pence;
  product.units += quantity;
  invoices[at].sales.push_back({.product = known->second,
                                .row = static_cast<std::uint32_t>(rows),
                                .quantity = quantity,
                                .unit_pence = pence});
  returns.sold(fields[6], fields[1],
               {.invoice = static_cast<std::uint32_t>(at), .product = known->second, .unit_pence = pence, .quantity = quantity});
  ++lines;
  units += quantity;
}

void sales_book::finish() {
  for (auto& product : products) {
    if (product.name.empty()) product.name = product.code;
    if (product.list_pence == 0) product.list_pence = 1;
  }
  for (const auto why : {skip_reason::cancellation, skip_reason::adjustment, skip_reason::quantity,
                         skip_reason::price}) {
    skipped.try_emplace(to_string(why), 0);
  }
  invoices_without_sales =
      std::count_if(invoice_at_.begin(), invoice_at_.end(),
                    [](const auto& entry) { return entry.second == no_sale_yet; });
}

result<sales_book> read_sales(const std::string& path, std::int64_t row_limit) {
  sales_book book;
  status went;
  csv_reader reader([&](const std::vector<std::string_view>& fields) {
    went = book.add(fields);
    return went.has_value() && book.rows < row_limit;
  });
  if (auto read = read_csv_file(path, reader); !read) return fail(read.error());
  if (!went) {
    return fail(base_errc::malformed,
                path + ", record " + std::to_string(reader.records()) + ": " + went.error().detail);
  }
  book.finish();
  return book;
}

}  // namespace omnicart::load
