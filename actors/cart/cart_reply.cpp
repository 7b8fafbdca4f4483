#include <algorithm>
#include <set>
#include <utility>

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
                 .updated_at = s.updated_at,
                 .with = {},
                 .left = {}};
  if (s.seal()) view.sealed_by = s.seal()->order;
  if (s.rare) view.with = s.rare->with;
  return view;
}

void include(cart_view& view, const line& l, currency_code currency) {
  view.lines.push_back(view_of(l, currency));
  view.subtotal.currency = currency;
  view.subtotal.amount_minor += l.total_minor();
  view.item_count += l.quantity;
}

bool has_codes(const state& s) {
  return s.rare && !(s.rare->with.coupons.empty() && s.rare->with.gift_cards.empty());
}

change_view totals_of(const state& s) {
  return {.lines = {},
          .subtotal = {s.lines.subtotal_minor(), s.currency},
          .line_count = static_cast<std::uint32_t>(s.lines.size()),
          .item_count = s.lines.item_count(),
          .coded = has_codes(s)};
}

struct replier {
  const state& s;

  // Without what its receipt keeps, a line of a repeated command may be gone: quantity 0, and no
  // id.
  reply operator()(const add& c) const {
    change_view view = totals_of(s);
    std::set<std::uint32_t> seen;
    for (const auto& added : c.lines) {
      const line* now = line_of(added);
      if (now && !seen.insert(now->line_id).second) continue;
      view.lines.push_back(now ? view_of(*now, s.currency) : gone(added, 0));
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
    const line* now = line_of(c);
    view.lines.push_back(now ? view_of(*now, s.currency) : gone(0, c.product));
    return view;
  }

  // Empty when the seal has gone since.
  reply operator()(const seal& c) const {
    cart_view view = head_of(s);
    if (!s.seal() || s.seal()->order != c.order) return view;
    view.with = s.seal()->with;
    for (const auto& l : s.seal()->lines) include(view, l.as_sealed, s.seal()->currency);
    return view;
  }

  reply operator()(const surrender&) const {
    cart_view view = head_of(s);
    if (!s.closed()) return view;
    view.with = s.closed()->with;
    for (const auto& l : s.closed()->lines) include(view, l, s.closed()->currency);
    return view;
  }

  reply operator()(const merge& c) const {
    reply whole = (*this)(get{});
    if (s.rare && s.rare->left && s.rare->left->from == c.from)
      std::get<cart_view>(whole).left = s.rare->left->what;
    return whole;
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

  std::vector<std::uint32_t> touched(const add& c) const {
    std::vector<std::uint32_t> ids;
    std::set<std::uint32_t> seen;
    for (const auto& added : c.lines) {
      const line* now = line_of(added);
      if (now && seen.insert(now->line_id).second) ids.push_back(now->line_id);
    }
    return ids;
  }
  std::vector<std::uint32_t> touched(const set_product_quantity& c) const {
    const line* now = line_of(c);
    return now ? std::vector{now->line_id} : std::vector<std::uint32_t>{};
  }
  template <class Other>
  std::vector<std::uint32_t> touched(const Other&) const {
    return {};
  }

  // Each line as it is now. The additions to one line are one: so many lines, so many of `ids`.
  reply again(const add& c, const std::vector<std::uint32_t>& ids) const {
    std::vector<const new_line*> asked;
    std::set<std::pair<std::string_view, std::int64_t>> seen;
    for (const auto& added : c.lines) {
      const std::int64_t price = added.list_price ? -1 : added.unit_price.amount_minor;
      if (seen.insert({added.product.str(), price}).second) asked.push_back(&added);
    }
    if (asked.empty()) return (*this)(c);
    change_view view = totals_of(s);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const line* now = s.lines.find(ids[i]);
      view.lines.push_back(now ? view_of(*now, s.currency)
                               : gone(*asked[std::min(i, asked.size() - 1)], ids[i]));
    }
    return view;
  }
  reply again(const set_product_quantity& c, const std::vector<std::uint32_t>& ids) const {
    change_view view = totals_of(s);
    const line* now = s.lines.find(ids.front());
    view.lines.push_back(now ? view_of(*now, s.currency) : gone(ids.front(), c.product));
    return view;
  }
  template <class Other>
  reply again(const Other& c, const std::vector<std::uint32_t>&) const {
    return (*this)(c);
  }

 private:
  const line* line_of(const new_line& added) const {
    return s.lines.find({added.product.str(), added.unit_price.amount_minor, added.list_price});
  }
  // The one that a change of the product's quantity sets: the youngest, be it in its grave.
  const line* line_of(const set_product_quantity& c) const {
    const line* found = nullptr;
    s.lines.each_at_list_price(c.product.str(), [&](const line& l) {
      if (!found || l.line_id > found->line_id) found = &l;
    });
    return found;
  }

  line_view gone(const new_line& added, std::uint32_t line_id) const {
    return {.line_id = line_id,
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

std::vector<std::uint32_t> touched_by(const state& now, const command& what) {
  const replier from{now};
  return std::visit([&](const auto& c) { return from.touched(c); }, what);
}

reply reply_again(const state& now, const command& what,
                  const std::vector<std::uint32_t>& touched) {
  if (touched.empty()) return reply_to(now, what);
  const replier from{now};
  return std::visit([&](const auto& c) { return from.again(c, touched); }, what);
}

}  // namespace omnicart::cart
