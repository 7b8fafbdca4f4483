#include "runtime/kind.hpp"

#include <functional>

#include "order_world.hpp"

namespace omnicart::order {
namespace order_test {

using namespace test;

static_assert(entity_kind<kind>);

const caller buyer = guest("s1");
const caller stranger = guest("s2");

cart::line_view sealed_line(std::uint32_t id, const std::string& product, std::int64_t pence,
                            bool list_price = true, std::int64_t quantity = 2) {
  return {.line_id = id,
          .product = product_id{product},
          .name = "cart name",
          .quantity = quantity,
          .unit_price = gbp(pence),
          .line_total = multiply(gbp(pence), quantity).value_or(gbp(0)),
          .list_price = list_price};
}

place cart_order() {
  return {.cart = cart_id{"c1"},
          .buyer = buyer,
          .sessions = {"s1", "s0"},
          .email = "a@example.org",
          .payment = {payment::method_type::card, "tok_ok"},
          .reference = "ref",
          .id = order_id{"o1"}};
}

place item_order(std::vector<wanted_line> items) {
  place what = cart_order();
  what.cart = {};
  what.items = std::move(items);
  return what;
}

// A story so far: each command is decided and applied; it must be accepted.
class story {
 public:
  state s;
  timestamp_ms now = at_ms(0);

  story& then(const command& what, const caller& asker = engine()) {
    const auto done = kind::decide(s, what, {.now = now, .command = {}, .asker = asker});
    BOOST_REQUIRE_MESSAGE(done.has_value(), "the story so far is accepted");
    for (const event& each : *done) {
      kind::apply(s, each);
      kind::check(s);
    }
    kind::check_full(s);
    return *this;
  }
  story& at(std::int64_t ms) {
    now = at_ms(ms);
    return *this;
  }
};

story placed_order() { return story{}.then(cart_order(), buyer); }
// Two products: "a" at list price, "b" negotiated.
story pricing_order(place what = cart_order()) {
  return story{}
      .then(what, buyer)
      .then(cart_sealed{{sealed_line(1, "b", 250, false), sealed_line(2, "a", 100)}});
}
story claiming_order(place what = cart_order()) {
  return pricing_order(what).then(priced{1, "A", gbp(100)});
}
story charging_order(place what = cart_order()) {
  return claiming_order(what).then(claimed{0}).then(claimed{1});
}
story voiding_order() { return charging_order().at(60'000).then(wake{}); }
story paid_order() {
  return charging_order().then(charged{{payment::charge_status::captured, "", "4242"}});
}
story declined_order() {
  return charging_order().then(charged{{payment::charge_status::declined, "no_funds", ""}});
}
story rejected_order() {
  return placed_order().then(cart_refused{static_cast<error_number>(cart::errc::empty), {}});
}
place invoice_order() {
  place what = cart_order();
  what.payment = {payment::method_type::invoice, ""};
  return what;
}
story invoiced_order() { return charging_order(invoice_order()); }
story stepped(story so_far, std::initializer_list<order_status> steps) {
  for (const order_status to : steps) so_far.then(set_status{to}, staff());
  return so_far;
}
story shipped_order() {
  return stepped(paid_order(), {order_status::processing, order_status::shipped});
}
story delivered_order() { return stepped(shipped_order(), {order_status::delivered}); }
story cancelled_order() { return paid_order().then(cancel{"why not"}, buyer); }
story contended_order() {
  return claiming_order().then(claim_refused{0, true, 1}).then(claimed{1});
}
story waiting_order() { return contended_order().then(unclaimed{0}).then(unclaimed{1}); }
story retried_order() { return waiting_order().at(200).then(wake{}); }

std::string names(const std::vector<event>& done) {
  std::string text;
  for (const event& each : done) {
    const auto json = kind::describe_event(each);
    const auto from = std::string("{\"event\":\"").size();
    text += (text.empty() ? "" : " ") + json.substr(from, json.find('"', from) - from);
  }
  return text;
}

std::string keys(const state& s, std::size_t limit = 100) {
  std::string text;
  for (const effect& each : kind::pending(s, limit))
    text += (text.empty() ? "" : " ") + each.key + ">" + each.to.str();
  return text;
}

place with(const std::function<void(place&)>& change, place what = cart_order()) {
  change(what);
  return what;
}

struct refusal_row {
  const char* name;
  story given;
  command when;
  caller asker;
  error_number code;
};
template <class E>
error_number number(E code) {
  return static_cast<error_number>(code);
}

struct event_row {
  const char* name;
  story given;
  command when;
  caller asker;
  const char* events;
};

void run(const std::vector<event_row>& rows) {
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.name) {
      const auto done = kind::decide(row.given.s, row.when,
                                     {.now = row.given.now, .command = {}, .asker = row.asker});
      BOOST_TEST_REQUIRE(done.has_value());
      BOOST_TEST(names(*done) == row.events);
      story after = row.given;
      after.then(row.when, row.asker);
      // Answers come twice: the second time nothing is left to happen.
      const auto again = kind::decide(after.s, row.when,
                                      {.now = row.given.now, .command = {}, .asker = row.asker});
      BOOST_TEST_REQUIRE(again.has_value());
      BOOST_TEST(names(*again) == "");
    }
  }
}

BOOST_AUTO_TEST_SUITE(order_rules)

BOOST_AUTO_TEST_CASE(commands_that_may_not_be_are_refused_with_their_code) {
  const auto item = [](std::int64_t quantity) {
    return wanted_line{product_id{"a"}, quantity, std::nullopt};
  };
  const auto named = [](std::int64_t pence) { return wanted_line{product_id{"a"}, 1, gbp(pence)}; };
  const auto many = [&](std::size_t count) { return item_order(std::vector(count, item(1))); };
  const caller user{role::shopper, "s9", "u1"};
  const auto none = number(errc::no_such_order), illegal = number(errc::illegal_step);
  const auto fixed = number(errc::not_cancellable), conflict = number(errc::conflict);
  const auto malformed = number(base_errc::malformed), forbidden = number(base_errc::forbidden);
  const std::vector<refusal_row> rows{
      {"get of nothing", {}, get{}, staff(), none},
      {"status of nothing", {}, set_status{order_status::processing}, staff(), none},
      {"cancel of nothing", {}, cancel{}, staff(), none},
      {"an answer to nothing", {}, claimed{0}, engine(), none},
      {"wake of nothing", {}, wake{}, engine(), none},
      {"get by a stranger", placed_order(), get{}, stranger, none},
      {"get by nobody", placed_order(), get{}, caller{}, none},
      {"status by a stranger", paid_order(), set_status{order_status::processing}, stranger, none},
      {"cancel by a stranger", paid_order(), cancel{}, stranger, none},
      {"another cart", placed_order(), with([](place& p) { p.cart = cart_id{"c2"}; }), buyer,
       conflict},
      {"another e-mail", placed_order(), with([](place& p) { p.email = "b@example.org"; }), buyer,
       conflict},
      {"another card", placed_order(), with([](place& p) { p.payment.token = "tok_x"; }), buyer,
       conflict},
      {"another total", placed_order(), with([](place& p) { p.stated_total = gbp(1); }), buyer,
       conflict},
      {"another address", placed_order(), with([](place& p) { p.ship_to = address{}; }), buyer,
       conflict},
      {"another reference", placed_order(), with([](place& p) { p.reference = "x"; }), buyer,
       conflict},
      {"other items", placed_order(), item_order({item(1)}), buyer, conflict},
      {"another buyer", placed_order(), with([](place& p) {
         p.buyer = stranger;
         p.sessions = {"s2"};
       }),
       stranger, conflict},
      {"no id", {}, with([](place& p) { p.id = {}; }), buyer, malformed},
      {"unknown payment type",
       {},
       with([](place& p) { p.payment.type = payment::method_type{9}; }),
       buyer,
       malformed},
      {"neither cart nor items", {}, item_order({}), buyer, number(errc::no_lines)},
      {"5,001 items", {}, many(5'001), buyer, number(errc::line_limit)},
      {"for another session", {}, cart_order(), stranger, forbidden},
      {"for another user",
       {},
       with([](place& p) {
         p.buyer = {role::shopper, "s9", "u2"};
       }),
       user,
       forbidden},
      {"a guest for a user",
       {},
       with([](place& p) {
         p.buyer = {role::shopper, "s1", "u2"};
       }),
       buyer,
       forbidden},
      {"a price of one's own", {}, item_order({named(1)}), buyer, forbidden},
      {"a negative price", {}, item_order({named(-1)}), staff(), malformed},
      {"no product", {}, item_order({{product_id{}, 1, std::nullopt}}), buyer, malformed},
      {"quantity 0", {}, item_order({item(0)}), buyer, number(errc::invalid_quantity)},
      {"quantity -1", {}, item_order({item(-1)}), buyer, number(errc::invalid_quantity)},
      {"quantity 1,000,000",
       {},
       item_order({item(1'000'000)}),
       buyer,
       number(errc::quantity_limit)},
      {"quantity 1,000,000 in two items",
       {},
       item_order({item(999'999), item(1)}),
       buyer,
       number(errc::quantity_limit)},
      {"status by the buyer", paid_order(), set_status{order_status::processing}, buyer, forbidden},
      {"status while the saga runs", charging_order(), set_status{order_status::processing},
       staff(), illegal},
      {"status of an invoice not accepted", claiming_order(invoice_order()),
       set_status{order_status::processing}, staff(), illegal},
      {"paid to shipped", paid_order(), set_status{order_status::shipped}, staff(), illegal},
      {"paid to pending", paid_order(), set_status{order_status::pending}, staff(), illegal},
      {"paid to cancelled", paid_order(), set_status{order_status::cancelled}, staff(), illegal},
      {"pending to paid", invoiced_order(), set_status{order_status::paid}, staff(), illegal},
      {"shipped to processing", shipped_order(), set_status{order_status::processing}, staff(),
       illegal},
      {"delivered to shipped", delivered_order(), set_status{order_status::shipped}, staff(),
       illegal},
      {"rejected to processing", rejected_order(), set_status{order_status::processing}, staff(),
       illegal},
      {"declined to processing", declined_order(), set_status{order_status::processing}, staff(),
       illegal},
      {"cancelled to processing", cancelled_order(), set_status{order_status::processing}, staff(),
       illegal},
      {"to a status that is none", paid_order(), set_status{order_status{77}}, staff(), illegal},
      {"cancel while sealing", placed_order(), cancel{}, buyer, fixed},
      {"cancel while claiming", claiming_order(), cancel{}, staff(), fixed},
      {"cancel while charging", charging_order(), cancel{}, buyer, fixed},
      {"cancel of shipped", shipped_order(), cancel{}, buyer, fixed},
      {"cancel of shipped by staff", shipped_order(), cancel{}, staff(), fixed},
      {"cancel of delivered", delivered_order(), cancel{}, staff(), fixed},
      {"cancel of rejected", rejected_order(), cancel{}, buyer, fixed},
      {"cancel of declined", declined_order(), cancel{}, buyer, fixed},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.name) {
      const auto done = kind::decide(row.given.s, row.when,
                                     {.now = row.given.now, .command = {}, .asker = row.asker});
      BOOST_TEST_REQUIRE(!done.has_value());
      BOOST_TEST(done.error().number == row.code);
    }
  }
  BOOST_TEST(kind::decide(state{}, many(5'000), {.now = at_ms(0), .command = {}, .asker = buyer})
                 .has_value());
}

BOOST_AUTO_TEST_CASE(people_see_and_change_what_is_theirs) {
  const caller other_session = guest("s0");  // among place.sessions
  const caller system = engine();
  place users = cart_order();
  users.buyer = {role::shopper, "s1", "u1"};
  users.sessions = {};
  const caller same_user{role::shopper, "s77", "u1"};
  const story of_user = story{}.then(users, users.buyer);
  place absorbed = cart_order();
  absorbed.cart = cart_id{"the user's"};
  absorbed.buyer = {role::shopper, "s5", "u5"};
  absorbed.sessions = {"s5", "s1"};
  run({{"placed", {}, cart_order(), buyer, "placed"},
       {"placed by staff for a user", {}, users, staff(), "placed"},
       {"placed again", paid_order(), cart_order(), buyer, ""},
       {"placed again by staff", paid_order(), cart_order(), staff(), ""},
       {"placed again with other sessions", paid_order(),
        with([](place& p) { p.sessions = {"x"}; }), buyer, ""},
       {"placed again by who absorbed the guest", paid_order(), absorbed, absorbed.buyer, ""},
       {"seen by the buyer", placed_order(), get{}, buyer, ""},
       {"seen from a session it names", placed_order(), get{}, other_session, ""},
       {"seen by the user elsewhere", of_user, get{}, same_user, ""},
       {"seen by staff", placed_order(), get{}, staff(), ""},
       {"processing", paid_order(), set_status{order_status::processing}, staff(),
        "status_changed"},
       {"processing on invoice", invoiced_order(), set_status{order_status::processing}, system,
        "status_changed"},
       {"shipped", stepped(paid_order(), {order_status::processing}),
        set_status{order_status::shipped}, staff(), "status_changed"},
       {"delivered", shipped_order(), set_status{order_status::delivered}, staff(),
        "status_changed"},
       {"the same status", shipped_order(), set_status{order_status::shipped}, staff(), ""},
       {"cancelled when paid", paid_order(), cancel{"x"}, buyer, "cancelled"},
       {"cancelled when processing", stepped(paid_order(), {order_status::processing}), cancel{"x"},
        other_session, "cancelled"},
       {"cancelled by staff", paid_order(), cancel{"x"}, staff(), "cancelled"},
       {"cancelled on invoice", invoiced_order(), cancel{"x"}, buyer, "cancelled"},
       {"cancelled again", cancelled_order(), cancel{"x"}, buyer, ""}});
}

BOOST_AUTO_TEST_CASE(each_answer_moves_the_saga_once) {
  const auto captured = payment::charge_result{payment::charge_status::captured, "", "4242"};
  const auto no = payment::charge_result{payment::charge_status::declined, "no_funds", ""};
  const auto gone = payment::charge_result{payment::charge_status::voided, "", ""};
  const auto back = payment::charge_result{payment::charge_status::refunded, "", ""};
  const auto listed = cart_sealed{{sealed_line(1, "a", 100)}};
  const auto agreed = cart_sealed{{sealed_line(1, "a", 100, false)}};
  const auto unknown = number(payment::errc::unknown_method);
  run({{"sealed", placed_order(), listed, engine(), "cart_taken"},
       {"sealed, nothing to quote", placed_order(), agreed, engine(), "cart_taken totalled"},
       {"sealed with nothing", placed_order(), cart_sealed{}, engine(), "cart_taken rejected"},
       {"seal refused", placed_order(), cart_refused{104, {}}, engine(), "rejected cart_resealed"},
       {"no such cart", placed_order(), cart_refused{4, {}}, engine(), "rejected"},
       {"seal refused too late", pricing_order(), cart_refused{104, {}}, engine(), ""},
       {"priced", pricing_order(), priced{1, "A", gbp(100)}, engine(), "line_priced totalled"},
       {"priced otherwise", pricing_order(), priced{1, "A", gbp(99)}, engine(),
        "line_priced rejected"},
       {"priced in another currency", pricing_order(),
        priced{1, "A", {100, *currency_code::parse("EUR")}}, engine(), "line_priced rejected"},
       {"unknown product", pricing_order(), unpriced{1}, engine(), "line_unpriced rejected"},
       {"priced where nothing was asked", pricing_order(), priced{0, "B", gbp(9)}, engine(), ""},
       {"priced beyond the lines", pricing_order(), priced{7, "B", gbp(9)}, engine(), ""},
       {"priced too late", claiming_order(), unpriced{1}, engine(), ""},
       {"claimed", claiming_order(), claimed{1}, engine(), "stock_claimed"},
       {"all claimed", claiming_order().then(claimed{1}), claimed{0}, engine(),
        "stock_claimed payment_began"},
       {"all claimed, on invoice", claiming_order(invoice_order()).then(claimed{1}), claimed{0},
        engine(), "stock_claimed invoiced"},
       {"claimed beyond the stocks", claiming_order(), claimed{2}, engine(), ""},
       {"claimed under another attempt", claiming_order(), claimed{0, 1}, engine(), ""},
       {"refused, another is out", claiming_order(), claim_refused{0, false, 1}, engine(),
        "stock_refused"},
       {"refused, all in", claiming_order().then(claimed{1}), claim_refused{0, false, 1}, engine(),
        "stock_refused rejected"},
       {"contended, all in", claiming_order().then(claimed{1}), claim_refused{0, true, 1}, engine(),
        "stock_refused claims_given_up"},
       {"contended and short", claiming_order().then(claim_refused{1, false, 0}),
        claim_refused{0, true, 1}, engine(), "stock_refused rejected"},
       {"released", contended_order(), unclaimed{0}, engine(), "stock_unclaimed"},
       {"all released", contended_order().then(unclaimed{0}), unclaimed{1}, engine(),
        "stock_unclaimed retry_scheduled"},
       {"woken too early", waiting_order(), wake{}, engine(), ""},
       {"tries again", waiting_order().at(200), wake{}, engine(), "claims_retried"},
       {"answer of the first attempt", retried_order(), claimed{0, 0}, engine(), ""},
       {"one by one", retried_order(), claimed{0, 1}, engine(), "stock_claimed"},
       {"one by one, the last", retried_order().then(claimed{0, 1}), claimed{1, 1}, engine(),
        "stock_claimed payment_began"},
       {"one by one, stops at the first contended", retried_order(), claim_refused{0, true, 1, 1},
        engine(), "stock_refused claims_given_up"},
       {"one by one, stops at the first short", retried_order(), claim_refused{0, false, 1, 1},
        engine(), "stock_refused rejected"},
       {"captured", charging_order(), charged{captured}, engine(), "paid"},
       {"declined", charging_order(), charged{no}, engine(), "declined"},
       {"voided by the provider", charging_order(), charged{gone}, engine(), "declined"},
       {"refunded by the provider", charging_order(), charged{back}, engine(), "declined"},
       {"charge refused", charging_order(), charge_refused{unknown}, engine(), "declined"},
       {"a void nobody asked for", charging_order(), voided{gone}, engine(), ""},
       {"patience not yet over", charging_order().at(59'999), wake{}, engine(), ""},
       {"patience over", charging_order().at(60'000), wake{}, engine(), "giving_up"},
       {"captured while giving up", voiding_order(), charged{captured}, engine(), "paid"},
       {"declined while giving up", voiding_order(), charged{no}, engine(), "declined"},
       {"refused while giving up", voiding_order(), charge_refused{number(payment::errc::voided)},
        engine(), ""},
       {"voided word while giving up", voiding_order(), charged{gone}, engine(), ""},
       {"voided", voiding_order(), voided{gone}, engine(), "rejected"},
       {"void of a refunded charge", voiding_order(), voided{back}, engine(), "rejected"},
       {"void of a captured charge", voiding_order(), voided{captured}, engine(), "paid"},
       {"void of a declined charge", voiding_order(), voided{no}, engine(), "declined"},
       {"captured after the void", voiding_order().then(voided{gone}), charged{captured}, engine(),
        ""},
       {"sold", paid_order(), sale_settled{0}, engine(), "stock_settled"},
       {"returned before it was sold", cancelled_order(), restocked{0}, engine(), ""},
       {"sold after the cancellation", cancelled_order(), sale_settled{0}, engine(),
        "stock_settled"},
       {"returned", cancelled_order().then(sale_settled{0}), restocked{0}, engine(),
        "stock_returned"},
       {"refunded", cancelled_order(), refunded{}, engine(), "refund_made"},
       {"refund nobody asked for", paid_order(), refunded{}, engine(), ""},
       {"cart freed", paid_order(), cart_done{}, engine(), "cart_released"},
       {"cart freed too early", charging_order(), cart_done{}, engine(), ""}});
}

BOOST_AUTO_TEST_CASE(every_rejection_says_why) {
  const auto quoted = [](place what, std::vector<cart::line_view> lines) {
    return story{}.then(what, buyer).then(cart_sealed{std::move(lines)});
  };
  const currency_code euro = *currency_code::parse("EUR");
  auto mixed = sealed_line(2, "b", 5, false);
  mixed.unit_price.currency = euro;
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const auto short_of =
      claiming_order().then(claim_refused{1, false, 1}).then(claim_refused{0, true, 0});
  struct row {
    const char* name;
    story given;
    rejection why;
    const char* owed;
  };
  const std::vector<row> rows{
      {"empty", rejected_order(), rejection::cart_empty, "abandon>cart/c1"},
      {"sealed", placed_order().then(cart_refused{105, order_id{"o9"}}),
       rejection::checkout_in_progress, "abandon>cart/c1"},
      {"closed", placed_order().then(cart_refused{107, {}}), rejection::cart_not_found, ""},
      {"no such cart", placed_order().then(cart_refused{4, {}}), rejection::cart_not_found, ""},
      {"unknown", pricing_order().then(unpriced{1}), rejection::unknown_product, "abandon>cart/c1"},
      {"dearer", pricing_order().then(priced{1, "A", gbp(101)}), rejection::price_changed,
       "abandon>cart/c1"},
      {"stated", claiming_order(with([](place& p) { p.stated_total = gbp(699); })),
       rejection::total_mismatch, "abandon>cart/c1"},
      {"stated in euro", claiming_order(with([&](place& p) {
         p.stated_total = money{700, euro};
       })),
       rejection::total_mismatch, "abandon>cart/c1"},
      {"mixed", quoted(cart_order(), {sealed_line(1, "a", 5, false), mixed}),
       rejection::currency_mismatch, "abandon>cart/c1"},
      {"line too big", quoted(cart_order(), {sealed_line(1, "a", most, false)}),
       rejection::total_overflow, "abandon>cart/c1"},
      {"sum too big",
       quoted(cart_order(), {sealed_line(1, "a", most, false, 1), sealed_line(2, "b", 1, false)}),
       rejection::total_overflow, "abandon>cart/c1"},
      {"short", short_of, rejection::out_of_stock,
       "abandon>cart/c1 unclaim/0.0>stock/a unclaim/1.0>stock/b"},
      {"given up", voiding_order().then(voided{{payment::charge_status::voided, "", ""}}),
       rejection::payment_timeout, "abandon>cart/c1 unclaim/0.0>stock/a unclaim/1.0>stock/b"},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.name) {
      const auto shown = view(row.given.s);
      BOOST_TEST((shown.status == order_status::rejected));
      BOOST_TEST(to_string(shown.why) == to_string(row.why));
      BOOST_TEST(keys(row.given.s) == row.owed);
      BOOST_TEST(!kind::in_progress(row.given.s));
      BOOST_TEST(shown.captured.amount_minor == 0);
      BOOST_TEST(shown.owes == (std::string_view(row.owed) != ""));
    }
  }
  BOOST_TEST(view(rows[1].given.s).other_order->str() == "o9");
  const auto lines = view(short_of.s).short_lines;
  BOOST_TEST_REQUIRE(lines.size() == 2u);
  BOOST_TEST((lines[0].product.str() == "a" && lines[0].wanted == 2 && lines[0].available == 0));
  BOOST_TEST((lines[1].product.str() == "b" && lines[1].wanted == 2 && lines[1].available == 1));
}

BOOST_AUTO_TEST_CASE(a_changed_price_is_named_and_given_to_the_cart) {
  const auto given = pricing_order().then(priced{1, "A", gbp(101)});
  const auto changes = view(given.s).price_changes;
  BOOST_TEST_REQUIRE(changes.size() == 1u);
  BOOST_TEST(
      (changes[0].product.str() == "a" && changes[0].was == gbp(100) && changes[0].is == gbp(101)));
  const auto owed = kind::pending(given.s, 9);
  const auto sent =
      std::get<cart::abandon_checkout>(*codec::decode<cart::command>(owed.at(0).command));
  BOOST_TEST_REQUIRE(sent.prices.size() == 1u);
  BOOST_TEST((sent.prices[0].product.str() == "a" && sent.prices[0].name == "A" &&
              sent.prices[0].unit_price == gbp(101)));
}

BOOST_AUTO_TEST_CASE(what_is_owed_follows_the_step) {
  struct row {
    const char* name;
    story given;
    const char* owed;
    bool running;
  };
  place items = item_order({{product_id{"z"}, 1, std::nullopt},
                            {product_id{"a"}, 2, std::nullopt},
                            {product_id{"z"}, 3, std::nullopt}});
  const auto from_items =
      story{}.then(items, buyer).then(priced{0, "Z", gbp(10)}).then(priced{1, "A", gbp(1)});
  const std::vector<row> rows{
      {"nothing", {}, "", false},
      {"placed", placed_order(), "seal>cart/c1", true},
      {"pricing", pricing_order(), "price/1>product/a", true},
      {"items share a quote", story{}.then(items, buyer), "price/0>product/z price/1>product/a",
       true},
      {"claims are by product", from_items, "claim/0.0>stock/a claim/1.0>stock/z", true},
      {"no cart to free",
       story{from_items}
           .then(claimed{0})
           .then(claimed{1})
           .then(charged{{payment::charge_status::captured, "", ""}}),
       "settle/0.0>stock/a settle/1.0>stock/z", false},
      {"claiming", claiming_order(), "claim/0.0>stock/a claim/1.0>stock/b", true},
      {"backing off", contended_order(), "unclaim/0.0>stock/a unclaim/1.0>stock/b", true},
      {"waiting", waiting_order(), "", true},
      {"one by one", retried_order(), "claim/0.1>stock/a", true},
      {"charging", charging_order(), "charge>payment/o1", true},
      {"voiding", voiding_order(), "void>payment/o1", true},
      {"paid", paid_order(), "cart_done>cart/c1 settle/0.0>stock/a settle/1.0>stock/b", false},
      {"invoiced", invoiced_order(), "cart_done>cart/c1 settle/0.0>stock/a settle/1.0>stock/b",
       false},
      {"declined", declined_order(), "abandon>cart/c1 unclaim/0.0>stock/a unclaim/1.0>stock/b",
       false},
      {"cancelled", paid_order().then(cart_done{}).then(sale_settled{1}).then(cancel{}, buyer),
       "refund>payment/o1 settle/0.0>stock/a restock/1.0>stock/b", false},
      {"cancelled on invoice", invoiced_order().then(cart_done{}).then(cancel{}, buyer),
       "settle/0.0>stock/a settle/1.0>stock/b", false},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.name) {
      BOOST_TEST(keys(row.given.s) == row.owed);
      BOOST_TEST(kind::in_progress(row.given.s) == row.running);
      BOOST_TEST(kind::pending(row.given.s, 1).size() ==
                 (std::string_view(row.owed) == "" ? 0u : 1u));
      BOOST_TEST(kind::pending(row.given.s, 0).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(commands_to_others_carry_what_they_need) {
  const auto sent_by = [](const story& given, std::size_t i) {
    return kind::pending(given.s, 9).at(i).command;
  };
  const auto seal = std::get<cart::seal>(*codec::decode<cart::command>(sent_by(placed_order(), 0)));
  BOOST_TEST((seal.order.str() == "o1" && seal.on_behalf_of == buyer));
  const auto claim =
      std::get<stock::claim>(*codec::decode<stock::command>(sent_by(claiming_order(), 0)));
  BOOST_TEST((claim.order.str() == "o1" && claim.quantity == 2 &&
              claim.sessions == std::vector<std::string>{"s1", "s0"}));
  const auto second =
      std::get<stock::claim>(*codec::decode<stock::command>(sent_by(retried_order(), 0)));
  BOOST_TEST(second.order.str() == "o1.1");
  const auto charge =
      std::get<payment::charge>(*payment::decode_command(sent_by(charging_order(), 0)));
  BOOST_TEST(
      (charge.order.str() == "o1" && charge.amount == gbp(700) && charge.how.token == "tok_ok"));
  const auto given = cancelled_order().then(cart_done{}).then(sale_settled{0});
  const auto refund = std::get<payment::refund>(*payment::decode_command(sent_by(given, 0)));
  BOOST_TEST((refund.refund_key == "cancel" && refund.amount == gbp(700)));
  const auto restock = std::get<stock::restock>(*codec::decode<stock::command>(sent_by(given, 1)));
  BOOST_TEST(
      (restock.order.str() == "o1" && restock.return_key == "cancel" && restock.quantity == 2));
}

BOOST_AUTO_TEST_CASE(a_third_contended_attempt_is_out_of_stock) {
  story given = retried_order().then(claim_refused{0, true, 1, 1}).then(unclaimed{0, 1});
  BOOST_TEST((given.s.at == step::waiting));
  given.at(500).then(wake{}).then(claimed{0, 2}).then(claim_refused{1, true, 1, 2});
  BOOST_TEST((given.s.why == rejection::out_of_stock));
  BOOST_TEST(keys(given.s) == "abandon>cart/c1 unclaim/0.2>stock/a unclaim/1.2>stock/b");
}

BOOST_AUTO_TEST_CASE(the_wait_before_a_retry_is_drawn_from_the_order_id) {
  std::set<std::int64_t> waits;
  for (int i = 0; i < 50; ++i) {
    place what = cart_order();
    what.id = order_id{"order " + std::to_string(i)};
    const auto given = claiming_order(what)
                           .then(claim_refused{0, true, 1})
                           .then(claimed{1})
                           .then(unclaimed{0})
                           .then(unclaimed{1});
    const auto wait = (*kind::wake_at(given.s) - at_ms(0)).count();
    BOOST_TEST((wait >= 20 && wait <= 200));
    waits.insert(wait);
  }
  BOOST_TEST(waits.size() > 20u);
  BOOST_TEST((kind::wake_at(charging_order().s) == at_ms(60'000)));
  BOOST_TEST(!kind::wake_at(paid_order().s).has_value());
}

BOOST_AUTO_TEST_CASE(an_order_of_nothing_to_pay_is_paid_without_the_provider) {
  for (const place& what : {cart_order(), invoice_order()}) {
    const auto given = story{}
                           .then(what, buyer)
                           .then(cart_sealed{{sealed_line(1, "a", 0, false)}})
                           .then(claimed{0});
    BOOST_TEST((given.s.status == order_status::paid));
    BOOST_TEST(keys(given.s) == "cart_done>cart/c1 settle/0.0>stock/a");
    const auto after = story{given}.then(cancel{}, buyer);
    BOOST_TEST(!after.s.refund_owed);
  }
}

BOOST_AUTO_TEST_CASE(a_seal_that_came_through_late_is_undone) {
  for (const story& given : {rejected_order().then(cart_done{}), paid_order().then(cart_done{})}) {
    BOOST_TEST(keys(given.s).find("abandon") == std::string::npos);
    const auto after = story{given}.then(cart_sealed{{sealed_line(1, "a", 1)}});
    BOOST_TEST(keys(after.s).starts_with("abandon>cart/c1"));
    BOOST_TEST(view(after.s).lines.size() == view(given.s).lines.size());
  }
}

BOOST_AUTO_TEST_CASE(staff_prices_stand_and_other_items_take_the_product_s) {
  const auto given =
      story{}
          .then(item_order({{product_id{"a"}, 2, gbp(5)}, {product_id{"a"}, 1, std::nullopt}}),
                staff())
          .then(priced{1, "A", gbp(9)});
  const auto shown = view(given.s);
  BOOST_TEST_REQUIRE(shown.lines.size() == 2u);
  BOOST_TEST((shown.lines[0].unit_price == gbp(5) && shown.lines[0].line_total == gbp(10) &&
              shown.lines[0].name == "a"));
  BOOST_TEST((shown.lines[1].unit_price == gbp(9) && shown.lines[1].name == "A" &&
              shown.lines[1].line_id == 2));
  BOOST_TEST((shown.total == gbp(19) && shown.item_count == 3 && shown.cart.empty()));
  const auto at_once = story{}.then(item_order({{product_id{"a"}, 2, gbp(5)}}), staff());
  BOOST_TEST(keys(at_once.s) == "claim/0.0>stock/a");
}

BOOST_AUTO_TEST_CASE(answers_are_read_as_what_they_mean) {
  const auto view_of =
      codec::encode(cart::reply{cart::cart_view{.lines = {sealed_line(1, "a", 1)}}});
  const auto quote = codec::encode(product::reply{product::quote_view{"A", gbp(3)}});
  const auto word = [](payment::charge_status status) { return fake_provider::word(status); };
  struct row {
    const char* key;
    story given;
    answer got;
    std::optional<command> meaning;
  };
  const auto left = codec::encode(std::int64_t{7});
  const std::vector<row> rows{
      {"seal", placed_order(), accepted(view_of), cart_sealed{{sealed_line(1, "a", 1)}}},
      {"seal", placed_order(), accepted("nonsense"), std::nullopt},
      {"seal", placed_order(), refused(cart::errc::empty), cart_refused{104, {}}},
      {"seal", placed_order(),
       refused(cart::errc::checkout_in_progress, codec::encode(order_id{"o9"})),
       cart_refused{105, order_id{"o9"}}},
      {"seal", placed_order(), refused(base_errc::expired), std::nullopt},
      {"seal", placed_order(), refused(base_errc::timeout), std::nullopt},
      {"price/1", pricing_order(), accepted(quote), priced{1, "A", gbp(3)}},
      {"price/1", pricing_order(), accepted(view_of), std::nullopt},
      {"price/1", pricing_order(), refused(product::errc::retired), unpriced{1}},
      {"price/1", pricing_order(), refused(product::errc::no_such_product), unpriced{1}},
      {"claim/1.0", claiming_order(), accepted(), claimed{1, 0}},
      {"claim/1.0", claiming_order(), refused(stock::errc::contended, left),
       claim_refused{1, true, 7, 0}},
      {"claim/1.0", claiming_order(), refused(stock::errc::out_of_stock, left),
       claim_refused{1, false, 7, 0}},
      {"claim/1.0", claiming_order(), refused(stock::errc::reservation_conflict),
       claim_refused{1, false, 0, 0}},
      {"claim/1.0", retried_order(), accepted(), std::nullopt},
      {"claim/1.1", retried_order(), accepted(), claimed{1, 1}},
      {"unclaim/0.0", contended_order(), accepted(), unclaimed{0, 0}},
      {"unclaim/0.0", contended_order(), refused(stock::errc::no_such_reservation),
       unclaimed{0, 0}},
      {"unclaim/0.0", contended_order(), refused(base_errc::forbidden), std::nullopt},
      {"charge", charging_order(), word(payment::charge_status::captured),
       charged{{payment::charge_status::captured, "", "4242"}}},
      {"charge", charging_order(), accepted("garbage"), std::nullopt},
      {"charge", charging_order(), refused(payment::errc::voided), charge_refused{801}},
      {"charge", charging_order(), refused(payment::errc::key_reused), charge_refused{800}},
      {"charge", charging_order(), refused(payment::errc::unknown_method), charge_refused{805}},
      {"charge", charging_order(), refused(base_errc::malformed), std::nullopt},
      {"void", voiding_order(), word(payment::charge_status::voided),
       voided{{payment::charge_status::voided, "", "4242"}}},
      {"void", voiding_order(), refused(payment::errc::voided),
       voided{{payment::charge_status::voided, "", ""}}},
      {"void", voiding_order(), refused(payment::errc::captured),
       voided{{payment::charge_status::captured, "", ""}}},
      {"void", voiding_order(), refused(base_errc::unavailable), std::nullopt},
      {"settle/0.0", paid_order(), accepted(), sale_settled{0}},
      {"settle/0.0", paid_order(), refused(stock::errc::no_such_reservation), sale_settled{0}},
      {"settle/0.0", paid_order(), refused(stock::errc::reservation_conflict), std::nullopt},
      {"restock/0.0", cancelled_order(), accepted(), restocked{0}},
      {"refund", cancelled_order(), accepted(), refunded{}},
      {"refund", cancelled_order(), refused(payment::errc::over_refund), std::nullopt},
      {"cart_done", paid_order(), accepted(), cart_done{}},
      {"cart_done", paid_order(), refused(cart::errc::closed), cart_done{}},
      {"cart_done", declined_order(), accepted(), std::nullopt},
      {"abandon", declined_order(), accepted(), cart_done{}},
      {"abandon", paid_order(), accepted(), std::nullopt},
      {"", paid_order(), accepted(), std::nullopt},
      {"claim/", paid_order(), accepted(), std::nullopt},
      {"claim/1.", paid_order(), accepted(), std::nullopt},
      {"claim/1.0x", paid_order(), accepted(), std::nullopt},
      {"claim/99999999999", paid_order(), accepted(), std::nullopt},
      {"dance", paid_order(), accepted(), std::nullopt},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.key << " " << (row.got.failure ? row.got.failure->number : 0)) {
      const auto read = kind::settle(row.given.s, row.key, row.got);
      BOOST_TEST_REQUIRE(read.has_value() == row.meaning.has_value());
      if (read) BOOST_TEST((kind::encode_command(*read) == kind::encode_command(*row.meaning)));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace order_test
}  // namespace omnicart::order
