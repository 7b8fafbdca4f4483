#include "http/payment_gateway.hpp"

#include <atomic>
#include <deque>
#include <future>

#include "tests/unit/pay/pay_fixture.hpp"

namespace omnicart::http {
namespace payment_gateway_test {

using pay::machine_clock;
using pay::running_provider;
using payment::charge_status;

const currency_code gbp = *currency_code::parse("GBP");
const machine_clock time_of_day;

payment::command charge(const std::string& key, const std::string& token,
                        payment::method_type type = payment::method_type::card) {
  return payment::charge{order_id(key), {1299, gbp}, {type, token}};
}

std::string order_of(const payment::command& what) {
  return std::visit([](const auto& c) { return c.order.str(); }, what);
}

envelope to_provider(const payment::command& what, reply_fn reply) {
  envelope message;
  message.to = {"payment", order_of(what)};
  message.command = payment::encode(what);
  message.reply = std::move(reply);
  return message;
}

// The answer to one command.
answer ask(payment_gateway& gateway, envelope message) {
  std::promise<answer> got;
  message.reply = [&](answer said) { got.set_value(std::move(said)); };
  gateway.send(std::move(message));
  return got.get_future().get();
}

answer ask(payment_gateway& gateway, const payment::command& what) {
  return ask(gateway, to_provider(what, {}));
}

// "captured 4242", "declined card_declined", or the number of the error.
std::string words(const answer& said) {
  if (!said.ok()) return std::to_string(said.failure->number);
  const auto reply = payment::decode_reply(said.payload);
  BOOST_REQUIRE(reply.has_value());
  switch (reply->status) {
    case charge_status::authorised:
      return "authorised " + reply->last4;
    case charge_status::captured:
      return "captured " + reply->last4;
    case charge_status::declined:
      return "declined " + reply->decline_code;
    case charge_status::voided:
      return "voided";
    case charge_status::refunded:
      return "refunded";
  }
  return "";
}

std::string number(base_errc code) { return std::to_string(static_cast<int>(code)); }
std::string number(payment::errc code) { return std::to_string(static_cast<int>(code)); }

payment_gateway_options options_to(std::uint16_t port) {
  return {.provider = {.host = "127.0.0.1", .port = port}, .answer_timeout = duration_ms{60'000}};
}

// A provider that reads one request per connection and answers with given bytes, then closes.
class canned_provider {
 public:
  explicit canned_provider(std::deque<std::string> answers) : answers_(std::move(answers)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    BOOST_REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    BOOST_REQUIRE(::listen(fd_, 8) == 0);
    BOOST_REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~canned_provider() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    for (const auto& bytes : answers_) {
      const int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      char request[4096];
      if (::recv(client, request, sizeof request, 0) > 0)
        ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ::close(client);
    }
  }
  std::deque<std::string> answers_;
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string http_answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
const std::string good_body =
    R"({"key":"k","status":"captured","amount":1299,"currency":"GBP","last4":"4242","decline_code":""})";

BOOST_AUTO_TEST_SUITE(payment_gateway_with_a_provider)

BOOST_AUTO_TEST_CASE(every_token_ends_as_it_is_named) {
  running_provider provider({.late_by = duration_ms{60'000}});
  auto patient = options_to(provider.port());
  auto hasty = patient;
  hasty.answer_timeout = duration_ms{50};
  payment_gateway waits(patient, time_of_day), gives_up(hasty, time_of_day);
  const auto unknown = number(base_errc::timeout);
  struct row {
    const char* token;
    bool answers;
    std::string first, again;
  };
  for (const auto& r :
       {row{"tok_ok", true, "captured 4242", "captured 4242"},
        row{"tok_declined", true, "declined card_declined", "declined card_declined"},
        row{"tok_timeout_before", false, unknown, "captured 0119"},
        row{"tok_timeout_after", false, unknown, "captured 0127"},
        row{"tok_twice", true, unknown, "captured 0222"},
        row{"tok_late", false, unknown, "captured 0259"},
        row{"tok_garbage", true, unknown, "captured 0341"},
        row{"4111111111111111", true, "declined invalid_token", "declined invalid_token"}}) {
    const auto what = charge(std::string("order-") + r.token, r.token);
    BOOST_TEST(words(ask(r.answers ? waits : gives_up, what)) == r.first, r.token);
    BOOST_TEST(words(ask(waits, what)) == r.again, r.token);
  }
  BOOST_TEST(gives_up.figures().unknown == 3u);
  BOOST_TEST(waits.figures().unknown == 2u);
  waits.stop(duration_ms{60'000});
  BOOST_TEST(waits.figures().waiting == 0u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_only_late_is_taken) {
  running_provider provider({.late_by = duration_ms{20}});
  payment_gateway gateway(options_to(provider.port()), time_of_day);
  BOOST_TEST(words(ask(gateway, charge("k", "tok_late"))) == "captured 0259");
}

BOOST_AUTO_TEST_CASE(voids_refunds_and_refusals_come_through) {
  running_provider provider;
  payment_gateway gateway(options_to(provider.port()), time_of_day);
  const auto refund = [](const std::string& key, const std::string& refund_key,
                         std::int64_t minor) {
    return payment::command{payment::refund{order_id(key), refund_key, {minor, gbp}}};
  };
  struct row {
    payment::command asked;
    std::string expected;
  };
  const std::vector<row> rows{
      {charge("k", "tok_ok"), "captured 4242"},
      {charge("k", "tok_late"), number(payment::errc::key_reused)},
      {payment::void_charge{order_id("k")}, number(payment::errc::captured)},
      {refund("k", "r", 1'000), "refunded"},
      {refund("k", "r", 1'000), "refunded"},
      {refund("k", "r", 999), number(payment::errc::key_reused)},
      {refund("k", "s", 300), number(payment::errc::over_refund)},
      {refund("none", "r", 1), number(payment::errc::not_captured)},
      {payment::void_charge{order_id("v/1 x")}, number(base_errc::malformed)},
      {payment::void_charge{order_id("v/1")}, "voided"},
      {charge("v/1", "tok_ok"), number(payment::errc::voided)},
      {charge("i", "", payment::method_type::invoice), number(payment::errc::unknown_method)},
      {charge("p", "tok_ok", payment::method_type::paypal), "captured "},
      {charge("odd", "\"},\xff\n"), "declined invalid_token"},
  };
  for (const auto& r : rows)
    BOOST_TEST(words(ask(gateway, r.asked)) == r.expected, order_of(r.asked));
  BOOST_TEST(gateway.figures().refused == 8u);
}

BOOST_AUTO_TEST_CASE(many_payments_at_once_are_each_answered_once) {
  running_provider provider;
  auto options = options_to(provider.port());
  options.queue_wait = duration_ms{60'000};
  payment_gateway gateway(options, time_of_day);
  constexpr int count = 2'000;
  std::atomic<int> captured{0}, answered{0};
  std::promise<void> all;
  for (int i = 0; i < count; ++i) {
    const auto what = charge("order-" + std::to_string(i), "tok_ok");
    gateway.send(to_provider(what, [&](answer said) {
      if (words(said) == "captured 4242") ++captured;
      if (++answered == count) all.set_value();
    }));
  }
  all.get_future().get();
  BOOST_TEST(captured == count);
  pay::raw_client reader(provider.port());
  BOOST_TEST(pay::body_of(reader.ask("GET", "/ledger/summary")).find("\"captures\":2000,") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_more_than_the_queue_holds_is_refused_at_once) {
  running_provider provider;
  auto options = options_to(provider.port());
  options.connections = 1;
  options.queue_max = 2;
  options.queue_wait = duration_ms{60'000};
  payment_gateway gateway(options, time_of_day);
  std::atomic<int> later{0};
  for (int i = 0; i < 3; ++i) {  // one in flight that is never answered, two behind it
    gateway.send(to_provider(charge(std::to_string(i), "tok_timeout_after"),
                             [&](const answer&) { ++later; }));
  }
  bool told_at_once = false;
  gateway.send(to_provider(charge("one more", "tok_ok"), [&](const answer& said) {
    told_at_once = words(said) == number(base_errc::overloaded);
  }));
  BOOST_TEST(told_at_once);
  BOOST_TEST(gateway.figures().waiting == 3u);
  gateway.stop(duration_ms{0});
  BOOST_TEST(later == 3);
}

BOOST_AUTO_TEST_CASE(a_payment_that_waits_too_long_for_a_connection_is_refused_unsent) {
  running_provider provider;
  auto options = options_to(provider.port());
  options.connections = 1;
  options.queue_wait = duration_ms{10};
  payment_gateway gateway(options, time_of_day);
  gateway.send(to_provider(charge("held", "tok_timeout_after"), [](const answer&) {}));
  BOOST_TEST(words(ask(gateway, charge("behind", "tok_ok"))) == number(base_errc::overloaded));
  pay::raw_client reader(provider.port());
  BOOST_TEST(pay::status_of(reader.ask("GET", "/charges/behind")) == 404);
}

BOOST_AUTO_TEST_CASE(a_provider_that_cannot_be_reached_is_unavailable) {
  std::uint16_t nobody = 0;
  {
    running_provider provider;
    nobody = provider.port();
  }
  payment_gateway gateway(options_to(nobody), time_of_day);
  BOOST_TEST(words(ask(gateway, charge("k", "tok_ok"))) == number(base_errc::unavailable));
  auto nameless = options_to(nobody);
  nameless.provider.host = "no-such-host.invalid";
  payment_gateway lost(nameless, time_of_day);
  BOOST_TEST(words(ask(lost, charge("k", "tok_ok"))) == number(base_errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_provider_that_comes_back_is_used_again) {
  pay::temporary_folder folder;
  auto first = std::make_unique<running_provider>(pay::server_options{.data = folder.path()});
  const auto port = first->port();
  payment_gateway gateway(options_to(port), time_of_day);
  BOOST_TEST(words(ask(gateway, charge("a", "tok_ok"))) == "captured 4242");
  first.reset();
  BOOST_TEST(words(ask(gateway, charge("b", "tok_ok"))) == number(base_errc::unavailable));
  running_provider second({.data = folder.path(), .port = port});
  BOOST_TEST(words(ask(gateway, charge("b", "tok_ok"))) == "captured 4242");
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_went_stale_is_replaced_unnoticed) {
  pay::temporary_folder folder;
  auto first = std::make_unique<running_provider>(pay::server_options{.data = folder.path()});
  const auto port = first->port();
  payment_gateway gateway(options_to(port), time_of_day);
  BOOST_TEST(words(ask(gateway, charge("a", "tok_ok"))) == "captured 4242");
  first.reset();
  running_provider second({.data = folder.path(), .port = port});
  BOOST_TEST(words(ask(gateway, charge("b", "tok_ok"))) == "captured 4242");
}

BOOST_AUTO_TEST_CASE(answers_that_are_not_one_clean_answer_are_unknown) {
  const std::string good = http_answer(good_body);
  for (const std::string& bytes :
       {std::string("\x16\x03\x01 nonsense\r\n\r\n"), good + good, good.substr(0, good.size() - 1),
        std::string(), std::string("HTTP/1.1 200 OK\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{"),
        http_answer(good_body + good_body), http_answer(std::string(9'000, ' ') + good_body),
        "HTTP/1.1 200 OK\r\nA: " + std::string(9'000, 'x') + "\r\n\r\n"}) {
    canned_provider provider({bytes, good});
    payment_gateway gateway(options_to(provider.port()), time_of_day);
    BOOST_TEST_INFO(bytes.substr(0, 40));
    BOOST_TEST(words(ask(gateway, charge("k", "tok_ok"))) == number(base_errc::timeout));
    BOOST_TEST(words(ask(gateway, charge("k", "tok_ok"))) == "captured 4242");
  }
}

BOOST_AUTO_TEST_CASE(messages_that_are_no_payments_are_refused) {
  running_provider provider;
  payment_gateway gateway(options_to(provider.port()), time_of_day);
  auto nonsense = to_provider(charge("k", "tok_ok"), {});
  nonsense.command = "nonsense";
  BOOST_TEST(words(ask(gateway, nonsense)) == number(base_errc::malformed));
  auto other_order = to_provider(charge("k", "tok_ok"), {});
  other_order.to.id = "other";
  BOOST_TEST(words(ask(gateway, other_order)) == number(base_errc::malformed));
  auto other_kind = to_provider(charge("k", "tok_ok"), {});
  other_kind.to.kind = "cart";
  BOOST_TEST(words(ask(gateway, other_kind)) == number(base_errc::malformed));
  auto too_late = to_provider(charge("k", "tok_ok"), {});
  too_late.deadline = time_of_day.wall() - duration_ms{1};
  BOOST_TEST(words(ask(gateway, too_late)) == number(base_errc::expired));
  gateway.send(to_provider(charge("k", "tok_ok"), {}));  // nobody waits
  gateway.stop(duration_ms{60'000});
  BOOST_TEST(gateway.figures().answered == 1u);
}

BOOST_AUTO_TEST_CASE(a_stop_lets_open_payments_end_and_refuses_new_ones) {
  running_provider provider({.late_by = duration_ms{20}});
  payment_gateway gateway(options_to(provider.port()), time_of_day);
  std::string told;
  gateway.send(
      to_provider(charge("k", "tok_late"), [&](const answer& said) { told = words(said); }));
  gateway.stop(duration_ms{60'000});
  BOOST_TEST(told == "captured 0259");
  BOOST_TEST(words(ask(gateway, charge("l", "tok_ok"))) == number(base_errc::shutting_down));
}

BOOST_AUTO_TEST_CASE(a_stop_answers_what_does_not_end_in_time) {
  running_provider provider;
  auto options = options_to(provider.port());
  options.connections = 1;
  options.queue_wait = duration_ms{60'000};
  payment_gateway gateway(options, time_of_day);
  std::string sent, queued;
  gateway.send(to_provider(charge("a", "tok_timeout_after"),
                           [&](const answer& said) { sent = words(said); }));
  gateway.send(
      to_provider(charge("b", "tok_ok"), [&](const answer& said) { queued = words(said); }));
  gateway.stop(duration_ms{10});
  BOOST_TEST(sent == number(base_errc::timeout));
  BOOST_TEST(queued == number(base_errc::shutting_down));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace payment_gateway_test
}  // namespace omnicart::http
