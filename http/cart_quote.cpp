#include "http/cart_quote.hpp"

#include <algorithm>
#include <map>

#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "actors/product/product_messages.hpp"

namespace omnicart::http {
namespace {

std::string customer_of(const caller& who) {
  return who.user.empty() ? "session:" + who.session : "user:" + who.user;
}

// All that is asked for one cart, in the order of the questions: products, coupons, gift cards.
struct inquiry {
  std::map<product_id, std::size_t> products;  // to the place of its question
  std::vector<envelope> questions;
};

inquiry questions_about(const shop& in, const caller& who, const cart::cart_view& cart) {
  inquiry about;
  const auto put = [&](entity_ref to, std::string command) {
    about.questions.push_back(
        make_envelope(in, std::move(to), std::move(command), engine(), {.repeatable = true}));
  };
  for (const auto& line : cart.lines) {
    if (!about.products.emplace(line.product, about.questions.size()).second) continue;
    put({"product", line.product.str()}, product::encode(product::quote{line.unit_price.currency}));
  }
  for (const auto& code : cart.with.coupons) {
    put({"coupon", code}, coupon::encode(coupon::check{customer_of(who)}));
  }
  for (const auto& code : cart.with.gift_cards) {
    put({"gift_card", code}, gift_card::encode(gift_card::check{cart.subtotal.currency}));
  }
  return about;
}

pricing::item item_of(const cart::line_view& line, const answer& quoted) {
  pricing::item each{.line_id = line.line_id,
                     .product = line.product,
                     .category = {},
                     .quantity = line.quantity,
                     .unit_price = line.unit_price};
  auto reply = quoted.ok() ? product::decode_reply(quoted.payload)
                           : result<product::reply>(fail(*quoted.failure));
  if (auto* quote = reply ? std::get_if<product::quote_view>(&*reply) : nullptr) {
    each.category = std::move(quote->category);
    each.weight_g = quote->weight_g;
  }
  return each;
}

template <class E>
std::string reason_of(const error& why) {
  const char* name = to_string(static_cast<E>(why.number));
  return *name ? name : "refused";
}

void take_coupons(const cart::cart_view& cart, const std::vector<answer>& answers,
                  std::size_t first, pricing::question& asked, cart_quote& quote) {
  for (std::size_t i = 0; i < cart.with.coupons.size(); ++i) {
    const answer& got = answers[first + i];
    const std::string& code = cart.with.coupons[i];
    auto view =
        got.ok() ? coupon::decode_reply(got.payload) : result<coupon::reply>(fail(*got.failure));
    if (view) {
      asked.coupons.push_back({code, std::move(view->content.rule)});
    } else {
      quote.refused.push_back(
          {cart::code_kind::coupon, code, reason_of<coupon::errc>(view.error())});
    }
  }
}

void take_cards(const cart::cart_view& cart, const std::vector<answer>& answers, std::size_t first,
                money due, cart_quote& quote) {
  std::map<std::string, std::size_t> by_code;
  for (std::size_t i = 0; i < cart.with.gift_cards.size(); ++i)
    by_code[cart.with.gift_cards[i]] = first + i;
  for (const auto& [code, at] : by_code) {
    const answer& got = answers[at];
    const auto view = got.ok() ? gift_card::decode_reply(got.payload)
                               : result<gift_card::reply>(fail(*got.failure));
    if (!view) {
      quote.refused.push_back(
          {cart::code_kind::gift_card, code, reason_of<gift_card::errc>(view.error())});
      continue;
    }
    const std::int64_t gives = std::min(view->available_minor(), due.amount_minor);
    if (gives <= 0) continue;
    quote.gifts.push_back({code, {gives, due.currency}});
    due.amount_minor -= gives;
  }
}

const error* fault_in(const std::vector<answer>& answers) {
  for (const auto& each : answers) {
    if (each.failure && is_fault(each.failure->number)) return &*each.failure;
  }
  return nullptr;
}

}  // namespace

task<result<std::optional<cart_quote>>> quote_cart(const shop& in, tariff_board& board,
                                                   const caller& who, const cart::cart_view& cart) {
  const auto tariff = co_await board.current();
  if (!tariff) co_return fail(tariff.error());
  const bool coded = !cart.with.coupons.empty() || !cart.with.gift_cards.empty();
  if ((*tariff)->blank() && !coded) co_return std::optional<cart_quote>();
  inquiry about = questions_about(in, who, cart);
  const auto answers = co_await ask_all(in, std::move(about.questions));
  if (const error* why = fault_in(answers)) co_return fail(*why);

  cart_quote quote;
  pricing::question asked{.of_shop = tariff::terms_for(**tariff, cart.with.country),
                          .method = cart.with.method};
  for (const auto& line : cart.lines)
    asked.items.push_back(item_of(line, answers[about.products.at(line.product)]));
  const std::size_t coupons_at = about.products.size();
  take_coupons(cart, answers, coupons_at, asked, quote);
  if (cart.lines.empty()) co_return quote;
  auto prices = pricing::price(asked);
  if (!prices) co_return fail(prices.error());
  for (const auto& each : prices->aside) {
    quote.refused.push_back({cart::code_kind::coupon, each.code, pricing::to_string(each.why)});
  }
  for (const auto& each : asked.coupons) {
    const bool aside = std::any_of(prices->aside.begin(), prices->aside.end(),
                                   [&](const auto& other) { return other.code == each.code; });
    if (!aside) quote.coupons.push_back(each.code);
  }
  take_cards(cart, answers, coupons_at + cart.with.coupons.size(),
             {prices->total_minor, prices->currency}, quote);
  quote.prices = std::move(*prices);
  co_return quote;
}

}  // namespace omnicart::http
