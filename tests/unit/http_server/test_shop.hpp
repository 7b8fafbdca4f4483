#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <stdexcept>
#include <thread>

#include "http/server/async_reply.hpp"
#include "http/server/server.hpp"
#include "tests/unit/http_server/peer.hpp"

namespace omnicart::http {

// Callbacks of handlers that wait for the test to answer them, from the test's thread.
class held_replies {
 public:
  void add(reply_callback<int> done) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
    changed_.notify_all();
  }
  // Blocks until `count` wait, then takes them all.
  std::vector<reply_callback<int>> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() >= count; });
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<reply_callback<int>> waiting_;
};

// What access observers were told.
class access_list {
 public:
  void add(const access_record& record) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::string(record.method) + ' ' + std::string(record.route) + ' ' +
                     std::to_string(record.status) + (record.fault.empty() ? "" : " fault"));
    changed_.notify_all();
  }
  // Blocks until there are `count` lines.
  std::vector<std::string> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return lines_.size() >= count; });
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

// A server with one of each kind of route.
struct test_shop {
  held_replies held;
  access_list log;
  std::unique_ptr<server> front;

  explicit test_shop(server_options options = {}) {
    if (options.threads == 0) options.threads = 2;
    options.observer = [this](const access_record& record) { log.add(record); };
    auto started = server::start(std::move(options), routes());
    BOOST_TEST_REQUIRE(started.has_value());
    front = std::move(*started);
  }
  peer connect() const { return peer(front->port()); }
  std::uint16_t port() const { return front->port(); }

 private:
  router routes() {
    router all;
    all.get("/api/hello",
            [](request&) -> task<response> { co_return json_response(200, R"({"hello":1})"); });
    all.get("/api/items/{id}", [](request& req) -> task<response> {
      co_return json_response(
          200, std::string(req.param("id")) + '|' + std::string(req.query("q").value_or("-")));
    });
    all.post(
        "/api/echo",
        [](request& req) -> task<response> { co_return json_response(201, std::string(req.body)); },
        {.body_bytes_max = 0, .streaming = false});
    all.post("/api/small",
             [](request& req) -> task<response> {
               co_return json_response(200, std::to_string(req.body.size()));
             },
             {.body_bytes_max = 16});
    all.post("/api/stream",
             [](request& req) -> task<response> {
               std::size_t total = 0;
               while (true) {
                 auto piece = co_await req.read_body();
                 if (!piece) co_return json_response(400, "\"" + piece.error().detail + "\"");
                 if (piece->empty()) break;
                 total += piece->size();
               }
               co_return json_response(200, std::to_string(total));
             },
             {.streaming = true, .consumes = "application/x-ndjson"});
    all.post("/api/ignore-stream",
             [](request&) -> task<response> { co_return json_response(200, "1"); },
             {.streaming = true, .consumes = ""});
    all.get("/api/held", [this](request& req) -> task<response> {
      const int number =
          co_await async_reply<int>([this](auto done) { held.add(std::move(done)); });
      co_return json_response(200, std::to_string(number) + std::string(req.target));
    });
    all.get("/api/lost", [](request&) -> task<response> {
      co_await async_reply<int>([](auto) {});
      co_return json_response(200, "1");
    });
    all.get("/api/throws", [](request&) -> task<response> {
      throw std::runtime_error("secret /etc/path");
      co_return json_response(200, "1");
    });
    all.get("/api/throws-at-once",
            [](request&) -> task<response> { throw std::runtime_error("at once"); });
    all.get("/api/large", [](request&) -> task<response> {
      co_return json_response(200, std::string(4'000'000, 'x'));
    });
    all.get(
        "/api/csv",
        [](request&) -> task<response> {
          response answer;
          answer.content_type = "text/csv";
          answer.body = "a,b";
          answer.add_header("Cache-Control", "max-age=5").add_header("X-Odd", "a\r\nInjected: 1");
          co_return answer;
        },
        {.produces = "text/csv"});
    all.get("/api/gather", [](request&) -> task<response> {
      auto all_answers = co_await async_replies<int>(3, [](std::size_t i, auto done) {
        std::thread([i, done] { done(static_cast<int>(i * i)); }).detach();
      });
      co_return json_response(
          200, std::to_string(all_answers[0] + all_answers[1] * 10 + all_answers[2] * 100));
    });
    return all;
  }
};

}  // namespace omnicart::http
