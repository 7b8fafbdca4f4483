#include "actors/cart/cart_takeover.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "actors/cart/cart_addition.hpp"

namespace omnicart::cart {
namespace {

bool has(const std::vector<std::string>& codes, const std::string& code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

void leave(left_behind& left, const new_line& what, std::int64_t quantity, errc why) {
  ++left.line_count;
  if (left.lines.size() >= left_lines_max) return;
  left.lines.push_back({what.product, what.name, quantity, what.unit_price, why});
}

// Nothing for what no cart can hold, and so none held.
std::optional<errc> reason_of(const error& refusal) {
  for (const auto why : {errc::currency_mismatch, errc::line_limit, errc::quantity_limit}) {
    if (refusal.is(why)) return why;
  }
  if (refusal.is(base_errc::overflow)) return errc::quantity_limit;
  return std::nullopt;
}

struct planner {
  const state& now;
  takeover plan = {};
  bool foreign = false;  // in another currency

  void take(const std::vector<new_line>& lines) {
    addition sum(now);
    plan.lines.reserve(lines.size());  // the sum refers to those that it counts
    for (const auto& line : lines) take(line, sum);
  }

  void take(const new_line& line, addition& sum) {
    const auto whole = sum.plan(line);
    if (whole) return plan.lines.push_back(line);
    const auto why = reason_of(whole.error());
    if (!why) return;
    foreign = foreign || why == errc::currency_mismatch;
    leave(plan.left, line, line.quantity - take_part(line, sum), *why);
  }

  // As many units as there is room for.
  std::int64_t take_part(const new_line& line, addition& sum) {
    const std::int64_t quantity = std::min(line.quantity, sum.room(line));
    plan.lines.push_back(line);
    plan.lines.back().quantity = quantity;
    if (sum.plan(plan.lines.back())) return quantity;
    plan.lines.pop_back();
    return 0;
  }

  void take(code_kind kind, const std::vector<std::string>& codes) {
    auto& taken = kind == code_kind::coupon ? plan.with.coupons : plan.with.gift_cards;
    const auto& there = now.codes(kind);
    for (const auto& code : codes) {
      if (has(there, code) || has(taken, code)) continue;
      if (!foreign && there.size() + taken.size() < codes_max) {
        taken.push_back(code);
      } else {
        plan.left.codes.push_back(
            {kind, code, foreign ? errc::currency_mismatch : errc::code_limit});
      }
    }
  }

  void take_choice(const wishes& with) {
    if (foreign || (now.rare && has_choice(now.rare->with))) return;
    plan.with.country = with.country;
    plan.with.method = with.method;
  }
};

}  // namespace

takeover plan_takeover(const state& now, const std::vector<new_line>& lines, const wishes& with) {
  planner one{now};
  one.take(lines);
  one.take(code_kind::coupon, with.coupons);
  one.take(code_kind::gift_card, with.gift_cards);
  one.take_choice(with);
  return std::move(one.plan);
}

left_behind leave_all(const std::vector<new_line>& lines, const wishes& with, errc why) {
  left_behind left;
  for (const auto& line : lines) leave(left, line, line.quantity, why);
  for (const auto& code : with.coupons) left.codes.push_back({code_kind::coupon, code, why});
  for (const auto& code : with.gift_cards) left.codes.push_back({code_kind::gift_card, code, why});
  return left;
}

}  // namespace omnicart::cart
