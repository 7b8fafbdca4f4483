#include "actors/keyring/keyring_messages.hpp"
#include "http/machine_key.hpp"
#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace door_test {

// What a user may do in all is less than what an address may.
const rate_limits limits{.read = {1, 20}, .user_percent = 25};
constexpr int user_burst = 5;

struct entrance {
  trial::tiny_shop api{limits};

  machine_key key_of_a_warehouse() {
    auto key = make_machine_key("k1");
    const keyring::create made{.id = key.id,
                               .digest = refresh_digest(key.secret),
                               .name = "warehouse",
                               .as = role::support,
                               .scopes = {"carts:read"},
                               .expires_at = {}};
    api.entities.send(
        make_envelope(api.in, {"keyring", keyring::shop_keyring}, keyring::encode(made), engine()));
    return key;
  }
  int status_of(const std::string& token, const std::string& peer) {
    return api({.verb = "GET", .path = "/api/carts/c1", .token = token, .peer = peer}).status;
  }
};

BOOST_AUTO_TEST_SUITE(door_suite)

BOOST_FIXTURE_TEST_CASE(who_knows_a_keys_id_alone_uses_up_nothing_of_its_limit, entrance) {
  const machine_key key = key_of_a_warehouse();
  const std::string forged = machine_key{.id = key.id, .secret = "guessed"}.text();
  for (int i = 0; i < user_burst; ++i) BOOST_TEST(status_of(forged, "203.0.113.1") == 401);
  BOOST_TEST(status_of(forged, "203.0.113.2") == 429);
  for (int i = 0; i < user_burst; ++i) BOOST_TEST(status_of(key.text(), "203.0.113.3") == 404);  // no such cart
  BOOST_TEST(status_of(key.text(), "203.0.113.4") == 429);
}

BOOST_FIXTURE_TEST_CASE(forged_keys_are_counted_by_their_address, entrance) {
  for (int i = 0; i < 20; ++i) BOOST_TEST(status_of("omk_k1_guess" + std::to_string(i), "203.0.113.1") == 401);
  BOOST_TEST(status_of("omk_k1_another", "203.0.113.1") == 429);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace door_test
}  // namespace omnicart::http
