#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "actors/keyring/keyring_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"

namespace omnicart::keyring {
namespace keyring_test {

static_assert(entity_kind<kind>);

caller engine() {
  caller self;
  self.as = role::system;
  return self;
}

create key(const std::string& id = "k1") {
  return {.id = id,
          .digest = "d1",
          .name = "warehouse",
          .as = role::support,
          .scopes = {"orders:read"},
          .expires_at = {}};
}

struct ring {
  state s;
  timestamp_ms now{duration_ms{1'000'000}};

  result<events> ask(const command& what, const caller& by = engine()) {
    auto made = decide(s, what, {.now = now, .command = {}, .asker = by});
    if (made) {
      for (const auto& each : *made) {
        apply(s, each);
        check(s);
      }
    }
    return made;
  }
  error_number code(const command& what, const caller& by = engine()) {
    const auto got = ask(what, by);
    return got ? 0 : got.error().number;
  }
};

template <class E>
error_number of(E code) {
  return static_cast<error_number>(code);
}

BOOST_AUTO_TEST_SUITE(keyring)

BOOST_FIXTURE_TEST_CASE(a_key_opens_with_its_secret_alone_and_until_it_is_revoked, ring) {
  BOOST_TEST(code(key()) == 0);
  const caller machine;
  BOOST_TEST(code(present{.id = "k1", .digest = "d1"}, machine) == 0);
  for (const present& wrong :
       {present{"k1", "d2"}, present{"k1", ""}, present{"k1", "d11"}, present{"k2", "d1"}})
    BOOST_TEST(code(wrong, machine) == of(errc::no_such_key));
  BOOST_TEST(view_of(s, present{"k1", "d1"}).keys.at(0).scopes.at(0) == "orders:read");
  BOOST_TEST(code(revoke{.id = "k1"}) == 0);
  BOOST_TEST(code(present{.id = "k1", .digest = "d1"}, machine) == of(errc::no_such_key));
  BOOST_TEST(code(revoke{.id = "k1"}) == of(errc::no_such_key));
}

BOOST_FIXTURE_TEST_CASE(a_key_ends_by_itself_when_its_time_is_over, ring) {
  create brief = key();
  brief.expires_at = now + duration_ms{1'000};
  BOOST_TEST(code(brief) == 0);
  now += duration_ms{999};
  BOOST_TEST(code(present{.id = "k1", .digest = "d1"}) == 0);
  now += duration_ms{1};
  BOOST_TEST(code(present{.id = "k1", .digest = "d1"}) == of(errc::no_such_key));
}

BOOST_FIXTURE_TEST_CASE(the_same_key_again_changes_nothing_and_another_of_its_id_is_refused, ring) {
  BOOST_TEST(code(key()) == 0);
  BOOST_TEST(ask(key())->empty());
  create other = key();
  other.as = role::admin;
  BOOST_TEST(code(other) == of(errc::key_exists));
}

BOOST_FIXTURE_TEST_CASE(only_the_engine_makes_ends_and_lists_keys, ring) {
  caller admin;
  admin.as = role::admin;
  for (const command& what : {command{key()}, command{revoke{.id = "k1"}}, command{list{}}})
    BOOST_TEST(code(what, admin) == of(base_errc::forbidden));
}

BOOST_FIXTURE_TEST_CASE(a_key_has_an_id_a_digest_a_name_a_staff_role_and_scopes, ring) {
  std::vector<create> bad(8, key());
  bad[0].id.clear();
  bad[1].digest.clear();
  bad[2].name = "a\nb";
  bad[3].as = role::shopper;
  bad[4].scopes.clear();
  bad[5].scopes.assign(scopes_max + 1, "orders:read");
  bad[6].name.assign(text_bytes_max + 1, 'n');
  bad[7].scopes = {std::string(text_bytes_max + 1, 's')};
  for (const auto& each : bad) BOOST_TEST(code(each) == of(errc::invalid_key));
  BOOST_TEST(s.keys.empty());
}

BOOST_FIXTURE_TEST_CASE(there_are_so_many_keys_and_no_more, ring) {
  for (std::size_t i = 0; i < keys_max; ++i) BOOST_TEST(code(key("k" + std::to_string(i))) == 0);
  BOOST_TEST(code(key("one more")) == of(errc::too_many_keys));
  BOOST_TEST(view_of(s, list{}).keys.size() == keys_max);
}

BOOST_FIXTURE_TEST_CASE(nobody_is_shown_a_digest, ring) {
  create secret = key();
  secret.digest = "a-digest-to-keep";
  const auto made = ask(secret).value();
  BOOST_TEST(kind::describe_state(s).find("a-digest-to-keep") == std::string::npos);
  BOOST_TEST(kind::describe_event(made.at(0)).find("a-digest-to-keep") == std::string::npos);
  BOOST_TEST(kind::reply(s, list{}, {}).find("a-digest-to-keep") == std::string::npos);
}

// A ring that many use at once, beside the list that an operator would keep by hand.
struct random_ring {
  explicit random_ring(std::uint32_t seed) : random(seed), ids(seed % 4 == 0 ? keys_max + 20 : 12) {}

  create draw_key() {
    if (!made.empty() && random() % 4 == 0) return made[random() % made.size()];  // the same again
    create c = key("k" + std::to_string(random() % ids));
    c.digest = "digest-" + std::to_string(random() % 3);
    c.as = random() % 2 ? role::support : role::admin;
    if (random() % 2) c.expires_at = one.now + duration_ms{random() % 400};
    return c;
  }
  auto listed(const std::string& id) {
    return std::ranges::find(made, id, [](const create& c) { return c.id; });
  }
  void make_one(const caller& by, bool ours) {
    const create c = draw_key();
    const auto known = listed(c.id);
    error_number code = 0;
    if (!ours) {
      code = trial::number(base_errc::forbidden);
    } else if (known != made.end()) {
      const bool same = known->digest == c.digest && known->as == c.as &&
                        known->expires_at == c.expires_at;
      code = same ? 0 : trial::number(errc::key_exists);
    } else if (made.size() == keys_max) {
      code = trial::number(errc::too_many_keys);
      ++full;
    }
    BOOST_REQUIRE(one.give(c, by) == code);
    BOOST_REQUIRE((one.names == "created") == (code == 0 && known == made.end()));
    if (one.names == "created") made.push_back(c);
  }
  void end_one(const caller& by, bool ours) {
    const revoke c{.id = "k" + std::to_string(random() % ids)};
    const auto known = listed(c.id);
    BOOST_REQUIRE(one.give(c, by) == (!ours                ? trial::number(base_errc::forbidden)
                                      : known == made.end() ? trial::number(errc::no_such_key)
                                                            : 0));
    if (ours && known != made.end()) made.erase(known);
  }
  void show_one(const caller& by) {
    present c{.id = "k" + std::to_string(random() % ids),
              .digest = "digest-" + std::to_string(random() % 3)};
    const auto known = listed(c.id);
    if (known != made.end() && random() % 2) {  // its own, and just when its time is over
      c.digest = known->digest;
      one.now = std::max(one.now, known->expires_at - duration_ms{random() % 2});
    }
    const bool good = known != made.end() && known->digest == c.digest &&
                      (known->expires_at == timestamp_ms{} || one.now < known->expires_at);
    BOOST_REQUIRE(one.give(c, by) == (good ? 0 : trial::number(errc::no_such_key)));
    if (!good) return;
    ++shown;
    const auto view = decode_reply(one.reply).value();
    BOOST_REQUIRE((view.keys.size() == 1 && view.keys[0].id == c.id && view.keys[0].as == known->as));
    BOOST_REQUIRE(one.reply.find("digest") == std::string::npos);
  }
  void compare() {
    BOOST_REQUIRE(one.give(list{}) == 0);
    const auto view = decode_reply(one.reply).value();
    BOOST_REQUIRE(view.keys.size() == made.size());
    for (std::size_t i = 0; i < made.size(); ++i) {
      BOOST_REQUIRE((view.keys[i].id == made[i].id && view.keys[i].as == made[i].as &&
                     view.keys[i].expires_at == made[i].expires_at));
    }
  }

  std::mt19937 random;
  const std::size_t ids;
  trial::subject<kind> one;
  std::vector<create> made;  // and not revoked, oldest first
  int shown = 0, full = 0;
};

// Whoever makes, ends and shows keys: a key opens exactly while it stands on the list, has not
// expired, and comes with its own secret.
BOOST_AUTO_TEST_CASE(random_keys_open_while_they_stand_and_never_else) {
  int shown = 0, full = 0;
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      random_ring story(seed);
      const bool filling = story.ids > keys_max;
      for (int i = 0; i < (filling ? 1'500 : 300); ++i) {
        story.one.now += duration_ms{story.random() % 40};
        const bool ours = story.random() % 8 != 0;
        const caller& by = ours ? trial::system : trial::support;
        const auto lot = story.random() % 10;
        if (lot < 4 || (filling && lot < 8)) {
          story.make_one(by, ours);
        } else if (lot < 5 || (!filling && lot < 6)) {
          if (!filling || i % 8 == 0) story.end_one(by, ours);
        } else {
          story.show_one(by);
        }
        if (i % 10 == 0) story.compare();
        if (i % 10 == 5) story.one.reload();
      }
      story.one.check_replay();
      shown += story.shown;
      full += story.full;
    }
  }
  const bool is_one_seed = trial::seeds(2).size() == 1;
  BOOST_TEST((is_one_seed || (shown > 100 && full > 0)));
}

BOOST_FIXTURE_TEST_CASE(what_is_stored_reads_again, ring) {
  BOOST_TEST(code(key()) == 0);
  BOOST_TEST((*kind::decode_state(kind::encode_state(s)) == s));
  BOOST_TEST(trial::hex(encode(list{})) == "9201920390");
  BOOST_TEST(trial::hex(encode(revoke{.id = "k1"})) == "9201920191c4026b31");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyring_test
}  // namespace omnicart::keyring
