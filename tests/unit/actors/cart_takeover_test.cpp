#include <limits>
#include <map>
#include <set>

#include "actors/cart/cart_kind.hpp"
#include "actors/cart/cart_takeover.hpp"
#include "cluster/link/transport.hpp"
#include "rule_table.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/limits.hpp"

// A guest's cart on its way into a user's: what moves, what stays behind, and that it is told.
namespace omnicart::cart {
namespace cart_takeover_test {

using namespace trial;

const currency_code gbp = *currency_code::parse("GBP");
const currency_code eur = *currency_code::parse("EUR");
const caller ann{.as = role::shopper, .session = "s", .user = "ann"};
const caller guest{.as = role::guest, .session = "g", .user = {}};

new_line item(const std::string& product, std::int64_t quantity = 1, std::int64_t price = 100,
              currency_code currency = gbp) {
  return {product_id{product}, "The " + product, quantity, {price, currency}, true};
}
std::vector<std::string> codes(const std::string& prefix, std::size_t count) {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(prefix + std::to_string(i));
  return list;
}
std::vector<new_line> items(const std::string& prefix, std::size_t count) {
  std::vector<new_line> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(item(prefix + std::to_string(i)));
  return list;
}
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

const cart_view& shown(const subject<kind>& one) {
  static cart_view view;
  view = std::get<cart_view>(*decode_reply(one.reply));
  return view;
}

// "tea*2 GBP | coupons | gift cards | country/method"
std::string content_of(const cart_view& view) {
  std::string text;
  for (const auto& l : view.lines) {
    text += l.product.str() + '*' + std::to_string(l.quantity) + ' ' +
            std::string(l.unit_price.currency.text()) + ' ';
  }
  return text + "| " + joined(view.with.coupons) + " | " + joined(view.with.gift_cards) + " | " +
         view.with.country + '/' + view.with.method;
}

// "tea*1:currency_mismatch TEN:code_limit"
std::string left_of(const cart_view& view) {
  std::string text;
  for (const auto& l : view.left.lines)
    text += l.product.str() + '*' + std::to_string(l.quantity) + ':' + to_string(l.why) + ' ';
  for (const auto& c : view.left.codes) text += c.code + ':' + to_string(c.why) + ' ';
  return text;
}

void fill(subject<kind>& one, const caller& who, const std::vector<new_line>& lines,
          const wishes& with) {
  BOOST_TEST(one.give(open{who.session, who.user}, who) == 0);
  BOOST_TEST(one.give(add{lines}, who) == 0);
  for (const auto& code : with.coupons)
    BOOST_TEST(one.give(use_code{code_kind::coupon, code}, who) == 0);
  for (const auto& code : with.gift_cards)
    BOOST_TEST(one.give(use_code{code_kind::gift_card, code}, who) == 0);
  BOOST_TEST(one.give(choose_shipping{with.country, with.method}, who) == 0);
}

BOOST_AUTO_TEST_SUITE(cart_takeover)

BOOST_AUTO_TEST_CASE(a_cart_takes_over_what_it_can_and_tells_the_rest) {
  const wishes none, van{{}, {}, "GB", "van"}, ten{{"TEN"}, {"GIFT"}, {}, {}};
  const struct {
    const char* claim;
    std::vector<new_line> users;
    wishes with;
    std::vector<new_line> guests;
    wishes guests_with;
    const char* content;
    const char* left;
  } rows[] = {
      {"all of it, when the user's cart is empty", {}, none, {item("tea")},
       {{"TEN"}, {"GIFT"}, "GB", "van"}, "tea*1 GBP | TEN | GIFT | GB/van", ""},
      {"codes alone", {item("jam")}, none, {}, ten, "jam*1 GBP | TEN | GIFT | /", ""},
      {"a choice of shipping alone", {}, none, {}, van, "|  |  | GB/van", ""},
      {"codes come after those that are there, once", {item("tea")}, {{"OLD", "TEN"}, {}, {}, {}},
       {item("tea", 2)}, {{"TEN", "NEW"}, {"TEN"}, {}, {}}, "tea*3 GBP | OLD,TEN,NEW | TEN | /", ""},
      {"a choice that was made stays", {}, {{}, {}, "FR", {}}, {item("tea")}, van,
       "tea*1 GBP |  |  | FR/", ""},
      {"so does a method without country", {}, {{}, {}, {}, "post"}, {item("tea")}, van,
       "tea*1 GBP |  |  | /post", ""},
      {"no more codes than a cart has", {}, {codes("A", 9), codes("B", 10), {}, {}}, {},
       {{"TEN", "MORE"}, {"GIFT"}, {}, {}},
       "| A0,A1,A2,A3,A4,A5,A6,A7,A8,TEN | B0,B1,B2,B3,B4,B5,B6,B7,B8,B9 | /",
       "MORE:code_limit GIFT:code_limit "},
      {"an empty cart takes another currency", {}, none, {item("tea", 1, 90, eur)}, ten,
       "tea*1 EUR | TEN | GIFT | /", ""},
      {"one with lines takes nothing of it", {item("jam")}, none,
       {item("tea", 3, 90, eur), item("pie", 1, 90, eur)}, {{"TEN"}, {"GIFT"}, "DE", "van"},
       "jam*1 GBP |  |  | /",
       "tea*3:currency_mismatch pie*1:currency_mismatch TEN:currency_mismatch GIFT:currency_mismatch "},
      {"a code that is there is not told of", {item("jam")}, {{"TEN"}, {}, {}, {}},
       {item("tea", 3, 90, eur)}, {{"TEN"}, {}, {}, {}}, "jam*1 GBP | TEN |  | /",
       "tea*3:currency_mismatch "},
      {"a line is filled up", {item("tea", 999'990)}, none, {item("tea", 20)}, none,
       "tea*999999 GBP |  |  | /", "tea*11:quantity_limit "},
      {"a full line takes none", {item("tea", 999'999)}, none, {item("tea", 20)}, ten,
       "tea*999999 GBP | TEN | GIFT | /", "tea*20:quantity_limit "},
      {"a sum beyond 64 bits", {item("tea", 1, std::numeric_limits<std::int64_t>::max())}, none,
       {item("jam", 2)}, none, "tea*1 GBP |  |  | /", "jam*2:quantity_limit "},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.claim) {
      subject<kind> theirs, users;
      fill(theirs, guest, row.guests, row.guests_with);
      fill(users, ann, row.users, row.with);
      BOOST_TEST(theirs.give(surrender{cart_id{"c"}}) == 0);
      const cart_view moved = shown(theirs);
      BOOST_TEST((moved.with == row.guests_with));
      const merge what{cart_id{"g"}, row.guests, moved.with};
      BOOST_TEST(users.give(what) == 0);
      BOOST_TEST(content_of(shown(users)) == row.content);
      BOOST_TEST(left_of(shown(users)) == row.left);
      users.s = reread<kind>(users.s);
      theirs.s = reread<kind>(theirs.s);
      BOOST_TEST(theirs.give(surrender{cart_id{"c"}}) == 0);
      BOOST_TEST((theirs.names.empty() && shown(theirs).with == row.guests_with));
      BOOST_TEST(users.give(what) == 0);
      BOOST_TEST(users.names == "");
      BOOST_TEST(content_of(shown(users)) == row.content);
      BOOST_TEST(left_of(shown(users)) == row.left);
      BOOST_TEST(users.give(get{}, ann) == 0);
      BOOST_TEST(left_of(shown(users)) == "");
      users.check_replay();
      theirs.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(lines_that_are_one_too_many_stay_behind_though_their_ids_are_alike) {
  subject<kind> one;
  fill(one, ann, items("p", limits::cart_lines_max - 1), {});
  BOOST_TEST(one.give(merge{cart_id{"g"}, {item("x1"), item("x2"), item("p7", 4), item("x3")}}) == 0);
  BOOST_TEST(shown(one).lines.size() == limits::cart_lines_max);
  BOOST_TEST(shown(one).lines[7].quantity == 5);
  BOOST_TEST(left_of(shown(one)) == "x2*1:line_limit x3*1:line_limit ");
}

BOOST_AUTO_TEST_CASE(the_first_20_lines_left_behind_are_named_and_all_are_counted) {
  subject<kind> one;
  fill(one, ann, {item("tea", 1, 90, eur)}, {});
  BOOST_TEST(one.give(merge{cart_id{"g"}, items("p", 25)}) == 0);
  BOOST_TEST((shown(one).left.lines.size() == left_lines_max && shown(one).left.line_count == 25));
  BOOST_TEST(shown(one).left.lines.back().product.str() == "p19");
  BOOST_TEST(leave_all(items("p", 25), {}, errc::closed).lines.size() == left_lines_max);
}

BOOST_AUTO_TEST_CASE(the_next_merge_is_not_answered_with_what_the_last_one_left) {
  subject<kind> one;
  fill(one, ann, {item("tea", 1, 90, eur)}, {});
  const merge first{cart_id{"g"}, {item("jam")}}, second{cart_id{"h"}, {item("tea", 1, 90, eur)}};
  BOOST_TEST(one.give(first) == 0);
  const auto with_rest = memory_bytes(one.s);
  BOOST_TEST(one.give(second) == 0);
  BOOST_TEST(left_of(shown(one)) == "");
  BOOST_TEST(memory_bytes(one.s) < with_rest);
  BOOST_TEST(one.give(first) == 0);
  BOOST_TEST(left_of(shown(one)) == "");
}

// Else a cart that one node shows could not be shown, surrendered or merged from another.
BOOST_AUTO_TEST_CASE(the_largest_cart_goes_between_nodes_in_one_message) {
  constexpr std::size_t head = 1024;  // of the envelope
  const auto limit_of = [](cluster::channel on) {
    return cluster::default_channel_limits[static_cast<std::size_t>(on)].frame_bytes_max;
  };
  merge all{cart_id{std::string(limits::url_id_bytes_max, 'c')}, {}, {codes("COUPON", 10), codes("CARD", 10), "GB", "van"}};
  for (std::size_t i = 0; i < limits::cart_lines_max; ++i) {
    std::string product = std::to_string(i);
    product.resize(limits::product_id_bytes_max, 'x');
    all.lines.push_back({product_id{product}, std::string(500, 'n'), 199, {1'000'000'000'000, gbp}, true});
  }
  BOOST_TEST(encode(command{all}).size() + head < limit_of(cluster::channel::command));
  subject<kind> one;
  BOOST_TEST(one.give(all) == 0);
  BOOST_TEST(shown(one).lines.size() == limits::cart_lines_max);
  BOOST_TEST(one.reply.size() + head < limit_of(cluster::channel::answer));
}

BOOST_AUTO_TEST_CASE(what_an_order_used_up_does_not_move) {
  subject<kind> one;
  fill(one, guest, {item("tea")}, {{"TEN"}, {"GIFT"}, "GB", "van"});
  BOOST_TEST(one.give(seal{order_id{"o"}, guest}) == 0);
  BOOST_TEST(one.give(use_code{code_kind::coupon, "LATER"}, guest) == 0);
  BOOST_TEST(one.give(add{{item("jam")}}, guest) == 0);
  BOOST_TEST(one.give(surrender{cart_id{"c"}}) == number(errc::checkout_in_progress));
  BOOST_TEST(one.give(seal{order_id{"o"}, guest}) == 0);
  BOOST_TEST(content_of(shown(one)) == "tea*1 GBP | TEN | GIFT | GB/van");
  BOOST_TEST(one.give(complete_checkout{order_id{"o"}}) == 0);
  BOOST_TEST(one.give(surrender{cart_id{"c"}}) == 0);
  BOOST_TEST(content_of(shown(one)) == "jam*1 GBP | LATER |  | GB/van");
  one.check_replay();
}

// Whatever two carts hold: nothing is lost without a word, and nothing arrives twice.
BOOST_AUTO_TEST_CASE(what_a_guest_had_is_in_the_users_cart_or_told) {
  for (const auto seed : seeds(200)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      const auto pick = [&](std::uint32_t n) { return static_cast<std::size_t>(random() % n); };
      const auto some_codes = [&] {
        std::set<std::string> list;
        for (std::size_t i = pick(11); i > 0; --i) list.insert("C" + std::to_string(pick(15)));
        return std::vector<std::string>(list.begin(), list.end());
      };
      const auto some_wishes = [&] {
        return wishes{some_codes(), some_codes(), pick(2) == 0 ? "GB" : "", {}};
      };
      const auto some_lines = [&] {
        const currency_code currency = pick(3) == 0 ? eur : gbp;
        std::map<std::string, new_line> list;
        for (std::size_t i = pick(30); i > 0; --i) {
          const auto product = "p" + std::to_string(pick(20));
          const std::int64_t quantity = pick(2) == 0 ? 1 : 600'000;
          list[product] = item(product, quantity, 100, currency);
        }
        std::vector<new_line> lines;
        for (auto& [product, line] : list) lines.push_back(line);
        return lines;
      };
      subject<kind> one;
      const auto had = some_lines(), come = some_lines();
      const wishes had_with = some_wishes(), come_with = some_wishes();
      fill(one, ann, had, had_with);
      for (int i = 0; i < 2; ++i)
        BOOST_REQUIRE(one.give(merge{cart_id{"g"}, come, come_with}) == 0);
      const cart_view now = shown(one);
      std::map<std::string, std::int64_t> units;
      const bool foreign = !had.empty() && !come.empty() &&
                           had[0].unit_price.currency != come[0].unit_price.currency;
      for (const auto& l : had) units[l.product.str()] += l.quantity;
      for (const auto& l : come) units[l.product.str()] += l.quantity;
      for (const auto& l : now.lines) units[l.product.str()] -= l.quantity;
      for (const auto& l : now.left.lines) units[l.product.str()] -= l.quantity;
      for (const auto& [product, missing] : units) BOOST_REQUIRE(missing == 0);
      BOOST_REQUIRE(now.left.line_count == now.left.lines.size());
      std::multiset<std::string> arrived, wanted;
      for (const auto& list : {now.with.coupons, now.with.gift_cards})
        arrived.insert(list.begin(), list.end());
      for (const auto& each : now.left.codes) arrived.insert(each.code);
      for (const auto list : {&wishes::coupons, &wishes::gift_cards}) {
        std::set<std::string> both((had_with.*list).begin(), (had_with.*list).end());
        both.insert((come_with.*list).begin(), (come_with.*list).end());
        wanted.insert(both.begin(), both.end());
      }
      BOOST_REQUIRE(arrived == wanted);
      const bool chose = !had_with.country.empty() || (!foreign && !come_with.country.empty());
      BOOST_REQUIRE((now.with.country == "GB") == chose);
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_of_a_takeover_stay_as_they_are) {
  const wishes with{{"A"}, {"B"}, "GB", "m"};
  const left_behind left{{{product_id{"tea"}, "Tea", 2, {90, eur}, errc::currency_mismatch}},
                         1,
                         {{code_kind::gift_card, "C", errc::code_limit}}};
  BOOST_TEST(hex(encode(merge{cart_id{"c"}, {}, with})) ==
             "9201920a93c40163909491c4014191c40142c4024742c4016d");
  BOOST_TEST(hex(encode_event(surrendered{cart_id{"c"}, at(1), with})) ==
             "9201920793c40163cd03e89491c4014191c40142c4024742c4016d");
  BOOST_TEST(hex(encode_event(merged{cart_id{"c"}, {}, at(1), with, left})) ==
             "9201920895c4016390cd03e89491c4014191c40142c4024742c4016d939195c403746561c40354656102"
             "925ac4034555526a01919301c401436e");
  // As builds wrote them that moved lines alone.
  const auto asked = decode_command(unhex("9201920a92c4016390"));
  BOOST_REQUIRE((asked && std::get<merge>(*asked).with == wishes{}));
  const auto old_merged = decode_event(unhex(
      "9201920893c401639195c403746561c4075468652074656102925ac403474250c2cd03e8"));
  BOOST_REQUIRE(old_merged.has_value());
  BOOST_TEST((std::get<merged>(*old_merged).with == wishes{}));
  BOOST_TEST((std::get<merged>(*old_merged).left == left_behind{}));
  const auto old_surrendered = decode_event(unhex("9201920792c40163cd03e8"));
  BOOST_REQUIRE((old_surrendered && std::get<surrendered>(*old_surrendered).with == wishes{}));
  // So what a cart kept then, it keeps: its replicas may have applied that event already.
  subject<kind> one;
  fill(one, guest, {item("tea")}, with);
  apply(one.s, *old_surrendered);
  BOOST_TEST((one.s.rare->with == with && one.s.closed()->with == wishes{}));
  BOOST_TEST(one.give(surrender{cart_id{"c"}}) == 0);
  BOOST_TEST(content_of(shown(one)) == "tea*1 GBP |  |  | /");
}

BOOST_AUTO_TEST_CASE(snapshots_hold_what_moved_and_what_was_left) {
  subject<kind> one;
  fill(one, guest, {item("tea")}, {{"A"}, {"B"}, "GB", "m"});
  BOOST_TEST(one.give(surrender{cart_id{"c"}}) == 0);
  BOOST_TEST(hex(encode_state(one.s)) ==
             "92019cc40167c400c4034742509002ce000f4240c0909094c40163c403474250919701c403746561c407"
             "546865207465610164c3009491c4014191c40142c4024742c4016d949090c400c400c0");
  subject<kind> other;
  fill(other, ann, {item("tea", 1, 90, eur)}, {});
  BOOST_TEST(other.give(merge{cart_id{"g"}, {item("jam")}}) == 0);
  BOOST_TEST(hex(encode_state(other.s)) ==
             "92019cc40173c403616e6ec403455552919701c403746561c40754686520746561015ac30002ce000f42"
             "40c09091c40167c0949090c400c40092c40167939195c4036a616dc407546865206a616d019264c40347"
             "42506a0190");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cart_takeover_test
}  // namespace omnicart::cart
