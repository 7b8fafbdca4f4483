#pragma once

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cluster/link/link_options.hpp"

namespace omnicart::cluster {

// One attempt to reach a peer: look its name up, connect. Lives on its link's thread, kept by its
// operations; `done` is called once, with a socket or with why there is none, unless the attempt is
// cancelled.
class dial final : public std::enable_shared_from_this<dial> {
 public:
  using done_fn = std::function<void(result<boost::asio::ip::tcp::socket>)>;

  dial(boost::asio::io_context& context, peer_address to, done_fn done);

  void start(duration_ms within);
  void cancel();

  // Addresses that are not this machine's own are passed over.
  void loopback_only() { loopback_only_ = true; }

 private:
  using results = boost::asio::ip::tcp::resolver::results_type;
  void connect(const results& found);
  void finish(result<boost::asio::ip::tcp::socket> got);

  const peer_address to_;
  done_fn done_;
  bool loopback_only_ = false;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
};

}  // namespace omnicart::cluster
