#include "http/price_list.hpp"

#include <algorithm>

namespace omnicart::http {
namespace {

constexpr std::size_t currencies_max = 30;
constexpr std::int64_t amount_max = 1'000'000'000'000;

// {"amount": 1299, "currency": "GBP"} and nothing else; nothing for other values.
std::optional<money> amount_of(const json_value& value) {
  const auto* amount = value.find("amount");
  const auto* currency = value.find("currency");
  if (value.is != json_value::type::object || value.members.size() != 2 || !amount || !currency)
    return std::nullopt;
  if (amount->is != json_value::type::number || currency->is != json_value::type::string)
    return std::nullopt;
  const auto code = currency_code::parse(currency->text);
  const auto whole =
      parse_decimal(amount->text, *currency_code::parse("JPY"));  // of no decimals: a whole number
  if (!code || !whole || whole->amount_minor < 0 || whole->amount_minor > amount_max)
    return std::nullopt;
  return money{whole->amount_minor, *code};
}

}  // namespace

std::vector<money> read_price_list(object_reader& read, std::string_view name) {
  std::vector<money> amounts;
  const auto* array = read.optional_array(name, currencies_max);
  if (!array) return amounts;
  for (const auto& item : array->items) {
    const auto amount = amount_of(item);
    const bool known =
        amount && std::any_of(amounts.begin(), amounts.end(), [&](const money& other) {
          return other.currency == amount->currency;
        });
    if (!amount)
      read.report(name, "malformed", "amounts are {\"amount\": minor units, \"currency\": code}");
    if (known) read.report(name, "duplicate", "one amount per currency");
    if (amount && !known) amounts.push_back(*amount);
  }
  return amounts;
}

std::vector<money> read_some_prices(object_reader& read, std::string_view name) {
  auto amounts = read_price_list(read, name);
  if (amounts.empty()) read.report(name, "missing", "at least one amount");
  return amounts;
}

}  // namespace omnicart::http
