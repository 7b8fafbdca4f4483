#include "tests/sim/sim_desk.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::sim {
namespace {

caller support() { return {.as = role::support, .session = {}, .user = "desk"}; }

bool may_ship(const order::order_view& view) {
  using enum order::order_status;
  return view.status == pending || view.status == paid || view.status == processing;
}

}  // namespace

order_desk::order_desk(timeline& time, wire& node, sim_checks& checks, std::uint32_t actions)
    : sim_client(time, node, checks, support(), "desk", {}), left_(actions) {}

void order_desk::rest() {
  if (left_ == 0) {
    finished_ = true;
    return;
  }
  --left_;
  after(duration_ms{time_.between(50, 2'000)}, [this] { act(); });
}

void order_desk::act() {
  if (orders_.empty()) return rest();
  const auto id = orders_[time_.below(orders_.size())];
  perform(ask("look at", {"order", id}, order::encode(order::get{}), keyed::no,
              [this, id](const answer& got) {
                const auto view = got.ok() ? order::decode_reply(got.payload)
                                           : result<order::reply>(fail(base_errc::io));
                view ? tend(id, *view) : rest();
              }));
}

template <class Left>
order::line_counts order_desk::draw(const order::order_view& view, Left left) {
  order::line_counts some;
  for (const auto& line : view.lines) {
    const auto units = left(line);
    if (units > 0 && time_.chance(70)) some.push_back({line.line_id, time_.between(1, units)});
  }
  return some;
}

void order_desk::tend(const std::string& id, const order::order_view& view) {
  checks_.books().told_after(id, view);
  auto all = choices(id, view);
  all.empty() ? rest() : all[time_.below(all.size())]();
}

std::vector<order_desk::action> order_desk::choices(const std::string& id,
                                                    const order::order_view& view) {
  std::vector<action> all;
  if (may_ship(view)) {
    const auto part = draw(view, [](const auto& line) { return line.quantity - line.shipped; });
    // No lines: all that is left.
    const auto sent = time_.chance(40) ? order::line_counts{} : part;
    const std::string tracking = next_key();
    all.push_back([this, id, sent, tracking] {
      say(id, "ship", order::ship{.carrier = "Post", .tracking = tracking, .lines = sent});
    });
  }
  for (const auto& parcel : view.after.shipments) {
    if (parcel.status != order::shipment_status::shipped) continue;
    all.push_back([this, id, number = parcel.number] { say(id, "deliver", order::deliver{number}); });
    break;
  }
  add_returns(id, view, all);
  const auto unrefunded =
      draw(view, [](const auto& line) { return line.quantity - line.refunded; });
  if (may_ship(view) || view.after.shipments.size() > 0)
    all.push_back([this, id, view, unrefunded] { give_back(id, view, unrefunded); });
  return all;
}

void order_desk::add_returns(const std::string& id, const order::order_view& view,
                             std::vector<action>& all) {
  const auto sent = draw(view, [](const auto& line) { return line.shipped - line.returned; });
  if (!sent.empty()) {
    order::ask_return back{.lines = sent, .reason = "too big"};
    back.received = time_.chance(40);
    back.restock = time_.chance(70);
    back.refund = time_.chance(80);
    const bool by_buyer = !back.received && time_.chance(70);
    all.push_back([this, id, back, by_buyer, buyer = view.buyer] {
      say(id, "return", back, by_buyer ? &buyer : nullptr);
    });
  }
  for (const auto& each : view.after.returns) {
    if (each.status != order::return_status::requested) continue;
    const order::close_return end{.number = each.number,
                                  .to = time_.chance(75) ? order::return_status::received
                                                         : order::return_status::refused,
                                  .restock = time_.chance(70),
                                  .refund = time_.chance(80),
                                  .reason = "seen"};
    all.push_back([this, id, end] { say(id, "close return", end); });
    break;
  }
}

// More than there is now and then: then it is refused.
void order_desk::give_back(const std::string& id, const order::order_view& view,
                           const order::line_counts& of) {
  order::give_refund some{.reason = "sorry"};
  if (of.empty() || time_.chance(50)) {
    const auto most = std::max<std::int64_t>(view.total.amount_minor, 1);
    some.amount = money{time_.between(1, most), view.total.currency};
  } else {
    some.lines = of;
  }
  say(id, "refund", some);
}

void order_desk::say(const std::string& id, std::string label, const order::command& what,
                     const caller* instead) {
  auto said = ask(std::move(label), {"order", id}, order::encode(what), keyed::yes,
                  [this, id](const answer& got) {
                    const auto view = got.ok() ? order::decode_reply(got.payload)
                                               : result<order::reply>(fail(base_errc::io));
                    if (view) checks_.books().told_after(id, *view);
                    rest();
                  });
  if (instead) said->message.asker = *instead;
  perform(said);
}

}  // namespace omnicart::sim
