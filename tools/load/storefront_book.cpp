#include "tools/load/storefront_book.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::load {
namespace {

using look = storefront_book::look;

std::string number(std::int64_t value) { return std::to_string(value); }

// An order that has what it was promised: sold, or accepted and to be paid.
bool stands(const order_record& order) {
  return is_sale(order.status) || order.status == "authorised";
}

law made(const char* name, std::string why) {
  return {.name = name, .holds = why.empty(), .why = std::move(why)};
}

// Keeps what is said first.
void object(std::string& to, const std::string& why) {
  if (to.empty()) to = why;
}

// How many orders that stand have each of the run's coupons.
std::map<std::string, std::int64_t> uses_of(const read_back& shop, const storefront_book& book) {
  std::map<std::string, std::int64_t> uses;
  for (const auto& order : shop.orders) {
    if (!stands(order)) continue;
    for (const auto& code : order.coupons) {
      if (book.coupon_limits.contains(code)) ++uses[code];
    }
  }
  return uses;
}

void add_coupon_laws(const read_back& shop, const storefront_book& book, std::vector<law>& laws) {
  std::string twice, beyond;
  auto uses = uses_of(shop, book);
  for (const auto& [code, limit] : book.coupon_limits) {
    const std::int64_t used = uses[code];
    if (limit == 1 && used > 1)
      object(twice, "coupon " + code + " is of " + number(used) + " orders");
    if (used > limit)
      object(beyond, "coupon " + code + " is of " + number(used) + " orders, " + number(limit) +
                         " may have it");
    const auto record = shop.coupons.find(code);
    if (record == shop.coupons.end()) {
      object(beyond, "coupon " + code + " is gone");
    } else if (record->second.used != used || record->second.held != 0) {
      object(beyond, "coupon " + code + " is of " + number(used) +
                         " orders, its record says used " + number(record->second.used) +
                         ", held " + number(record->second.held));
    }
  }
  laws.push_back(made("single_use_once", std::move(twice)));
  laws.push_back(made("coupon_limits_hold", std::move(beyond)));
}

law gift_cards_balance(const read_back& shop, const storefront_book& book) {
  std::map<std::string, std::int64_t> taken;
  for (const auto& order : shop.orders) {
    if (!stands(order)) continue;
    for (const auto& [code, amount_minor] : order.gift_cards) taken[code] += amount_minor;
    for (const auto& [code, amount_minor] : order.gift_refunds) taken[code] -= amount_minor;
  }
  std::string why;
  for (const auto& [code, value_minor] : book.gift_values) {
    const auto record = shop.gift_cards.find(code);
    if (record == shop.gift_cards.end()) {
      object(why, "gift card " + code + " is gone");
      continue;
    }
    const auto& card = record->second;
    if (card.balance_minor != value_minor - taken[code] || card.balance_minor < 0 ||
        card.held_minor != 0) {
      object(why, "gift card " + code + " of " + number(value_minor) + ", orders took " +
                      number(taken[code]) + ", on it " + number(card.balance_minor) + ", held " +
                      number(card.held_minor));
    }
  }
  return made("gift_cards_balance", std::move(why));
}

law refunds_within_captures(const read_back& shop) {
  std::string why;
  for (const auto& order : shop.orders) {
    if (order.refunded_minor > order.captured_minor) {
      object(why, "order " + order.id + " was charged " + number(order.captured_minor) +
                      " and given back " + number(order.refunded_minor));
    }
    for (const auto& [code, back_minor] : order.gift_refunds) {
      std::int64_t paid_minor = 0;
      for (const auto& [paid_by, amount_minor] : order.gift_cards)
        paid_minor += paid_by == code ? amount_minor : 0;
      if (back_minor > paid_minor) {
        object(why, "order " + order.id + " was paid " + number(paid_minor) + " by gift card " +
                        code + " and gave it back " + number(back_minor));
      }
    }
  }
  return made("refunds_within_captures", std::move(why));
}

// What answers to returns said goes back to gift cards is on them.
law gift_refunds_told(const told& clients, const read_back& shop) {
  std::int64_t back_minor = 0;
  for (const auto& order : shop.orders) {
    if (!clients.knows(order.reference) || !stands(order)) continue;
    for (const auto& each : order.gift_refunds) back_minor += each.second;
  }
  const bool agree = back_minor == clients.gift_refunded_minor;
  return made("gift_refunds_told",
              agree ? std::string()
                    : "told " + number(clients.gift_refunded_minor) + ", gift cards have back " +
                          number(back_minor));
}

law returns_restocked(const told& clients, const read_back& shop) {
  std::map<std::string, std::int64_t> back;
  for (const auto& [product, stocked] : shop.stocked) back[product] = 0;
  for (const auto& order : shop.orders) {
    if (!clients.knows(order.reference)) continue;
    for (const auto& [product, units] : order.restocked) back[product] += units;
  }
  std::string why;
  for (const auto& [product, units] : back) {
    const std::int64_t received = clients.returned_units_of(product);
    if (units != received) {
      object(why, "product " + product + ": " + number(received) + " units were received, " +
                      number(units) + " are listed as back on the shelf");
    }
  }
  return made("returns_restocked", std::move(why));
}

law declined_not_charged(const told& clients, const read_back& shop, const storefront_book& book) {
  std::string why;
  for (const auto& order : shop.orders) {
    if (!clients.knows(order.reference)) continue;
    const bool refused = order.status == "declined" || order.status == "rejected";
    const bool told_no = book.was_declined(order.reference);
    if (told_no && stands(order))
      object(why, "order " + order.id + " was declined and is " + order.status);
    if ((refused || told_no) && order.captured_minor != order.refunded_minor) {
      object(why, "order " + order.id + " is " + order.status + " and was charged " +
                      number(order.captured_minor) + ", given back " +
                      number(order.refunded_minor));
    }
  }
  return made("declined_not_charged", std::move(why));
}

law orders_read_add_up(const read_back& shop) {
  std::string why;
  for (const auto& order : shop.orders) {
    if (stands(order) && !order.price_fault.empty())
      object(why, "order " + order.id + ": " + order.price_fault);
  }
  return made("orders_read_add_up", std::move(why));
}

}  // namespace

void storefront_book::judge(look which, std::string objection) {
  auto& at = seen_[static_cast<std::size_t>(which)];
  ++at.times;
  if (at.objection.empty()) at.objection = std::move(objection);
}

std::vector<law> check_answers(const storefront_book& book) {
  const std::pair<const char*, look> all[] = {{"search_hits_fit", look::hits},
                                              {"search_sorted", look::order_of_hits},
                                              {"facet_counts_agree", look::facets},
                                              {"suggestions_fit", look::suggestions},
                                              {"totals_add_up", look::totals}};
  std::vector<law> laws;
  for (const auto& [name, which] : all) laws.push_back(made(name, book.objection(which)));
  return laws;
}

std::vector<law> check_promises(const told& clients, const read_back& shop,
                                const storefront_book& book) {
  std::vector<law> laws;
  add_coupon_laws(shop, book, laws);
  laws.push_back(gift_cards_balance(shop, book));
  laws.push_back(refunds_within_captures(shop));
  laws.push_back(gift_refunds_told(clients, shop));
  laws.push_back(returns_restocked(clients, shop));
  laws.push_back(declined_not_charged(clients, shop, book));
  laws.push_back(orders_read_add_up(shop));
  return laws;
}

}  // namespace omnicart::load
