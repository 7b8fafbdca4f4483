#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "cluster/remote/remote_receiver.hpp"
#include "cluster/remote/remote_sender.hpp"
#include "runtime/system_ports.hpp"
#include "runtime/ticker.hpp"
#include "tests/unit/cluster/link/link_bench.hpp"

// The whole way: a remote sender, two links with certificates, a remote receiver.
namespace omnicart::cluster::test {
namespace remote_over_link_test {

// An entity that counts what it did by id, as receipts make the real ones do.
struct counting final : message_sink {
  void send(envelope message) override {
    {
      std::lock_guard lock(guard);
      ++asked;
      done.insert({message.id.high, message.id.low});
    }
    answer got;
    got.payload = message.to.id;
    message.reply(std::move(got));
  }
  std::size_t count() const {
    std::lock_guard lock(guard);
    return done.size();
  }
  mutable std::mutex guard;
  std::set<std::pair<std::uint64_t, std::uint64_t>> done;
  std::size_t asked = 0;
};

struct node_two_leads final : placement {
  bool leads(std::uint16_t) const override { return false; }
  std::uint64_t term(std::uint16_t) const override { return 1; }
  std::optional<node_id> leader(std::uint16_t) const override { return 2; }
};

std::unique_ptr<node_link> opened(link_options with) {
  auto link = node_link::open(std::move(with));
  BOOST_TEST_REQUIRE(link.has_value());
  return std::move(*link);
}

BOOST_AUTO_TEST_SUITE(remote_over_link)

BOOST_AUTO_TEST_CASE(commands_survive_that_their_connection_is_cut_again_and_again) {
  const certificates by;
  system_clock time;
  node_two_leads place;
  counting entities;
  const auto a = opened(options_for(1, by)), b = opened(options_for(2, by));
  remote_sender sender(
      {.net = *a, .place = place, .shard_count = 64, .entrance = entities, .time = time}, 1);
  remote_receiver receiver(*b, entities, time);
  sender.attach();
  receiver.attach();
  a->start();
  b->start();
  const std::vector<peer_address> both{{1, "127.0.0.1", a->port()}, {2, "127.0.0.1", b->port()}};
  a->set_peers(both);
  b->set_peers(both);
  ticker ticks("remote", duration_ms{10}, [&] { sender.tick(); });

  constexpr std::uint64_t total = 2'000;
  std::atomic<std::uint64_t> ok{0}, other{0};
  for (std::uint64_t i = 1; i <= total; ++i) {
    envelope message;
    message.to = {"cart", "c-" + std::to_string(i)};
    message.command = "x";
    message.id = {7, i};
    message.reply = [&, id = message.to.id](const answer& got) {
      ++(got.ok() && got.payload == id ? ok : other);
    };
    sender.send(std::move(message));
    if (i % 400 == 0) {
      b->set_peers({});  // drops the connection, with what is under way
      BOOST_TEST_REQUIRE(eventually([&] { return !b->is_up(1); }));
      b->set_peers(both);
    }
  }
  BOOST_TEST(eventually([&] { return ok + other == total; }));
  BOOST_TEST(ok == total);
  BOOST_TEST(entities.count() == total);
  BOOST_TEST(sender.counts().waiting == 0u);
  BOOST_TEST(sender.counts().unknown == 0u);
  ticks.stop();
  a->stop();
  b->stop();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace remote_over_link_test
}  // namespace omnicart::cluster::test
