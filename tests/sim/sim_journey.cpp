#include "tests/sim/sim_journey.hpp"

#include <algorithm>
#include <utility>

#include "actors/cart/cart_messages.hpp"
#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "tests/sim/sim_clients.hpp"
#include "tests/sim/story.hpp"

namespace omnicart::sim {
namespace {

constexpr const char* law = "an order ends as it should";
constexpr std::uint32_t looks_max = 2'000;
const std::string session = "s-journey";

// Order 1: goods 3 * 100 + 2 * 110, a tenth off each line, shipping 250, and a fifth of that as tax:
// 468 + 250 + 83 + 61. The card has 500 of it.
constexpr std::int64_t total_1 = 862, on_card = 500, charged_1 = total_1 - on_card;
// One of the three units of its first line, which cost 270 + 144 + 83 together.
constexpr std::int64_t unit_back = 497 / 3;
constexpr std::int64_t by_hand = 10;
constexpr std::int64_t for_the_wait = 300;  // the provider has so much no more: the card gets a part
constexpr std::int64_t to_card = for_the_wait - (charged_1 - unit_back - by_hand);
// Order 2: goods 110, a tenth off, shipping 250, and a fifth of that as tax.
constexpr std::int64_t total_2 = 99 + 250 + 70, charged_2 = total_2 - to_card;

entity_ref order_of(const char* key) {
  return {"order", to_base32(digest_128({"order", "session:" + session, key}))};
}

bool all_made(const order::order_view& view, std::size_t refunds) {
  const auto& all = view.after.refunds;
  return all.size() == refunds && std::all_of(all.begin(), all.end(), [](const auto& each) {
           return each.status == order::refund_status::made;
         });
}

std::int64_t on_cards(const order::order_view& view) {
  return view.gift_payments.size() == 1 ? view.gift_payments.front().returned_minor : -1;
}

bool stock_is(const answer& got, std::int64_t on_hand, std::int64_t sold, std::int64_t returned) {
  const auto view = stock::decode_reply(got.payload);
  return view && view->on_hand == on_hand && view->reserved == 0 && view->sold == sold &&
         view->returned == returned;
}

}  // namespace

journey::journey(timeline& time, wire& node, sim_checks& checks, sim_provider& provider)
    : sim_client(time, node, checks, {.as = role::admin, .session = {}, .user = "staff"}, "journey",
                 {}),
      provider_(provider),
      buyer_{.as = role::guest, .session = session, .user = {}},
      bought_(order_of("1")),
      cancelled_(order_of("2")),
      script_(script()) {}

std::vector<std::function<void()>> journey::script() {
  using order::order_status;
  using order::return_status;
  const auto to_order = [this](const char* label, order::command what) {
    return [this, label, what] { say(label, bought_, order::encode(what)); };
  };
  const auto until = [this](const char* what, condition is_so) {
    return [this, what, is_so] { await(what, bought_, is_so); };
  };
  return {
      [this] {  // whatever the seed drew
        say("no limits", {"stock", "p0"}, stock::encode(stock::set_terms{}));
      },
      [this] { say("no limits", {"stock", "p1"}, stock::encode(stock::set_terms{})); },
      [this] {
        coupon::definition tenth{.title = "a tenth", .total_limit = 5, .customer_limit = 2};
        tenth.rule.rate_bps = 1'000;
        say("define", {"coupon", coupon_code(0)}, coupon::encode(coupon::define{tenth}));
      },
      [this] {
        say("issue", {"gift_card", card_code(0)},
            gift_card::encode(gift_card::issue{.value = {on_card, gbp}}));
      },
      [this] {
        session::open opening{.refresh_digest = "digest", .id = session_id(session)};
        opening.expires_at = time_.wall() + std::chrono::hours(24 * 30);
        say("open", {"session", session}, session::encode(opening), buyer_);
      },
      [this] { add_to_cart("p0", 3, 100); },
      [this] { add_to_cart("p1", 2, 110); },
      [this] { place(bought_, {.cart = cart_id(session)}); },
      until("is paid", [](const auto& view) {
        return view.status == order_status::paid && view.total.amount_minor == total_1 &&
               view.captured.amount_minor == charged_1 && on_cards(view) == 0;
      }),
      [this] {
        say("ship a part", bought_,
            order::encode(order::ship{.carrier = "Post", .tracking = "1", .lines = units("p0", 2)}));
      },
      to_order("deliver", order::deliver{1}),
      [this] {
        say("ask back", bought_,
            order::encode(order::ask_return{.lines = units("p0", 1), .reason = "too big"}), buyer_);
      },
      to_order("receive", order::close_return{.number = 1, .to = return_status::received}),
      until("has given back what a unit cost", [](const auto& view) {
        return all_made(view, 1) && view.refunded.amount_minor == unit_back && on_cards(view) == 0;
      }),
      [this] {
        provider_.refund_by_hand(bought_.id, "desk-1", {by_hand, gbp});
        next();
      },
      until("knows what the provider gave back", [](const auto& view) {
        return all_made(view, 2) && view.refunded.amount_minor == unit_back + by_hand;
      }),
      to_order("refund",
               order::give_refund{.amount = money{for_the_wait, gbp}, .reason = "it took so long"}),
      until("has given back the rest, and a part to the card", [](const auto& view) {
        return all_made(view, 3) && view.refunded == view.captured && on_cards(view) == to_card;
      }),
      to_order("ship the rest", order::ship{.carrier = "Post", .tracking = "2"}),
      to_order("deliver", order::deliver{2}),
      until("is delivered", [](const auto& view) { return view.status == order_status::delivered; }),
      [this] {
        place(cancelled_,
              {.items = {{.product = product_id("p1"), .quantity = 1, .unit_price = {}}}});
      },
      [this] {
        await("is paid", cancelled_, [](const auto& view) {
          return view.status == order_status::paid && view.total.amount_minor == total_2 &&
                 view.captured.amount_minor == charged_2;
        });
      },
      [this] {
        say("cancel", cancelled_, order::encode(order::cancel{"changed my mind"}), buyer_);
      },
      [this] {
        await("has given back everything", cancelled_, [](const auto& view) {
          return view.status == order_status::cancelled && view.refunded == view.captured &&
                 on_cards(view) == to_card;
        });
      },
      [this] {
        await("is as it was", bought_, [](const auto& view) {
          const auto& after = view.after;
          return view.status == order_status::delivered && all_made(view, 3) &&
                 after.shipments.size() == 2 && after.returns.size() == 1 &&
                 after.returns[0].refund == 1 && view.coupons.size() == 1 &&
                 view.captured.amount_minor == charged_1 && view.refunded == view.captured &&
                 on_cards(view) == to_card;
        });
      },
      [this] {
        find("the coupon", {"coupon", coupon_code(0)}, coupon::encode(coupon::get{}),
             [](const answer& got) {
               const auto view = coupon::decode_reply(got.payload);
               return view && view->held == 0 && view->redeemed == 2 && view->given_back == 1;
             });
      },
      [this] {
        find("the gift card", {"gift_card", card_code(0)}, gift_card::encode(gift_card::get{}),
             [](const answer& got) {
               const auto view = gift_card::decode_reply(got.payload);
               return view && view->held_minor == 0 && view->balance_minor == to_card &&
                      view->spent_minor == on_card + to_card &&
                      view->returned_minor == to_card + to_card;
             });
      },
      [this] {
        find("the stock of p0", {"stock", "p0"}, stock::encode(stock::get{}),
             [](const answer& got) { return stock_is(got, 10, 3, 1); });
      },
      [this] {
        find("the stock of p1", {"stock", "p1"}, stock::encode(stock::get{}),
             [](const answer& got) { return stock_is(got, 10, 3, 1); });
      },
      [this] {
        find("the cart", {"cart", session}, cart::encode(cart::get{}), [](const answer& got) {
          const auto reply = cart::decode_reply(got.payload);
          const auto* view = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
          return view && view->lines.empty() && !view->sealed_by;
        });
      },
  };
}

// --- how it goes on ----------------------------------------------------------------------------

void journey::next() {
  if (at_++ < script_.size()) script_[at_ - 1]();
}

void journey::say(const std::string& label, const entity_ref& to, std::string command,
                  const caller& by) {
  auto what = ask(label, to, std::move(command), keyed::yes, [this, label](const answer& got) {
    if (!got.ok())
      return checks_.violate("a journey goes on", label + ": " + std::to_string(got.failure->number) +
                                                      ' ' + got.failure->detail);
    next();
  });
  what->message.asker = by;
  perform(what);
}

void journey::await(const std::string& what, const entity_ref& order, condition is_so,
                    std::uint32_t looks) {
  perform(ask("look", order, order::encode(order::get{}), keyed::no,
              [this, what, order, is_so, looks](const answer& got) {
                auto view = got.ok() ? order::decode_reply(got.payload)
                                     : result<order::reply>(fail(base_errc::io));
                if (view) checks_.books().told_after(order.id, *view);
                if (view && order == bought_) seen_ = *view;
                if (view && !view->owes && is_so(*view)) {
                  checks_.told({.id = order.id, .reference = {}, .view = *view});
                  return next();
                }
                if (looks == looks_max) return checks_.violate(law, order.id + ' ' + what);
                after(duration_ms{time_.between(20, 400)}, [this, what, order, is_so, looks] {
                  await(what, order, is_so, looks + 1);
                });
              }));
}

void journey::find(const std::string& what, const entity_ref& at, std::string get,
                   std::function<bool(const answer&)> is_so) {
  perform(ask("find", at, std::move(get), keyed::no, [this, what, is_so](const answer& got) {
    if (!got.ok() || !is_so(got)) return checks_.violate(law, what);
    next();
  }));
}

void journey::add_to_cart(const char* product, std::int64_t quantity, std::int64_t price_minor) {
  const cart::new_line line{.product = product_id(product),
                            .name = std::string("tag ") + product,
                            .quantity = quantity,
                            .unit_price = {price_minor, gbp}};
  say("add", {"cart", session}, cart::encode(cart::add{{line}}), buyer_);
}

// In doubt or not: what becomes of it is awaited.
void journey::place(const entity_ref& order, order::place what) {
  what.id = order_id(order.id);
  what.reference = order.id;
  what.buyer = buyer_;
  what.sessions = {session};
  what.email = "ann@example.org";
  what.payment = {.type = payment::method_type::card, .token = "tok_ok"};
  what.coupons = {coupon_code(0)};
  what.gift_cards = {card_code(0)};
  what.terms = shop_terms();
  say("check out", order, order::encode(what), buyer_);
}

order::line_counts journey::units(const char* product, std::int64_t quantity) const {
  for (const auto& line : seen_.lines) {
    if (line.product.str() == product) return {{line.line_id, quantity}};
  }
  return {};
}

}  // namespace omnicart::sim
