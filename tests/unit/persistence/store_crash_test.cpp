#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "persistence/verify.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

// Random operations against a model in memory, on a disk that fails, from a seed. OMNICART_SEED=n
// runs one seed, OMNICART_SEEDS=n that many.
namespace omnicart::persistence {
namespace store_crash_test {

struct model_entity {
  std::uint64_t version = 0;
  std::uint64_t snapshot_version = 0;  // 0: none
  std::optional<timestamp_ms> timer;
  std::vector<event_record> events;  // all there ever were
  std::vector<command_id> receipts;

  friend bool operator==(const model_entity&, const model_entity&) = default;
};
using model = std::map<std::string, model_entity>;

class crash_story {
 public:
  explicit crash_story(std::uint64_t seed)
      : random_(seed), disk_(std::make_shared<sim::fault_fs>(seed)) {
    reopen();
  }

  void run() {
    for (int life = 0; life < 6; ++life) {
      plan_fault();
      for (int step = 0; step < 40 && node_->fatal.empty(); ++step) act();
      crash();
    }
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  void reopen() { node_.emplace(options_on(disk_), time_); }

  void plan_fault() {
    switch (below(5)) {
      case 0:
        return disk_->fail_sync(1 + below(30));
      case 1:
        return disk_->limit_space(below(20'000));
      case 2:
        return disk_->cut_power(1 + below(120));
      default:
        return;
    }
  }

  void act() {
    time_.now += duration_ms{static_cast<std::int64_t>(below(5)) - 1};
    const auto roll = below(100);
    if (roll < 70) return append();
    if (roll < 97) {
      node_->journal->flush_once();
    } else {
      static_cast<void>(node_->data->flush());
    }
  }

  void append() {
    const std::string id = "e" + std::to_string(below(12));
    auto& entity = latest_[id];
    journal_item item{.entity = {"cart", id}, .first_version = entity.version + 1};
    for (auto n = below(4); n > 0; --n) {
      item.events.push_back(
          event_at(node_->journal->log_time(item.entity), std::string(below(200), 'e')));
      entity.events.push_back(item.events.back());
      ++entity.version;
    }
    if (below(3) == 0) {
      item.proof = receipt{.id = {++commands_, 1}, .expires_at = timestamp_ms::max()};
      entity.receipts.push_back(item.proof->id);
    }
    if (below(3) == 0) {
      item.timer = timer_change{.before = entity.timer, .after = {}};
      if (below(3) > 0)
        item.timer->after = time_.now + duration_ms{static_cast<std::int64_t>(below(100))};
      entity.timer = item.timer->after;
    }
    if (below(6) == 0 && entity.version > 0) {
      item.state = snapshot{.version = entity.version, .state = std::to_string(entity.version)};
      if (below(2) == 0) {
        item.cut_from = 1;
        item.cut_through = entity.version;
      }
      entity.snapshot_version = entity.version;
    }
    const auto number = ++appended_;
    history_.emplace_back(number, latest_);
    item.done = [this, number](const status& outcome) {
      BOOST_TEST(acknowledged_ < number);
      BOOST_TEST(!(outcome && failed_));  // no success after a failure
      if (outcome) acknowledged_ = number;
      failed_ = failed_ || !outcome;
    };
    node_->journal->append(std::move(item));
  }

  void crash() {
    auto image = disk_->crash();
    node_.reset();
    disk_ = std::make_shared<sim::fault_fs>(random_(), std::move(image));
    const auto report = verify("/data", disk_).value();
    for (const auto& [where, what] : report.problems) BOOST_TEST_ERROR(where << ": " << what);
    reopen();
    recover_model();
    failed_ = false;
  }

  // What is on disk must be the state after some item, not before the last one acknowledged.
  void recover_model() {
    const auto found = std::find_if(history_.begin(), history_.end(), [this](const auto& point) {
      return point.first >= acknowledged_ && matches(point.second);
    });
    BOOST_TEST_REQUIRE((found != history_.end()),
                       "after item " << acknowledged_ << " of " << appended_);
    const auto kept = *found;
    latest_ = kept.second;
    history_ = {kept};
    appended_ = acknowledged_ = kept.first;
  }

  // Every entity ever touched is as the model says: no event, snapshot, timer or receipt more or
  // less.
  bool matches(const model& expected) const {
    return std::all_of(latest_.begin(), latest_.end(), [&](const auto& touched) {
      const auto found = expected.find(touched.first);
      return matches({"cart", touched.first},
                     found == expected.end() ? model_entity() : found->second,
                     touched.second.receipts);
    });
  }

  bool matches(const entity_ref& name, const model_entity& entity,
               const std::vector<command_id>& issued) const {
    const auto stored = node_->reader->load_now(name).value();
    if (stored.timer != entity.timer || stored.state.has_value() != (entity.snapshot_version > 0))
      return false;
    if (stored.state && stored.state->version != entity.snapshot_version) return false;
    const std::vector<event_record> after(
        entity.events.begin() + static_cast<std::ptrdiff_t>(entity.snapshot_version),
        entity.events.end());
    return stored.events == after && std::all_of(issued.begin(), issued.end(), [&](auto id) {
             const bool there = node_->reader->find_receipt_now(name, id).value().has_value();
             return there == (std::count(entity.receipts.begin(), entity.receipts.end(), id) > 0);
           });
  }

  std::mt19937_64 random_;
  manual_clock time_;
  std::shared_ptr<sim::fault_fs> disk_;
  std::optional<open_store> node_;
  model latest_;
  std::vector<std::pair<ticket, model>> history_{{0, {}}};  // after each item since the last crash
  ticket appended_ = 0;
  ticket acknowledged_ = 0;
  std::uint64_t commands_ = 0;
  bool failed_ = false;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

BOOST_AUTO_TEST_SUITE(store_under_crashes)

BOOST_AUTO_TEST_CASE(nothing_acknowledged_is_lost_and_nothing_is_half_there) {
  const auto one = from_environment("OMNICART_SEED", 0);
  const auto first = one != 0 ? one : 1;
  const auto last = one != 0 ? one : from_environment("OMNICART_SEEDS", 60);
  for (auto seed = first; seed <= last; ++seed) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) { crash_story(seed).run(); }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace store_crash_test
}  // namespace omnicart::persistence
