#include "persistence/projection_runner.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <future>
#include <map>
#include <memory>
#include <string>

#include "persistence/projection_store.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::persistence {
namespace projection_runner_test {

// Counts the events of each cart.
class cart_counts final : public projection {
 public:
  explicit cart_counts(std::uint32_t format) : format_(format) {}

  std::string_view name() const override { return "counts"; }
  bool wants(std::string_view kind) const override { return kind == "cart"; }
  std::uint32_t format() const override { return format_; }
  void open(projection_rows&) override {}
  void apply(const entity_ref& entity, std::uint64_t version, const event_record&,
             projection_rows& rows) override {
    rows.put(prefix() + entity.id, std::to_string(version));
  }
  std::string prefix() const { return "v" + std::to_string(format_) + '/'; }

 private:
  std::uint32_t format_;
};

// What each cart's snapshot says, then the versions of the events behind it.
class cart_states final : public projection, public snapshot_reader {
 public:
  explicit cart_states(std::uint32_t format) : format_(format) {}

  std::string_view name() const override { return "states"; }
  bool wants(std::string_view kind) const override { return kind == "cart"; }
  std::uint32_t format() const override { return format_; }
  void open(projection_rows&) override {}
  void apply(const entity_ref& entity, std::uint64_t version, const event_record&, projection_rows& rows) override {
    rows.put("c" + entity.id, rows.get("c" + entity.id).value_or("") + '+' + std::to_string(version));
  }
  void restore(const entity_ref& entity, std::string_view state, projection_rows& rows) override {
    rows.put("c" + entity.id, std::string(state));
  }

 private:
  std::uint32_t format_;
};

// Every row, in order.
std::string rows_of(store& data, projection& what) {
  projection_runner runner(data, what, {});
  BOOST_REQUIRE(runner.start().has_value());
  std::promise<std::string> seen;
  runner.query(
      [&](projection_rows& rows) {
        std::string all;
        rows.scan("a", "", [&](std::string_view key, std::string_view value) {
          all += std::string(key) + '=' + std::string(value) + ' ';
          return true;
        });
        seen.set_value(all);
      },
      [&](const error& why) { seen.set_value(why.detail); });
  std::string found = seen.get_future().get();
  runner.stop();
  return found;
}

struct counting {
  manual_clock time;
  std::shared_ptr<sim::fault_fs> disk = std::make_shared<sim::fault_fs>(1);
  open_store node{options_on(disk), time};

  void commit(const char* kind, const std::string& id, std::uint64_t version) {
    node.journal->append(events_item({kind, id}, version, 1));
    node.journal->flush_once();
  }
  // As a projection of this format reads them after a start.
  std::string rows_of(std::uint32_t format) {
    cart_counts counts(format);
    return projection_runner_test::rows_of(*node.data, counts);
  }
  // One event more, and a snapshot that says so; the events before it go.
  void snapshot_at(const char* kind, const std::string& id, std::uint64_t version) {
    auto item = events_item({kind, id}, version, 1);
    item.state = snapshot{.version = version, .state = id + '@' + std::to_string(version)};
    item.cut_from = 1;
    item.cut_through = version;
    node.journal->append(std::move(item));
    node.journal->flush_once();
  }
};

BOOST_FIXTURE_TEST_SUITE(projection_runners, counting)

BOOST_AUTO_TEST_CASE(rows_of_another_format_are_made_anew_from_what_the_log_has_forgotten) {
  for (const char* id : {"a", "b"}) {
    for (std::uint64_t version = 1; version <= 3; ++version) commit("cart", id, version);
    commit("session", id, 1);
    commit("alpha", id, 1);
  }
  BOOST_TEST(rows_of(1) == "v1/a=3 v1/b=3 ");
  cut_consumed(*node.data, {"counts"});
  BOOST_TEST(rows_of(1) == "v1/a=3 v1/b=3 ");
  BOOST_TEST(rows_of(2) == "v2/a=3 v2/b=3 ");
  // Not again, and on from there.
  cut_consumed(*node.data, {"counts"});
  commit("cart", "a", 4);
  BOOST_TEST(rows_of(2) == "v2/a=4 v2/b=3 ");
  // An older build makes its own.
  BOOST_TEST(rows_of(1) == "v1/a=4 v1/b=3 ");
}

BOOST_AUTO_TEST_CASE(rows_made_anew_include_what_the_log_had_not_told_yet) {
  commit("cart", "a", 1);
  BOOST_TEST(rows_of(1) == "v1/a=1 ");
  commit("cart", "a", 2);
  commit("cart", "b", 1);
  BOOST_TEST(rows_of(2) == "v2/a=2 v2/b=1 ");
}

// What one of several voters has in its log beyond may come, or be replaced: rows made anew do not say that they have it.
BOOST_AUTO_TEST_CASE(rows_made_anew_stand_where_the_log_is_committed_not_where_it_ends) {
  for (std::uint64_t version = 1; version <= 3; ++version) commit("cart", "a", version);
  cart_counts counts(2);
  projection_runner runner(*node.data, counts, {}, [](std::uint16_t) { return std::uint64_t{2}; });
  BOOST_TEST_REQUIRE(runner.start().has_value());
  runner.stop();
  projection_store table(*node.data, std::string(counts.name()));
  std::uint64_t furthest = 0;
  for (std::uint16_t shard = 0; shard < node.data->group_count(); ++shard) {
    furthest = std::max(furthest, table.stored_position(shard).value());
  }
  BOOST_TEST(furthest == 2);
}

BOOST_AUTO_TEST_CASE(a_fresh_store_has_the_format_of_its_first_build) {
  BOOST_TEST(rows_of(2) == "");
  commit("cart", "a", 1);
  BOOST_TEST(rows_of(2) == "v2/a=1 ");
}

BOOST_AUTO_TEST_CASE(rows_of_kinds_without_history_are_made_anew_from_snapshots_and_what_follows_them) {
  for (const char* id : {"a", "b", "c"}) {
    for (std::uint64_t version = 1; version <= 2; ++version) commit("cart", id, version);
    commit("session", id, 1);
  }
  snapshot_at("cart", "a", 3);
  snapshot_at("cart", "b", 3);
  snapshot_at("session", "a", 2);
  commit("cart", "b", 4);
  cart_states first(1), second(2);
  BOOST_TEST(projection_runner_test::rows_of(*node.data, first) == "ca=+1+2+3 cb=+1+2+3+4 cc=+1+2 ");
  cut_consumed(*node.data, {"states"});
  BOOST_TEST(projection_runner_test::rows_of(*node.data, second) == "ca=a@3 cb=b@3+4 cc=+1+2 ");
  // Who is none of their readers has what is kept.
  BOOST_TEST(rows_of(2) == "v2/b=4 v2/c=2 ");
}

BOOST_AUTO_TEST_CASE(a_projection_that_an_older_store_does_not_know_is_made_from_its_snapshots) {
  commit("cart", "a", 1);
  snapshot_at("cart", "a", 2);
  BOOST_TEST(rows_of(1) == "v1/a=2 ");
  cut_consumed(*node.data, {"counts"});
  cart_states states(1);
  BOOST_TEST(projection_runner_test::rows_of(*node.data, states) == "ca=a@2 ");
}

BOOST_AUTO_TEST_CASE(rows_are_made_anew_while_the_runner_goes_on) {
  commit("cart", "a", 1);
  commit("cart", "b", 1);
  cart_counts counts(1);
  projection_runner runner(*node.data, counts, {});
  BOOST_REQUIRE(runner.start().has_value());
  std::promise<bool> spoilt;
  runner.query(
      [&](projection_rows& rows) {
        rows.put("v1/a", "wrong");
        rows.put("v1/zzz", "never was");
        spoilt.set_value(true);
      },
      [&](const error&) { spoilt.set_value(false); });
  BOOST_TEST(spoilt.get_future().get());
  std::promise<status> made;
  runner.rebuild([&](status done) { made.set_value(std::move(done)); });
  BOOST_TEST(made.get_future().get().has_value());
  runner.stop();
  BOOST_TEST(rows_of(1) == "v1/a=1 v1/b=1 ");
  commit("cart", "a", 2);
  BOOST_TEST(rows_of(1) == "v1/a=2 v1/b=1 ");
}

BOOST_AUTO_TEST_CASE(a_rebuild_of_a_runner_that_has_stopped_is_refused) {
  cart_counts counts(1);
  projection_runner runner(*node.data, counts, {});
  BOOST_REQUIRE(runner.start().has_value());
  runner.stop();
  error why;
  runner.rebuild([&](const status& done) { why = done.error(); });
  BOOST_TEST(why.is(base_errc::shutting_down));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace projection_runner_test
}  // namespace omnicart::persistence
