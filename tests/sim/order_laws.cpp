#include "tests/sim/order_laws.hpp"

#include <cstdlib>

namespace omnicart::sim {
namespace {

constexpr duration_ms clock_slack{
    10'000};  // shards and restarts read the wall clock at different moments

// Half a minor unit goes up.
std::int64_t share(std::int64_t minor, std::int64_t bps) { return (minor * bps + 5'000) / 10'000; }

// What coupons take off the goods: percentages line by line, then fixed amounts, as the stories'
// coupons are.
std::int64_t discount_of(const order::state& order) {
  std::vector<std::int64_t> left;
  std::int64_t goods = 0, off = 0;
  for (const auto& line : order.lines) {
    left.push_back(line.quantity * line.unit_price.amount_minor);
    goods += left.back();
  }
  for (const auto& each : order.promotions) {
    if (each.kind != cart::code_kind::coupon || each.rule.rate_bps == 0) continue;
    for (auto& minor : left) {
      const auto taken = share(minor, each.rule.rate_bps);
      minor -= taken;
      off += taken;
    }
  }
  for (const auto& each : order.promotions) {
    if (each.kind == cart::code_kind::coupon && !each.rule.amounts.empty())
      off += std::min(each.rule.amounts.front().amount_minor, goods - off);
  }
  return off;
}

// By the stories' terms: one rate of tax, on top; one way of shipping, for any weight.
std::string fault_of_prices(const order::state& order) {
  const auto& prices = *order.prices;
  const auto& terms = order.content.terms;
  std::int64_t goods = 0;
  for (const auto& line : order.lines) goods += line.quantity * line.unit_price.amount_minor;
  const auto discount = discount_of(order);
  if (prices.subtotal_minor != goods) return "the goods";
  if (prices.discount_minor != discount) return "the discount";
  std::int64_t shipping = 0;
  if (terms && terms->ships) {
    const auto& by = terms->methods.front();
    const bool is_free = goods - discount >= by.free_from.front().amount_minor;
    shipping = is_free ? 0 : by.bands.front().prices.front().amount_minor;
  }
  if (prices.shipping_minor != shipping) return "the shipping";
  const auto net = goods - discount + shipping;
  const std::int64_t rate = terms && !terms->rates.empty() ? terms->rates.front().rate_bps : 0;
  const auto tax_off = prices.tax_minor - share(net, rate);  // it is rounded line by line
  if (std::abs(tax_off) > static_cast<std::int64_t>(order.lines.size())) return "the tax";
  const bool adds_up = prices.total_minor == net + prices.tax_minor;
  return adds_up && order.total.amount_minor == prices.total_minor ? "" : "the total";
}

}  // namespace

bool sells(order::order_status status) {
  switch (status) {
    case order::order_status::pending:
    case order::order_status::authorised:
    case order::order_status::paid:
    case order::order_status::processing:
    case order::order_status::shipped:
    case order::order_status::delivered:
      return true;
    case order::order_status::rejected:
    case order::order_status::declined:
    case order::order_status::cancelled:
      return false;
  }
  return false;
}

bool may_become(order::order_status from, order::order_status to) {
  using enum order::order_status;
  if (from == to) return true;
  if (from == rejected || from == declined || from == cancelled) return false;
  // On invoice: others are never told while pending.
  if (from == pending) return to != paid && to != rejected && to != declined;
  return to == cancelled ||
         (static_cast<int>(to) > static_cast<int>(from) && static_cast<int>(to) <= 4);
}

std::string customer_of(const order::state& order) {
  if (!order.content.buyer.user.empty()) return "user " + order.content.buyer.user;
  std::string name = order.content.email;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::string price_book::fault_of(const order::state& order, timestamp_ms priced_at) const {
  std::int64_t total = 0;
  for (const auto& line : order.lines) {
    total += line.quantity * line.unit_price.amount_minor;
    const auto known = prices_.find(line.product.str());
    bool fits = false;
    for (std::size_t i = 0; known != prices_.end() && i < known->second.size(); ++i) {
      const auto& prices = known->second;
      const bool begun = prices[i].first <= priced_at + clock_slack;
      const bool ended =
          i + 1 < prices.size() && prices[i + 1].first < order.placed_at - clock_slack;
      fits = fits || (begun && !ended && prices[i].second == line.unit_price.amount_minor);
    }
    if (!fits) return line.product.str();
  }
  if (order.prices) return fault_of_prices(order);
  return total == order.total.amount_minor ? "" : "the total";
}

}  // namespace omnicart::sim
