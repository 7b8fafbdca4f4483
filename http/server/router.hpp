#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/message.hpp"
#include "http/server/task.hpp"

namespace omnicart::http {

// Answers one request. Called on the connection's thread, never blocks it. The request outlives the
// task; parameters of the coroutine other than the request (a lambda's captures!) must outlive it
// too, so handlers are best free or member functions, bound: the router keeps the std::function for
// as long as the server lives.
using handler = std::function<task<response>(request&)>;

struct route_options {
  std::size_t body_bytes_max = 0;  // 0: server_limits::body_bytes_max, or none when streaming
  bool streaming = false;          // the handler reads the body with req.read_body()
  std::string consumes =
      "application/json";  // media types of the body, by comma; "" takes all (else 415)
  std::string produces = "application/json";  // what Accept must take, besides JSON (else 406)
};

struct route {
  method verb = method::get;
  std::string pattern;  // "/api/cart/items/{product_id}"
  handler handle;
  route_options options;
};

struct route_match {
  enum class outcome { found, no_path, no_method, bad_escape };
  outcome what = outcome::no_path;
  const route* found = nullptr;
  std::string_view allow;  // for no_method and OPTIONS: "DELETE, GET, HEAD, OPTIONS"
};

// The table of calls, matched segment by segment; a literal segment goes before a parameter. Filled
// before the server starts, then immutable and shared by all threads.
//
// Every path is served with and without its /api; one trailing slash changes nothing. Segments are
// percent-decoded exactly once, after cutting, so "%2F" is part of its segment. Empty segments
// match nothing.
class router {
 public:
  router();
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  // A bug when the same method and pattern is there already, or a pattern is not made of segments.
  void add(method verb, std::string pattern, handler handle, route_options options = {});
  void get(std::string pattern, handler handle, route_options options = {}) {
    add(method::get, std::move(pattern), std::move(handle), std::move(options));
  }
  void post(std::string pattern, handler handle, route_options options = {}) {
    add(method::post, std::move(pattern), std::move(handle), std::move(options));
  }
  void put(std::string pattern, handler handle, route_options options = {}) {
    add(method::put, std::move(pattern), std::move(handle), std::move(options));
  }
  void remove(std::string pattern, handler handle, route_options options = {}) {
    add(method::delete_, std::move(pattern), std::move(handle), std::move(options));
  }

  // All routes, in the order they were added: for the API's own description.
  std::vector<const route*> routes() const;

  // Fills `params` with views into `scratch` or into `path`. HEAD finds GET. `scratch` is
  // overwritten.
  route_match match(method verb, std::string_view path, std::vector<name_value>& params,
                    std::string& scratch) const;

 private:
  struct node;
  std::unique_ptr<node> root_;
  std::vector<std::unique_ptr<route>> routes_;
};

}  // namespace omnicart::http
