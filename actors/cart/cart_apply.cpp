#include <algorithm>
#include <map>
#include <set>

#include "actors/cart/cart.hpp"
#include "actors/cart/cart_takeover.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/heap_size.hpp"
#include "runtime/base/limits.hpp"

// What an event does to a cart, and what must hold afterwards.
namespace omnicart::cart {
namespace {

template <class Id>
void remember(std::vector<Id>& ids, const Id& id, std::size_t count_max) {
  if (ids.size() == count_max) ids.erase(ids.begin());
  ids.push_back(id);
}

// What completion will still take off the line.
std::uint32_t sealed_remaining(const state& s, std::uint32_t line_id) {
  if (!s.seal()) return 0;
  const auto& lines = s.seal()->lines;
  const auto at = std::lower_bound(
      lines.begin(), lines.end(), line_id,
      [](const sealed_line& l, std::uint32_t id) { return l.as_sealed.line_id < id; });
  return at != lines.end() && at->as_sealed.line_id == line_id ? at->remaining : 0;
}

// The owner took units out of a line: completion takes at most what is left.
void shrink_seal(state& s, std::uint32_t line_id, std::uint32_t quantity) {
  if (!s.seal()) return;
  auto& lines = s.rare->seal->lines;
  const auto at = std::lower_bound(
      lines.begin(), lines.end(), line_id,
      [](const sealed_line& l, std::uint32_t id) { return l.as_sealed.line_id < id; });
  if (at == lines.end() || at->as_sealed.line_id != line_id) return;
  at->remaining = std::min(at->remaining, quantity);
}

void empty_lines(state& s) {
  s.lines.clear();
  if (!s.seal()) return;
  for (auto& l : s.rare->seal->lines) l.remaining = 0;
}

void add_lines(state& s, const std::vector<new_line>& lines) {
  for (const auto& l : lines) {
    s.currency = l.unit_price.currency;
    s.lines.add({l.product.str(), l.unit_price.amount_minor, l.list_price}, l.name,
                static_cast<std::uint32_t>(l.quantity));
  }
}

// The lines once more, those at list price of the named products with the new price and name; of
// lines that become equal the first stays and takes the others' units, up to the limit of a line.
void reprice(state& s, const std::vector<price_update>& prices) {
  std::map<std::string_view, const price_update*> by_product;
  for (const auto& p : prices) by_product[p.product.str()] = &p;
  line_list priced;
  for (const auto& old : s.lines.with_graves()) {
    if (!old.is_live()) continue;
    line now = old.clone();
    const auto at = old.list_price ? by_product.find(old.text.product()) : by_product.end();
    if (at != by_product.end()) {
      now.price_minor = at->second->unit_price.amount_minor;
      now.text = {old.text.product(), at->second->name};
    }
    if (const line* same = priced.find(key_of(now))) {
      const auto sum = std::int64_t{same->quantity} + now.quantity;
      priced.set_quantity(same->line_id,
                          static_cast<std::uint32_t>(std::min(sum, limits::line_quantity_max)));
    } else {
      priced.restore(std::move(now));
    }
  }
  priced.skip_ids_to(s.lines.next_line_id());
  s.lines = std::move(priced);
}

void end_checkout(state& s, const order_id& order) {
  rare_state& rare = s.make_rare();
  if (rare.seal && rare.seal->order == order) rare.seal.reset();
  remember(rare.finished, order, finished_orders_max);
}

struct applier {
  state& s;

  void operator()(const opened& e) const {
    s.session = e.session;
    s.user = e.user;
  }
  void operator()(const lines_added& e) const { add_lines(s, e.lines); }
  void operator()(const quantity_set& e) const {
    const auto quantity = static_cast<std::uint32_t>(e.quantity);
    s.lines.set_quantity(e.line_id, quantity);
    shrink_seal(s, e.line_id, quantity);
  }
  void operator()(const cleared&) const { empty_lines(s); }
  void operator()(const sealed& e) const {
    seal_state seal{.order = e.order, .currency = s.currency, .lines = {}, .with = {}};
    if (s.rare) seal.with = s.rare->with;
    seal.lines.reserve(s.lines.size());
    for (const auto& l : s.lines.with_graves()) {
      if (l.is_live()) seal.lines.push_back({l.clone(), l.quantity});
    }
    s.make_rare().seal = std::move(seal);
  }
  void operator()(const checkout_abandoned& e) const {
    if (!e.prices.empty()) reprice(s, e.prices);
    end_checkout(s, e.order);
  }
  void operator()(const checkout_completed& e) const {
    if (s.seal()) {
      for (const auto& [bought, remaining] : s.seal()->lines) take_off(bought.line_id, remaining);
      drop_all(s.rare->with.coupons, s.seal()->with.coupons);
      drop_all(s.rare->with.gift_cards, s.seal()->with.gift_cards);
    }
    end_checkout(s, e.order);
    if (s.lines.size() == 0) s.lines.clear();
  }
  void operator()(const surrendered& e) const {
    closed_state closed{.to = e.to, .currency = s.currency, .lines = {}, .with = e.with};
    for (const auto& l : s.lines.with_graves()) {
      const std::uint32_t kept = std::min(l.quantity, sealed_remaining(s, l.line_id));
      if (l.quantity == kept) continue;
      line moved = l.clone();
      moved.quantity -= kept;
      closed.lines.push_back(std::move(moved));
    }
    empty_lines(s);
    rare_state& rare = s.make_rare();
    drop_all(rare.with.coupons, e.with.coupons);
    drop_all(rare.with.gift_cards, e.with.gift_cards);
    if (has_choice(e.with)) rare.with.country = rare.with.method = {};
    rare.closed = std::move(closed);
  }
  void operator()(const merged& e) const {
    add_lines(s, e.lines);
    rare_state& rare = s.make_rare();
    append(rare.with.coupons, e.with.coupons);
    append(rare.with.gift_cards, e.with.gift_cards);
    if (has_choice(e.with)) {
      rare.with.country = e.with.country;
      rare.with.method = e.with.method;
    }
    remember(rare.merged_from, e.from, merged_carts_max);
    rare.left.reset();
    if (e.left != left_behind{}) rare.left = merge_rest{e.from, e.left};
  }
  void operator()(const assigned& e) const { s.user = e.user; }
  void operator()(const emptied&) const {
    empty_lines(s);
    if (s.closed()) s.rare->closed->lines = std::vector<line>{};
  }
  void operator()(const kept&) const {}
  void operator()(const forgotten&) const { s = state{}; }
  void operator()(const code_used& e) const { codes_of(e.kind).push_back(e.code); }
  void operator()(const code_dropped& e) const { std::erase(codes_of(e.kind), e.code); }
  void operator()(const shipping_chosen& e) const {
    s.make_rare().with.country = e.country;
    s.rare->with.method = e.method;
  }

 private:
  std::vector<std::string>& codes_of(code_kind kind) const {
    wishes& with = s.make_rare().with;
    return kind == code_kind::coupon ? with.coupons : with.gift_cards;
  }
  static void append(std::vector<std::string>& to, const std::vector<std::string>& codes) {
    to.insert(to.end(), codes.begin(), codes.end());
  }
  // What an order was checked out with is not there for the next.
  static void drop_all(std::vector<std::string>& from, const std::vector<std::string>& used) {
    std::erase_if(from, [&](const std::string& code) {
      return std::find(used.begin(), used.end(), code) != used.end();
    });
  }
  void take_off(std::uint32_t line_id, std::uint32_t units) const {
    const line* there = s.lines.find(line_id);
    if (there && there->is_live())
      s.lines.set_quantity(line_id, there->quantity - std::min(there->quantity, units));
  }
};

timestamp_ms time_of(const event& what) {
  return std::visit([](const auto& e) { return e.at; }, what);
}

std::size_t heap_bytes_of(const wishes& with) {
  std::size_t bytes = vector_heap_bytes(with.coupons) + vector_heap_bytes(with.gift_cards) +
                      heap_bytes(with.method);
  for (const auto* codes : {&with.coupons, &with.gift_cards}) {
    for (const auto& code : *codes) bytes += heap_bytes(code);
  }
  return bytes;
}

std::size_t heap_bytes_of(const merge_rest& left) {
  std::size_t bytes = heap_bytes(left.from.str()) + vector_heap_bytes(left.what.lines) +
                      vector_heap_bytes(left.what.codes);
  for (const auto& l : left.what.lines) bytes += heap_bytes(l.product.str()) + heap_bytes(l.name);
  for (const auto& c : left.what.codes) bytes += heap_bytes(c.code);
  return bytes;
}

std::size_t heap_bytes_of(const rare_state& rare) {
  std::size_t bytes = heap_block_bytes(sizeof rare) + vector_heap_bytes(rare.finished) +
                      vector_heap_bytes(rare.merged_from);
  for (const auto& order : rare.finished) bytes += heap_bytes(order.str());
  for (const auto& from : rare.merged_from) bytes += heap_bytes(from.str());
  bytes += heap_bytes_of(rare.with);
  if (rare.left) bytes += heap_bytes_of(*rare.left);
  if (rare.seal) {
    bytes += heap_bytes_of(rare.seal->with);
    bytes += heap_bytes(rare.seal->order.str()) + vector_heap_bytes(rare.seal->lines);
    for (const auto& l : rare.seal->lines) bytes += l.as_sealed.text.heap_bytes();
  }
  if (rare.closed) {
    bytes += heap_bytes(rare.closed->to.str()) + vector_heap_bytes(rare.closed->lines);
    bytes += heap_bytes_of(rare.closed->with);
    for (const auto& l : rare.closed->lines) bytes += l.text.heap_bytes();
  }
  return bytes;
}

void check_lines(const state& now) {
  std::int64_t subtotal = 0, items = 0;
  std::size_t count = 0;
  std::uint32_t last_id = 0;
  std::set<line_key> keys;
  for (const auto& l : now.lines.with_graves()) {
    ensure(l.line_id > last_id && l.line_id < now.lines.next_line_id(), "line ids ascend");
    last_id = l.line_id;
    if (!l.is_live()) continue;
    ensure(l.quantity <= limits::line_quantity_max && l.price_minor >= 0,
           "a line is within its limits");
    ensure(keys.insert(key_of(l)).second, "product and price make a line");
    ensure(now.lines.find(key_of(l)) == &l, "a line is found by its key");
    subtotal += l.total_minor();
    items += l.quantity;
    ++count;
  }
  ensure(subtotal == now.lines.subtotal_minor() && items == now.lines.item_count() &&
             count == now.lines.size(),
         "the kept totals are those of the lines");
}

void check_seal(const state& now) {
  std::uint32_t last_id = 0;
  for (const auto& [as_sealed, remaining] : now.seal()->lines) {
    ensure(as_sealed.line_id > last_id, "sealed line ids ascend");
    last_id = as_sealed.line_id;
    ensure(remaining <= as_sealed.quantity, "no more is taken than was sealed");
    const line* there = now.lines.find(as_sealed.line_id);
    ensure(remaining <= (there ? there->quantity : 0), "no more is taken than there is");
  }
}

}  // namespace

const std::vector<std::string>& state::codes(code_kind kind) const {
  static const std::vector<std::string> none;
  if (!rare) return none;
  return kind == code_kind::coupon ? rare->with.coupons : rare->with.gift_cards;
}

bool state::has_finished(const order_id& order) const {
  return rare &&
         std::find(rare->finished.begin(), rare->finished.end(), order) != rare->finished.end();
}

bool state::has_merged(const cart_id& from) const {
  return rare && std::find(rare->merged_from.begin(), rare->merged_from.end(), from) !=
                     rare->merged_from.end();
}

rare_state& state::make_rare() {
  if (!rare) rare = std::make_unique<rare_state>();
  return *rare;
}

void apply(state& now, const event& what) {
  std::visit(applier{now}, what);
  if (!std::holds_alternative<forgotten>(what)) now.updated_at = time_of(what);
}

void check(const state& now) {
  ensure(now.lines.size() <= limits::cart_lines_max, "a cart holds at most 5,000 lines");
  ensure(now.lines.subtotal_minor() >= 0, "a subtotal is not negative");
  ensure(now.lines.item_count() >= static_cast<std::int64_t>(now.lines.size()),
         "a line holds at least one unit");
  ensure(now.lines.size() > 0 || (now.lines.subtotal_minor() == 0 && now.lines.item_count() == 0),
         "an empty cart is worth nothing");
  ensure(!now.closed() || now.lines.size() == 0, "a closed cart holds nothing");
  ensure(!now.rare || (now.rare->finished.size() <= finished_orders_max &&
                       now.rare->merged_from.size() <= merged_carts_max &&
                       now.rare->with.coupons.size() <= codes_max &&
                       now.rare->with.gift_cards.size() <= codes_max &&
                       (!now.rare->left || now.rare->left->what.lines.size() <= left_lines_max)),
         "what is remembered is bounded");
}

void check_full(const state& now) {
  check(now);
  check_lines(now);
  if (now.seal()) check_seal(now);
}

std::size_t memory_bytes(const state& now) {
  return sizeof(state) + heap_bytes(now.session) + heap_bytes(now.user) + now.lines.heap_bytes() +
         (now.rare ? heap_bytes_of(*now.rare) : 0);
}

}  // namespace omnicart::cart
