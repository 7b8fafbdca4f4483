#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "runtime/caf_reference.hpp"
#include "runtime/caf_shell.hpp"
#include "tests/unit/cluster/remote/remote_bench.hpp"

// CAF references to entities of other nodes.
namespace omnicart::cluster::test {
namespace remote_reference_test {

constexpr std::chrono::seconds patience{20};

// The way from a reference, which runs on a thread of CAF's, into a node that the test runs.
class gate final : public message_sink {
 public:
  explicit gate(message_sink& into) : into_(into) {}
  void send(envelope message) override {
    const std::lock_guard lock(guard_);
    into_.send(std::move(message));
    ++passed_;
    bell_.notify_all();
  }
  // From its return on the node is the test's, until the next call of a reference.
  void wait_for(int count) {
    std::unique_lock lock(guard_);
    BOOST_TEST_REQUIRE(bell_.wait_for(lock, patience, [&] { return passed_ >= count; }));
  }

 private:
  message_sink& into_;
  std::mutex guard_;
  std::condition_variable bell_;
  int passed_ = 0;
};

BOOST_AUTO_TEST_SUITE(remote_references)

BOOST_AUTO_TEST_CASE(a_reference_to_an_entity_of_another_node_asks_again_by_id_and_it_is_done_once) {
  small_cluster nodes;  // node 2 leads
  gate entrance(*nodes.at(1).node.routes);
  caf_shell shell{1};
  caf::scoped_actor self(shell.system());
  const caf::actor entity = make_reference(shell.system(), {"counter", "a"}, entrance);
  entity_call call;
  call.command = counter::kind::encode_command(counter::add{5, ""});
  call.id = {1, 1};
  call.body = 1;
  const auto no_answer = [](caf::error&) { BOOST_ERROR("no answer"); };

  nodes.net.lose = [](const virtual_net::flight& f) { return f.on == channel::answer; };
  auto asked = self->request(entity, patience, call);
  entrance.wait_for(1);
  nodes.settle();
  BOOST_TEST(nodes.at(2).node.total("a") == 5);  // done, and nobody was told
  nodes.net.lose = nullptr;
  nodes.net.break_link(1, 2);
  nodes.pass(duration_ms{100});
  nodes.net.mend_link(1, 2);
  nodes.settle();
  asked.receive(
      [](answer& got) {
        BOOST_TEST((got.ok() && *codec::decode<std::int64_t>(got.payload) == 5));
      },
      no_answer);
  BOOST_TEST(nodes.at(1).sender.counts().repeated == 1u);

  // The actor itself may ask again, too.
  auto again = self->request(entity, patience, call);
  entrance.wait_for(2);
  nodes.settle();
  again.receive(
      [](answer& got) {
        BOOST_TEST((got.ok() && got.replayed));
      },
      no_answer);
  BOOST_TEST(nodes.at(2).node.total("a") == 5);
  BOOST_TEST(nodes.at(1).node.log.records.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace remote_reference_test
}  // namespace omnicart::cluster::test
