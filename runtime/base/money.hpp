#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/fields.hpp"
#include "runtime/base/result.hpp"

namespace omnicart {

// An ISO 4217 alphabetic code: three capital letters.
class currency_code {
 public:
  constexpr currency_code() = default;

  // Refusal: base_errc::malformed for anything but three capital ASCII letters.
  static result<currency_code> parse(std::string_view text);

  std::string_view text() const { return {letters_.data(), letters_.size()}; }
  // Decimals of the minor unit (ISO 4217): 0 for JPY, 3 for KWD, 2 for most.
  int decimals() const;

  friend bool operator==(const currency_code&, const currency_code&) = default;

 private:
  std::array<char, 3> letters_{'X', 'X', 'X'};  // "XXX" is ISO 4217's "no currency"
};

// An exact amount in minor units (pence, cents). Never a float.
struct money {
  std::int64_t amount_minor = 0;
  currency_code currency;

  friend bool operator==(const money&, const money&) = default;
};

// Refusal: base_errc::overflow outside 64 bits, or when the currencies differ.
result<money> add(money a, money b);
result<money> subtract(money a, money b);
result<money> multiply(money price, std::int64_t count);

// A decimal as typed ("12.99") to minor units, exactly. Refusal: base_errc::malformed for anything but
// [-]digits[.digits], for more decimals than the currency has, and outside 64 bits.
result<money> parse_decimal(std::string_view text, currency_code currency);

// "12.99", with the currency's decimals.
std::string to_decimal(money value);

}  // namespace omnicart
