#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/told.hpp"

// What a storefront's visitors were shown and promised beyond their orders, and the laws that tie
// it to what the shop says afterwards. Pure, as the other books are.
namespace omnicart::load {

class storefront_book {
 public:
  // What can be said of one answer at once: these laws need nothing but the shoppers.
  enum class look : std::uint8_t { hits, order_of_hits, facets, suggestions, totals };

  // One answer looked at; an empty objection speaks for it.
  void judge(look which, std::string objection);
  std::int64_t looks(look which) const { return seen_[static_cast<std::size_t>(which)].times; }
  const std::string& objection(look which) const {
    return seen_[static_cast<std::size_t>(which)].objection;
  }

  // A final answer "the payment was declined" to the order of this reference.
  void declined(std::string reference) { declined_.insert(std::move(reference)); }
  bool was_declined(const std::string& reference) const { return declined_.contains(reference); }

  // What this run made of its own: how many orders may use a coupon, what a gift card was worth.
  std::map<std::string, std::int64_t> coupon_limits;
  std::map<std::string, std::int64_t> gift_values;

 private:
  struct judged {
    std::int64_t times = 0;
    std::string objection;  // the first
  };
  judged seen_[5];
  std::set<std::string> declined_;
};

// The laws of single answers, in this order:
//   search_hits_fit        each hit is within the prices, the category and the brand asked for
//   search_sorted          and comes in the order of the prices, where that was asked for
//   facet_counts_agree     a facet's value finds as many products as it said (sampled)
//   suggestions_fit        at most ten, each of the form that was promised
//   totals_add_up          total = subtotal - discount + shipping (+ tax on top), in each line and
//   of all
std::vector<law> check_answers(const storefront_book& book);

// The laws of what was read back:
//   single_use_once        a coupon for one order is used by at most one order that stands
//   coupon_limits_hold     no coupon is used by more orders than it may; its own record says as many
//   gift_cards_balance     what is on a card = its value less what orders that stand took and have
//                          not refunded; none is held
//   refunds_within_captures  no order got back more than it paid, nor did any of its gift cards
//   gift_refunds_told      what gift cards have back = what answers to returns said goes to them
//   returns_restocked      units put back, by the orders = units the desk was told are back, by
//                          product
//   declined_not_charged   no declined order stands or kept money
//   orders_read_add_up     the orders add up as they are listed, too
std::vector<law> check_promises(const told& clients, const read_back& shop,
                                const storefront_book& book);

}  // namespace omnicart::load
