#include <boost/test/unit_test.hpp>

#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace receipts_test {

const entity_ref cart{"cart", "a"};

BOOST_AUTO_TEST_SUITE(receipts)

BOOST_AUTO_TEST_CASE(a_receipt_leaves_after_its_time_and_never_before) {
  manual_clock time;
  auto disk = std::make_shared<sim::fault_fs>(1);
  open_store node(options_on(disk), time);
  const auto put = [&](std::uint64_t id, timestamp_ms expires) {
    node.journal->append({.entity = cart, .proof = receipt{.id = {0, id}, .expires_at = expires}});
  };
  put(1, time.now - duration_ms{1});
  put(2, time.now);
  put(3, time.now + duration_ms{1});
  node.journal->flush_once();
  const auto there = [&](std::uint64_t id) {
    return node.reader->find_receipt_now(cart, {0, id}).value().has_value();
  };
  BOOST_TEST(there(1));  // an expired one may be found still
  BOOST_TEST(node.data->compact_receipts().has_value());
  BOOST_TEST(!there(1));
  BOOST_TEST(there(2));
  BOOST_TEST(there(3));
  time.now += duration_ms{2};
  BOOST_TEST(node.data->compact_receipts().has_value());
  BOOST_TEST(!there(2));
  BOOST_TEST(!there(3));
  BOOST_TEST(node.data->receipts_estimate() == 0u);
}

BOOST_AUTO_TEST_CASE(memory_tells_most_absent_receipts_without_reading) {
  manual_clock time;
  auto disk = std::make_shared<sim::fault_fs>(1);
  open_store node(options_on(disk), time);
  using presence = entity_store::presence;
  BOOST_TEST((node.reader->receipt_presence(cart, {0, 1}) == presence::absent));
  for (std::uint64_t i = 1; i <= 100; ++i) {
    node.journal->append(
        {.entity = cart, .proof = receipt{.id = {0, i}, .expires_at = timestamp_ms::max()}});
  }
  node.journal->flush_once();
  BOOST_TEST((node.reader->receipt_presence(cart, {0, 1}) == presence::present));
  BOOST_TEST(node.data->flush().has_value());
  int absent = 0;
  for (std::uint64_t i = 1; i <= 1'000; ++i) {
    if (i <= 100) BOOST_TEST((node.reader->receipt_presence(cart, {0, i}) != presence::absent));
    absent += node.reader->receipt_presence(cart, {1, i}) == presence::absent;
  }
  BOOST_TEST(absent > 900);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace receipts_test
}  // namespace omnicart::persistence
