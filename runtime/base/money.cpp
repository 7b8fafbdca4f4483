#include "runtime/base/money.hpp"

#include <algorithm>
#include <iterator>

namespace omnicart {
namespace {

// ISO 4217 list one, entries whose minor unit is not 2.
constexpr std::string_view no_decimals[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
                                            "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::string_view three_decimals[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

bool listed(std::string_view code, const std::string_view* first, const std::string_view* last) {
  return std::find(first, last, code) != last;
}

tl::unexpected<error> overflow() { return fail(base_errc::overflow, "amount outside 64 bits"); }
tl::unexpected<error> mixed() { return fail(base_errc::overflow, "amounts in different currencies"); }

}  // namespace

result<currency_code> currency_code::parse(std::string_view text) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() != 3 || !std::all_of(text.begin(), text.end(), capital)) {
    return fail(base_errc::malformed, "a currency is three capital letters (ISO 4217)");
  }
  currency_code code;
  std::copy(text.begin(), text.end(), code.letters_.begin());
  return code;
}

int currency_code::decimals() const {
  if (listed(text(), std::begin(no_decimals), std::end(no_decimals))) return 0;
  if (listed(text(), std::begin(three_decimals), std::end(three_decimals))) return 3;
  return 2;
}

result<money> add(money a, money b) {
  if (a.currency != b.currency) return mixed();
  money sum = a;
  if (__builtin_add_overflow(a.amount_minor, b.amount_minor, &sum.amount_minor)) return overflow();
  return sum;
}

result<money> subtract(money a, money b) {
  if (a.currency != b.currency) return mixed();
  money difference = a;
  if (__builtin_sub_overflow(a.amount_minor, b.amount_minor, &difference.amount_minor)) {
    return overflow();
  }
  return difference;
}

result<money> multiply(money price, std::int64_t count) {
  money product = price;
  if (__builtin_mul_overflow(price.amount_minor, count, &product.amount_minor)) return overflow();
  return product;
}

result<money> parse_decimal(std::string_view text, currency_code currency) {
  const auto bad = [](const char* why) { return fail(base_errc::malformed, why); };
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == text.npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() || (point != text.npos && fraction.empty())) return bad("not a decimal number");
  const auto decimals = static_cast<std::size_t>(currency.decimals());
  if (fraction.size() > decimals) return bad("more decimals than the currency has");

  std::int64_t amount = 0;
  const auto append = [&](char c) {
    return c >= '0' && c <= '9' && !__builtin_mul_overflow(amount, std::int64_t{10}, &amount) &&
           !__builtin_add_overflow(amount, std::int64_t{c - '0'}, &amount);
  };
  for (char c : whole) {
    if (!append(c)) return bad("not a decimal number within 64 bits");
  }
  for (std::size_t i = 0; i < decimals; ++i) {
    if (!append(i < fraction.size() ? fraction[i] : '0')) {
      return bad("not a decimal number within 64 bits");
    }
  }
  return money{negative ? -amount : amount, currency};
}

std::string to_decimal(money value) {
  const auto decimals = static_cast<std::size_t>(value.currency.decimals());
  const bool negative = value.amount_minor < 0;
  // Through unsigned, so that the smallest int64 has a magnitude too.
  auto magnitude = static_cast<std::uint64_t>(value.amount_minor);
  if (negative) magnitude = 0 - magnitude;
  std::string digits = std::to_string(magnitude);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
  return negative ? "-" + digits : digits;
}

}  // namespace omnicart
