#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/router.hpp"
#include "tests/unit/runtime/counter_kind.hpp"

// A node without threads, disk or CAF: the production host and router over a journal that a test flushes by hand.
namespace omnicart::test {

class manual_clock final : public clock {
 public:
  timestamp_ms now{duration_ms{1'700'000'000'000}};
  duration_ms up{1'000'000};
  timestamp_ms wall() const override { return now; }
  duration_ms monotonic() const override { return up; }
  void advance(duration_ms by) {
    now += by;
    up += by;
  }
};

// Journal and store in one: what is flushed can be loaded.
class memory_log final : public journal, public entity_store {
 public:
  explicit memory_log(const clock& time) : time_(time) {}

  struct stored {
    stored_entity entity;
    std::uint64_t first_version = 1;
    std::map<std::pair<std::uint64_t, std::uint64_t>, receipt> receipts;
  };

  ticket append(journal_item item) override {
    queue.push_back(std::move(item));
    return ++last_;
  }
  ticket durable(const entity_ref&) const override { return durable_; }
  std::optional<error> refusing() const override { return refusal; }
  std::uint64_t term_of(const entity_ref&) const override { return term; }
  bool may_answer(const entity_ref&) const override { return has_lease; }
  recollection recall(const entity_ref&, command_id id) const override {
    const auto at = brief_proofs.find({id.high, id.low});
    return {.proof = at == brief_proofs.end() ? std::nullopt : std::optional(at->second), .reach = reach};
  }
  timestamp_ms log_time(const entity_ref&) override { return time_.wall(); }

  void flush(std::size_t items = SIZE_MAX) {
    while (!queue.empty() && items-- > 0) {
      journal_item item = std::move(queue.front());
      queue.pop_front();
      write(item);
      ++durable_;
      if (item.done) item.done({});
    }
  }
  // What a leader does that has not heard of the others for a moment: it goes on, and this was not written.
  void refuse(const error& why) {
    auto refused = std::exchange(queue, {});
    durable_ += refused.size();
    for (auto& item : refused) {
      if (item.done) item.done(fail(why));
    }
  }
  // What a crash does: nothing queued was ever written, nobody is told.
  void lose_queue() {
    durable_ += queue.size();
    queue.clear();
  }

  void load(const entity_ref& entity, std::function<void(result<stored_entity>)> done) override {
    ++loads;
    const auto at = records.find(entity.str());
    done(at == records.end() ? stored_entity{} : at->second.entity);
  }
  presence receipt_presence(const entity_ref& entity, command_id id) override {
    const auto at = records.find(entity.str());
    const bool there = at != records.end() && at->second.receipts.contains({id.high, id.low});
    return there || slow_lookups ? presence::unknown : presence::absent;
  }
  void find_receipt(const entity_ref& entity, command_id id,
                    std::function<void(result<std::optional<receipt>>)> done) override {
    const auto& receipts = records[entity.str()].receipts;
    const auto at = receipts.find({id.high, id.low});
    const auto found = at == receipts.end() ? std::nullopt : std::optional(at->second);
    if (!slow_lookups) return done(found);
    lookups.push_back([done = std::move(done), found] { done(found); });
  }
  void history(const entity_ref&, std::uint64_t, std::size_t,
               std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)> done) override {
    done({});
  }

  std::deque<journal_item> queue;
  std::map<std::string, stored> records;
  std::optional<error> refusal;
  std::uint64_t term = 1;  // of leadership, over everything; 0: none
  bool has_lease = true;   // nobody else can have decided anything
  std::map<std::pair<std::uint64_t, std::uint64_t>, receipt> brief_proofs;  // of what was flushed, until a test forgets them
  duration_ms reach{3'600'000};                                             // as recall() says
  bool slow_lookups = false;                  // a look-up is always needed, and is answered by the test
  std::deque<std::function<void()>> lookups;  // read, and not answered
  int loads = 0;

 private:
  void write(const journal_item& item) {
    auto& record = records[item.entity.str()];
    if (item.forgotten) {
      record.entity = {};
    } else {
      for (const auto& event : item.events) record.entity.events.push_back(event);
    }
    if (item.proof) {
      auto& proofs = item.brief ? brief_proofs : record.receipts;
      proofs[{item.proof->id.high, item.proof->id.low}] = *item.proof;
    }
    if (item.timer) record.entity.timer = item.timer->after;
    if (item.state) {
      record.entity.state = item.state;
      record.entity.events.clear();
    }
  }

  const clock& time_;
  ticket last_ = 0;
  ticket durable_ = 0;
};

class everywhere final : public placement {
 public:
  bool leads(std::uint16_t) const override { return true; }
  std::uint64_t term(std::uint16_t) const override { return 1; }
};

class bench_node {
 public:
  explicit bench_node(router_limits limits = {}, const placement* by = nullptr) : led(by ? *by : place) { start(limits); }
  ~bench_node() { stop(); }

  void start(router_limits limits = {}) {
    routes = std::make_unique<router>(router::parts{kinds, log, log, time, led, 64}, limits,
                                      [this](const entity_ref& self, const kind_entry& kind, host_environment& env) {
                                        return std::make_shared<queued_mailbox>(*this, self, kind, env);
                                      });
  }
  // A crash: memory and everything unwritten is gone.
  void stop() {
    messages.clear();
    later.clear();
    log.lose_queue();
    routes.reset();
  }

  // Handles messages and flushes until nothing moves (without letting time pass).
  void settle() {
    do {
      run();
      log.flush();
    } while (!messages.empty());
  }
  // Handles what is posted; the journal stays as it is.
  void run() {
    while (!messages.empty()) {
      auto [box, message] = std::move(messages.front());
      messages.pop_front();
      if (box->host.receive(std::move(message))) retired.push_back(box->host.self().str());
    }
  }
  void pass(duration_ms span) {
    time.advance(span);
    for (auto at = later.begin(); at != later.end() && at->first <= time.up; at = later.erase(at)) {
      messages.push_back(std::move(at->second));
    }
  }

  // Sends and returns a place where the answer will appear.
  std::shared_ptr<std::optional<answer>> send(const std::string& id, const counter::command& what,
                                              command_id key = {}, std::uint64_t body = 1, duration_ms wait = {}) {
    auto got = std::make_shared<std::optional<answer>>();
    envelope message;
    message.to = {"counter", id};
    message.command = counter::kind::encode_command(what);
    message.id = key;
    message.body = body;
    message.wait = wait;
    message.reply = [got](answer a) { *got = std::move(a); };
    routes->send(std::move(message));
    return got;
  }
  std::int64_t total(const std::string& id) {
    auto got = send(id, counter::get{});
    settle();
    return *codec::decode<std::int64_t>((*got)->payload);
  }

  struct queued_mailbox final : mailbox, std::enable_shared_from_this<queued_mailbox> {
    queued_mailbox(bench_node& n, const entity_ref& self, const kind_entry& kind, host_environment& env)
        : node(n), host(self, kind, env, *this) {}
    void post(host_message message) override { node.messages.emplace_back(shared_from_this(), std::move(message)); }
    void post_after(duration_ms delay, host_message message) override {
      node.later.emplace(node.time.up + delay, std::make_pair(shared_from_this(), std::move(message)));
    }
    bench_node& node;
    entity_host host;
  };

  manual_clock time;
  memory_log log{time};
  kind_registry kinds{{kind_of<counter::kind>()}};
  everywhere place;
  const placement& led;
  std::deque<std::pair<std::shared_ptr<queued_mailbox>, host_message>> messages;
  std::multimap<duration_ms, std::pair<std::shared_ptr<queued_mailbox>, host_message>> later;
  std::vector<std::string> retired;
  std::unique_ptr<router> routes;
};

}  // namespace omnicart::test
