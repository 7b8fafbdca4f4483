#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "tools/pay/provider_server.hpp"

namespace omnicart::pay {

// A folder that is gone with the test.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-pay-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void write_whole(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class machine_clock final : public omnicart::clock {
 public:
  timestamp_ms wall() const override {
    return std::chrono::floor<duration_ms>(std::chrono::system_clock::now());
  }
  duration_ms monotonic() const override {
    return std::chrono::floor<duration_ms>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

// A provider on a thread of this process and a free loopback port; stopped and drained at the end.
class running_provider {
 public:
  explicit running_provider(server_options options = {}) {
    if (options.data.empty()) options.data = folder_.path() / "pay";
    auto opened = provider_server::open(options, time_);
    BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    server_ = std::move(*opened);
    thread_ = std::thread([this] { ended_ = server_->run(); });
  }
  ~running_provider() { stop(); }
  status stop() {
    if (thread_.joinable()) {
      server_->stop();
      thread_.join();
    }
    return ended_;
  }
  std::uint16_t port() const { return server_->port(); }
  provider_server& server() { return *server_; }

 private:
  temporary_folder folder_;
  machine_clock time_;
  std::unique_ptr<provider_server> server_;
  status ended_;
  std::thread thread_;
};

// A plain loopback connection that gives up reading after 5 s.
class raw_client {
 public:
  explicit raw_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    BOOST_REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  ~raw_client() { ::close(fd_); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void write(std::string_view bytes) {
    BOOST_REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(bytes.size()));
  }
  // Until the peer closes, or nothing comes.
  std::string read_to_end() {
    while (read_some()) {
    }
    return std::exchange(got_, {});
  }
  // One answer with a Content-Length: head and body.
  std::string read_answer() {
    std::size_t whole = std::string::npos;
    while (whole == std::string::npos || got_.size() < whole) {
      const auto head = got_.find("\r\n\r\n");
      const auto length = got_.find("Content-Length: ");
      if (head != std::string::npos && length < head)
        whole = head + 4 + std::stoul(got_.substr(length + 16));
      if ((whole == std::string::npos || got_.size() < whole) && !read_some()) break;
    }
    auto answer = got_.substr(0, whole);
    got_.erase(0, answer.size());
    return answer;
  }
  std::string ask(const std::string& method, const std::string& target,
                  const std::string& body = {}) {
    write(method + ' ' + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body);
    return read_answer();
  }

 private:
  bool read_some() {
    char part[4096];
    const auto count = ::recv(fd_, part, sizeof part, 0);
    if (count > 0) got_.append(part, static_cast<std::size_t>(count));
    return count > 0;
  }
  int fd_;
  std::string got_;
};

inline std::string body_of(const std::string& answer) {
  const auto head = answer.find("\r\n\r\n");
  return head == std::string::npos ? "" : answer.substr(head + 4);
}

inline int status_of(const std::string& answer) {
  return answer.size() > 12 ? std::atoi(answer.c_str() + 9) : 0;
}

inline std::string charge_body(const std::string& key, const std::string& token,
                               int amount = 1299) {
  return R"({"key":")" + key + R"(","amount":)" + std::to_string(amount) +
         R"(,"currency":"GBP","method":"card","token":")" + token + R"("})";
}

}  // namespace omnicart::pay
