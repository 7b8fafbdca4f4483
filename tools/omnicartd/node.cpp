#include "tools/omnicartd/node.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "config/fields.hpp"
#include "http/access_token.hpp"
#include "http/catalogue_list.hpp"
#include "http/front.hpp"
#include "http/metrics.hpp"
#include "http/operator_server.hpp"
#include "http/order_list.hpp"
#include "http/outbox.hpp"
#include "http/password_hasher.hpp"
#include "http/payment_gateway.hpp"
#include "http/product_search.hpp"
#include "http/rate_limiter.hpp"
#include "http/record_list.hpp"
#include "http/server/server.hpp"
#include "http/shop.hpp"
#include "http/sign_in_guard.hpp"
#include "http/user_list.hpp"
#include "persistence/entity_scan.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/projection_runner.hpp"
#include "persistence/reader_pool.hpp"
#include "persistence/store.hpp"
#include "persistence/store_identity.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/base/text.hpp"
#include "runtime/base/version.hpp"
#include "runtime/caf_shell.hpp"
#include "runtime/even_clock.hpp"
#include "runtime/lifecycle.hpp"
#include "runtime/log.hpp"
#include "runtime/router.hpp"
#include "runtime/system_ports.hpp"
#include "runtime/ticker.hpp"
#include "runtime/timers.hpp"
#include "tools/omnicartd/backups.hpp"
#include "tools/omnicartd/desk.hpp"
#include "tools/omnicartd/figures.hpp"
#include "tools/omnicartd/kinds.hpp"
#include "tools/omnicartd/leader_hints.hpp"
#include "tools/omnicartd/ledger_duty.hpp"
#include "tools/omnicartd/membership.hpp"
#include "tools/omnicartd/part_options.hpp"
#include "tools/omnicartd/pay_supervisor.hpp"
#include "tools/omnicartd/peers.hpp"
#include "tools/omnicartd/shared_rates.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms lead_patience{3'000};
constexpr duration_ms timer_tick{100};
constexpr duration_ms membership_tick{20};
constexpr duration_ms clock_tick{20};
constexpr duration_ms sweep_tick{1'000};
constexpr duration_ms upkeep_tick{10'000};

status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) == 0 || errno == EEXIST) return {};
  return fail(base_errc::io, path + ": cannot be made: " + std::strerror(errno));
}

}  // namespace

// In the order of construction: whatever a part refers to stands above it.
struct node::parts {
  explicit parts(config::options given) : options(std::move(given)) {}

  config::options options;
  system_clock machine;
  even_clock time{machine};
  random_ids ids;
  kind_registry kinds = all_kinds(options);
  http::order_list orders;
  http::catalogue_list catalogue;
  http::record_list records;
  http::user_list users;
  http::product_search finder{options.node.data + "/search"};
  http::metrics figures;
  lifecycle order;

  std::unique_ptr<peers> others;  // null: a node that stays alone
  std::unique_ptr<persistence::store> data;
  std::uint64_t identity = 0;  // of the store
  std::unique_ptr<persistence::timer_index> timers;
  std::unique_ptr<persistence::projection_set> projections;
  std::unique_ptr<cluster::replicated_journal> log;
  std::unique_ptr<persistence::reader_pool> readers;
  std::unique_ptr<caf_shell> actors;
  std::unique_ptr<router> routes;
  std::unique_ptr<timer_service> wakes;
  http::access_tokens tokens;
  std::unique_ptr<membership> members;
  std::unique_ptr<leader_hints> hints;  // null: a node that stays alone
  std::unique_ptr<backups> copies;
  pay_supervisor provider;  // not started when another one is configured
  std::string provider_url;
  std::string webhook_secret;  // empty: no webhooks
  std::unique_ptr<http::payment_gateway> payments;
  std::unique_ptr<http::password_hasher> passwords;
  std::unique_ptr<http::sign_in_guard> sign_ins;
  std::unique_ptr<http::rate_limiter> rates;
  std::unique_ptr<shared_rates> shared;  // null: a node that stays alone
  http::outbox_file mail{options.node.data + "/outbox.jsonl"};
  std::unique_ptr<http::shop> shop;
  std::unique_ptr<persistence::entity_scan> scan;
  std::unique_ptr<ledger_duty> ledger;  // null: nobody looks
  std::unique_ptr<http::server> front;
  std::atomic<http::server*> serving_front{nullptr};  // once it is there
  std::unique_ptr<desk> operators_desk;
  std::unique_ptr<http::operator_server> operators;
  std::vector<std::unique_ptr<ticker>> tickers;

  void plan();
  status start_link();
  status start_store();
  status start_entities();
  status start_payments();
  status start_shop();
  status start_tickers();
  status start_ledger_duty();
  status start_front();
  status start_operators();
  void give_away_leads(duration_ms within);
  void upkeep();
  http::shop make_shop();
};

void node::parts::plan() {
  order.add({"link", [this] { return start_link(); }, [this](duration_ms) { if (others) others->stop(); }});
  order.add({"store", [this] { return start_store(); },
             [this](duration_ms) {
               log->stop();
               if (others) others->stop_copies();
               projections->stop();
               if (auto closed = data->close(); !closed) log::error("store", {{"why", closed.error().detail}});
             }});
  order.add({"entities", [this] { return start_entities(); },
             [this](duration_ms deadline) {
               // Entities finish what they owe each other; what is left is owed still after a restart.
               if (others) others->stop_commands();
               const auto until = time.monotonic() + deadline / 2;
               while (!routes->drained() && time.monotonic() < until) std::this_thread::sleep_for(duration_ms{5});
               readers->stop();
             }});
  order.add({"payments", [this] { return start_payments(); },
             [this](duration_ms deadline) {
               payments->stop(deadline / 2);
               provider.stop(duration_ms{2'000});
             }});
  order.add({"shop", [this] { return start_shop(); }, [this](duration_ms) { passwords->stop(); }});
  order.add({"timers", [this] { return start_tickers(); }, [this](duration_ms) { ledger.reset(), shared.reset(), tickers.clear(); }});
  order.add({"operator port", [this] { return start_operators(); },
             [this](duration_ms) {
               operators->stop();
               copies->stop();
             }});
  order.add({"http port", [this] { return start_front(); },
             [this](duration_ms deadline) {
               if (others) give_away_leads(std::min(deadline / 4, lead_patience));
               front->stop(deadline / 2);
               routes->stop_accepting();
             }});
}

status node::parts::start_link() {
  if (options.cluster.port < 0) return {};
  auto opened = peers::open(options.cluster, machine, ids);
  if (!opened) return fail(opened.error());
  others = std::move(*opened);
  return {};
}

// While this node still serves: whoever asks meanwhile is answered by way of the new leaders.
void node::parts::give_away_leads(duration_ms within) {
  members->stop();
  others->say_unfit({.stopping = true});
  const auto until = time.monotonic() + within;
  while (!members->hand_over() && time.monotonic() < until) std::this_thread::sleep_for(duration_ms{10});
}

status node::parts::start_store() {
  if (auto made = make_directory(options.node.data); !made) return made;
  auto opened = persistence::store::open(store_options(options), time);
  if (!opened) return fail(opened.error());
  data = std::move(*opened);
  const auto named = persistence::store_identity(*data, ids.next().low | 1);
  if (!named) return fail(named.error());
  identity = *named;
  if (others) others->link().set_store(identity);
  auto index = persistence::timer_index::open(*data);
  if (!index) return fail(index.error());
  timers = std::move(*index);
  projections = std::make_unique<persistence::projection_set>(
      *data, std::vector<projection*>{&orders, &catalogue, &records, &users, &finder}, persistence::projection_limits{},
      [this](std::uint16_t shard) { return log->last_index(shard); });
  orders.attach(*projections);
  catalogue.attach(*projections);
  records.attach(*projections);
  users.attach(*projections);
  finder.attach(*projections, *projections);

  cluster::journal_options commit = journal_options(options);
  commit.seed = static_cast<unsigned>(ids.next().low);
  if (others) others->describe(commit, *data);
  commit.leadership = [this](std::uint16_t shard, std::uint64_t term) {
    if (!routes) return;
    routes->drop(shard);
    if (term != 0) wakes->took_over(shard);
  };
  commit.led_by = [this](std::uint16_t shard, cluster::node_id) {
    if (others) others->leader_changed(shard);
  };
  commit.installed = [this](std::uint16_t shard, std::uint64_t through) {
    projections->replaced(shard, through);
    members->replaced(shard);
  };
  commit.committed = [this](const persistence::committed_batch& batch) {
    projections->committed(batch);
    members->committed(batch);
  };
  commit.damaged = [this](const error& what) { if (members) members->met_damage(what); };
  commit.marked = [this](const cluster::marked_shard& shard) {
    if (copies) copies->marked(shard);  // not yet, while the journal is opened
  };
  commit.now_us = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  };
  auto journal = cluster::replicated_journal::open(*data, *timers, time, std::move(commit));
  if (!journal) return fail(journal.error());
  log = std::move(*journal);
  return projections->start();
}

status node::parts::start_entities() {
  persistence::reader_pool_options reading;
  reading.threads = static_cast<std::size_t>(options.node.loader_threads);
  reading.queue_max = static_cast<std::size_t>(options.limits.loader_queue_max);
  reading.damaged = [this](const error& what) { if (members) members->met_damage(what); };
  readers = std::make_unique<persistence::reader_pool>(*data, std::move(reading));
  actors = std::make_unique<caf_shell>(static_cast<std::size_t>(options.node.worker_threads));
  routes = std::make_unique<router>(router::parts{kinds, *log, *readers, time, *log, data->shard_count()},
                                    limits_of(options), actors->activator());
  wakes = std::make_unique<timer_service>(*timers, *routes, *log, time, data->group_count());
  auto keys = http::token_keys::load_or_make(options.node.data);
  if (!keys) return fail(keys.error());
  members = std::make_unique<membership>(
      membership::parts{options, time, ids, *log, *readers, *routes, tokens, others.get(), data->shard_count(), identity}, *keys);
  copies = std::make_unique<backups>(
      backups::parts{*data, *log, *members, others.get(), time, ids, static_cast<node_id>(options.cluster.node)});
  if (others) {
    others->attach(*log, *routes, *projections, data->shard_count());
    orders.attach(others->lists());
    catalogue.attach(others->lists());
    records.attach(others->lists());
    users.attach(others->lists());
    finder.attach(others->lists(), *projections);
  }
  log->start();
  return {};
}

status node::parts::start_payments() {
  provider_url = options.payment.url;
  auto secret = webhook_secret_of(options);
  if (!secret) return fail(secret.error());
  webhook_secret = std::move(*secret);
  if (provider_url.empty()) {
    if (auto started = provider.start(simulated_provider(options)); !started) return started;
    provider_url = provider.url();
  }
  auto address = http::parse_provider_url(provider_url);
  if (!address) return fail(address.error());
  payments = std::make_unique<http::payment_gateway>(gateway_options(options, std::move(*address)), time);
  routes->add_service("payment", *payments);
  return {};
}

http::shop node::parts::make_shop() {
  if (others) {
    hints = std::make_unique<leader_hints>(*routes, [this](node_id leader) { return members->http_of(leader); });
  }
  http::shop made{.entities = hints ? static_cast<message_sink&>(*hints) : *routes,
                  .store = *readers,
                  .kinds = kinds,
                  .time = time,
                  .ids = ids,
                  .tokens = tokens,
                  .passwords = *passwords,
                  .sign_ins = *sign_ins,
                  .orders = orders,
                  .catalogue = catalogue,
                  .currency = *currency_code::parse(options.shop.currency),
                  .records = records};
  set_limits(made, options);
  made.webhook_secret = webhook_secret;
  made.mail = &mail;
  return made;
}

status node::parts::start_shop() {
  passwords = std::make_unique<http::password_hasher>(password_options(options));
  sign_ins = std::make_unique<http::sign_in_guard>(limits_of(options.passwords), time);
  rates = std::make_unique<http::rate_limiter>(limits_of(options.rate_limits), time);
  shop = std::make_unique<http::shop>(make_shop());
  scan = std::make_unique<persistence::entity_scan>(*data);
  return {};
}

status node::parts::start_tickers() {
  if (others) shared = std::make_unique<shared_rates>(*rates, *others);
  members->look();
  if (others) others->start();
  if (auto joined = members->start(); !joined) return joined;
  tickers.push_back(std::make_unique<ticker>("membership", membership_tick, [this] {
    members->tick();
    if (auto* serving = serving_front.load()) serving->close_after_answers(members->is_draining());
  }));
  tickers.push_back(std::make_unique<ticker>("clock", clock_tick, [this] {
    time.follow(others ? others->others().clock_ahead() : std::nullopt);
  }));
  tickers.push_back(std::make_unique<ticker>("timers", timer_tick, [this] {
    if (auto done = wakes->tick(); !done) log::error("timers cannot be read", {{"why", done.error().detail}});
  }));
  tickers.push_back(std::make_unique<ticker>("sweep", sweep_tick, [this] {
    routes->sweep();
    // A restart reads the log from here again.
    projections->checkpoint();
  }));
  tickers.push_back(std::make_unique<ticker>("upkeep", upkeep_tick, [this] { upkeep(); }));
  return start_ledger_duty();
}

status node::parts::start_ledger_duty() {
  if (options.payment.reconcile_every_s == 0) return {};
  const bool own = options.payment.url.empty();
  auto started = ledger_duty::start({*routes, *scan, machine, provider_url, own ? "own" : provider_url, options.node.data,
                                     std::chrono::seconds(options.payment.reconcile_every_s),
                                     [this] { return log->leads(data->shard_count()); }});
  if (!started) return fail(started.error());
  ledger = std::move(*started);
  return {};
}

// Forgets the log up to where every projection has read it, as far as other nodes may do without it.
void node::parts::upkeep() {
  const auto read = persistence::consumed_through(*data, projections->names());
  if (!read) return log::error("log cannot be cut", {{"why", read.error().detail}});
  for (std::uint16_t shard = 0; shard < read->size(); ++shard) log->cut_log(shard, (*read)[shard]);
}

status node::parts::start_front() {
  http::server_options with = server_options(options);
  with.observer = http::request_observer(figures);
  auto routed = http::make_routes(*shop, finder, users, *rates, [this] { return log->refusing(); });
  auto started = http::server::start(std::move(with), std::move(routed));
  if (!started) return fail(started.error());
  front = std::move(*started);
  serving_front = front.get();
  members->serve_at(address_text(options.http.address, front->port()),
                    address_text(options.operators.address, operators->port()));
  return {};
}

status node::parts::start_operators() {
  auto token = http::operator_token(options.node.data);
  if (!token) return fail(token.error());
  operators_desk = std::make_unique<desk>(desk::parts{*members, *log, *data, *routes, others.get(), time, ids,
                                                      static_cast<node_id>(options.cluster.node)});
  http::operator_wiring wiring{.front = *shop, .entities = *scan, .requests = figures, .token = std::move(*token)};
  wiring.version = version_text();
  wiring.pay_url = provider_url;
  wiring.http_address = [this] { return front ? address_text(options.http.address, front->port()) : std::string(); };
  wiring.figures = [this] {
    return node_figures({*routes, *log, *projections, *data, *payments, provider, *passwords, *readers, catalogue, finder,
                         front.get(), others.get(), ledger.get()});
  };
  wiring.refusing = [this] { return log->refusing(); };
  wiring.projections = {.list = [this] { return projection_states(*projections); },
                        .rebuild = [this](const std::string& name, auto done) { projections->rebuild(name, std::move(done)); }};
  wiring.cluster = operators_desk.get();
  wiring.backups = copies.get();
  wiring.provider_trouble = [this] { return provider.look().trouble; };
  auto started = http::operator_server::start(options.operators.address,
                                              static_cast<std::uint16_t>(options.operators.port), std::move(wiring));
  if (!started) return fail(started.error());
  operators = std::move(*started);
  return {};
}

node::node(std::unique_ptr<parts> all) : parts_(std::move(all)) {}

node::~node() {
  if (!parts_) return;
  parts_->order.stop(duration_ms{0});
  // Nothing calls back any more: hosts may go, then the threads that ran them.
  if (parts_->actors) parts_->actors->drop_delayed();
  if (parts_->routes) parts_->routes->release_all();
  parts_->actors.reset();
}

result<std::unique_ptr<node>> node::start(config::options options) {
  auto all = std::make_unique<parts>(std::move(options));
  all->plan();
  auto made = std::unique_ptr<node>(new node(std::move(all)));
  if (auto started = made->parts_->order.start(); !started) return fail(started.error());
  return made;
}

std::string node::http_address() const {
  return address_text(parts_->options.http.address, parts_->front->port());
}

std::string node::operator_address() const {
  return address_text(parts_->options.operators.address, parts_->operators->port());
}

std::string node::pay_url() const { return parts_->provider_url; }

void node::stop(duration_ms deadline) { parts_->order.stop(deadline); }

std::vector<std::string> node::reload(const config::options& fresh) {
  auto waiting = config::reload(parts_->options, fresh);
  const auto& now = parts_->options;
  parts_->routes->set_limits(limits_of(now));
  parts_->front->set_limits(limits_of(now.http));
  parts_->rates->set_limits(limits_of(now.rate_limits));
  parts_->sign_ins->set_limits(limits_of(now.passwords));
  if (parts_->others) {
    if (auto read = parts_->others->reload(); !read) log::error("certificates", {{"why", read.error().detail}});
  }
  if (const auto level = log::parse_level(now.log.level)) log::set_level(*level);
  log::set_access(now.log.access);
  return waiting;
}

}  // namespace omnicart::node
