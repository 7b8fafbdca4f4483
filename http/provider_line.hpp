#pragma once

#include <utility>  // before Asio: Boost 1.74 needs it with GCC 12

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "http/payment_gateway.hpp"

// For payment_gateway.cpp alone: the connections it asks the provider on.
namespace omnicart::http {

// A command on its way to the provider.
struct open_call {
  envelope message;
  payment::command command;
};

class provider_line;

// What a line needs of the gateway that owns it.
class line_owner {
 public:
  virtual void finished(provider_line& line, envelope message,
                        const result<payment::charge_result>& what) = 0;
  virtual const payment_gateway_options& options() const = 0;
  virtual duration_ms now() const = 0;

 protected:
  ~line_owner() = default;
};

// One kept-alive connection, carrying one call at a time. On the gateway's thread. Its handlers
// hold a plain pointer: they run only while the gateway, which owns line and io_context, lives.
// Handlers of an earlier connection know by its number that they are late.
class provider_line {
 public:
  provider_line(boost::asio::io_context& io, line_owner& owner);

  bool idle() const { return !call_; }
  void serve(open_call call);
  // Ends the call when it is overdue.
  void sweep();
  void give_up(base_errc code, std::string why);

 private:
  using parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

  void connect();
  template <class Endpoints>
  void connect_to(const Endpoints& endpoints);
  void connected(const boost::system::error_code& failed);
  void write();
  void read();
  void received(std::size_t bytes);
  void parse();
  void too_long();
  void broken();
  void complete();
  void end(const result<payment::charge_result>& what);
  void disconnect();
  // Runs `then` unless the connection has been replaced meanwhile.
  template <class F>
  auto on_this_connection(F then);

  line_owner& owner_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::beast::flat_buffer in_;
  std::optional<parser> parser_;
  std::optional<open_call> call_;
  std::string out_;
  std::size_t received_bytes_ = 0;  // of this answer
  duration_ms overdue_at_{};
  std::uint64_t connection_ = 0;
  bool up_ = false;
  bool used_before_ = false;  // this connection has carried an answer
};

}  // namespace omnicart::http
