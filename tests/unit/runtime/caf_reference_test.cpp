#include "runtime/caf_reference.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "runtime/caf_shell.hpp"

namespace omnicart {
namespace caf_reference_test {

constexpr std::chrono::seconds patience{20};

// Stands for a router: keeps what it is given, answers when it is told to.
struct recorder final : message_sink {
  void send(envelope message) override {
    std::lock_guard lock(guard);
    messages.push_back(std::move(message));
    came.notify_all();
  }
  envelope take() {
    std::unique_lock lock(guard);
    BOOST_TEST_REQUIRE(came.wait_for(lock, patience, [&] { return !messages.empty(); }));
    envelope first = std::move(messages.front());
    messages.pop_front();
    return first;
  }
  std::mutex guard;
  std::condition_variable came;
  std::deque<envelope> messages;
};

answer saying(const std::string& text) {
  answer got;
  got.payload = text;
  return got;
}

struct stage {
  recorder entities;
  caf_shell shell{2};
};

BOOST_FIXTURE_TEST_SUITE(caf_reference, stage)

BOOST_AUTO_TEST_CASE(an_actor_asks_an_entity_by_its_reference) {
  const caf::actor cart = make_reference(shell.system(), {"cart", "c-1"}, entities);
  caf::scoped_actor self(shell.system());
  entity_call call;
  call.command = "look";
  call.asker.as = role::support;
  call.id = {1, 2};
  call.expected_version = 7;
  call.wait = duration_ms{3};
  auto first = self->request(cart, patience, call);
  auto second = self->request(cart, patience, entity_call{.command = "again"});
  const envelope one = entities.take(), two = entities.take();
  BOOST_TEST((one.to == entity_ref{"cart", "c-1"}));
  BOOST_TEST((one.command == "look" && one.asker.as == role::support && one.id == command_id{1, 2}));
  BOOST_TEST((one.expected_version == 7u && one.wait == duration_ms{3}));
  // Answers come from any thread, in any order.
  std::thread([&] { two.reply(saying("second")); }).join();
  one.reply(saying("first"));
  std::string heard;
  first.receive([&](answer& got) { heard += got.payload; }, [](caf::error&) { BOOST_ERROR("no answer"); });
  second.receive([&](answer& got) { heard += got.payload; }, [](caf::error&) { BOOST_ERROR("no answer"); });
  BOOST_TEST(heard == "firstsecond");
}

BOOST_AUTO_TEST_CASE(a_refusal_is_an_answer_too) {
  const caf::actor cart = make_reference(shell.system(), {"cart", "c-1"}, entities);
  caf::scoped_actor self(shell.system());
  auto asked = self->request(cart, patience, entity_call{});
  answer refused;
  refused.failure = not_the_leader(3);
  entities.take().reply(refused);
  asked.receive([&](answer& got) { BOOST_TEST(leader_named_by(*got.failure).value() == 3u); },
                [](caf::error&) { BOOST_ERROR("no answer"); });
}

BOOST_AUTO_TEST_CASE(an_answer_reaches_its_asker_when_nobody_holds_the_reference_any_more) {
  caf::scoped_actor self(shell.system());
  auto asked = self->request(make_reference(shell.system(), {"cart", "c-1"}, entities), patience, entity_call{});
  entities.take().reply(saying("late"));
  std::string heard;
  asked.receive([&](answer& got) { heard = got.payload; }, [](caf::error&) { BOOST_ERROR("no answer"); });
  BOOST_TEST(heard == "late");
}

BOOST_AUTO_TEST_CASE(who_sends_without_asking_gets_no_answer) {
  const caf::actor cart = make_reference(shell.system(), {"cart", "c-1"}, entities);
  caf::anon_send(cart, entity_call{.command = "do"});
  entities.take().reply(saying("unheard"));
}

BOOST_AUTO_TEST_CASE(calls_without_an_answer_are_bounded) {
  const caf::actor cart = make_reference(shell.system(), {"cart", "c-1"}, entities);
  for (std::size_t i = 0; i < reference_calls_max; ++i) caf::anon_send(cart, entity_call{});
  caf::scoped_actor self(shell.system());
  self->request(cart, patience, entity_call{})
      .receive([&](answer& got) { BOOST_TEST(got.failure->is(base_errc::overloaded)); },
               [](caf::error&) { BOOST_ERROR("no answer"); });
  entities.take().reply(saying("done"));
  auto asked = self->request(cart, patience, entity_call{});
  for (std::size_t i = 0; i < reference_calls_max; ++i) entities.take().reply(saying("room"));
  asked.receive([&](answer& got) { BOOST_TEST(got.ok()); }, [](caf::error&) { BOOST_ERROR("no answer"); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace caf_reference_test
}  // namespace omnicart
