#include "tests/sim/sim_staff.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "actors/product/product_messages.hpp"
#include "tests/sim/story.hpp"

namespace omnicart::sim {
namespace {

caller admin() { return {.as = role::admin, .session = {}, .user = "staff"}; }

}  // namespace

staff::staff(timeline& time, wire& node, sim_checks& checks, const crowd_plan& plan,
             std::uint32_t actions)
    : sim_client(time, node, checks, admin(), "staff", {}), plan_(plan), left_(actions) {}

std::string staff::draw_product() {
  return product_name(static_cast<std::uint32_t>(time_.below(plan_.products)));
}

std::string staff::draw_location() {
  const auto lot = time_.below(plan_.locations + std::uint64_t{1});
  return lot == 0 ? "" : "store-" + std::to_string(lot);
}

void staff::ask_stock(std::string label, const std::string& product, const stock::command& what,
                      keyed how, std::function<void(const answer&)> known) {
  perform(ask(std::move(label), {"stock", product}, stock::encode(what), how,
              [this, product, known = std::move(known)](const answer& got) {
                if (auto view = got.ok() ? stock::decode_reply(got.payload)
                                         : result<stock::reply>(fail(base_errc::io))) {
                  checks_.books().shown(product, got.version, *view);
                  seen_[product] = std::move(*view);
                }
                known(got);
              }));
}

// --- before the shop opens ---------------------------------------------------------------------

void staff::start(std::function<void()> open) { set_up(0, std::move(open)); }

void staff::set_up(std::uint32_t product, std::function<void()> open) {
  if (product == plan_.products) return set_up_codes(0, std::move(open));
  const product::details content{.name = "Product " + std::to_string(product),
                                 .price = {100 + 10 * product, gbp}};
  const auto name = product_name(product);
  perform(ask("import", {"product", name}, product::encode(product::import{content}), keyed::yes,
              [this, product, name, open](const answer&) {
                stock_up(name, [this, product, open] { set_up(product + 1, open); });
              }));
}

// Coupons that take a tenth or a fixed amount, some of them scarce, and cards that pay for some.
void staff::set_up_codes(std::uint32_t code, std::function<void()> open) {
  if (code == plan_.codes) {
    open();
    return rest();
  }
  coupon::definition off{.title = "off"};
  off.rule.type = code % 2 ? pricing::discount_type::fixed : pricing::discount_type::percentage;
  if (code % 2) {
    off.rule.amounts = {{50, gbp}};
  } else {
    off.rule.rate_bps = 1'000;
  }
  if (time_.chance(60)) off.total_limit = static_cast<std::uint64_t>(time_.between(2, 6));
  if (off.total_limit && time_.chance(50)) off.customer_limit = 1;
  const gift_card::issue card{.value = {time_.between(100, 3'000), gbp}};
  perform(ask("define", {"coupon", coupon_code(code)}, coupon::encode(coupon::define{off}),
              keyed::yes, [this, code, card, open](const answer&) {
                perform(ask("issue", {"gift_card", card_code(code)}, gift_card::encode(card),
                            keyed::yes,
                            [this, code, open](const answer&) { set_up_codes(code + 1, open); }));
              }));
}

void staff::stock_up(const std::string& product, const std::function<void()>& then) {
  const stock::set_on_hand first{plan_.stock, "first delivery", draw_location()};
  ask_stock("count", product, first, keyed::yes, [this, product, then](const answer&) {
    if (!time_.chance(40)) return then();
    ask_stock("terms", product, stock::set_terms{draw_terms()}, keyed::yes,
              [then](const answer&) { then(); });
  });
}

// --- the day's work ----------------------------------------------------------------------------

void staff::rest() {
  if (left_ == 0) {
    finished_ = true;
    return;
  }
  --left_;
  after(duration_ms{time_.between(100, 3'000)}, [this] { act(); });
}

void staff::act() {
  const auto lot = time_.below(100);
  if (lot < 18) return change_price();
  if (lot < 36) return correct();
  if (lot < 42) return count();
  if (lot < 56) return set_terms();
  if (lot < 72) return send_transfer();
  if (lot < 88) return end_transfer();
  move_an_order();
}

void staff::change_price() {
  const product::details content{.name = "Product again", .price = {time_.between(1, 40) * 5, gbp}};
  perform(ask("price", {"product", draw_product()}, product::encode(product::replace{content}),
              keyed::yes, [this](const answer&) { rest(); }));
}

void staff::correct() {
  const stock::adjust change{
      .delta = time_.chance(70) ? time_.between(1, 10) : time_.between(-5, -1),
      .reason = "seen",
      .location = draw_location()};
  ask_stock("adjust", draw_product(), change, keyed::yes, [this](const answer&) { rest(); });
}

void staff::count() {
  const stock::set_on_hand counted{time_.between(0, 2 * plan_.stock), "counted", draw_location()};
  ask_stock("count", draw_product(), counted, keyed::yes, [this](const answer&) { rest(); });
}

stock::terms staff::draw_terms() {
  stock::terms to;
  if (time_.chance(60)) {
    to.more = time_.chance(50) ? stock::backorder::later : stock::backorder::ahead;
    to.owed_max = time_.between(1, 6);
    if (to.more == stock::backorder::ahead)
      to.available_from = time_.wall() + std::chrono::hours{24};
  }
  if (time_.chance(50)) to.low_stock = time_.between(1, 5);
  if (time_.chance(40)) to.customer_max = time_.between(2, 8);
  return to;
}

void staff::set_terms() {
  ask_stock("terms", draw_product(), stock::set_terms{draw_terms()}, keyed::yes,
            [this](const answer& got) {
              if (!got.ok()) checks_.violate("valid terms are taken", got.failure->detail);
              rest();
            });
}

// --- transfers ---------------------------------------------------------------------------------

// From where units were seen, mostly; some are sold meanwhile.
void staff::send_transfer() {
  if (plan_.locations == 0) return correct();
  transfer made{
      .id = "t-" + next_key(), .product = draw_product(), .quantity = time_.between(1, 6)};
  const auto& places = seen_[made.product].places;
  std::string from = draw_location();
  if (!places.empty() && time_.chance(70)) from = places[time_.below(places.size())].location;
  std::string to = draw_location();
  if (to == from) to = from.empty() ? "store-1" : "";
  const stock::send_transfer command{made.id, from, to, made.quantity, "wanted there"};
  ask_stock("send " + made.id, made.product, command, keyed::yes, [this, made](const answer& got) {
    if (got.ok()) under_way_.push_back(made);
    rest();
  });
}

// Sometimes two people end it at once: one of them has to be refused.
void staff::end_transfer() {
  if (under_way_.empty()) return send_transfer();
  std::swap(under_way_[time_.below(under_way_.size())], under_way_.back());
  const auto what = under_way_.back();
  under_way_.pop_back();
  struct both {
    int open = 1, done = 0;
  };
  auto ends = std::make_shared<both>();
  const auto known = [this, what, ends](const answer& got) {
    ends->done += got.ok() ? 1 : 0;
    if (--ends->open > 0) return;
    if (ends->done != 1)
      checks_.violate("a transfer ends once",
                      what.id + ": " + std::to_string(ends->done) + " times");
    rest();
  };
  const bool recalls = time_.chance(30);
  ends->open = time_.chance(25) ? 2 : 1;
  if (ends->open == 2) time_.chance(50) ? receive(what, known) : recall(what, known);
  recalls ? recall(what, known) : receive(what, known);
}

void staff::receive(const transfer& what, const std::function<void(const answer&)>& known) {
  const auto units = time_.chance(60) ? what.quantity : time_.between(0, what.quantity);
  ask_stock("receive " + std::to_string(units) + " of " + what.id, what.product,
            stock::receive_transfer{what.id, units}, keyed::yes,
            [this, what, units, known](const answer& got) {
              if (got.ok()) checks_.books().received(what.product, what.id, units);
              known(got);
            });
}

void staff::recall(const transfer& what, const std::function<void(const answer&)>& known) {
  ask_stock("recall " + what.id, what.product, stock::recall_transfer{what.id}, keyed::yes,
            [this, what, known](const answer& got) {
              if (got.ok()) checks_.books().recalled(what.product, what.id);
              known(got);
            });
}

void staff::move_an_order() {
  if (orders_.empty()) return rest();
  const order::set_status step{static_cast<order::order_status>(time_.between(2, 4))};
  perform(ask("status", {"order", orders_[time_.below(orders_.size())]}, order::encode(step),
              keyed::yes, [this](const answer&) { rest(); }));
}

void staff::look_back() {
  for (std::uint32_t i = 0; i < plan_.products; ++i)
    ask_stock("look", product_name(i), stock::get{}, keyed::no, [](const answer&) {});
}

}  // namespace omnicart::sim
