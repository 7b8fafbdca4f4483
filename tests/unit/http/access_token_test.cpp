#include "http/access_token.hpp"

#include <jwt.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace omnicart::http {
namespace access_token_test {

constexpr std::int64_t now_s = 1'700'000'000;

token_keys keys_of(unsigned char seed) {
  token_keys keys;
  keys.access.fill(seed);
  keys.refresh.fill(static_cast<unsigned char>(seed + 1));
  return keys;
}

const access_claims someone{
    .session = "s1", .user = "u1", .as = role::shopper, .expires_at_s = now_s + 300, .token = "t1"};

// A token as a forger would make it: every claim right but for what a row changes.
struct forged {
  jwt_alg_t algorithm = JWT_ALG_HS256;
  unsigned char key = 1;
  const char* iss = "omnicart";
  const char* aud = "omnicart-api";
  const char* typ = "access";
  const char* jti = "t1";
  long role = 1;
  long nbf = now_s;
  long exp = now_s + 300;
};

std::string make(const forged& as) {
  const auto keys = keys_of(as.key);
  jwt_t* raw = nullptr;
  BOOST_REQUIRE(jwt_new(&raw) == 0);
  const std::unique_ptr<jwt_t, decltype(&jwt_free)> token(raw, &jwt_free);
  if (as.algorithm != JWT_ALG_NONE) {
    BOOST_REQUIRE(jwt_set_alg(raw, as.algorithm, keys.access.data(),
                              static_cast<int>(keys.access.size())) == 0);
  }
  const std::pair<const char*, const char*> texts[] = {{"iss", as.iss}, {"aud", as.aud},
                                                       {"typ", as.typ}, {"jti", as.jti},
                                                       {"sub", "u1"},   {"sid", "s1"}};
  for (const auto& [name, value] : texts) {
    if (value != nullptr) jwt_add_grant(raw, name, value);
  }
  jwt_add_grant_int(raw, "role", as.role);
  jwt_add_grant_int(raw, "nbf", as.nbf);
  jwt_add_grant_int(raw, "exp", as.exp);
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(raw), &std::free);
  return text.get();
}

BOOST_AUTO_TEST_SUITE(access_token_suite)

BOOST_AUTO_TEST_CASE(an_issued_token_says_what_it_was_issued_for) {
  const access_tokens tokens(keys_of(1));
  const std::string text = tokens.issue(someone, now_s, "t1");
  for (int again = 0; again < 2; ++again) {  // the second time from memory
    const auto read = tokens.verify(text, now_s);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == someone));
  }
}

BOOST_AUTO_TEST_CASE(a_token_ends_with_its_time_also_when_it_is_remembered) {
  const access_tokens tokens(keys_of(1));
  const std::string text = tokens.issue(someone, now_s, "t1");
  BOOST_TEST(tokens.verify(text, now_s + 299).has_value());
  BOOST_TEST(!tokens.verify(text, now_s + 300).has_value());
  BOOST_TEST(!tokens.verify(text, now_s + 301).has_value());
}

BOOST_AUTO_TEST_CASE(forged_tokens_are_refused) {
  const access_tokens tokens(keys_of(1));
  BOOST_TEST(tokens.verify(make({}), now_s).has_value());  // the forger's tool works
  const struct {
    const char* why;
    forged as;
  } rows[] = {{"no algorithm", {.algorithm = JWT_ALG_NONE}},
              {"another algorithm, our key", {.algorithm = JWT_ALG_HS512}},
              {"another key", {.key = 9}},
              {"another issuer", {.iss = "elsewhere"}},
              {"no issuer", {.iss = nullptr}},
              {"another audience", {.aud = "omnicart-admin"}},
              {"no audience", {.aud = nullptr}},
              {"another type", {.typ = "refresh"}},
              {"no type", {.typ = nullptr}},
              {"no id", {.jti = nullptr}},
              {"expired", {.exp = now_s}},
              {"no expiry", {.exp = 0}},
              {"not valid yet", {.nbf = now_s + 6}},
              {"the engine's own role", {.role = 9}},
              {"a negative role", {.role = -1}}};
  for (const auto& row : rows) BOOST_TEST(!tokens.verify(make(row.as), now_s).has_value(), row.why);
}

BOOST_AUTO_TEST_CASE(garbage_is_refused) {
  const access_tokens tokens(keys_of(1));
  const std::string good = tokens.issue(someone, now_s, "t1");
  const auto dot = good.rfind('.');
  const std::string rows[] = {"",
                              ".",
                              "..",
                              "a.b.c",
                              good.substr(0, dot),
                              good.substr(0, dot + 1),
                              good + "x",
                              good + '.',
                              '.' + good,
                              std::string(3'000, 'a'),
                              good + std::string(1, '\0'),
                              std::string(1, '\0') + good,
                              "\xFF\xFE"};
  for (const auto& row : rows)
    BOOST_TEST(!tokens.verify(row, now_s).has_value(), row.substr(0, 40));
  for (std::size_t i = 0; i < dot; ++i) {  // every byte that is signed counts
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed != good) BOOST_TEST(!tokens.verify(changed, now_s).has_value(), "byte " << i);
  }
}

BOOST_AUTO_TEST_CASE(a_token_remembered_under_one_key_is_not_good_under_another) {
  const access_tokens ours(keys_of(1));
  const access_tokens theirs(keys_of(2));
  const std::string text = ours.issue(someone, now_s, "t1");
  BOOST_TEST(ours.verify(text, now_s).has_value());
  BOOST_TEST(!theirs.verify(text, now_s).has_value());
}

BOOST_AUTO_TEST_CASE(keys_rotate_with_overlap_and_what_is_remembered_of_an_expired_one_goes) {
  access_tokens tokens(keys_of(1));
  const std::string old_token = tokens.issue(someone, now_s, "t1");
  BOOST_TEST(tokens.verify(old_token, now_s).has_value());
  tokens.use({.signing = keys_of(2), .believed = {keys_of(1).access}});
  const std::string new_token = tokens.issue(someone, now_s, "t2");
  BOOST_TEST(tokens.verify(old_token, now_s).has_value());
  BOOST_TEST(tokens.verify(new_token, now_s).has_value());
  BOOST_TEST(!access_tokens(keys_of(1)).verify(new_token, now_s).has_value());
  tokens.use({.signing = keys_of(2), .believed = {}});
  BOOST_TEST(!tokens.verify(old_token, now_s).has_value());
  BOOST_TEST(tokens.verify(new_token, now_s).has_value());
}

BOOST_AUTO_TEST_CASE(without_keys_nothing_is_issued_and_nobody_believed) {
  access_tokens tokens;
  BOOST_TEST(!tokens.has_keys());
  BOOST_TEST(tokens.issue(someone, now_s, "t1").empty());
  BOOST_TEST(!tokens.verify(access_tokens(keys_of(1)).issue(someone, now_s, "t1"), now_s).has_value());
  tokens.use({.signing = keys_of(1), .believed = {}});
  BOOST_TEST(tokens.verify(access_tokens(keys_of(1)).issue(someone, now_s, "t1"), now_s).has_value());
}

BOOST_AUTO_TEST_CASE(a_refresh_token_names_its_session_and_number) {
  const access_tokens tokens(keys_of(1));
  for (const char* session : {"s1", "with.dots", "."}) {
    const auto read = tokens.verify_refresh(tokens.refresh_token(session, 7));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->session == session);
    BOOST_TEST(read->index == 7U);
  }
  BOOST_TEST(tokens.refresh_token("s1", 1) != tokens.refresh_token("s1", 2));
  BOOST_TEST(refresh_digest("a") != refresh_digest("b"));
  BOOST_TEST(refresh_digest("a").size() == 64U);
}

BOOST_AUTO_TEST_CASE(a_refresh_token_that_was_touched_is_refused) {
  const access_tokens tokens(keys_of(1));
  const std::string good = tokens.refresh_token("s1", 7);
  const std::string mac = good.substr(good.rfind('.') + 1);
  const std::string rows[] = {"",
                              ".",
                              "..",
                              mac,
                              "7." + mac,
                              "s2.7." + mac,
                              "s1.8." + mac,
                              "s1.+7." + mac,
                              "s1.-7." + mac,
                              "s1.4294967303." + mac,
                              "s1.7." + mac + "A",
                              "s1.7." + mac.substr(1),
                              "s1.7.",
                              access_tokens(keys_of(5)).refresh_token("s1", 7),
                              tokens.issue(someone, now_s, "t1"),
                              std::string(5'000, '.')};
  for (const auto& row : rows) {
    const auto read = tokens.verify_refresh(row);
    BOOST_TEST(!read.has_value(), row.substr(0, 60));
  }
}

BOOST_AUTO_TEST_CASE(keys_are_made_once_and_for_their_owner_only) {
  char pattern[] = "/tmp/omnicart-keys-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern);
  const auto made = token_keys::load_or_make(folder);
  const auto read = token_keys::load_or_make(folder);
  BOOST_REQUIRE(made.has_value());
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((made->access == read->access && made->refresh == read->refresh));
  BOOST_TEST((made->access != made->refresh));
  const auto file = folder / "tokens.key";
  using std::filesystem::perms;
  BOOST_TEST(
      (std::filesystem::status(file).permissions() == (perms::owner_read | perms::owner_write)));
  std::filesystem::permissions(file, perms::group_read, std::filesystem::perm_options::add);
  BOOST_TEST(!token_keys::load_or_make(folder).has_value());
  std::filesystem::permissions(file, perms::group_read, std::filesystem::perm_options::remove);
  std::ofstream(file, std::ios::app) << 'x';
  BOOST_TEST(!token_keys::load_or_make(folder).has_value());
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace access_token_test
}  // namespace omnicart::http
