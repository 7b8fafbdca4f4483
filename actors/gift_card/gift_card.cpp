#include "actors/gift_card/gift_card.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::gift_card {
namespace {

constexpr std::int64_t value_max = 1'000'000'000;
constexpr std::size_t note_bytes_max = 200;

// What refuses a hold now; no refusal: granted. `wanted` is at least 1.
status grantable(const state& s, currency_code currency, std::int64_t wanted, timestamp_ms now) {
  if (!s.enabled) return fail(errc::gift_card_disabled);
  if (s.content.expires_at && now >= *s.content.expires_at) return fail(errc::gift_card_expired);
  if (currency != s.content.value.currency) return fail(errc::gift_card_currency);
  if (s.balance_minor == 0) return fail(errc::gift_card_spent);
  const bool others_hold = s.balance_minor - s.held_minor < std::min(wanted, s.balance_minor);
  if (others_hold || s.holds.size() >= holds_max) return fail(errc::gift_card_in_use);
  return {};
}

struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const issue& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    const bool same = s.exists && c.value == s.content.value &&
                      c.expires_at == s.content.expires_at && c.note == s.content.note;
    if (same) return events{};
    if (s.exists) return fail(errc::gift_card_exists);
    const auto bad = [](const char* member) { return fail(errc::invalid_gift_card, member); };
    if (c.value.amount_minor < 1 || c.value.amount_minor > value_max) return bad("value");
    if (c.note.size() > note_bytes_max || !is_single_line(c.note)) return bad("note");
    if (c.expires_at && *c.expires_at <= ctx.now) return bad("expires_at");
    return events{issued{c, ctx.asker, ctx.now}};
  }
  result<events> operator()(const set_enabled& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (c.enabled == s.enabled) return events{};
    return events{enabling{c.enabled, ctx.asker, ctx.now}};
  }
  result<events> operator()(const check& c) const {
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (auto may = grantable(s, c.currency, 1, ctx.now); !may) return fail(may.error());
    return events{};
  }
  result<events> operator()(const hold& c) const {
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (s.holds.contains(c.order)) return events{};
    if (const past* known = s.ended.find(c.order.str())) {
      if (known->how == ending::spent) return events{};
      return fail(errc::gift_card_released);
    }
    if (c.order.empty() || c.amount.amount_minor < 1) {
      return fail(base_errc::malformed, "a hold names an order and an amount");
    }
    if (auto may = grantable(s, c.amount.currency, c.amount.amount_minor, ctx.now); !may)
      return fail(may.error());
    return events{
        held{c.order, std::min(c.amount.amount_minor, s.balance_minor - s.held_minor), ctx.now}};
  }
  result<events> operator()(const release& c) const {
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (s.ended.find(c.order.str())) return events{};
    return events{released{c.order, ctx.now}};
  }
  result<events> operator()(const spend& c) const {
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (s.holds.contains(c.order)) return events{spent{c.order, ctx.now}};
    const past* known = s.ended.find(c.order.str());
    if (!known || known->how == ending::released) return fail(errc::gift_card_released);
    return events{};
  }
  // A purchase that is no longer remembered is believed, as long as no more comes back than was
  // spent.
  result<events> operator()(const give_back& c) const {
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (s.returns.find(stock::return_name(c.order, c.key))) return events{};
    const past* known = s.ended.find(c.order.str());
    if (known && known->how == ending::given_back && c.key.empty()) return events{};
    const bool released = known && known->how == ending::released;
    if (released || s.holds.contains(c.order)) return fail(errc::gift_card_released);
    const std::int64_t most = known ? known->amount_minor - known->returned_minor
                                    : s.spent_minor - s.returned_minor;
    const bool fits = c.amount.currency == s.content.value.currency && c.amount.amount_minor >= 1 &&
                      c.amount.amount_minor <= std::min(most, s.spent_minor - s.returned_minor);
    if (!fits) return fail(errc::invalid_gift_card, "more would come back than was spent");
    return events{gave_back{c.order, c.amount.amount_minor, ctx.now, c.key}};
  }
  result<events> operator()(const get&) const {
    if (!s.exists) return fail(errc::no_such_gift_card);
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    return events{};
  }
};

struct applier {
  state& s;

  void operator()(const issued& e) const {
    s.exists = true;
    s.content = e.content;
    s.balance_minor = e.content.value.amount_minor;
    s.created_at = e.at;
  }
  void operator()(const enabling& e) const { s.enabled = e.enabled; }
  void operator()(const held& e) const {
    s.holds.emplace(e.order, e.amount_minor);
    s.held_minor += e.amount_minor;
  }
  void operator()(const released& e) const {
    remember(e.order, {ending::released, end_hold(e.order)}, e.at);
  }
  void operator()(const spent& e) const {
    const std::int64_t amount = end_hold(e.order);
    s.balance_minor -= amount;
    s.spent_minor += amount;
    remember(e.order, {ending::spent, amount}, e.at);
  }
  void operator()(const gave_back& e) const {
    s.balance_minor += e.amount_minor;
    s.returned_minor += e.amount_minor;
    s.returns.record(stock::return_name(e.order, e.key), e.amount_minor, e.at);
    past* known = s.ended.find(e.order.str());
    if (known == nullptr) return;  // a purchase that is no longer remembered
    known->returned_minor += e.amount_minor;
    if (e.key.empty()) known->how = ending::given_back;
  }

 private:
  std::int64_t end_hold(const order_id& order) const {
    const auto at = s.holds.find(order);
    if (at == s.holds.end()) return 0;
    const std::int64_t amount = at->second;
    s.held_minor -= amount;
    s.holds.erase(at);
    return amount;
  }
  void remember(const order_id& order, past end, timestamp_ms at) const {
    s.ended.record(order.str(), end, at);
    if (past* known = s.ended.find(order.str())) *known = end;
  }
};

struct order_named {
  const state& s;
  template <class C>
  std::int64_t operator()([[maybe_unused]] const C& c) const {
    if constexpr (requires { c.order; }) {
      if (const auto open = s.holds.find(c.order); open != s.holds.end()) return open->second;
      const past* known = s.ended.find(c.order.str());
      return known && known->how == ending::spent ? known->amount_minor : 0;
    }
    return 0;
  }
};

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::no_such_gift_card:
      return "no_such_gift_card";
    case errc::gift_card_exists:
      return "gift_card_exists";
    case errc::gift_card_disabled:
      return "gift_card_disabled";
    case errc::gift_card_expired:
      return "gift_card_expired";
    case errc::gift_card_spent:
      return "gift_card_spent";
    case errc::gift_card_in_use:
      return "gift_card_in_use";
    case errc::gift_card_currency:
      return "gift_card_currency";
    case errc::invalid_gift_card:
      return "invalid_gift_card";
    case errc::gift_card_released:
      return "gift_card_released";
  }
  return "";
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check_rules(const state& now) {
  ensure(now.held_minor >= 0 && now.held_minor <= now.balance_minor,
         "no more is held than is on the card");
  ensure(now.returned_minor >= 0 && now.returned_minor <= now.spent_minor,
         "no more comes back than was spent");
  ensure(now.content.value.amount_minor == now.balance_minor + now.spent_minor - now.returned_minor,
         "issued = balance + spent - returned");
}

void check_full(const state& now) {
  check_rules(now);
  std::int64_t sum = 0;
  for (const auto& [order, amount] : now.holds) {
    ensure(amount > 0, "a hold holds something");
    ensure(now.ended.find(order.str()) == nullptr, "an ended hold is not open");
    sum += amount;
  }
  ensure(sum == now.held_minor, "what is held is the sum of the holds");
}

card_view view_of(const state& now, const command& what) {
  return {.issued = now.content.value,
          .balance_minor = now.balance_minor,
          .held_minor = now.held_minor,
          .spent_minor = now.spent_minor,
          .returned_minor = now.returned_minor,
          .holds = static_cast<std::int64_t>(now.holds.size()),
          .order_minor = std::visit(order_named{now}, what),
          .enabled = now.enabled,
          .expires_at = now.content.expires_at,
          .note = now.content.note,
          .created_at = now.created_at};
}

std::size_t memory_bytes(const state& now) {
  constexpr std::size_t node_bytes = 128;  // a tree node with an id
  return sizeof(state) + now.holds.size() * node_bytes + now.ended.memory_bytes() +
         now.returns.memory_bytes() + now.content.note.size();
}

}  // namespace omnicart::gift_card
