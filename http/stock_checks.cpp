#include "http/stock_checks.hpp"

#include "actors/location/location_messages.hpp"
#include "actors/product/product_messages.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t location_id_bytes_max = 64;

}  // namespace

task<std::optional<response>> unknown_product(const shop& in, request& req, const std::string& id) {
  const auto none = [&] { return refuse(req, 404, "no_such_product", "no such product"); };
  if (!is_product_id(id)) co_return none();
  auto asked = inquire(in, {"product", id}, product::encode(product::quote{}), engine());
  const answer got = co_await asked;
  if (got.ok() || got.failure->is(product::errc::retired)) co_return std::nullopt;
  if (is_fault(got.failure->number)) co_return failure_response(*got.failure, req);
  co_return none();
}

std::string read_location_id(object_reader& read, std::string_view name) {
  const auto id = read.optional_string(name, location_id_bytes_max);
  if (id && !location::is_location_id(*id))
    read.report(name, "malformed", "1 to 64 letters, digits, '.', '_' and '-'");
  return id.value_or("");
}

task<std::optional<response>> unfit_location(const shop& in, request& req,
                                             const std::string& location, location_use use,
                                             std::string_view member) {
  if (location.empty()) co_return std::nullopt;
  auto asked = inquire(in, {"location", location}, location::encode(location::get{}), engine());
  const answer got = co_await asked;
  if (!got.ok()) {
    if (got.failure->is(location::errc::no_such_location))
      co_return refuse_member(req, "no_such_location", member, "There is no such location.");
    co_return failure_response(*got.failure, req);
  }
  const auto view = location::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (use == location_use::source || view->active) co_return std::nullopt;
  co_return refuse_member(req, "location_closed", member, "The location takes in no stock.");
}

response refuse_member(const request& req, std::string_view code, std::string_view member,
                       std::string_view detail) {
  problem what;
  what.status = 422;
  what.code = code;
  what.detail = detail;
  what.errors.push_back({'/' + std::string(member), std::string(code), std::string(detail)});
  return problem_response(what, req.request_id);
}

}  // namespace omnicart::http
