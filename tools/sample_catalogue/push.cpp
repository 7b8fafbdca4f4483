#include "push.hpp"

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace omnicart::sample {
namespace {

httplib::Client connect(const std::string& url, const std::string& token) {
  httplib::Client client(url);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(5);
  client.set_read_timeout(60);
  client.set_default_headers({{"Authorization", "Bearer " + token}});
  return client;
}

std::string stock_path(const product& what) { return "/api/inventory/" + what.id; }

// The answer if it is a success, or what to say about it.
result<std::string> body_of(const httplib::Result& got, const std::string& call) {
  if (!got) return fail(base_errc::unavailable, call + ": " + httplib::to_string(got.error()));
  if (got->status / 100 != 2) {
    return fail(base_errc::malformed,
                call + ": " + std::to_string(got->status) + ' ' + got->body.substr(0, 500));
  }
  return got->body;
}

}  // namespace

shop::shop(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

result<bool> shop::holds(const std::vector<product>& products) const {
  if (products.empty()) return true;
  const std::string call = "GET " + stock_path(products.back());
  auto client = connect(url_, token_);
  const auto got = client.Get(stock_path(products.back()));
  if (got && got->status == 404) return false;
  const auto body = body_of(got, call);
  if (!body) return fail(body.error());
  const auto figures = nlohmann::json::parse(*body, nullptr, false);
  if (!figures.is_object()) return fail(base_errc::malformed, call + ": no JSON object");
  // A product without a stock record may answer with zeros.
  return figures.value("version", 0) > 0 || figures.value("on_hand", 0) > 0;
}

status shop::push(const std::vector<product>& products) const {
  std::string lines;
  for (const auto& one : products) lines += import_line(one);
  auto client = connect(url_, token_);
  auto imported = body_of(client.Post("/api/products/import", lines, "application/x-ndjson"),
                          "POST /api/products/import");
  if (!imported) return fail(std::move(imported.error()));
  for (const auto& one : products) {
    const nlohmann::json figures{{"on_hand", one.on_hand}, {"reason", "sample catalogue"}};
    auto set = body_of(client.Put(stock_path(one), figures.dump(), "application/json"),
                       "PUT " + stock_path(one));
    if (!set) return fail(std::move(set.error()));
  }
  return {};
}

}  // namespace omnicart::sample
