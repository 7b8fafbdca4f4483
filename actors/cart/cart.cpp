#include "actors/cart/cart.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "actors/cart/cart_addition.hpp"
#include "actors/cart/cart_takeover.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::cart {
namespace {

using events = std::vector<event>;

constexpr std::size_t code_bytes_max = 64;

bool same_owner(const std::string& session, const std::string& user, const state& s) {
  return (!session.empty() && session == s.session) || (!user.empty() && user == s.user);
}

bool may_use(const state& s, const caller& asker) {
  return is_staff(asker.as) || !s.has_owner() || same_owner(asker.session, asker.user, s);
}

// People of the shop, who own no cart: what is nobody's is not there for them.
bool is_shop_staff(const caller& asker) { return is_staff(asker.as) && asker.as != role::system; }

tl::unexpected<error> refuse_closed(const state& s) {
  return fail(errc::closed, {}, encode_id(s.closed()->to.str()));
}

// What must hold before any command of a shopper or of staff for them.
status may_change(const state& s, const caller& asker) {
  if (!may_use(s, asker)) return fail(base_errc::not_found);
  if (s.closed()) return refuse_closed(s);
  if (!s.has_owner() && is_shop_staff(asker)) return fail(base_errc::not_found);
  return {};
}

struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const open& c) const {
    if (s.closed()) return refuse_closed(s);
    if (!s.has_owner()) return events{opened{c.session, c.user, ctx.now}};
    if (!same_owner(c.session, c.user, s)) return fail(errc::already_open);
    if (!may_use(s, ctx.asker)) return fail(base_errc::not_found);
    return events{};
  }

  result<events> operator()(const get&) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    return events{};
  }

  result<events> operator()(const add& c) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    if (c.again_only) return fail(base_errc::not_found, "no such command ran before");
    addition sum(s);
    for (const auto& line : c.lines) {
      if (auto planned = sum.plan(line); !planned) return fail(planned.error());
    }
    if (c.lines.empty()) return events{};
    return owned(lines_added{c.lines, ctx.now});
  }

  result<events> operator()(const set_quantity& c) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    if (auto fits = settable(c.quantity); !fits) return fail(fits.error());
    const line* found = s.lines.find(c.line_id);
    if (!found || !found->is_live()) return fail(errc::no_such_line);
    return set(*found, c.quantity, {});
  }

  result<events> operator()(const set_product_quantity& c) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    if (auto fits = settable(c.quantity); !fits) return fail(fits.error());
    const line* youngest = s.lines.youngest_at_list_price(c.product.str());
    if (!youngest) return fail(errc::no_such_line);
    events removals;
    s.lines.each_at_list_price(c.product.str(), [&](const line& other) {
      if (other.is_live() && &other != youngest)
        removals.push_back(quantity_set{other.line_id, 0, ctx.now});
    });
    return set(*youngest, c.quantity, std::move(removals));
  }

  result<events> operator()(const clear&) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    if (s.lines.size() == 0) return events{};
    return events{cleared{ctx.now}};
  }

  result<events> operator()(const seal& c) const {
    const caller& buyer = c.on_behalf_of;
    if (!may_use(s, buyer) || (!s.has_owner() && is_shop_staff(buyer)))
      return fail(base_errc::not_found);
    if (s.seal() && s.seal()->order == c.order) return events{};
    if (s.closed()) return refuse_closed(s);
    if (s.has_finished(c.order)) return refuse_sealed(c.order);
    if (s.seal()) return refuse_sealed(s.seal()->order);
    if (s.lines.size() == 0) return fail(errc::empty);
    return events{sealed{c.order, ctx.now}};
  }

  result<events> operator()(const abandon_checkout& c) const {
    const bool holds = s.seal() && s.seal()->order == c.order;
    if (holds) return events{checkout_abandoned{c.order, usable(c.prices), ctx.now}};
    if (s.closed() || s.has_finished(c.order)) return events{};
    return events{checkout_abandoned{c.order, {}, ctx.now}};
  }

  result<events> operator()(const complete_checkout& c) const {
    if (!s.seal() || s.seal()->order != c.order) return events{};
    return events{checkout_completed{c.order, ctx.now}};
  }

  result<events> operator()(const surrender& c) const {
    if (!may_use(s, ctx.asker)) return fail(base_errc::not_found);
    if (s.closed() && s.closed()->to != c.to) return refuse_closed(s);
    if (s.closed()) return events{};
    if (s.seal()) return refuse_sealed(s.seal()->order);
    return events{surrendered{c.to, ctx.now, s.rare ? s.rare->with : wishes{}}};
  }

  result<events> operator()(const merge& c) const {
    if (!may_use(s, ctx.asker)) return fail(base_errc::not_found);
    if (s.closed()) return refuse_closed(s);
    if (s.has_merged(c.from)) return events{};
    takeover plan = plan_takeover(s, c.lines, c.with);
    return events{merged{c.from, std::move(plan.lines), ctx.now, std::move(plan.with),
                         std::move(plan.left)}};
  }

  result<events> operator()(const assign& c) const {
    if (!may_use(s, ctx.asker)) return fail(base_errc::not_found);
    if (s.closed()) return refuse_closed(s);
    if (s.user == c.user) return events{};
    if (!s.user.empty()) return fail(errc::already_open);
    return events{assigned{c.user, ctx.now}};
  }

  result<events> operator()(const use_code& c) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    if (c.kind > code_kind::gift_card || c.code.empty() || c.code.size() > code_bytes_max)
      return fail(base_errc::malformed, "no such code");
    const auto& there = s.codes(c.kind);
    if (std::find(there.begin(), there.end(), c.code) != there.end()) return events{};
    if (there.size() >= codes_max) return fail(errc::code_limit);
    return owned(code_used{c.kind, c.code, ctx.now});
  }

  result<events> operator()(const drop_code& c) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    const auto& there = s.codes(c.kind);
    if (std::find(there.begin(), there.end(), c.code) == there.end()) return fail(errc::no_such_code);
    return events{code_dropped{c.kind, c.code, ctx.now}};
  }

  result<events> operator()(const choose_shipping& c) const {
    if (auto may = may_change(s, ctx.asker); !may) return fail(may.error());
    if ((!c.country.empty() && c.country.size() != 2) || c.method.size() > code_bytes_max)
      return fail(base_errc::malformed, "no such destination or method");
    const wishes now = s.rare ? s.rare->with : wishes{};
    if (c.country == now.country && c.method == now.method) return events{};
    return owned(shipping_chosen{c.country, c.method, ctx.now});
  }

  result<events> operator()(const wake& c) const {
    if (!may_use(s, ctx.asker)) return fail(base_errc::not_found);
    const auto due = wake_at(s, {.abandoned_after = c.abandoned_after});
    if (!due || *due > ctx.now) return events{};
    if (s.seal()) return events{kept{ctx.now}};
    return events{forgotten{ctx.now}};
  }

  result<events> operator()(const forget& c) const {
    if (ctx.asker.as != role::system) return fail(base_errc::not_found);
    const bool theirs = s.user.empty() ? !s.session.empty() && s.session == c.session : s.user == c.user;
    return theirs ? events{forgotten{ctx.now}} : events{};
  }

 private:
  static status settable(std::int64_t quantity) {
    if (quantity < 0) return fail(errc::invalid_quantity);
    if (quantity > limits::line_quantity_max) return fail(errc::quantity_limit);
    return {};
  }

  static tl::unexpected<error> refuse_sealed(const order_id& by) {
    return fail(errc::checkout_in_progress, {}, encode_id(by.str()));
  }

  // The event, after `opened` when the cart becomes the asker's by it.
  result<events> owned(event what) const {
    if (s.has_owner() || is_staff(ctx.asker.as)) return events{std::move(what)};
    if (ctx.asker.session.empty() && ctx.asker.user.empty()) return fail(base_errc::not_found);
    return events{opened{ctx.asker.session, ctx.asker.user, ctx.now}, std::move(what)};
  }

  result<events> set(const line& found, std::int64_t quantity, events before) const {
    std::int64_t total = 0;
    if (__builtin_mul_overflow(found.price_minor, quantity, &total) ||
        __builtin_add_overflow(s.lines.subtotal_minor() - found.total_minor(), total, &total)) {
      return fail(base_errc::overflow, "the subtotal would leave 64 bits");
    }
    if (found.quantity != quantity)
      before.push_back(quantity_set{found.line_id, quantity, ctx.now});
    return before;
  }

  // The new prices, unless they are of another currency, or the cart would be worth more than 64
  // bits can say.
  std::vector<price_update> usable(std::vector<price_update> prices) const {
    constexpr std::size_t name_bytes_max = 500;
    std::erase_if(prices, [&](const price_update& p) {
      return p.unit_price.currency != s.currency || p.unit_price.amount_minor < 0 ||
             p.name.size() > name_bytes_max;
    });
    std::map<std::string_view, std::int64_t> by_product;
    for (const auto& p : prices) by_product[p.product.str()] = p.unit_price.amount_minor;
    std::int64_t subtotal = 0;
    for (const auto& l : s.lines.with_graves()) {
      const auto at = l.list_price ? by_product.find(l.text.product()) : by_product.end();
      const std::int64_t price = at == by_product.end() ? l.price_minor : at->second;
      std::int64_t total = 0;
      if (__builtin_mul_overflow(price, std::int64_t{l.quantity}, &total) ||
          __builtin_add_overflow(subtotal, total, &subtotal)) {
        return {};
      }
    }
    return prices;
  }
};

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid_quantity:
      return "invalid_quantity";
    case errc::line_limit:
      return "line_limit";
    case errc::quantity_limit:
      return "quantity_limit";
    case errc::no_such_line:
      return "no_such_line";
    case errc::empty:
      return "empty";
    case errc::checkout_in_progress:
      return "checkout_in_progress";
    case errc::currency_mismatch:
      return "currency_mismatch";
    case errc::closed:
      return "closed";
    case errc::already_open:
      return "already_open";
    case errc::no_such_code:
      return "no_such_code";
    case errc::code_limit:
      return "code_limit";
  }
  return "";
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

std::optional<timestamp_ms> wake_at(const state& now, const settings& with) {
  const bool is_guests = now.user.empty() && !is_blank(now);
  if (!is_guests && !now.closed()) return std::nullopt;
  return now.updated_at + with.abandoned_after;
}

bool is_blank(const state& now) {
  return now.updated_at == timestamp_ms{} && !now.has_owner() && !now.rare;
}

}  // namespace omnicart::cart
