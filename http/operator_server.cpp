#include "http/operator_server.hpp"

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/email/email.hpp"
#include "actors/user/user_messages.hpp"
#include "http/access_table.hpp"
#include "http/access_token.hpp"
#include "http/audit_trail.hpp"
#include "http/backup_routes.hpp"
#include "http/blocking_ask.hpp"
#include "http/cluster_routes.hpp"
#include "http/history_json.hpp"
#include "http/laws.hpp"
#include "http/metrics.hpp"
#include "http/operator_answers.hpp"
#include "http/order_desk.hpp"
#include "http/own_copy.hpp"
#include "http/password_hasher.hpp"
#include "http/provider_ledger.hpp"
#include "http/security_routes.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/journal.hpp"
#include "runtime/kind.hpp"

namespace omnicart::http {
namespace {

// A connection holds a thread until it ends, so the silent ones must be few seconds' work: a dozen that say nothing
// must not keep a health check waiting.
constexpr std::size_t threads = 32;
constexpr int waiting_connections_max = 128;  // not yet taken by a thread
constexpr std::chrono::seconds silence_max{2};  // before a request, and within one
constexpr std::size_t body_bytes_max = 65'536;
constexpr std::int64_t token_ttl_max_s = 86'400;
constexpr std::size_t replay_events_max = 1'000'000;  // of one entity, for its state at a time

using stored_events = std::vector<std::pair<std::uint64_t, event_record>>;

// Everything but a checkout works without the provider, and orders are paid once it is back: traffic may come.
std::string readiness(const std::string& provider_trouble) {
  nlohmann::json body;
  body["status"] = provider_trouble.empty() ? "ok" : "degraded";
  if (!provider_trouble.empty()) body["detail"] = "payments wait: " + provider_trouble;
  return body.dump();
}

std::string escape_label(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

}  // namespace

class operator_server::impl {
 public:
  impl(operator_wiring wiring)
      : with_(std::move(wiring)),
        cluster_(with_.cluster),
        backups_(with_.backups),
        orders_({with_.front, with_.entities, stopping_, [this](const auto& take) { return read_ledger(take); }}),
        projections_(with_.projections, with_.front.time, stopping_),
        security_(with_.front),
        started_(with_.front.time.monotonic()) {}
  ~impl() { stop(); }

  status start(const std::string& host, std::uint16_t port) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    server_.set_payload_max_length(body_bytes_max);
    server_.set_keep_alive_timeout(silence_max.count());
    server_.set_read_timeout(silence_max.count());
    server_.set_write_timeout(30);
    // Without SO_REUSEPORT, which the library would set: a port in use must be an error.
    server_.set_socket_options([this](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      socket_ = socket;
    });
    add_routes();
    errno = 0;  // or the reason told below would be that of something earlier
    if (port == 0) {
      port_ = server_.bind_to_any_port(host.c_str());
    } else {
      port_ = server_.bind_to_port(host.c_str(), port) ? port : -1;
    }
    if (port_ <= 0) {
      return fail(base_errc::unavailable, "cannot listen on " + host + ':' + std::to_string(port) + ": " +
                                              (errno != 0 ? std::strerror(errno) : "in use or not permitted"));
    }
    // The library lets five connections wait; the next one's greeting is dropped and repeated a second later.
    ::listen(socket_, waiting_connections_max);
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    // The library forgets a stop that comes before its loop runs, and the thread would never end.
    while (!server_.is_running() && !ended_) std::this_thread::sleep_for(duration_ms{1});
    return {};
  }

  void stop() {
    stopping_ = true;
    {
      const std::lock_guard guard(provider_guard_);
      if (asked_provider_ != nullptr) asked_provider_->stop();  // a silent one is not waited for
    }
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }

 private:
  using call = void (impl::*)(const httplib::Request&, httplib::Response&);

  httplib::Server::Handler guarded(httplib::Server::Handler what) {
    return [this, what = std::move(what)](const httplib::Request& in, httplib::Response& out) {
      if (!equal_in_constant_time(in.get_header_value("Authorization"), "Bearer " + with_.token)) {
        out.set_header("WWW-Authenticate", "Bearer");
        return answer_problem(out, 401, "unauthorized", "this port needs the operator's token");
      }
      what(in, out);
    };
  }
  httplib::Server::Handler guarded(call what) {
    return guarded([this, what](const httplib::Request& in, httplib::Response& out) { (this->*what)(in, out); });
  }

  void add_routes() {
    const auto healthy = [](const httplib::Request&, httplib::Response& out) {
      answer_json(out, 200, "{\"status\":\"ok\"}");
    };
    server_.Get("/health", healthy);
    server_.Get("/health/live", healthy);
    server_.Get("/health/ready", [this](const httplib::Request&, httplib::Response& out) { ready(out); });
    server_.Get("/metrics", guarded(&impl::show_metrics));
    server_.Get("/status", guarded(&impl::show_status));
    server_.Get(R"(/entities/([^/]+)/(.+))", guarded(&impl::show_entity));
    server_.Get("/laws", guarded(&impl::check_laws));
    server_.Get("/access", guarded([](const httplib::Request&, httplib::Response& out) {
      answer_json(out, 200, access_json());
    }));
    server_.Post("/tokens", guarded(&impl::issue_token));
    server_.Post("/users", guarded(&impl::create_user));
    security_.add_to(server_, [this](security_routes::handler what) { return guarded(std::move(what)); });
    cluster_.add_to(server_, [this](cluster_routes::handler what) { return guarded(std::move(what)); });
    backups_.add_to(server_, [this](backup_routes::handler what) { return guarded(std::move(what)); });
    orders_.add_to(server_, [this](order_desk::handler what) { return guarded(std::move(what)); });
    projections_.add_to(server_, [this](projection_routes::handler what) { return guarded(std::move(what)); });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& out) {
      if (!out.body.empty()) return;
      const bool unknown = out.status == 404;
      answer_problem(out, out.status, unknown ? "not_found" : "bad_request", unknown ? "operators have no such path" : "");
    });
  }

  void ready(httplib::Response& out) {
    const auto why = with_.refusing();
    if (!why) return answer_json(out, 200, readiness(with_.provider_trouble()));
    answer_problem(out, 503, to_string(static_cast<base_errc>(why->number)), why->detail);
  }

  void show_metrics(const httplib::Request&, httplib::Response& out) {
    std::string text = with_.requests.text();
    std::string last;
    for (const auto& each : with_.figures()) {
      if (each.name != last) text += "# HELP " + each.name + ' ' + each.help + "\n# TYPE " + each.name + ' ' + each.type + '\n';
      last = each.name;
      text += each.name + each.labels + ' ' + escape_label(each.value) + '\n';
    }
    out.set_content(text, "text/plain; version=0.0.4");
  }

  void show_status(const httplib::Request&, httplib::Response& out) {
    nlohmann::json body;
    body["version"] = with_.version;
    body["uptime_s"] = (with_.front.time.monotonic() - started_).count() / 1000;
    body["http"] = with_.http_address();
    body["pay"] = with_.pay_url;
    body["pay_trouble"] = with_.provider_trouble();
    const auto why = with_.refusing();
    body["read_only"] = why && why->is(base_errc::storage_full);
    body["refusing"] = why ? to_string(static_cast<base_errc>(why->number)) : "";
    body["projections"] = nlohmann::json::object();
    // The figures by name, without the common prefix; those with labels below their label's value.
    for (const auto& each : with_.figures()) {
      std::string name = each.name.starts_with("omnicart_") ? each.name.substr(9) : each.name;
      const auto from = each.labels.find('"'), to = each.labels.rfind('"');
      if (name == "projection_lag_batches" && from != to) {
        body["projections"][each.labels.substr(from + 1, to - from - 1)]["lag_batches"] = static_cast<std::int64_t>(each.value);
      } else if (each.labels.empty()) {
        body["figures"][name] = static_cast<std::int64_t>(each.value);
      }
    }
    const auto figure_of = [&](const char* name) { return body["figures"].value(name, std::int64_t{0}); };
    body["residents"] = figure_of("entities_resident");
    body["resident_bytes"] = figure_of("entities_resident_bytes");
    body["connections"] = figure_of("http_connections");
    body["in_flight"] = figure_of("http_in_flight");
    body["journal"] = {{"items", figure_of("journal_items_total")},
                       {"batches", figure_of("journal_batches_total")},
                       {"queue_items", figure_of("journal_queue_items")}};
    answer_json(out, 200, body.dump());
  }

  void show_entity(const httplib::Request& in, httplib::Response& out) {
    const entity_ref entity{in.matches[1], in.matches[2]};
    const kind_entry* kind = with_.front.kinds.find(entity.kind);
    if (!kind) return answer_problem(out, 404, "unknown_kind", "no kind of record is called " + entity.kind);
    if (in.has_param("history")) return show_history(in, out, entity, *kind);
    std::optional<timestamp_ms> at;
    if (in.has_param("at")) {
      const auto time = parse_rfc3339(in.get_param_value("at"));
      if (!time) return answer_problem(out, 400, "bad_time", time.error().detail);
      at = *time;
    }
    show_state(out, entity, *kind, at);
  }

  template <class T>
  result<T> wait_for(const std::function<void(std::function<void(result<T>)>)>& start) {
    auto promised = std::make_shared<std::promise<result<T>>>();
    auto got = promised->get_future();
    start([promised](result<T> value) { promised->set_value(std::move(value)); });
    if (got.wait_for(operator_patience) != std::future_status::ready) return fail(base_errc::timeout);
    return got.get();
  }

  result<stored_events> read_history(const entity_ref& entity, std::uint64_t from, std::size_t limit) {
    return wait_for<stored_events>([&](auto done) { with_.front.store.history(entity, from, limit, std::move(done)); });
  }

  // The state as stored, rebuilt here: what a restart would make of it.
  void show_state(httplib::Response& out, const entity_ref& entity, const kind_entry& kind, std::optional<timestamp_ms> at) {
    const auto lacking = behind(with_.front);
    const auto stored = wait_for<stored_entity>([&](auto done) { with_.front.store.load(entity, std::move(done)); });
    if (!stored) return answer_failure(out, stored.error());
    auto state = kind.make();
    std::uint64_t version = 0;
    std::vector<event_record> events = stored->events;
    if (at) {
      if (!kind.keep_history) {
        return answer_problem(out, 422, "no_history", "the history of this kind is cut at its snapshots");
      }
      auto all = read_history(entity, 1, replay_events_max);
      if (!all) return answer_failure(out, all.error());
      events.clear();
      for (auto& [number, record] : *all) {
        if (record.at <= *at) events.push_back(std::move(record));
      }
    } else if (stored->state) {
      if (auto read = state->restore(stored->state->state); !read) return answer_failure(out, read.error());
      version = stored->state->version;
    }
    for (const auto& record : events) {
      if (auto read = state->replay(record.event); !read) return answer_failure(out, read.error());
      ++version;
    }
    const std::string when = at ? " at that time" : "";
    const std::string doubt = lacking.empty() ? "" : "; this node's copy may lack the newest: " + lacking;
    if (version == 0) return answer_problem(out, 404, "not_found", "no such record" + when + doubt);
    std::string body;
    json_writer json(body);
    json.begin_object().member("entity", entity.str()).member("version", version).key("state").raw(state->describe());
    write_behind(json, lacking);
    json.end_object();
    answer_json(out, 200, body);
  }

  void show_history(const httplib::Request& in, httplib::Response& out, const entity_ref& entity, const kind_entry& kind) {
    const auto from = number_of(in, "cursor").value_or(1);
    const auto limit = number_of(in, "limit").value_or(100);
    if (from < 1 || limit < 1 || limit > 1'000) return answer_problem(out, 400, "invalid_query", "cursor or limit out of range");
    const auto lacking = behind(with_.front);
    const auto found = read_history(entity, static_cast<std::uint64_t>(from), static_cast<std::size_t>(limit) + 1);
    if (!found) return answer_failure(out, found.error());
    std::string body;
    json_writer json(body);
    json.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < std::min(found->size(), static_cast<std::size_t>(limit)); ++i) {
      write_event(json, kind, (*found)[i].first, (*found)[i].second);
    }
    json.end_array().key("next_cursor");
    found->size() > static_cast<std::size_t>(limit) ? json.value(std::to_string(found->back().first)) : json.null();
    write_behind(json, lacking);
    json.end_object();
    answer_json(out, 200, body);
  }

  void check_laws(const httplib::Request& in, httplib::Response& out) {
    const auto wait = number_of(in, "wait_s").value_or(0);
    if (wait < 0 || wait > 600) return answer_problem(out, 400, "invalid_query", "wait_s is from 0 to 600");
    const std::unique_lock one_at_a_time(laws_guard_, std::try_to_lock);
    if (!one_at_a_time) return answer_problem(out, 503, "overloaded", "the laws are being checked already");
    law_check check(with_.front.entities, with_.entities, with_.front.time,
                    [this](const auto& take) {
                      return read_ledger([&](const provider_ledger::entry& each) {
                        take({.kind = each.kind, .key = each.key, .currency = each.currency, .amount = each.amount});
                      });
                    },
                    stopping_);
    const auto report = check.run(std::chrono::seconds(wait));
    if (!report) return answer_failure(out, report.error());
    answer_json(out, 200, report->json());
  }

  // Lets stop() end what `ledger` waits for.
  class ended_when_stopping {
   public:
    ended_when_stopping(impl& of, provider_ledger& ledger) : of_(of) { set(&ledger); }
    ~ended_when_stopping() { set(nullptr); }
    ended_when_stopping(const ended_when_stopping&) = delete;
    ended_when_stopping& operator=(const ended_when_stopping&) = delete;

   private:
    void set(provider_ledger* ledger) {
      const std::lock_guard guard(of_.provider_guard_);
      of_.asked_provider_ = ledger;
    }
    impl& of_;
  };

  status read_ledger(const std::function<void(const provider_ledger::entry&)>& take) {
    auto ledger = provider_ledger::open(with_.pay_url);
    if (!ledger) return fail(ledger.error());
    const ended_when_stopping asked(*this, *ledger);
    if (stopping_) return fail(base_errc::shutting_down);
    return ledger->read(take);
  }

  void issue_token(const httplib::Request& in, httplib::Response& out) {
    std::vector<field_error> errors;
    const auto body = parse_json(in.body, errors);
    object_reader read(body, errors);
    const auto as = static_cast<role>(read.required_word("role", {"guest", "shopper", "support", "admin"}));
    const auto ttl = read.optional_int("ttl_s", 1, token_ttl_max_s).value_or(300);
    read.finish();
    if (errors.empty() && !is_staff(as)) errors.push_back({"/role", "out_of_range", "support or admin"});
    if (!errors.empty()) return answer_json_problem(out, invalid_body_response(std::move(errors), ""));
    const std::string id = to_base32(with_.front.ids.next());
    const auto action = begin_action_and_wait(
        with_.front, "issue a token of role " + std::string(role_name(as)) + ", id " + id);
    if (!action) return answer_failure(out, action.error());
    const timestamp_ms now = with_.front.time.wall();
    access_claims claims;
    claims.as = as;
    claims.expires_at_s = now.time_since_epoch().count() / 1000 + ttl;
    nlohmann::json answer;
    answer["token"] = with_.front.tokens.issue(claims, now.time_since_epoch().count() / 1000, id);
    answer["expires_at"] = to_rfc3339(timestamp_ms{duration_ms{claims.expires_at_s * 1000}});
    answer_json(out, 200, answer.dump());
    end_action_and_wait(with_.front, *action, out.status);
  }

  void create_user(const httplib::Request& in, httplib::Response& out) {
    std::vector<field_error> errors;
    const auto body = parse_json(in.body, errors);
    object_reader read(body, errors);
    user::register_user wanted;
    wanted.email = read.required_string("email", 254);
    std::string password = read.required_string("password", 1'000, 8);
    wanted.name = read.optional_string("name", 200).value_or("");
    wanted.as = static_cast<role>(read.optional_word("role", {"guest", "shopper", "support", "admin"}).value_or(1));
    read.finish();
    if (errors.empty() && !email::is_plausible_address(wanted.email)) errors.push_back({"/email", "malformed", "not an e-mail address"});
    if (errors.empty() && wanted.as == role::guest) errors.push_back({"/role", "out_of_range", "shopper, support or admin"});
    if (!errors.empty()) return answer_json_problem(out, invalid_body_response(std::move(errors), ""));
    auto hash = wait_for<std::string>([&](auto done) { with_.front.passwords.hash(std::move(password), std::move(done)); });
    if (!hash) return answer_failure(out, hash.error());
    wanted.password_hash = std::move(*hash);
    const std::string id = to_base32(with_.front.ids.next());
    wanted.id = user_id(id);
    wanted.cart = cart_id(id);
    const auto action = begin_action_and_wait(
        with_.front, "create a user of role " + std::string(role_name(wanted.as)) + ", id " + id);
    if (!action) return answer_failure(out, action.error());
    register_user(out, id, wanted);
    end_action_and_wait(with_.front, *action, out.status);
  }

  void register_user(httplib::Response& out, const std::string& id, const user::register_user& wanted) {
    caller admin;
    admin.as = role::admin;
    command_options options;
    options.wait = duration_ms{5'000};
    std::vector<envelope> message;
    message.push_back(make_envelope(with_.front, {"user", id}, user::encode(wanted), admin, options));
    const answer got = ask_and_wait(with_.front.entities, std::move(message), operator_patience).front();
    if (!got.ok()) return answer_failure(out, *got.failure);
    const auto view = user::decode_reply(got.payload);
    if (!view) return answer_failure(out, view.error());
    if (view->status == user::user_status::refused) return answer_failure(out, make_error(user::errc::email_taken, "the address is in use"));
    nlohmann::json answer = {{"user_id", id}, {"email", view->email}, {"role", role_name(view->as)}, {"name", view->details.name}};
    answer_json(out, 201, answer.dump());
  }

  static void answer_json_problem(httplib::Response& out, const response& shown) {
    out.status = shown.status;
    out.set_content(shown.body, std::string(shown.content_type).c_str());
  }

  operator_wiring with_;
  cluster_routes cluster_;
  backup_routes backups_;
  std::atomic<bool> stopping_{false};
  order_desk orders_;
  projection_routes projections_;
  security_routes security_;
  const duration_ms started_;
  httplib::Server server_;
  socket_t socket_ = INVALID_SOCKET;
  std::thread thread_;
  std::mutex laws_guard_;
  std::mutex provider_guard_;
  provider_ledger* asked_provider_ = nullptr;  // while one check of the laws reads the ledger
  std::atomic<bool> ended_{false};
  int port_ = -1;
};

operator_server::operator_server(std::unique_ptr<impl> inner) : impl_(std::move(inner)) {}
operator_server::~operator_server() = default;

result<std::unique_ptr<operator_server>> operator_server::start(const std::string& host, std::uint16_t port,
                                                                operator_wiring wiring) {
  auto inner = std::make_unique<impl>(std::move(wiring));
  if (auto started = inner->start(host, port); !started) return fail(started.error());
  return std::unique_ptr<operator_server>(new operator_server(std::move(inner)));
}

void operator_server::stop() { impl_->stop(); }

std::uint16_t operator_server::port() const { return impl_->port(); }

}  // namespace omnicart::http
