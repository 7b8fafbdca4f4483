#include "actors/order/order_codec.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/order/order_kind.hpp"
#include "actors/order/order_refund.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::order {
namespace order_codec_test {

std::string hex(std::string_view bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char c : bytes) (text += digits[c >> 4]) += digits[c & 15];
  return text;
}

std::string bytes_of(std::string_view hex_text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex_text.size(); i += 2)
    bytes += static_cast<char>(digit(hex_text[i]) * 16 + digit(hex_text[i + 1]));
  return bytes;
}

money gbp(std::int64_t pence) { return {pence, *currency_code::parse("GBP")}; }
const timestamp_ms t{duration_ms{1'600'000'000'000}};

place full_place() {
  return {.cart = cart_id{"c1"},
          .items = {{product_id{"a"}, 2, gbp(5)}, {product_id{"b"}, 1, std::nullopt}},
          .buyer = {role::shopper, "s1", "u1"},
          .sessions = {"s1"},
          .email = "e",
          .ship_to = address{.name = "N", .country = "GB"},
          .payment = {payment::method_type::card, "tok_ok"},
          .stated_total = gbp(10),
          .reference = "r",
          .customer_reference = "k",
          .id = order_id{"o1"},
          .guest = "g"};
}

// An order with something in every member of its state.
state full_state() {
  state s;
  place content = full_place();
  content.items.clear();
  const std::vector<line> lines{{1, product_id{"b"}, "B", 1, gbp(5), quote_state::needed},
                                {2, product_id{"a"}, "A", 2, gbp(1), quote_state::none}};
  for (const event& each :
       events{placed{content, t}, cart_taken{lines}, line_priced{0, "B", gbp(5)}, totalled{gbp(7)},
              stock_claimed{0}, stock_refused{1, true, 3}, claims_given_up{}, stock_unclaimed{0},
              stock_unclaimed{1}, retry_scheduled{t}, claims_retried{}, stock_claimed{0},
              stock_claimed{1}, payment_began{t}, paid{gbp(7), "4242", t}, stock_settled{0},
              cancelled{"x", t}}) {
    apply(s, each);
    check(s);
  }
  check_full(s);
  return s;
}

pricing::breakdown small_breakdown() {
  return {.currency = gbp(0).currency, .subtotal_minor = 7, .total_minor = 7};
}

struct golden {
  event what;
  const char* bytes;
};
const std::vector<golden> stored{
    {placed{full_place(), t},
      "9201920092dc0012c40263319293c40161029205c40347425093c4016201c09301c4027331c402753191c4027331c4016598"
      "c4014ec400c400c400c400c400c4024742c4009200c406746f6b5f6f6b920ac403474250c40172c4016bc4026f31009090c4"
      "00c0c0c40167cf00000174876e8000"},
    {cart_taken{{{1, product_id{"a"}, "A", 2, gbp(5), quote_state::needed}}},
     "9201920191919901c40161c40141029205c40347425001c40000c2"},
    {line_priced{3, "A", gbp(5)}, "920192029503c401419205c403474250c40000"},
    {line_unpriced{3}, "920192039103"},
    {totalled{gbp(7)}, "92019204919207c403474250"},
    {rejected{rejection::out_of_stock, order_id{"o9"}, t},
     "920192059301c4026f39cf00000174876e8000"},
    {stock_claimed{1}, "92019206920100"},
    {stock_refused{1, true, 4}, "920192079401c304c2"},
    {claims_given_up{}, "9201920890"},
    {stock_unclaimed{1}, "920192099101"},
    {retry_scheduled{t}, "9201920a91cf00000174876e8000"},
    {claims_retried{}, "9201920b90"},
    {payment_began{t}, "9201920c91cf00000174876e8000"},
    {giving_up{}, "9201920d90"},
    {paid{gbp(7), "4242", t}, "9201920e939207c403474250c40434323432cf00000174876e8000"},
    {invoiced{t}, "9201920f91cf00000174876e8000"},
    {declined{"no_funds", "4242", t},
     "9201921093c4086e6f5f66756e6473c40434323432cf00000174876e8000"},
    {stock_settled{1}, "920192119101"},
    {status_changed{order_status::shipped, t}, "920192129203cf00000174876e8000"},
    {cancelled{"x", t}, "9201921392c40178cf00000174876e8000"},
    {refund_made{}, "9201921490"},
    {stock_returned{1}, "920192159101"},
    {cart_released{}, "9201921690"},
    {cart_resealed{}, "9201921790"},
    {shipment_made{1, "C", "T", {{2, 3}}, t},
     "920192189501c40143c4015491920203cf00000174876e8000"},
    {shipment_delivered{1, t},
     "920192199201cf00000174876e8000"},
    {return_asked{1, {{2, 3}}, "R", t},
     "9201921a940191920203c40152cf00000174876e8000"},
    {return_received{1, true, t},
     "9201921b9301c3cf00000174876e8000"},
    {return_refused{1, "R", t},
     "9201921c9301c40152cf00000174876e8000"},
    {refund_promised{1, gbp(7), {{2, 3}}, 1, "R", t, {{"G", 2, false}}},
     "9201921d97019207c4034742509192020301c40152cf00000174876e80009193c4014702c2"},
    {part_refund_made{1, t},
     "9201921e9201cf00000174876e8000"},
    {units_shelved{1, 2},
     "9201921f920102"},
    {noted{1, "N", role::support, "u1", t},
     "920192209501c4014e02c4027531cf00000174876e8000"},
    {authorised{gbp(7), "4242", t},
     "92019221939207c403474250c40434323432cf00000174876e8000"},
    {captured_later{gbp(7), t},
     "92019222929207c403474250cf00000174876e8000"},
    {capture_failed{"voided", t},
     "9201922392c406766f69646564cf00000174876e8000"},
    {capture_asked_again{t},
     "9201922491cf00000174876e8000"},
    {authorisation_voided{t},
     "9201922591cf00000174876e8000"},
    {stray_charge{gbp(7), "4242", t},
     "92019226939207c403474250c40434323432cf00000174876e8000"},
    {refund_told{1, "k", gbp(7), t},
     "920192279401c4016b9207c403474250cf00000174876e8000"},
    {resolved{resolution::stock_done, "N", t},
     "920192289302c4014ecf00000174876e8000"},
    {promotions_asked{{{"A"}, {"B"}, "", "m"}}, "92019229919491c4014191c40142c400c4016d"},
    {promotion_held{1, {}, 7}, "9201922a9301990000900000c4009090c207"},
    {promotion_refused{1, 1305, pricing::obstacle::minimum_not_met}, "9201922b9301cd051902"},
    {terms_applied{small_breakdown()},
     "9201922c919ec403474250c2c40090c400c40090c2900700000007"},
    {promotion_ended{1}, "9201922d9101"},
    {card_refund_made{1, 2, t}, "9201922e930102cf00000174876e8000"},
};

BOOST_AUTO_TEST_SUITE(order_codec)

// These bytes are in stores: they are read for ever. A struct may grow at its end; then the old
// bytes stay here too.
BOOST_AUTO_TEST_CASE(stored_events_keep_their_bytes) {
  BOOST_TEST(stored.size() == std::variant_size_v<event>);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    BOOST_TEST(stored[i].what.index() == i);
    BOOST_TEST(hex(encode_event(stored[i].what)) == stored[i].bytes);
    const auto back = decode_event(encode_event(stored[i].what));
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST((encode_event(*back) == encode_event(stored[i].what)));
  }
}

BOOST_AUTO_TEST_CASE(a_stored_snapshot_keeps_its_bytes) {
  BOOST_TEST(hex(encode_state(full_state())) ==
      "9201dc0019dc0012c4026331909301c4027331c402753191c4027331c4016598c4014ec400c400c400c400c400c4024742c4"
      "009200c406746f6b5f6f6b920ac403474250c40172c4016bc4026f31009090c400c0c0c40167cf00000174876e8000cf0000017487"
      "6e80000708929901c40162c40142019205c40347425002c40000c29902c40161c40141029201c40347425000c40000c29207"
      "c4034742509294c4016102070094c401620105000190cf00000174876e800001c39207c4034742509200c403474250c40434"
      "323432c40000c40090909b9090909090cf00000174876e80000000c400c2c290c0c400");
}

// What builds before shipments, returns and authorisations wrote.
BOOST_AUTO_TEST_CASE(what_older_builds_stored_is_read) {
  const std::string old_placed =
      "92019200929bc40263319293c40161029205c40347425093c4016201c09301c4027331c402753191c4027331c4016598c401"
      "4ec400c400c400c400c400c4024742c4009200c406746f6b5f6f6b920ac403474250c40172c4016bc4026f31cf0000017487"
      "6e8000";
  const auto event = decode_event(bytes_of(old_placed));
  BOOST_TEST_REQUIRE(event.has_value());
  place without_guest = full_place();
  without_guest.guest.clear();
  BOOST_TEST((std::get<placed>(*event).content == without_guest));
  // Between: all but the digest of a guest's address.
  const auto later = decode_event(bytes_of(
      "9201920092dc0011c40263319293c40161029205c40347425093c4016201c09301c4027331c402753191c4027331c4016598"
      "c4014ec400c400c400c400c400c4024742c4009200c406746f6b5f6f6b920ac403474250c40172c4016bc4026f31009090c4"
      "00c0c0cf00000174876e8000"));
  BOOST_TEST_REQUIRE(later.has_value());
  BOOST_TEST((std::get<placed>(*later).content == without_guest));
  const std::string old_state =
      "9201dc00159bc4026331909301c4027331c402753191c4027331c4016598c4014ec400c400c400c400c400c4024742c40092"
      "00c406746f6b5f6f6b920ac403474250c40172c4016bc4026f31cf00000174876e8000cf00000174876e80000708929601c4"
      "0162c40142019205c403474250029602c40161c40141029201c403474250009207c4034742509293c40161020793c4016201"
      "050190cf00000174876e800001c39207c4034742509200c403474250c40434323432c40000c4009090";
  const auto state = decode_state(bytes_of(old_state));
  BOOST_TEST_REQUIRE(state.has_value());
  check_full(*state);
  BOOST_TEST((pending(*state, 100) == pending(full_state(), 100)));
  auto known_then = full_state();
  known_then.after.captured_at = {};
  known_then.content.guest.clear();
  BOOST_TEST(hex(encode_state(*state)) == hex(encode_state(known_then)));
  const auto old_lines = decode_event(bytes_of("9201920191919601c40161c40141029205c40347425001"));
  BOOST_TEST_REQUIRE(old_lines.has_value());
  BOOST_TEST((encode_event(*old_lines) == encode_event(stored[1].what)));
}

// What builds before refunds to gift cards wrote: all of a refund was the provider's.
BOOST_AUTO_TEST_CASE(a_refund_that_older_builds_stored_is_all_of_it_the_providers) {
  const auto promised = decode_event(
      bytes_of("9201921d96019207c4034742509192020301c40152cf00000174876e8000"));
  BOOST_TEST_REQUIRE(promised.has_value());
  BOOST_TEST((std::get<refund_promised>(*promised).cards.empty() &&
              std::get<refund_promised>(*promised).amount == gbp(7)));
  struct row {
    const char* bytes;
    bool owed;
  };
  for (const auto& each :
       {row{"92019901" "00" "c408726566756e642d31" "9207c403474250" "90" "00" "c400"
            "cf00000174876e8000" "00",
            true},
        row{"92019901" "01" "c408726566756e642d31" "9207c403474250" "90" "00" "c400"
            "cf00000174876e8000" "cf00000174876e8000",
            false}}) {
    const auto record = codec::decode<refund_record>(bytes_of(each.bytes));
    BOOST_TEST_REQUIRE(record.has_value());
    BOOST_TEST((provider_part(*record) == gbp(7) && owes_provider(*record) == each.owed));
  }
}

BOOST_AUTO_TEST_CASE(a_refund_to_a_gift_card_that_did_not_pay_is_damage) {
  state s = full_state();
  s.promotions.push_back({.kind = cart::code_kind::gift_card,
                          .code = "G",
                          .state = claim_state::settled,
                          .amount_minor = 2});
  s.after.refunds.push_back({.number = 1, .amount = gbp(7), .cards = {{"G", 2, false}}});
  BOOST_TEST(decode_state(encode_state(s)).has_value());
  for (const card_share& wrong : {card_share{"G", 3}, card_share{"G", 0}, card_share{"H", 1}}) {
    s.after.refunds[0].cards[0] = wrong;
    BOOST_TEST(!decode_state(encode_state(s)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_snapshot_reads_back_with_all_that_is_owed) {
  const state s = full_state();
  const auto back = decode_state(encode_state(s));
  BOOST_TEST_REQUIRE(back.has_value());
  check_full(*back);
  BOOST_TEST((encode_state(*back) == encode_state(s)));
  BOOST_TEST((back->owing == s.owing && !s.owing.empty()));
  BOOST_TEST((pending(*back, 100) == pending(s, 100)));
  BOOST_TEST((encode_reply(view(*back)) == encode_reply(view(s))));
  const auto empty = decode_state(encode_state(state{}));
  BOOST_TEST_REQUIRE(empty.has_value());
  check_full(*empty);
}

BOOST_AUTO_TEST_CASE(commands_and_replies_read_back) {
  const auto read = kind::decode_command(kind::encode_command(full_place()));
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST((std::get<place>(*read) == full_place()));
  const auto shown = decode_reply(encode_reply(view(full_state())));
  BOOST_TEST_REQUIRE(shown.has_value());
  BOOST_TEST((shown->status == order_status::cancelled && shown->total == gbp(7) && shown->owes));
  BOOST_TEST(shown->lines.size() == 2u);
}

// A field added later is missing in old bytes and unknown to old readers.
BOOST_AUTO_TEST_CASE(messages_of_another_age_are_read) {
  const std::string before_attempts("\x92\x01\x92\x08\x91\x03",
                                    6);  // claimed{3}, without an attempt
  const auto old = decode_command(before_attempts);
  BOOST_TEST_REQUIRE(old.has_value());
  BOOST_TEST(std::get<claimed>(*old).stock == 3u);
  const std::string with_more("\x92\x01\x92\x08\x94\x03\x01\x00\xc0", 9);
  BOOST_TEST(decode_command(with_more).has_value());
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_message_are_refused) {
  const std::string event_bytes = encode_event(stored.front().what),
                    state_bytes = encode_state(full_state());
  for (std::size_t size = 0; size < event_bytes.size(); ++size) {
    BOOST_TEST(!decode_event(event_bytes.substr(0, size)).has_value());
  }
  for (std::size_t size = 0; size < state_bytes.size(); ++size) {
    BOOST_TEST(!decode_state(state_bytes.substr(0, size)).has_value());
  }
  BOOST_TEST(
      !decode_event(std::string("\x92\x01\x92\x7f\x90", 5)).has_value());  // an event of the future
  BOOST_TEST(!decode_command("").has_value());
  BOOST_TEST(!decode_reply("\xc0").has_value());
  BOOST_TEST(!decode_order_id("x").has_value());
  BOOST_TEST(!decode_available("").has_value());
}

BOOST_AUTO_TEST_CASE(people_are_shown_events_without_the_payment_token) {
  BOOST_TEST(describe_event(stored[18].what) ==
             R"({"event":"status_changed","to":"shipped","at":"2020-09-13T12:26:40.000Z"})");
  for (const std::string& shown :
       {describe_event(stored.front().what), describe_state(full_state())}) {
    BOOST_TEST(shown.find("tok_ok") == std::string::npos);
    BOOST_TEST(shown.find("\"o1\"") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(only_people_s_commands_are_answered_with_the_order) {
  const state s = full_state();
  const context ctx{.now = t, .command = {}, .asker = {}};
  BOOST_TEST(kind::reply(s, claimed{0}, ctx).empty());
  BOOST_TEST((kind::reply(s, get{}, ctx) == encode_reply(view(s))));
  BOOST_TEST(kind::memory_bytes(s) > kind::memory_bytes(state{}));
}

BOOST_AUTO_TEST_CASE(every_code_status_and_reason_has_a_name_of_its_own) {
  std::set<std::string> names;
  std::size_t count = 0;
  const auto named = [&](const char* name) {
    BOOST_TEST(std::string_view(name) != "");
    names.insert(name);
    ++count;
  };
  for (int i = 400; i <= 414; ++i) named(to_string(static_cast<errc>(i)));
  for (int i = 0; i <= 8; ++i) named(to_string(static_cast<order_status>(i)));
  BOOST_TEST(names.size() == count);
  names.clear();
  count = 0;
  for (int i = 0; i <= 13; ++i) named(to_string(static_cast<rejection>(i)));
  BOOST_TEST(names.size() == count);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace order_codec_test
}  // namespace omnicart::order
