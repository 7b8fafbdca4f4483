#include "http/access_table.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "http/server/json_writer.hpp"

namespace omnicart::http {
namespace {

using cells = std::array<reach, audience_count>;
constexpr reach no = reach::none, own = reach::own, any = reach::any;

// Shapes of rows that come again:   nobody guest shopper support admin
constexpr cells everybody{any, any, any, any, any};
constexpr cells own_session{no, own, own, own, own};  // what a session has of its own
constexpr cells owner_or_staff{no, own, own, any, any};
constexpr cells account{no, no, own, own, own};  // what a registered user has of its own
constexpr cells staff{no, no, no, any, any};
constexpr cells admins{no, no, no, no, any};

constexpr bool audited = true;
constexpr bool asks_along = true, asked_first = false;
constexpr bool reasoned = true;
constexpr auto get = method::get;
constexpr auto post = method::post;
constexpr auto put = method::put;
constexpr auto remove = method::delete_;

// clang-format off
constexpr access_rule table[] = {
    // Sessions and users.
    {post,   "/api/sessions",                "sessions", everybody},
    {get,    "/api/sessions",                "sessions", owner_or_staff},
    {remove, "/api/sessions/{id}",           "sessions", owner_or_staff, audited},
    {post,   "/api/users/register",          "users",    everybody},
    {post,   "/api/users/login",             "users",    everybody},
    {post,   "/api/users/logout",            "sessions", own_session},
    {post,   "/api/users/refresh",           "sessions", everybody},
    {get,    "/api/users/profile",           "users",    account},
    {put,    "/api/users/profile",           "users",    account},
    {get,    "/api/users/profile/export",    "users",    own_session},
    {remove, "/api/users/profile",           "users",    own_session},
    {post,   "/api/users/password-reset",            "users", everybody},
    {post,   "/api/users/password-reset/confirm",    "users", everybody},
    {post,   "/api/users/email-confirmation",        "users", account},
    {post,   "/api/users/email-confirmation/confirm", "users", everybody},
    {get,    "/api/users",                   "users",    admins},
    {put,    "/api/users/{id}/status",       "users",    admins, audited},
    // All that is known of a person at once: the one reading that is written down.
    {get,    "/api/users/{id}/export",       "users",    admins, audited},
    {remove, "/api/users/{id}",              "users",    admins, audited, asked_first, reasoned},
    {remove, "/api/orders/{id}/guest",       "users",    admins, audited, asked_first, reasoned},

    // Catalogue.
    {get,    "/api/products",                "catalogue", everybody},
    {get,    "/api/products/suggest",        "catalogue", everybody},
    {get,    "/api/products/{id}",           "catalogue", everybody},
    {get,    "/api/products/{id}/related",   "catalogue", everybody},
    {get,    "/api/categories",              "catalogue", everybody},
    {post,   "/api/products",                "catalogue", admins, audited},
    {put,    "/api/products/{id}",           "catalogue", admins, audited},
    {remove, "/api/products/{id}",           "catalogue", admins, audited},
    {post,   "/api/products/import",         "catalogue", admins, audited},
    {get,    "/api/products/{id}/reviews",   "reviews",   everybody},
    // What one thinks of what one bought, staff as anybody.
    {post,   "/api/products/{id}/reviews",   "reviews",   own_session},

    // Stock.
    {get,    "/api/inventory",                            "stock", staff},
    {get,    "/api/inventory/{product_id}",               "stock", everybody},
    {put,    "/api/inventory/{product_id}",               "stock", admins, audited},
    {put,    "/api/inventory/{product_id}/terms",         "stock", admins, audited},
    {post,   "/api/inventory/{product_id}/transfers",     "stock", admins, audited},
    {post,   "/api/inventory/{product_id}/transfers/{transfer_id}/receive", "stock", admins, audited},
    {remove, "/api/inventory/{product_id}/transfers/{transfer_id}",         "stock", admins, audited},
    {get,    "/api/inventory/{product_id}/history",       "stock", staff},
    {post,   "/api/inventory/reserve",                    "stock", owner_or_staff, audited},
    {post,   "/api/inventory/reservations/{id}/extend",   "stock", owner_or_staff, audited},
    {remove, "/api/inventory/reservations/{id}",          "stock", owner_or_staff, audited},
    {get,    "/api/locations",                            "locations", everybody},
    {get,    "/api/locations/{id}",                       "locations", everybody},
    {put,    "/api/locations/{id}",                       "locations", admins, audited},
    {remove, "/api/locations/{id}",                       "locations", admins, audited},

    // Carts, at their three addresses. At those that name whose cart it is, what staff change is audited; in their own
    // what they add, for which they may set prices.
    {post,   "/api/carts",                                "carts", owner_or_staff, audited},
    {get,    "/api/cart",                                 "carts", own_session},
    {remove, "/api/cart",                                 "carts", own_session},
    {post,   "/api/cart/items",                           "carts", own_session, audited, asks_along},
    {put,    "/api/cart/items/{product_id}",              "carts", own_session},
    {remove, "/api/cart/items/{product_id}",              "carts", own_session},
    {put,    "/api/cart/lines/{line_id}",                 "carts", own_session},
    {remove, "/api/cart/lines/{line_id}",                 "carts", own_session},
    {post,   "/api/cart/coupons",                         "carts", own_session},
    {remove, "/api/cart/coupons/{code}",                  "carts", own_session},
    {post,   "/api/cart/gift-cards",                      "carts", own_session},
    {remove, "/api/cart/gift-cards/{code}",               "carts", own_session},
    {put,    "/api/cart/shipping",                        "carts", own_session},
    {get,    "/api/cart/{user_id}",                       "carts", owner_or_staff},
    {remove, "/api/cart/{user_id}",                       "carts", owner_or_staff, audited},
    {post,   "/api/cart/{user_id}/items",                 "carts", owner_or_staff, audited, asks_along},
    {put,    "/api/cart/{user_id}/items/{product_id}",    "carts", owner_or_staff, audited},
    {remove, "/api/cart/{user_id}/items/{product_id}",    "carts", owner_or_staff, audited},
    {put,    "/api/cart/{user_id}/lines/{line_id}",       "carts", owner_or_staff, audited},
    {remove, "/api/cart/{user_id}/lines/{line_id}",       "carts", owner_or_staff, audited},
    {post,   "/api/cart/{user_id}/coupons",               "carts", owner_or_staff, audited},
    {remove, "/api/cart/{user_id}/coupons/{code}",        "carts", owner_or_staff, audited},
    {post,   "/api/cart/{user_id}/gift-cards",            "carts", owner_or_staff, audited},
    {remove, "/api/cart/{user_id}/gift-cards/{code}",     "carts", owner_or_staff, audited},
    {put,    "/api/cart/{user_id}/shipping",              "carts", owner_or_staff, audited},
    {get,    "/api/carts/{cart_id}",                      "carts", owner_or_staff},
    {remove, "/api/carts/{cart_id}",                      "carts", owner_or_staff, audited},
    {post,   "/api/carts/{cart_id}/items",                "carts", owner_or_staff, audited, asks_along},
    {put,    "/api/carts/{cart_id}/items/{product_id}",   "carts", owner_or_staff, audited},
    {remove, "/api/carts/{cart_id}/items/{product_id}",   "carts", owner_or_staff, audited},
    {put,    "/api/carts/{cart_id}/lines/{line_id}",      "carts", owner_or_staff, audited},
    {remove, "/api/carts/{cart_id}/lines/{line_id}",      "carts", owner_or_staff, audited},
    {post,   "/api/carts/{cart_id}/coupons",              "carts", owner_or_staff, audited},
    {remove, "/api/carts/{cart_id}/coupons/{code}",       "carts", owner_or_staff, audited},
    {post,   "/api/carts/{cart_id}/gift-cards",           "carts", owner_or_staff, audited},
    {remove, "/api/carts/{cart_id}/gift-cards/{code}",    "carts", owner_or_staff, audited},
    {put,    "/api/carts/{cart_id}/shipping",             "carts", owner_or_staff, audited},

    // Orders.
    {post,   "/api/orders",                  "orders", owner_or_staff, audited},
    {get,    "/api/orders",                  "orders", owner_or_staff},
    {get,    "/api/orders/{id}",             "orders", owner_or_staff},
    {put,    "/api/orders/{id}/status",      "orders", staff, audited},
    {remove, "/api/orders/{id}",             "orders", owner_or_staff, audited},
    {get,    "/api/orders/{id}/history",     "orders", owner_or_staff},
    {post,   "/api/orders/{id}/shipments",                    "orders", staff, audited},
    {put,    "/api/orders/{id}/shipments/{number}/status",    "orders", staff, audited},
    {post,   "/api/orders/{id}/returns",                      "orders", owner_or_staff, audited},
    {put,    "/api/orders/{id}/returns/{number}/status",      "orders", staff, audited},
    {post,   "/api/orders/{id}/refunds",                      "orders", staff, audited},
    {get,    "/api/orders/{id}/payments",                     "orders", staff},
    {post,   "/api/orders/{id}/notes",                        "orders", staff, audited},
    {get,    "/api/orders/{id}/notes",                        "orders", staff},
    // Signed by the provider, who has no session.
    {post,   "/api/payments/webhook",                         "payments", everybody},

    // Promotions, tax and shipping.
    {post,   "/api/coupons",                      "promotions", admins, audited},
    {get,    "/api/coupons",                      "promotions", staff},
    {get,    "/api/coupons/{code}",               "promotions", staff},
    {put,    "/api/coupons/{code}/status",        "promotions", admins, audited},
    {get,    "/api/coupons/{code}/history",       "promotions", staff},
    {post,   "/api/gift-cards",                   "promotions", admins, audited},
    {get,    "/api/gift-cards",                   "promotions", staff},
    {get,    "/api/gift-cards/{code}",            "promotions", staff},
    {put,    "/api/gift-cards/{code}/status",     "promotions", admins, audited},
    {get,    "/api/gift-cards/{code}/history",    "promotions", staff},
    {get,    "/api/tax-rates",                    "tariff", everybody},
    {put,    "/api/tax-rates",                    "tariff", admins, audited},
    {get,    "/api/shipping-methods",             "tariff", everybody},
    {put,    "/api/shipping-methods",             "tariff", admins, audited},

    // The shop's own books.
    {get,    "/api/audit",                   "audit",  admins},

    // The API's own description.
    {get,    "/openapi.yaml",                "document", everybody},
    {get,    "/docs",                        "document", everybody},
};
// clang-format on

std::string key_of(method verb, std::string_view pattern) {
  return std::string(to_string(verb == method::head ? method::get : verb)) + ' ' +
         std::string(pattern);
}

std::unordered_map<std::string, const access_rule*> by_call() {
  std::unordered_map<std::string, const access_rule*> all;
  for (const auto& row : table) all.emplace(key_of(row.verb, row.pattern), &row);
  return all;
}

std::vector<std::string_view> resources() {
  std::vector<std::string_view> all;
  for (const auto& row : table) all.push_back(row.resource);
  std::ranges::sort(all);
  const auto twice = std::ranges::unique(all);
  all.erase(twice.begin(), twice.end());
  return all;
}

}  // namespace

std::string_view to_string(reach how) {
  switch (how) {
    case reach::none:
      return "none";
    case reach::own:
      return "own";
    case reach::any:
      return "any";
  }
  return "";
}

std::string_view to_string(audience who) {
  switch (who) {
    case audience::anonymous:
      return "anonymous";
    case audience::guest:
      return "guest";
    case audience::shopper:
      return "shopper";
    case audience::support:
      return "support";
    case audience::admin:
      return "admin";
  }
  return "";
}

audience audience_of(const caller& who) {
  switch (who.as) {
    case role::guest:
      return who.session.empty() ? audience::anonymous : audience::guest;
    case role::shopper:
      return audience::shopper;
    case role::support:
      return audience::support;
    case role::admin:
    case role::system:
      return audience::admin;
  }
  return audience::anonymous;
}

std::string access_rule::scope() const {
  return std::string(resource) + (verb == method::get ? ":read" : ":write");
}

std::span<const access_rule> access_rules() { return table; }

const access_rule* find_access(method verb, std::string_view pattern) {
  static const auto all = by_call();
  const auto at = all.find(key_of(verb, pattern));
  return at == all.end() ? nullptr : at->second;
}

std::span<const std::string_view> access_resources() {
  static const auto all = resources();
  return all;
}

std::string access_json() {
  std::string text;
  json_writer json(text);
  json.begin_array();
  for (const auto& row : table) {
    json.begin_object()
        .member("method", to_string(row.verb))
        .member("path", row.pattern)
        .member("scope", row.scope())
        .member("audited", row.audited)
        .key("reach")
        .begin_object();
    for (std::size_t i = 0; i < audience_count; ++i)
      json.member(to_string(static_cast<audience>(i)), to_string(row.of[i]));
    json.end_object().end_object();
  }
  json.end_array();
  return text;
}

}  // namespace omnicart::http
