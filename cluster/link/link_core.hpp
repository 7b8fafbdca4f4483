#pragma once

#include <utility>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cluster/link/backoff.hpp"
#include "cluster/link/connection.hpp"
#include "cluster/link/dial.hpp"
#include "cluster/link/peer_table.hpp"
#include "cluster/link/quiet_log.hpp"
#include "runtime/system_ports.hpp"

namespace omnicart::cluster {

// The inside of a node_link, whose promises it keeps.
class link_core final : public connection_owner {
 public:
  explicit link_core(link_options given);

  status listen();
  void start();
  void stop();
  void set_store(std::uint64_t store) { store_ = store; }
  void set_peers(std::vector<peer_address> peers);
  status reload();
  bool send(node_id to, channel on, std::string bytes);
  void consumed(node_id from, std::size_t bytes);

  link_counts counts() const;

  const peer_table& table() const { return peers_; }
  std::uint16_t port() const { return port_; }
  void receive(channel on, transport::message_fn handler) {
    handlers_[static_cast<std::size_t>(on)] = std::move(handler);
  }
  void when_room(channel on, transport::room_fn handler) {
    room_[static_cast<std::size_t>(on)] = std::move(handler);
  }
  void watch(transport::change_fn handler) { watchers_.push_back(std::move(handler)); }

  const link_options& options() const override { return options_; }
  std::uint64_t store() const override { return store_; }
  std::uint64_t boot() const override { return boot_; }

 private:
  // What the link's thread knows of one peer.
  struct line {
    line(boost::asio::io_context& context, const link_options& with)
        : redial(with.redial_first, with.redial_most), timer(context) {}
    std::optional<peer_address> where;  // given: it is dialled
    std::shared_ptr<connection> current;
    std::shared_ptr<connection> calling;  // dialled, its handshake not over
    std::shared_ptr<dial> attempt;
    backoff redial;
    boost::asio::steady_timer timer;
    std::uint64_t boot = 0;
    std::deque<std::uint64_t> old_boots;
  };

  std::optional<ending> refuses(const connection& from, const hello& said) override;
  void established(connection& by) override;
  void received(connection& by, frame what) override;
  void read(const connection& by, std::size_t frames, std::size_t bytes) override;
  void credited(const connection& by, std::size_t bytes) override;
  void fill(const connection& by, std::string& out, std::uint64_t& sequence) override;
  void ended(connection& by, ending why, const std::string& detail) override;

  bool may_connect(node_id node) const;
  void accept();
  void take(boost::asio::ip::tcp::socket socket);
  void make_room();
  void take_peers(std::vector<peer_address> peers);
  line& line_of(node_id peer);
  void call(node_id peer);
  void call_later(node_id peer, line& to);
  void dialled(node_id peer, result<boost::asio::ip::tcp::socket> got);
  void forget(line& of);
  void went_down(line& of, const connection& by);
  void use(std::shared_ptr<boost::asio::ssl::context> made);
  void watch_end();
  void note(ending why, node_id peer, const std::string& address, const std::string& detail);
  void close_all();

  const link_options options_;
  std::uint64_t store_ = 0;
  const std::uint64_t boot_;
  boost::asio::io_context context_{1};
  peer_table peers_;
  std::array<transport::message_fn, channel_count> handlers_;
  std::array<transport::room_fn, channel_count> room_;
  std::vector<transport::change_fn> watchers_;
  std::uint16_t port_ = 0;
  system_clock machine_;  // certificates end by the machine's time
  std::atomic<timestamp_ms> shown_until_{timestamp_ms::max()};  // max(): without certificates
  std::thread thread_;

  // The link's thread alone.
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer end_watch_;
  std::shared_ptr<boost::asio::ssl::context> tls_;  // null: plain
  std::map<node_id, line> lines_;
  std::map<node_id, std::uint64_t> members_;            // named by set_peers, each with its store
  std::vector<std::shared_ptr<connection>> half_open_;  // accepted, oldest first
  quiet_log lately_;
  std::minstd_rand chance_{std::random_device{}()};
  bool stopping_ = false;
};

}  // namespace omnicart::cluster
