#include "tests/sim/order_sum.hpp"

namespace omnicart::sim {
namespace {

constexpr const char* shipping = "no more is shipped than was ordered";
constexpr const char* returning = "no more comes back than was shipped";
constexpr const char* one_end = "a return ends once";
constexpr const char* unit_once = "a unit is refunded once";
constexpr const char* paid_back = "no more is refunded than was paid";
constexpr const char* made_once = "a refund is made once";

const order::line* line_of(const order::state& order, std::uint32_t id) {
  for (const auto& each : order.lines) {
    if (each.line_id == id) return &each;
  }
  return nullptr;
}

std::string name_of(const order::line_count& of) { return "line " + std::to_string(of.line_id); }

// The key that the provider and gift cards know a refund of the shop by.
std::string key_of(std::uint32_t refund) { return "refund-" + std::to_string(refund); }

}  // namespace

struct order_sum::adder {
  order_sum& s;
  const order::state& now;

  void operator()(const order::promotion_held& e) const {
    const auto& from = now.promotions.at(e.promotion);
    if (from.kind == cart::code_kind::gift_card) s.cards[from.code] = e.amount_minor;
  }
  void operator()(const order::paid& e) const { s.captured = e.captured.amount_minor; }
  void operator()(const order::captured_later& e) const { s.captured = e.amount.amount_minor; }

  void operator()(const order::shipment_made& e) const {
    for (const auto& each : e.lines) {
      const auto* line = line_of(now, each.line_id);
      auto& shipped = s.lines_[each.line_id].shipped += each.quantity;
      s.require(each.quantity > 0 && line && shipped <= line->quantity, shipping, name_of(each));
    }
  }
  // Staff said so, of all at once.
  void operator()(const order::status_changed& e) const {
    if (e.to != order::order_status::shipped && e.to != order::order_status::delivered) return;
    for (const auto& each : now.lines) s.lines_[each.line_id].shipped = each.quantity;
  }
  void operator()(const order::return_asked& e) const {
    s.require(s.returns_.emplace(e.number, e.lines).second, one_end, "it was asked for twice");
    for (const auto& each : e.lines) {
      auto& of = s.lines_[each.line_id];
      of.asked_back += each.quantity;
      s.require(each.quantity > 0 && of.asked_back <= of.shipped, returning, name_of(each));
    }
  }
  void operator()(const order::return_received& e) const {
    const auto back = end_return(e.number);
    if (!e.restock) return;
    for (const auto& each : back) {
      if (const auto* line = line_of(now, each.line_id))
        s.shelved[line->product.str()] += each.quantity;
    }
  }
  void operator()(const order::return_refused& e) const {
    for (const auto& each : end_return(e.number))
      s.lines_[each.line_id].asked_back -= each.quantity;
  }
  void operator()(const order::refund_promised& e) const {
    refund made{.provider = e.amount.amount_minor};
    for (const auto& each : e.cards) {
      made.cards[each.code] += each.amount_minor;
      made.provider -= each.amount_minor;
    }
    s.require(made.provider >= 0 && e.amount.amount_minor > 0, paid_back, "its parts are no sum");
    s.require(s.refunds.emplace(key_of(e.number), made).second, made_once,
              key_of(e.number) + " is promised twice");
    if (e.for_return > 0)
      s.require(s.refunded_returns_.insert(e.for_return).second, unit_once, "a return, twice");
    for (const auto& each : e.lines) {
      const auto* line = line_of(now, each.line_id);
      auto& refunded = s.lines_[each.line_id].refunded += each.quantity;
      s.require(line && refunded <= line->quantity, unit_once, name_of(each));
    }
    s.check_paid();
  }
  void operator()(const order::refund_told& e) const {
    const refund made{.provider = e.amount.amount_minor, .cards = {}, .told = true};
    s.require(s.refunds.emplace(e.key, made).second, made_once, e.key + " was told before");
    s.check_paid();
  }
  void operator()(const order::part_refund_made& e) const {
    s.require(s.made_.insert(key_of(e.number)).second && s.refunds.contains(key_of(e.number)),
              made_once, key_of(e.number));
  }
  void operator()(const order::card_refund_made& e) const {
    const auto part = key_of(e.number) + '.' + std::to_string(e.card);
    s.require(s.made_.insert(part).second && s.refunds.contains(key_of(e.number)), made_once, part);
  }
  template <class Other>
  void operator()(const Other&) const {}

  order::line_counts end_return(std::uint32_t number) const {
    auto ended = s.returns_.extract(number);
    s.require(!ended.empty(), one_end, "return " + std::to_string(number));
    return ended.empty() ? order::line_counts{} : std::move(ended.mapped());
  }
};

void order_sum::add(const order::event& what, const order::state& now) {
  std::visit(adder{*this, now}, what);
}

void order_sum::check_paid() {
  require(promised() <= captured, paid_back, "the provider gives " + std::to_string(promised()));
  for (const auto& [key, each] : refunds) {
    for (const auto& [code, part] : each.cards) {
      const auto gave = cards.find(code);
      require(part > 0 && gave != cards.end() && promised(code) <= gave->second, paid_back,
              code + " gets " + std::to_string(promised(code)));
    }
  }
}

std::int64_t order_sum::given() const {
  std::int64_t sum = 0;
  for (const auto& [code, amount] : cards) sum += amount;
  return sum;
}

std::int64_t order_sum::promised() const {
  std::int64_t sum = 0;
  for (const auto& [key, each] : refunds) sum += each.provider;
  return sum;
}

std::int64_t order_sum::promised(const std::string& card) const {
  std::int64_t sum = 0;
  for (const auto& [key, each] : refunds) {
    const auto part = each.cards.find(card);
    if (part != each.cards.end()) sum += part->second;
  }
  return sum;
}

void order_sum::require(bool holds_true, const char* law, const std::string& what) {
  if (!holds_true && !broken_) broken_ = broken_law{law, what};
}

}  // namespace omnicart::sim
