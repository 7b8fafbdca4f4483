#include "actors/pricing/pricing.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace omnicart::pricing {
namespace {

__extension__ typedef __int128 wide;

// All that is worked with is checked to stay within 64 bits when it is stored.
struct work {
  const question& asked;
  breakdown out;
  std::vector<held_coupon> coupons;  // in code order
  std::int64_t weight_g = 0;
};

tl::unexpected<error> too_large() { return fail(base_errc::overflow, "an amount outside 64 bits"); }

bool add_to(std::int64_t& sum, std::int64_t more) {
  return !__builtin_add_overflow(sum, more, &sum);
}

// --- the goods

status take_goods(work& w) {
  const auto& items = w.asked.items;
  if (items.empty()) return fail(base_errc::malformed, "nothing to price");
  w.out.currency = items.front().unit_price.currency;
  for (const item& each : items) {
    if (each.quantity < 1 || each.unit_price.amount_minor < 0 || each.weight_g < 0) {
      return fail(base_errc::malformed, "no such line to price");
    }
    if (each.unit_price.currency != w.out.currency) {
      return fail(base_errc::overflow, "prices in different currencies");
    }
    line_price line{.line_id = each.line_id};
    std::int64_t weight_g = 0;
    const bool fits =
        !__builtin_mul_overflow(each.unit_price.amount_minor, each.quantity, &line.goods_minor) &&
        !__builtin_mul_overflow(each.weight_g, each.quantity, &weight_g) &&
        add_to(w.out.subtotal_minor, line.goods_minor) && add_to(w.weight_g, weight_g);
    if (!fits) return too_large();
    w.out.lines.push_back(std::move(line));
  }
  return {};
}

// --- discounts

std::vector<std::size_t> eligible(const work& w, const discount_rule& rule) {
  std::vector<std::size_t> lines;
  for (std::size_t i = 0; i < w.asked.items.size(); ++i) {
    const item& each = w.asked.items[i];
    const bool listed =
        rule.products.empty() ||
        std::find(rule.products.begin(), rule.products.end(), each.product) != rule.products.end();
    if (listed && lies_in(each.category, rule.category)) lines.push_back(i);
  }
  return lines;
}

std::int64_t left_of(const line_price& line) { return line.goods_minor - line.discount_minor; }

void give(line_price& line, const held_coupon& by, std::int64_t amount_minor) {
  const std::int64_t given = std::min(amount_minor, left_of(line));
  if (given <= 0) return;
  line.discounts.push_back({by.code, given, reason_of(by.rule)});
  line.discount_minor += given;
}

obstacle take_percentage(work& w, const held_coupon& by, const std::vector<std::size_t>& lines) {
  for (const std::size_t i : lines) {
    line_price& line = w.out.lines[i];
    give(line, by, round_share(left_of(line), by.rule.rate_bps, whole_bps));
  }
  return obstacle::none;
}

obstacle take_fixed(work& w, const held_coupon& by, const std::vector<std::size_t>& lines) {
  const money* amount = in_currency(by.rule.amounts, w.out.currency);
  if (!amount) return obstacle::other_currency;
  std::vector<std::int64_t> left;
  for (const std::size_t i : lines) left.push_back(left_of(w.out.lines[i]));
  const std::int64_t most = std::accumulate(left.begin(), left.end(), std::int64_t{0});
  const auto shares = cut(std::min(amount->amount_minor, most), left);
  for (std::size_t n = 0; n < lines.size(); ++n) give(w.out.lines[lines[n]], by, shares[n]);
  return obstacle::none;
}

// Of every buy + get units, the get cheapest; of equally cheap ones those of the first lines.
obstacle take_units(work& w, const held_coupon& by, std::vector<std::size_t> lines) {
  const discount_rule& rule = by.rule;
  wide units = 0;
  for (const std::size_t i : lines) units += w.asked.items[i].quantity;
  const wide set = wide{rule.buy} + rule.get;
  wide left = set > 0 ? units / set * rule.get : 0;
  if (left == 0) return obstacle::nothing_eligible;
  std::stable_sort(lines.begin(), lines.end(), [&](std::size_t a, std::size_t b) {
    return w.asked.items[a].unit_price.amount_minor < w.asked.items[b].unit_price.amount_minor;
  });
  for (const std::size_t i : lines) {
    const item& each = w.asked.items[i];
    const auto got = static_cast<std::int64_t>(std::min<wide>(left, each.quantity));
    left -= got;
    give(w.out.lines[i], by,
         round_share(each.unit_price.amount_minor * got, rule.rate_bps, whole_bps));
  }
  return obstacle::none;
}

obstacle fits(const work& w, const discount_rule& rule, const std::vector<std::size_t>& lines) {
  if (rule.exclusive && w.coupons.size() > 1) return obstacle::not_combinable;
  if (lines.empty()) return obstacle::nothing_eligible;
  if (rule.minimums.empty()) return obstacle::none;
  const money* least = in_currency(rule.minimums, w.out.currency);
  if (!least) return obstacle::other_currency;
  std::int64_t goods_minor = 0;
  for (const std::size_t i : lines) goods_minor += w.out.lines[i].goods_minor;
  return goods_minor < least->amount_minor ? obstacle::minimum_not_met : obstacle::none;
}

obstacle apply_to_goods(work& w, const held_coupon& by) {
  const auto lines = eligible(w, by.rule);
  if (const obstacle why = fits(w, by.rule, lines); why != obstacle::none) return why;
  switch (by.rule.type) {
    case discount_type::percentage:
      return take_percentage(w, by, lines);
    case discount_type::fixed:
      return take_fixed(w, by, lines);
    case discount_type::buy_x_get_y:
      return take_units(w, by, lines);
    case discount_type::free_shipping:
      return obstacle::none;  // its turn comes with shipping
  }
  return obstacle::none;
}

void discount_goods(work& w) {
  for (const auto type :
       {discount_type::buy_x_get_y, discount_type::percentage, discount_type::fixed}) {
    for (const held_coupon& each : w.coupons) {
      if (each.rule.type != type) continue;
      if (const obstacle why = apply_to_goods(w, each); why != obstacle::none) {
        w.out.aside.push_back({each.code, why});
      }
    }
  }
  for (const line_price& line : w.out.lines) w.out.discount_minor += line.discount_minor;
}

// --- shipping

std::optional<std::int64_t> cost_of(const work& w, const shipping_method& with) {
  const auto cost = carriage_minor(with, w.weight_g, w.out.currency);
  const money* from = in_currency(with.free_from, w.out.currency);
  const bool is_free = from && w.out.subtotal_minor - w.out.discount_minor >= from->amount_minor;
  return cost && is_free ? std::optional<std::int64_t>(0) : cost;
}

void choose_method(work& w) {
  const shipping_method* chosen = nullptr;
  for (const shipping_method& each : w.asked.of_shop.methods) {
    if (!w.asked.method.empty() && each.id != w.asked.method) continue;
    const auto cost = cost_of(w, each);
    if (!cost || (chosen && *cost >= w.out.shipping_minor)) continue;
    chosen = &each;
    w.out.shipping_minor = *cost;
  }
  w.out.not_deliverable = !chosen;
  if (!chosen) return;
  w.out.method = chosen->id;
  w.out.method_name = chosen->name;
}

void free_shipping(work& w) {
  for (const held_coupon& each : w.coupons) {
    if (each.rule.type != discount_type::free_shipping) continue;
    obstacle why = apply_to_goods(w, each);
    if (why == obstacle::none && w.out.shipping_minor == 0) why = obstacle::nothing_to_ship;
    if (why != obstacle::none) {
      w.out.aside.push_back({each.code, why});
      continue;
    }
    w.out.shipping_discounts.push_back({each.code, w.out.shipping_minor, reason_of(each.rule)});
    w.out.shipping_minor = 0;
  }
}

void share_shipping(work& w) {
  std::vector<std::int64_t> weights;
  for (const line_price& line : w.out.lines) weights.push_back(left_of(line));
  const bool all_free =
      std::all_of(weights.begin(), weights.end(), [](std::int64_t n) { return n == 0; });
  if (all_free) {
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = w.asked.items[i].quantity;
  }
  const auto shares = cut(w.out.shipping_minor, weights);
  for (std::size_t i = 0; i < shares.size(); ++i) w.out.lines[i].shipping_minor = shares[i];
}

// --- tax

bool tax_line(work& w, std::size_t at) {
  line_price& line = w.out.lines[at];
  std::int64_t taxed = left_of(line);
  if (!add_to(taxed, line.shipping_minor)) return false;
  const terms& shop = w.asked.of_shop;
  if (const tax_rate* rate = rate_for(shop, w.asked.items[at].category)) {
    line.tax_bps = rate->rate_bps;
    line.tax_name = rate->name;
    line.tax_minor = round_share(taxed, rate->rate_bps,
                                 shop.prices_include_tax ? whole_bps + rate->rate_bps : whole_bps);
  } else if (!shop.rates.empty() || !shop.country.empty()) {
    line.tax_name = "no tax";
  }
  line.total_minor = taxed;
  return (shop.prices_include_tax || add_to(line.total_minor, line.tax_minor)) &&
         add_to(w.out.tax_minor, line.tax_minor) && add_to(w.out.total_minor, line.total_minor);
}

}  // namespace

const char* to_string(obstacle why) {
  switch (why) {
    case obstacle::none:
      return "none";
    case obstacle::nothing_eligible:
      return "nothing_eligible";
    case obstacle::minimum_not_met:
      return "minimum_not_met";
    case obstacle::other_currency:
      return "other_currency";
    case obstacle::not_combinable:
      return "not_combinable";
    case obstacle::nothing_to_ship:
      return "nothing_to_ship";
  }
  return "";
}

std::int64_t round_share(std::int64_t amount, std::int64_t part, std::int64_t whole) {
  const wide product = wide{amount} * part;
  const wide half = whole / 2 + whole % 2;  // of an odd whole there is no exact half to round
  const wide size = product < 0 ? -product : product;
  const wide rest = size % whole;
  const wide rounded = size / whole + (rest >= half ? 1 : 0);
  return static_cast<std::int64_t>(product < 0 ? -rounded : rounded);
}

std::vector<std::int64_t> cut(std::int64_t amount, const std::vector<std::int64_t>& weights) {
  std::vector<std::int64_t> shares(weights.size(), 0);
  wide whole = 0;
  for (const std::int64_t each : weights) whole += each;
  if (whole == 0) {
    if (!shares.empty()) shares.front() = amount;
    return shares;
  }
  // What the lines so far should have, less what they were given: nothing is lost, none gets more
  // than its due rounded up.
  wide so_far = 0;
  wide given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    so_far += weights[i];
    const wide due = wide{amount} * so_far / whole;
    shares[i] = static_cast<std::int64_t>(due - given);
    given = due;
  }
  return shares;
}

result<breakdown> price(const question& what) {
  work w{.asked = what, .out = {}, .coupons = what.coupons};
  std::sort(w.coupons.begin(), w.coupons.end(),
            [](const held_coupon& a, const held_coupon& b) { return a.code < b.code; });
  w.out.country = what.of_shop.country;
  w.out.prices_include_tax = what.of_shop.prices_include_tax;
  if (auto taken = take_goods(w); !taken) return fail(taken.error());
  discount_goods(w);
  if (what.of_shop.ships) choose_method(w);
  free_shipping(w);
  share_shipping(w);
  for (std::size_t i = 0; i < w.out.lines.size(); ++i) {
    if (!tax_line(w, i)) return too_large();
  }
  return std::move(w.out);
}

bool adds_up(const breakdown& b) {
  wide goods = 0, taken_off = 0, shipping = 0, tax = 0, total = 0;
  for (const line_price& line : b.lines) {
    wide given = 0;
    for (const discount& each : line.discounts) given += each.amount_minor;
    const wide own_tax = b.prices_include_tax ? 0 : line.tax_minor;
    const bool sound =
        given == line.discount_minor && line.discount_minor >= 0 &&
        line.discount_minor <= line.goods_minor && line.shipping_minor >= 0 &&
        line.tax_minor >= 0 &&
        wide{line.goods_minor} - line.discount_minor + line.shipping_minor + own_tax ==
            line.total_minor;
    if (!sound) return false;
    goods += line.goods_minor;
    taken_off += line.discount_minor;
    shipping += line.shipping_minor;
    tax += line.tax_minor;
    total += line.total_minor;
  }
  return goods == b.subtotal_minor && taken_off == b.discount_minor &&
         shipping == b.shipping_minor && tax == b.tax_minor && total == b.total_minor;
}

}  // namespace omnicart::pricing
