#pragma once

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/link/ending.hpp"
#include "cluster/link/frame.hpp"
#include "cluster/link/gather_pace.hpp"
#include "cluster/link/hello.hpp"
#include "cluster/link/link_options.hpp"

namespace omnicart::cluster {

class connection;

// What a connection asks of the link it belongs to. All on the link's thread.
class connection_owner {
 public:
  virtual const link_options& options() const = 0;
  virtual std::uint64_t boot() const = 0;
  virtual std::uint64_t store() const = 0;  // ours; 0: nothing is said of it
  // A peer that is who it claims to be wants in: the reason to refuse, if any.
  virtual std::optional<ending> refuses(const connection& from, const hello& said) = 0;
  virtual void established(connection& by) = 0;
  // Of an established peer, never on channel::link.
  virtual void received(connection& by, frame what) = 0;
  virtual void read(const connection& by, std::size_t frames, std::size_t bytes) = 0;
  virtual void credited(const connection& by, std::size_t bytes) = 0;
  // Appends what waits to be sent.
  virtual void fill(const connection& by, std::string& out, std::uint64_t& sequence) = 0;
  // Once; the connection is closed and may go.
  virtual void ended(connection& by, ending why, const std::string& detail) = 0;

 protected:
  ~connection_owner() = default;
};

// One TCP connection to one other node: TLS, greeting, frames both ways, heartbeats. Lives on its
// link's thread, kept by its pending operations; the owner outlives it.
//
//   securing -> greeting -> confirming -> up      closed ends it from anywhere
class connection final : public std::enable_shared_from_this<connection> {
 public:
  // `dialled`: the node that was called, or no_node when it called us. `tls` may be null: plain.
  connection(connection_owner& owner, boost::asio::ip::tcp::socket socket,
             std::shared_ptr<boost::asio::ssl::context> tls, node_id dialled);

  void start();
  // Sends what waits, unless a write is under way, which goes on with it.
  void flush();
  // The same, at the link's pace: under load, messages that follow one another closely share a frame of TLS and a wake-up
  // at the other side; a lone one leaves at once.
  void flush_soon();
  void end(ending why, const std::string& detail = {});
  // The receiver of snapshots is done with so many bytes.
  void consumed(std::size_t bytes);

  bool dialled() const { return dialled_ != no_node; }
  node_id peer() const { return dialled() ? dialled_ : peer_.node; }  // none before the greeting
  std::uint64_t peer_boot() const { return peer_.boot; }
  std::uint8_t version() const { return version_; }
  bool is_up() const { return stage_ == stage::up; }
  bool is_certified() const { return certified_.has_value(); }  // after TLS, before the greeting
  std::chrono::microseconds round_trip() const { return round_trip_; }
  std::chrono::steady_clock::time_point since() const { return since_; }  // when it was established
  const std::string& address() const { return address_; }
  std::uint64_t network() const { return network_; }  // of the address

 private:
  enum class stage : std::uint8_t { securing, greeting, confirming, up, closed };
  using time_point = std::chrono::steady_clock::time_point;

  void greet();
  void read_more();
  void on_read(boost::system::error_code failure, std::size_t count);
  bool take_frames(std::string_view bytes);
  void on_frame(frame what);
  void on(const hello& said);
  void on(const confirm& said);
  void on(const ping& said);
  void on(const pong& said);
  void on(const credit& said);
  std::optional<ending> judge(const hello& said) const;
  void go_up();
  void say(const link_message& what);
  void on_written(boost::system::error_code failure);
  void give_up_after(duration_ms span);
  void beat();

  connection_owner& owner_;
  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  boost::asio::steady_timer gather_;
  boost::asio::steady_timer timer_;  // the end of the handshake, then the next heartbeat
  const node_id dialled_;
  std::string address_;
  std::uint64_t network_ = 0;

  stage stage_ = stage::securing;
  std::optional<node_id> certified_;  // what the certificate says
  hello peer_;
  std::uint64_t nonce_ = 0;
  std::uint8_t version_ = 0;
  time_point since_{};
  time_point answered_at_{};  // the last echo of a heartbeat
  time_point beat_due_{};
  std::chrono::microseconds round_trip_{0};

  frame_reader reader_;
  std::vector<char> input_;
  std::size_t frames_read_ = 0;
  std::size_t snapshot_held_ = 0;  // received, not consumed
  std::size_t credit_owed_ = 0;    // consumed, not yet said

  std::uint64_t sequence_ = 0;  // of the last frame written
  std::string waiting_;
  std::string sending_;
  bool writing_ = false;
  bool gathering_ = false;
  gather_pace pace_;
  std::uint64_t sequence_sent_ = 0;
};

}  // namespace omnicart::cluster
