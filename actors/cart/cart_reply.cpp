#include <set>

#include "actors/cart/cart.hpp"

// What a cart answers.
namespace omnicart::cart {
namespace {

line_view view_of(const line& l, currency_code currency) {
  return {.line_id = l.line_id,
          .product = product_id{std::string(l.text.product())},
          .name = std::string(l.text.name()),
          .quantity = l.quantity,
          .unit_price = {l.price_minor, currency},
          .line_total = {l.total_minor(), currency},
          .list_price = l.list_price};
}

cart_view head_of(const state& s) {
  cart_view view{.session = s.session,
                 .user = s.user,
                 .sealed_by = {},
                 .lines = {},
                 .subtotal = {},
                 .item_count = 0,
                 .updated_at = s.updated_at};
  if (s.seal()) view.sealed_by = s.seal()->order;
  return view;
}

void include(cart_view& view, const line& l, currency_code currency) {
  view.lines.push_back(view_of(l, currency));
  view.subtotal.currency = currency;
  view.subtotal.amount_minor += l.total_minor();
  view.item_count += l.quantity;
}

change_view totals_of(const state& s) {
  return {.lines = {},
          .subtotal = {s.lines.subtotal_minor(), s.currency},
          .line_count = static_cast<std::uint32_t>(s.lines.size()),
          .item_count = s.lines.item_count()};
}

struct replier {
  const state& s;

  // A line of a repeated command may be gone by now: quantity 0, and no id.
  reply operator()(const add& c) const {
    change_view view = totals_of(s);
    std::set<std::uint32_t> seen;
    for (const auto& added : c.lines) {
      const line* now =
          s.lines.find({added.product.str(), added.unit_price.amount_minor, added.list_price});
      if (now && !seen.insert(now->line_id).second) continue;
      view.lines.push_back(now ? view_of(*now, s.currency) : gone(added));
    }
    return view;
  }

  reply operator()(const set_quantity& c) const {
    change_view view = totals_of(s);
    const line* now = s.lines.find(c.line_id);
    view.lines.push_back(now ? view_of(*now, s.currency) : gone(c.line_id, {}));
    return view;
  }

  reply operator()(const set_product_quantity& c) const {
    change_view view = totals_of(s);
    s.lines.each_at_list_price(c.product.str(), [&](const line& l) {
      if (l.is_live() || c.quantity == 0) view.lines.push_back(view_of(l, s.currency));
    });
    if (view.lines.empty()) view.lines.push_back(gone(0, c.product));
    return view;
  }

  // Empty when the seal has gone since.
  reply operator()(const seal& c) const {
    cart_view view = head_of(s);
    if (!s.seal() || s.seal()->order != c.order) return view;
    for (const auto& l : s.seal()->lines) include(view, l.as_sealed, s.seal()->currency);
    return view;
  }

  reply operator()(const surrender&) const {
    cart_view view = head_of(s);
    if (!s.closed()) return view;
    for (const auto& l : s.closed()->lines) include(view, l, s.closed()->currency);
    return view;
  }

  template <class Other>
  reply operator()(const Other&) const {
    cart_view view = head_of(s);
    view.subtotal.currency = s.currency;
    view.lines.reserve(s.lines.size());
    for (const auto& l : s.lines.with_graves()) {
      if (l.is_live()) include(view, l, s.currency);
    }
    return view;
  }

 private:
  line_view gone(const new_line& added) const {
    return {.line_id = 0,
            .product = added.product,
            .name = added.name,
            .quantity = 0,
            .unit_price = added.unit_price,
            .line_total = {0, added.unit_price.currency},
            .list_price = added.list_price};
  }
  line_view gone(std::uint32_t line_id, const product_id& product) const {
    return {.line_id = line_id,
            .product = product,
            .name = {},
            .quantity = 0,
            .unit_price = {0, s.currency},
            .line_total = {0, s.currency},
            .list_price = true};
  }
};

}  // namespace

reply reply_to(const state& now, const command& what) { return std::visit(replier{now}, what); }

}  // namespace omnicart::cart
