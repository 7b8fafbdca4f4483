#include "http/front.hpp"

#include <memory>
#include <utility>

#include "http/after_order_routes.hpp"
#include "http/cart_routes.hpp"
#include "http/order_routes.hpp"
#include "http/product_routes.hpp"
#include "http/promotion_routes.hpp"
#include "http/rate_limiter.hpp"
#include "http/review_routes.hpp"
#include "http/search_routes.hpp"
#include "http/server/problem.hpp"
#include "http/session_routes.hpp"
#include "http/shop.hpp"
#include "http/stock_routes.hpp"
#include "http/tariff_board.hpp"
#include "http/tariff_routes.hpp"
#include "http/user_routes.hpp"
#include "http/webhook_routes.hpp"

namespace omnicart::http {
namespace {

// The objects that the routes are members of, and the table that they filled.
struct all_routes {
  all_routes(const shop& in, product_search& finder)
      : tariff(in),
        sessions(in),
        users(in),
        carts(in, tariff),
        orders(in, tariff),
        after_orders(in),
        products(in, finder),
        found(in, finder),
        reviews(in),
        stock(in),
        webhooks(in),
        promotions(in),
        charges(in, tariff) {
    sessions.add_to(table);
    users.add_to(table);
    carts.add_to(table);
    orders.add_to(table);
    after_orders.add_to(table);
    products.add_to(table);
    found.add_to(table);
    reviews.add_to(table);
    stock.add_to(table);
    webhooks.add_to(table);
    promotions.add_to(table);
    charges.add_to(table);
  }

  tariff_board tariff;
  session_routes sessions;
  user_routes users;
  cart_routes carts;
  order_routes orders;
  after_order_routes after_orders;
  product_routes products;
  search_routes found;
  review_routes reviews;
  stock_routes stock;
  webhook_routes webhooks;
  promotion_routes promotions;
  tariff_routes charges;
  router table;
};

rate_class class_of(const route& called) {
  if (called.verb == method::get) return rate_class::read;
  const std::string& path = called.pattern;
  if (path == "/api/orders") return rate_class::checkout;
  if (path == "/api/users/register" || path == "/api/users/login" || path == "/api/users/refresh") {
    return rate_class::login;
  }
  return rate_class::write;
}

task<response> too_many(request& req, rate_limiter::verdict said) {
  problem what;
  what.status = 429;
  what.code = "rate_limited";
  what.detail = "too many requests from this address";
  what.retryable = true;
  what.retry_after_s = said.retry_after_s;
  response refused = problem_response(what, req.request_id);
  refused.add_header("RateLimit-Limit", std::to_string(said.limit))
      .add_header("RateLimit-Remaining", std::to_string(said.remaining))
      .add_header("RateLimit-Reset", std::to_string(said.reset_s));
  co_return refused;
}

task<response> healthy(request&) { co_return json_response(200, R"({"status":"ok"})"); }

// `req` outlives the task; the reason is taken by value.
task<response> ready(request& req, std::optional<error> refusing) {
  if (refusing) co_return failure_response(*refusing, req);
  co_return json_response(200, R"({"status":"ok"})");
}

}  // namespace

router make_routes(const shop& in, product_search& finder, rate_limiter& limits,
                   std::function<std::optional<error>()> refusing) {
  const auto all = std::make_shared<const all_routes>(in, finder);
  router limited;
  for (const route* one : all->table.routes()) {
    limited.add(
        one->verb, one->pattern,
        [all, one, &limits, cost = class_of(*one)](request& req) {
          const auto said = limits.take(req.peer, cost);
          return said.allowed ? one->handle(req) : too_many(req, said);
        },
        one->options);
  }
  // A node that answers at all is alive. It listens only once it has started; after that what it may
  // lack is room for writes.
  for (const char* path : {"/health", "/health/live"}) limited.get(path, healthy);
  limited.get("/health/ready",
              [refusing = std::move(refusing)](request& req) { return ready(req, refusing()); });
  return limited;
}

}  // namespace omnicart::http
