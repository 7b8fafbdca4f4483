#include "tools/omnicartd/peers.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "cluster/backup/backup_maker.hpp"
#include "cluster/raft/message_codec.hpp"
#include "config/cluster_check.hpp"
#include "config/load.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms sender_tick{5};
constexpr duration_ms report_tick{500};

cluster::link_options link_options(const config::cluster_options& o) {
  cluster::link_options with;
  with.versions = cluster::envelope_versions();
  with.self = static_cast<cluster::node_id>(o.node);
  with.cluster = o.name;
  with.address = o.address;
  with.port = static_cast<std::uint16_t>(o.port);
  if (!o.authority.empty()) {
    with.certificates = cluster::link_certificates{
        .authority = o.authority, .certificate = o.certificate, .private_key = o.private_key};
  }
  auto& raft = with.limits[static_cast<std::size_t>(cluster::channel::raft)];
  raft.frame_bytes_max = raft::frame_bytes_max;
  raft.window_bytes_max = 2 * raft::frame_bytes_max;
  return with;
}

std::vector<cluster::peer_address> named_peers(const config::cluster_options& o) {
  std::vector<cluster::peer_address> all;
  for (const auto& text : o.peers) {
    // Checked with the rest of the configuration.
    if (const auto peer = config::parse_peer(text)) all.push_back({peer->node, peer->host, peer->port});
  }
  return all;
}

}  // namespace

peers::peers(const config::cluster_options& options, const clock& time, id_source& ids)
    : options_(options), time_(time), ids_(ids), named_(ids) {}

peers::~peers() { stop(); }

result<std::unique_ptr<peers>> peers::open(const config::cluster_options& options, const clock& time, id_source& ids) {
  auto made = std::unique_ptr<peers>(new peers(options, time, ids));
  auto link = cluster::node_link::open(link_options(options));
  if (!link) return fail(link.error());
  made->link_ = std::move(*link);
  made->link_->set_peers(named_peers(options));
  made->members_ = std::make_unique<cluster::members_only>(*made->link_);
  made->raft_ = std::make_unique<cluster::raft_channel>(*made->link_);
  return made;
}

void peers::describe(cluster::journal_options& journal, persistence::store& data) {
  chunks_ = std::make_unique<cluster::link_chunks>(*link_);
  // Who is asked may know less of the record than who asks: that one asks again.
  cluster::copier_options copying;
  copying.may_have = [this](cluster::node_id node) { return members_->has(node); };
  copies_ = std::make_unique<cluster::shard_copier>(data, *chunks_, time_, std::move(copying));
  chunks_->attach(*copies_);
  copies_->start();
  journal.copies = copies_.get();
  journal.send = [this](cluster::node_id to, std::vector<cluster::shard_message> messages) {
    raft_->send(to, std::move(messages));
  };
}

void peers::attach(cluster::replicated_journal& log, router& routes, projection_host& rows, std::uint16_t shard_count) {
  raft_->attach(log);
  sender_ = std::make_unique<cluster::remote_sender>(
      cluster::remote_sender::parts{*members_, log, shard_count, routes.entrance(), time_}, ids_.next().low >> 1);
  receiver_ = std::make_unique<cluster::remote_receiver>(*members_, routes.entrance(), time_);
  named_.attach(*sender_);
  routes.set_elsewhere(named_);
  const auto positions = [&log, shard_count] {
    std::vector<cluster::shard_position> led;
    for (std::uint16_t shard = 0; shard < shard_count; ++shard) {
      if (log.may_read(shard)) led.push_back({.shard = shard, .index = log.last_index(shard)});
    }
    return led;
  };
  neighbours_ = std::make_unique<cluster::neighbours>(
      *members_, time_, positions,
      [this](cluster::node_id, const cluster::positions_told& told) { lists_->told(told); });
  lists_ = std::make_unique<cluster::current_lists>(cluster::current_lists::parts{
      .rows = rows,
      .time = time_,
      .shard_count = shard_count,
      .may_read = [&log](std::uint16_t shard) { return log.may_read(shard); },
      .applied = [&log](std::uint16_t shard) { return log.last_index(shard); },
      .ask = [this](std::uint64_t request) { neighbours_->ask_positions(up(), request); }});
  link_->watch([this](const cluster::peer_change& change) {
    if (change.up) tell();
  });
  neighbours_->take_cuts(
      [this, &log](cluster::node_id from, cluster::cut_order order) {
        order.at_most = std::min(order.at_most, cluster::cut_coordinator::pause_max);
        log.obey(order, [this, from](const cluster::cut_report& report) { neighbours_->send(from, report); });
      },
      [this](cluster::node_id from, const cluster::cut_report& report) {
        if (auto* backups = backups_.load()) backups->reported(from, report);
      });
  sender_->attach();
  receiver_->attach();
  neighbours_->attach();
}

std::vector<cluster::node_id> peers::up() const {
  std::vector<cluster::node_id> nodes;
  for (const auto& peer : link_->counts().peers) {
    if (peer.up) nodes.push_back(peer.peer);
  }
  return nodes;
}

void peers::introduce(cluster::node_report about_us) {
  {
    const std::lock_guard lock(report_guard_);
    report_ = std::move(about_us);
  }
  tell();
}

void peers::say_unfit(const cluster::unfitness& why) {
  {
    const std::lock_guard lock(report_guard_);
    const bool is_stopping = report_.why.stopping;
    report_.why = why;
    report_.why.stopping = why.stopping || is_stopping;
    report_.leaving = report_.why.any();
  }
  tell();
}

void peers::tell() {
  cluster::node_report about_us;
  {
    const std::lock_guard lock(report_guard_);
    about_us = report_;
  }
  about_us.wall = time_.wall();
  neighbours_->tell(up(), about_us);
}

void peers::start() {
  link_->start();
  ticks_ = std::make_unique<ticker>("remote", sender_tick, [this] {
    sender_->tick();
    lists_->tick();
  });
  reports_ = std::make_unique<ticker>("reports", report_tick, [this] { tell(); });
}

void peers::stop_commands() {
  ticks_.reset();
  reports_.reset();
  if (sender_) sender_->stop();
}

void peers::stop_copies() {
  if (copies_) copies_->stop();
}

void peers::stop() {
  stop_commands();
  stop_copies();
  if (link_) link_->stop();
}

void peers::follow(std::vector<cluster::peer_address> members, std::vector<cluster::peer_address> strangers) {
  std::set<cluster::node_id> known;
  for (const auto& member : members) known.insert(member.node);
  members_->admit(std::move(known));
  members.insert(members.end(), strangers.begin(), strangers.end());
  link_->set_peers(std::move(members));
}

std::vector<cluster::peer_address> peers::named() const { return named_peers(options_); }

std::string peers::address() const {
  return options_.advertise.empty() ? address_text(options_.address, link_->port()) : options_.advertise;
}

}  // namespace omnicart::node
