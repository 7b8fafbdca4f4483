#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "actors/audit/audit_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"

namespace omnicart::audit {
namespace audit_test {

static_assert(entity_kind<kind>);
static_assert(keeps_something<kind>);
using trial::number;

BOOST_AUTO_TEST_SUITE(audit)

caller engine() {
  caller self;
  self.as = role::system;
  return self;
}

const begin ann{.credential = "user:ann",
                .as = role::admin,
                .action = "PUT /api/orders/o1/status",
                .request_id = "r1"};

// A log of so many actions, each with its end, as its events.
std::vector<event> log_of(std::uint64_t actions) {
  state s;
  std::vector<event> log;
  const auto give = [&](const command& what) {
    const context ctx{
        .now = timestamp_ms{duration_ms{1'000'000 + 10 * static_cast<int>(log.size())}},
        .command = {},
        .asker = engine()};
    const auto made = decide(s, what, ctx).value();
    for (const auto& each : made) {
      apply(s, each);
      check(s);
      log.push_back(each);
    }
  };
  for (std::uint64_t i = 1; i <= actions; ++i) {
    give(ann);
    give(end{.action = i, .status = 200});
  }
  return log;
}

// The first entry that the check finds wrong, from 1; 0: none.
std::size_t first_bad(const std::vector<event>& log) {
  chain_check chain;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (!chain.take(log[i])) return i + 1;
  }
  return 0;
}

BOOST_AUTO_TEST_CASE(only_the_engine_writes_and_an_end_names_a_beginning) {
  state s;
  const context stranger{.now = {}, .command = {}, .asker = {}};
  BOOST_TEST(decide(s, ann, stranger).error().is(base_errc::forbidden));
  BOOST_TEST(decide(s, end{.action = 1, .status = 200}, stranger).error().is(base_errc::forbidden));
  const context ours{.now = {}, .command = {}, .asker = engine()};
  BOOST_TEST(decide(s, end{.action = 1, .status = 200}, ours).error().is(errc::no_such_action));
  BOOST_TEST(decide(s, end{.action = 0, .status = 200}, ours).error().is(errc::no_such_action));
  BOOST_TEST(decide(s, look{}, stranger)->empty());
}

BOOST_AUTO_TEST_CASE(entries_are_chained_and_a_log_as_written_is_sound) {
  const auto log = log_of(5);
  BOOST_TEST(log.size() == 10U);
  BOOST_TEST(first_bad(log) == 0U);
  chain_check chain;
  for (const auto& each : log) chain.take(each);
  BOOST_TEST(chain.entries() == 10U);
  BOOST_TEST(chain.head() == std::get<ended>(log.back()).digest);
}

BOOST_AUTO_TEST_CASE(every_changed_byte_of_every_entry_is_found) {
  const auto log = log_of(3);
  std::size_t changed = 0, unreadable = 0;
  for (std::size_t entry = 0; entry < log.size(); ++entry) {
    const std::string bytes = kind::encode_event(log[entry]);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const unsigned char flip : {0x01, 0x80}) {
        std::string other = bytes;
        other[at] = static_cast<char>(static_cast<unsigned char>(other[at]) ^ flip);
        const auto read = kind::decode_event(other);
        if (!read) {
          ++unreadable;
          continue;
        }
        if (kind::encode_event(*read) == bytes) continue;  // another way to write the same entry
        auto forged = log;
        forged[entry] = *read;
        BOOST_TEST(first_bad(forged) != 0U, "entry " << entry << " byte " << at);
        ++changed;
      }
    }
  }
  BOOST_TEST(changed > 500U);
  BOOST_TEST_MESSAGE(changed << " changes found, " << unreadable << " did not read");
}

BOOST_AUTO_TEST_CASE(an_entry_left_out_put_in_or_moved_is_found) {
  const auto log = log_of(4);
  for (std::size_t i = 0; i + 1 < log.size(); ++i) {
    auto shorter = log;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    BOOST_TEST(first_bad(shorter) != 0U);
    auto longer = log;
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), log[i]);
    BOOST_TEST(first_bad(longer) != 0U);
    auto swapped = log;
    std::swap(swapped[i], swapped[i + 1]);
    BOOST_TEST(first_bad(swapped) != 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_forger_who_mends_one_digest_is_found_at_the_next_entry) {
  auto log = log_of(3);
  auto& forged = std::get<begun>(log[2]);
  forged.credential = "user:bob";
  forged.digest = digest_of(std::get<ended>(log[1]).digest, 3, forged);
  BOOST_TEST(first_bad(log) == 4U);
}

BOOST_AUTO_TEST_CASE(texts_are_cut_at_their_limits_and_not_within_a_character) {
  state s;
  const context ours{.now = {}, .command = {}, .asker = engine()};
  begin long_one = ann;
  long_one.action = std::string(action_bytes_max - 1, 'a') + "\xC3\xA4";
  long_one.credential = std::string(1'000, 'c');
  const auto made = decide(s, long_one, ours).value();
  const auto& entry = std::get<begun>(made.at(0));
  BOOST_TEST(entry.what.size() == action_bytes_max - 1);
  BOOST_TEST(entry.credential.size() == credential_bytes_max);
}

BOOST_AUTO_TEST_CASE(a_repeated_beginning_is_told_its_own_number) {
  state s;
  const context ours{.now = {}, .command = {}, .asker = engine()};
  const auto give = [&](const command& what) {
    const auto made = decide(s, what, ours).value();
    for (const auto& each : made) apply(s, each);
  };
  give(ann);
  const std::string kept = kind::keepsake(s, ann);
  give(ann);
  BOOST_TEST(decode_reply(kind::reply(s, ann, ours))->action == 2U);
  BOOST_TEST(decode_reply(kind::reply_again(s, ann, ours, kept))->action == 1U);
}

// An entry as somebody changed it later, who left its digest as it was.
event forged(std::mt19937& random, event entry) {
  if (auto* e = std::get_if<begun>(&entry)) {
    switch (random() % 6) {
      case 0:
        e->action += 1 + random() % 9;
        break;
      case 1:
        e->at += duration_ms{1 + random() % 9};
        break;
      case 2:
        e->credential += 'x';
        break;
      case 3:
        e->as = e->as == role::admin ? role::support : role::admin;
        break;
      case 4:
        e->what += e->request_id;  // the same letters, cut at another place
        e->request_id.clear();
        break;
      default:
        e->request_id += 'x';
    }
    return entry;
  }
  auto& e = std::get<ended>(entry);
  switch (random() % 3) {
    case 0:
      e.action += 1 + random() % 9;
      break;
    case 1:
      e.at += duration_ms{1 + random() % 9};
      break;
    default:
      e.status += 1 + random() % 9;
  }
  return entry;
}

// What the log should say, by hand.
struct written {
  std::uint64_t action = 0;
  std::string credential;  // empty: an end
  std::size_t what_bytes = 0;
  std::uint32_t status = 0;
};

// A log that many wrote to at once, and what it should say.
struct random_log {
  explicit random_log(std::uint32_t seed) : random(seed) {}

  void write_one() {
    one.now += duration_ms{random() % 3};
    const bool ours = random() % 8 != 0;
    switch (random() % 5) {
      case 0:
      case 1:
        return write_begin(ours);
      case 2:
      case 3:
        return write_end(ours);
      default:
        BOOST_REQUIRE(one.give(look{}, trial::nobody) == 0);
    }
  }
  void write_begin(bool ours) {
    const begin what{.credential = "user:u" + std::to_string(random() % 9),
                     .as = random() % 2 ? role::admin : role::support,
                     .action = std::string(random() % (action_bytes_max + 50), 'a'),
                     .request_id = "r" + std::to_string(random() % 99)};
    const auto code = one.give(what, ours ? trial::system : trial::support);
    BOOST_REQUIRE(code == (ours ? 0 : number(base_errc::forbidden)));
    if (!ours) return;
    const auto bytes = std::min(what.action.size(), action_bytes_max);
    entries.push_back({.action = ++actions, .credential = what.credential, .what_bytes = bytes});
    BOOST_REQUIRE(decode_reply(one.reply)->action == actions);
    BOOST_REQUIRE(kind::keepsake(one.s, what) == std::to_string(actions));
  }
  void write_end(bool ours) {
    const end what{.action = random() % (actions + 2),
                   .status = static_cast<std::uint32_t>(random() % 600)};
    const bool begun_before = what.action >= 1 && what.action <= actions;
    const auto code = one.give(what, ours ? trial::system : trial::support);
    BOOST_REQUIRE(code == (!ours          ? number(base_errc::forbidden)
                           : begun_before ? 0
                                          : number(errc::no_such_action)));
    if (code == 0) entries.push_back({.action = what.action, .status = what.status});
  }
  // The log says what was written, in that order, and nothing else.
  std::vector<event> read() const {
    std::vector<event> log;
    BOOST_REQUIRE(one.log.size() == entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      log.push_back(kind::decode_event(one.log[i]).value());
      const auto& should = entries[i];
      if (const auto* e = std::get_if<begun>(&log.back())) {
        BOOST_REQUIRE(e->credential == should.credential);
        BOOST_REQUIRE((e->action == should.action && e->what.size() == should.what_bytes));
      } else {
        const auto& e2 = std::get<ended>(log.back());
        BOOST_REQUIRE(should.credential.empty());
        BOOST_REQUIRE((e2.action == should.action && e2.status == should.status));
      }
    }
    return log;
  }

  std::mt19937 random;
  trial::subject<kind> one;
  std::vector<written> entries;
  std::uint64_t actions = 0;
};

// Whoever writes, and whatever is changed, left out or cut off later: a log as written is sound,
// and no other log has its length and its head.
BOOST_AUTO_TEST_CASE(random_logs_say_what_was_written_and_show_every_later_change) {
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      random_log story(seed);
      for (int i = 0; i < 150; ++i) {
        story.write_one();
        story.one.reload();
      }
      story.one.check_replay();
      const auto log = story.read();
      BOOST_REQUIRE(log.size() > 2);
      chain_check chain;
      for (const auto& each : log) BOOST_REQUIRE(chain.take(each));
      BOOST_TEST((chain.entries() == story.one.s.entries && chain.head() == story.one.s.head));

      for (int i = 0; i < 60; ++i) {
        const std::size_t at = story.random() % log.size();
        auto changed = log;
        changed[at] = forged(story.random, log[at]);
        BOOST_REQUIRE(first_bad(changed) == at + 1);
        auto shorter = log;
        shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(at));
        const bool last = at + 1 == log.size();
        BOOST_REQUIRE(first_bad(shorter) == (last ? 0 : at + 1));
        chain_check cut_off;
        for (const auto& each : shorter) cut_off.take(each);
        BOOST_REQUIRE((!cut_off.sound() || cut_off.head() != story.one.s.head));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  const auto log = log_of(1);
  // What the digests cover is part of the format: a log written by an older build stays sound.
  BOOST_TEST(trial::hex(encode(look{})) == "9201920290");
  BOOST_TEST(trial::hex(encode(end{.action = 1, .status = 200})) == "920192019201ccc8");
  BOOST_TEST(std::get<begun>(log[0]).digest ==
             digest_of("", 1,
                       begun{.action = 1,
                             .at = timestamp_ms{duration_ms{1'000'000}},
                             .credential = "user:ann",
                             .as = role::admin,
                             .what = "PUT /api/orders/o1/status",
                             .request_id = "r1",
                             .digest = ""}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace audit_test
}  // namespace omnicart::audit
