#include "cluster/link/link_core.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "cluster/link/certificate_end.hpp"
#include "cluster/link/half_open.hpp"
#include "cluster/link/link_tls.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/log.hpp"

namespace omnicart::cluster {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

// A flood of strangers should not make peers wait until their system calls again.
constexpr int accept_backlog = 1'024;
constexpr duration_ms accept_pause{50};
// Processes of one peer that are known to be gone; the oldest is forgotten.
constexpr std::size_t old_boots_max = 16;

std::uint64_t random_boot() {
  std::uint64_t number = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number);
  return number;
}

tl::unexpected<error> cannot_listen(const link_options& on, const std::string& why) {
  return fail(base_errc::unavailable, "cannot listen for nodes on " + on.address + ":" +
                                          std::to_string(on.port) + ": " + why);
}

}  // namespace

// --- start and stop
// -------------------------------------------------------------------------------------------

link_core::link_core(link_options given)
    : options_(std::move(given)),
      boot_(random_boot()),
      peers_(options_.limits),
      acceptor_(context_),
      pause_(context_),
      end_watch_(context_) {}

status link_core::listen() {
  ensure(options_.self != no_node && is_cluster_id(options_.cluster),
         "a link is given its node and cluster");
  error_code failure;
  const auto address = asio::ip::make_address(options_.address, failure);
  if (failure) return cannot_listen(options_, "not an IP address");
  if (options_.certificates) {
    if (auto loaded = reload(); !loaded) return loaded;
  } else if (!address.is_loopback()) {
    return cannot_listen(
        options_,
        "without certificates a node listens on loopback only (omnicartctl cert makes some)");
  }
  const tcp::endpoint where(address, options_.port);
  acceptor_.open(where.protocol(), failure);
  if (!failure) acceptor_.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) acceptor_.bind(where, failure);
  if (!failure) acceptor_.listen(accept_backlog, failure);
  if (failure) return cannot_listen(options_, failure.message());
  port_ = acceptor_.local_endpoint().port();
  return {};
}

void link_core::start() {
  ensure(!thread_.joinable(), "a link is started once");
  if (!tls_)
    log::warning(
        "links to other nodes are plain and on loopback only: no certificates are configured");
  watch_end();
  accept();
  thread_ = std::thread([this] {
    const auto guard = asio::make_work_guard(context_);
    context_.run();
  });
}

void link_core::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] { close_all(); });
  thread_.join();
  context_.restart();
  context_.poll();  // cancelled operations give up what they hold
}

void link_core::close_all() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  end_watch_.cancel();
  const auto open = half_open_;
  for (const auto& each : open) each->end(ending::stopped);
  for (auto& [peer, of] : lines_) forget(of);
  context_.stop();
}

status link_core::reload() {
  if (!options_.certificates) return {};
  auto fresh =
      make_link_tls(*options_.certificates, {.cluster = options_.cluster, .node = options_.self});
  if (!fresh) return fail(std::move(fresh.error()));
  if (!thread_.joinable()) {
    use(std::move(*fresh));
  } else {
    asio::post(context_, [this, made = std::move(*fresh)] {
      if (stopping_) return;
      use(made);
      watch_end();
    });
  }
  return {};
}

void link_core::use(std::shared_ptr<asio::ssl::context> made) {
  shown_until_ = shown_until(*made);
  tls_ = std::move(made);
}

// Now and from time to time; a reload begins anew.
void link_core::watch_end() {
  if (!tls_) return;
  const auto ends = shown_until_.load();
  if (const auto says = end_warning(ends, machine_.wall())) {
    log::warning(*says, {{"ends", to_rfc3339(ends)}, {"file", options_.certificates->certificate}});
  }
  end_watch_.expires_after(options_.end_warned_every);
  end_watch_.async_wait([this](error_code cancelled) {
    if (!cancelled && !stopping_) watch_end();
  });
}

link_counts link_core::counts() const {
  link_counts now = peers_.counts();
  const auto ends = shown_until_.load();
  if (ends != timestamp_ms::max()) {
    now.certificate_expires_s =
        std::chrono::floor<std::chrono::seconds>(ends - machine_.wall()).count();
  }
  return now;
}

// --- who may come
// ---------------------------------------------------------------------------------------------

bool link_core::may_connect(node_id node) const {
  return members_.contains(node);
}

void link_core::set_peers(std::vector<peer_address> peers) {
  asio::post(context_,
             [this, given = std::move(peers)]() mutable { take_peers(std::move(given)); });
}

void link_core::take_peers(std::vector<peer_address> peers) {
  if (stopping_) return;
  members_.clear();
  for (const auto& peer : peers) members_[peer.node] = peer.store;
  for (auto& peer : peers) {
    if (peer.node == options_.self || peer.node == no_node) continue;
    line& to = line_of(peer.node);
    if (peer.node < options_.self) continue;
    const bool known = to.where.has_value();
    const node_id node = peer.node;
    to.where = std::move(peer);  // another address is dialled when the connection of now is gone
    if (!known) call(node);
  }
  for (auto at = lines_.begin(); at != lines_.end();) {
    if (may_connect(at->first)) {
      ++at;
      continue;
    }
    forget(at->second);
    peers_.forget(at->first);
    at = lines_.erase(at);
  }
}

void link_core::forget(line& of) {
  of.where.reset();
  of.timer.cancel();
  if (of.attempt) std::exchange(of.attempt, nullptr)->cancel();
  const ending why = stopping_ ? ending::stopped : ending::removed;
  if (const auto calling = of.calling) calling->end(why);
  if (const auto current = of.current) current->end(why);
}

link_core::line& link_core::line_of(node_id peer) {
  return lines_.try_emplace(peer, context_, options_).first->second;
}

std::optional<ending> link_core::refuses(const connection&, const hello& said) {
  if (said.node == options_.self || !may_connect(said.node)) return ending::not_a_member;
  const auto member = members_.find(said.node);
  if (member != members_.end() && member->second != 0 && said.store != 0 && said.store != member->second) {
    return ending::another_store;
  }
  const auto known = lines_.find(said.node);
  if (known == lines_.end()) return std::nullopt;
  const auto& old = known->second.old_boots;
  if (std::ranges::find(old, said.boot) != old.end()) return ending::old_boot;
  return std::nullopt;
}

// --- coming and going
// -----------------------------------------------------------------------------------------

void link_core::accept() {
  acceptor_.async_accept([this](error_code failure, tcp::socket socket) {
    if (stopping_ || failure == asio::error::operation_aborted) return;
    if (!failure) {
      take(std::move(socket));
      return accept();
    }
    // Out of descriptors or memory: again in a moment, not at once and for ever.
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](error_code cancelled) {
      if (!cancelled && !stopping_) accept();
    });
  });
}

void link_core::take(tcp::socket socket) {
  if (half_open_.size() >= options_.half_open_max) make_room();
  const auto made = std::make_shared<connection>(*this, std::move(socket), tls_, no_node);
  half_open_.push_back(made);
  peers_.set_half_open(half_open_.size());
  made->start();
}

// A peer gets in also while others hold all places and say nothing.
void link_core::make_room() {
  std::vector<half_open> all;
  for (const auto& each : half_open_) all.push_back({each->network(), each->is_certified()});
  const auto goes = half_open_[one_to_give_way(all)];
  goes->end(ending::too_many, "it gave way to a newer one");
}

void link_core::call(node_id peer) {
  line& to = line_of(peer);
  if (!to.where || to.current || to.calling || to.attempt) return;
  to.attempt = std::make_shared<dial>(context_, *to.where, [this, peer](result<tcp::socket> got) {
    dialled(peer, std::move(got));
  });
  if (!tls_) to.attempt->loopback_only();
  to.attempt->start(options_.handshake_within);
}

void link_core::call_later(node_id peer, line& to) {
  if (stopping_ || !to.where) return;
  to.timer.expires_after(to.redial.next(chance_()));
  to.timer.async_wait([this, peer](error_code failure) {
    if (!failure && lines_.contains(peer)) call(peer);
  });
}

void link_core::dialled(node_id peer, result<tcp::socket> got) {
  line& to = line_of(peer);
  to.attempt.reset();
  if (!got) {
    peers_.count_failed_dial();
    log::debug("a node cannot be reached", {{"node", peer}, {"why", got.error().detail}});
    return call_later(peer, to);
  }
  to.calling = std::make_shared<connection>(*this, std::move(*got), tls_, peer);
  std::shared_ptr(to.calling)->start();
}

void link_core::established(connection& by) {
  const node_id peer = by.peer();
  const auto self = by.shared_from_this();
  if (std::erase(half_open_, self) > 0) peers_.set_half_open(half_open_.size());
  // The membership may have changed since the greeting.
  if (!may_connect(peer)) return by.end(ending::not_a_member);
  line& of = line_of(peer);
  if (of.calling == self) of.calling.reset();
  if (const auto before = of.current) before->end(ending::replaced);
  if (of.boot != by.peer_boot() && of.boot != 0) {
    of.old_boots.push_back(of.boot);
    if (of.old_boots.size() > old_boots_max) of.old_boots.pop_front();
  }
  of.boot = by.peer_boot();
  of.current = self;
  peers_.came_up(peer, by.version());
  log::info("a node is connected",
            {{"node", peer}, {"address", by.address()}, {"version", by.version()}});
  for (const auto& tell : watchers_)
    tell({.peer = peer, .up = true, .boot = of.boot, .version = by.version()});
}

void link_core::went_down(line& of, const connection& by) {
  of.current.reset();
  peers_.went_down(by.peer());
  for (const auto& tell : watchers_) {
    tell({.peer = by.peer(), .up = false, .boot = by.peer_boot(), .version = by.version()});
  }
}

void link_core::ended(connection& by, ending why, const std::string& detail) {
  const auto self = by.shared_from_this();
  note(why, by.peer(), by.address(), detail);
  if (std::erase(half_open_, self) > 0) peers_.set_half_open(half_open_.size());
  const auto found = lines_.find(by.peer());
  if (found == lines_.end()) return;
  line& of = found->second;
  if (of.current == self) {
    if (steady_clock::now() - by.since() > options_.redial_most) of.redial.reset();
    went_down(of, by);
  } else if (of.calling == self) {
    of.calling.reset();
  } else {
    return;
  }
  if (by.dialled()) call_later(by.peer(), of);
}

void link_core::note(ending why, node_id peer, const std::string& address,
                     const std::string& detail) {
  peers_.count_ending(why);
  if (why == ending::stopped) return;
  const auto unsaid = lately_.take(why, steady_clock::now());
  if (!unsaid) return;
  log::warning(why < ending::lost ? "a connection of a node was refused" : "a node is disconnected",
               {{"reason", to_string(why)},
                {"node", peer},
                {"address", address},
                {"detail", detail},
                {"more_of_these", *unsaid}});
}

// --- messages
// -------------------------------------------------------------------------------------------------

bool link_core::send(node_id to, channel on, std::string bytes) {
  ensure(on != channel::link, "the link's channel is its own");
  const auto sent = peers_.push(to, on, std::move(bytes));
  if (sent == peer_table::sent::taken_and_wake) {
    asio::post(context_, [this, to] {
      const auto found = lines_.find(to);
      if (found != lines_.end() && found->second.current)
        std::shared_ptr(found->second.current)->flush_soon();
    });
  }
  return sent != peer_table::sent::refused;
}

void link_core::consumed(node_id from, std::size_t bytes) {
  asio::post(context_, [this, from, bytes] {
    const auto found = lines_.find(from);
    if (found != lines_.end() && found->second.current)
      std::shared_ptr(found->second.current)->consumed(bytes);
  });
}

void link_core::fill(const connection& by, std::string& out, std::uint64_t& sequence) {
  for (const channel on : peers_.fill(by.peer(), out, by.version(), sequence)) {
    if (const auto& tell = room_[static_cast<std::size_t>(on)]) tell(by.peer());
  }
}

void link_core::received(connection& by, frame what) {
  if (const auto& handle = handlers_[static_cast<std::size_t>(what.on)])
    handle(by.peer(), std::move(what.payload));
}

void link_core::read(const connection& by, std::size_t frames, std::size_t bytes) {
  peers_.count_read(by.peer(), frames, bytes, by.round_trip().count());
}

void link_core::credited(const connection& by, std::size_t bytes) {
  peers_.add_credit(by.peer(), bytes);
}

}  // namespace omnicart::cluster
