#include "tools/pay/provider_rules.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

namespace omnicart::pay {
namespace provider_rules_test {

const currency_code gbp = *currency_code::parse("GBP");
const currency_code jpy = *currency_code::parse("JPY");
constexpr timestamp_ms noon{duration_ms{1'700'000'000'000}};

// A book with what it wrote, and short ways to ask it.
struct provider {
  provider_book book;
  std::vector<entry> ledger;

  verdict ask(const request& what) { return book.handle(what, noon, ledger); }
  verdict charge(const std::string& key, const std::string& token, std::int64_t minor = 1299,
                 method how = method::card) {
    return ask(charge_request{key, {minor, gbp}, how, token});
  }
  verdict void_it(const std::string& key) { return ask(void_request{key}); }
  verdict refund(const std::string& key, const std::string& refund_key, std::int64_t minor) {
    return ask(refund_request{key, refund_key, {minor, gbp}});
  }
  std::string kinds() const {
    std::string out;
    for (const auto& what : ledger) out += std::string(to_string(what.kind)) + ' ';
    return out;
  }
};

BOOST_AUTO_TEST_SUITE(pay_provider_rules)

BOOST_AUTO_TEST_CASE(every_token_answers_and_books_as_it_is_named) {
  constexpr auto captured = charge_status::captured, declined = charge_status::declined;
  const std::string approved = "authorisation capture ", refused = "decline ", nothing;
  struct row {
    const char* token;
    delivery first;
    std::string after_first;  // what the ledger says after the first attempt
    charge_status end;        // what every later attempt is told, cleanly
    decline_reason why;
    const char* last4;
    std::string after_all;
  };
  const auto none = decline_reason::none;
  const std::vector<row> rows{
      {"tok_ok", delivery::normal, approved, captured, none, "4242", approved},
      {"tok_declined", delivery::normal, refused, declined, decline_reason::card_declined, "0002",
       refused},
      {"tok_timeout_before", delivery::none, nothing, captured, none, "0119", approved},
      {"tok_timeout_after", delivery::none, approved, captured, none, "0127", approved},
      {"tok_twice", delivery::twice, approved, captured, none, "0222", approved},
      {"tok_late", delivery::late, approved, captured, none, "0259", approved},
      {"tok_garbage", delivery::garbage, approved, captured, none, "0341", approved},
      {"4111111111111111", delivery::normal, refused, declined, decline_reason::invalid_token, "",
       refused},
      {"", delivery::normal, refused, declined, decline_reason::invalid_token, "", refused},
  };
  for (const auto& r : rows) {
    for (const auto how : {method::card, method::paypal}) {
      BOOST_TEST_CONTEXT(r.token << " by " << to_string(how)) {
        provider p;
        BOOST_TEST(int(p.charge("k", r.token, 1299, how).how) == int(r.first));
        BOOST_TEST(p.kinds() == r.after_first);
        for (int again = 0; again < 2; ++again) {
          const auto said = p.charge("k", r.token, 1299, how);
          BOOST_TEST_REQUIRE(said.result.has_value());
          BOOST_TEST(int(said.how) == int(delivery::normal));
          const outcome expected{r.end, {1299, gbp}, how == method::card ? r.last4 : "", r.why};
          BOOST_TEST((*said.result == expected));
        }
        BOOST_TEST(p.kinds() == r.after_all);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_refusal_is_named_and_leaves_no_entry) {
  using asks = std::vector<request>;
  const charge_request ok{"k", {500, gbp}, method::card, "tok_ok"};
  const charge_request declined{"k", {500, gbp}, method::card, "tok_declined"};
  const auto with = [&](auto change) {
    auto other = ok;
    change(other);
    return other;
  };
  struct row {
    const char* name;
    asks before;
    request asked;
    refusal expected;
  };
  const std::vector<row> rows{
      {"empty key", {}, charge_request{"", {1, gbp}, method::card, "tok_ok"}, refusal::malformed},
      {"long key", {}, void_request{std::string(key_bytes_max + 1, 'k')}, refusal::malformed},
      {"key with a quote", {}, void_request{"a\"b"}, refusal::malformed},
      {"key with a space", {}, void_request{"a b"}, refusal::malformed},
      {"negative charge",
       {},
       charge_request{"k", {-1, gbp}, method::card, "tok_ok"},
       refusal::malformed},
      {"negative refund", {ok}, refund_request{"k", "r", {-1, gbp}}, refusal::malformed},
      {"empty refund key", {ok}, refund_request{"k", "", {1, gbp}}, refusal::malformed},
      {"invoice",
       {},
       charge_request{"k", {1, gbp}, method::invoice, "tok_ok"},
       refusal::unknown_method},
      {"other amount", {ok}, with([](auto& c) { ++c.amount.amount_minor; }), refusal::key_reused},
      {"other currency", {ok}, with([](auto& c) { c.amount.currency = jpy; }), refusal::key_reused},
      {"other method", {ok}, with([](auto& c) { c.how = method::paypal; }), refusal::key_reused},
      {"other token", {ok}, with([](auto& c) { c.token = "tok_late"; }), refusal::key_reused},
      {"charge of a voided key", {void_request{"k"}}, ok, refusal::voided},
      {"charge of a declined, then voided key",
       {declined, void_request{"k"}},
       declined,
       refusal::voided},
      {"void of a captured key", {ok}, void_request{"k"}, refusal::captured},
      {"void after a full refund",
       {ok, refund_request{"k", "r", {500, gbp}}},
       void_request{"k"},
       refusal::captured},
      {"refund of an unknown key", {}, refund_request{"k", "r", {1, gbp}}, refusal::not_captured},
      {"refund of a declined key",
       {declined},
       refund_request{"k", "r", {1, gbp}},
       refusal::not_captured},
      {"refund of a voided key",
       {void_request{"k"}},
       refund_request{"k", "r", {1, gbp}},
       refusal::not_captured},
      {"refund above the capture",
       {ok},
       refund_request{"k", "r", {501, gbp}},
       refusal::over_refund},
      {"refunds above the capture",
       {ok, refund_request{"k", "r1", {300, gbp}}},
       refund_request{"k", "r2", {201, gbp}},
       refusal::over_refund},
      {"refund in another currency",
       {ok},
       refund_request{"k", "r", {1, jpy}},
       refusal::over_refund},
      {"refund key with another amount",
       {ok, refund_request{"k", "r", {300, gbp}}},
       refund_request{"k", "r", {200, gbp}},
       refusal::key_reused},
      {"first attempt that times out before",
       {},
       charge_request{"k", {1, gbp}, method::card, "tok_timeout_before"},
       refusal::no_answer},
  };
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.name) {
      provider p;
      for (const auto& earlier : r.before) BOOST_TEST_REQUIRE(p.ask(earlier).result.has_value());
      const auto entries = p.ledger.size();
      const auto said = p.ask(r.asked);
      BOOST_TEST_REQUIRE(!said.result.has_value());
      BOOST_TEST(to_string(said.result.error()) == to_string(r.expected));
      BOOST_TEST(p.ledger.size() == entries);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_void_before_the_charge_arrives_wins) {
  provider p;
  BOOST_TEST((p.charge("k", "tok_timeout_before").result.error() == refusal::no_answer));
  BOOST_TEST((p.void_it("k").result->status == charge_status::voided));
  BOOST_TEST((p.charge("k", "tok_timeout_before").result.error() == refusal::voided));
  BOOST_TEST((p.void_it("k").result->status == charge_status::voided));
  BOOST_TEST(p.kinds() == "void ");
}

BOOST_AUTO_TEST_CASE(a_refund_is_made_once_per_refund_key) {
  provider p;
  BOOST_TEST_REQUIRE(p.charge("k", "tok_ok", 500).result.has_value());
  for (int again = 0; again < 3; ++again) {
    const auto said = p.refund("k", "r", 500);
    BOOST_TEST_REQUIRE(said.result.has_value());
    BOOST_TEST((said.result->status == charge_status::refunded));
  }
  BOOST_TEST(p.book.summary().totals.at("GBP").refunded_minor == 500);
  BOOST_TEST(p.book.summary().refunds == 1u);
}

BOOST_AUTO_TEST_CASE(a_repeated_charge_after_a_refund_still_says_captured) {
  provider p;
  BOOST_TEST_REQUIRE(p.charge("k", "tok_ok", 500).result.has_value());
  BOOST_TEST_REQUIRE(p.refund("k", "r", 500).result.has_value());
  BOOST_TEST((p.charge("k", "tok_ok", 500).result->status == charge_status::captured));
}

BOOST_AUTO_TEST_CASE(an_order_of_nothing_can_be_charged_and_refunded) {
  provider p;
  BOOST_TEST((p.charge("k", "tok_ok", 0).result->status == charge_status::captured));
  BOOST_TEST((p.refund("k", "r", 0).result->status == charge_status::refunded));
}

BOOST_AUTO_TEST_CASE(totals_outside_64_bits_are_declined) {
  provider p;
  BOOST_TEST_REQUIRE(p.charge("a", "tok_ok", INT64_MAX).result.has_value());
  const auto said = p.charge("b", "tok_ok", 1);
  BOOST_TEST((said.result->status == charge_status::declined));
  BOOST_TEST((said.result->declined == decline_reason::amount_too_large));
}

BOOST_AUTO_TEST_CASE(too_many_refunds_of_one_charge_are_refused) {
  provider p;
  BOOST_TEST_REQUIRE(p.charge("k", "tok_ok", 5000).result.has_value());
  for (std::size_t i = 0; i < refunds_per_charge_max; ++i) {
    BOOST_TEST_REQUIRE(p.refund("k", "r" + std::to_string(i), 1).result.has_value());
  }
  BOOST_TEST((p.refund("k", "last", 1).result.error() == refusal::over_refund));
}

BOOST_AUTO_TEST_CASE(unanswered_keys_are_bounded_and_only_time_out_once_more) {
  provider p;
  BOOST_TEST((p.charge("first", "tok_timeout_before").how == delivery::none));
  for (std::size_t i = 0; i < unanswered_keys_max; ++i)
    p.charge("k" + std::to_string(i), "tok_timeout_before");
  BOOST_TEST((p.charge("first", "tok_timeout_before").how == delivery::none));
  BOOST_TEST((p.charge("first", "tok_timeout_before").result->status == charge_status::captured));
}

BOOST_AUTO_TEST_CASE(a_capture_torn_off_by_a_crash_is_made_up_for) {
  provider before;
  BOOST_TEST_REQUIRE(before.charge("k", "tok_ok").result.has_value());
  provider after;
  BOOST_TEST_REQUIRE(after.book.apply(before.ledger.at(0)));
  BOOST_TEST((after.book.find("k")->state == key_state::authorised));
  BOOST_TEST((after.charge("k", "tok_ok").result->status == charge_status::captured));
  BOOST_TEST(after.kinds() == "capture ");
  provider given_up;
  BOOST_TEST_REQUIRE(given_up.book.apply(before.ledger.at(0)));
  BOOST_TEST((given_up.void_it("k").result->status == charge_status::voided));
}

BOOST_AUTO_TEST_CASE(entries_that_do_not_follow_are_not_applied) {
  const entry good{
      .seq = 1, .at = noon, .kind = entry_kind::authorisation, .key = "k", .amount = {5, gbp}};
  const auto changed = [&](auto change) {
    auto other = good;
    change(other);
    return other;
  };
  for (const auto& bad :
       {changed([](entry& e) { e.seq = 2; }), changed([](entry& e) { e.seq = 0; }),
        changed([](entry& e) { e.kind = entry_kind::capture; }),
        changed([](entry& e) { e.kind = entry_kind::refund; }),
        changed([](entry& e) { e.key = ""; }),
        changed([](entry& e) { e.amount.amount_minor = -1; })}) {
    provider_book book;
    BOOST_TEST(!book.apply(bad));
  }
  provider_book book;
  BOOST_TEST_REQUIRE(book.apply(good));
  BOOST_TEST(!book.apply(changed([](entry& e) { e.seq = 2; })));  // the key again
  BOOST_TEST(!book.apply(changed([](entry& e) {
    e.seq = 2;
    e.kind = entry_kind::capture;
    e.at -= duration_ms{1};
  })));
}

// Random requests over few keys; the laws of the ledger hold after each, and its replay gives the
// same book.
BOOST_AUTO_TEST_CASE(random_requests_keep_the_books) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const char* tokens[] = {"tok_ok",    "tok_declined", "tok_timeout_before", "tok_timeout_after",
                          "tok_twice", "tok_late",     "tok_garbage",        "tok_none"};
  provider p;
  std::map<std::string, std::int64_t> captured, refunded;
  std::map<std::string, int> ends;  // captures or voids of a key
  for (int step = 0; step < 5'000; ++step) {
    const auto from = p.ledger.size();
    const auto key = "k" + std::to_string(pick(200));
    switch (pick(4)) {
      case 0:
        p.void_it(key);
        break;
      case 1:
        p.refund(key, "r" + std::to_string(pick(5)), pick(400));
        break;
      default:
        p.charge(key, tokens[pick(8)], 100 + pick(2));
        break;
    }
    for (auto i = from; i < p.ledger.size(); ++i) {
      const auto& what = p.ledger[i];
      if (what.kind == entry_kind::capture) captured[what.key] += what.amount.amount_minor;
      if (what.kind == entry_kind::capture || what.kind == entry_kind::void_charge)
        ++ends[what.key];
      if (what.kind == entry_kind::refund) refunded[what.key] += what.amount.amount_minor;
    }
    BOOST_TEST_REQUIRE(ends[key] <= 1, "seed " << seed << " key " << key);
    BOOST_TEST_REQUIRE(refunded[key] <= captured[key], "seed " << seed << " key " << key);
  }
  provider_book replayed;
  for (const auto& what : p.ledger) BOOST_TEST_REQUIRE(replayed.apply(what), "seed " << seed);
  BOOST_TEST((replayed.summary().totals == p.book.summary().totals));
  BOOST_TEST(replayed.last_seq() == p.book.last_seq());
  std::int64_t sum = 0;
  for (const auto& [key, minor] : captured) sum += minor;
  BOOST_TEST(replayed.summary().totals.at("GBP").captured_minor == sum);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace provider_rules_test
}  // namespace omnicart::pay
