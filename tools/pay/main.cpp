// omnicart-pay: a payment provider to try the shop against, with test cards instead of money.
#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <cstdio>
#include <optional>
#include <string>

#include "runtime/base/version.hpp"
#include "tools/pay/provider_server.hpp"
#include "tools/pay/webhook_sender.hpp"

namespace {

using namespace omnicart;

constexpr int exit_usage = 64, exit_unavailable = 69, exit_io = 74;  // sysexits.h

class system_clock final : public omnicart::clock {
 public:
  timestamp_ms wall() const override {
    return std::chrono::floor<duration_ms>(std::chrono::system_clock::now());
  }
  duration_ms monotonic() const override {
    return std::chrono::floor<duration_ms>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

// "127.0.0.1:8090", "[::1]:8090", "localhost:0".
bool parse_address(std::string_view text, pay::server_options& into) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = text.substr(colon + 1);
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), into.port);
  into.host = host;
  return wrong == std::errc{} && end == port.data() + port.size();
}

int complain(int code, const std::string& what) {
  std::fprintf(stderr, "omnicart-pay: %s\n", what.c_str());
  return code;
}

struct webhook_options {
  std::string url, secret_file;
};

int serve(pay::server_options options, const std::string& host, std::optional<int> parent_pipe,
          const webhook_options& webhook) {
  using interrupt = pay::provider_server::interrupt;
  const system_clock time;
  std::unique_ptr<pay::webhook_sender> sender;
  if (!webhook.url.empty()) {
    std::ifstream file(webhook.secret_file);
    std::string secret;
    if (!std::getline(file, secret)) return complain(exit_usage, "no webhook secret in " + webhook.secret_file);
    auto opened = pay::webhook_sender::open({webhook.url, secret}, time);
    if (!opened) return complain(exit_usage, opened.error().detail);
    sender = std::move(*opened);
    options.entered = [&sender](const std::vector<pay::entry>& entered) { sender->tell(entered); };
  }
  auto server = pay::provider_server::open(options, time);
  if (!server) return complain(exit_unavailable, server.error().detail);
  if (!(*server)->notice().empty()) complain(0, (*server)->notice());
  // Ctrl-C reaches the whole foreground group: with a parent, it is the parent's to end this
  // process.
  (*server)->stop_on_signals(parent_pipe ? interrupt::is_ignored : interrupt::stops);
  if (parent_pipe) {
    if (auto done = (*server)->stop_when_closed(*parent_pipe); !done)
      return complain(exit_usage, done.error().detail);
  }
  std::printf("ready http=%s:%u\n", host.c_str(), (*server)->port());
  std::fflush(stdout);
  if (auto done = (*server)->run(); !done) return complain(exit_io, done.error().detail);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app(
      "A simulated payment provider: HTTP API, append-only ledger, test cards.\n"
      "Tokens: tok_ok approves, tok_declined declines; tok_timeout_before, tok_timeout_after, "
      "tok_twice,\n"
      "tok_late and tok_garbage approve, but their first answer goes wrong in the way they are "
      "named after;\ntok_async and tok_async_declined are decided a while later, and told by webhook.",
      "omnicart-pay");
  pay::server_options options;
  std::string data, address = "127.0.0.1:8090";
  std::optional<int> parent_pipe;
  app.add_option("--data", data, "Folder of the ledger (ledger.log); created when missing")
      ->required()
      ->type_name("DIR");
  app.add_option("--http", address, "Where to listen; port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--parent-pipe", parent_pipe,
                 "End when the other end of this inherited pipe is closed")
      ->type_name("FD");
  webhook_options webhook;
  auto* url = app.add_option("--webhook", webhook.url, "Where the shop is told of every entry")->type_name("URL");
  auto* secret = app.add_option("--webhook-secret-file", webhook.secret_file, "What that is signed with: the file's first line")
                     ->type_name("FILE");
  url->needs(secret);
  secret->needs(url);
  app.set_version_flag("--version", omnicart::version_text());
  app.footer(
      "GET /ledger shows every authorisation, capture, decline, void and refund; GET "
      "/ledger/summary the totals.\n"
      "SIGTERM ends it in order. Exit codes: 0, 64 usage, 69 cannot start, 74 the ledger could not "
      "be written.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : exit_usage;
  }
  if (!parse_address(address, options))
    return complain(exit_usage, "--http wants HOST:PORT, got " + address);
  options.data = data;
  return serve(options, address.substr(0, address.rfind(':')), parent_pipe, webhook);
}
