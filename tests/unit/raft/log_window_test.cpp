#include "cluster/raft/log_window.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace omnicart::raft {
namespace log_window_test {

log_entry entry(log_index index, term_number term, const std::string& bytes = "x") {
  return {.index = index, .term = term, .bytes = std::make_shared<const std::string>(bytes)};
}

log_window window_of(const std::vector<term_number>& terms) {
  log_window window(1 << 20);
  window.reset(1, 0, 0);
  for (std::size_t i = 0; i < terms.size(); ++i) window.append(entry(i + 1, terms[i]));
  return window;
}

BOOST_AUTO_TEST_SUITE(raft_log_window)

BOOST_AUTO_TEST_CASE(terms_are_known_for_all_entries_and_the_end_of_the_snapshot) {
  auto window = window_of({1, 1, 2, 4});
  BOOST_TEST(window.last_index() == 4);
  window.cut(2, 3, 2);
  const std::vector<term_number> expected{0, 0, 0, 2, 4, 0};
  for (log_index i = 0; i < expected.size(); ++i) BOOST_TEST(window.term_at(i) == expected[i]);
  window.cut(4, 4, 4);
  BOOST_TEST(window.last_index() == 4);
  BOOST_TEST(window.first_index() == 5);
  BOOST_TEST(window.term_at(4) == 4);
  BOOST_TEST(window.term_at(3) == 0);
}

BOOST_AUTO_TEST_CASE(an_empty_log_begins_behind_its_snapshot) {
  log_window window(100);
  window.reset(8, 7, 3);
  BOOST_TEST(window.last_index() == 7);
  BOOST_TEST(window.term_at(7) == 3);
  window.append(entry(8, 3));
  BOOST_TEST(window.last_index() == 8);
}

BOOST_AUTO_TEST_CASE(truncated_entries_are_forgotten) {
  auto window = window_of({1, 1, 2, 2});
  window.truncate(4);
  BOOST_TEST(window.term_at(3) == 2);
  window.truncate(2);
  BOOST_TEST(window.last_index() == 1);
  BOOST_TEST(window.term_at(2) == 0);
  BOOST_TEST(!window.entries(1, 2).has_value());
  window.append(entry(2, 5));
  BOOST_TEST(window.entries(1, 2)->back().term == 5);
  window.truncate(1);
  BOOST_TEST(window.last_index() == 0);
  BOOST_TEST(window.bytes() == 0);
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_but_for_what_no_disk_has) {
  log_window window(10 * (sizeof(log_entry) + 1));
  window.reset(1, 0, 0);
  for (log_index i = 1; i <= 100; ++i) window.append(entry(i, 1));
  window.shrink(0);
  BOOST_TEST(window.entries(1, 100).has_value());
  window.shrink(50);
  BOOST_TEST(!window.entries(50, 1).has_value());
  BOOST_TEST(window.entries(51, 50).has_value());
  window.shrink(100);
  BOOST_TEST(!window.entries(90, 1).has_value());
  BOOST_TEST(window.entries(91, 10).has_value());
  BOOST_TEST(window.term_at(1) == 1);
}

BOOST_AUTO_TEST_CASE(entries_are_given_whole_or_not_at_all) {
  auto window = window_of({1, 1, 2});
  BOOST_TEST(window.entries(2, 2)->size() == 2);
  BOOST_TEST(window.entries(2, 2)->front().index == 2);
  BOOST_TEST(!window.entries(2, 3).has_value());
  BOOST_TEST(!window.entries(4, 1).has_value());
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_plain_list_whatever_is_done) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](log_index low, log_index high) {
    return low + random() % (high - low + 1);
  };
  log_window window(40 * sizeof(log_entry));
  window.reset(1, 0, 0);
  std::vector<term_number> terms;  // of the entries from `first` on
  log_index first = 1;
  term_number term = 1;
  for (int step = 0; step < 20'000; ++step) {
    const log_index last = first + terms.size() - 1;
    const auto what = pick(0, 9);
    if (what < 6) {
      if (pick(0, 4) == 0) ++term;
      window.append(entry(last + 1, term));
      terms.push_back(term);
    } else if (what == 6 && !terms.empty()) {
      const auto from = pick(std::max(first, last - std::min<log_index>(last, 3)), last);
      window.truncate(from);
      terms.resize(from - first);
    } else if (what == 7 && terms.size() > 5) {
      const auto index = pick(first, first + 4);
      window.cut(index, index, window.term_at(index));
      terms.erase(terms.begin(), terms.begin() + static_cast<std::ptrdiff_t>(index - first + 1));
      first = index + 1;
    } else if (what == 8) {
      window.shrink(last);
    }
    BOOST_REQUIRE_EQUAL(window.first_index(), first);
    BOOST_REQUIRE_EQUAL(window.last_index(), first + terms.size() - 1);
    for (std::size_t i = 0; i < terms.size(); i += 1 + terms.size() / 8) {
      BOOST_REQUIRE_EQUAL(window.term_at(first + i), terms[i]);
      const auto got = window.entries(first + i, 1);
      if (got) BOOST_REQUIRE_EQUAL(got->front().term, terms[i]);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace log_window_test
}  // namespace omnicart::raft
