#include <iostream>

#include "order_world.hpp"

namespace omnicart::order {
namespace order_saga_test {

using namespace test;

cart::line_view cart_line(std::uint32_t id, const std::string& product, std::int64_t quantity,
                          std::int64_t pence, bool list_price = true) {
  return {.line_id = id,
          .product = product_id{product},
          .name = "cart name",
          .quantity = quantity,
          .unit_price = gbp(pence),
          .line_total = gbp(pence * quantity),
          .list_price = list_price};
}

place from_cart(const std::string& id, const std::string& token = "tok_ok") {
  return {.cart = cart_id{"c-" + id},
          .buyer = guest("s-" + id),
          .sessions = {"s-" + id},
          .email = "a@example.org",
          .payment = {payment::method_type::card, token},
          .id = order_id{id}};
}

world::run_of_order& add_order(world& shop, place content, std::vector<cart::line_view> lines) {
  auto& order = shop.orders.emplace_back();
  order.placed = std::move(content);
  order.cart.lines = std::move(lines);
  return order;
}

bool sold_to(order_status status, bool invoice) {
  switch (status) {
    case order_status::authorised:
    case order_status::paid:
    case order_status::processing:
    case order_status::shipped:
    case order_status::delivered:
      return true;
    case order_status::pending:
      return invoice;
    case order_status::rejected:
    case order_status::declined:
    case order_status::cancelled:
      return false;
  }
  return false;
}

// Units this order still has from a stock record: sold less returned, whatever attempt claimed
// them.
std::int64_t units_of(const fake_stock& stock, const order_id& order) {
  const auto belongs = [&](const order_id& key) {
    return key == order || key.str().starts_with(order.str() + ".");
  };
  std::int64_t units = 0;
  for (const auto& [key, count] : stock.sold) units += belongs(key) ? count : 0;
  for (const auto& [key, count] : stock.returned) units -= belongs(key.first) ? count : 0;
  return units;
}

void check_money(const world& shop, const world::run_of_order& order) {
  const auto& s = order.state;
  const auto at = shop.provider.ledger.find(order.placed.id);
  const bool captured = at != shop.provider.ledger.end() && at->second.captures > 0;
  BOOST_TEST_REQUIRE((s.captured.amount_minor > 0) == captured);
  if (!captured) return;
  BOOST_TEST_REQUIRE(at->second.captures == 1);
  BOOST_TEST_REQUIRE((at->second.amount == s.captured && s.captured == s.total));
  BOOST_TEST_REQUIRE((at->second.refunded.amount_minor == s.refunded.amount_minor));
  const bool cancelled = s.status == order_status::cancelled;
  BOOST_TEST_REQUIRE((s.refunded == (cancelled ? s.captured : money{0, s.captured.currency})));
}

// The laws of the saga, once nobody owes anything.
void check_laws(world& shop) {
  for (const auto& order : shop.orders) {
    const auto& s = order.state;
    const bool sold = sold_to(s.status, order.placed.payment.type == payment::method_type::invoice);
    for (const auto& claim : s.stocks) {
      BOOST_TEST_REQUIRE(units_of(shop.stocks[claim.product], order.placed.id) ==
                         (sold ? claim.quantity : 0));
    }
    check_money(shop, order);
    BOOST_TEST_REQUIRE(!order.cart.sealed_by.has_value());
    const bool bought = sold || s.status == order_status::cancelled;
    BOOST_TEST_REQUIRE(order.cart.completed == (bought && order.placed.items.empty() ? 1 : 0));
    BOOST_TEST_REQUIRE(!view(s).owes);
  }
  for (const auto& [product, stock] : shop.stocks) {
    BOOST_TEST_REQUIRE(stock.claims.empty(), product.str());
    BOOST_TEST_REQUIRE(stock.available >= 0);
    BOOST_TEST_REQUIRE(stock.available ==
                       stock.received - stock.sum(stock.sold) + stock.sum(stock.returned));
  }
}

// A shop with few units and up to four orders that want them, each with its own card, prices and
// plans.
void fill(world& shop) {
  const std::vector<std::string> products{"apple", "bread", "cheese", "dates"};
  for (std::size_t i = 0; i < products.size(); ++i) {
    shop.add_product(products[i], 100 + static_cast<std::int64_t>(i),
                     static_cast<std::int64_t>(1 + shop.draw(8)));
  }
  const char* tokens[] = {"tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_unknown"};
  for (std::uint64_t n = 1 + shop.draw(4); n > 0; --n) {
    place content = from_cart("order" + std::to_string(n), tokens[shop.draw(5)]);
    std::vector<cart::line_view> lines;
    for (std::uint32_t i = 0; i < products.size(); ++i) {
      if (shop.draw(3) == 0) continue;
      const std::int64_t pence = shop.draw(20) == 0 ? 7 : 100 + i;
      lines.push_back(cart_line(i + 1, products[i], static_cast<std::int64_t>(1 + shop.draw(3)),
                                pence, shop.draw(3) > 0));
      if (shop.draw(12) == 0) lines.push_back(cart_line(i + 50, products[i], 1, 1, false));
    }
    if (shop.draw(15) == 0) lines.push_back(cart_line(99, "unheard of", 1, 5));
    if (shop.draw(5) == 0) content.payment = {payment::method_type::invoice, ""};
    if (n % 3 == 0) content.capture = payment::capture_when::at_shipment;
    if (shop.draw(10) == 0) content.stated_total = gbp(1);
    if (shop.draw(6) == 0) {
      content.cart = {};
      for (const auto& each : lines)
        content.items.push_back({each.product, each.quantity, std::nullopt});
      if (lines.empty()) content.items.push_back({product_id{"apple"}, 1, std::nullopt});
    }
    auto& order = add_order(shop, std::move(content), std::move(lines));
    if (shop.draw(4) == 0) order.charge_fate = 6 + shop.draw(4);
    order.cancel_later = shop.draw(3) == 0;
  }
}

BOOST_AUTO_TEST_SUITE(order_saga)

BOOST_AUTO_TEST_CASE(an_order_in_doubt_ends_as_one_paid_order_or_no_effect) {
  const auto first = base_seed();
  std::cout << "order_saga: OMNICART_SEED=" << first << '\n';
  std::map<std::string, int> ends;
  for (std::uint64_t seed = first; seed < first + 600; ++seed) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      world shop(seed);
      fill(shop);
      shop.run();
      check_laws(shop);
      for (const auto& order : shop.orders) {
        ends[std::string(to_string(order.state.status)) + " " + to_string(order.state.why)] += 1;
        ends["attempt " + std::to_string(order.state.attempt)] += 1;
      }
    }
  }
  if (first != 20'101'201) return;
  for (const char* end :
       {"paid none", "authorised none", "pending none", "cancelled none", "declined none", "rejected out_of_stock",
        "rejected price_changed", "rejected total_mismatch", "rejected cart_empty",
        "rejected unknown_product", "rejected payment_timeout", "attempt 1", "attempt 2"}) {
    BOOST_TEST(ends[end] > 0, "no seed ends in " << end);
  }
}

BOOST_AUTO_TEST_CASE(two_carts_with_the_same_last_pieces_do_not_refuse_each_other_for_ever) {
  const auto first = base_seed();
  for (std::uint64_t seed = first; seed < first + 200; ++seed) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      world shop(seed);
      shop.faults = false;
      shop.add_product("apple", 100, 1);
      shop.add_product("bread", 200, 1);
      for (const char* id : {"one", "two"}) {
        add_order(shop, from_cart(id),
                  {cart_line(1, "apple", 1, 100), cart_line(2, "bread", 1, 200)});
      }
      shop.run();
      check_laws(shop);
      int paid_orders = 0;
      for (const auto& order : shop.orders)
        paid_orders += order.state.status == order_status::paid ? 1 : 0;
      BOOST_TEST(paid_orders == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_flash_sale_sells_each_piece_once_and_tells_everyone_else) {
  world shop(base_seed());
  shop.faults = false;
  shop.add_product("lamp", 999, 5);
  for (int i = 0; i < 40; ++i)
    add_order(shop, from_cart("o" + std::to_string(i)), {cart_line(1, "lamp", 1, 999)});
  shop.run();
  check_laws(shop);
  int paid_orders = 0;
  for (const auto& order : shop.orders) {
    if (order.state.status == order_status::paid) {
      ++paid_orders;
    } else {
      BOOST_TEST((order.state.why == rejection::out_of_stock));
      BOOST_TEST(order.state.short_lines.size() == 1u);
    }
  }
  BOOST_TEST(paid_orders == 5);
}

// A long order answered effect by effect: what pending() builds per event stays within its limit,
// in index order.
BOOST_AUTO_TEST_CASE(pending_stays_bounded_for_an_order_of_5000_lines) {
  constexpr std::uint32_t lines = 5'000;
  constexpr std::size_t limit = 4;
  world shop(1);
  place content = from_cart("long");
  content.cart = {};
  for (std::uint32_t i = 0; i < lines; ++i) {
    const std::string id = "p" + std::to_string(10'000 + i);
    shop.add_product(id, 3, 1);
    content.items.push_back({product_id{id}, 1, std::nullopt});
  }
  auto& s = add_order(shop, content, {}).state;
  const auto apply_all = [&](const command& what) {
    auto events = kind::decide(s, what, {.now = at_ms(0), .command = {}, .asker = content.buyer});
    for (const event& each : *events) kind::apply(s, each);
    return events->size();
  };
  apply_all(content);
  const std::string quote = codec::encode(product::reply{product::quote_view{"n", gbp(3)}});
  std::size_t built = 0, answered = 0, left_events = 0;
  for (auto owed = kind::pending(s, limit); !owed.empty(); owed = kind::pending(s, limit)) {
    BOOST_TEST_REQUIRE(owed.size() <= limit);
    built += owed.size();
    const std::string& key = owed.front().key;
    const auto got = key.starts_with("price/") ? accepted(quote)
                     : key == "charge" ? fake_provider::word(payment::charge_status::captured)
                                       : accepted();
    left_events += apply_all(*kind::settle(s, key, got));
    kind::check(s);
    ++answered;
  }
  BOOST_TEST((s.status == order_status::paid));
  BOOST_TEST(s.total.amount_minor == 3 * lines);
  BOOST_TEST(answered == 3u * lines + 1);   // quote, claim and settle each line, one charge
  BOOST_TEST(left_events == answered + 2);  // totalled and payment_began come along
  BOOST_TEST(built <= limit * answered);
  kind::check_full(s);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace order_saga_test
}  // namespace omnicart::order
