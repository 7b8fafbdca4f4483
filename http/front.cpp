#include "http/front.hpp"

#include <memory>
#include <string>
#include <utility>

#include "http/access_table.hpp"
#include "http/after_order_routes.hpp"
#include "http/audit_routes.hpp"
#include "http/cart_routes.hpp"
#include "http/document_routes.hpp"
#include "http/door.hpp"
#include "http/location_routes.hpp"
#include "http/order_routes.hpp"
#include "http/privacy_routes.hpp"
#include "http/product_routes.hpp"
#include "http/promotion_routes.hpp"
#include "http/rate_limiter.hpp"
#include "http/recovery_routes.hpp"
#include "http/review_routes.hpp"
#include "http/search_routes.hpp"
#include "http/session_routes.hpp"
#include "http/shop.hpp"
#include "http/stock_routes.hpp"
#include "http/tariff_board.hpp"
#include "http/tariff_routes.hpp"
#include "http/transfer_routes.hpp"
#include "http/user_list_routes.hpp"
#include "http/user_routes.hpp"
#include "http/webhook_routes.hpp"

namespace omnicart::http {
namespace {

// The objects that the routes are members of, and the table that they filled.
struct all_routes {
  all_routes(const shop& in, product_search& finder, user_list& list)
      : tariff(in),
        sessions(in),
        users(in),
        accounts(in, list),
        recovery(in),
        privacy(in),
        carts(in, tariff),
        orders(in, tariff),
        after_orders(in),
        products(in, finder),
        found(in, finder),
        reviews(in),
        stock(in),
        locations(in),
        transfers(in),
        webhooks(in),
        promotions(in),
        charges(in, tariff),
        audit(in) {
    sessions.add_to(table);
    users.add_to(table);
    accounts.add_to(table);
    recovery.add_to(table);
    privacy.add_to(table);
    carts.add_to(table);
    orders.add_to(table);
    after_orders.add_to(table);
    products.add_to(table);
    found.add_to(table);
    reviews.add_to(table);
    stock.add_to(table);
    locations.add_to(table);
    transfers.add_to(table);
    webhooks.add_to(table);
    promotions.add_to(table);
    charges.add_to(table);
    audit.add_to(table);
    add_document_routes(table);
  }

  tariff_board tariff;
  session_routes sessions;
  user_routes users;
  user_list_routes accounts;
  recovery_routes recovery;
  privacy_routes privacy;
  cart_routes carts;
  order_routes orders;
  after_order_routes after_orders;
  product_routes products;
  search_routes found;
  review_routes reviews;
  stock_routes stock;
  location_routes locations;
  transfer_routes transfers;
  webhook_routes webhooks;
  promotion_routes promotions;
  tariff_routes charges;
  audit_routes audit;
  router table;
};

rate_class class_of(const route& called) {
  if (called.verb == method::get) return rate_class::read;
  const std::string& path = called.pattern;
  if (path == "/api/orders") return rate_class::checkout;
  for (const char* guarded : {"/api/users/register", "/api/users/login", "/api/users/refresh",
                              "/api/users/password-reset", "/api/users/password-reset/confirm",
                              "/api/users/email-confirmation/confirm"}) {
    if (path == guarded) return rate_class::login;
  }
  return rate_class::write;
}

task<response> healthy(request&) { co_return json_response(200, R"({"status":"ok"})"); }

// `req` outlives the task; the reason is taken by value.
task<response> ready(request& req, std::optional<error> refusing) {
  if (refusing) co_return failure_response(*refusing, req);
  co_return json_response(200, R"({"status":"ok"})");
}

}  // namespace

router make_routes(const shop& in, product_search& finder, user_list& users, rate_limiter& limits,
                   std::function<std::optional<error>()> refusing) {
  const auto all = std::make_shared<const all_routes>(in, finder, users);
  const auto entrance = std::make_shared<const door>(in, limits);
  router limited;
  for (const route* one : all->table.routes()) {
    const door::call to{.handle = one->handle,
                        .rule = find_access(one->verb, one->pattern),
                        .cost = class_of(*one),
                        .name = std::string(to_string(one->verb)) + ' ' + one->pattern};
    limited.add(
        one->verb, one->pattern,
        [all, entrance, to](request& req) { return entrance->pass(req, to); }, one->options);
  }
  // A node that answers at all is alive. It listens only once it has started; after that what it
  // may lack is room for writes.
  for (const char* path : {"/health", "/health/live"}) limited.get(path, healthy);
  limited.get("/health/ready",
              [refusing = std::move(refusing)](request& req) { return ready(req, refusing()); });
  return limited;
}

}  // namespace omnicart::http
