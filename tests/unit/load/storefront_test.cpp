#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tools/load/card_mix.hpp"
#include "tools/load/offer_desk.hpp"
#include "tools/load/order_prices.hpp"
#include "tools/load/search_question.hpp"
#include "tools/load/storefront_book.hpp"

namespace omnicart::load {
namespace storefront_test {

using nlohmann::json;
using look = storefront_book::look;

const currency_code pounds = *currency_code::parse("GBP");

// 2 at 500, 100 off, 300 to send, 20 % on top.
constexpr const char* sound_order = R"({
  "order_id": "o1", "status": "paid", "reference": "r1",
  "items": [{"line_id": 0, "product_id": "a", "quantity": 2,
             "unit_price": {"amount": 500, "currency": "GBP"},
             "line_total": {"amount": 1000, "currency": "GBP"},
             "discounts": [{"code": "C", "amount": {"amount": 100, "currency": "GBP"}}],
             "discount": {"amount": 100, "currency": "GBP"},
             "shipping": {"amount": 300, "currency": "GBP"},
             "tax": {"rate_bps": 2000, "amount": {"amount": 240, "currency": "GBP"}},
             "total": {"amount": 1440, "currency": "GBP"}}],
  "subtotal": {"amount": 1000, "currency": "GBP"}, "discount_total": {"amount": 100, "currency": "GBP"},
  "shipping_total": {"amount": 300, "currency": "GBP"}, "tax_total": {"amount": 240, "currency": "GBP"},
  "total": {"amount": 1440, "currency": "GBP"}, "prices_include_tax": false,
  "coupons": ["C"], "gift_cards": [{"code": "G", "amount": {"amount": 440, "currency": "GBP"}, "refunded": {"amount": 40, "currency": "GBP"}}],
  "payment": {"captured": {"amount": 1000, "currency": "GBP"}, "refunded": {"amount": 70, "currency": "GBP"}},
  "returns": [{"status": "received", "restocked": true, "lines": [{"line_id": 0, "quantity": 1}]},
              {"status": "requested", "lines": [{"line_id": 0, "quantity": 1}]}]})";

BOOST_AUTO_TEST_SUITE(load_storefront)

BOOST_AUTO_TEST_CASE(an_order_shows_what_it_was_paid_with_and_what_came_back) {
  const auto order = parse_order(sound_order);
  BOOST_TEST_REQUIRE(order.has_value());
  BOOST_TEST(order->price_fault == "");
  BOOST_TEST(order->charged_minor() == 1'000);
  BOOST_TEST((order->captured_minor == 1'000 && order->refunded_minor == 70));
  BOOST_TEST_REQUIRE(order->gift_refunds.size() == 1u);
  BOOST_TEST((order->gift_refunds[0].first == "G" && order->gift_refunds[0].second == 40));
  BOOST_TEST(order->coupons == std::vector<std::string>{"C"}, boost::test_tools::per_element());
  BOOST_TEST_REQUIRE(order->restocked.size() == 1u);
  BOOST_TEST((order->restocked[0].first == "a" && order->restocked[0].second == 1));
}

BOOST_AUTO_TEST_CASE(a_penny_too_much_anywhere_is_found) {
  const json sound = json::parse(sound_order);
  BOOST_TEST(price_fault(sound) == "");
  for (const char* place :
       {"/total/amount", "/subtotal/amount", "/discount_total/amount", "/shipping_total/amount",
        "/tax_total/amount", "/items/0/line_total/amount", "/items/0/discount/amount",
        "/items/0/discounts/0/amount/amount", "/items/0/shipping/amount",
        "/items/0/tax/amount/amount", "/items/0/total/amount", "/items/0/unit_price/amount",
        "/items/0/quantity"}) {
    json wrong = sound;
    auto& amount = wrong[json::json_pointer(place)];
    amount = amount.get<std::int64_t>() + 1;
    BOOST_TEST(price_fault(wrong) != "", place);
  }
  for (const char* name : {"subtotal", "discount_total", "shipping_total", "tax_total", "total"}) {
    json wrong = sound;
    wrong.erase(name);
    BOOST_TEST(price_fault(wrong) != "", name);
  }
  json gross = sound;
  gross["prices_include_tax"] = true;
  BOOST_TEST(price_fault(gross) != "");
}

BOOST_AUTO_TEST_CASE(a_shop_without_terms_charges_the_sum_of_its_lines) {
  const auto amount = [](std::int64_t pence) {
    return json{{"amount", pence}, {"currency", "GBP"}};
  };
  json order{
      {"items", json::array({json{
                    {"quantity", 2}, {"unit_price", amount(500)}, {"line_total", amount(1'000)}}})},
      {"subtotal", amount(1'000)},
      {"discount_total", amount(0)},
      {"shipping_total", amount(0)},
      {"tax_total", amount(0)},
      {"total", amount(1'000)}};
  BOOST_TEST(price_fault(order) == "");
  order["shipping_total"] = amount(1);
  order["total"] = amount(1'001);
  BOOST_TEST(price_fault(order) != "");
}

search_question priced() {
  return {.text = "kettle",
          .category = "home",
          .brand = "Acme",
          .min_minor = 100,
          .max_minor = 300,
          .sort = "price",
          .currency = pounds};
}

std::string page_of(const std::vector<json>& items) {
  return json{{"items", items}, {"total", items.size()}}.dump();
}
json hit(std::int64_t pence, const char* category = "home > kitchen", const char* brand = "ACME") {
  return {{"id", "k"},
          {"price", {{"amount", pence}, {"currency", "GBP"}}},
          {"category", category},
          {"brand", brand}};
}

BOOST_AUTO_TEST_CASE(a_question_asks_for_what_it_wants) {
  auto asked = priced();
  BOOST_TEST(asked.path() ==
             "/api/products?limit=20&q=kettle&category=home&brand=Acme&min_price=1.00"
             "&max_price=3.00&sort=price&currency=GBP");
  const search_question narrowed{
      .text = "a", .narrowed = facet_value{"attr.colour", "Red", 2}, .currency = pounds};
  BOOST_TEST(narrowed.path() == "/api/products?limit=20&q=a&attr.colour=Red");
}

BOOST_AUTO_TEST_CASE(a_hit_outside_of_what_was_asked_is_found) {
  const auto asked = priced();
  BOOST_TEST(objection_to_hits(asked, page_of({hit(100), hit(300)})) == "");
  BOOST_TEST(objection_to_hits(asked, page_of({})) == "");
  BOOST_TEST(objection_to_hits(asked, page_of({hit(99)})) != "");
  BOOST_TEST(objection_to_hits(asked, page_of({hit(100), hit(301)})) != "");
  BOOST_TEST(objection_to_hits(asked, page_of({hit(100, "homely")})) != "");
  BOOST_TEST(objection_to_hits(asked, page_of({hit(100, "home", "Bolt")})) != "");
  BOOST_TEST(objection_to_hits(asked, "{}") != "");
  json elsewhere = hit(100);
  elsewhere["price"]["currency"] = "EUR";
  BOOST_TEST(objection_to_hits(asked, page_of({elsewhere})) != "");
  elsewhere["prices"] = json::array({json{{"amount", 200}, {"currency", "GBP"}}});
  BOOST_TEST(objection_to_hits(asked, page_of({elsewhere})) == "");
  // Accents are the shop's to fold.
  auto french = asked;
  french.brand = "Caf\xC3\xA9";
  BOOST_TEST(objection_to_hits(french, page_of({hit(100, "home", "Cafe")})) == "");
}

BOOST_AUTO_TEST_CASE(a_dearer_one_before_a_cheaper_one_is_found) {
  auto asked = priced();
  BOOST_TEST(objection_to_order(asked, page_of({hit(100), hit(100), hit(200)})) == "");
  BOOST_TEST(objection_to_order(asked, page_of({hit(200), hit(100)})) != "");
  asked.sort = "-price";
  BOOST_TEST(objection_to_order(asked, page_of({hit(200), hit(100)})) == "");
  BOOST_TEST(objection_to_order(asked, page_of({hit(100), hit(200)})) != "");
  asked.sort = "rating";
  BOOST_TEST(objection_to_order(asked, page_of({hit(100), hit(200)})) == "");
}

BOOST_AUTO_TEST_CASE(a_facet_is_held_to_its_count) {
  const std::string answer =
      R"({"items": [], "total": 9, "facets": {"category": [{"value": "home", "count": 3}],
          "brand": [{"value": "Acme", "count": 2}], "attributes": {"colour": [{"value": "Red", "count": 1}]},
          "price": [{"min": "0.00", "max": "9.99", "currency": "EUR", "count": 4}, {"min": "10.00", "currency": "EUR", "count": 5}],
          "rating": [{"min": 4, "count": 2}], "stock": [{"in_stock": true, "count": 9}]}})";
  const search_question open{.text = "a", .currency = pounds};
  const auto facets = facets_of(open, answer);
  BOOST_TEST_REQUIRE(facets.size() == 6u);  // none of stock
  BOOST_TEST(facets[5].parameter == "attr.colour");
  const char* paths[] = {"&category=home", "&brand=Acme", "&currency=EUR&min_price=0.00&max_price=9.99",
                         "&currency=EUR&min_price=10.00", "&min_rating=4", "&attr.colour=Red"};
  for (std::size_t i = 0; i < facets.size(); ++i) {
    auto by_one = open;
    by_one.narrowed = facets[i];
    BOOST_TEST(by_one.path() == "/api/products?limit=20&q=a" + std::string(paths[i]));
  }
  BOOST_TEST(facets_of(priced(), answer).size() == 2u);  // of prices, category and brand it says already
  auto of_stock = open;
  of_stock.in_stock = true;
  BOOST_TEST(facets_of(of_stock, answer).empty());
  auto narrowed = open;
  narrowed.narrowed = facets[0];
  BOOST_TEST(objection_to_count(narrowed, R"({"items": [], "total": 3})") == "");
  BOOST_TEST(objection_to_count(narrowed, R"({"items": [], "total": 4})") != "");
  BOOST_TEST(objection_to_count(narrowed, R"({"items": []})") != "");
}

BOOST_AUTO_TEST_CASE(suggestions_of_another_form_are_found) {
  const auto list = [](std::size_t count, const char* each) {
    std::string items;
    for (std::size_t i = 0; i < count; ++i) items += (i > 0 ? "," : "") + std::string(each);
    return "{\"items\":[" + items + "]}";
  };
  const char* query = R"({"text": "kettle", "kind": "query"})";
  BOOST_TEST(objection_to_suggestions(list(0, query)) == "");
  BOOST_TEST(objection_to_suggestions(list(10, query)) == "");
  BOOST_TEST(objection_to_suggestions(list(11, query)) != "");
  for (const char* wrong : {R"({"kind": "query"})", R"({"text": "", "kind": "query"})",
                            R"({"text": "a", "kind": "ad"})", R"({"text": "a", "kind": "product"})",
                            R"({"text": "a", "kind": "brand", "product_id": "p"})", "7"}) {
    BOOST_TEST(objection_to_suggestions(list(1, wrong)) != "", wrong);
  }
  BOOST_TEST(objection_to_suggestions("[]") != "");
}

BOOST_AUTO_TEST_CASE(words_are_typed_by_whole_letters) {
  const auto typed = typed_so_far("th\xC3\xA9s", 8);
  BOOST_TEST(typed == (std::vector<std::string>{"t", "th", "th\xC3\xA9", "th\xC3\xA9s"}),
             boost::test_tools::per_element());
  BOOST_TEST(typed_so_far("kettle", 3).size() == 3u);
  BOOST_TEST(typed_so_far("", 3).empty());
}

BOOST_AUTO_TEST_CASE(cards_come_in_their_proportions) {
  const auto mix = card_mix::parse({"late=10", "async_declined=30"});
  BOOST_TEST_REQUIRE(mix.has_value());
  chance luck(5);
  std::map<std::string, int> drawn;
  for (int i = 0; i < 10'000; ++i) ++drawn[mix->draw(luck)];
  BOOST_TEST(drawn.size() == 3u);
  BOOST_TEST((drawn["tok_late"] > 800 && drawn["tok_late"] < 1'200));
  BOOST_TEST((drawn["tok_async_declined"] > 2'700 && drawn["tok_async_declined"] < 3'300));
  BOOST_TEST(card_mix::declines("tok_async_declined"));
  BOOST_TEST(!card_mix::declines("tok_async"));
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"late"},
                                                {"gold=1"},
                                                {"late=x"},
                                                {"late=-1"},
                                                {"late=101"},
                                                {"late=60", "twice=41"},
                                                {"late=1", "late=1"},
                                                {"=1"},
                                                {"late=nan"}}) {
    BOOST_TEST(!card_mix::parse(wrong).has_value(), wrong.front());
  }
}

BOOST_AUTO_TEST_CASE(orders_go_where_the_shop_sends_to) {
  const auto to = destinations_of(
      R"({"zones": [{"id": "uk", "countries": ["GB"]}, {"id": "none", "countries": ["US"]},
                    {"id": "all", "countries": ["*"]}],
          "methods": [{"zone": "uk", "id": "post"}, {"zone": "uk", "id": "van"}, {"zone": "all", "id": "air"}]})",
      "{}");
  BOOST_TEST_REQUIRE(to.size() == 2u);
  BOOST_TEST((to[0].country == "GB" && to[0].methods.size() == 2u));
  BOOST_TEST((to[1].country == "JP" && to[1].methods.front() == "air"));
  const auto taxed = destinations_of(
      "{}", R"({"rates": [{"country": "*"}, {"country": "FR"}, {"country": "FR"}]})");
  BOOST_TEST_REQUIRE(taxed.size() == 1u);
  BOOST_TEST(taxed[0].country == "FR");
  BOOST_TEST(destinations_of("", "").front().country == "GB");
}

// Two orders of this run, a coupon for one order, one for two, a gift card of 1,000.
struct books {
  told clients;
  read_back shop;
  storefront_book book;

  books() {
    book.coupon_limits = {{"ONCE", 1}, {"TWICE", 2}};
    book.gift_values = {{"G", 1'000}};
    for (const char* id : {"o1", "o2"}) {
      order_record order{.id = id,
                         .status = "paid",
                         .reference = std::string("r-") + id,
                         .total = {1'000, pounds}};
      order.coupons = {"TWICE"};
      order.gift_cards = {{"G", 300}};
      order.captured_minor = 700;
      clients.used(order.reference);
      shop.orders.push_back(order);
    }
    shop.orders[0].coupons.push_back("ONCE");
    shop.orders[1].refunded_minor = 700;
    shop.orders[1].gift_refunds = {{"G", 100}};
    clients.gift_refunded_minor = 100;
    shop.orders[1].restocked = {{"a", 2}};
    clients.gave_back("a", 2);
    shop.stocked = {{"a", 10}, {"b", 10}};
    shop.coupons = {{"ONCE", {.used = 1}}, {"TWICE", {.used = 2}}};
    shop.gift_cards = {{"G", {.balance_minor = 500}}};
    clients.used("r-no");
    book.declined("r-no");
    shop.orders.push_back(
        {.id = "o3", .status = "declined", .reference = "r-no", .total = {5, pounds}});
  }
  std::string broken() const {
    std::string names;
    for (const auto& each : check_promises(clients, shop, book)) {
      if (!each.holds) names += each.name + " ";
    }
    return names;
  }
};

BOOST_AUTO_TEST_CASE(books_that_agree_break_no_law) { BOOST_TEST(books().broken() == ""); }

BOOST_AUTO_TEST_CASE(each_lie_breaks_its_law) {
  struct row {
    const char* law;
    void (*plant)(books&);
  };
  const row rows[] = {
      {"single_use_once coupon_limits_hold ",
       [](books& of) {
         of.shop.orders[1].coupons.push_back("ONCE");
         of.shop.coupons["ONCE"].used = 2;
       }},
      {"coupon_limits_hold ",
       [](books& of) {
         of.shop.orders.push_back(of.shop.orders[0]);
         of.shop.orders.back().coupons = {"TWICE"};
         of.shop.orders.back().gift_cards.clear();
         of.shop.coupons["TWICE"].used = 3;
       }},
      {"coupon_limits_hold ", [](books& of) { of.shop.coupons["TWICE"].used = 1; }},
      {"coupon_limits_hold ", [](books& of) { of.shop.coupons["ONCE"].held = 1; }},
      {"coupon_limits_hold ", [](books& of) { of.shop.coupons.erase("ONCE"); }},
      {"gift_cards_balance ", [](books& of) { of.shop.gift_cards["G"].balance_minor = 501; }},
      {"gift_cards_balance ", [](books& of) { of.shop.gift_cards["G"].held_minor = 1; }},
      {"gift_cards_balance ", [](books& of) { of.shop.gift_cards.clear(); }},
      {"gift_cards_balance ", [](books& of) { of.shop.orders[0].gift_cards.clear(); }},
      {"refunds_within_captures ", [](books& of) { of.shop.orders[1].refunded_minor = 701; }},
      {"refunds_within_captures ",
       [](books& of) {
         of.shop.orders[1].gift_refunds = {{"G", 301}};
         of.clients.gift_refunded_minor = 301;
         of.shop.gift_cards["G"].balance_minor = 701;
       }},
      {"gift_refunds_told ", [](books& of) { of.clients.gift_refunded_minor = 101; }},
      {"gift_cards_balance gift_refunds_told ",
       [](books& of) { of.shop.orders[1].gift_refunds.clear(); }},
      {"returns_restocked ", [](books& of) { of.shop.orders[1].restocked.clear(); }},
      {"returns_restocked ",
       [](books& of) {
         of.shop.orders[0].restocked = {{"b", 1}};
       }},
      {"returns_restocked ", [](books& of) { of.clients.gave_back("b", 1); }},
      {"declined_not_charged ", [](books& of) { of.shop.orders[2].captured_minor = 5; }},
      {"declined_not_charged ", [](books& of) { of.shop.orders[2].status = "paid"; }},
      {"orders_read_add_up ", [](books& of) { of.shop.orders[0].price_fault = "a penny"; }}};
  for (const auto& r : rows) {
    books planted;
    r.plant(planted);
    BOOST_TEST(planted.broken() == r.law);
  }
}

BOOST_AUTO_TEST_CASE(an_order_that_is_off_gives_its_promises_back) {
  books of;
  of.shop.orders[1].status = "cancelled";
  of.clients.gift_refunded_minor = 0;
  of.shop.coupons["TWICE"].used = 1;
  of.shop.gift_cards["G"].balance_minor = 700;
  BOOST_TEST(of.broken() == "");
}

BOOST_AUTO_TEST_CASE(the_first_objection_to_an_answer_breaks_its_law_and_stays) {
  const std::pair<look, const char*> all[] = {{look::hits, "search_hits_fit"},
                                              {look::order_of_hits, "search_sorted"},
                                              {look::facets, "facet_counts_agree"},
                                              {look::suggestions, "suggestions_fit"},
                                              {look::totals, "totals_add_up"}};
  for (const auto& [which, name] : all) {
    storefront_book book;
    book.judge(which, "");
    for (const auto& each : check_answers(book)) BOOST_TEST(each.holds, each.name);
    book.judge(which, "first");
    book.judge(which, "second");
    book.judge(which, "");
    BOOST_TEST(book.looks(which) == 4);
    for (const auto& each : check_answers(book)) {
      BOOST_TEST(each.holds == (each.name != name), each.name);
      BOOST_TEST(each.why == (each.name == name ? "first" : ""));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_gift_card_paid_is_not_the_providers) {
  for (const std::int64_t lie : {0, 1}) {
    told clients;
    read_back shop;
    auto order = *parse_order(sound_order);
    clients.used(order.reference);
    clients.sold(order);
    shop.orders.push_back(order);
    // Paid by a card alone: nothing for the provider to charge.
    order.id = "o2";
    order.gift_cards = {{"G", order.total.amount_minor}};
    clients.sold(order);
    shop.orders.push_back(order);
    clients.refunded_minor = 70;
    shop.provider_after =
        provider_sums{.captures = 1, .captured_minor = 1'000 + lie, .refunded_minor = 70};
    for (const auto& each : check_laws(clients, shop)) {
      if (each.name == "provider_agrees") BOOST_TEST(each.holds == (lie == 0), each.why);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace storefront_test
}  // namespace omnicart::load
