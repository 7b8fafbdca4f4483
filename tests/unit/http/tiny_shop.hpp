#pragma once

#include <boost/test/unit_test.hpp>
#include <cctype>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "http/access_token.hpp"
#include "http/catalogue_list.hpp"
#include "http/front.hpp"
#include "http/order_list.hpp"
#include "http/password_hasher.hpp"
#include "http/product_search.hpp"
#include "http/rate_limiter.hpp"
#include "http/record_list.hpp"
#include "http/server/headers.hpp"
#include "http/shop.hpp"
#include "http/sign_in_guard.hpp"
#include "http/user_list.hpp"
#include "runtime/journal.hpp"
#include "runtime/kind.hpp"
#include "tests/unit/http/manual_clock.hpp"

namespace omnicart::http::trial {

class counted_ids final : public id_source {
 public:
  command_id next() override { return {7, ++last_}; }

 private:
  std::uint64_t last_ = 0;
};

// Nothing is stored: entities live in memory.
class no_store : public entity_store {
 public:
  void load(const entity_ref&, std::function<void(result<stored_entity>)> done) override {
    done(stored_entity{});
  }
  presence receipt_presence(const entity_ref&, command_id) override { return presence::absent; }
  void find_receipt(const entity_ref&, command_id,
                    std::function<void(result<std::optional<receipt>>)> done) override {
    done(std::optional<receipt>{});
  }
  void history(const entity_ref&, std::uint64_t, std::size_t,
               std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)>
                   done) override {
    done(std::vector<std::pair<std::uint64_t, event_record>>{});
  }
};

// Entities under their real rules, run at once on the calling thread: every command, then all it
// owes to others, before the answer. Receipts are kept as the host keeps them.
class instant_entities final : public message_sink {
 public:
  instant_entities(const kind_registry& kinds, const clock& time) : kinds_(kinds), time_(time) {}

  // Messages for whom get no further: their shard has no leader.
  std::function<bool(const entity_ref&)> unreachable;
  // While a GET is answered: what is not marked as a question would leave a proof in the log on its way to another node.
  bool only_questions = false;

  void send(envelope message) override;

 private:
  struct resident {
    std::unique_ptr<entity> state;
    std::uint64_t version = 0;
    std::map<std::pair<std::uint64_t, std::uint64_t>, receipt> receipts;
    bool settling = false;
  };

  answer handle(const envelope& message);
  void settle(resident& at);

  const kind_registry& kinds_;
  const clock& time_;
  std::map<entity_ref, resident> entities_;
};

kind_registry kinds_of_a_shop();

struct call {
  std::string verb;
  std::string path;
  nlohmann::json body = nullptr;
  std::string token = {};
  std::string key = {};
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string peer = "203.0.113.9";
};

struct told {
  int status = 0;
  nlohmann::json body;
  std::string headers;

  std::string text(const char* name) const { return body.value(name, ""); }
  bool has_header(std::string_view text) const { return headers.find(text) != headers.npos; }
};

// The public API over entities in memory.
struct tiny_shop {
  explicit tiny_shop(const rate_limits& limits = {.enabled = false});

  // What a task of this shop comes to.
  template <class T>
  static T result_of(task<T> running) {
    std::promise<void> ended;
    running.start([](void* done) { static_cast<std::promise<void>*>(done)->set_value(); }, &ended);
    ended.get_future().wait();
    return running.take();
  }

  told operator()(const call& what);

  // A machine's token, as an operator issues them.
  std::string staff_token(role as) const;

  manual_clock time;
  counted_ids ids;
  kind_registry kinds = kinds_of_a_shop();
  instant_entities entities{kinds, time};
  no_store store;
  access_tokens tokens{token_keys{}};
  password_hasher passwords{{.memory_bytes = 8'192, .passes = 1, .threads = 1, .queue_max = 8}};
  sign_in_guard sign_ins{{}, time};
  order_list orders;
  catalogue_list catalogue;
  record_list records;
  user_list users;
  product_search finder{"unused"};  // no call here searches
  shop in{.entities = entities,
          .store = store,
          .kinds = kinds,
          .time = time,
          .ids = ids,
          .tokens = tokens,
          .passwords = passwords,
          .sign_ins = sign_ins,
          .orders = orders,
          .catalogue = catalogue,
          .currency = *currency_code::parse("GBP"),
          .records = records};
  std::optional<error> refusing;  // why no writes are taken
  rate_limiter rates;
  router routes;
};

}  // namespace omnicart::http::trial
