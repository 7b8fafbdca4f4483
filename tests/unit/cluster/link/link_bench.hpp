#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cluster/link/certificates.hpp"
#include "cluster/link/frame.hpp"
#include "cluster/link/hello.hpp"
#include "cluster/link/node_link.hpp"

// Real links over loopback, and what tests say to them.
namespace omnicart::cluster::test {

inline constexpr std::chrono::seconds patience{20};
inline const std::string cluster_name = "shop-1";

// Waits until it holds; false after a long time.
template <class Condition>
bool eventually(Condition holds) {
  std::mutex guard;
  std::condition_variable never;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::unique_lock lock(guard);
    never.wait_for(lock, std::chrono::milliseconds(1));
  }
  return true;
}

struct temporary_folder {
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-link-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

// A cluster's authority and its nodes' certificates, made when they are asked for.
struct certificates {
  explicit certificates(const std::string& cluster = cluster_name) {
    BOOST_TEST_REQUIRE(make_authority(folder.path, {.cluster = cluster}).has_value());
  }
  link_certificates of(node_id node) const {
    const auto made =
        make_node(folder.path, {.node = node, .on_existing = existing_files::replace});
    BOOST_TEST_REQUIRE(made.has_value());
    return {.authority = made->authority,
            .certificate = made->certificate,
            .private_key = made->private_key};
  }
  temporary_folder folder;
};

struct message {
  node_id from;
  channel on;
  std::string bytes;

  friend bool operator==(const message&, const message&) = default;
};

// A link and all that it told.
class station {
 public:
  explicit station(link_options options) {
    auto opened = node_link::open(std::move(options));
    BOOST_TEST_REQUIRE(opened.has_value());
    link = std::move(*opened);
    for (std::uint8_t i = 1; i < channel_count; ++i) {
      const auto on = static_cast<channel>(i);
      link->receive(on, [this, on](node_id from, std::string bytes) {
        std::lock_guard lock(guard_);
        got_.push_back({from, on, std::move(bytes)});
      });
      link->when_room(on, [this, on](node_id) {
        std::lock_guard lock(guard_);
        roomy_.push_back(on);
      });
    }
    link->watch([this](const peer_change& change) {
      std::lock_guard lock(guard_);
      changes_.push_back(change);
    });
    link->start();
  }

  void know(const std::vector<const station*>& others) const {
    std::vector<peer_address> peers;
    for (const station* each : others) {
      peers.push_back(
          {.node = each->link->self(), .host = "127.0.0.1", .port = each->link->port()});
    }
    link->set_peers(std::move(peers));
  }
  std::vector<message> got() const {
    std::lock_guard lock(guard_);
    return got_;
  }
  std::vector<peer_change> changes() const {
    std::lock_guard lock(guard_);
    return changes_;
  }
  std::vector<channel> roomy() const {
    std::lock_guard lock(guard_);
    return roomy_;
  }
  std::uint64_t ended(ending why) const {
    return link->counts().endings[static_cast<std::size_t>(why)];
  }
  peer_counts counts_of(node_id peer) const {
    for (const auto& each : link->counts().peers) {
      if (each.peer == peer) return each;
    }
    return {};
  }

  // Destroyed first: nothing is told after it.
 private:
  mutable std::mutex guard_;
  std::vector<message> got_;
  std::vector<peer_change> changes_;
  std::vector<channel> roomy_;

 public:
  std::unique_ptr<node_link> link;
};

inline link_options options_for(node_id self) {
  link_options made;
  made.self = self;
  made.cluster = cluster_name;
  return made;
}
inline link_options options_for(node_id self, const certificates& by) {
  link_options made = options_for(self);
  made.certificates = by.of(self);
  return made;
}

inline void connect(const station& a, const station& b) {
  a.know({&a, &b});
  b.know({&a, &b});
  BOOST_TEST_REQUIRE(eventually([&] {
    const bool up = a.link->is_up(b.link->self()) && b.link->is_up(a.link->self());
    return up && !a.changes().empty() && !b.changes().empty();
  }));
}

// A TCP connection that says what a test wants, to a plain link.
class raw_peer {
 public:
  // `from`: an address of this machine, 127.0.0.0/8; empty: whichever.
  explicit raw_peer(std::uint16_t port, const std::string& from = {})
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (!from.empty()) {
      sockaddr_in own{};
      own.sin_family = AF_INET;
      BOOST_TEST_REQUIRE(::inet_pton(AF_INET, from.c_str(), &own.sin_addr) == 1);
      BOOST_TEST_REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_TEST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    const timeval within{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof within);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &within, sizeof within);
  }
  raw_peer(const raw_peer&) = delete;
  raw_peer& operator=(const raw_peer&) = delete;
  ~raw_peer() { ::close(socket_); }

  // False when the other side has closed.
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  bool say(const link_message& what) { return write_frame(channel::link, encode(what)); }
  bool write_frame(channel on, std::string_view payload) {
    std::string bytes;
    append_frame(bytes, version, ++sequence, on, payload);
    return write(bytes);
  }
  // The next frame; nothing when the other side closed.
  std::optional<frame> read() {
    while (true) {
      std::string_view left(buffer_);
      auto next = reader.take(left);
      buffer_.erase(0, buffer_.size() - left.size());
      BOOST_TEST_REQUIRE(next.has_value());
      if (*next) return std::move(**next);
      char bytes[4096];
      const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) return std::nullopt;
      buffer_.append(bytes, static_cast<std::size_t>(count));
    }
  }
  template <class T>
  std::optional<T> read_message() {
    while (auto next = read()) {
      const auto said = decode_link_message(next->payload);
      BOOST_TEST_REQUIRE(said.has_value());
      if (const T* wanted = std::get_if<T>(&*said)) return *wanted;
    }
    return std::nullopt;
  }
  int descriptor() const { return socket_; }
  // Reads to the end.
  bool closed() {
    while (read()) {
    }
    return true;
  }
  // The whole handshake as `self`; false when it was refused.
  bool greet(hello self) {
    say(self);
    const auto theirs = read_message<hello>();
    if (!theirs) return false;
    say(confirm{.nonce = theirs->nonce, .version = self.versions.max});
    const auto confirmed = read_message<confirm>();
    if (!confirmed) return false;
    version = confirmed->version;
    reader.expect(version, default_channel_limits);
    return true;
  }

  std::uint8_t version = handshake_version;
  std::uint64_t sequence = 0;
  frame_reader reader{1024};

 private:
  int socket_;
  std::string buffer_;
};

inline hello hello_of(node_id node, std::uint64_t boot = 7) {
  return {.versions = {1, 1}, .cluster = cluster_name, .node = node, .boot = boot, .nonce = 99};
}

}  // namespace omnicart::cluster::test
