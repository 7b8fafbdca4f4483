#include "tools/load/told.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/load/order_prices.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using nlohmann::json;

std::optional<money> money_of(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_object()) return std::nullopt;
  const auto amount = integer_of(*at, "amount");
  const auto currency = currency_code::parse(text_of(*at, "currency"));
  if (!amount || !currency) return std::nullopt;
  return money{*amount, *currency};
}

// The elements of a member that is a list of objects; none where it is not.
std::vector<json> objects_in(const json& object, const char* name) {
  std::vector<json> all;
  const auto at = object.find(name);
  if (at == object.end() || !at->is_array()) return all;
  for (const auto& each : *at) {
    if (each.is_object()) all.push_back(each);
  }
  return all;
}

// What came back of the order's lines and is on the shelf again.
void read_returns(const json& object, order_record& into) {
  std::map<std::int64_t, std::string> products;
  const auto returns = objects_in(object, "returns");
  if (returns.empty()) return;
  for (const auto& item : objects_in(object, "items"))
    products[integer_of(item, "line_id").value_or(-1)] = text_of(item, "product_id");
  for (const auto& each : returns) {
    const auto restocked = each.find("restocked");
    const bool back = restocked != each.end() && restocked->is_boolean() && restocked->get<bool>();
    if (!back || text_of(each, "status") != "received") continue;
    for (const auto& line : objects_in(each, "lines")) {
      into.restocked.emplace_back(products[integer_of(line, "line_id").value_or(-1)],
                                  integer_of(line, "quantity").value_or(0));
    }
  }
}

// How it was paid, and with what promises.
void read_terms(const json& object, order_record& into) {
  const auto coupons = object.find("coupons");
  if (coupons != object.end() && coupons->is_array()) {
    for (const auto& code : *coupons) {
      if (code.is_string()) into.coupons.push_back(code.get<std::string>());
    }
  }
  for (const auto& card : objects_in(object, "gift_cards")) {
    into.gift_cards.emplace_back(text_of(card, "code"), amount_in(card, "amount"));
    const std::int64_t back_minor = amount_in(card, "refunded");
    if (back_minor != 0) into.gift_refunds.emplace_back(text_of(card, "code"), back_minor);
  }
  const auto payment = object.find("payment");
  if (payment != object.end()) {
    into.captured_minor = amount_in(*payment, "captured");
    into.refunded_minor = amount_in(*payment, "refunded");
  }
  into.price_fault = price_fault(object);
}

std::optional<order_record> order_of(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto total = money_of(object, "total");
  order_record made{.id = text_of(object, "order_id"),
                    .status = text_of(object, "status"),
                    .reference = text_of(object, "reference"),
                    .total = total.value_or(money{})};
  if (made.id.empty() || made.status.empty() || !total) return std::nullopt;
  read_terms(object, made);
  read_returns(object, made);
  const auto items = object.find("items");
  if (items == object.end() || !items->is_array()) return made;
  for (const auto& item : *items) {
    const auto quantity = item.is_object() ? integer_of(item, "quantity") : std::nullopt;
    if (!quantity) return std::nullopt;
    ++made.lines;
    made.units += *quantity;
    made.items.emplace_back(text_of(item, "product_id"), *quantity);
  }
  return made;
}

// Keeps the first objection to each law.
class verdicts {
 public:
  void add(std::string name) { laws_.push_back({.name = std::move(name)}); }
  void against(std::string_view name, const std::string& why) {
    const auto at =
        std::find_if(laws_.begin(), laws_.end(), [&](const law& l) { return l.name == name; });
    if (!at->holds) return;
    at->holds = false;
    at->why = why;
  }
  std::vector<law> take() { return std::move(laws_); }

 private:
  std::vector<law> laws_;
};

std::string amount_text(std::int64_t minor, currency_code currency) {
  return to_decimal({minor, currency}) + " " + std::string(currency.text());
}

void check_order(const told& clients, const order_record& listed, verdicts& laws) {
  const auto known = clients.orders().find(listed.id);
  if (known == clients.orders().end()) {
    const bool allowed = !is_sale(listed.status) || !clients.knows(listed.reference) ||
                         clients.doubts(listed.reference);
    if (!allowed) {
      laws.against("no_untold_order",
                   "order " + listed.id + " for " + listed.reference + " was told to nobody");
    }
    return;
  }
  const auto& was = known->second;
  if (was.status != listed.status || was.total != listed.total ||
      was.reference != listed.reference) {
    laws.against("told_orders_agree",
                 "order " + listed.id + ": told " + was.status + " " + to_decimal(was.total) +
                     " for \"" + was.reference + "\", listed " + listed.status + " " +
                     to_decimal(listed.total) + " for \"" + listed.reference + "\"");
  }
}

void check_orders(const told& clients, const read_back& shop, verdicts& laws) {
  std::unordered_map<std::string, int> times;
  std::unordered_map<std::string, int> doubtful;
  std::int64_t sum_minor = 0;
  for (const auto& listed : shop.orders) {
    check_order(clients, listed, laws);
    if (clients.orders().contains(listed.id)) {
      if (++times[listed.id] > 1)
        laws.against("told_orders_exist_once", "order " + listed.id + " is listed twice");
      sum_minor += listed.total.amount_minor;
    } else if (is_sale(listed.status) && clients.doubts(listed.reference)) {
      if (++doubtful[listed.reference] > 1) {
        laws.against("no_untold_order",
                     "two orders for " + listed.reference + ", of which none was told");
      }
    }
  }
  for (const auto& [id, order] : clients.orders()) {
    if (!times.contains(id)) {
      laws.against("told_orders_exist_once",
                   "order " + id + " for " + order.reference + " is gone");
    }
  }
  if (clients.told_twice > 0) {
    laws.against("told_orders_exist_once", "two clients were told the same order");
  }
  if (sum_minor != clients.gross.amount_minor) {
    laws.against("gross_agrees",
                 "told " + amount_text(clients.gross.amount_minor, clients.gross.currency) +
                     ", listed " + amount_text(sum_minor, clients.gross.currency));
  }
}

// What others bought meanwhile: sales whose reference is none of ours.
struct trade {
  std::unordered_map<std::string, std::int64_t> units;  // by product
  std::int64_t minor = 0;  // that the provider has of them
  std::int64_t orders = 0;  // that it charged
};

trade of_others(const told& clients, const read_back& shop) {
  trade theirs;
  for (const auto& listed : shop.orders) {
    if (!is_sale(listed.status) || clients.knows(listed.reference) || clients.orders().contains(listed.id)) continue;
    for (const auto& [product, units] : listed.items) theirs.units[product] += units;
    theirs.minor += listed.charged_minor() - listed.refunded_minor;
    if (listed.charged_minor() > 0) ++theirs.orders;
  }
  return theirs;
}

// Orders that are no sale but were charged, as the provider was heard too late: it has a capture of
// each, and a refund.
std::int64_t charged_in_vain(const read_back& shop) {
  return std::count_if(shop.orders.begin(), shop.orders.end(), [](const order_record& listed) {
    return !is_sale(listed.status) && listed.captured_minor > 0;
  });
}

// What is in doubt may have been charged as the clients reckoned, or as it is listed.
std::int64_t doubtful_at_most(const told& clients, const read_back& shop) {
  std::int64_t listed_minor = 0;
  for (const auto& listed : shop.orders) {
    if (clients.doubts(listed.reference) && is_sale(listed.status))
      listed_minor += listed.charged_minor();
  }
  return std::max(clients.doubtful_minor, listed_minor);
}

void check_stock(const told& clients, const read_back& shop, trade theirs, verdicts& laws) {
  for (const auto& [product, before] : shop.stocked) {
    const auto now = shop.stock.find(product);
    if (now == shop.stock.end()) {
      laws.against("stock_agrees", "product " + product + " has no inventory");
      continue;
    }
    const auto& stock = now->second;
    const std::int64_t most = before - clients.sold_units_of(product) +
                              clients.returned_units_of(product) - theirs.units[product];
    const std::int64_t least = most - clients.doubtful_units_of(product);
    if (stock.on_hand > most || stock.on_hand < least || stock.reserved != 0) {
      laws.against("stock_agrees", "product " + product + ": " + std::to_string(most) +
                                       " should be left, on_hand " + std::to_string(stock.on_hand) +
                                       ", reserved " + std::to_string(stock.reserved));
    }
    if (stock.available < 0 || stock.on_hand != stock.available + stock.reserved) {
      laws.against("no_oversell", "product " + product + ": on_hand " +
                                      std::to_string(stock.on_hand) + ", reserved " +
                                      std::to_string(stock.reserved) + ", available " +
                                      std::to_string(stock.available));
    }
  }
}

void check_provider(const told& clients, const read_back& shop, const trade& theirs, verdicts& laws) {
  if (!shop.provider_after) return;
  laws.add("provider_agrees");
  const auto before = shop.provider_before.value_or(provider_sums{});
  const auto& after = *shop.provider_after;
  const std::int64_t net = (after.captured_minor - after.refunded_minor) -
                           (before.captured_minor - before.refunded_minor);
  const std::int64_t captures = after.captures - before.captures;
  const std::int64_t told_orders = clients.charged_orders + theirs.orders;
  const std::int64_t charged = told_orders + charged_in_vain(shop);
  const std::int64_t least = clients.charged_minor - clients.refunded_minor + theirs.minor;
  const std::int64_t doubtful_minor = doubtful_at_most(clients, shop);
  const bool counts_agree = doubtful_minor > 0 ? captures >= told_orders : captures == charged;
  if (net < least || net > least + doubtful_minor || !counts_agree) {
    laws.against("provider_agrees", "told " + std::to_string(told_orders) + " charged orders, " +
                                        amount_text(least, clients.gross.currency) +
                                        "; the provider has " + std::to_string(captures) +
                                        " captures, net " +
                                        amount_text(net, clients.gross.currency));
  }
}

}  // namespace

std::optional<order_record> parse_order(std::string_view text) {
  const auto parsed = json::parse(text, nullptr, false);
  return order_of(parsed);
}

std::optional<order_page> parse_order_page(std::string_view text) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto items = parsed.find("items");
  if (items == parsed.end() || !items->is_array()) return std::nullopt;
  order_page page{.orders = {}, .next_cursor = text_of(parsed, "next_cursor")};
  for (const auto& item : *items) {
    auto order = order_of(item);
    if (!order) return std::nullopt;
    page.orders.push_back(std::move(*order));
  }
  return page;
}

std::optional<stock_record> parse_stock(std::string_view text) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto on_hand = integer_of(parsed, "on_hand");
  const auto reserved = integer_of(parsed, "reserved");
  const auto available = integer_of(parsed, "available");
  if (!on_hand || !reserved || !available) return std::nullopt;
  return stock_record{*on_hand, *reserved, *available};
}

std::optional<coupon_record> parse_coupon(std::string_view text) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto used = integer_of(parsed, "used");
  const auto held = integer_of(parsed, "held");
  if (!used || !held) return std::nullopt;
  return coupon_record{*used, *held};
}

std::optional<gift_card_record> parse_gift_card(std::string_view text) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object() || !money_of(parsed, "balance") || !money_of(parsed, "held"))
    return std::nullopt;
  return gift_card_record{amount_in(parsed, "balance"), amount_in(parsed, "held")};
}

std::optional<provider_sums> parse_provider_sums(std::string_view text, currency_code currency) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto captures = integer_of(parsed, "captures");
  const auto totals = parsed.find("totals");
  if (!captures || totals == parsed.end() || !totals->is_array()) return std::nullopt;
  provider_sums sums{.captures = *captures};
  for (const auto& total : *totals) {
    if (!total.is_object() || text_of(total, "currency") != currency.text()) continue;
    sums.captured_minor = integer_of(total, "captured").value_or(0);
    sums.refunded_minor = integer_of(total, "refunded").value_or(0);
  }
  return sums;
}

bool is_sale(std::string_view status) {
  return status == "paid" || status == "processing" || status == "shipped" || status == "delivered";
}

std::int64_t order_record::charged_minor() const {
  std::int64_t left = total.amount_minor;
  for (const auto& [code, amount_minor] : gift_cards) left -= amount_minor;
  return left;
}

void told::sold(const order_record& order) {
  const auto [at, fresh] = orders_.try_emplace(
      order.id,
      sold_order{.status = order.status, .reference = order.reference, .total = order.total});
  if (!fresh) {
    ++told_twice;
    return;
  }
  lines += order.lines;
  units += order.units;
  charged_minor += order.charged_minor();
  if (order.charged_minor() > 0) ++charged_orders;
  for (const auto& [product, quantity] : order.items) sold_units_[product] += quantity;
  if (orders_.size() == 1) gross.currency = order.total.currency;
  const auto sum = add(gross, order.total);
  if (sum) {
    gross = *sum;
  } else {
    contradicted("order " + order.id + " is in " + std::string(order.total.currency.text()));
  }
}

void told::in_doubt(const std::string& reference, std::int64_t amount_minor,
                    const std::vector<std::pair<std::string, std::int64_t>>& items) {
  doubts_.insert(reference);
  doubtful_minor += amount_minor;
  for (const auto& [product, quantity] : items) doubtful_units_[product] += quantity;
}

void told::shipped(const std::string& order_id, std::string status) {
  const auto at = orders_.find(order_id);
  if (at != orders_.end()) at->second.status = std::move(status);
}

void told::contradicted(std::string why) { contradictions_.push_back(std::move(why)); }

std::int64_t told::sold_units_of(const std::string& product) const {
  const auto at = sold_units_.find(product);
  return at == sold_units_.end() ? 0 : at->second;
}

std::int64_t told::doubtful_units_of(const std::string& product) const {
  const auto at = doubtful_units_.find(product);
  return at == doubtful_units_.end() ? 0 : at->second;
}

std::int64_t told::returned_units_of(const std::string& product) const {
  const auto at = returned_units_.find(product);
  return at == returned_units_.end() ? 0 : at->second;
}

std::vector<law> check_laws(const told& clients, const read_back& shop) {
  verdicts laws;
  for (const char* name : {"told_orders_exist_once", "told_orders_agree", "no_untold_order",
                           "gross_agrees", "answers_agree", "stock_agrees", "no_oversell"}) {
    laws.add(name);
  }
  check_orders(clients, shop, laws);
  const trade theirs = of_others(clients, shop);
  check_stock(clients, shop, theirs, laws);
  check_provider(clients, shop, theirs, laws);
  if (!clients.contradictions().empty())
    laws.against("answers_agree", clients.contradictions().front());
  return laws.take();
}

}  // namespace omnicart::load
