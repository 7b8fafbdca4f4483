#include "cluster/link/connection.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "cluster/link/link_tls.hpp"
#include "runtime/base/peer_network.hpp"

namespace omnicart::cluster {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t greeting_bytes_max = 512;
constexpr std::size_t greeting_buffer_bytes = 4 * 1024;
constexpr std::size_t buffer_bytes = 64 * 1024;
// Echoes wait at most this long a queue; a peer that asks for more without reading gets none.
constexpr std::size_t echo_queue_bytes_max = 16 * 1024;
// Memory kept between batches.
constexpr std::size_t kept_bytes_max = 512 * 1024;

std::uint64_t random_number() {
  std::uint64_t number = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number);
  return number;
}

std::uint64_t microseconds(steady_clock::time_point at) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
}

}  // namespace

connection::connection(connection_owner& owner, tcp::socket socket,
                       std::shared_ptr<asio::ssl::context> tls, node_id dialled)
    : owner_(owner),
      socket_(std::move(socket)),
      context_(std::move(tls)),
      gather_(socket_.get_executor()),
      timer_(socket_.get_executor()),
      dialled_(dialled),
      address_("-"),
      nonce_(random_number()),
      reader_(greeting_bytes_max) {
  error_code failure;
  if (const auto at = socket_.remote_endpoint(failure); !failure) {
    const auto address = at.address().to_string();
    address_ = address + ':' + std::to_string(at.port());
    network_ = network_of(address).key;
  }
  if (context_) tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, *context_);
}

// --- the handshake
// --------------------------------------------------------------------------------------------

void connection::start() {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  give_up_after(owner_.options().handshake_within);
  if (!tls_) return greet();
  const auto side = dialled() ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  tls_->async_handshake(side, [self = shared_from_this()](error_code failure) {
    if (self->stage_ == stage::closed) return;
    if (failure) return self->end(ending::tls_refused, failure.message());
    const auto who = peer_of(*self->tls_->native_handle());
    if (!who) return self->end(ending::no_identity);
    if (who->cluster != self->owner_.options().cluster)
      return self->end(ending::wrong_cluster, who->cluster);
    self->certified_ = who->node;
    self->greet();
  });
}

void connection::greet() {
  stage_ = stage::greeting;
  const link_options& with = owner_.options();
  say(hello{.versions = with.versions,
            .cluster = with.cluster,
            .node = with.self,
            .boot = owner_.boot(),
            .nonce = nonce_,
            .store = owner_.store()});
  read_more();
}

std::optional<ending> connection::judge(const hello& said) const {
  if (said.cluster != owner_.options().cluster) return ending::wrong_cluster;
  if (certified_ && *certified_ != said.node) return ending::wrong_node;
  if (dialled() && dialled_ != said.node) return ending::wrong_node;
  if (!dialled() && said.node >= owner_.options().self) return ending::wrong_side;
  if (!common_version(owner_.options().versions, said.versions)) return ending::no_common_version;
  return owner_.refuses(*this, said);
}

void connection::on(const hello& said) {
  if (stage_ != stage::greeting) return end(ending::garbage, "a second greeting");
  peer_ = said;
  if (const auto refused = judge(said)) return end(*refused);
  version_ = *common_version(owner_.options().versions, said.versions);
  stage_ = stage::confirming;
  say(confirm{.nonce = said.nonce, .version = version_});
}

void connection::on(const confirm& said) {
  if (stage_ != stage::confirming) return end(ending::garbage, "a confirmation out of place");
  if (said.nonce != nonce_) return end(ending::replayed);
  if (said.version != version_) return end(ending::garbage, "another version than agreed on");
  go_up();
}

void connection::go_up() {
  stage_ = stage::up;
  since_ = answered_at_ = beat_due_ = steady_clock::now();
  reader_.expect(version_, owner_.options().limits);
  owner_.established(*this);
  if (stage_ == stage::closed) return;
  beat();
}

void connection::give_up_after(duration_ms span) {
  timer_.expires_after(span);
  timer_.async_wait([self = shared_from_this()](error_code failure) {
    if (!failure && self->stage_ < stage::up) self->end(ending::slow);
  });
}

// --- reading
// --------------------------------------------------------------------------------------------------

void connection::read_more() {
  input_.resize(is_up() ? buffer_bytes : greeting_buffer_bytes);
  auto done = [self = shared_from_this()](error_code failure, std::size_t count) {
    self->on_read(failure, count);
  };
  if (tls_) {
    tls_->async_read_some(asio::buffer(input_), std::move(done));
  } else {
    socket_.async_read_some(asio::buffer(input_), std::move(done));
  }
}

void connection::on_read(error_code failure, std::size_t count) {
  if (stage_ == stage::closed) return;
  if (failure) return end(is_up() ? ending::lost : ending::truncated, failure.message());
  frames_read_ = 0;
  const bool sound = take_frames({input_.data(), count});
  if (is_up()) owner_.read(*this, frames_read_, count);
  if (sound) read_more();
}

bool connection::take_frames(std::string_view bytes) {
  while (true) {
    auto next = reader_.take(bytes);
    if (!next) {
      end(is_up() ? ending::violation : ending::garbage, next.error().detail);
      return false;
    }
    if (!*next) return true;
    ++frames_read_;
    on_frame(std::move(**next));
    if (stage_ == stage::closed) return false;
  }
}

void connection::on_frame(frame what) {
  if (what.on == channel::link) {
    const auto message = decode_link_message(what.payload);
    if (!message) return end(is_up() ? ending::violation : ending::garbage, message.error().detail);
    return std::visit([this](const auto& said) { on(said); }, *message);
  }
  if (what.on == channel::snapshot) {
    snapshot_held_ += what.payload.size();
    if (snapshot_held_ >
        owner_.options().limits[static_cast<std::size_t>(channel::snapshot)].window_bytes_max) {
      return end(ending::violation, "more of a snapshot than there was credit for");
    }
  }
  owner_.received(*this, std::move(what));
}

void connection::on(const ping& said) {
  if (!is_up()) return end(ending::garbage, "a heartbeat out of place");
  if (waiting_.size() < echo_queue_bytes_max) say(pong{said.stamp});
}

void connection::on(const pong& said) {
  if (!is_up()) return end(ending::garbage, "an echo out of place");
  answered_at_ = steady_clock::now();
  const std::uint64_t now = microseconds(answered_at_);
  if (said.stamp <= now) round_trip_ = std::chrono::microseconds(now - said.stamp);
}

void connection::on(const credit& said) {
  if (!is_up()) return end(ending::garbage, "credit out of place");
  owner_.credited(*this, static_cast<std::size_t>(said.bytes));
  flush();
}

// --- writing
// --------------------------------------------------------------------------------------------------

void connection::say(const link_message& what) {
  append_frame(waiting_, is_up() ? version_ : handshake_version, ++sequence_, channel::link,
               encode(what));
  flush();
}

void connection::flush() {
  if (writing_ || stage_ == stage::closed) return;
  if (is_up()) {
    if (const auto owed = std::exchange(credit_owed_, 0); owed > 0) {
      append_frame(waiting_, version_, ++sequence_, channel::link, encode(credit{owed}));
    }
    owner_.fill(*this, waiting_, sequence_);
  }
  if (waiting_.empty()) return;
  writing_ = true;
  sending_.swap(waiting_);
  pace_.left(steady_clock::now(), sequence_ - std::exchange(sequence_sent_, sequence_), sending_.size());
  auto done = [self = shared_from_this()](error_code failure, std::size_t) {
    self->on_written(failure);
  };
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(sending_), std::move(done));
  } else {
    asio::async_write(socket_, asio::buffer(sending_), std::move(done));
  }
}

void connection::flush_soon() {
  if (writing_ || gathering_ || stage_ == stage::closed) return;
  if (steady_clock::now() >= pace_.next()) return flush();
  gathering_ = true;
  gather_.expires_at(pace_.next());
  gather_.async_wait([self = shared_from_this()](error_code) {
    self->gathering_ = false;
    self->flush();
  });
}

void connection::on_written(error_code failure) {
  writing_ = false;
  if (stage_ == stage::closed) return;
  if (failure) return end(is_up() ? ending::lost : ending::truncated, failure.message());
  sending_.clear();
  if (sending_.capacity() > kept_bytes_max) sending_.shrink_to_fit();
  flush_soon();
}

void connection::consumed(std::size_t bytes) {
  const std::size_t ours =
      std::min(bytes, snapshot_held_);  // the rest came over an earlier connection
  snapshot_held_ -= ours;
  credit_owed_ += ours;
  flush();
}

// --- heartbeats, and the end
// ----------------------------------------------------------------------------------

void connection::beat() {
  const auto now = steady_clock::now();
  const link_options& with = owner_.options();
  // A process that was stopped itself looks at what came meanwhile before it blames the peer.
  const bool overslept = now - beat_due_ > with.heartbeat_every;
  if (!overslept && now - answered_at_ > with.dead_after) return end(ending::silent);
  say(ping{microseconds(now)});
  beat_due_ = now + with.heartbeat_every;
  timer_.expires_at(beat_due_);
  timer_.async_wait([self = shared_from_this()](error_code failure) {
    if (!failure && self->is_up()) self->beat();
  });
}

void connection::end(ending why, const std::string& detail) {
  if (stage_ == stage::closed) return;
  const auto self = shared_from_this();  // the owner may let go
  stage_ = stage::closed;
  error_code ignored;
  timer_.cancel();
  gather_.cancel();
  socket_.close(ignored);
  owner_.ended(*this, why, detail);
}

}  // namespace omnicart::cluster
