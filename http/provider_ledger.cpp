#include "http/provider_ledger.hpp"

#include <httplib.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "http/payment_wire.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t page_entries = 10'000;
constexpr std::time_t silence_max_s = 10;

}  // namespace

struct provider_ledger::connection {
  connection(const std::string& host, int port) : client(host, port) {
    client.set_read_timeout(silence_max_s);
  }

  httplib::Client client;
  std::atomic<bool> stopped{false};
};

provider_ledger::provider_ledger(std::unique_ptr<connection> to) : to_(std::move(to)) {}
provider_ledger::~provider_ledger() = default;
provider_ledger::provider_ledger(provider_ledger&&) noexcept = default;

result<provider_ledger> provider_ledger::open(const std::string& url) {
  const auto address = parse_provider_url(url);
  if (!address) return fail(address.error());
  return provider_ledger(std::make_unique<connection>(address->host, address->port));
}

status provider_ledger::read(const std::function<void(const entry&)>& take) {
  for (std::int64_t next = 1;;) {
    if (to_->stopped) return fail(base_errc::shutting_down);
    const auto path =
        "/ledger?from=" + std::to_string(next) + "&limit=" + std::to_string(page_entries);
    const auto got = to_->client.Get(path.c_str());
    if (!got || got->status != 200)
      return fail(base_errc::unavailable, "no answer from the provider");
    const auto body = nlohmann::json::parse(got->body, nullptr, false);
    if (!body.is_object() || !body.contains("entries"))
      return fail(base_errc::unavailable, "the answer is no ledger");
    for (const auto& each : body["entries"]) {
      take({.kind = each.value("kind", ""),
            .key = each.value("key", ""),
            .currency = each.value("currency", ""),
            .at = each.value("at", ""),
            .refund_key = each.value("refund_key", ""),
            .decline_code = each.value("decline_code", ""),
            .last4 = each.value("last4", ""),
            .amount = each.value("amount", std::int64_t{0})});
      next = each.value("seq", next) + 1;
    }
    if (body["entries"].size() < static_cast<std::size_t>(page_entries)) return {};
  }
}

void provider_ledger::stop() {
  to_->stopped = true;
  to_->client.stop();
}

}  // namespace omnicart::http
