#include "persistence/reader_pool.hpp"

#include <rocksdb/db.h>

#include <boost/test/unit_test.hpp>
#include <future>

#include "persistence/key_layout.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace reader_pool_test {

const entity_ref cart{"cart", "a"};

struct reading {
  manual_clock time;
  open_store node{options_on(std::make_shared<sim::fault_fs>(1)), time};

  void write(journal_item item) {
    node.journal->append(std::move(item));
    node.journal->flush_once();
  }
};

BOOST_FIXTURE_TEST_SUITE(reading_entities, reading)

BOOST_AUTO_TEST_CASE(an_entity_never_written_is_empty) {
  const auto loaded = node.reader->load_now(cart).value();
  BOOST_TEST(!loaded.state.has_value());
  BOOST_TEST(loaded.events.empty());
  BOOST_TEST(!loaded.timer.has_value());
}

BOOST_AUTO_TEST_CASE(history_comes_in_pages_oldest_first_without_the_timer) {
  auto item = events_item(cart, 1, 10);
  item.timer = timer_change{.before = {}, .after = at_ms(5)};
  write(item);
  write(events_item({"cart", "a2"}, 1, 3));
  std::vector<std::uint64_t> versions;
  for (std::uint64_t from = 1;;) {
    const auto page = node.reader->history_now(cart, from, 4).value();
    for (const auto& [version, record] : page) {
      BOOST_TEST((record == item.events[version - 1]));
      versions.push_back(version);
    }
    if (page.size() < 4) break;
    from = page.back().first + 1;
  }
  BOOST_TEST(versions.size() == 10u);
  BOOST_TEST(node.reader->history_now(cart, 1, 0).value().empty());
}

BOOST_AUTO_TEST_CASE(tables_and_memory_read_the_same) {
  write(events_item(cart, 1, 5));
  BOOST_TEST(node.data->flush().has_value());
  write(events_item(cart, 6, 5));
  BOOST_TEST(node.reader->load_now(cart).value().events.size() == 10u);
}

BOOST_AUTO_TEST_CASE(damage_is_told_to_whom_it_concerns_and_nothing_else_is) {
  std::vector<std::string> told;
  reader_pool pool(*node.data, {.executor = [](std::function<void()> read) { read(); },
                                .damaged = [&](const error& what) { told.push_back(what.detail); }});
  write(events_item(cart, 1, 5));
  pool.load(cart, [](auto found) { BOOST_TEST(found.has_value()); });
  BOOST_TEST(told.empty());
  node.data->db().Delete({}, node.data->of(family::events),
                         event_key(entity_prefix(node.data->shard_of(cart), cart), 3));
  pool.load(cart, [](auto found) { BOOST_TEST(!found.has_value()); });
  BOOST_TEST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told[0].find("version 3") != std::string::npos);
  pool.stop();
  pool.load(cart, [](auto found) { BOOST_TEST(!found.has_value()); });
  BOOST_TEST(told.size() == 1u);  // a refusal is no damage
}

BOOST_AUTO_TEST_CASE(a_missing_version_is_an_error_naming_it) {
  write(events_item(cart, 1, 5));
  node.data->db().Delete({}, node.data->of(family::events),
                         event_key(entity_prefix(node.data->shard_of(cart), cart), 3));
  const auto loaded = node.reader->load_now(cart);
  BOOST_TEST_REQUIRE(!loaded.has_value());
  BOOST_TEST(loaded.error().is(base_errc::io));
  BOOST_TEST(loaded.error().detail.find("cart/a, version 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_full_queue_answers_overloaded_and_a_stopped_pool_shutting_down) {
  reader_pool pool(*node.data, {.threads = 1, .queue_max = 2});
  std::promise<void> started;
  std::promise<void> release;
  pool.find_receipt(cart, {0, 1}, [&](const auto&) {
    started.set_value();
    release.get_future().wait();
  });
  started.get_future().wait();
  std::vector<std::optional<error>> answers(4);
  for (std::size_t i = 0; i < 3; ++i) {
    pool.find_receipt(cart, {0, 1}, [&answers, i](const auto& got) {
      if (!got) answers[i] = got.error();
    });
  }
  BOOST_TEST(pool.queued() == 2u);
  BOOST_TEST_REQUIRE(answers[2].has_value());
  BOOST_TEST(answers[2]->is(base_errc::overloaded));
  release.set_value();
  pool.stop();
  BOOST_TEST(pool.queued() == 0u);
  pool.load(cart, [&](const auto& got) { answers[3] = got.error(); });
  BOOST_TEST(answers[3]->is(base_errc::shutting_down));
}

BOOST_AUTO_TEST_CASE(what_lies_in_memory_is_loaded_at_once_and_the_rest_by_a_thread) {
  reader_pool pool(*node.data, {.threads = 0});
  std::optional<std::size_t> events;
  const auto load = [&] {
    events.reset();
    pool.load(cart, [&](const auto& got) {
      if (got) events = got->events.size();
    });
  };
  load();
  BOOST_TEST((events == std::size_t{0}));
  write(events_item(cart, 1, 3));
  load();
  BOOST_TEST((events == std::size_t{3}));
  BOOST_TEST_REQUIRE(node.data->flush().has_value());
  load();
  BOOST_TEST(!events.has_value());
  BOOST_TEST(pool.queued() == 1u);
}

BOOST_AUTO_TEST_CASE(its_threads_answer_loads_receipts_and_history) {
  auto item = events_item(cart, 1, 2);
  item.proof = receipt{.id = {0, 1}};
  write(item);
  reader_pool pool(*node.data, {});
  std::promise<std::size_t> events;
  std::promise<bool> found;
  std::promise<std::size_t> versions;
  pool.load(cart, [&](const auto& got) { events.set_value(got->events.size()); });
  pool.find_receipt(cart, {0, 1}, [&](const auto& got) { found.set_value(got->has_value()); });
  pool.history(cart, 2, 10, [&](const auto& got) { versions.set_value(got->size()); });
  BOOST_TEST(events.get_future().get() == 2u);
  BOOST_TEST(found.get_future().get());
  BOOST_TEST(versions.get_future().get() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace reader_pool_test
}  // namespace omnicart::persistence
