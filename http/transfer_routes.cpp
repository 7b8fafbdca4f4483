#include "http/transfer_routes.hpp"

#include <algorithm>
#include <limits>

#include "actors/stock/stock_messages.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "http/stock_checks.hpp"
#include "http/stock_json.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t reason_bytes_max = 500;

// More than any transfer has: refused by a stock that knows the transfer, and no part of what is
// compared when an answer is repeated.
constexpr std::int64_t too_many = std::numeric_limits<std::int64_t>::max();

const stock::transfer_view* find(const stock::stock_view& view, const std::string& transfer) {
  const auto at = std::ranges::find(view.transfers, transfer, &stock::transfer_view::transfer);
  return at == view.transfers.end() ? nullptr : &*at;
}

stock::send_transfer read_transfer(object_reader& read) {
  stock::send_transfer wanted;
  wanted.from = read_location_id(read, "from");
  wanted.to = read_location_id(read, "to");
  wanted.quantity = read.required_int("quantity", 1, units_max);
  wanted.reason = read.optional_string("reason", reason_bytes_max).value_or("");
  if (wanted.from.empty() && wanted.to.empty()) {
    read.report("to", "missing", "give from, to or both; without one, units are at no location");
  } else if (wanted.from == wanted.to) {
    read.report("to", "out_of_range", "the units are there already");
  }
  return wanted;
}

}  // namespace

void transfer_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (transfer_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/inventory/{product_id}/transfers", bound(&transfer_routes::send));
  routes.post("/api/inventory/{product_id}/transfers/{transfer_id}/receive",
              bound(&transfer_routes::receive));
  routes.remove("/api/inventory/{product_id}/transfers/{transfer_id}",
                bound(&transfer_routes::recall));
}

task<response> transfer_routes::send(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  stock::send_transfer wanted = read_transfer(read);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  if (auto unfit = co_await unfit_location(shop_, req, wanted.from, location_use::source, "from"))
    co_return std::move(*unfit);
  if (auto unfit = co_await unfit_location(shop_, req, wanted.to, location_use::target, "to"))
    co_return std::move(*unfit);
  wanted.transfer = to_base32(options->id ? digest_128({"transfer", to_base32(options->id)})
                                          : shop_.ids.next());
  auto asked = ask(shop_, {"stock", id}, stock::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = stock::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  // A repeat may come when the transfer has ended.
  const auto* sent = find(*view, wanted.transfer);
  const stock::transfer_view what{.transfer = wanted.transfer,
                                  .from = wanted.from,
                                  .to = wanted.to,
                                  .quantity = wanted.quantity,
                                  .sent_at = {}};
  response made =
      json_response(201, transfer_json(id, what, sent ? std::optional(sent->sent_at) : std::nullopt));
  made.add_header("Location", "/api/inventory/" + percent_encoded(id) + "/transfers/" +
                                  percent_encoded(wanted.transfer));
  mark_replayed(made, got);
  co_return made;
}

task<response> transfer_routes::receive(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body.empty() ? "{}" : req.body, errors);
  object_reader read(body, errors);
  const auto arrived = read.optional_int("quantity", 0, units_max);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  stock::receive_transfer wanted{std::string(req.param("transfer_id")), arrived.value_or(too_many)};
  if (!arrived) {
    auto asked = inquire(shop_, {"stock", id}, stock::encode(stock::get{}), who->who);
    const answer now = co_await asked;
    if (!now.ok()) co_return failure_response(*now.failure, req);
    const auto view = stock::decode_reply(now.payload);
    if (!view) co_return failure_response(view.error(), req);
    // None: received already, and this is asked again; or there is no such transfer.
    if (const auto* sent = find(*view, wanted.transfer)) wanted.quantity = sent->quantity;
  }
  auto asked = ask(shop_, {"stock", id}, stock::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  co_return inventory_response(req, id, got);
}

task<response> transfer_routes::recall(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const std::string id(req.param("product_id"));
  if (auto none = co_await unknown_product(shop_, req, id)) co_return std::move(*none);
  const stock::recall_transfer wanted{std::string(req.param("transfer_id"))};
  auto asked = ask(shop_, {"stock", id}, stock::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  response gone;
  gone.status = 204;
  mark_replayed(gone, got);
  co_return gone;
}

}  // namespace omnicart::http
