#include "persistence/projection_store.hpp"

#include <boost/test/unit_test.hpp>

#include "persistence/shard_log.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace projection_store_test {

struct projecting {
  manual_clock time;
  open_store node{options_on(std::make_shared<sim::fault_fs>(1)), time};
  projection_store orders{*node.data, "orders"};
  projection_store others{*node.data, "order"};  // a name that begins the other

  static std::string keys(const projection_store& from, std::string_view first,
                          std::string_view end, bool backwards = false) {
    std::string seen;
    const auto visit = [&](std::string_view key, std::string_view) {
      seen += std::string(key) + ' ';
      return true;
    };
    const auto done = backwards ? from.scan_back(first, end, visit) : from.scan(first, end, visit);
    return done ? seen : done.error().detail;
  }
  void commit(std::uint64_t version) {
    node.journal->append(events_item({"cart", "x"}, version, 1));
    node.journal->flush_once();
  }
  std::uint16_t shard() const { return node.data->shard_of({"cart", "x"}); }
};

BOOST_FIXTURE_TEST_SUITE(projections, projecting)

BOOST_AUTO_TEST_CASE(rows_and_positions_are_written_together_and_listed_both_ways) {
  BOOST_TEST(
      orders.write({{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{.shard = 2, .index = 7}}).has_value());
  BOOST_TEST(others.write({{"z", "9"}}, {}).has_value());
  BOOST_TEST(orders.stored_position(2).value() == 7u);
  BOOST_TEST(orders.stored_position(1).value() == 0u);
  BOOST_TEST((orders.get("b").value() == "2"));
  BOOST_TEST(!orders.get("z").value().has_value());
  BOOST_TEST(keys(orders, "", "") == "a b c ");
  BOOST_TEST(keys(orders, "b", "") == "b c ");
  BOOST_TEST(keys(orders, "a", "c") == "a b ");
  BOOST_TEST(keys(orders, "", "", true) == "c b a ");
  BOOST_TEST(keys(others, "", "") == "z ");
  BOOST_TEST(orders.write({{"b", std::nullopt}}, {}).has_value());
  BOOST_TEST(keys(orders, "", "") == "a c ");
}

BOOST_AUTO_TEST_CASE(a_scan_ends_when_its_visitor_has_enough) {
  BOOST_TEST(orders.write({{"a", ""}, {"b", ""}}, {}).has_value());
  int visited = 0;
  BOOST_TEST(orders.scan("", "", [&](auto, auto) { return ++visited < 1; }).has_value());
  BOOST_TEST(visited == 1);
}

BOOST_AUTO_TEST_CASE(clearing_one_projection_leaves_the_others) {
  BOOST_TEST(orders.write({{"a", "1"}}, {{.shard = 0, .index = 5}}).has_value());
  BOOST_TEST(others.write({{"z", "9"}}, {{.shard = 0, .index = 6}}).has_value());
  BOOST_TEST(orders.clear().has_value());
  BOOST_TEST(keys(orders, "", "").empty());
  BOOST_TEST(orders.stored_position(0).value() == 0u);
  BOOST_TEST(keys(others, "", "") == "z ");
  BOOST_TEST(others.stored_position(0).value() == 6u);
}

BOOST_AUTO_TEST_CASE(the_log_reads_in_order_within_limits) {
  shard_log log(*node.data);
  const auto begun = node.journal->last_index(shard());  // who belongs to the shard, and its leader's first word
  BOOST_TEST(log.read(shard(), begun + 1, 10, 1'000).value().empty());
  for (std::uint64_t i = 1; i <= 5; ++i) commit(i);
  const auto two = log.read(shard(), begun + 2, 2, 1'000'000).value();
  BOOST_TEST_REQUIRE(two.size() == 2u);
  BOOST_TEST(two[0].index == begun + 2);
  BOOST_TEST(two[0].entry.items.at(0).first_version == 2u);
  BOOST_TEST(log.read(shard(), 1, 10, 1).value().size() == 1u);
  BOOST_TEST(log.read(shard(), begun + 6, 10, 1'000).value().empty());
}

BOOST_AUTO_TEST_CASE(the_log_is_cut_at_the_slowest_projection_and_keeps_its_last_entry) {
  shard_log log(*node.data);
  const auto begun = node.journal->last_index(shard());
  for (std::uint64_t i = 1; i <= 5 - begun; ++i) commit(i);
  BOOST_TEST(orders.write({}, {{.shard = shard(), .index = 4}}).has_value());
  BOOST_TEST(others.write({}, {{.shard = shard(), .index = 2}}).has_value());
  cut_consumed(*node.data, {"orders", "order"});
  BOOST_TEST(log.stored(shard()).value().first == 3u);
  const auto gone = log.read(shard(), 1, 10, 1'000);
  BOOST_TEST_REQUIRE(!gone.has_value());
  BOOST_TEST(gone.error().is(base_errc::not_found));
  BOOST_TEST(log.truncate(shard(), 100).has_value());
  BOOST_TEST(log.stored(shard()).value().first == 5u);
  commit(6 - begun);
  BOOST_TEST(node.journal->last_index(shard()) == 6u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace projection_store_test
}  // namespace omnicart::persistence
