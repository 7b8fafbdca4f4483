#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "tools/load/json_scan.hpp"
#include "tools/load/prepared.hpp"
#include "tools/load/scenario.hpp"
#include "tools/load/values.hpp"

// One kind of request as fast as the connections carry it, for ratios: the same client, the same
// connections, the same bytes against another server.
namespace omnicart::load {
namespace {

constexpr std::size_t catalogue_count = 1000;

std::int64_t cpu_us() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec +
         used.ru_stime.tv_usec;
}

class bench {
 public:
  explicit bench(stage& on) : on_(on), where_(on.where), luck_(on.options.seed) {}

  task<scenario_outcome> run();

 private:
  // Wall and CPU time of a stretch of sending.
  struct stretch {
    std::int64_t wall_us = 0;
    std::int64_t cpu_us = 0;
    std::int64_t answers = 0;
    std::int64_t body_bytes = 0;  // of the answers
    double per_second() const {
      return static_cast<double>(answers) * 1e6 /
             static_cast<double>(std::max<std::int64_t>(1, wall_us));
    }
  };

  task<> prepare_catalogue(std::int64_t on_hand);
  task<> open_guests(std::size_t count, std::size_t lines);
  task<> fill(caller& by, guest& who, std::size_t lines, std::string key);
  std::string bytes(const char* method, const std::string& path, const std::string& body,
                    credential* as) const;

  std::vector<std::string> cart_reads() const;
  std::vector<std::string> cart_writes() const;
  std::vector<std::string> reservations(std::size_t products) const;
  task<std::vector<std::string>> requests_of(std::string kind);

  task<stretch> send(prepared_turns turns, std::int64_t span_us, recorder::operation op);
  task<stretch> send_round(const std::vector<std::string>& turn, std::int64_t end_us,
                           pacer* schedule, recorder::operation op);
  task<> check_outs(scenario_outcome& out);
  task<> long_cart(scenario_outcome& out);
  void report(const stretch& sent, const char* unit, scenario_outcome& out) const;

  std::size_t connections() const {
    return on_.options.connections > 0 ? on_.options.connections : 64;
  }
  std::int64_t span_us() const { return on_.options.duration_s * 1'000'000; }
  std::string product(std::size_t i) const { return "bench-" + std::to_string(i); }
  std::int64_t now_us() const { return where_.run().watch.now_us(); }

  stage& on_;
  shop& where_;
  chance luck_;
  std::vector<std::unique_ptr<guest>> guests_;
};

std::string bench::bytes(const char* method, const std::string& path, const std::string& body,
                         credential* as) const {
  const request what{.method = method, .path = path, .body = body, .as = as};
  std::string out;
  format_request(what, where_.where().nodes.front(), out);
  return out;
}

task<> bench::prepare_catalogue(std::int64_t on_hand) {
  if (where_.admin() == nullptr) {
    throw cannot_go_on("this kind needs --operator and --token-file to make its products");
  }
  std::vector<new_product> products;
  for (std::size_t i = 0; i < catalogue_count; ++i) {
    products.push_back({.id = product(i),
                        .name = "Bench product " + std::to_string(i),
                        .price = {static_cast<std::int64_t>(100 + i), sterling}});
  }
  co_await where_.import_products(std::move(products));
  if (on_hand == 0) co_return;
  const auto stock_one = [this, on_hand](caller& by, std::size_t i) {
    return where_.set_stock(by, product(i), on_hand, "bench");
  };
  co_await spread(where_, 32, catalogue_count, stock_one);
}

// Guests with `lines` lines in each cart.
task<> bench::open_guests(std::size_t count, std::size_t lines) {
  const std::size_t first = guests_.size();
  for (std::size_t i = 0; i < count; ++i) guests_.push_back(std::make_unique<guest>(where_));
  const auto open_one = [this, first, lines](caller& by, std::size_t i) -> task<> {
    guest& who = *guests_[first + i];
    const std::string key = where_.run_id() + "-guest-" + std::to_string(first + i);
    if (!co_await where_.open_guest(by, who, key))
      throw cannot_go_on("opening a session: " + by.code());
    co_await fill(by, who, lines, key);
  };
  co_await spread(where_, 32, count, open_one);
}

task<> bench::fill(caller& by, guest& who, std::size_t lines, std::string key) {
  constexpr std::size_t at_once = 500;
  const auto op = where_.run().record.named("fill cart");
  for (std::size_t begin = 0; begin < lines; begin += at_once) {
    std::string body = "[";
    for (std::size_t i = begin; i < std::min(lines, begin + at_once); ++i) {
      if (i > begin) body += ',';
      body += R"({"product_id":")" + product(i) + R"(","quantity":1})";
    }
    body += ']';
    const std::string add_key = key + "-fill-" + std::to_string(begin);
    const request ask{.method = "POST",
                      .path = "/api/cart/items",
                      .body = body,
                      .idempotency_key = add_key,
                      .as = &who};
    co_await by.call(op, ask);
    if (by.answer().status / 100 != 2) throw cannot_go_on("filling a cart: " + by.code());
  }
}

std::vector<std::string> bench::cart_reads() const {
  std::vector<std::string> made;
  for (const auto& who : guests_) made.push_back(bytes("GET", "/api/cart", {}, who.get()));
  return made;
}

// Four products in turn for each guest.
std::vector<std::string> bench::cart_writes() const {
  std::vector<std::string> made;
  for (std::size_t turn = 0; turn < 4; ++turn) {
    for (const auto& who : guests_) {
      const std::string body = R"({"product_id":")" + product(turn) + R"(","quantity":1})";
      made.push_back(bytes("POST", "/api/cart/items", body, who.get()));
    }
  }
  return made;
}

// By staff: a session may hold ten at most.
std::vector<std::string> bench::reservations(std::size_t products) const {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < catalogue_count; ++i) {
    const std::string body = R"({"product_id":")" + product(i % products) +
                             R"(","quantity":1,"ttl_s":)" + std::to_string(on_.options.ttl_s) + "}";
    made.push_back(bytes("POST", "/api/inventory/reserve", body, where_.admin()));
  }
  return made;
}

task<std::vector<std::string>> bench::requests_of(std::string kind) {
  constexpr std::int64_t plenty = 100'000'000;
  if (kind == "raw")
    co_return std::vector<std::string>{bytes("GET", on_.options.path, {}, nullptr)};
  if (kind == "cart-read" || kind == "cart-write") {
    co_await prepare_catalogue(0);
    co_await open_guests(on_.options.sessions, 5);
    co_return kind == "cart-read" ? cart_reads() : cart_writes();
  }
  if (kind == "reserve-hot" || kind == "reserve-many") {
    co_await prepare_catalogue(plenty);
    // One look at the staff's door, so that the token is there before the bytes are made.
    const auto by = where_.new_caller();
    co_await where_.newest_order(*by);
    co_return reservations(kind == "reserve-hot" ? 1 : catalogue_count);
  }
  auto read = load_prepared(kind);
  if (!read) {
    throw cannot_go_on(
        "--requests is raw, cart-read, cart-write, cart-long, reserve-hot, reserve-many, "
        "checkout or a file: " +
        read.error().detail);
  }
  co_return std::move(*read);
}

task<bench::stretch> bench::send_round(const std::vector<std::string>& turn, std::int64_t end_us,
                                       pacer* schedule, recorder::operation op) {
  stretch sent;
  if (turn.empty()) co_return sent;
  auto by = where_.new_connection();
  http_answer answer;
  std::size_t next = 0;
  for (std::int64_t begin_us = now_us(); begin_us < end_us && !on_.interrupted;
       begin_us = now_us()) {
    if (schedule != nullptr) {
      const auto due_us = schedule->next(begin_us);
      if (!due_us) break;
      if (*due_us > begin_us) {
        const std::chrono::microseconds wait(*due_us - begin_us);
        co_await sleep_for(where_.run().io, wait);
      }
      begin_us = *due_us;
    }
    const bool answered = co_await by->exchange(turn[next], answer);
    next = next + 1 == turn.size() ? 0 : next + 1;
    const std::int64_t spent_us = now_us() - begin_us;
    if (answered && answer.status / 100 == 2) {
      where_.run().record.answered(op, spent_us, verdict::ok);
      ++sent.answers;
      sent.body_bytes += static_cast<std::int64_t>(answer.body.size());
      continue;
    }
    const auto named = answered ? json_string(answer.body, "code") : std::string(by->loss());
    const auto code = named.empty() ? "http_" + std::to_string(answer.status) : named;
    where_.run().record.answered(op, spent_us, verdict::failed, code);
    // A server that is gone must not be hammered by a loop that never waits.
    const std::chrono::milliseconds pause(100);
    if (!answered) co_await sleep_for(where_.run().io, pause);
  }
  co_return sent;
}

task<bench::stretch> bench::send(prepared_turns turns, std::int64_t length_us,
                                 recorder::operation op) {
  stretch all;
  const std::int64_t begin_us = now_us();
  const std::int64_t begin_cpu_us = cpu_us();
  std::optional<pacer> schedule;
  if (on_.options.rate > 0) schedule.emplace(begin_us, length_us, on_.options.rate);
  const auto one = [&](std::size_t i) -> task<> {
    const auto sent =
        co_await send_round(turns[i], begin_us + length_us, schedule ? &*schedule : nullptr, op);
    all.answers += sent.answers;
    all.body_bytes += sent.body_bytes;
  };
  co_await gather(where_.run().io, turns.size(), one);
  all.wall_us = now_us() - begin_us;
  all.cpu_us = cpu_us() - begin_cpu_us;
  co_return all;
}

void bench::report(const stretch& sent, const char* unit, scenario_outcome& out) const {
  const auto answers = static_cast<double>(std::max<std::int64_t>(1, sent.answers));
  out.figures[std::string(unit) + "_per_s"] = sent.per_second();
  out.figures["client_cpu_us_per_" + std::string(unit)] =
      static_cast<double>(sent.cpu_us) / answers;
  out.figures["client_cpu_share"] = static_cast<double>(sent.cpu_us) /
                                    static_cast<double>(std::max<std::int64_t>(1, sent.wall_us));
}

// A session, three products in one request, the order: each iteration is one whole purchase.
task<> bench::check_outs(scenario_outcome& out) {
  constexpr std::int64_t plenty = 100'000'000;
  co_await prepare_catalogue(plenty);
  auto& run = where_.run();
  const auto add = run.record.named("add 3 items");
  const auto whole = run.record.named("whole checkout");
  stretch all;
  const std::int64_t begin_us = now_us();
  const std::int64_t begin_cpu_us = cpu_us();
  const auto one = [&](std::size_t worker) -> task<> {
    const auto by = where_.new_caller();
    for (int i = 0; now_us() < begin_us + span_us() && !on_.interrupted; ++i) {
      const std::string key =
          where_.run_id() + "-" + std::to_string(worker) + "-" + std::to_string(i);
      const std::int64_t started_us = now_us();
      guest who(where_);
      if (!co_await where_.open_guest(*by, who, key)) continue;
      const std::size_t first = luck_.below(catalogue_count - 2);
      std::string body = "[";
      for (std::size_t p = first; p < first + 3; ++p) {
        body += (p > first ? R"(,{"product_id":")" : R"({"product_id":")") + product(p) +
                R"(","quantity":1})";
      }
      body += ']';
      const std::string add_key = key + "-add";
      const request ask{.method = "POST",
                        .path = "/api/cart/items",
                        .body = body,
                        .idempotency_key = add_key,
                        .as = &who};
      co_await by->call(add, ask);
      order_form form{.email = key + "@customers.example", .reference = key};
      const auto bought = co_await where_.check_out(*by, who, form, key + "-order");
      const bool paid = bought.order && is_sale(bought.order->status);
      run.record.answered(whole, now_us() - started_us, paid ? verdict::ok : verdict::failed,
                          bought.code.empty() ? "not_paid" : bought.code);
      if (paid) ++all.answers;
    }
  };
  co_await gather(run.io, connections(), one);
  all.wall_us = now_us() - begin_us;
  all.cpu_us = cpu_us() - begin_cpu_us;
  out.orders = all.answers;
  report(all, "checkouts", out);
}

// Adds to carts of one line against adds to carts of many, in turns, so that whatever else the
// machine does meets both alike.
task<> bench::long_cart(scenario_outcome& out) {
  constexpr int rounds = 5;
  if (on_.options.lines < 1 || on_.options.lines > catalogue_count) {
    throw cannot_go_on("--lines is 1 to " + std::to_string(catalogue_count));
  }
  co_await prepare_catalogue(0);
  const std::size_t carts = connections();
  co_await open_guests(carts, 1);
  co_await open_guests(carts, on_.options.lines);
  std::array<std::vector<std::string>, 2> adds;
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const std::string body = R"({"product_id":")" + product(0) + R"(","quantity":1})";
    adds[i / carts].push_back(bytes("POST", "/api/cart/items", body, guests_[i].get()));
  }
  const std::array<recorder::operation, 2> ops{where_.run().record.named("add to cart of 1"),
                                               where_.run().record.named("add to long cart")};
  std::array<std::vector<double>, 2> rates;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t side = 0; side < 2; ++side) {
      auto turns = deal(adds[side], connections());
      const auto sent = co_await send(std::move(turns), span_us() / (2 * rounds), ops[side]);
      rates[side].push_back(sent.per_second());
    }
  }
  for (auto& each : rates) std::sort(each.begin(), each.end());
  const double with_one = rates[0][rounds / 2];
  const double with_many = rates[1][rounds / 2];
  out.figures["adds_to_1_line_per_s"] = with_one;
  out.figures["adds_to_" + std::to_string(on_.options.lines) + "_lines_per_s"] = with_many;
  out.figures["ratio"] = with_one > 0 ? with_many / with_one : 0;
}

task<scenario_outcome> bench::run() {
  scenario_outcome out;
  const std::string kind = on_.options.requests;
  if (kind == "checkout") {
    co_await check_outs(out);
    co_return out;
  }
  if (kind == "cart-long") {
    co_await long_cart(out);
    co_return out;
  }
  auto requests = co_await requests_of(kind);
  if (!on_.options.save_file.empty()) {
    const auto saved = save_prepared(on_.options.save_file, requests);
    if (!saved) throw cannot_go_on(saved.error().detail);
  }
  const auto op =
      where_.run().record.named(kind.find('/') == std::string::npos ? kind : "prepared");
  auto turns = deal(std::move(requests), connections());
  const auto sent = co_await send(std::move(turns), span_us(), op);
  report(sent, "requests", out);
  out.figures["body_bytes_per_answer"] =
      static_cast<double>(sent.body_bytes) / static_cast<double>(std::max<std::int64_t>(1, sent.answers));
  if (sent.answers == 0) throw cannot_go_on("not one request succeeded");
  co_return out;
}

}  // namespace

task<scenario_outcome> run_bench(stage& on) {
  bench measured(on);
  auto out = co_await measured.run();
  co_return out;
}

}  // namespace omnicart::load
