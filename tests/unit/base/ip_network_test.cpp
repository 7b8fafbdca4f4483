#include "runtime/base/ip_network.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart {
namespace ip_network_test {

BOOST_AUTO_TEST_SUITE(base_ip_network)

BOOST_AUTO_TEST_CASE(addresses_are_read_and_shown_in_one_way) {
  const struct {
    const char* text;
    const char* shown;
  } rows[] = {{"192.0.2.1", "192.0.2.1"},
              {"::ffff:192.0.2.1", "192.0.2.1"},
              {"::ffff:c000:201", "192.0.2.1"},
              {"2001:DB8:0::1", "2001:db8::1"},
              {"::", "::"}};
  for (const auto& [text, shown] : rows) {
    const auto read = ip_address::parse(text);
    BOOST_TEST_REQUIRE(read.has_value(), text);
    BOOST_TEST(read->text() == shown);
  }
  for (const char* text : {"", " 1.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
                           "1.2.3.4:80", "[::1]", "::1%lo", "unknown", "1:2:3:4:5:6:7:8:9",
                           "2001:db8::1::2", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
    BOOST_TEST(!ip_address::parse(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_network_holds_what_shares_its_first_bits) {
  const struct {
    const char* network;
    const char* address;
    bool held;
  } rows[] = {{"10.0.0.0/8", "10.255.0.1", true},
              {"10.0.0.0/8", "11.0.0.0", false},
              {"10.0.0.0/8", "::ffff:10.1.2.3", true},
              {"192.0.2.128/25", "192.0.2.128", true},
              {"192.0.2.128/25", "192.0.2.127", false},
              {"192.0.2.1", "192.0.2.1", true},
              {"192.0.2.1", "192.0.2.0", false},
              {"0.0.0.0/0", "1.2.3.4", true},
              {"0.0.0.0/0", "2001:db8::1", false},
              {"::/0", "1.2.3.4", true},
              {"2001:db8::/33", "2001:db8:7fff::", true},
              {"2001:db8::/33", "2001:db8:8000::", false},
              {"fe80::/10", "febf::1", true},
              {"fe80::/10", "fec0::1", false},
              {"::1", "::1", true},
              {"::1/128", "::2", false}};
  for (const auto& [network, address, held] : rows) {
    const auto read = ip_network::parse(network);
    BOOST_TEST_REQUIRE(read.has_value(), network);
    BOOST_TEST(read->holds(*ip_address::parse(address)) == held, network << " and " << address);
  }
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.1/8",
        "10.0.0.0/8/8", "::/129", "2001:db8::1/64", "example.com"}) {
    BOOST_TEST(!ip_network::parse(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace ip_network_test
}  // namespace omnicart
