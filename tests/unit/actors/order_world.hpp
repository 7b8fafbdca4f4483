#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "actors/coupon/coupon_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/order/order_codec.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/product/product_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "runtime/base/codec.hpp"

// A shop small enough for one file: carts, stock, prices and a provider that keep the promises of
// their contracts, and a host that loses answers, sends copies late, and crashes. Everything is
// drawn from one seed.
namespace omnicart::order::test {

inline money gbp(std::int64_t pence) { return {pence, *currency_code::parse("GBP")}; }
inline timestamp_ms at_ms(std::int64_t ms) {
  return timestamp_ms{duration_ms{1'600'000'000'000 + ms}};
}
inline caller guest(const std::string& session) { return {role::guest, session, ""}; }
inline caller engine() { return {role::system, "", ""}; }
inline caller staff() { return {role::support, "", ""}; }

inline answer accepted(std::string payload = {}) {
  return {.failure = std::nullopt, .payload = std::move(payload)};
}
template <class E>
answer refused(E code, std::string data = {}) {
  return {.failure = make_error(code, {}, std::move(data)), .payload = {}};
}

inline std::uint64_t base_seed() {
  const char* given = std::getenv("OMNICART_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'101'201;
}

// A stock record as stock_messages.hpp describes it, without session holds.
struct fake_stock {
  std::int64_t received = 0;
  std::int64_t available = 0;
  std::map<order_id, std::int64_t> claims, sold;
  std::map<std::pair<order_id, std::string>, std::int64_t> returned;
  std::set<order_id> unclaimed;

  answer take(const stock::command& what) {
    if (const auto* c = std::get_if<stock::claim>(&what)) return claim(*c);
    if (const auto* u = std::get_if<stock::unclaim>(&what)) return unclaim(u->order);
    if (const auto* s = std::get_if<stock::settle>(&what)) return settle(s->order);
    return restock(std::get<stock::restock>(what));
  }
  answer claim(const stock::claim& c) {
    if (unclaimed.contains(c.order)) return refused(stock::errc::reservation_conflict);
    if (claims.contains(c.order) || sold.contains(c.order)) return accepted();
    std::int64_t held = 0;
    for (const auto& [order, count] : claims) held += count;
    if (available < c.quantity) {
      return refused(
          available + held >= c.quantity ? stock::errc::contended : stock::errc::out_of_stock,
          codec::encode(available));
    }
    available -= c.quantity;
    claims[c.order] = c.quantity;
    return accepted();
  }
  answer unclaim(const order_id& order) {
    unclaimed.insert(order);
    if (const auto at = claims.find(order); at != claims.end()) {
      available += at->second;
      claims.erase(at);
    }
    return accepted();
  }
  answer settle(const order_id& order) {
    if (sold.contains(order)) return accepted();
    const auto at = claims.find(order);
    if (at == claims.end()) return refused(stock::errc::no_such_reservation);
    sold[order] = at->second;
    claims.erase(at);
    return accepted();
  }
  answer restock(const stock::restock& r) {
    if (!sold.contains(r.order)) return refused(stock::errc::no_such_reservation);
    if (returned.try_emplace({r.order, r.return_key}, r.quantity).second) available += r.quantity;
    return accepted();
  }
  static std::int64_t sum(const auto& figures) {
    std::int64_t total = 0;
    for (const auto& [key, count] : figures) total += count;
    return total;
  }
};

// A coupon or a gift card under its own rules.
template <class K>
struct real_entity {
  typename K::state s;

  answer take(const std::string& bytes, timestamp_ms now, role as = role::system) {
    const context ctx{.now = now, .command = {}, .asker = {as, "", ""}};
    const auto command = K::decode_command(bytes);
    BOOST_REQUIRE(command.has_value());
    const auto events = K::decide(s, *command, ctx);
    if (!events) return {.failure = events.error(), .payload = {}};
    for (const auto& each : *events) {
      K::apply(s, each);
      K::check_full(s);
    }
    return accepted(K::reply(s, *command, ctx));
  }
};

struct fake_cart {
  std::vector<cart::line_view> lines;
  cart::wishes with;
  std::optional<order_id> sealed_by;
  int completed = 0;

  answer take(const cart::command& what) {
    if (const auto* s = std::get_if<cart::seal>(&what)) return seal(s->order);
    if (const auto* a = std::get_if<cart::abandon_checkout>(&what)) return free(a->order, 0);
    return free(std::get<cart::complete_checkout>(what).order, 1);
  }
  answer seal(const order_id& order) {
    if (sealed_by && *sealed_by != order)
      return refused(cart::errc::checkout_in_progress, codec::encode(*sealed_by));
    if (lines.empty()) return refused(cart::errc::empty);
    sealed_by = order;
    return accepted(codec::encode(cart::reply{cart::cart_view{.lines = lines, .with = with}}));
  }
  answer free(const order_id& order, int bought) {
    if (sealed_by == order) {
      sealed_by.reset();
      completed += bought;
    }
    return accepted(codec::encode(cart::reply{cart::cart_view{}}));
  }
};

// The provider's ledger: one entry per order id, final once written.
struct fake_provider {
  struct entry {
    payment::charge_status status{};
    money amount;
    int captures = 0;
    money refunded;
  };
  std::map<order_id, entry> ledger;

  answer take(const payment::command& what) {
    if (const auto* c = std::get_if<payment::charge>(&what)) return charge(*c);
    if (const auto* v = std::get_if<payment::void_charge>(&what)) return void_charge(v->order);
    if (const auto* a = std::get_if<payment::authorise>(&what)) return authorise(*a);
    if (const auto* t = std::get_if<payment::capture>(&what)) return capture(t->order);
    return refund(std::get<payment::refund>(what));
  }
  static answer word(payment::charge_status status) {
    return accepted(payment::encode_reply({.status = status, .last4 = "4242"}));
  }
  answer charge(const payment::charge& c) {
    if (c.how.token == "tok_unknown") return refused(payment::errc::unknown_method);
    const auto status = c.how.token == "tok_declined" ? payment::charge_status::declined
                                                      : payment::charge_status::captured;
    const auto [at, fresh] = ledger.try_emplace(c.order, entry{status, c.amount});
    if (at->second.status == payment::charge_status::voided) return refused(payment::errc::voided);
    if (fresh && status == payment::charge_status::captured) at->second.captures += 1;
    return word(at->second.status);
  }
  answer authorise(const payment::authorise& a) {
    if (a.how.token == "tok_unknown") return refused(payment::errc::unknown_method);
    const auto status = a.how.token == "tok_declined" ? payment::charge_status::declined
                                                      : payment::charge_status::authorised;
    const auto at = ledger.try_emplace(a.order, entry{status, a.amount}).first;
    if (at->second.status == payment::charge_status::voided) return refused(payment::errc::voided);
    return word(at->second.status);
  }
  answer capture(const order_id& order) {
    const auto at = ledger.find(order);
    if (at == ledger.end()) return refused(payment::errc::not_authorised);
    if (at->second.status == payment::charge_status::voided) return refused(payment::errc::voided);
    if (at->second.status == payment::charge_status::authorised) {
      at->second.status = payment::charge_status::captured;
      at->second.captures += 1;
    }
    return word(at->second.status);
  }
  answer void_charge(const order_id& order) {
    const auto at = ledger.try_emplace(order, entry{payment::charge_status::voided, {}}).first;
    if (at->second.status == payment::charge_status::authorised)
      at->second.status = payment::charge_status::voided;
    if (at->second.status == payment::charge_status::captured)
      return refused(payment::errc::captured);
    return word(at->second.status);
  }
  answer refund(const payment::refund& r) {
    const auto at = ledger.find(r.order);
    if (at == ledger.end() || at->second.captures == 0) return refused(payment::errc::not_captured);
    at->second.refunded = r.amount;
    return word(payment::charge_status::refunded);
  }
};

// Several orders over one set of products, each run by a host of its own.
class world {
 public:
  struct run_of_order {
    place placed;
    kind::state state;
    fake_cart cart;
    std::set<std::string> in_flight;
    std::uint64_t charge_fate =
        0;  // 0: as all effects; else what becomes of every charge (send_one)
    bool cancel_later = false;
  };

  explicit world(std::uint64_t seed) : random_(seed) {}

  std::map<product_id, fake_stock> stocks;
  std::map<product_id, product::quote_view> prices;
  fake_provider provider;
  std::map<std::string, real_entity<coupon::kind>> coupons;
  std::map<std::string, real_entity<gift_card::kind>> cards;
  std::vector<run_of_order> orders;
  bool faults = true;

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  timestamp_ms now() const { return at_ms(now_ms_); }

  void add_product(const std::string& id, std::int64_t pence, std::int64_t units) {
    stocks[product_id{id}] = {.received = units, .available = units};
    prices[product_id{id}] = {"name of " + id, gbp(pence)};
  }

  // Runs until nobody owes anything. Faults stop after a while, so that it ends.
  void run() {
    for (std::size_t i = 0; i < orders.size(); ++i)
      run_command(i, orders[i].placed, orders[i].placed.buyer);
    for (int steps = 0; !quiet(); ++steps) {
      BOOST_REQUIRE_MESSAGE(steps < 60'000, "the orders never come to rest");
      calm_ = !faults || steps > 2'000;
      one_step();
    }
  }

  void run_command(std::size_t i, const command& what, const caller& asker) {
    auto& order = orders[i];
    const auto bytes = kind::encode_command(what);
    const auto decoded = kind::decode_command(bytes);
    BOOST_REQUIRE(decoded.has_value());
    const auto events =
        kind::decide(order.state, *decoded, {.now = now(), .command = {}, .asker = asker});
    if (!events) return;
    for (const event& each : *events) {
      kind::apply(order.state, *kind::decode_event(kind::encode_event(each)));
      kind::check(order.state);
    }
    kind::check_full(order.state);
  }

 private:
  struct copy {
    std::size_t order;
    effect what;
  };
  struct delivery {
    std::size_t order;
    std::string key;
    answer got;
    bool expected;
  };

  bool quiet() const {
    if (!answers_.empty() || !late_.empty()) return false;
    for (const auto& order : orders) {
      if (order.cancel_later || kind::in_progress(order.state) ||
          !kind::pending(order.state, 1).empty())
        return false;
    }
    return true;
  }

  void one_step() {
    now_ms_ += static_cast<std::int64_t>(draw(300));
    const auto i = static_cast<std::size_t>(draw(orders.size()));
    switch (draw(8)) {
      case 0:
      case 1:
      case 2:
        return send_one(i);
      case 3:
      case 4:
      case 5:
        return deliver_one();
      case 6:
        return run_late_copy();
      default:
        return disturb(i);
    }
  }

  void send_one(std::size_t i) {
    auto& order = orders[i];
    std::vector<effect> ready;
    for (auto& each : kind::pending(order.state, 4)) {
      if (!order.in_flight.contains(each.key)) ready.push_back(std::move(each));
    }
    if (ready.empty()) return;
    effect chosen = ready[draw(ready.size())];
    const bool fated = order.charge_fate != 0 && chosen.key == "charge";
    const auto fate = fated ? order.charge_fate : calm_ ? 0 : draw(10);
    if (fate < 6 || (fate == 9 && chosen.key == "seal")) {
      order.in_flight.insert(chosen.key);
      answers_.push_back({i, chosen.key, execute(i, chosen), true});
    } else if (fate < 8) {
      execute(i, chosen);  // the answer is lost: the host will ask again
    } else if (fate == 8) {
      return;  // lost on the way there
    } else {
      late_.push_back({i, std::move(chosen)});
    }
  }

  void deliver_one() {
    if (answers_.empty()) return;
    const auto at = answers_.begin() + static_cast<std::ptrdiff_t>(draw(answers_.size()));
    const delivery next = *at;
    answers_.erase(at);
    auto& order = orders[next.order];
    if (next.expected && order.in_flight.erase(next.key) == 0)
      return;  // of a host that crashed since
    const auto what = kind::settle(order.state, next.key, next.got);
    if (what) run_command(next.order, *what, engine());
  }

  void run_late_copy() {
    if (late_.empty()) return;
    const auto at = late_.begin() + static_cast<std::ptrdiff_t>(draw(late_.size()));
    const copy next = *at;
    late_.erase(at);
    const answer got = execute(next.order, next.what);
    if (draw(2) == 0) answers_.push_back({next.order, next.what.key, got, false});
  }

  void disturb(std::size_t i) {
    auto& order = orders[i];
    if (!calm_ && draw(3) == 0) crash(order);
    if (!calm_ && draw(8) == 0)
      run_command(i, order.placed, order.placed.buyer);  // the client retries
    const auto due = kind::wake_at(order.state);
    if (due && *due <= now()) run_command(i, kind::wake(), engine());
    if (order.cancel_later && !kind::in_progress(order.state)) {
      order.cancel_later = false;
      run_command(i, cancel{"changed my mind"}, order.placed.buyer);
    }
  }

  void crash(run_of_order& order) {
    const auto stored = kind::encode_state(order.state);
    const auto owed = kind::pending(order.state, 100);
    order.state = *kind::decode_state(stored);
    BOOST_TEST_REQUIRE((kind::encode_state(order.state) == stored));
    BOOST_TEST_REQUIRE((kind::pending(order.state, 100) == owed));
    kind::check_full(order.state);
    order.in_flight.clear();
  }

  answer execute(std::size_t i, const effect& what) {
    const auto& to = what.to;
    if (to.kind == "cart") return orders[i].cart.take(*codec::decode<cart::command>(what.command));
    if (to.kind == "stock")
      return stocks[product_id{to.id}].take(*codec::decode<stock::command>(what.command));
    if (to.kind == "coupon") return coupons[to.id].take(what.command, now());
    if (to.kind == "gift_card") return cards[to.id].take(what.command, now());
    if (to.kind == "payment") return provider.take(*payment::decode_command(what.command));
    BOOST_REQUIRE(to.kind == "product");
    const auto price = prices.find(product_id{to.id});
    if (price == prices.end()) return refused(product::errc::no_such_product);
    return accepted(codec::encode(product::reply{price->second}));
  }

  std::mt19937_64 random_;
  std::int64_t now_ms_ = 0;
  bool calm_ = false;
  std::vector<delivery> answers_;
  std::vector<copy> late_;
};

}  // namespace omnicart::order::test
