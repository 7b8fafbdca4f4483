#include "actors/order/order_after.hpp"
#include "order_world.hpp"
#include "runtime/kind.hpp"

namespace omnicart::order {
namespace order_told_test {

using namespace test;
using payment::charge_status;
using payment::news_kind;

const caller buyer = guest("s1");

class story {
 public:
  state s;

  story& then(const command& what, const caller& asker = engine()) {
    const auto done = kind::decide(s, what, {.now = at_ms(0), .command = {}, .asker = asker});
    BOOST_REQUIRE_MESSAGE(done.has_value(), "the story so far is accepted");
    for (const event& each : *done) {
      kind::apply(s, *kind::decode_event(kind::encode_event(each)));
      kind::check(s);
    }
    kind::check_full(s);
    const auto stored = kind::decode_state(kind::encode_state(s));
    BOOST_REQUIRE(stored.has_value());
    kind::check_full(*stored);
    return *this;
  }
};

place content(payment::capture_when when, payment::method_type how = payment::method_type::card) {
  return {.items = {{product_id{"a"}, 2, gbp(350)}},
          .buyer = buyer,
          .sessions = {"s1"},
          .email = "a@example.org",
          .payment = {how, "tok_ok"},
          .id = order_id{"o1"},
          .capture = when};
}
constexpr auto now_ = payment::capture_when::at_order, later = payment::capture_when::at_shipment;
story claiming(payment::capture_when when = now_) { return story{}.then(content(when), staff()); }
story charging(payment::capture_when when = now_) { return claiming(when).then(claimed{0}); }
story voiding() { return charging().then(resolve{resolution::give_up, "no word"}, staff()); }
story paid_order() { return charging().then(charged{{charge_status::captured, "", "4242"}}).then(sale_settled{0}); }
story declined_order() { return charging().then(charged{{charge_status::declined, "no_funds", ""}}); }
story rejected_order() { return voiding().then(voided{{charge_status::voided, "", ""}}); }
story short_order() { return claiming().then(claim_refused{0, false, 0, 0}); }
story invoiced_order() {
  return story{}.then(content(now_, payment::method_type::invoice), staff()).then(claimed{0}).then(sale_settled{0});
}
story held_order() {
  return charging(later).then(charged{{charge_status::authorised, "", "4242"}}).then(sale_settled{0});
}
story shipped_held() { return held_order().then(ship{}, staff()); }
story cancelled_held() { return held_order().then(cancel{"no"}, buyer); }
story lost_order() { return shipped_held().then(capture_refused{801}); }

payment_told told(news_kind kind, std::int64_t pence = 700, const std::string& refund_key = {}) {
  return {{.kind = kind, .amount = gbp(pence), .refund_key = refund_key, .decline_code = "no_funds", .last4 = "4242"}};
}

std::string names(const std::vector<event>& done) {
  std::string text;
  for (const event& each : done) {
    const auto json = kind::describe_event(each);
    const auto from = std::string("{\"event\":\"").size();
    text += (text.empty() ? "" : " ") + json.substr(from, json.find('"', from) - from);
  }
  return text;
}
std::string keys(const state& s) {
  std::string text;
  for (const effect& each : kind::pending(s, 100)) text += (text.empty() ? "" : " ") + each.key;
  return text;
}

BOOST_AUTO_TEST_SUITE(order_told)

// Whatever is told, in whatever state: what it leaves behind; told again it leaves nothing.
BOOST_AUTO_TEST_CASE(every_word_of_the_provider_ends_somewhere) {
  struct row {
    const char* name;
    story given;
    payment_told when;
    const char* events;
    const char* status;
    const char* owed;  // money only
  };
  const auto captured_word = told(news_kind::captured);
  const std::vector<row> rows{
      {"captured while waiting", charging(), captured_word, "paid", "paid", ""},
      {"captured while giving up", voiding(), captured_word, "paid", "paid", ""},
      {"captured and known", paid_order(), captured_word, "", "paid", ""},
      {"captured after a decline", declined_order(), captured_word, "stray_charge", "declined", "refund"},
      {"captured after giving up", rejected_order(), captured_word, "stray_charge", "rejected", "refund"},
      {"captured and never asked for", short_order(), captured_word, "stray_charge", "rejected", "refund"},
      {"captured for an invoice", invoiced_order(), captured_word, "stray_charge", "pending", "refund"},
      {"captured early", held_order(), captured_word, "status_changed captured_later", "paid", ""},
      {"captured as asked", shipped_held(), captured_word, "captured_later", "shipped", ""},
      {"captured after all", lost_order(), captured_word, "captured_later", "shipped", ""},
      {"captured while being voided", cancelled_held(), captured_word, "stray_charge", "cancelled", "refund"},
      {"authorised while waiting", charging(later), told(news_kind::authorised), "authorised", "authorised", ""},
      {"authorised on the way to captured", charging(), told(news_kind::authorised), "", "pending", "charge"},
      {"declined while waiting", charging(), told(news_kind::declined), "declined", "declined", ""},
      {"declined while giving up", voiding(), told(news_kind::declined), "declined", "declined", ""},
      {"declined and paid", paid_order(), told(news_kind::declined), "", "paid", ""},
      {"voided while waiting", charging(), told(news_kind::voided), "declined", "declined", ""},
      {"voided as asked", voiding(), told(news_kind::voided), "rejected", "rejected", ""},
      {"voided under us", held_order(), told(news_kind::voided), "authorisation_voided cancelled", "cancelled", ""},
      {"voided as asked, held", cancelled_held(), told(news_kind::voided), "authorisation_voided", "cancelled", ""},
      {"voided after shipping", shipped_held(), told(news_kind::voided), "capture_failed", "shipped", ""},
      {"refunded by others", paid_order(), told(news_kind::refunded, 100, "x"), "refund_told", "paid", ""},
      {"refunded as asked", paid_order().then(cancel{}, buyer), told(news_kind::refunded, 700, "cancel"), "refund_made",
       "cancelled", ""},
      {"refunded in part as asked", paid_order().then(give_refund{gbp(100), {}, ""}, staff()),
       told(news_kind::refunded, 100, "refund-1"), "part_refund_made", "paid", ""},
      {"refunded and never captured", declined_order(), told(news_kind::refunded, 100, "x"), "", "declined", ""},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.name) {
      const context ctx{.now = at_ms(0), .command = {}, .asker = engine()};
      const auto done = kind::decide(row.given.s, row.when, ctx);
      BOOST_TEST_REQUIRE(done.has_value());
      BOOST_TEST(names(*done) == row.events);
      story after = row.given;
      after.then(row.when);
      BOOST_TEST(to_string(after.s.status) == row.status);
      std::string money;
      for (const effect& each : kind::pending(after.s, 100)) {
        if (each.to.kind == "payment") money += (money.empty() ? "" : " ") + each.key;
      }
      BOOST_TEST(money == row.owed);
      const auto again = kind::decide(after.s, row.when, ctx);
      BOOST_TEST_REQUIRE(again.has_value());
      BOOST_TEST(names(*again) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_may_not_be_told_or_resolved_is_refused) {
  struct row {
    const char* name;
    story given;
    command when;
    caller asker;
    error_number code;
  };
  const auto number = [](auto code) { return static_cast<error_number>(code); };
  const std::vector<row> rows{
      {"told by staff", charging(), told(news_kind::captured), staff(), number(base_errc::forbidden)},
      {"told of no order", {}, told(news_kind::captured), engine(), number(errc::no_such_order)},
      {"too early", claiming(), told(news_kind::captured), engine(), number(errc::illegal_step)},
      {"another amount", charging(), told(news_kind::captured, 1), engine(), number(errc::conflict)},
      {"another amount than held", held_order(), told(news_kind::captured, 1), engine(), number(errc::conflict)},
      {"more back than taken", paid_order(), told(news_kind::refunded, 701, "x"), engine(), number(errc::conflict)},
      {"retry by the buyer", paid_order(), retry{}, buyer, number(base_errc::forbidden)},
      {"resolve by the buyer", paid_order(), resolve{resolution::give_up, "x"}, buyer, number(base_errc::forbidden)},
      {"resolve without a note", charging(), resolve{resolution::give_up, ""}, staff(), number(base_errc::malformed)},
      {"give up what is over", paid_order(), resolve{resolution::give_up, "x"}, staff(), number(errc::not_stuck)},
      {"no refund owed", paid_order(), resolve{resolution::refunds_done, "x"}, staff(), number(errc::not_stuck)},
      {"no stock owed", paid_order(), resolve{resolution::stock_done, "x"}, staff(), number(errc::not_stuck)},
      {"nothing lost", paid_order(), resolve{resolution::written_off, "x"}, staff(), number(errc::not_stuck)},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.name) {
      const auto done = kind::decide(row.given.s, row.when, {.now = at_ms(0), .command = {}, .asker = row.asker});
      BOOST_TEST_REQUIRE(!done.has_value());
      BOOST_TEST(done.error().number == row.code);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_authorised_order_is_captured_with_its_first_shipment) {
  auto order = held_order();
  BOOST_TEST((to_string(order.s.status) == std::string("authorised") && order.s.captured.amount_minor == 0));
  BOOST_TEST(keys(order.s) == "");
  order.then(ship{"", "", {{1, 1}}}, staff());
  BOOST_TEST(keys(order.s) == "capture");
  const auto meant = kind::settle(order.s, "capture", fake_provider::word(charge_status::captured));
  BOOST_TEST_REQUIRE(meant.has_value());
  order.then(*meant).then(*meant);
  BOOST_TEST((order.s.captured == gbp(700) && keys(order.s) == ""));
  order.then(ship{}, staff()).then(ask_return{{{1, 2}}, "", true}, staff());
  BOOST_TEST(keys(order.s) == "part/1 shelve/1.0");
}

BOOST_AUTO_TEST_CASE(a_status_set_to_shipped_captures_too) {
  const auto order =
      held_order().then(set_status{order_status::processing}, staff()).then(set_status{order_status::shipped}, staff());
  BOOST_TEST(keys(order.s) == "capture");
}

BOOST_AUTO_TEST_CASE(a_cancelled_authorisation_is_voided_and_never_captured) {
  auto order = cancelled_held();
  BOOST_TEST(keys(order.s) == "void restock/0.0");
  order.then(voided{{charge_status::voided, "", ""}});
  BOOST_TEST((keys(order.s) == "restock/0.0" && order.s.captured.amount_minor == 0));
  auto raced = cancelled_held().then(voided{{charge_status::captured, "", ""}});
  BOOST_TEST(keys(raced.s) == "refund restock/0.0");
  raced.then(refunded{});
  BOOST_TEST((raced.s.refunded == gbp(700)));
}

BOOST_AUTO_TEST_CASE(a_capture_that_is_refused_waits_for_a_person) {
  auto order = lost_order();
  BOOST_TEST((keys(order.s) == "" && view(order.s).after.capture_trouble == "voided"));
  auto again = story{order}.then(retry{}, staff());
  BOOST_TEST(keys(again.s) == "capture");
  order.then(resolve{resolution::written_off, "paid in cash"}, staff());
  BOOST_TEST((order.s.after.hold == holding::voided));
}

BOOST_AUTO_TEST_CASE(what_a_person_settled_is_owed_no_more) {
  auto order = paid_order().then(ship{}, staff()).then(ask_return{{{1, 1}}, "", true}, staff());
  order.then(resolve{resolution::refunds_done, "bank transfer"}, staff());
  BOOST_TEST((keys(order.s) == "shelve/1.0" && order.s.refunded == gbp(350)));
  order.then(resolve{resolution::stock_done, "counted"}, staff());
  BOOST_TEST((keys(order.s) == "" && !view(order.s).owes));
  auto stray = declined_order().then(told(news_kind::captured)).then(resolve{resolution::refunds_done, "cheque"}, staff());
  BOOST_TEST((stray.s.refunded == stray.s.captured));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace order_told_test
}  // namespace omnicart::order
