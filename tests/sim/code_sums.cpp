#include "tests/sim/code_sums.hpp"

#include <numeric>

namespace omnicart::sim {
namespace {

constexpr const char* uses_limit = "a coupon is used no more often than it may be";
constexpr const char* one_use = "an order uses a coupon once";
constexpr const char* on_card = "no more is held than is on a gift card";
constexpr const char* one_payment = "an order is paid by a gift card once";
constexpr const char* back_to_card = "no more goes back to a gift card than it paid";

std::int64_t sum_of(const std::map<std::string, std::int64_t>& amounts) {
  return std::accumulate(amounts.begin(), amounts.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& each) { return sum + each.second; });
}

std::uint64_t count_of(const std::map<std::string, std::string>& orders,
                       const std::string& customer) {
  std::uint64_t count = 0;
  for (const auto& [order, whose] : orders) count += whose == customer ? 1 : 0;
  return count;
}

}  // namespace

// --- coupons -----------------------------------------------------------------------------------

struct coupon_sum::adder {
  coupon_sum& s;

  void operator()(const coupon::defined& e) const { s.content = e.content; }
  void operator()(const coupon::enabling&) const {}
  void operator()(const coupon::claimed& e) const {
    const auto order = e.order.str();
    s.require(!s.ended_.contains(order) && !s.uses.contains(order), one_use,
              order + " claims it again");
    s.require(s.claims.emplace(order, e.customer).second, one_use, order + " claims it twice");
    const auto all = s.claims.size() + s.uses.size();
    const auto of_customer = count_of(s.claims, e.customer) + count_of(s.uses, e.customer);
    s.require(all <= s.content.total_limit.value_or(all), uses_limit,
              "that makes " + std::to_string(all));
    s.require(of_customer <= s.content.customer_limit.value_or(of_customer), uses_limit,
              e.customer + " has it " + std::to_string(of_customer) + " times");
  }
  void operator()(const coupon::released& e) const {
    s.require(!s.uses.contains(e.order.str()), one_use, e.order.str() + " releases what it used");
    s.claims.erase(e.order.str());
    s.ended_.insert(e.order.str());
  }
  void operator()(const coupon::redeemed& e) const {
    auto claim = s.claims.extract(e.order.str());
    s.require(!claim.empty(), one_use, e.order.str() + " uses what it does not hold");
    if (!claim.empty()) s.uses.insert(std::move(claim));
  }
  void operator()(const coupon::gave_back& e) const {
    s.require(s.uses.erase(e.order.str()) == 1, one_use,
              e.order.str() + " gives back what it has not used");
    s.ended_.insert(e.order.str());
  }
};

void coupon_sum::add(const coupon::event& what) { std::visit(adder{*this}, what); }

void coupon_sum::require(bool holds_true, const char* law, const std::string& what) {
  if (!holds_true && !broken_) broken_ = broken_law{law, what};
}

// --- gift cards --------------------------------------------------------------------------------

struct card_sum::adder {
  card_sum& s;

  void operator()(const gift_card::issued& e) const { s.issued = e.content.value.amount_minor; }
  void operator()(const gift_card::enabling&) const {}
  void operator()(const gift_card::held& e) const {
    const auto order = e.order.str();
    s.require(!s.ended_.contains(order) && !s.spent.contains(order), one_payment,
              order + " holds it again");
    s.require(s.holds.emplace(order, e.amount_minor).second, one_payment,
              order + " holds it twice");
    s.require(e.amount_minor > 0 && s.held() <= s.balance(), on_card,
              std::to_string(s.held()) + " of " + std::to_string(s.balance()));
  }
  void operator()(const gift_card::released& e) const {
    s.require(!s.spent.contains(e.order.str()), one_payment,
              e.order.str() + " releases what it spent");
    s.holds.erase(e.order.str());
    s.ended_.insert(e.order.str());
  }
  void operator()(const gift_card::spent& e) const {
    auto hold = s.holds.extract(e.order.str());
    s.require(!hold.empty(), one_payment, e.order.str() + " spends what it does not hold");
    if (!hold.empty()) s.spent.insert(std::move(hold));
  }
  void operator()(const gift_card::gave_back& e) const {
    const auto order = e.order.str();
    s.require(s.refunds_.emplace(order, e.key).second, back_to_card,
              order + " gives back " + e.key + " twice");
    auto& back = s.returned[order] += e.amount_minor;
    const auto paid = s.spent.find(order);
    s.require(e.amount_minor > 0 && paid != s.spent.end() && back <= paid->second, back_to_card,
              order + " gave back " + std::to_string(back));
  }
};

void card_sum::add(const gift_card::event& what) { std::visit(adder{*this}, what); }

void card_sum::require(bool holds_true, const char* law, const std::string& what) {
  if (!holds_true && !broken_) broken_ = broken_law{law, what};
}

std::int64_t card_sum::held() const { return sum_of(holds); }
std::int64_t card_sum::balance() const { return issued - sum_of(spent) + sum_of(returned); }

}  // namespace omnicart::sim
