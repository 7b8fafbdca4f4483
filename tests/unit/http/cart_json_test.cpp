#include "http/cart_json.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace omnicart::http {
namespace cart_json_test {

using nlohmann::json;

const currency_code shops_own = *currency_code::parse("GBP");

json exported(const cart::cart_view& view) {
  return json::parse(exported_cart_json("c1", view, 7, shops_own));
}

BOOST_AUTO_TEST_SUITE(cart_json_suite)

BOOST_AUTO_TEST_CASE(an_exported_cart_has_the_codes_entered_and_where_it_is_to_go) {
  cart::cart_view view;
  view.with = {.coupons = {"SPRING", "NO-SUCH"}, .gift_cards = {"CARD"}, .country = "GB", .method = "post"};
  const json full = exported(view);
  BOOST_TEST(full.at("coupons") == json::array({"SPRING", "NO-SUCH"}));
  BOOST_TEST(full.at("gift_cards") == json::array({"CARD"}));
  BOOST_TEST(full.at("ship_to") == json::object({{"country", "GB"}, {"method", "post"}}));
  view.with = {.coupons = {}, .gift_cards = {}, .country = "GB", .method = ""};
  BOOST_TEST(exported(view).at("ship_to") == json::object({{"country", "GB"}}));
}

BOOST_AUTO_TEST_CASE(an_exported_cart_without_them_has_no_such_members_and_says_no_total) {
  const json empty = exported({});
  for (const char* none : {"coupons", "gift_cards", "ship_to", "discount_total", "total"}) {
    BOOST_TEST(!empty.contains(none), none);
  }
  BOOST_TEST(empty.at("subtotal") == json::object({{"amount", 0}, {"currency", "GBP"}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cart_json_test
}  // namespace omnicart::http
