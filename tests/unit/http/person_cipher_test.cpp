#include "http/person_cipher.hpp"

#include <boost/test/unit_test.hpp>

#include "http/machine_key.hpp"

namespace omnicart::http {

BOOST_AUTO_TEST_SUITE(person_cipher)

BOOST_AUTO_TEST_CASE(what_is_sealed_opens_with_its_key_and_no_other) {
  const std::string key = make_person_key(), other = make_person_key();
  BOOST_TEST(key.size() == 64U);
  BOOST_TEST(key != other);
  const std::string sealed = seal("77 Recognisable Road", key);
  BOOST_TEST(is_sealed(sealed));
  BOOST_TEST(sealed.find("Recognisable") == sealed.npos);
  BOOST_TEST(open_sealed(sealed, key) == "77 Recognisable Road");
  for (const std::string& wrong : {other, std::string(), std::string("no key"), key.substr(1)})
    BOOST_TEST(open_sealed(sealed, wrong) == "(erased)");
  for (std::size_t i = 5; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    BOOST_TEST(open_sealed(damaged, key) == "(erased)");
  }
  BOOST_TEST(open_sealed("enc1:", key) == "(erased)");
}

BOOST_AUTO_TEST_CASE(the_same_text_is_sealed_the_same_way_and_what_is_not_sealed_stays) {
  const std::string key = make_person_key();
  BOOST_TEST(seal("ann@example.com", key) == seal("ann@example.com", key));
  BOOST_TEST(seal("ann@example.com", key) != seal("ann@example.com", make_person_key()));
  BOOST_TEST(seal("", key) == "");
  BOOST_TEST(seal("plain", "") == "plain");
  BOOST_TEST(open_sealed("ann@example.com", key) == "ann@example.com");
}

BOOST_AUTO_TEST_CASE(of_an_address_only_country_and_region_stay_readable) {
  const std::string key = make_person_key();
  order::order_view view;
  view.email = seal("ann@example.com", key);
  view.ship_to = order::address{.name = "Ann",
                                .line1 = "1 High St",
                                .line2 = "",
                                .city = "Leeds",
                                .postal_code = "LS1",
                                .region = "Yorkshire",
                                .country = "GB",
                                .phone = "1"};
  seal(*view.ship_to, key);
  BOOST_TEST(has_sealed(view));
  for (const std::string& text : {view.ship_to->name, view.ship_to->line1, view.ship_to->city,
                                  view.ship_to->postal_code, view.ship_to->phone})
    BOOST_TEST(is_sealed(text));
  BOOST_TEST(view.ship_to->region == "Yorkshire");
  BOOST_TEST(view.ship_to->country == "GB");
  open_sealed(view, key);
  BOOST_TEST(view.email == "ann@example.com");
  BOOST_TEST(view.ship_to->postal_code == "LS1");
  BOOST_TEST(!has_sealed(view));
}

BOOST_AUTO_TEST_CASE(a_machines_key_reads_as_it_was_written_and_nothing_else_does) {
  const machine_key made = make_machine_key("01abc");
  const auto read = read_machine_key(made.text());
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->id == "01abc");
  BOOST_TEST(read->secret == made.secret);
  BOOST_TEST(made.secret != make_machine_key("01abc").secret);
  for (const std::string& bad :
       {std::string(), std::string("omk_"), std::string("omk_a"), std::string("omk_a_"),
        std::string("omk__b"), std::string("OMK_a_b"), "omk_a_" + std::string(300, 'b')})
    BOOST_TEST(!read_machine_key(bad).has_value(), bad);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::http
