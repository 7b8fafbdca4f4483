#include "http/server/trusted_proxies.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/http_server/test_shop.hpp"

namespace omnicart::http {
namespace trusted_proxies_test {

// 10.0.0.0/8 and 2001:db8:1::/48 are proxies of ours.
trusted_proxies ours(client_field field) {
  return {{*ip_network::parse("10.0.0.0/8"), *ip_network::parse("2001:db8:1::/48")}, field};
}

struct row {
  std::vector<std::string> lines;  // of the field
  const char* client;
};

void check_rows(client_field field, const char* name, const std::vector<row>& rows) {
  const auto proxies = ours(field);
  for (const auto& [lines, client] : rows) {
    request req;
    for (const auto& line : lines) req.fields.push_back({name, line});
    const auto found = proxies.client_of(req, "10.0.0.1");
    BOOST_TEST(found == client, (lines.empty() ? "none" : lines.back()) << ": " << found);
  }
}

BOOST_AUTO_TEST_SUITE(http_trusted_proxies)

BOOST_AUTO_TEST_CASE(only_named_networks_are_trusted) {
  const auto proxies = ours(client_field::forwarded);
  for (const char* address : {"10.1.2.3", "::ffff:10.1.2.3", "2001:db8:1::5"})
    BOOST_TEST(proxies.trusts(address), address);
  for (const char* address : {"11.0.0.1", "127.0.0.1", "2001:db8:2::1", "", "nonsense"})
    BOOST_TEST(!proxies.trusts(address), address);
  BOOST_TEST(!trusted_proxies().trusts("10.0.0.1"));
}

BOOST_AUTO_TEST_CASE(the_rightmost_address_of_x_forwarded_for_that_is_not_ours_is_the_client) {
  check_rows(client_field::x_forwarded_for, "x-forwarded-for",
             {{{}, "10.0.0.1"},
              {{""}, "10.0.0.1"},
              {{"192.0.2.7"}, "192.0.2.7"},
              {{"192.0.2.7, 10.9.9.9"}, "192.0.2.7"},
              {{"192.0.2.7,10.9.9.9 ,\t10.8.8.8"}, "192.0.2.7"},
              {{"192.0.2.7:4711"}, "192.0.2.7"},
              {{"2001:db8:2::1"}, "2001:db8:2::1"},
              {{"[2001:db8:2::1]:443, 2001:db8:1::9"}, "2001:db8:2::1"},
              {{"10.3.3.3"}, "10.3.3.3"},  // a client within our own network
              // What a client wrote itself stands left of what the proxy saw.
              {{"203.0.113.9, 192.0.2.7"}, "192.0.2.7"},
              {{"203.0.113.9", "192.0.2.7"}, "192.0.2.7"},
              {{"10.0.0.5, 203.0.113.9, 192.0.2.7, 10.1.1.1"}, "192.0.2.7"},
              // No address: the last proxy is as far as we see.
              {{"unknown"}, "10.0.0.1"},
              {{"192.0.2.7, nonsense, 10.9.9.9"}, "10.9.9.9"},
              {{"192.0.2.7,"}, "10.0.0.1"},
              {{"192.0.2.7\" "}, "10.0.0.1"},
              {{"[192.0.2.7"}, "10.0.0.1"},
              {{"192.0.2.7:x"}, "10.0.0.1"}});
}

BOOST_AUTO_TEST_CASE(the_rightmost_for_of_forwarded_that_is_not_ours_is_the_client) {
  check_rows(client_field::forwarded, "Forwarded",
             {{{}, "10.0.0.1"},
              {{"for=192.0.2.7"}, "192.0.2.7"},
              {{"For=\"192.0.2.7:4711\";proto=https;by=10.0.0.1"}, "192.0.2.7"},
              {{"proto=https; for=\"[2001:db8:2::1]:4711\""}, "2001:db8:2::1"},
              {{"for=192.0.2.7, for=10.9.9.9;by=\"a,b;for=1.1.1.1\""}, "192.0.2.7"},
              {{"for=203.0.113.9, for=192.0.2.7"}, "192.0.2.7"},
              {{"for=203.0.113.9", "for=192.0.2.7"}, "192.0.2.7"},
              // A quote that the client opened must not swallow what the proxy wrote.
              {{"for=203.0.113.9;x=\"", "for=192.0.2.7"}, "10.0.0.1"},
              {{"for=203.0.113.9;x=\"", "for=\"[2001:db8:2::1]\""}, "10.0.0.1"},
              {{"for=203.0.113.9;x=\"\\", "for=\"[2001:db8:2::1]\""}, "10.0.0.1"},
              {{"for=unknown"}, "10.0.0.1"},
              {{"for=_hidden, for=10.9.9.9"}, "10.9.9.9"},
              {{"proto=https"}, "10.0.0.1"},
              {{"192.0.2.7"}, "10.0.0.1"}});
}

BOOST_AUTO_TEST_CASE(the_field_that_was_not_chosen_says_nothing) {
  request req;
  req.fields = {{"Forwarded", "for=203.0.113.9"}, {"X-Forwarded-For", "192.0.2.7"}};
  BOOST_TEST(ours(client_field::x_forwarded_for).client_of(req, "10.0.0.1") == "192.0.2.7");
  BOOST_TEST(ours(client_field::forwarded).client_of(req, "10.0.0.1") == "203.0.113.9");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace trusted_proxies_test
}  // namespace omnicart::http
