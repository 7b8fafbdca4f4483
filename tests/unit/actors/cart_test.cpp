#include "actors/cart/cart_kind.hpp"
#include "rule_table.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::cart {
namespace cart_test {

using namespace trial;
using rules = std::vector<rule<kind>>;
using cart_step = step<kind>;
static_assert(entity_kind<kind>);

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t days = 24 * 3600;
const currency_code gbp = *currency_code::parse("GBP");
const currency_code eur = *currency_code::parse("EUR");
const caller ann{.as = role::guest, .session = "ann", .user = {}};
const caller ann_elsewhere{.as = role::shopper, .session = "phone", .user = "Ann"};
const caller bob{.as = role::guest, .session = "bob", .user = {}};

new_line item(const std::string& product, std::int64_t quantity, std::int64_t price = 100,
              bool list = true) {
  return {product_id{product}, "The " + product, quantity, {price, gbp}, list};
}
new_line euro_item() { return {product_id{"tea"}, "Tea", 1, {100, eur}, true}; }
cart_step by(const caller& asker, command what) { return {std::move(what), asker}; }
cart_step after(std::int64_t seconds, cart_step what) {
  what.later_s = seconds;
  return what;
}
cart_step added(const std::string& product, std::int64_t quantity, std::int64_t price = 100) {
  return by(ann, add{{item(product, quantity, price)}});
}
cart_step set(std::uint32_t line_id, std::int64_t quantity) {
  return by(ann, set_quantity{line_id, quantity});
}
cart_step set_tea(std::int64_t quantity) {
  return by(ann, set_product_quantity{product_id{"tea"}, quantity});
}
cart_step sealed_by(const std::string& order, const caller& buyer = ann) {
  return {seal{order_id{order}, buyer}};
}
cart_step done(const std::string& order) { return {complete_checkout{order_id{order}}}; }
cart_step dropped(const std::string& order, std::vector<price_update> prices = {}) {
  return {abandon_checkout{order_id{order}, std::move(prices)}};
}
price_update tea_at(std::int64_t price) { return {product_id{"tea"}, "Finer tea", {price, gbp}}; }
cart_step moved_to(const std::string& cart) { return {surrender{cart_id{cart}}}; }
cart_step merged_from(const std::string& cart, std::vector<new_line> lines, wishes with = {}) {
  return {merge{cart_id{cart}, std::move(lines), std::move(with)}};
}

const cart_step opened_by_ann = by(ann, open{"ann", ""});
const cart_step tea = added("tea", 2);

constexpr auto hidden = number(base_errc::not_found), malformed = number(base_errc::malformed),
               overflow = number(base_errc::overflow), invalid = number(errc::invalid_quantity),
               line_limit = number(errc::line_limit), too_many = number(errc::quantity_limit),
               no_line = number(errc::no_such_line), empty = number(errc::empty),
               in_checkout = number(errc::checkout_in_progress),
               mismatch = number(errc::currency_mismatch), closed = number(errc::closed),
               taken = number(errc::already_open);

cart_step full_cart() {
  add all;
  for (std::size_t i = 0; i < limits::cart_lines_max; ++i)
    all.lines.push_back(item("p" + std::to_string(i), 1));
  return by(ann, all);
}

rules owner_table() {
  return {
      {"whoever opens a cart owns it", {}, opened_by_ann, 0, "opened"},
      {"opening twice is once", {opened_by_ann}, opened_by_ann, 0, ""},
      {"a cart has one owner", {opened_by_ann}, by(bob, open{"bob", ""}), taken, ""},
      {"naming the owner opens nothing", {opened_by_ann}, by(bob, open{"ann", ""}), hidden, ""},
      {"a user opens their cart from any session",
       {by(ann, open{"ann", "Ann"})},
       by(ann_elsewhere, open{"phone", "Ann"}),
       0,
       ""},
      {"an unopened cart is empty for shoppers", {}, by(ann, get{}), 0, ""},
      {"an unopened cart is not there for staff", {}, by(support, get{}), hidden, ""},
      {"staff do not open a cart by adding", {}, by(support, add{{item("tea", 1)}}), hidden, ""},
      {"staff do not empty what is not there", {}, by(support, clear{}), hidden, ""},
      {"adding opens the cart for the asker", {}, tea, 0, "opened lines_added"},
      {"adding nothing opens nothing", {}, by(ann, add{}), 0, ""},
      {"nobody opens nothing", {}, by(nobody, add{{item("tea", 1)}}), hidden, ""},
      {"strangers do not see a cart", {tea}, by(bob, get{}), hidden, ""},
      {"strangers do not add", {tea}, by(bob, add{{item("tea", 1)}}), hidden, ""},
      {"strangers do not set", {tea}, by(bob, set_quantity{1, 1}), hidden, ""},
      {"strangers do not clear", {tea}, by(bob, clear{}), hidden, ""},
      {"strangers do not move a cart", {tea}, by(bob, surrender{cart_id{"other"}}), hidden, ""},
      {"strangers do not take a cart", {tea}, by(bob, assign{"Bob"}), hidden, ""},
      {"nobody matches no owner", {by(ann, open{"ann", ""})}, by(nobody, get{}), hidden, ""},
      {"staff add at their price",
       {tea},
       by(support, add{{item("tea", 1, 0, false)}}),
       0,
       "lines_added"},
      {"registration gives the cart to the user", {tea}, {assign{"Ann"}}, 0, "assigned"},
      {"giving twice is once", {tea, {assign{"Ann"}}}, {assign{"Ann"}}, 0, ""},
      {"a user's cart is not given away", {tea, {assign{"Ann"}}}, {assign{"Bob"}}, taken, ""},
      {"a given cart is the user's everywhere",
       {tea, {assign{"Ann"}}},
       by(ann_elsewhere, get{}),
       0,
       ""},
      {"a guest's cart is forgotten after 30 days",
       {tea},
       after(30 * days, {wake{}}),
       0,
       "forgotten"},
      {"not sooner", {tea}, after(30 * days - 1, {wake{}}), 0, ""},
      {"after what the shop has set",
       {tea},
       after(60, {wake{std::chrono::minutes{1}}}),
       0,
       "forgotten"},
      {"an empty one too", {opened_by_ann}, after(30 * days, {wake{}}), 0, "forgotten"},
      {"one that was bought too",
       {tea, sealed_by("o"), done("o")},
       after(30 * days, {wake{}}),
       0,
       "forgotten"},
      {"what is forgotten is forgotten once",
       {tea, after(30 * days, {wake{}})},
       after(30 * days, {wake{}}),
       0,
       ""},
      {"and is anybody's again", {tea, after(30 * days, {wake{}})}, by(bob, get{}), 0, ""},
      {"a change puts it off", {tea, after(20 * days, tea)}, after(20 * days, {wake{}}), 0, ""},
      {"a user's cart is kept", {tea, {assign{"Ann"}}}, after(60 * days, {wake{}}), 0, ""},
      {"a sealed cart is kept", {tea, sealed_by("o")}, after(60 * days, {wake{}}), 0, "kept"},
      {"and forgotten later",
       {tea, sealed_by("o"), after(60 * days, {wake{}}), done("o")},
       after(30 * days, {wake{}}),
       0,
       "forgotten"},
      {"an erased user's cart is forgotten at once", {tea, {assign{"Ann"}}}, {forget{"", "Ann"}}, 0, "forgotten"},
      {"a guest's too", {opened_by_ann, tea}, {forget{"ann", ""}}, 0, "forgotten"},
      {"a sealed one: its order has what it needs", {tea, sealed_by("o"), {assign{"Ann"}}}, {forget{"", "Ann"}}, 0, "forgotten"},
      {"and its order's end finds nothing", {tea, {assign{"Ann"}}, sealed_by("o"), {forget{"", "Ann"}}}, done("o"), 0, ""},
      {"another's cart is not forgotten", {tea, {assign{"Ann"}}}, {forget{"", "Bob"}}, 0, ""},
      {"nor a user's as a guest's", {opened_by_ann, tea, {assign{"Ann"}}}, {forget{"ann", ""}}, 0, ""},
      {"nor one that was never used", {}, {forget{"ann", "Ann"}}, 0, ""},
      {"only the engine has a cart forgotten", {opened_by_ann, tea}, by(ann, forget{"ann", ""}), hidden, ""},
      {"not staff either", {opened_by_ann, tea}, by(support, forget{"ann", ""}), hidden, ""},
      {"strangers do not wake a cart", {tea}, after(30 * days, by(bob, wake{})), hidden, ""},
  };
}

rules line_table() {
  return {
      {"lines are added", {opened_by_ann}, tea, 0, "lines_added"},
      {"a quantity is positive", {opened_by_ann}, added("tea", 0), invalid, ""},
      {"a quantity is bounded", {opened_by_ann}, added("tea", 1'000'000), too_many, ""},
      {"also where 64 bits end", {tea}, added("tea", most), too_many, ""},
      {"a line is bounded", {added("tea", 999'999)}, added("tea", 1), too_many, ""},
      {"a line is bounded within one command",
       {},
       by(ann, add{{item("tea", 999'999), item("tea", 1)}}),
       too_many,
       ""},
      {"lines are bounded", {full_cart()}, added("tea", 1), line_limit, ""},
      {"a full cart takes more of the same", {full_cart()}, added("p7", 1), 0, "lines_added"},
      {"a cart holds one currency", {tea}, by(ann, add{{euro_item()}}), mismatch, ""},
      {"one command holds one currency",
       {},
       by(ann, add{{item("tea", 1), euro_item()}}),
       mismatch,
       ""},
      {"an emptied cart takes another currency",
       {tea, by(ann, clear{})},
       by(ann, add{{euro_item()}}),
       0,
       "lines_added"},
      {"a sealed cart keeps its currency",
       {tea, sealed_by("o"), by(ann, clear{})},
       by(ann, add{{euro_item()}}),
       mismatch,
       ""},
      {"a subtotal stays in 64 bits", {added("tea", 1, most)}, added("milk", 1, 1), overflow, ""},
      {"a line total stays in 64 bits", {opened_by_ann}, added("tea", 2, most), overflow, ""},
      {"a price is not negative", {opened_by_ann}, added("tea", 1, -1), malformed, ""},
      {"a line has a product", {opened_by_ann}, added("", 1), malformed, ""},
      {"a name is bounded", {opened_by_ann}, added(std::string(500, 'x'), 1), malformed, ""},
      {"all lines or none", {tea}, by(ann, add{{item("milk", 1), item("tea", 0)}}), invalid, ""},
      {"a quantity is set", {tea}, set(1, 5), 0, "quantity_set"},
      {"setting the same changes nothing", {tea}, set(1, 2), 0, ""},
      {"setting 0 removes", {tea}, set(1, 0), 0, "quantity_set"},
      {"a set quantity is not negative", {tea}, set(1, -1), invalid, ""},
      {"a set quantity is bounded", {tea}, set(1, 1'000'000), too_many, ""},
      {"also by product", {tea}, set_tea(most), too_many, ""},
      {"only a line's quantity is set", {tea}, set(2, 1), no_line, ""},
      {"a removed line stays away", {tea, set(1, 0)}, set(1, 1), no_line, ""},
      {"set totals stay in 64 bits", {added("tea", 1, most)}, set(1, 2), overflow, ""},
      {"a product's quantity is set", {tea}, set_tea(3), 0, "quantity_set"},
      {"a product's set quantity is bounded", {tea}, set_tea(-1), invalid, ""},
      {"a product not in the cart is not set", {added("milk", 1)}, set_tea(0), no_line, ""},
      {"a negotiated line is not the product's",
       {tea, set_tea(0), by(support, add{{item("tea", 1, 90, false)}})},
       set_tea(1),
       no_line,
       ""},
      {"setting a product leaves one line at list price",
       {tea, added("tea", 1, 120)},
       set_tea(5),
       0,
       "quantity_set quantity_set"},
      {"removing a product removes all its lines",
       {tea, added("tea", 1, 120)},
       set_tea(0),
       0,
       "quantity_set quantity_set"},
      {"a cart is cleared", {tea}, by(ann, clear{}), 0, "cleared"},
      {"an empty cart is clear", {opened_by_ann}, by(ann, clear{}), 0, ""},
  };
}

rules checkout_table() {
  return {
      {"an order seals the cart", {tea}, sealed_by("o"), 0, "sealed"},
      {"only for its owner", {tea}, sealed_by("o", bob), hidden, ""},
      {"staff order for shoppers", {tea}, sealed_by("o", support), 0, "sealed"},
      {"there is no cart to seal", {}, sealed_by("o", support), hidden, ""},
      {"an empty cart is not sealed", {opened_by_ann}, sealed_by("o"), empty, ""},
      {"an order seals once", {tea, sealed_by("o")}, sealed_by("o"), 0, ""},
      {"one checkout at a time", {tea, sealed_by("o")}, sealed_by("p"), in_checkout, ""},
      {"a completed order never seals again",
       {tea, sealed_by("o"), done("o"), tea},
       sealed_by("o"),
       in_checkout,
       ""},
      {"an abandoned order never seals again",
       {tea, sealed_by("o"), dropped("o")},
       sealed_by("o"),
       in_checkout,
       ""},
      {"another order may follow",
       {tea, sealed_by("o"), dropped("o")},
       sealed_by("p"),
       0,
       "sealed"},
      {"a checkout completes", {tea, sealed_by("o")}, done("o"), 0, "checkout_completed"},
      {"a checkout completes once", {tea, sealed_by("o"), done("o")}, done("o"), 0, ""},
      {"others complete nothing", {tea, sealed_by("o")}, done("p"), 0, ""},
      {"a checkout is abandoned", {tea, sealed_by("o")}, dropped("o"), 0, "checkout_abandoned"},
      {"an order that abandons what it has not sealed is remembered", {}, dropped("o"), 0, "checkout_abandoned"},
      {"it is remembered once", {tea, dropped("o")}, dropped("o"), 0, ""},
      {"a late copy of its wish seals nothing", {dropped("o"), tea}, sealed_by("o"), in_checkout, ""},
      {"another order keeps its seal", {tea, sealed_by("o"), dropped("p")}, done("o"), 0, "checkout_completed"},
      {"a closed cart remembers no order", {tea, moved_to("c")}, dropped("o"), 0, ""},
      {"a cart is surrendered", {tea}, moved_to("c"), 0, "surrendered"},
      {"an unopened cart is surrendered", {}, moved_to("c"), 0, "surrendered"},
      {"a cart is surrendered once", {tea, moved_to("c")}, moved_to("c"), 0, ""},
      {"a cart is surrendered to one", {tea, moved_to("c")}, moved_to("d"), closed, ""},
      {"a surrendered cart is closed", {tea, moved_to("c")}, by(ann, get{}), closed, ""},
      {"nothing is added to it", {tea, moved_to("c")}, tea, closed, ""},
      {"nothing is merged into it", {tea, moved_to("c")}, merged_from("b", {}), closed, ""},
      {"nobody seals it", {tea, moved_to("c")}, sealed_by("o"), closed, ""},
      {"nobody opens it", {tea, moved_to("c")}, opened_by_ann, closed, ""},
      {"nobody is given it", {tea, moved_to("c")}, {assign{"Ann"}}, closed, ""},
      {"a sealed one waits for its order", {tea, sealed_by("o")}, moved_to("c"), in_checkout, ""},
      {"what moved is forgotten after 30 days",
       {tea, moved_to("c")},
       after(30 * days, {wake{}}),
       0,
       "forgotten"},
      {"a cart is merged in", {tea}, merged_from("b", {item("tea", 1)}), 0, "merged"},
      {"a cart is merged in once",
       {tea, merged_from("b", {item("tea", 1)})},
       merged_from("b", {item("tea", 1)}),
       0,
       ""},
      {"an unopened cart takes a merge", {}, merged_from("b", {item("tea", 1)}), 0, "merged"},
  };
}

cart_view view_of(const subject<kind>& one) {
  return std::get<cart_view>(*decode_reply(one.reply));
}
change_view change_of(const subject<kind>& one) {
  return std::get<change_view>(*decode_reply(one.reply));
}

// "tea*2@100 milk*1@50", and the kept totals are those of the lines.
std::string lines_of(const cart_view& view) {
  std::string text;
  std::int64_t subtotal = 0, items = 0;
  for (const auto& l : view.lines) {
    text += (text.empty() ? "" : " ") + l.product.str() + '*' + std::to_string(l.quantity) + '@' +
            std::to_string(l.unit_price.amount_minor);
    subtotal += l.line_total.amount_minor;
    items += l.quantity;
  }
  BOOST_TEST((view.subtotal.amount_minor == subtotal && view.item_count == items));
  return text;
}

std::string after_all(const std::vector<cart_step>& steps) {
  subject<kind> one;
  for (const auto& s : steps) BOOST_TEST(one.give(s.what, s.asker) == 0);
  one.s = reread<kind>(one.s);
  BOOST_TEST(one.give(get{}) == 0);
  return lines_of(view_of(one));
}

BOOST_AUTO_TEST_SUITE(cart_rules)

BOOST_AUTO_TEST_CASE(every_rule_has_its_row) {
  rules all;
  for (auto& part : {owner_table(), line_table(), checkout_table()})
    all.insert(all.end(), part.begin(), part.end());
  check_rules(all);
  check_every_code_is_in(
      all, {100, 101, 102, 103, 104, 105, 106, 107, 108, hidden, malformed, overflow});
}

BOOST_AUTO_TEST_CASE(carts_end_as_their_owners_expect) {
  const struct {
    const char* claim;
    std::vector<cart_step> steps;
    const char* lines;
  } rows[] = {
      {"quantities add", {tea, added("milk", 1), tea}, "tea*4@100 milk*1@100"},
      {"another price is another line", {tea, added("tea", 1, 90)}, "tea*2@100 tea*1@90"},
      {"a negotiated price is a line of its own",
       {tea, by(support, add{{item("tea", 1, 100, false)}})},
       "tea*2@100 tea*1@100"},
      {"a set product is one line", {tea, added("tea", 1, 90), set_tea(5)}, "tea*5@90"},
      {"what was bought goes", {tea, added("milk", 3), sealed_by("o"), done("o")}, ""},
      {"what came later stays",
       {tea, sealed_by("o"), tea, added("milk", 1), done("o")},
       "tea*2@100 milk*1@100"},
      {"no more goes than there is", {tea, sealed_by("o"), set(1, 1), done("o")}, ""},
      {"what came after a smaller quantity stays",
       {tea, sealed_by("o"), set(1, 1), tea, done("o")},
       "tea*2@100"},
      {"a line anew is not the sealed one",
       {tea, sealed_by("o"), set(1, 0), added("tea", 5), done("o")},
       "tea*5@100"},
      {"what came after clearing stays",
       {tea, sealed_by("o"), by(ann, clear{}), added("tea", 5), done("o")},
       "tea*5@100"},
      {"an abandoned checkout takes nothing",
       {tea, sealed_by("o"), tea, dropped("o")},
       "tea*4@100"},
      {"new prices come with it", {tea, sealed_by("o"), dropped("o", {tea_at(120)})}, "tea*2@120"},
      {"lines made equal merge",
       {tea, added("milk", 1), added("tea", 3, 120), sealed_by("o"), dropped("o", {tea_at(120)})},
       "tea*5@120 milk*1@100"},
      {"merged lines keep to the limit",
       {added("tea", 999'999), added("tea", 2, 120), sealed_by("o"), dropped("o", {tea_at(120)})},
       "tea*999999@120"},
      {"negotiated prices stay",
       {tea, by(support, add{{item("tea", 1, 90, false)}}), sealed_by("o"),
        dropped("o", {tea_at(120)})},
       "tea*2@120 tea*1@90"},
      {"prices beyond 64 bits are left aside",
       {tea, sealed_by("o"), dropped("o", {tea_at(most)})},
       "tea*2@100"},
      {"prices in another currency are left aside",
       {tea, sealed_by("o"), dropped("o", {{product_id{"tea"}, "Tea", {1, eur}}})},
       "tea*2@100"},
      {"a merge adds",
       {tea, merged_from("b", {item("tea", 1), item("milk", 1)})},
       "tea*3@100 milk*1@100"},
      {"a merge fills a line to its limit",
       {added("tea", 999'990), merged_from("b", {item("tea", 20)})},
       "tea*999999@100"},
      {"a merge drops another currency",
       {tea, merged_from("b", {euro_item(), item("milk", 1)})},
       "tea*2@100 milk*1@100"},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.claim) { BOOST_TEST(after_all(row.steps) == row.lines); }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_holds_the_touched_lines_and_the_totals) {
  subject<kind> one;
  one.give(add{{item("x", 1)}}, ann);
  one.give(add{{item("tea", 1), item("milk", 2, 50), item("tea", 3)}}, ann);
  auto change = change_of(one);
  BOOST_TEST((change.lines.size() == 2 && change.line_count == 3 && change.item_count == 7));
  BOOST_TEST((change.lines[0].product.str() == "tea" && change.lines[0].quantity == 4));
  BOOST_TEST(change.subtotal.amount_minor == 100 + 400 + 100);
  one.give(set_quantity{2, 0}, ann);
  change = change_of(one);
  BOOST_TEST((change.lines.size() == 1 && change.lines[0].product.str() == "tea" &&
              change.lines[0].quantity == 0));
  one.give(set_product_quantity{product_id{"milk"}, 0}, ann);
  change = change_of(one);
  BOOST_TEST(
      (change.lines.size() == 1 && change.lines[0].line_id == 3 && change.lines[0].quantity == 0));
}

BOOST_AUTO_TEST_CASE(a_change_says_whether_the_cart_has_codes) {
  for (const auto type : {code_kind::coupon, code_kind::gift_card}) {
    subject<kind> one;
    one.give(add{{item("tea", 1)}}, ann);
    BOOST_TEST(!change_of(one).coded);
    one.give(choose_shipping{"GB", "post"}, ann);
    one.give(set_quantity{1, 2}, ann);
    BOOST_TEST(!change_of(one).coded);
    one.give(use_code{type, "TEN"}, ann);
    one.give(set_quantity{1, 3}, ann);
    BOOST_TEST(change_of(one).coded);
    one.give(drop_code{type, "TEN"}, ann);
    one.give(set_quantity{1, 4}, ann);
    BOOST_TEST(!change_of(one).coded);
  }
}

// What a repeat of `what`, with what its receipt keeps, is answered after `since`:
// "id:product*quantity".
std::string repeated(const cart_step& what, const std::vector<cart_step>& since) {
  subject<kind> one;
  for (const auto& s : {added("x", 1), tea}) BOOST_TEST(one.give(s.what, s.asker) == 0);
  BOOST_TEST(one.give(what.what, what.asker) == 0);
  const std::string kept = kind::keepsake(one.s, what.what);
  for (const auto& s : since) BOOST_TEST(one.give(s.what, s.asker) == 0);
  one.s = reread<kind>(one.s);
  one.reply = kind::reply_again(one.s, what.what, {}, kept);
  std::string text;
  for (const auto& l : change_of(one).lines) {
    text += (text.empty() ? "" : " ") + std::to_string(l.line_id) + ':' + l.product.str() + '*' +
            std::to_string(l.quantity);
  }
  return text;
}

BOOST_AUTO_TEST_CASE(a_repeated_change_names_the_lines_it_touched_whatever_became_of_them) {
  const cart_step two = by(ann, add{{item("tea", 1), item("milk", 2), item("tea", 1)}});
  const struct {
    const char* claim;
    cart_step what;
    std::vector<cart_step> since;
    const char* lines;
  } rows[] = {
      {"a line that is there", tea, {}, "2:tea*4"},
      {"a line as it is now", tea, {set(2, 9)}, "2:tea*9"},
      {"a bought line", two, {sealed_by("o"), done("o")}, "2:tea*0 3:milk*0"},
      {"a removed line", two, {set(2, 0)}, "2:tea*0 3:milk*2"},
      {"not the line that came after it", two, {set(2, 0), tea}, "2:tea*0 3:milk*2"},
      {"a cleared cart", tea, {by(ann, clear{}), tea}, "2:tea*0"},
      {"a line of another price by now",
       tea,
       {sealed_by("o"), dropped("o", {tea_at(120)})},
       "2:tea*4"},
      {"a line removed by its product", set_tea(0), {tea}, "2:tea*0"},
      {"a line set by its product", set_tea(7), {set(2, 0), tea}, "2:tea*0"},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.claim) { BOOST_TEST(repeated(row.what, row.since) == row.lines); }
  }
}

BOOST_AUTO_TEST_CASE(what_a_receipt_keeps_of_an_addition_is_small_and_never_trusted) {
  subject<kind> one;
  BOOST_TEST(one.give(tea.what, tea.asker) == 0);
  BOOST_TEST(kind::keepsake(one.s, tea.what).size() <= 8);
  BOOST_TEST(kind::keepsake(one.s, get{}).empty());
  for (const char* kept : {"", "x", "\x92\x01\x91\xcd\xff\xff"}) {
    one.reply = kind::reply_again(one.s, tea.what, {}, kept);
    BOOST_TEST(change_of(one).lines.size() == 1);
  }
  one.reply = kind::reply_again(one.s, add{}, {}, encode_touched({7}));
  BOOST_TEST(change_of(one).lines.empty());
}

BOOST_AUTO_TEST_CASE(an_addition_that_may_only_be_answered_again_adds_nothing) {
  subject<kind> one;
  BOOST_TEST(one.give(tea.what, tea.asker) == 0);
  BOOST_TEST(one.give(add{{item("tea", 1)}, true}, ann) == hidden);
}

BOOST_AUTO_TEST_CASE(removing_a_product_answers_the_line_that_was_there) {
  subject<kind> one;
  for (int i = 0; i < 20; ++i) one.give(added("p" + std::to_string(i), 1).what, ann);
  for (int i = 0; i < 2; ++i) {
    one.give(tea.what, ann);
    one.give(set_tea(0).what, ann);
    BOOST_TEST(change_of(one).lines.size() == 1);
    BOOST_TEST(change_of(one).lines[0].line_id == static_cast<std::uint32_t>(21 + i));
  }
}

BOOST_AUTO_TEST_CASE(a_forgotten_cart_is_as_if_it_had_never_been) {
  subject<kind> one;
  BOOST_TEST(kind::is_blank(one.s));
  for (const auto& s : {tea, added("milk", 1), sealed_by("o"), done("o"), tea})
    one.give(s.what, s.asker);
  BOOST_TEST(!kind::is_blank(one.s));
  const settings with{.abandoned_after = std::chrono::hours{1}};
  BOOST_REQUIRE(kind::wake_at(one.s, with) == one.now + with.abandoned_after);
  one.now = *kind::wake_at(one.s, with);
  BOOST_TEST(one.give(kind::wake(with)) == 0);
  BOOST_TEST(kind::is_blank(one.s));
  BOOST_TEST((kind::encode_state(one.s) == kind::encode_state(state{})));
  BOOST_TEST(!kind::wake_at(one.s, with).has_value());
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(a_repeated_seal_answers_the_lines_as_sealed) {
  subject<kind> one;
  for (const auto& s : {tea, added("milk", 1), sealed_by("o")}) one.give(s.what, s.asker);
  BOOST_TEST(lines_of(view_of(one)) == "tea*2@100 milk*1@100");
  for (const auto& s : {tea, set(2, 0), added("jam", 1)}) one.give(s.what, s.asker);
  one.s = reread<kind>(one.s);
  one.give(sealed_by("o").what);
  BOOST_TEST(lines_of(view_of(one)) == "tea*2@100 milk*1@100");
  BOOST_TEST(view_of(one).sealed_by->str() == "o");
  BOOST_TEST(one.give(sealed_by("p").what) == in_checkout);
  BOOST_TEST(one.refusal.data == encode_id("o"));
}

BOOST_AUTO_TEST_CASE(a_sealed_cart_moves_when_its_order_has_ended) {
  for (const bool bought : {false, true}) {
    subject<kind> one;
    for (const auto& s : {tea, added("milk", 1), sealed_by("o"), added("jam", 1)}) {
      BOOST_TEST(one.give(s.what, s.asker) == 0);
    }
    BOOST_TEST(one.give(moved_to("c").what) == in_checkout);
    BOOST_TEST(one.refusal.data == encode_id("o"));
    one.give(bought ? command{complete_checkout{order_id{"o"}}} : dropped("o").what);
    BOOST_TEST(one.give(moved_to("c").what) == 0);
    BOOST_TEST(lines_of(view_of(one)) == (bought ? "jam*1@100" : "tea*2@100 milk*1@100 jam*1@100"));
    one.check_replay();
  }
}

// As builds before did it: their events stay what they were.
BOOST_AUTO_TEST_CASE(of_a_cart_surrendered_under_a_seal_the_rest_has_moved_and_a_repeat_answers_it_again) {
  subject<kind> one;
  for (const auto& s : {tea, added("milk", 1), sealed_by("o"), added("tea", 3), added("jam", 1)}) {
    BOOST_TEST(one.give(s.what, s.asker) == 0);
  }
  kind::apply(one.s, surrendered{cart_id{"c"}, one.now});
  BOOST_TEST(one.give(moved_to("c").what) == 0);
  BOOST_TEST(lines_of(view_of(one)) == "tea*3@100 jam*1@100");
  one.s = reread<kind>(one.s);
  one.give(dropped("o").what);
  one.give(moved_to("c").what);
  BOOST_TEST(lines_of(view_of(one)) == "tea*3@100 jam*1@100");
  BOOST_TEST(one.give(get{}) == closed);
  BOOST_TEST(one.refusal.data == encode_id("c"));
}

BOOST_AUTO_TEST_CASE(a_merge_keeps_to_the_line_limit) {
  subject<kind> one;
  const auto full = full_cart();
  one.give(full.what, full.asker);
  one.give(merged_from("b", {item("new", 1), item("p1", 4)}).what);
  const auto view = view_of(one);
  BOOST_TEST((view.lines.size() == limits::cart_lines_max && view.lines[1].quantity == 5));
}

BOOST_AUTO_TEST_CASE(the_latest_32_merges_and_8_orders_are_remembered) {
  subject<kind> one;
  for (int i = 0; i < 33; ++i) one.give(merged_from(std::to_string(i), {}).what);
  BOOST_TEST((one.s.has_merged(cart_id{"1"}) && one.s.has_merged(cart_id{"32"}) &&
              !one.s.has_merged(cart_id{"0"})));
  for (int i = 0; i < 9; ++i) {
    const auto order = "o" + std::to_string(i);
    for (const auto& s : {tea, sealed_by(order), done(order)})
      BOOST_TEST(one.give(s.what, s.asker) == 0);
  }
  BOOST_TEST((one.s.has_finished(order_id{"o1"}) && one.s.has_finished(order_id{"o8"}) &&
              !one.s.has_finished(order_id{"o0"})));
}

BOOST_AUTO_TEST_CASE(adding_to_a_long_cart_looks_at_no_more_lines_than_adding_to_a_short_one) {
  line_list lines;
  const auto add_one = [&](int i) {
    lines.add({"product-" + std::to_string(i), 100, true}, "name", 1);
  };
  for (int i = 0; i < 999; ++i) add_one(i);
  const auto before = lines.probe_count();
  add_one(999);                                  // line 1,000
  for (int i = 0; i < 100; ++i) add_one(i * 9);  // and a hundred that are there
  for (int i = 1; i <= 100; ++i) lines.set_quantity(static_cast<std::uint32_t>(i) * 9, 2);
  BOOST_TEST(lines.probe_count() - before < 5U * 201);
}

BOOST_AUTO_TEST_CASE(adding_and_removing_for_ever_leaves_no_graves_to_search) {
  line_list lines;
  for (int i = 0; i < 1000; ++i) lines.add({std::to_string(i), 100, true}, "name", 1);
  const auto before = lines.probe_count();
  for (int i = 0; i < 20'000; ++i)
    lines.set_quantity(lines.add({"in and out", 100, true}, "name", 1), 0);
  BOOST_TEST(lines.probe_count() - before < 10U * 20'000);
  BOOST_TEST(lines.with_graves().size() < 2'100U);
  BOOST_TEST((lines.find({"in and out", 100, true}) == nullptr &&
              lines.find({"999", 100, true}) != nullptr));
}

BOOST_AUTO_TEST_CASE(an_active_cart_of_five_lines_costs_less_than_900_bytes) {
  state s;
  apply(s, opened{std::string(26, 's'), "", at(1)});
  for (int i = 0; i < 5; ++i) {
    const new_line one{
        product_id{"SKU-85123-" + std::to_string(i)}, std::string(30, 'n'), 3, {255, gbp}, true};
    apply(s, lines_added{{one}, at(1)});
  }
  BOOST_TEST(memory_bytes(s) < 900U);
  BOOST_TEST(memory_bytes(s) > sizeof(state) + 5 * (32 + 48));
}

command random_command(std::mt19937& random) {
  const auto pick = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
  const auto line = [&] {
    return item("p" + std::to_string(pick(30)), pick(4), 100 + pick(2), pick(3) > 0);
  };
  const order_id order{std::to_string(pick(12))};
  const std::uint32_t line_id = static_cast<std::uint32_t>(pick(60));
  const product_id product{"p" + std::to_string(pick(30))};
  std::vector<price_update> prices;
  for (int i = 0; i < 6; ++i)
    prices.push_back({product_id{"p" + std::to_string(pick(30))}, "n", {100 + pick(3), gbp}});
  const auto code = [&] { return "C" + std::to_string(pick(14)); };
  const auto kind_of_code = pick(2) == 0 ? code_kind::coupon : code_kind::gift_card;
  const wishes with{{code(), code()}, {code(), code()}, pick(2) == 0 ? "GB" : "", pick(2) == 0 ? "van" : ""};
  const command commands[] = {add{{line()}},
                              add{{line(), line(), line()}},
                              add{{line()}},
                              set_quantity{line_id, pick(4)},
                              set_product_quantity{product, pick(4)},
                              seal{order, ann},
                              seal{order, ann},
                              complete_checkout{order},
                              abandon_checkout{order, prices},
                              merge{cart_id{std::to_string(pick(50))}, {line(), line()}, with},
                              merge{cart_id{std::to_string(pick(50))}, {euro_item(), euro_item()}, with},
                              use_code{kind_of_code, code()},
                              drop_code{kind_of_code, code()},
                              choose_shipping{with.country, with.method},
                              get{},
                              wake{}};
  if (random() % 60 == 0) return clear{};
  return commands[random() % std::size(commands)];
}

BOOST_AUTO_TEST_CASE(any_sequence_keeps_the_laws_and_replays_to_equal_bytes) {
  for (const auto seed : seeds(40)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      const caller askers[] = {ann, ann, bob, support, system};
      subject<kind> one;
      for (int i = 0; i < 300; ++i) {
        one.now += std::chrono::milliseconds{random() % 4000};
        one.give(random_command(random), askers[random() % 5]);
        if (random() % 40 == 0) one.s = reread<kind>(one.s);
      }
      if (random() % 2 == 0) one.give(surrender{cart_id{"c"}});
      one.give(complete_checkout{one.s.seal() ? one.s.seal()->order : order_id{}});
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_cart_keeps_codes_until_the_order_that_was_sealed_with_them_is_through) {
  const use_code coupon{code_kind::coupon, "TEN"}, card{code_kind::gift_card, "GIFT"};
  const use_code later{code_kind::coupon, "LATER"};
  const auto shown = [](const subject<kind>& one) {
    return std::get<cart_view>(*decode_reply(one.reply)).with;
  };
  subject<kind> one;
  one.give(tea.what, tea.asker);
  BOOST_TEST(one.give(coupon, ann) == 0);
  BOOST_TEST(one.give(coupon, ann) == 0);
  BOOST_TEST(one.names == "");
  BOOST_TEST(one.give(card, ann) == 0);
  BOOST_TEST(one.give(choose_shipping{"GB", "post"}, ann) == 0);
  const wishes wanted{{"TEN"}, {"GIFT"}, "GB", "post"};
  BOOST_TEST((shown(one) == wanted));
  one.s = reread<kind>(one.s);
  one.give(seal{order_id{"o"}, ann});
  BOOST_TEST((shown(one) == wanted));
  one.give(later, ann);
  one.s = reread<kind>(one.s);
  one.give(seal{order_id{"o"}, ann});
  BOOST_TEST((shown(one) == wanted));
  one.give(complete_checkout{order_id{"o"}});
  BOOST_TEST((shown(one) == wishes{{"LATER"}, {}, "GB", "post"}));
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(what_is_no_code_or_one_too_many_is_refused) {
  subject<kind> one;
  one.give(tea.what, tea.asker);
  const auto malformed = number(base_errc::malformed);
  BOOST_TEST(one.give(use_code{code_kind::coupon, ""}, ann) == malformed);
  BOOST_TEST(one.give(use_code{code_kind::coupon, std::string(65, 'x')}, ann) == malformed);
  BOOST_TEST(one.give(choose_shipping{"GBR", ""}, ann) == malformed);
  BOOST_TEST(one.give(drop_code{code_kind::coupon, "A"}, ann) == number(errc::no_such_code));
  for (std::size_t i = 0; i < codes_max; ++i)
    BOOST_TEST(one.give(use_code{code_kind::coupon, std::to_string(i)}, ann) == 0);
  BOOST_TEST(one.give(use_code{code_kind::coupon, "more"}, ann) == number(errc::code_limit));
  BOOST_TEST(one.give(use_code{code_kind::gift_card, "more"}, ann) == 0);
  BOOST_TEST(one.give(drop_code{code_kind::coupon, "3"}, ann) == 0);
  BOOST_TEST(one.give(use_code{code_kind::coupon, "more"}, ann) == 0);
  BOOST_TEST(one.give(use_code{code_kind::coupon, "other"}, bob) == number(base_errc::not_found));
}

BOOST_AUTO_TEST_CASE(stored_bytes_never_change) {
  const order_id order{"o"};
  const std::pair<event, const char*> rows[] = {
      {opened{"s", "u", at(1)}, "9201920093c40173c40175cd03e8"},
      {lines_added{{item("tea", 2)}, at(1)},
       "92019201929195c403746561c40754686520746561029264c403474250c3cd03e8"},
      {quantity_set{1, 3, at(1)}, "92019202930103cd03e8"},
      {cleared{at(1)}, "9201920391cd03e8"},
      {sealed{order, at(1)}, "9201920492c4016fcd03e8"},
      {checkout_abandoned{order, {tea_at(120)}, at(1)},
       "9201920593c4016f9193c403746561c40946696e6572207465619278c403474250cd03e8"},
      {checkout_completed{order, at(1)}, "9201920692c4016fcd03e8"},
      {surrendered{cart_id{"c"}, at(1)}, "9201920793c40163cd03e8949090c400c400"},
      {merged{cart_id{"c"}, {item("tea", 2, 90, false)}, at(1)},
       "9201920895c401639195c403746561c4075468652074656102925ac403474250c2cd03e8949090c400c4"
       "0093900090"},
      {assigned{"u", at(1)}, "9201920992c40175cd03e8"},
      {emptied{at(1)}, "9201920a91cd03e8"},
      {code_used{code_kind::coupon, "A", at(1)}, "9201920d9300c40141cd03e8"},
      {code_dropped{code_kind::gift_card, "A", at(1)}, "9201920e9301c40141cd03e8"},
      {shipping_chosen{"GB", "m", at(1)}, "9201920f93c4024742c4016dcd03e8"},
  };
  for (const auto& [what, bytes] : rows) BOOST_TEST(hex(encode_event(what)) == bytes);
  subject<kind> one;
  for (const auto& s : {tea, sealed_by("n"), done("n"), merged_from("b", {item("jam", 1)}), tea,
                        sealed_by("o"), tea}) {
    one.give(s.what, s.asker);
  }
  BOOST_TEST(hex(encode_state(one.s)) ==
             "92019cc403616e6ec400c403474250929702c4036a616dc407546865206a616d0164c3009703c4037465"
             "61c407546865207465610464c30004ce000f424094c4016fc403474250929702c4036a616dc407546865"
             "206a616d0164c3019703c403746561c407546865207465610264c302949090c400c40091c4016e91c401"
             "62c0949090c400c400c0");
  // As builds wrote it that merged lines alone.
  const auto of_lines = decode_state(unhex(
      "92019bc403616e6ec400c403474250929702c4036a616dc407546865206a616d0164c3009703c4037465"
      "61c407546865207465610464c30004ce000f424094c4016fc403474250929702c4036a616dc407546865"
      "206a616d0164c3019703c403746561c407546865207465610264c302949090c400c40091c4016e91c401"
      "62c0949090c400c400"));
  BOOST_REQUIRE(of_lines.has_value());
  BOOST_TEST((encode_state(*of_lines) == encode_state(one.s)));
  // As builds without coupons wrote it.
  const auto old = decode_state(unhex(
      "92019ac403616e6ec400c403474250929702c4036a616dc407546865206a616d0164c3009703c4037465"
      "61c407546865207465610464c30004ce000f424093c4016fc403474250929702c4036a616dc407546865"
      "206a616d0164c3019703c403746561c407546865207465610264c30291c4016e91c40162c0"));
  BOOST_REQUIRE(old.has_value());
  BOOST_TEST((encode_state(*old) == encode_state(one.s)));
  kind::apply(one.s, surrendered{cart_id{"c"}, one.now});  // sealed, as builds before did it
  BOOST_TEST(hex(encode_state(one.s)) ==
             "92019cc403616e6ec400c4034742509004ce000f424094c4016fc403474250929702c4036a616dc40754"
             "6865206a616d0164c3009703c403746561c407546865207465610264c300949090c400c40091c4016e91"
             "c4016294c40163c403474250919703c403746561c407546865207465610264c300949090c400c400949090c4"
             "00c400c0");
  const auto closed_of_lines = decode_state(unhex(
      "92019bc403616e6ec400c4034742509004ce000f424094c4016fc403474250929702c4036a616dc40754"
      "6865206a616d0164c3009703c403746561c407546865207465610264c300949090c400c40091c4016e91"
      "c4016293c40163c403474250919703c403746561c407546865207465610264c300949090c400c400"));
  BOOST_REQUIRE(closed_of_lines.has_value());
  BOOST_TEST((encode_state(*closed_of_lines) == encode_state(one.s)));
}

BOOST_AUTO_TEST_CASE(longer_arrays_are_read_and_unknown_schemas_are_refused) {
  subject<kind> one;
  one.give(tea.what, tea.asker);
  const std::string bytes = encode_state(one.s);
  const auto longer = decode_state(with_one_more_field(bytes));
  BOOST_REQUIRE(longer.has_value());
  BOOST_TEST((encode_state(*longer) == bytes));
  BOOST_TEST(decode_state(of_unknown_schema(bytes)).error().is(base_errc::malformed));
  BOOST_TEST(decode_event(of_unknown_schema(one.log[0])).error().is(base_errc::malformed));
  BOOST_TEST(decode_state("not a snapshot").error().is(base_errc::malformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cart_test
}  // namespace omnicart::cart
