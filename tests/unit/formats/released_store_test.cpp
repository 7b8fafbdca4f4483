#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "actors/cart/cart_kind.hpp"
#include "actors/email/email_kind.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/product/product_kind.hpp"
#include "actors/session/session_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "actors/user/user_kind.hpp"
#include "persistence/entity_scan.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/reader_pool.hpp"
#include "persistence/store.hpp"
#include "persistence/verify.hpp"
#include "runtime/kind.hpp"
#include "tests/unit/source_dir.hpp"

// The stores in tests/data, one of each released format (made by tests/data/make_store.py): what an
// older build wrote is read for ever.
namespace omnicart {
namespace released_store_test {

namespace files = std::filesystem;
using nlohmann::json;

const kind_registry kinds({kind_of<cart::kind>(), kind_of<email::kind>(), kind_of<order::kind>(),
                           kind_of<product::kind>(), kind_of<session::kind>(), kind_of<stock::kind>(),
                           kind_of<user::kind>()});
constexpr const char* kind_names[] = {"cart", "email", "order", "product", "session", "stock", "user"};

// The moment the store was made: receipts expire by this clock.
struct fixed_clock final : clock {
  timestamp_ms now;
  timestamp_ms wall() const override { return now; }
  duration_ms monotonic() const override { return duration_ms{0}; }
};

// A copy of a store in tests/data, and what was told of it when it was made.
class released_store {
 public:
  explicit released_store(const files::path& from)
      : place_(files::temp_directory_path() / ("omnicart-formats." + std::to_string(::getpid()))) {
    files::remove_all(place_);
    files::create_directories(place_);
    files::copy(from / "db", place_ / "db", files::copy_options::recursive);
    told = json::parse(std::ifstream(from / "entities.json"));
    time_.now = timestamp_ms{duration_ms{told["made_at_ms"].get<std::int64_t>()}};
  }
  ~released_store() {
    data_.reset();
    files::remove_all(place_);
  }

  std::string directory() const { return place_; }
  persistence::store& open() {
    auto opened = persistence::store::open({.directory = place_, .memtable_bytes = std::size_t{4} << 20}, time_);
    BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    data_ = std::move(*opened);
    return *data_;
  }

  json told;

 private:
  files::path place_;
  fixed_clock time_;
  std::unique_ptr<persistence::store> data_;
};

std::vector<files::path> released_stores() {
  std::vector<files::path> found;
  for (const auto& each : files::directory_iterator(std::string(omnicart::trial::source_dir) + "/tests/data")) {
    if (each.path().filename().string().starts_with("store-format-")) found.push_back(each.path());
  }
  return found;
}

// Later builds may know more of a record than was told of it, never less or something else.
bool says_at_least(const json& now, const json& then) {
  if (then.is_object() && !now.is_object()) return false;
  if (then.is_object()) {
    for (auto at = then.begin(); at != then.end(); ++at) {
      if (!now.contains(at.key()) || !says_at_least(now[at.key()], at.value())) return false;
    }
    return true;
  }
  if (!then.is_array()) return now == then;
  if (!now.is_array() || now.size() != then.size()) return false;
  for (std::size_t i = 0; i < then.size(); ++i) {
    if (!says_at_least(now[i], then[i])) return false;
  }
  return true;
}

std::unique_ptr<entity> blank(const entity_ref& of) {
  const auto* kind = kinds.find(of.kind);
  BOOST_REQUIRE(kind != nullptr);
  return kind->make();
}

// As it is activated: the snapshot, and the events after it.
json activated(const persistence::reader_pool& reader, const entity_ref& of, std::uint64_t& version) {
  const auto stored = reader.load_now(of);
  BOOST_REQUIRE_MESSAGE(stored.has_value(), (stored ? "" : stored.error().detail));
  auto state = blank(of);
  version = 0;
  if (stored->state) {
    BOOST_REQUIRE(state->restore(stored->state->state).has_value());
    version = stored->state->version;
  }
  for (const auto& record : stored->events) {
    BOOST_REQUIRE(state->replay(record.event).has_value());
    ++version;
  }
  state->check_full();
  return json::parse(state->describe());
}

// From its first event on, for kinds that keep their history.
json from_the_beginning(const persistence::reader_pool& reader, const entity_ref& of) {
  const auto events = reader.history_now(of, 1, 1'000);
  BOOST_REQUIRE(events.has_value());
  auto state = blank(of);
  for (const auto& [version, record] : *events) {
    BOOST_REQUIRE(state->replay(record.event).has_value());
    BOOST_TEST(json::accept(*kinds.find(of.kind)->describe_event(record.event)));
  }
  return json::parse(state->describe());
}

BOOST_AUTO_TEST_SUITE(formats)

BOOST_AUTO_TEST_CASE(there_is_a_store_of_every_format_up_to_this_builds) {
  std::set<std::string> names;
  for (const auto& path : released_stores()) names.insert(path.filename());
  for (std::uint32_t format = 1; format <= persistence::format_version; ++format) {
    BOOST_TEST(names.contains("store-format-" + std::to_string(format)), "format " << format);
  }
}

BOOST_AUTO_TEST_CASE(a_released_store_is_sound_to_this_build) {
  for (const auto& path : released_stores()) {
    const released_store made(path);
    const auto report = persistence::verify(made.directory());
    BOOST_REQUIRE(report.has_value());
    for (const auto& problem : report->problems) BOOST_ERROR(path << ": " << problem.where << ": " << problem.what);
    BOOST_TEST(report->entities == made.told["entities"].size());
    // Both ways a record can be at rest.
    BOOST_TEST(report->table_files > 0u);
    BOOST_TEST(report->wal_records > 0u);
  }
}

BOOST_AUTO_TEST_CASE(every_entity_of_a_released_store_reads_back) {
  for (const auto& path : released_stores()) {
    released_store made(path);
    const persistence::reader_pool reader(made.open(), {.executor = [](std::function<void()> read) { read(); }});
    const json& entities = made.told["entities"];
    for (auto at = entities.begin(); at != entities.end(); ++at) {
      BOOST_TEST_CONTEXT(path.filename() << " " << at.key()) {
        const json& told = at.value();
        const auto of = entity_ref::parse(at.key()).value();
        std::uint64_t version = 0;
        const json now = activated(reader, of, version);
        BOOST_TEST(version == told["version"].get<std::uint64_t>());
        BOOST_TEST(says_at_least(now, told["state"]), now << " for " << told["state"]);
        if (!kinds.find(of.kind)->keep_history) continue;
        const json again = from_the_beginning(reader, of);
        BOOST_TEST(says_at_least(again, told["state"]), again << " for " << told["state"]);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_released_store_has_entities_of_every_kind_and_none_untold) {
  for (const auto& path : released_stores()) {
    released_store made(path);
    auto& data = made.open();
    persistence::entity_scan scan(data);
    const persistence::reader_pool reader(data, {.executor = [](std::function<void()> read) { read(); }});
    for (const char* kind : kind_names) {
      std::size_t count = 0, snapshots = 0;
      for (std::uint16_t shard = 0; shard < data.shard_count(); ++shard) {
        const auto ids = scan.ids(kind, shard, "", 10'000).value();
        for (const auto& id : ids) {
          const entity_ref of{kind, id};
          BOOST_TEST(made.told["entities"].contains(of.str()), of.str());
          snapshots += reader.load_now(of)->state.has_value();
          ++count;
        }
      }
      BOOST_TEST(count > 0u, kind);
      // An address lives and ends with one event each.
      BOOST_TEST((snapshots > 0 || std::string_view(kind) == "email"), "no snapshot of a " << kind);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_command_that_ran_in_a_released_store_is_known_to_have_run) {
  for (const auto& path : released_stores()) {
    released_store made(path);
    const persistence::reader_pool reader(made.open(), {.executor = [](std::function<void()> read) { read(); }});
    const json& told = made.told["receipt"];
    const auto id = digest_128({"key", told["owner"].get<std::string>(), told["key"].get<std::string>()});
    const auto found = reader.find_receipt_now(entity_ref::parse(told["entity"].get<std::string>()).value(), id);
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->has_value());
    BOOST_TEST((*found)->refused == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace released_store_test
}  // namespace omnicart
