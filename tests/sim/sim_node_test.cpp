#include "tests/sim/sim_node.hpp"

#include <rocksdb/db.h>

#include <boost/test/unit_test.hpp>

#include "actors/cart/cart_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "persistence/entity_scan.hpp"

// What a node does by itself, with nobody asking.
namespace omnicart::sim {
namespace sim_node_test {

class no_provider final : public message_sink {
 public:
  void send(envelope) override {}
};

struct lone_node {
  explicit lone_node(std::uint64_t seed) : time(seed) { BOOST_REQUIRE(node.start({}).has_value()); }

  static sim_node::hooks watching(int& effects) {
    sim_node::hooks calls;
    calls.committed = [](const persistence::committed_batch&) {};
    calls.effect = [&effects](const entity_ref&, const envelope&) { ++effects; };
    calls.snapshot = [] {};
    calls.fatal = [](const std::string& why) { BOOST_FAIL(why); };
    return calls;
  }
  // Runs on for so long, or until `enough`.
  void run(
      duration_ms span, const std::function<bool()>& enough = [] { return false; }) {
    const duration_ms until = time.monotonic() + span;
    while (!enough() && time.step(until)) {
    }
  }
  void send(entity_ref to, std::string command, const caller& asker) {
    envelope message;
    message.to = std::move(to);
    message.command = std::move(command);
    message.asker = asker;
    node.send(std::move(message));
  }
  std::size_t carts() {
    persistence::entity_scan scan(node.data());
    std::size_t count = 0;
    for (std::uint16_t shard = 0; shard < scan.shard_count(); ++shard)
      count += scan.ids("cart", shard, "", 1'000).value().size();
    return count;
  }
  std::size_t keys_in(persistence::family which) {
    std::unique_ptr<rocksdb::Iterator> at(node.data().db().NewIterator({}, node.data().of(which)));
    std::size_t count = 0;
    for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
    return count;
  }

  timeline time;
  no_provider provider;
  int effects = 0;
  sim_node node{time, provider, {}, watching(effects)};
};

BOOST_AUTO_TEST_SUITE(lone_nodes)

BOOST_AUTO_TEST_CASE(what_a_crash_cut_short_goes_on_within_a_second_of_the_start) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      lone_node one(seed);
      caller system;
      system.as = role::system;
      const user::register_user registration{.email = "ann@example.org",
                                             .password_hash = "$argon2id$1",
                                             .name = "Ann",
                                             .as = role::shopper,
                                             .guest_session = {},
                                             .cart = {},
                                             .id = user_id{"u1"}};
      one.send({"user", "u1"}, user::encode(registration), system);
      one.run(std::chrono::seconds{10}, [&] { return one.effects > 0; });
      BOOST_REQUIRE(one.effects == 1);  // the address is being claimed
      auto disk = one.node.crash();
      BOOST_REQUIRE(one.node.start(std::move(disk)).has_value());
      one.run(std::chrono::seconds{1}, [&] { return one.effects > 1; });
      BOOST_TEST(one.effects == 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_abandoned_guest_cart_leaves_no_key_and_a_users_stays) {
  for (const bool restarted : {false, true}) {
    lone_node one(restarted ? 2 : 1);
    const cart::command add = cart::add{{{.product = product_id{"tea"},
                                          .name = "Tea",
                                          .quantity = 1,
                                          .unit_price = {100, *currency_code::parse("GBP")}}}};
    one.send({"cart", "ann"}, cart::encode(add), {.as = role::guest, .session = "ann", .user = ""});
    one.send({"cart", "bob"}, cart::encode(cart::open{"", "Bob"}),
             {.as = role::shopper, .session = "s", .user = "Bob"});
    for (int i = 0; i < 200; ++i)  // past a snapshot
      one.send({"cart", "eve"}, cart::encode(add),
               {.as = role::guest, .session = "eve", .user = ""});
    one.run(std::chrono::days{29});
    BOOST_TEST(one.carts() == 3u);
    if (restarted) {
      auto disk = one.node.crash();
      one.time.shift_wall(std::chrono::days{2});
      BOOST_REQUIRE(one.node.start(std::move(disk)).has_value());
      one.run(std::chrono::minutes{1});
    } else {
      one.run(std::chrono::days{1} + std::chrono::minutes{1});
    }
    BOOST_TEST(one.carts() == 1u);
    BOOST_TEST(one.keys_in(persistence::family::events) == 1u);  // Bob's
    BOOST_TEST(one.keys_in(persistence::family::snapshots) == 0u);
    BOOST_TEST(one.keys_in(persistence::family::timers) == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sim_node_test
}  // namespace omnicart::sim
