#include "http/signing_keys.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace omnicart;
using namespace omnicart::http;
using cluster_record::record;
using cluster_record::signing_key;

constexpr timestamp_ms noon{std::chrono::hours(12)};

struct counting_ids final : id_source {
  command_id next() override { return {.high = ++count, .low = ++count}; }
  std::uint64_t count = 0;
};

signing_key key_of(char letter, timestamp_ms from, timestamp_ms until) {
  return {.number = static_cast<std::uint64_t>(letter - 'a' + 1),
          .secret = std::string(32, letter) + std::string(32, 'r'),
          .active_from = from,
          .expires_at = until};
}

// 'a' since long; 'b' from noon.
record rotated() {
  record r;
  r.keys = {key_of('a', timestamp_ms{}, noon + std::chrono::hours(1)),
            key_of('b', noon, noon + std::chrono::hours(9))};
  return r;
}

std::string letters(const record& r, timestamp_ms now) {
  const auto ring = keyring_at(r, now);
  if (!ring) return "";
  std::string all(1, static_cast<char>(ring->signing.access.front()));
  for (const auto& key : ring->believed) all += static_cast<char>(key.front());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signing_keys)

BOOST_AUTO_TEST_CASE(a_key_comes_into_force_by_time_alone) {
  const auto r = rotated();
  BOOST_TEST(letters(r, noon - duration_ms{1}) == "ab");
  BOOST_TEST(letters(r, noon) == "ba");
  BOOST_TEST(letters(r, noon + std::chrono::hours(1)) == "b");
}

BOOST_AUTO_TEST_CASE(without_a_key_in_force_the_newest_signs) {
  BOOST_TEST(letters(rotated(), noon + std::chrono::hours(10)) == "b");
  BOOST_TEST(letters(record{}, noon) == "");
}

BOOST_AUTO_TEST_CASE(a_new_key_is_in_force_once_all_know_it_and_keeps_the_refresh_key) {
  counting_ids ids;
  const auto r = rotated();
  const auto key = next_key(r, {}, ids, noon);
  BOOST_TEST(key.number == 3u);
  BOOST_TEST(key.secret.size() == cluster_record::key_secret_bytes);
  BOOST_TEST(key.secret.substr(32) == std::string(32, 'r'));
  BOOST_TEST((key.secret.substr(0, 32) != r.keys.back().secret.substr(0, 32)));
  BOOST_TEST((key.active_from == noon + key_is_known_after));
  BOOST_TEST((key.expires_at == key.active_from + key_signs_for * 2));
  BOOST_TEST(next_key(r, {}, ids, noon).secret != key.secret);
}

BOOST_AUTO_TEST_CASE(the_first_key_goes_on_from_the_nodes_own) {
  counting_ids ids;
  token_keys own;
  own.refresh.fill('q');
  const auto key = next_key(record{}, own, ids, noon);
  BOOST_TEST(key.number == 1u);
  BOOST_TEST(key.secret.substr(32) == std::string(32, 'q'));
}

BOOST_AUTO_TEST_SUITE_END()
