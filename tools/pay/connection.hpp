#pragma once

#include <utility>  // before Asio: Boost 1.74 needs it with GCC 12

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "tools/pay/provider_api.hpp"
#include "tools/pay/provider_server.hpp"

namespace omnicart::pay {

class connection;

// What a connection needs of the server that owns it.
class connection_owner {
 public:
  virtual api_reply handle(const api_request& asked) = 0;
  // connection::committed() is called after the ledger's next commit.
  virtual void await_commit(std::shared_ptr<connection> who) = 0;
  virtual void closed(const std::shared_ptr<connection>& who) = 0;
  virtual const ledger_file& ledger() const = 0;
  virtual const server_options& options() const = 0;
  // Sweeps since the start: the coarse clock that idle and slow peers are measured with.
  virtual std::uint64_t sweeps() const = 0;
  virtual bool stopping() const = 0;

 protected:
  ~connection_owner() = default;
};

// One kept-alive HTTP/1.1 connection: read, decide, wait for the ledger, answer. On the server's
// thread only; kept alive by its pending operations and by the server's list.
class connection : public std::enable_shared_from_this<connection> {
 public:
  // The owner outlives it.
  connection(boost::asio::ip::tcp::socket socket, connection_owner& owner);

  void start();
  void committed();
  void sweep();       // closes it when it took too long over what it does
  void begin_stop();  // closes it unless it owes an answer
  void close();

 private:
  enum class phase { idle, reading, waiting, held, delayed, writing, streaming, closed };
  using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void enter(phase next);
  void next_request();
  void read();
  void parse();
  void refuse(unsigned status, std::string_view code);
  void dispatch();
  void hold();
  void delay();
  void write(std::string bytes);
  void written();
  void start_stream(const ledger_page& page);
  void stream();
  void render(const api_reply& reply);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  connection_owner& owner_;
  boost::beast::flat_buffer in_;
  std::optional<parser> parser_;
  std::string out_;
  api_reply reply_;
  ledger_file::cursor at_;
  std::uint64_t left_ = 0;  // entries still to stream
  phase phase_ = phase::idle;
  std::uint64_t expires_ = 0;  // sweep at which the phase has lasted too long
  bool keep_alive_ = true;
};

}  // namespace omnicart::pay
