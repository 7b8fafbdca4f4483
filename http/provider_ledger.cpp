#include "http/provider_ledger.hpp"

#include <httplib.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "http/payment_wire.hpp"

namespace omnicart::http {
namespace {

// Nothing: it is none.
std::optional<provider_ledger::entry> read_entry(const nlohmann::json& from) try {
  return provider_ledger::entry{.seq = from.at("seq").get<std::uint64_t>(),
                                .kind = from.value("kind", ""),
                                .key = from.value("key", ""),
                                .currency = from.value("currency", ""),
                                .at = from.value("at", ""),
                                .refund_key = from.value("refund_key", ""),
                                .decline_code = from.value("decline_code", ""),
                                .last4 = from.value("last4", ""),
                                .amount = from.value("amount", std::int64_t{0})};
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

constexpr std::time_t connect_max_s = 3, silence_max_s = 10;
constexpr std::size_t body_bytes_max = 32u << 20;  // a page has some 3 MB

}  // namespace

struct provider_ledger::connection {
  connection(const std::string& host, int port) : client(host, port) {
    client.set_connection_timeout(connect_max_s);
    client.set_read_timeout(silence_max_s);
  }

  // The object that the answer is.
  result<nlohmann::json> get(const std::string& path) {
    if (stopped) return fail(base_errc::shutting_down);
    std::string text;
    const auto got = client.Get(path.c_str(), [&](const char* bytes, std::size_t count) {
      if (stopped || text.size() + count > body_bytes_max) return false;
      text.append(bytes, count);
      return true;
    });
    if (!got || got->status != 200) return fail(base_errc::unavailable, "no answer from the provider");
    auto body = nlohmann::json::parse(text, nullptr, false);
    if (!body.is_object()) return fail(base_errc::unavailable, "the answer is no JSON object");
    return body;
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
  for (std::uint64_t next = 1;;) {
    const auto got = page(next);
    if (!got) return fail(got.error());
    if (got->empty()) return {};
    for (const auto& each : *got) take(each);
    next = got->back().seq + 1;
  }
}

result<std::vector<provider_ledger::entry>> provider_ledger::page(std::uint64_t from) {
  const auto body = to_->get("/ledger?from=" + std::to_string(from) + "&limit=" + std::to_string(page_entries));
  if (!body) return fail(body.error());
  const auto entries = body->find("entries");
  if (entries == body->end() || !entries->is_array()) return fail(base_errc::unavailable, "the answer is no ledger");
  std::vector<entry> page;
  page.reserve(entries->size());
  for (const auto& each : *entries) {
    auto one = read_entry(each);
    if (!one || one->seq != from + page.size()) return fail(base_errc::unavailable, "the answer is no ledger, or has a gap");
    page.push_back(std::move(*one));
  }
  return page;
}

result<std::uint64_t> provider_ledger::last() {
  const auto body = to_->get("/ledger/summary");
  if (!body) return fail(body.error());
  const auto entries = body->find("entries");
  if (entries == body->end() || !entries->is_number_unsigned()) return fail(base_errc::unavailable, "the answer is no summary");
  return entries->get<std::uint64_t>();
}

void provider_ledger::stop() {
  to_->stopped = true;
  to_->client.stop();
}

}  // namespace omnicart::http
