#include "cluster/recent_commands.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

namespace omnicart::cluster {
namespace recent_commands_test {

constexpr duration_ms start{1'000'000};

command_id id_of(std::uint64_t number) { return {number, 7}; }
receipt proof_of(std::uint64_t number, std::size_t bytes = 0) {
  receipt proof{.id = id_of(number), .body = number};
  proof.data = std::string(bytes, 'x');
  return proof;
}

struct from_start {
  from_start() { recent.begin(start); }
  bool has(duration_ms now, std::uint64_t number) const { return recent.find(now, id_of(number)).proof.has_value(); }
  duration_ms reach(duration_ms now) const { return recent.find(now, {}).reach; }
  recent_commands recent;
};

BOOST_FIXTURE_TEST_SUITE(recent_commands_of_a_shard, from_start)

BOOST_AUTO_TEST_CASE(what_was_added_is_found_with_all_that_it_says) {
  const timestamp_ms expires{duration_ms{5}};
  const receipt refused{
      .id = id_of(1), .body = 9, .expires_at = expires, .refused = 201, .detail = "d", .data = "x"};
  recent.add(start, refused);
  recent.add(start + duration_ms{1}, proof_of(2, 30));
  BOOST_TEST((recent.find(start + duration_ms{1}, id_of(1)).proof == refused));
  BOOST_TEST((recent.find(start + duration_ms{1}, id_of(2)).proof == proof_of(2, 30)));
}

BOOST_AUTO_TEST_CASE(an_id_that_was_not_added_is_not_found) {
  BOOST_TEST(!has(start, 1));
  recent.add(start, proof_of(1));
  for (const command_id other : {command_id{}, command_id{1, 8}, command_id{2, 7}, command_id{7, 1}}) {
    const auto known = recent.find(start + duration_ms{3}, other);
    BOOST_TEST(!known.proof.has_value());
    BOOST_TEST((known.reach == duration_ms{3}));
  }
}

BOOST_AUTO_TEST_CASE(it_reaches_back_to_its_beginning_and_a_new_beginning_forgets) {
  recent.add(start, proof_of(1));
  recent.add(start + duration_ms{5}, proof_of(2));
  BOOST_TEST((reach(start) == duration_ms{0}));
  BOOST_TEST((reach(start + duration_ms{90'000}) == duration_ms{90'000}));  // nothing went meanwhile
  BOOST_TEST((reach(start - duration_ms{1}) == duration_ms{0}));            // never less than nothing
  const auto again = start + duration_ms{90'000};
  recent.begin(again);
  BOOST_TEST(!has(again, 1));
  BOOST_TEST(!has(again, 2));
  BOOST_TEST((reach(again) == duration_ms{0}));
  BOOST_TEST((reach(again + duration_ms{7}) == duration_ms{7}));
  recent.add(again, proof_of(3));
  BOOST_TEST(has(again, 3));
}

BOOST_AUTO_TEST_CASE(what_is_too_old_goes_when_something_is_added_and_the_reach_says_so) {
  const auto later = start + duration_ms{10'000};
  recent.add(start, proof_of(1));
  recent.add(later, proof_of(2));
  const auto end = start + recent_commands::kept_for;
  recent.add(end, proof_of(3));
  BOOST_TEST(has(end, 1));  // just so old
  BOOST_TEST((reach(end) == recent_commands::kept_for));
  BOOST_TEST(has(end + duration_ms{1}, 1));  // nothing was added
  recent.add(end + duration_ms{1}, proof_of(4));
  BOOST_TEST(!has(end + duration_ms{1}, 1));
  BOOST_TEST((reach(end + duration_ms{1}) == recent_commands::kept_for + duration_ms{1}));  // all after `start`
  const auto at_last = later + recent_commands::kept_for + duration_ms{1};
  recent.add(at_last, proof_of(5));
  BOOST_TEST(!has(at_last, 2));
  BOOST_TEST((reach(at_last) == at_last - later));
  for (const std::uint64_t kept : {3U, 4U, 5U}) BOOST_TEST(has(at_last, kept));
}

// Twice as much as there is room for, by number and by size.
BOOST_AUTO_TEST_CASE(however_much_comes_the_newest_are_known_and_the_reach_is_true) {
  constexpr std::size_t large = 10'000;
  constexpr std::size_t most_large = recent_commands::bytes_max / large;
  const struct {
    const char* why;
    std::uint64_t count;
    std::size_t bytes;
    std::size_t kept_least;
    std::size_t kept_most;
  } rows[] = {
      {"many", 2 * recent_commands::count_max, 0, 2'000, recent_commands::count_max},
      {"large", 2 * most_large, large, most_large / 2, most_large},
      {"each too large to be kept", 3, recent_commands::bytes_max + 1, 0, 0},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.why) {
      recent_commands recent;
      recent.begin(start);
      const auto added_at = [](std::uint64_t number) { return start + duration_ms{number / 3}; };  // several in a moment
      for (std::uint64_t i = 1; i <= row.count; ++i) recent.add(added_at(i), proof_of(i, row.bytes));
      const auto now = added_at(row.count) + duration_ms{2};
      const auto known = [&](std::uint64_t number) { return recent.find(now, id_of(number)).proof.has_value(); };
      const auto reach = recent.find(now, {}).reach;
      std::uint64_t first_kept = row.count + 1;
      while (first_kept > 1 && known(first_kept - 1)) --first_kept;
      const auto kept = row.count + 1 - first_kept;
      BOOST_TEST(kept >= row.kept_least);
      BOOST_TEST(kept <= row.kept_most);
      BOOST_TEST_REQUIRE(first_kept > 1u);
      for (std::uint64_t i = 1; i < first_kept; ++i) {
        BOOST_TEST_REQUIRE(!known(i));
        BOOST_TEST_REQUIRE((reach <= now - added_at(i)), i);
      }
      BOOST_TEST((reach == now - added_at(first_kept - 1)));
      if (kept > 0) BOOST_TEST((recent.find(now, id_of(row.count)).proof == proof_of(row.count, row.bytes)));
    }
  }
}

// A copy that an earlier leader had executed as well would be one: the later counts, as in a store of receipts.
BOOST_AUTO_TEST_CASE(of_two_proofs_with_one_id_the_later_counts_and_outlives_the_other) {
  recent.add(start, proof_of(1, 1));
  const auto later = start + duration_ms{10};
  recent.add(later, proof_of(1, 2));
  BOOST_TEST((recent.find(later, id_of(1)).proof == proof_of(1, 2)));
  const auto end = later + recent_commands::kept_for;
  recent.add(end, proof_of(2));  // the older goes
  BOOST_TEST((recent.find(end, id_of(1)).proof == proof_of(1, 2)));
  recent.add(end + duration_ms{1}, proof_of(3));
  BOOST_TEST(!has(end + duration_ms{1}, 1));
  BOOST_TEST(has(end + duration_ms{1}, 2));
}

BOOST_AUTO_TEST_CASE(a_node_with_many_shards_keeps_less_of_each) {
  recent.bound(1'000);
  for (std::uint64_t number = 1; number <= 9; ++number) recent.add(start + duration_ms(number), proof_of(number, 90));
  BOOST_TEST(has(start, 9));
  BOOST_TEST(has(start, 6));
  BOOST_TEST(!has(start, 5));
  BOOST_TEST((reach(start + duration_ms{9}) == duration_ms{4}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace recent_commands_test
}  // namespace omnicart::cluster
