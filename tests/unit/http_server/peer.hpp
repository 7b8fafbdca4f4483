#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace omnicart::http {

struct reply {
  int status = 0;  // 0: the connection ended first
  std::string head;
  std::string body;

  std::string header(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == head.npos) return {};
    const auto start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }
  std::string code() const {
    const auto at = body.find("\"code\":\"");
    return at == body.npos ? std::string() : body.substr(at + 8, body.find('"', at + 8) - at - 8);
  }
};

// A client that says exactly what a test wants, over a real loopback socket. Reads give up after
// ten seconds.
class peer {
 public:
  explicit peer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    BOOST_TEST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  peer(peer&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), left_(std::move(other.left_)) {}
  ~peer() { close(); }

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  int socket() const { return socket_; }
  void shut_sending() { ::shutdown(socket_, SHUT_WR); }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server may have ended the connection on purpose
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // `bodyless`: the answer to HEAD.
  reply read(bool bodyless = false) {
    reply got;
    auto end = left_.find("\r\n\r\n");
    while (end == left_.npos) {
      if (!more()) return got;
      end = left_.find("\r\n\r\n");
    }
    got.head = left_.substr(0, end + 2);
    got.status = std::stoi(got.head.substr(9, 3));
    left_.erase(0, end + 4);
    const auto length = got.header("Content-Length");
    const std::size_t size = bodyless || length.empty() ? 0 : std::stoul(length);
    while (left_.size() < size) {
      if (!more()) return got;
    }
    got.body = left_.substr(0, size);
    left_.erase(0, size);
    return got;
  }
  reply ask(std::string_view bytes) {
    send(bytes);
    return read();
  }
  // True when the server closed, with nothing more to read.
  bool ended() {
    if (!left_.empty()) return false;
    char byte;
    const auto count = ::recv(socket_, &byte, 1, 0);
    return count == 0 || (count < 0 && errno != EAGAIN);
  }

 private:
  bool more() {
    char bytes[16 * 1024];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    left_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  int socket_;
  std::string left_;
};

}  // namespace omnicart::http
