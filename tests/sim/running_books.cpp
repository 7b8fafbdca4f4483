#include "tests/sim/running_books.hpp"

#include <xxhash.h>

#include <algorithm>

#include "actors/cart/cart_kind.hpp"
#include "actors/coupon/coupon_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/stock/stock_kind.hpp"

namespace omnicart::sim {
namespace {

std::uint64_t with(std::uint64_t hash, const recorded& event) {
  const auto& bytes = event.record.event;
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), hash + 1);
}

}  // namespace

void running_books::add(const std::string& name, const recorded& event) {
  auto& known = known_[name];
  if (event.version <= known.count) return;
  if (event.version != known.count + 1) {
    return violate_("each version follows the one before",
                    name + ": version " + std::to_string(event.version) + " follows " +
                        std::to_string(known.count));
  }
  known = {event.version, with(known.hash, event)};
  const auto slash = name.find('/');
  const auto kind = name.substr(0, slash), id = name.substr(slash + 1);
  if (kind == cart::kind::name) return add_cart(event);
  if (kind == product::kind::name) return add_product(id, event);
  if (kind == order::kind::name) return add_order(id, event);
  if (kind == stock::kind::name) return add_stock(id, event);
  if (kind == coupon::kind::name) return add_coupon(id, event);
  if (kind == gift_card::kind::name) return add_card(id, event);
}

void running_books::add_all(const history& past) {
  for (const auto& [name, known] : known_) {
    const auto at = past.find(name);
    const std::size_t kept = at == past.end() ? 0 : at->second.size();
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(kept, known.count); ++i)
      hash = with(hash, at->second[i]);
    if (kept < known.count || hash != known.hash) {
      return violate_("what was committed stays", name + " had " + std::to_string(known.count) +
                                                      " events, and has " + std::to_string(kept) +
                                                      (kept < known.count ? "" : " others"));
    }
  }
  for (const auto& [name, events] : past) {
    const auto known = known_[name].count;
    for (auto i = known; i < events.size(); ++i) add(name, events[i]);
  }
}

// --- carts -------------------------------------------------------------------------------------

void running_books::add_cart(const recorded& event) {
  const auto what = cart::kind::decode_event(event.record.event);
  const auto* added = what ? std::get_if<cart::lines_added>(&*what) : nullptr;
  if (!added || added->lines.empty()) return;
  const auto& tag = added->lines.front().name;
  if (++adds_[tag] > 1) violate_("a command id never runs twice", tag);
  if (refused_adds_.contains(tag)) violate_("a refused command changes nothing", tag);
}

void running_books::added_to_cart(const std::string& cart, const std::string& tag) {
  if (!adds_.contains(tag)) violate_("every acknowledged cart write is there", cart + ", " + tag);
}

void running_books::refused_to_add(const std::string& tag) {
  refused_adds_.insert(tag);
  if (adds_.contains(tag)) violate_("a refused command changes nothing", tag);
}

// --- orders ------------------------------------------------------------------------------------

void running_books::add_product(const std::string& id, const recorded& event) {
  const auto what = product::kind::decode_event(event.record.event);
  if (!what) return violate_("stored events read", "product/" + id);
  auto& now = products_[id];
  product::apply(now, *what);
  prices_.add(id, event.record.at, now.content.price.amount_minor);
}

void running_books::add_order(const std::string& id, const recorded& event) {
  const auto what = order::kind::decode_event(event.record.event);
  if (!what) return violate_("stored events read", "order/" + id);
  auto& now = orders_[id];
  const auto was = now.status;
  const auto captured = now.captured.amount_minor;
  order::apply(now, *what);
  add_to_sum(id, now, *what);
  if (was != order::order_status::pending && !may_become(was, now.status)) {
    violate_("an order goes on from where it was",
             id + " was " + order::to_string(was) + " and became " + order::to_string(now.status));
  }
  if (std::holds_alternative<order::placed>(*what)) {
    const auto first = references_.try_emplace(now.content.reference, id).first;
    if (first->second != id) violate_("an order exists once", now.content.reference);
  }
  if (std::holds_alternative<order::totalled>(*what)) {
    if (const auto fault = prices_.fault_of(now, event.record.at); !fault.empty())
      violate_("an order has the shop's prices", "order/" + id + ", " + fault);
  }
  if (const auto* got = std::get_if<order::stock_claimed>(&*what)) check_short(now, *got);
  const auto has = now.captured.amount_minor;
  const auto booked = accounts_.find(id);
  if (has != captured && has != (booked == accounts_.end() ? 0 : booked->second.captured))
    violate_("both ledgers agree", id + " says that it is paid, the provider says otherwise");
  if (now.refunded.amount_minor > has) violate_("no more is refunded than was captured", id);
}

// What an order says that it waits for is what its claim was short of.
void running_books::check_short(const order::state& order, const order::stock_claimed& got) {
  const auto product = order.stocks[got.stock].product.str();
  const auto claim = order::claim_id(order).str();
  const auto sum = stocks_.find(product);
  const bool claimed = sum != stocks_.end() && sum->second.short_of.contains(claim);
  if (claimed && sum->second.short_of.at(claim) == got.short_of) return;
  violate_("an order knows what it waits for", claim + ", " + product);
}

const order::state* running_books::find_order(const std::string& id) const {
  const auto at = orders_.find(id);
  return at == orders_.end() ? nullptr : &at->second;
}

void running_books::told(const told_order& told) {
  const auto* now = find_order(told.id);
  if (!now) return violate_("an acknowledged order exists", told.id);
  if (!may_become(told.view.status, now->status)) {
    violate_("what was told of an order stays true",
             told.id + " was " + order::to_string(told.view.status) + " and is " +
                 order::to_string(now->status));
  }
  const auto view = order::view(*now);
  if (told.view.total != view.total || sorted_lines(told.view.lines) != sorted_lines(view.lines))
    violate_("an order keeps its lines and total", told.id);
}

void running_books::cancelled(const std::string& id) {
  const auto* now = find_order(id);
  if (!now || now->status != order::order_status::cancelled)
    violate_("an acknowledged cancellation holds", id);
}

// --- stock -------------------------------------------------------------------------------------

void running_books::add_stock(const std::string& id, const recorded& event) {
  const auto what = stock::kind::decode_event(event.record.event);
  if (!what) return violate_("stored events read", "stock/" + id);
  const auto facts = [this](const std::string& of) {
    const auto* order = find_order(of);
    return stock_sum::order_facts{.customer = order ? customer_of(*order) : ""};
  };
  auto& sum = stocks_.try_emplace(id, facts).first->second;
  if (const auto* e = std::get_if<stock::claimed>(&*what))
    check_claim(id, e->order.str(), e->quantity);
  if (const auto* e = std::get_if<stock::settled>(&*what)) check_sale(id, e->order.str());
  sum.add(*what);
  if (const auto* e = std::get_if<stock::restocked>(&*what)) check_shelf(id, e->order.str());
  if (sum.broken()) {
    violate_(sum.broken()->law, "stock/" + id + " at version " + std::to_string(event.version) +
                                    ": " + sum.broken()->detail);
  }
}

void running_books::check_claim(const std::string& product, const std::string& claim,
                                std::int64_t units) {
  const auto* order = find_order(stock_sum::order_of(claim));
  std::int64_t wanted = 0;
  if (order) {
    for (const auto& line : order->lines)
      wanted += line.product.str() == product ? line.quantity : 0;
  }
  if (wanted == units) return;
  violate_("an order claims what its lines say", claim + " claims " + std::to_string(units) + " " +
                                                     product + ", and has " +
                                                     std::to_string(wanted));
}

void running_books::check_sale(const std::string& product, const std::string& claim) {
  using enum order::order_status;
  const auto* order = find_order(stock_sum::order_of(claim));
  const bool on_invoice = order && order->content.payment.type == payment::method_type::invoice;
  const bool goes_out = order && order->status != rejected && order->status != declined &&
                        (order->status != pending || on_invoice);
  if (!goes_out) violate_("goods leave for orders that are accepted", claim + ", " + product);
}

// All of it when the order is cancelled; else what was sent and came back.
void running_books::check_shelf(const std::string& product, const std::string& claim) {
  const auto id = stock_sum::order_of(claim);
  const auto* order = find_order(id);
  if (order && order->status == order::order_status::cancelled) return;
  const auto& back = stocks_.at(product).back;
  const auto units = back.contains(claim) ? back.at(claim) : 0;
  if (units > shelved(id, product))
    violate_("no more goes on the shelf than came back", claim + ", " + product);
}

void running_books::shown(const std::string& product, std::uint64_t version,
                          const stock::stock_view& view) {
  if (known_["stock/" + product].count != version) return;  // there is more by now
  const auto at = stocks_.find(product);
  if (at == stocks_.end()) return;
  if (const auto text = at->second.difference(view); !text.empty())
    violate_("a stock record shows what its events make", product + ": " + text);
}

void running_books::received(const std::string& product, const std::string& transfer,
                             std::int64_t units) {
  const auto sum = stocks_.find(product);
  const bool known = sum != stocks_.end() && sum->second.arrived.contains(transfer);
  if (known && sum->second.arrived.at(transfer) == units) return;
  violate_("an acknowledged transfer is as it was told",
           transfer + ": " + std::to_string(units) + " were received, " +
               (known ? std::to_string(sum->second.arrived.at(transfer)) : "none") + " are there");
}

void running_books::recalled(const std::string& product, const std::string& transfer) {
  const auto sum = stocks_.find(product);
  if (sum == stocks_.end() || !sum->second.recalled.contains(transfer))
    violate_("an acknowledged transfer is as it was told", transfer + " was called back");
}

// --- the provider ------------------------------------------------------------------------------

void running_books::add(const std::vector<pay::entry>& ledger) {
  for (; entries_ < ledger.size(); ++entries_) add_entry(ledger[entries_]);
}

void running_books::add_entry(const pay::entry& made) {
  if (made.kind != pay::entry_kind::capture && made.kind != pay::entry_kind::refund) return;
  auto& of = accounts_[made.key];
  const auto* order = find_order(made.key);
  if (!order) return violate_("both ledgers agree", made.key + " is charged but no order");
  if (made.kind == pay::entry_kind::capture) {
    if (of.captured != 0) violate_("at most one capture per order", made.key);
    if (made.amount.amount_minor + given_by_cards(made.key) != order->total.amount_minor)
      violate_("both ledgers agree", made.key + ": captured is not what the order costs");
    of.captured += made.amount.amount_minor;
    return;
  }
  of.refunded += made.amount.amount_minor;
  if (of.refunded > of.captured)
    violate_("no more is refunded than was captured", made.key);
  check_refund(made, *order);
}

}  // namespace omnicart::sim
