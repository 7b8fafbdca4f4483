#include <malloc.h>
#include <openssl/ssl.h>

#include <random>

#include "cluster/link/identity.hpp"
#include "cluster/link/openssl_ptr.hpp"
#include "tests/unit/cluster/link/link_bench.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The sanitizer's own allocator answers nothing to mallinfo2; GCC ships no header for this.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

// What strangers, broken peers and old recordings can do to a link: nothing but a line in the log
// and a count.
namespace omnicart::cluster::test {
namespace link_abuse_test {

std::size_t memory_in_use() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return ::mallinfo2().uordblks;
#endif
}

using context_ptr = std::unique_ptr<SSL_CTX, openssl_free<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, openssl_free<SSL_free>>;

struct plain_node : station {
  explicit plain_node(link_options with = options_for(5)) : station(std::move(with)) {
    link->set_peers({{1, "127.0.0.1", 1}, {2, "127.0.0.1", 2}, {5, "127.0.0.1", 5}});
    // The membership is in place when something that was posted after it is.
    BOOST_TEST_REQUIRE(eventually([&] {
      raw_peer first(link->port());
      return first.greet(hello_of(2));
    }));
  }
  bool refused(ending why, std::uint64_t times = 1) const {
    return eventually([&] { return ended(why) >= times; });
  }
};

// A TLS client with these files, or none, up to the given version.
struct tls_peer {
  tls_peer(std::uint16_t port, const std::optional<link_certificates>& with, int version)
      : context(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_security_level(context.get(), 0);
    if (with) {
      SSL_CTX_use_certificate_chain_file(context.get(), with->certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context.get(), with->private_key.c_str(), SSL_FILETYPE_PEM);
    }
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_TEST_REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    ssl.reset(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket);
    connected = SSL_connect(ssl.get()) == 1;
  }
  ~tls_peer() { ::close(socket); }
  void say(const hello& what) {
    std::string bytes;
    append_frame(bytes, handshake_version, 1, channel::link, encode(what));
    SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  context_ptr context;
  ssl_ptr ssl;
  int socket = -1;
  bool connected = false;
};

BOOST_AUTO_TEST_SUITE(link_abuse)

BOOST_AUTO_TEST_CASE(each_greeting_that_is_not_right_is_refused_and_counted_by_its_reason) {
  plain_node node;
  struct row {
    ending why;
    hello said;
  };
  std::vector<row> rows{{ending::wrong_cluster, hello_of(1)},
                        {ending::wrong_side, hello_of(5)},
                        {ending::wrong_side, hello_of(9)},
                        {ending::not_a_member, hello_of(3)},
                        {ending::no_common_version, hello_of(1)}};
  rows[0].said.cluster = "shop-2";
  rows[4].said.versions = {2, 3};
  std::array<std::uint64_t, ending_count> wanted{};
  for (const auto& [why, said] : rows) {
    BOOST_TEST_CONTEXT(to_string(why)) {
      raw_peer peer(node.link->port());
      peer.say(said);
      BOOST_TEST(peer.closed());
      BOOST_TEST(node.refused(why, ++wanted[static_cast<std::size_t>(why)]));
    }
  }
  BOOST_TEST(!node.link->is_up(1));
}

BOOST_AUTO_TEST_CASE(a_member_that_comes_with_another_store_is_refused) {
  plain_node node;
  node.link->set_peers({{1, "127.0.0.1", 1}, {2, "127.0.0.1", 2, 7}, {5, "127.0.0.1", 5}});
  auto with = [](std::uint64_t store) {
    auto said = hello_of(2);
    said.store = store;
    return said;
  };
  raw_peer another(node.link->port());
  another.say(with(8));
  BOOST_TEST(another.closed());
  BOOST_TEST(node.refused(ending::another_store));
  for (const std::uint64_t good : {7, 0}) {  // 0: a build that does not say
    raw_peer own(node.link->port());
    BOOST_TEST(own.greet(with(good)));
  }
}

BOOST_AUTO_TEST_CASE(garbage_and_absurd_lengths_end_a_connection_at_once) {
  plain_node node;
  std::mt19937_64 random(1);
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  noise[0] = '\x7f';
  std::string absurd("\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\1", 14);
  std::uint64_t count = 0;
  for (const std::string& bytes :
       {noise, absurd, std::string("GET / HTTP/1.1\r\nHost: shop\r\n\r\n")}) {
    raw_peer peer(node.link->port());
    peer.write(bytes);
    BOOST_TEST(peer.closed());
    BOOST_TEST(node.refused(ending::garbage, ++count));
  }
  raw_peer hasty(node.link->port());  // a heartbeat before the greeting
  hasty.say(ping{1});
  BOOST_TEST(node.refused(ending::garbage, ++count));
  raw_peer twice(node.link->port());
  twice.say(hello_of(1));
  twice.say(hello_of(1));
  BOOST_TEST(node.refused(ending::garbage, ++count));
  raw_peer cut(node.link->port());
  std::string half;
  append_frame(half, handshake_version, 1, channel::link, encode(hello_of(1)));
  cut.write(half.substr(0, half.size() / 2));
  ::shutdown(cut.descriptor(), SHUT_WR);
  BOOST_TEST(cut.closed());
  BOOST_TEST(node.refused(ending::truncated));
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_up_and_breaks_a_rule_is_dropped) {
  plain_node node;
  const std::string long_one(64 * 1024 + 1, 'x');
  const std::string chunk(500'000, 's');
  std::uint64_t count = 0;
  const std::vector<std::function<void(raw_peer&)>> offences{
      [&](raw_peer& peer) { peer.write_frame(channel::control, long_one); },
      [&](raw_peer& peer) { peer.write_frame(channel::link, "\xc1"); },
      [&](raw_peer& peer) { --peer.sequence, peer.write_frame(channel::raft, "again"); },
      [&](raw_peer& peer) {
        peer.version = handshake_version, peer.write_frame(channel::raft, "x");
      },
      // More of a snapshot than there is credit for, and nobody consumes any.
      [&](raw_peer& peer) {
        for (int i = 0; i < 6; ++i) peer.write_frame(channel::snapshot, chunk);
      }};
  for (const auto& offend : offences) {
    raw_peer peer(node.link->port());
    BOOST_TEST_REQUIRE(peer.greet(hello_of(1)));
    offend(peer);
    BOOST_TEST(peer.closed());
    BOOST_TEST(node.refused(ending::violation, ++count));
  }
}

BOOST_AUTO_TEST_CASE(a_recorded_conversation_played_again_gets_nowhere) {
  plain_node node;
  std::string recorded;
  append_frame(recorded, handshake_version, 1, channel::link, encode(hello_of(1)));
  {
    raw_peer peer(node.link->port());
    peer.say(hello_of(1));
    const auto theirs = peer.read_message<hello>();
    const confirm last{.nonce = theirs->nonce, .version = 1};
    append_frame(recorded, handshake_version, 2, channel::link, encode(last));
    peer.say(last);
    peer.version = 1;
    peer.reader.expect(1, default_channel_limits);
    append_frame(recorded, 1, 3, channel::command, "buy");
    peer.write_frame(channel::command, "buy");
    BOOST_TEST(eventually([&] { return node.got().size() == 1; }));
  }
  raw_peer replayer(node.link->port());
  replayer.write(recorded);
  BOOST_TEST(node.refused(ending::replayed));
  BOOST_TEST(node.got().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_process_whose_successor_came_does_not_come_back) {
  plain_node node;
  raw_peer first(node.link->port());
  BOOST_TEST_REQUIRE(first.greet(hello_of(1, 100)));
  raw_peer second(node.link->port());
  BOOST_TEST_REQUIRE(second.greet(hello_of(1, 101)));
  BOOST_TEST(node.refused(ending::replaced));
  raw_peer ghost(node.link->port());
  ghost.say(hello_of(1, 100));
  BOOST_TEST(node.refused(ending::old_boot));
  BOOST_TEST(node.link->is_up(1));
}

BOOST_AUTO_TEST_CASE(who_does_not_finish_the_handshake_is_dropped_in_time) {
  auto with = options_for(5);
  with.handshake_within = duration_ms{50};
  plain_node node(std::move(with));
  raw_peer silent(node.link->port()), slow(node.link->port());
  slow.say(hello_of(1));
  BOOST_TEST(silent.closed());
  BOOST_TEST(node.refused(ending::slow, 2));
  BOOST_TEST(eventually([&] { return node.link->counts().half_open == 0; }));
}

BOOST_AUTO_TEST_CASE(no_more_than_so_many_handshakes_are_under_way) {
  auto with = options_for(5);
  with.half_open_max = 4;
  with.handshake_within = std::chrono::minutes(1);
  plain_node node(std::move(with));
  std::vector<std::unique_ptr<raw_peer>> idle;
  for (int i = 0; i < 20; ++i) idle.push_back(std::make_unique<raw_peer>(node.link->port()));
  BOOST_TEST(node.refused(ending::too_many, 16));
  BOOST_TEST(eventually([&] { return node.link->counts().half_open == 4u; }));
  idle.clear();
  BOOST_TEST(eventually([&] { return raw_peer(node.link->port()).greet(hello_of(1)); }));
}

BOOST_AUTO_TEST_CASE(a_true_peer_comes_in_while_silent_connections_hold_all_places) {
  const certificates by;
  auto with = options_for(5, by);
  with.handshake_within = std::chrono::minutes(1);
  station node(with);
  std::vector<std::unique_ptr<raw_peer>> silent;
  for (std::size_t i = 0; i < with.half_open_max; ++i)
    silent.push_back(std::make_unique<raw_peer>(node.link->port()));
  BOOST_TEST_REQUIRE(
      eventually([&] { return node.link->counts().half_open == with.half_open_max; }));
  station peer(options_for(2, by));
  connect(peer, node);
  BOOST_TEST(node.ended(ending::too_many) == 1u);
  BOOST_TEST(node.link->counts().half_open == with.half_open_max - 1);
}

BOOST_AUTO_TEST_CASE(a_flood_crowds_out_itself_and_nobody_from_elsewhere) {
  auto with = options_for(5);
  with.half_open_max = 4;
  with.handshake_within = std::chrono::minutes(1);
  plain_node node(std::move(with));
  std::vector<std::unique_ptr<raw_peer>> flood;
  const auto goes_on = [&](std::uint64_t refused) {
    for (int i = 0; i < 20; ++i) flood.push_back(std::make_unique<raw_peer>(node.link->port()));
    return node.refused(ending::too_many, refused);
  };
  BOOST_TEST(goes_on(16));
  raw_peer slow(node.link->port(), "127.0.0.2");
  BOOST_TEST(goes_on(37));
  BOOST_TEST(slow.greet(hello_of(1)));
}

BOOST_AUTO_TEST_CASE(certificates_of_others_and_none_are_refused) {
  const certificates by, of_others;  // the same name of the cluster, another authority
  station node(options_for(5, by));
  node.link->set_peers({{1, "127.0.0.1", 1}, {5, "127.0.0.1", 5}});
  std::uint64_t count = 0;
  const auto refused = [&](ending why) {
    return eventually([&] { return node.ended(why) >= count; });
  };
  {
    tls_peer nobody(node.link->port(), std::nullopt, TLS1_3_VERSION);
    BOOST_TEST((++count, refused(ending::tls_refused)));
  }
  {
    tls_peer stranger(node.link->port(), of_others.of(1), TLS1_3_VERSION);
    BOOST_TEST((++count, refused(ending::tls_refused)));
  }
  {
    tls_peer old(node.link->port(), by.of(1), TLS1_2_VERSION);
    BOOST_TEST(!old.connected);
    BOOST_TEST((++count, refused(ending::tls_refused)));
  }
  {
    raw_peer plain(node.link->port());
    plain.say(hello_of(1));
    BOOST_TEST((++count, refused(ending::tls_refused)));
  }
  count = 1;
  {
    const authority_files files = authority_files_in(by.folder.path);
    tls_peer authority(node.link->port(),
                       link_certificates{"", files.certificate, files.private_key}, TLS1_3_VERSION);
    BOOST_TEST(eventually(
        [&] { return node.ended(ending::no_identity) + node.ended(ending::tls_refused) >= 5; }));
  }
  {
    tls_peer impostor(node.link->port(), by.of(2), TLS1_3_VERSION);
    impostor.say(hello_of(1));
    BOOST_TEST(refused(ending::wrong_node));
  }
  {
    tls_peer removed(node.link->port(), by.of(3), TLS1_3_VERSION);
    removed.say(hello_of(3));
    BOOST_TEST(refused(ending::not_a_member));
  }
  BOOST_TEST(node.changes().empty());
  BOOST_TEST(node.link->counts().bad_handshakes >= 7u);
}

BOOST_AUTO_TEST_CASE(a_storm_of_bad_connections_leaves_no_memory_behind) {
  plain_node node;
  const auto storm = [&](std::uint64_t rounds) {
    const auto wanted = node.link->counts().bad_handshakes + rounds;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      raw_peer peer(node.link->port());
      peer.write(i % 2 == 0 ? std::string(5'000, '\xee') : std::string(7, '\0'));
    }
    BOOST_TEST(eventually([&] { return node.link->counts().bad_handshakes == wanted; }));
  };
  storm(200);
  const auto before = memory_in_use();
  storm(2'000);
  const auto after = memory_in_use();
  BOOST_TEST(before > 0u);
  BOOST_TEST(after < before + 256 * 1024);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace link_abuse_test
}  // namespace omnicart::cluster::test
