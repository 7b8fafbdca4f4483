#include "http/signing_keys.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/cluster/cluster_kind.hpp"

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

// Two nodes that know one record and look at its keys whenever time passes.
struct two_nodes {
  record r;
  access_tokens one, other;
  counting_ids ids;
  timestamp_ms now{};

  explicit two_nodes(signing_key first) {
    r.cluster = std::string(32, 'c');
    r.keys = {std::move(first)};
    at(noon);
  }
  void at(timestamp_ms when) {
    now = when;
    for (auto* node : {&one, &other}) node->use(*keyring_at(r, now));
  }
  void rotate(bool distrust_others) {
    const auto refresh = distrust_others ? refresh_half::fresh : refresh_half::kept;
    const cluster_record::rotate_key wish{.key = next_key(r, {}, ids, now, refresh),
                                          .by = {.who = "ann@desk", .why = "a test"},
                                          .distrust_others = distrust_others};
    context ctx;
    ctx.now = now;
    ctx.asker.as = role::admin;
    const auto events = cluster_record::kind::decide(r, wish, ctx);
    BOOST_TEST_REQUIRE(events.has_value());
    for (const auto& each : *events) cluster_record::kind::apply(r, each);
    at(now);
  }
  std::int64_t now_s() const { return now.time_since_epoch() / std::chrono::seconds(1); }
  std::string issue(const access_tokens& by, std::chrono::seconds life) {
    access_claims claims;
    claims.session = "s1";
    claims.expires_at_s = now_s() + life.count();
    return by.issue(claims, now_s(), std::to_string(++ids.count));
  }
  // Believed by both, or by neither.
  bool believe(const std::string& token) const {
    const bool good = one.verify(token, now_s()).has_value();
    BOOST_TEST(other.verify(token, now_s()).has_value() == good);
    return good;
  }
  bool believe_refresh(const std::string& token) const {
    const bool good = one.verify_refresh(token).has_value();
    BOOST_TEST(other.verify_refresh(token).has_value() == good);
    return good;
  }
};

constexpr auto longest_life = std::chrono::seconds(3'600);  // of sessions.access_token_ttl_s

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
  const auto key = next_key(r, {}, ids, noon, refresh_half::kept);
  BOOST_TEST(key.number == 3u);
  BOOST_TEST(key.secret.size() == cluster_record::key_secret_bytes);
  BOOST_TEST(key.secret.substr(32) == std::string(32, 'r'));
  BOOST_TEST((key.secret.substr(0, 32) != r.keys.back().secret.substr(0, 32)));
  BOOST_TEST((key.active_from == noon + key_is_known_after));
  BOOST_TEST((key.expires_at == key.active_from + key_signs_for * 2));
  BOOST_TEST(next_key(r, {}, ids, noon, refresh_half::kept).secret != key.secret);
}

BOOST_AUTO_TEST_CASE(a_key_may_come_with_another_refresh_key) {
  counting_ids ids;
  const auto r = rotated();
  const auto key = next_key(r, {}, ids, noon, refresh_half::fresh);
  BOOST_TEST(key.secret.size() == cluster_record::key_secret_bytes);
  BOOST_TEST((key.secret.substr(32) != std::string(32, 'r')));
  BOOST_TEST((key.secret.substr(32) != key.secret.substr(0, 32)));
  BOOST_TEST((next_key(r, {}, ids, noon, refresh_half::fresh).secret.substr(32) != key.secret.substr(32)));
}

BOOST_AUTO_TEST_CASE(a_token_of_the_key_before_is_good_on_all_nodes_while_both_are_and_not_after) {
  const auto old_key_ends = noon + std::chrono::minutes(10);
  two_nodes shop(key_of('a', timestamp_ms{}, old_key_ends));
  shop.rotate(false);
  const auto early = shop.issue(shop.one, longest_life);
  const auto brief = shop.issue(shop.one, std::chrono::minutes(5));
  const auto new_key_begins = noon + key_is_known_after;
  shop.at(new_key_begins - std::chrono::seconds(1));
  const auto last = shop.issue(shop.other, longest_life);
  shop.at(new_key_begins);
  const auto fresh = shop.issue(shop.one, longest_life);
  for (const auto& each : {early, brief, last, fresh}) BOOST_TEST(shop.believe(each));
  token_keys before;
  before.access.fill('a');
  BOOST_TEST(access_tokens(before).verify(last, shop.now_s()).has_value());
  BOOST_TEST(!access_tokens(before).verify(fresh, shop.now_s()).has_value());
  shop.at(noon + std::chrono::minutes(5));
  BOOST_TEST(!shop.believe(brief));  // by its own end
  shop.at(old_key_ends - std::chrono::seconds(1));
  for (const auto& each : {early, last, fresh}) BOOST_TEST(shop.believe(each));
  shop.at(old_key_ends);
  for (const auto& each : {early, last}) BOOST_TEST(!shop.believe(each));
  BOOST_TEST(shop.believe(fresh));
}

BOOST_AUTO_TEST_CASE(a_token_of_a_distrusted_key_is_good_until_the_next_is_in_force) {
  two_nodes shop(key_of('a', timestamp_ms{}, noon + std::chrono::hours(1)));
  shop.rotate(true);
  const auto leaked = shop.issue(shop.one, longest_life);
  shop.at(noon + key_is_known_after - std::chrono::seconds(1));
  BOOST_TEST(shop.believe(leaked));
  shop.at(noon + key_is_known_after);
  BOOST_TEST(!shop.believe(leaked));
  BOOST_TEST(shop.believe(shop.issue(shop.other, longest_life)));
}

BOOST_AUTO_TEST_CASE(who_stole_the_keys_cannot_refresh_once_they_are_distrusted) {
  two_nodes shop(key_of('a', timestamp_ms{}, noon + std::chrono::hours(1)));
  const access_tokens thief(keyring_at(shop.r, noon)->signing);
  const auto stolen = thief.refresh_token("s1", 3);
  shop.rotate(true);
  shop.at(noon + std::chrono::seconds(30));
  shop.rotate(false);  // goes on from the new refresh key, not from the one that leaked
  const auto late = shop.one.refresh_token("s1", 4);
  const auto in_force = noon + key_is_known_after;
  shop.at(in_force - std::chrono::seconds(1));
  for (const auto& each : {stolen, late}) BOOST_TEST(shop.believe_refresh(each));
  shop.at(in_force);
  const auto fresh = shop.other.refresh_token("s1", 5);
  for (const auto when : {in_force, in_force + std::chrono::seconds(30), in_force + key_signs_for}) {
    shop.at(when);
    for (const auto& each : {stolen, late, thief.refresh_token("s1", 5)}) BOOST_TEST(!shop.believe_refresh(each));
    BOOST_TEST(!shop.believe(shop.issue(thief, longest_life)));
    BOOST_TEST(shop.believe_refresh(fresh));
  }
}

BOOST_AUTO_TEST_CASE(a_refresh_token_goes_on_working_across_a_rotation) {
  two_nodes shop(key_of('a', timestamp_ms{}, noon + std::chrono::hours(1)));
  const auto before = shop.one.refresh_token("s1", 3);
  shop.rotate(false);
  for (const auto later : {duration_ms{0}, key_is_known_after, duration_ms{std::chrono::hours(2)}}) {
    shop.at(noon + later);
    BOOST_TEST(shop.believe_refresh(before));
    BOOST_TEST(shop.other.refresh_token("s1", 3) == before);
  }
}

BOOST_AUTO_TEST_CASE(no_token_outlives_a_key_that_is_changed_in_time) {
  counting_ids ids;
  two_nodes shop(next_key(record{}, {}, ids, noon - key_is_known_after, refresh_half::kept));
  shop.at(noon + key_signs_for);
  shop.rotate(false);
  shop.at(shop.r.keys.back().active_from - std::chrono::seconds(1));
  const auto last = shop.issue(shop.one, longest_life);
  const auto end = shop.now + longest_life;
  shop.at(end - std::chrono::seconds(1));
  BOOST_TEST(shop.believe(last));
}

BOOST_AUTO_TEST_CASE(the_first_key_goes_on_from_the_nodes_own) {
  counting_ids ids;
  token_keys own;
  own.refresh.fill('q');
  const auto key = next_key(record{}, own, ids, noon, refresh_half::kept);
  BOOST_TEST(key.number == 1u);
  BOOST_TEST(key.secret.substr(32) == std::string(32, 'q'));
}

BOOST_AUTO_TEST_SUITE_END()
