#include "cluster/copy/content_hash.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::cluster {
namespace content_hash_test {

using namespace omnicart::persistence;
using std::chrono::hours;

constexpr auto now = timestamp_ms{duration_ms{1'700'000'000'000}};
constexpr auto kept_long = now + hours(72);

struct two_replicas {
  void write(open_store& node, std::uint64_t version, std::string text,
             std::optional<timestamp_ms> receipt_until = kept_long) {
    journal_item item{.entity = cart, .first_version = version};
    item.events.push_back(event_at(now, std::move(text)));
    if (receipt_until) item.proof = receipt{.id = {1, version}, .expires_at = *receipt_until};
    node.journal->append(std::move(item));
    node.journal->flush_once();
  }
  content_hash hash(open_store& node, timestamp_ms at = now) {
    const auto found = hash_content(*node.data, node.data->shard_of(cart), at);
    BOOST_REQUIRE(found.has_value());
    return *found;
  }

  const entity_ref cart{"cart", "a"};
  manual_clock time;
  open_store one{options_on(std::make_shared<sim::fault_fs>(1)), time};
  open_store other{options_on(std::make_shared<sim::fault_fs>(2)), time};
};

BOOST_FIXTURE_TEST_SUITE(content_hashes, two_replicas)

BOOST_AUTO_TEST_CASE(the_same_content_has_the_same_hash_wherever_its_bytes_lie) {
  for (std::uint64_t i = 1; i <= 30; ++i) {
    write(one, i, std::string(100'000, 'a'));  // more than is read at once
    write(other, i, std::string(100'000, 'a'));
    if (i == 10) BOOST_TEST(other.data->flush().has_value());
  }
  BOOST_TEST((hash(one) == hash(other)));
  BOOST_TEST(hash(one).through == one.journal->last_index(one.data->shard_of(cart)));
  BOOST_TEST(hash(one).records == 60u);  // an event and a receipt each
}

BOOST_AUTO_TEST_CASE(what_was_written_more_or_otherwise_changes_it) {
  write(one, 1, "an event");
  write(other, 1, "an evenT");
  BOOST_TEST(hash(one).through == hash(other).through);
  BOOST_TEST(hash(one).hash != hash(other).hash);
  const auto before = hash(one);
  write(one, 2, "another");
  BOOST_TEST(hash(one).through == before.through + 1);
  BOOST_TEST(hash(one).hash != before.hash);
}

BOOST_AUTO_TEST_CASE(a_receipt_that_is_missing_changes_it_unless_it_may_go_soon) {
  write(one, 1, "an event", now + hours(1));
  write(other, 1, "an event", std::nullopt);
  BOOST_TEST((hash(one) == hash(other)));
  write(one, 2, "an event", kept_long);
  write(other, 2, "an event", std::nullopt);
  BOOST_TEST(hash(one).hash != hash(other).hash);
  BOOST_TEST((hash(one, kept_long) == hash(other, kept_long)));
}

BOOST_AUTO_TEST_CASE(an_empty_shard_has_no_records_and_none_that_is_not_here_has_a_hash) {
  BOOST_TEST(hash(one).records == 0u);
  const auto elsewhere = hash_content(*one.data, 99, now);
  BOOST_REQUIRE(!elsewhere.has_value());
  BOOST_TEST(elsewhere.error().is(base_errc::unavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace content_hash_test
}  // namespace omnicart::cluster
