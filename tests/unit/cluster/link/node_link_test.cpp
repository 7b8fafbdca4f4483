#include "cluster/link/node_link.hpp"

#include <algorithm>

#include "tests/unit/cluster/link/link_bench.hpp"

namespace omnicart::cluster::test {
namespace node_link_test {

std::string text(std::size_t size, char fill) { return std::string(size, fill); }

link_options impatient(link_options with) {
  with.heartbeat_every = duration_ms{20};
  with.dead_after = duration_ms{200};
  with.handshake_within = duration_ms{200};
  return with;
}

BOOST_AUTO_TEST_SUITE(link_between_nodes)

BOOST_AUTO_TEST_CASE(two_nodes_with_certificates_talk_on_every_channel_both_ways) {
  const certificates by;
  station a(options_for(1, by)), b(options_for(2, by));
  connect(a, b);
  for (const channel on :
       {channel::raft, channel::control, channel::answer, channel::command, channel::snapshot}) {
    BOOST_TEST(a.link->send(2, on, text(300'000 % (64 * 1024), 'a')));
    BOOST_TEST(b.link->send(1, on, "b"));
  }
  BOOST_TEST(eventually([&] { return b.got().size() == 5 && a.got().size() == 5; }));
  for (const auto& each : b.got())
    BOOST_TEST((each.from == 1 && each.bytes == text(300'000 % (64 * 1024), 'a')));
  for (const auto& each : a.got()) BOOST_TEST((each.from == 2 && each.bytes == "b"));
  BOOST_TEST(a.changes().size() == 1u);
  BOOST_TEST(a.changes()[0].up);
  BOOST_TEST(a.changes()[0].peer == 2u);
  BOOST_TEST(a.changes()[0].boot == a.changes()[0].boot);
  BOOST_TEST(a.counts_of(2).frames_out >= 5u);
  BOOST_TEST(eventually([&] { return a.counts_of(2).frames_in >= 5; }));
}

BOOST_AUTO_TEST_CASE(messages_of_a_channel_arrive_once_and_in_order) {
  const certificates by;
  station a(options_for(1, by)), b(options_for(2, by));
  connect(a, b);
  constexpr int count = 5'000;
  for (int i = 0; i < count; ++i) {
    BOOST_TEST_REQUIRE(
        eventually([&] { return a.link->send(2, channel::command, std::to_string(i)); }));
  }
  BOOST_TEST_REQUIRE(eventually([&] { return b.got().size() >= count; }));
  const auto got = b.got();
  BOOST_TEST(got.size() == static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    BOOST_TEST_REQUIRE(got[static_cast<std::size_t>(i)].bytes == std::to_string(i));
}

BOOST_AUTO_TEST_CASE(three_nodes_have_one_connection_for_each_pair) {
  const certificates by;
  station a(options_for(1, by)), b(options_for(2, by)), c(options_for(3, by));
  const std::vector<const station*> all{&a, &b, &c};
  for (const station* each : all) each->know(all);
  for (const station* each : all) {
    BOOST_TEST(eventually([&] {
      const auto peers = each->link->counts().peers;
      return peers.size() == 2 &&
             std::ranges::all_of(peers, [](const auto& p) { return p.up && p.connects == 1; });
    }));
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_restarts_is_seen_to_go_and_come_as_another_process) {
  const certificates by;
  station a(options_for(1, by));
  auto b = std::make_unique<station>(options_for(2, by));
  connect(a, *b);
  const auto port = b->link->port();
  b.reset();
  BOOST_TEST_REQUIRE(eventually([&] { return !a.link->is_up(2); }));
  BOOST_TEST(!a.link->send(2, channel::command, "lost"));
  auto again = options_for(2, by);
  again.port = port;
  b = std::make_unique<station>(std::move(again));
  b->know({&a, b.get()});
  BOOST_TEST_REQUIRE(eventually([&] { return a.changes().size() == 3; }));
  const auto seen = a.changes();
  BOOST_TEST((seen[0].up && !seen[1].up && seen[2].up));
  BOOST_TEST(seen[0].boot == seen[1].boot);
  BOOST_TEST(seen[0].boot != seen[2].boot);
  BOOST_TEST(a.counts_of(2).connects == 2u);
  BOOST_TEST(a.link->send(2, channel::command, "back"));
  BOOST_TEST(eventually([&] { return b->got().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_peer_without_heartbeat_is_dropped) {
  station b(impatient(options_for(2)));
  b.link->set_peers({{1, "127.0.0.1", 1}, {2, "127.0.0.1", 2}});
  raw_peer mute(b.link->port());
  BOOST_TEST_REQUIRE(mute.greet(hello_of(1)));
  BOOST_TEST(eventually([&] { return b.ended(ending::silent) == 1; }));
  BOOST_TEST(eventually([&] { return b.changes().size() == 2; }));  // the end is counted before it is told
  BOOST_TEST(!b.link->is_up(1));
}

BOOST_AUTO_TEST_CASE(a_peer_that_answers_heartbeats_stays) {
  station b(impatient(options_for(2)));
  b.link->set_peers({{1, "127.0.0.1", 1}});
  raw_peer lively(b.link->port());
  BOOST_TEST_REQUIRE(lively.greet(hello_of(1)));
  for (int i = 0; i < 30; ++i) {  // three times as long as silence is borne
    const auto beat = lively.read_message<ping>();
    BOOST_TEST_REQUIRE(beat.has_value());
    lively.say(pong{beat->stamp});
  }
  BOOST_TEST(b.link->is_up(1));
  lively.say(ping{77});
  BOOST_TEST(lively.read_message<pong>()->stamp == 77u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_costs_its_windows_and_no_more) {
  auto with = options_for(2);
  for (std::size_t i = 1; i < channel_count; ++i) with.limits[i] = {64 * 1024, 256 * 1024};
  with.dead_after = std::chrono::minutes(5);
  station b(std::move(with));
  b.link->set_peers({{1, "127.0.0.1", 1}});
  raw_peer stuffed(b.link->port());
  BOOST_TEST_REQUIRE(stuffed.greet(hello_of(1)));
  BOOST_TEST_REQUIRE(eventually([&] { return b.link->is_up(1); }));
  for (std::size_t i = 1; i < channel_count; ++i) {
    const auto on = static_cast<channel>(i);
    // The system's own buffers fill first.
    BOOST_TEST(eventually([&] {
      while (b.link->send(1, on, text(60'000, 'x'))) {
      }
      return b.counts_of(1).refused[i] > 20;
    }));
  }
  BOOST_TEST(b.counts_of(1).waiting_bytes <= channel_count * 256 * 1024);
  BOOST_TEST(b.link->is_up(1));
  // It reads after all: there is room again, and the link says so.
  while (b.roomy().empty()) BOOST_TEST_REQUIRE(stuffed.read().has_value());
}

BOOST_AUTO_TEST_CASE(a_message_longer_than_its_channel_allows_is_not_sent) {
  station a(options_for(1)), b(options_for(2));
  connect(a, b);
  BOOST_TEST(!a.link->send(2, channel::control, text(64 * 1024 + 1, 'x')));
  BOOST_TEST(a.link->send(2, channel::control, text(64 * 1024, 'x')));
  BOOST_TEST(eventually([&] { return b.got().size() == 1; }));
  BOOST_TEST(a.counts_of(2).refused[static_cast<std::size_t>(channel::control)] == 1u);
}

BOOST_AUTO_TEST_CASE(a_snapshot_flows_as_fast_as_it_is_consumed) {
  const certificates by;
  station a(options_for(1, by)), b(options_for(2, by));
  connect(a, b);
  const std::string chunk = text(256 * 1024, 's');
  constexpr std::size_t chunks = 40;
  const std::size_t window =
      default_channel_limits[static_cast<std::size_t>(channel::snapshot)].window_bytes_max;
  std::size_t sent = 0, consumed = 0;
  BOOST_TEST(eventually([&] {
    while (sent < chunks && a.link->send(2, channel::snapshot, chunk)) ++sent;
    const std::size_t arrived = b.got().size();
    BOOST_TEST_REQUIRE((arrived - consumed) * chunk.size() <= window);
    // Consumed only when the window is full, or at the end.
    if ((arrived - consumed + 1) * chunk.size() > window || arrived == chunks) {
      b.link->snapshot_consumed(1, (arrived - consumed) * chunk.size());
      consumed = arrived;
    }
    return consumed == chunks;
  }));
  BOOST_TEST(b.ended(ending::violation) == 0u);
}

BOOST_AUTO_TEST_CASE(builds_of_different_versions_meet_at_the_highest_both_speak) {
  const certificates by;
  auto newer = options_for(1, by), older = options_for(2, by), newest = options_for(3, by);
  newer.versions = {1, 4};
  older.versions = {1, 2};
  newest.versions = {3, 5};
  station a(std::move(newer)), b(std::move(older)), c(std::move(newest));
  connect(a, b);
  BOOST_TEST(a.changes()[0].version == 2);
  BOOST_TEST(b.changes()[0].version == 2);
  BOOST_TEST(a.link->send(2, channel::command, "hello"));
  BOOST_TEST(eventually([&] { return b.got().size() == 1; }));
  const std::vector<const station*> all{&a, &b, &c};
  for (const station* each : all) each->know(all);
  BOOST_TEST(
      eventually([&] { return a.link->is_up(3) && c.ended(ending::no_common_version) > 0; }));
  BOOST_TEST(a.counts_of(3).version == 4);
  BOOST_TEST(!b.link->is_up(3));
}

BOOST_AUTO_TEST_CASE(removed_nodes_are_disconnected_and_refused_from_then_on) {
  const certificates by;
  station a(options_for(1, by)), b(options_for(2, by));
  connect(a, b);
  b.know({&b});
  BOOST_TEST(eventually([&] { return !a.link->is_up(2); }));
  BOOST_TEST(eventually([&] { return b.ended(ending::not_a_member) > 1; }));  // it keeps on trying
  BOOST_TEST(b.ended(ending::removed) == 1u);
  BOOST_TEST(!b.link->is_up(1));
  BOOST_TEST(b.got().empty());
  b.know({&a, &b});
  BOOST_TEST(eventually([&] { return a.link->is_up(2) && b.link->is_up(1); }));
}

BOOST_AUTO_TEST_CASE(what_was_sent_while_down_is_refused_and_not_kept) {
  station a(options_for(1));
  a.link->set_peers({{2, "127.0.0.1", 1}});
  BOOST_TEST(!a.link->send(2, channel::raft, "x"));
  BOOST_TEST(!a.link->send(9, channel::raft, "x"));
  BOOST_TEST(eventually([&] { return a.link->counts().failed_dials > 2; }));
}

BOOST_AUTO_TEST_CASE(a_link_without_certificates_serves_loopback_only) {
  auto open = options_for(1);
  open.address = "0.0.0.0";
  const auto refused = node_link::open(open);
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().is(base_errc::unavailable));
  BOOST_TEST(refused.error().detail.find("loopback only") != std::string::npos);
  const certificates by;
  open.certificates = by.of(1);
  BOOST_TEST(node_link::open(open).has_value());
  // Nor does it dial further than that.
  station a(options_for(1));
  a.link->set_peers({{2, "192.0.2.1", 9}});
  BOOST_TEST(eventually([&] { return a.link->counts().failed_dials > 0; }));
}

BOOST_AUTO_TEST_CASE(certificate_files_that_do_not_fit_are_named_at_the_start) {
  const certificates by, of_others("shop-2");
  const auto error_of = [](link_options with) {
    const auto opened = node_link::open(std::move(with));
    BOOST_TEST_REQUIRE(!opened.has_value());
    return opened.error().detail;
  };
  auto with = options_for(1, by);
  with.self = 2;
  BOOST_TEST(error_of(with).find("node-1.crt: it is for node 1, but cluster.node is 2") !=
             std::string::npos);
  with = options_for(1, of_others);
  BOOST_TEST(error_of(with).find("it is for cluster shop-2, but cluster.name is shop-1") !=
             std::string::npos);
  with = options_for(1, by);
  with.certificates->certificate = with.certificates->authority;
  with.certificates->private_key = authority_files_in(by.folder.path).private_key;
  BOOST_TEST(error_of(with).find("ca.crt: it is the certificate of a cluster's authority") !=
             std::string::npos);
  with = options_for(1, by);
  with.certificates->private_key = by.of(2).private_key;
  BOOST_TEST(error_of(with).find("node-2.key") != std::string::npos);
  with.certificates->authority = "/nowhere/ca.crt";
  BOOST_TEST(error_of(with).find("/nowhere/ca.crt") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(certificates_are_replaced_without_a_restart) {
  const certificates by;
  const certificates fresh;
  auto with_a = options_for(1, by), with_b = options_for(2, by);
  const auto files_a = *with_a.certificates, files_b = *with_b.certificates;
  station a(std::move(with_a)), b(std::move(with_b));
  connect(a, b);
  const auto put = [](const link_certificates& from, const link_certificates& to) {
    for (const auto part : {&link_certificates::authority, &link_certificates::certificate,
                            &link_certificates::private_key})
      std::filesystem::copy_file(from.*part, to.*part,
                                 std::filesystem::copy_options::overwrite_existing);
  };
  const auto fresh_b = fresh.of(2), fresh_a = fresh.of(1);
  put(fresh_b, files_b);
  BOOST_TEST(b.link->reload().has_value());
  BOOST_TEST(b.link->is_up(1));  // what is connected stays
  // Another authority: a new connection is refused until the other side has it, too.
  b.know({&b});
  BOOST_TEST_REQUIRE(eventually([&] { return !b.link->is_up(1); }));
  b.know({&a, &b});
  BOOST_TEST(
      eventually([&] { return b.ended(ending::tls_refused) + a.ended(ending::tls_refused) > 0; }));
  BOOST_TEST(!b.link->is_up(1));
  put(fresh_a, files_a);
  BOOST_TEST(a.link->reload().has_value());
  BOOST_TEST(eventually([&] { return a.link->is_up(2) && b.link->is_up(1); }));
  // A reload that fails changes nothing.
  std::filesystem::remove(files_a.private_key);
  BOOST_TEST(!a.link->reload().has_value());
  BOOST_TEST(a.link->is_up(2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace node_link_test
}  // namespace omnicart::cluster::test
