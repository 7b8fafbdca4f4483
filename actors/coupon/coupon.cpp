#include "actors/coupon/coupon.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/heap_size.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::coupon {
namespace {

constexpr std::size_t title_bytes_max = 200;
constexpr std::size_t category_bytes_max = 500;
constexpr std::size_t products_max = 500;
constexpr std::size_t currencies_max = 30;
constexpr std::int64_t amount_max = 1'000'000'000'000;
constexpr std::int64_t units_max = 1'000;

// One amount per currency, none negative.
bool is_price_list(const std::vector<money>& amounts, std::int64_t least) {
  if (amounts.size() > currencies_max) return false;
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    if (amounts[i].amount_minor < least || amounts[i].amount_minor > amount_max) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (amounts[j].currency == amounts[i].currency) return false;
    }
  }
  return true;
}

const char* bad_member_of(const pricing::discount_rule& rule) {
  const bool rated = rule.type == pricing::discount_type::percentage ||
                     rule.type == pricing::discount_type::buy_x_get_y;
  if (rule.type > pricing::discount_type::buy_x_get_y) return "type";
  if (rated && (rule.rate_bps < 1 || rule.rate_bps > pricing::whole_bps)) return "rate_bps";
  if (rule.type == pricing::discount_type::fixed &&
      (rule.amounts.empty() || !is_price_list(rule.amounts, 1)))
    return "amounts";
  if (rule.type == pricing::discount_type::buy_x_get_y) {
    if (rule.buy < 1 || rule.buy > units_max) return "buy";
    if (rule.get < 1 || rule.get > units_max) return "get";
  }
  if (rule.category.size() > category_bytes_max || !is_single_line(rule.category))
    return "category";
  if (rule.products.size() > products_max) return "products";
  if (!is_price_list(rule.minimums, 0)) return "minimums";
  return nullptr;
}

// What refuses a claim now; no refusal: granted.
status grantable(const state& s, const std::string& customer, timestamp_ms now) {
  const definition& d = s.content;
  if (!s.enabled) return fail(errc::coupon_disabled);
  if (d.valid_from && now < *d.valid_from) return fail(errc::coupon_not_yet_valid);
  if (d.valid_until && now >= *d.valid_until) return fail(errc::coupon_expired);
  if (d.total_limit && s.used() >= *d.total_limit) return fail(errc::coupon_used_up);
  const bool all_held = d.total_limit && s.used() + s.claims.size() >= *d.total_limit;
  if (all_held || s.claims.size() >= claims_max) return fail(errc::coupon_in_use);
  if (d.customer_limit) {
    const auto had = s.customers.find(customer);
    if (had != s.customers.end() && had->second >= *d.customer_limit)
      return fail(errc::coupon_customer_limit);
  }
  return {};
}

struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const define& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (s.exists && c.content == s.content) return events{};
    if (s.exists) return fail(errc::coupon_exists);
    if (const char* member = first_bad_member(c.content)) return fail(errc::invalid_coupon, member);
    return events{defined{c.content, ctx.asker, ctx.now}};
  }
  result<events> operator()(const set_enabled& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (!s.exists) return fail(errc::no_such_coupon);
    if (c.enabled == s.enabled) return events{};
    return events{enabling{c.enabled, ctx.asker, ctx.now}};
  }
  result<events> operator()(const check& c) const {
    if (!s.exists) return fail(errc::no_such_coupon);
    if (auto may = grantable(s, c.customer, ctx.now); !may) return fail(may.error());
    return events{};
  }
  result<events> operator()(const claim& c) const {
    if (!s.exists) return fail(errc::no_such_coupon);
    if (s.claims.contains(c.order)) return events{};
    if (const ending* how = s.ended.find(c.order.str())) {
      if (*how == ending::redeemed) return events{};
      return fail(errc::coupon_released);
    }
    const bool named =
        !c.order.empty() && !c.customer.empty() && c.customer.size() <= customer_bytes_max;
    if (!named) return fail(base_errc::malformed, "a claim names an order and a customer");
    if (auto may = grantable(s, c.customer, ctx.now); !may) return fail(may.error());
    return events{claimed{c.order, c.customer, ctx.now}};
  }
  result<events> operator()(const release& c) const {
    if (!s.exists) return fail(errc::no_such_coupon);
    if (s.ended.find(c.order.str())) return events{};
    return events{released{c.order, ctx.now}};
  }
  result<events> operator()(const redeem& c) const {
    if (!s.exists) return fail(errc::no_such_coupon);
    if (s.claims.contains(c.order)) return events{redeemed{c.order, ctx.now}};
    const ending* how = s.ended.find(c.order.str());
    if (!how || *how == ending::released) return fail(errc::coupon_released);
    return events{};
  }
  // A use that is no longer remembered is believed, as long as there are uses (of the customer,
  // where they are counted).
  result<events> operator()(const give_back& c) const {
    if (!s.exists) return fail(errc::no_such_coupon);
    const ending* how = s.ended.find(c.order.str());
    if (how && *how == ending::given_back) return events{};
    const bool released = how && *how == ending::released;
    if (s.claims.contains(c.order) || released || s.used() == 0) return fail(errc::coupon_released);
    const bool counted = !s.content.customer_limit || s.customers.contains(c.customer);
    if (!how && !counted) return fail(errc::coupon_released);
    return events{gave_back{c.order, c.customer, ctx.now}};
  }
  result<events> operator()(const get&) const {
    if (!s.exists) return fail(errc::no_such_coupon);
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    return events{};
  }
};

struct applier {
  state& s;

  void operator()(const defined& e) const {
    s.exists = true;
    s.content = e.content;
    s.created_at = e.at;
  }
  void operator()(const enabling& e) const { s.enabled = e.enabled; }
  void operator()(const claimed& e) const {
    s.claims.emplace(e.order, e.customer);
    if (s.content.customer_limit) ++s.customers[e.customer];
  }
  void operator()(const released& e) const {
    if (const auto open = s.claims.find(e.order); open != s.claims.end()) {
      forget_use_of(open->second);
      s.claims.erase(open);
    }
    remember(e.order, ending::released, e.at);
  }
  void operator()(const redeemed& e) const {
    s.claims.erase(e.order);
    ++s.redeemed;
    remember(e.order, ending::redeemed, e.at);
  }
  void operator()(const gave_back& e) const {
    ++s.given_back;
    forget_use_of(e.customer);
    remember(e.order, ending::given_back, e.at);
  }

 private:
  void forget_use_of(const std::string& customer) const {
    const auto at = s.customers.find(customer);
    if (at == s.customers.end()) return;
    if (--at->second == 0) s.customers.erase(at);
  }
  void remember(const order_id& order, ending how, timestamp_ms at) const {
    s.ended.record(order.str(), how, at);
    if (ending* known = s.ended.find(order.str())) *known = how;
  }
};

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::no_such_coupon:
      return "no_such_coupon";
    case errc::coupon_exists:
      return "coupon_exists";
    case errc::coupon_disabled:
      return "coupon_disabled";
    case errc::coupon_not_yet_valid:
      return "coupon_not_yet_valid";
    case errc::coupon_expired:
      return "coupon_expired";
    case errc::coupon_used_up:
      return "coupon_used_up";
    case errc::coupon_in_use:
      return "coupon_in_use";
    case errc::coupon_customer_limit:
      return "coupon_customer_limit";
    case errc::invalid_coupon:
      return "invalid_coupon";
    case errc::coupon_released:
      return "coupon_released";
  }
  return "";
}

const char* first_bad_member(const definition& content) {
  if (content.title.size() > title_bytes_max || !is_single_line(content.title)) return "title";
  if (const char* member = bad_member_of(content.rule)) return member;
  if (content.valid_from && content.valid_until && *content.valid_until <= *content.valid_from)
    return "valid_until";
  if (content.total_limit && *content.total_limit == 0) return "total_limit";
  if (!content.customer_limit) return nullptr;
  if (*content.customer_limit == 0) return "customer_limit";
  const bool counted = content.total_limit && *content.total_limit <= counted_uses_max;
  return counted ? nullptr : "total_limit";
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check_rules(const state& now) {
  ensure(now.given_back <= now.redeemed, "no more uses come back than there were");
  ensure(now.exists || (now.claims.empty() && now.redeemed == 0),
         "only a coupon that exists is claimed");
  ensure(now.claims.size() <= claims_max, "claims are bounded");
  ensure(!now.content.total_limit || now.used() + now.claims.size() <= *now.content.total_limit,
         "a coupon is used no more often than it may be");
}

void check_full(const state& now) {
  check_rules(now);
  for (const auto& [order, customer] : now.claims) {
    ensure(now.ended.find(order.str()) == nullptr, "an ended claim is not open");
  }
  for (const auto& [customer, uses] : now.customers) {
    ensure(uses > 0 && (!now.content.customer_limit || uses <= *now.content.customer_limit),
           "a customer uses a coupon no more often than one may");
  }
}

coupon_view view_of(const state& now) {
  return {.content = now.content,
          .enabled = now.enabled,
          .held = now.claims.size(),
          .redeemed = now.redeemed,
          .given_back = now.given_back,
          .created_at = now.created_at};
}

std::size_t memory_bytes(const state& now) {
  constexpr std::size_t node_bytes = 160;  // a tree node with an id and a customer's name
  return sizeof(state) + (now.claims.size() + now.customers.size()) * node_bytes +
         now.ended.memory_bytes() + now.content.rule.products.size() * 64;
}

}  // namespace omnicart::coupon
