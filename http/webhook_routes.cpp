#include "http/webhook_routes.hpp"

#include "actors/order/order_messages.hpp"
#include "http/server/headers.hpp"
#include "http/webhook_signature.hpp"

namespace omnicart::http {
namespace {

constexpr const char* no_order_key = "no-order";

response taken(const char* how) { return json_response(200, std::string("{\"status\":\"") + how + "\"}"); }

}  // namespace

void webhook_routes::add_to(router& routes) {
  routes.post("/api/payments/webhook", [this](request& req) { return take(req); });
}

task<response> webhook_routes::take(request& req) {
  if (shop_.webhook_secret.empty()) co_return refuse(req, 404, "not_found", "this shop takes no webhooks");
  const auto signature = req.header("omnicart-signature");
  const std::int64_t now_s = shop_.time.wall().time_since_epoch().count() / 1000;
  const auto verdict =
      check_webhook(shop_.webhook_secret, signature.value_or(""), req.body, now_s);
  if (verdict != webhook_verdict::good) {
    co_return refuse(req, 401, "bad_signature", "the webhook is not signed, or not now, or not with the shop's secret");
  }
  const auto word = parse_provider_word(req.body);
  if (!word) co_return failure_response(word.error(), req);
  const order::command told = order::payment_told{word->what};
  auto asked = ask(shop_, {"order", word->key}, order::encode(told), engine(), {.repeatable = true});
  const answer got = co_await asked;
  if (got.ok()) co_return taken("taken");
  if (got.failure->is(order::errc::no_such_order)) co_return co_await give_back(req, *word);
  co_return failure_response(*got.failure, req);
}

// The provider refuses what was given back already, or never taken: then nothing is held.
task<response> webhook_routes::give_back(request& req, const provider_word& word) {
  payment::command what;
  if (word.what.kind == payment::news_kind::captured) {
    what = payment::refund{order_id(word.key), no_order_key, word.what.amount};
  } else if (word.what.kind == payment::news_kind::authorised) {
    what = payment::void_charge{order_id(word.key)};
  } else {
    co_return taken("no_order");
  }
  auto asked = ask(shop_, {"payment", word.key}, payment::encode(what), engine(), {.repeatable = true});
  const answer got = co_await asked;
  if (got.ok()) co_return taken("given_back");
  if (is_fault(got.failure->number) || got.failure->is(base_errc::expired)) {
    co_return failure_response(*got.failure, req);
  }
  co_return taken("nothing_held");
}

}  // namespace omnicart::http
