#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/money.hpp"
#include "tests/unit/load/fake_shop.hpp"

// What the fake shop knows of finding things, of promotions and terms, and of what follows an
// order.
namespace omnicart::load::testing {

using nlohmann::json;

namespace {

constexpr std::int64_t post_pence = 350;
constexpr std::int64_t tax_bps = 2'000;

fake_shop::reply refuse(int status, const std::string& code) {
  return {status, json{{"status", status}, {"code", code}, {"retryable", false}}.dump()};
}

json pounds(std::int64_t pence) { return {{"amount", pence}, {"currency", "GBP"}}; }

std::map<std::string, std::string> parameters(const std::string& query) {
  std::map<std::string, std::string> all;
  std::size_t begin = 0;
  while (begin < query.size()) {
    const auto end = std::min(query.find('&', begin), query.size());
    const auto pair = query.substr(begin, end - begin);
    const auto cut = std::min(pair.find('='), pair.size());
    all[decoded(pair.substr(0, cut))] = decoded(pair.substr(std::min(cut + 1, pair.size())));
    begin = end + 1;
  }
  return all;
}

std::int64_t pence_of(const std::string& decimal) {
  return parse_decimal(decimal, *currency_code::parse("GBP"))->amount_minor;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

json facet(const std::map<std::string, int>& counts, int lie) {
  json values = json::array();
  for (const auto& [value, count] : counts)
    values.push_back({{"value", value}, {"count", count + lie}});
  return values;
}

}  // namespace

std::int64_t fake_shop::order::due() const {
  std::int64_t left = total;
  for (const auto& [code, pence] : gifts) left -= pence;
  return left;
}

fake_shop::reply fake_shop::find_products(const asked& what) const {
  auto wanted = parameters(what.query);
  const auto text_of = [](const std::map<std::string, std::string>& from, const std::string& id) {
    const auto at = from.find(id);
    return at == from.end() ? std::string() : at->second;
  };
  std::vector<std::string> ids;
  std::map<std::string, int> by_category, by_brand;
  for (const auto& [id, pence] : prices) {
    const std::string category = text_of(categories, id), brand = text_of(brands, id);
    if (wanted.contains("q") && ("Item " + id).find(wanted["q"]) == std::string::npos) continue;
    if (wanted.contains("category") && category != wanted["category"]) continue;
    if (wanted.contains("brand") && brand != wanted["brand"]) continue;
    const bool dear = wanted.contains("max_price") && pence > pence_of(wanted["max_price"]);
    const bool cheap = wanted.contains("min_price") && pence < pence_of(wanted["min_price"]);
    if ((dear || cheap) && !how_.shows_dear_hits) continue;
    ids.push_back(id);
    if (!category.empty()) ++by_category[category];
    if (!brand.empty()) ++by_brand[brand];
  }
  const int sign = wanted["sort"] == "price" ? 1 : wanted["sort"] == "-price" ? -1 : 0;
  if (sign != 0 && !how_.ignores_sorting) {
    std::stable_sort(ids.begin(), ids.end(), [&](const auto& a, const auto& b) {
      return sign * prices.at(a) < sign * prices.at(b);
    });
  }
  json items = json::array();
  for (const auto& id : ids) {
    json item{{"id", id}, {"name", "Item " + id}, {"price", pounds(prices.at(id))}};
    if (categories.contains(id)) item["category"] = categories.at(id);
    if (brands.contains(id)) item["brand"] = brands.at(id);
    items.push_back(item);
  }
  const int lie = how_.miscounts_facets ? 1 : 0;
  const json facets{{"category", facet(by_category, lie)},
                    {"brand", facet(by_brand, lie)},
                    {"attributes", json::object()}};
  return {
      200,
      json{{"items", items}, {"next_cursor", nullptr}, {"total", ids.size()}, {"facets", facets}}
          .dump()};
}

fake_shop::reply fake_shop::suggest() const {
  json items = json::array();
  items.push_back({{"text", "Item a"}, {"kind", "product"}, {"product_id", "a"}});
  while (items.size() < (how_.suggests_too_much ? 11u : 10u))
    items.push_back({{"text", "item"}, {"kind", "query"}});
  return {200, json{{"items", items}}.dump()};
}

fake_shop::reply fake_shop::terms(const asked& what) {
  std::string& kept = what.path == "/api/tax-rates" ? taxes : shipping;
  if (what.method == "PUT") {
    kept = what.body;
    ++terms_version_;
  }
  auto shown = json::parse(kept);
  shown["version"] = terms_version_;
  return {200, shown.dump()};
}

fake_shop::reply fake_shop::offers(const asked& what) {
  const bool cards = what.path.starts_with("/api/gift-cards");
  if (what.method == "POST") {
    const auto form = json::parse(what.body);
    const std::string code = form["code"];
    if (cards) {
      const std::int64_t value = form["value"]["amount"];
      cards_[code] = {.value = value, .balance = value};
    } else {
      const bool percentage = form["type"] == "percentage";
      coupons_[code] = {.percentage = percentage,
                        .amount = percentage ? form["rate_bps"].get<std::int64_t>()
                                             : form["amount"]["amount"].get<std::int64_t>(),
                        .limit = form["total_limit"]};
    }
    return {201, json{{"code", code}, {"version", 1}}.dump()};
  }
  if (what.method == "PUT") return {200, R"({"status":"disabled","version":2})"};
  const std::string code = last_part(what.path);
  if (cards) {
    const auto at = cards_.find(code);
    if (at == cards_.end()) return refuse(404, "no_such_gift_card");
    return {200, json{{"value", pounds(at->second.value)},
                      {"balance", pounds(at->second.balance)},
                      {"held", pounds(0)}}
                     .dump()};
  }
  const auto at = coupons_.find(code);
  if (at == coupons_.end()) return refuse(404, "no_such_coupon");
  const std::int64_t used = how_.forgets_uses ? 0 : at->second.used;
  return {200, json{{"total_limit", at->second.limit}, {"used", used}, {"held", 0}}.dump()};
}

fake_shop::reply fake_shop::enter_code(const std::string& cart, const asked& what) {
  const std::string code = json::parse(what.body)["code"];
  if (what.path == "/api/cart/gift-cards") {
    const auto at = cards_.find(code);
    if (at == cards_.end()) return refuse(404, "no_such_gift_card");
    if (at->second.balance == 0) return refuse(409, "gift_card_spent");
    wishes_[cart].cards.insert(code);
  } else {
    const auto at = coupons_.find(code);
    if (at == coupons_.end()) return refuse(404, "no_such_coupon");
    const bool used_up = at->second.used >= at->second.limit && !how_.sells_coupons_again;
    if (used_up) return refuse(409, "coupon_used_up");
    wishes_[cart].coupons.insert(code);
  }
  return {200, show_cart(cart)};
}

fake_shop::reply fake_shop::drop_code(const std::string& cart, const asked& what) {
  const std::string code = last_part(what.path);
  wishes_[cart].coupons.erase(code);
  wishes_[cart].cards.erase(code);
  return {200, show_cart(cart)};
}

std::string fake_shop::show_cart(const std::string& cart) const {
  const auto lines = carts.find(cart);
  const auto with = wishes_.find(cart);
  order shown{.id = "cart", .status = "cart", .reference = {}, .lines = {}};
  if (lines != carts.end()) shown.lines = lines->second;
  price(shown, with == wishes_.end() ? wishes{} : with->second);
  return order_json(shown);
}

std::vector<std::string> fake_shop::price(order& made, const wishes& with) const {
  std::vector<std::string> refused;
  const bool ships = json::parse(shipping).contains("methods") && !made.lines.empty();
  const bool taxed = json::parse(taxes).contains("rates");
  made.shipping = ships ? post_pence : 0;
  made.off.assign(made.lines.size(), 0);
  made.tax.assign(made.lines.size(), 0);
  for (const auto& code : with.coupons) {
    const auto& rule = coupons_.at(code);
    if (rule.used >= rule.limit && !how_.sells_coupons_again) {
      refused.push_back(code);
      continue;
    }
    std::int64_t left = rule.amount;
    for (std::size_t i = 0; i < made.lines.size(); ++i) {
      const std::int64_t goods = made.lines[i].quantity * made.lines[i].pence - made.off[i];
      const std::int64_t taken =
          rule.percentage ? goods * rule.amount / 10'000 : std::min(goods, left);
      made.off[i] += taken;
      left -= rule.percentage ? 0 : taken;
    }
    made.coupons.push_back(code);
  }
  for (std::size_t i = 0; i < made.lines.size(); ++i) {
    const std::int64_t net =
        made.lines[i].quantity * made.lines[i].pence - made.off[i] + (i == 0 ? made.shipping : 0);
    made.tax[i] = taxed ? (net * tax_bps + 5'000) / 10'000 : 0;
    made.total += net + made.tax[i];
  }
  for (const auto& code : with.cards) {
    const std::int64_t balance = cards_.at(code).balance;
    const std::int64_t taken = std::min(balance, made.due());
    if (balance == 0) refused.push_back(code);
    if (taken > 0) made.gifts[code] = taken;
  }
  return refused;
}

void fake_shop::take_promised(const order& made) {
  for (const auto& code : made.coupons) ++coupons_[code].used;
  if (how_.keeps_gift_money) return;
  for (const auto& [code, pence] : made.gifts) cards_[code].balance -= pence;
}

std::string fake_shop::order_json(const order& made, std::int64_t lie) const {
  json items = json::array();
  std::int64_t goods = 0, off = 0, tax = how_.miscounts_totals ? 1 : 0;
  for (std::size_t i = 0; i < made.lines.size(); ++i) {
    const auto& each = made.lines[i];
    const std::int64_t own = each.quantity * each.pence, post = i == 0 ? made.shipping : 0;
    goods += own;
    off += made.off[i];
    tax += made.tax[i];
    items.push_back(
        {{"line_id", i},
         {"product_id", each.product},
         {"quantity", each.quantity},
         {"unit_price", pounds(each.pence)},
         {"line_total", pounds(own)},
         {"discounts", json::array({json{{"code", "C"}, {"amount", pounds(made.off[i])}}})},
         {"discount", pounds(made.off[i])},
         {"shipping", pounds(post)},
         {"tax", {{"rate_bps", tax_bps}, {"amount", pounds(made.tax[i])}}},
         {"total", pounds(own - made.off[i] + post + made.tax[i])}});
  }
  json gifts = json::array(), returns = json::array();
  for (const auto& [code, pence] : made.gifts) {
    json gift{{"code", code}, {"amount", pounds(pence)}};
    if (const auto back = made.gifts_back.find(code); back != made.gifts_back.end())
      gift["refunded"] = pounds(back->second);
    gifts.push_back(gift);
  }
  for (const auto& each : made.returns) {
    returns.push_back(
        {{"status", each.received ? "received" : "requested"},
         {"restocked", each.restocked},
         {"lines", json::array({json{{"line_id", each.line}, {"quantity", each.units}}})}});
  }
  return json{
      {"order_id", made.id},
      {"status", made.status},
      {"reference", made.reference},
      {"items", items},
      {"subtotal", pounds(goods)},
      {"discount_total", pounds(off)},
      {"shipping_total", pounds(made.shipping)},
      {"tax_total", pounds(tax)},
      {"total", pounds(made.total + lie)},
      {"prices_include_tax", false},
      {"coupons", made.coupons},
      {"gift_cards", gifts},
      {"returns", returns},
      {"payment", {{"captured", pounds(made.captured)}, {"refunded", pounds(made.refunded)}}}}
      .dump();
}

// "/api/orders/o1[/shipments | /returns | /returns/1/status]"
fake_shop::reply fake_shop::after_order(const asked& what) {
  const std::string rest = what.path.substr(std::string("/api/orders/").size());
  const auto cut = std::min(rest.find('/'), rest.size());
  const std::string id = rest.substr(0, cut), deed = rest.substr(cut);
  const auto at =
      std::find_if(orders.begin(), orders.end(), [&](const order& each) { return each.id == id; });
  if (at == orders.end()) return refuse(404, "no_such_order");
  order& of = *at;
  json said{{"order_id", id}, {"order_status", of.status}, {"number", 1}, {"version", 2}};
  if (deed.empty()) return {200, order_json(of)};
  if (deed == "/shipments") {
    of.status = "shipped";
    said["order_status"] = of.status;
    return {201, said.dump()};
  }
  if (deed == "/returns") {
    const auto sent = json::parse(what.body)["lines"][0];
    of.returns.push_back({.line = sent["line_id"], .units = sent["quantity"]});
    said["number"] = of.returns.size();
    return {201, said.dump()};
  }
  auto& back = of.returns.back();
  const auto& bought = of.lines[back.line];
  back.received = true;
  back.restocked = !how_.forgets_to_restock;
  if (back.restocked) stock[bought.product] += back.units;
  const std::int64_t pence =
      of.total == 0 ? 0 : bought.pence * back.units * of.due() / (2 * of.total);
  of.refunded += pence + (how_.refunds_too_much ? of.total + 1 : 0);
  refunded_ += pence;
  const std::int64_t gift = of.gifts.empty() ? 0 : of.gifts.begin()->second / 2;
  if (gift > 0 && !how_.forgets_gift_refunds) {
    of.gifts_back[of.gifts.begin()->first] += gift;
    cards_[of.gifts.begin()->first].balance += gift;
  }
  said["refund"] = {{"amount", pounds(pence + gift)}, {"gift_card_total", pounds(gift)}};
  return {200, said.dump()};
}

}  // namespace omnicart::load::testing
