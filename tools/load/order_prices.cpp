#include "tools/load/order_prices.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

namespace omnicart::load {
namespace {

using nlohmann::json;

std::optional<std::int64_t> amount_of(const json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  if (at == object.end() || !at->is_object()) return std::nullopt;
  const auto amount = at->find("amount");
  if (amount == at->end() || !amount->is_number_integer()) return std::nullopt;
  return amount->get<std::int64_t>();
}

struct parts {
  std::int64_t goods = 0, discount = 0, shipping = 0, tax = 0, total = 0;

  // What the total must be; tax is in the prices or comes on top.
  std::int64_t due(bool taxed_already) const {
    return goods - discount + shipping + (taxed_already ? 0 : tax);
  }
  bool sound() const { return discount >= 0 && discount <= goods && shipping >= 0 && tax >= 0; }
  parts& operator+=(const parts& more) {
    goods += more.goods;
    discount += more.discount;
    shipping += more.shipping;
    tax += more.tax;
    total += more.total;
    return *this;
  }
  friend bool operator==(const parts&, const parts&) = default;
};

std::optional<parts> sums_of(const json& shown) {
  const auto goods = amount_of(shown, "subtotal");
  const auto discount = amount_of(shown, "discount_total");
  const auto shipping = amount_of(shown, "shipping_total");
  const auto tax = amount_of(shown, "tax_total");
  const auto total = amount_of(shown, "total");
  if (!goods || !discount || !shipping || !tax || !total) return std::nullopt;
  return parts{*goods, *discount, *shipping, *tax, *total};
}

// A line that was priced by the shop's terms shows all of its parts.
std::optional<parts> parts_of(const json& line) {
  const auto goods = amount_of(line, "line_total");
  const auto discount = amount_of(line, "discount");
  const auto shipping = amount_of(line, "shipping");
  const auto total = amount_of(line, "total");
  const auto tax = line.find("tax");
  const auto taxed = tax != line.end() ? amount_of(*tax, "amount") : std::optional<std::int64_t>();
  if (!goods || !discount || !shipping || !taxed || !total) return std::nullopt;
  return parts{*goods, *discount, *shipping, *taxed, *total};
}

std::string text_of(const parts& all) {
  return std::to_string(all.goods) + " - " + std::to_string(all.discount) + " + " +
         std::to_string(all.shipping) + ", tax " + std::to_string(all.tax) + ", total " +
         std::to_string(all.total);
}

// The single discounts come to the line's.
bool reasons_add_up(const json& line, std::int64_t discount) {
  const auto reasons = line.find("discounts");
  if (reasons == line.end() || !reasons->is_array()) return discount == 0;
  std::int64_t sum = 0;
  for (const auto& each : *reasons) sum += amount_in(each, "amount");
  return sum == discount;
}

std::string fault_of_line(const json& line, bool taxed_already, parts& sum) {
  const auto price = amount_of(line, "unit_price");
  const auto goods = amount_of(line, "line_total");
  const auto quantity = line.is_object() ? line.find("quantity") : line.end();
  if (!price || !goods || quantity == line.end() || !quantity->is_number_integer())
    return "a line without price, quantity or line_total";
  if (*price * quantity->get<std::int64_t>() != *goods)
    return "a line costs " + std::to_string(*goods) + ", which is not its price by its quantity";
  if (!line.contains("total")) {
    sum += parts{.goods = *goods, .total = *goods};
    return {};
  }
  const auto all = parts_of(line);
  if (!all) return "a line that does not show all its parts";
  if (!all->sound() || all->total != all->due(taxed_already))
    return "a line does not add up: " + text_of(*all);
  if (!reasons_add_up(line, all->discount)) return "a line's discounts are not its discount";
  sum += *all;
  return {};
}

}  // namespace

std::int64_t amount_in(const json& object, const char* name) {
  return amount_of(object, name).value_or(0);
}

std::string price_fault(const json& shown) {
  const auto whole = sums_of(shown);
  if (!whole) return "it does not name all its sums";
  const auto gross = shown.find("prices_include_tax");
  const bool taxed_already = gross != shown.end() && gross->is_boolean() && gross->get<bool>();
  if (!whole->sound() || whole->total != whole->due(taxed_already))
    return "the sums do not add up: " + text_of(*whole);
  const auto items = shown.find("items");
  if (items == shown.end() || !items->is_array()) return {};
  parts sum;
  for (const auto& line : *items) {
    if (auto fault = fault_of_line(line, taxed_already, sum); !fault.empty()) return fault;
  }
  if (sum != *whole)
    return "the lines come to " + text_of(sum) + ", the sums say " + text_of(*whole);
  return {};
}

}  // namespace omnicart::load
