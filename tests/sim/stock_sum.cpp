#include "tests/sim/stock_sum.hpp"

#include <algorithm>
#include <vector>

namespace omnicart::sim {
namespace {

using namespace stock_law;

std::string of(const char* what, std::int64_t shown, std::int64_t summed) {
  return std::string(what) + " is shown as " + std::to_string(shown) + ", and adds up to " +
         std::to_string(summed);
}

}  // namespace

struct stock_sum::adder {
  stock_sum& s;

  void operator()(const stock::counted& e) const {
    const auto delta = e.on_hand - s.on_hand;
    if (!e.location.empty()) {
      s.require(e.location_units - units_at(e.location) == delta, by_location,
                "a count of " + e.location + " counted something else");
      s.put(e.location, delta);
    }
    s.put_in += delta;
    s.on_hand = e.on_hand;
    if (delta >= 0) return;
    s.require(s.available() >= 0, no_oversell, "what is reserved was counted away");
    if (e.location.empty())
      s.require(s.at_no_location() >= 0, by_location, "a count without a location took from one");
  }
  void operator()(const stock::adjusted& e) const {
    const bool lost = !s.just_received_.empty() && e.delta < 0 && -e.delta <= s.may_be_lost_;
    const auto owed = std::max<std::int64_t>(0, -s.at_no_location());
    const auto rest = e.delta > 0 ? e.delta - std::min(owed, e.delta) : e.delta;
    s.require(e.location_delta == (e.location.empty() ? 0 : rest), by_location,
              "what comes in goes first to those who wait");
    s.put_in += e.delta;
    s.on_hand += e.delta;
    s.put(e.location, e.location_delta);
    if (lost) {
      s.arrived[s.just_received_] += e.delta;
    } else if (e.delta < 0) {
      s.require(s.available() >= 0, no_oversell, "what is reserved was written off");
      s.require(!e.location.empty() || s.at_no_location() >= 0, by_location,
                "more was written off than was there");
    }
  }
  void operator()(const stock::reserved& e) const {
    s.require(s.holds.emplace(e.reservation.str(), hold{e.quantity, e.expires_at}).second, sound,
              "a reservation was made twice");
    s.reserved += e.quantity;
    s.require(s.available() >= 0, no_oversell, "a hold of what is not there");
  }
  void operator()(const stock::extended& e) const {
    const auto at = s.holds.find(e.reservation.str());
    s.require(at != s.holds.end(), sound, "a hold was extended that was not there");
    if (at != s.holds.end()) at->second.expires_at = e.expires_at;
  }
  void operator()(const stock::released& e) const { s.end_hold(e.reservation.str()); }
  void operator()(const stock::expired& e) const {
    const auto at = s.holds.find(e.reservation.str());
    s.require(at != s.holds.end() && at->second.expires_at <= e.at, sound,
              "a hold expired before its time");
    s.end_hold(e.reservation.str());
  }
  void operator()(const stock::claimed& e) const {
    for (const auto& id : e.taken) s.end_hold(id.str());
    const auto claim = e.order.str();
    s.require(s.claims.emplace(claim, e.quantity).second, sound, "an order claimed twice");
    s.require(!s.sales.contains(claim) && !s.ended_.contains(claim), sound,
              "an ended order claimed again");
    const auto there = std::max<std::int64_t>(0, s.available());
    s.require(e.short_of == std::max<std::int64_t>(0, e.quantity - there), by_terms,
              "a claim is short of " + std::to_string(e.short_of) + ", " + std::to_string(there) +
                  " were there");
    s.short_of[claim] = e.short_of;
    s.reserved += e.quantity;
    s.require(s.available() >= -s.promised.owed_max, by_terms,
              std::to_string(-s.available()) + " are owed, " + std::to_string(s.promised.owed_max) +
                  " may be");
    s.count_claim(claim, e.quantity);
  }
  void operator()(const stock::unclaimed& e) const {
    s.ended_.insert(e.order.str());
    const auto at = s.claims.find(e.order.str());
    if (at == s.claims.end()) return;
    s.reserved -= at->second;
    s.uncount_claim(at->first, at->second);
    s.claims.erase(at);
  }
  void operator()(const stock::settled& e) const {
    const auto at = s.claims.find(e.order.str());
    s.require(at != s.claims.end(), sound, "a sale without a claim");
    if (at == s.claims.end()) return;
    s.require(s.sales.emplace(e.order.str(), at->second).second, sound,
              "an order's claim was sold twice");
    s.check_drawn(e, at->second);
    for (const auto& each : e.drawn) s.put(each.location, -each.units);
    s.reserved -= at->second;
    s.on_hand -= at->second;
    s.sold += at->second;
    s.claims.erase(at);
  }
  void operator()(const stock::restocked& e) const {
    s.require(s.returns_.insert(e.order.str() + ' ' + e.return_key).second, sound,
              "goods came back twice");
    const auto at = s.sales.find(e.order.str());
    auto& back = s.back[e.order.str()] += e.quantity;
    s.require(at != s.sales.end() && back <= at->second, sound,
              "more came back than was sold");
    s.on_hand += e.quantity;
    s.returned += e.quantity;
    s.uncount_claim(e.order.str(), e.quantity);
  }
  void operator()(const stock::terms_set& e) const {
    s.promised = e.to;
    s.may_owe = std::max(s.may_owe, e.to.owed_max);
    if (e.to.customer_max > 0) return;
    s.counted_.clear();
    s.customer_of_claim_.clear();
  }
  void operator()(const stock::transfer_sent& e) const {
    const auto there = e.from.empty() ? s.at_no_location() : units_at(e.from);
    s.require(e.quantity > 0 && e.quantity <= there, by_location,
              "more was sent from '" + e.from + "' than was there");
    s.require(s.sent_.insert(e.transfer).second, once, e.transfer + " was sent twice");
    s.transfers.emplace(e.transfer, e);
    s.put(e.from, -e.quantity);
    s.in_transfer += e.quantity;
    s.reserved += e.quantity;
    s.require(s.available() >= 0, no_oversell, "what is reserved was sent away");
  }
  void operator()(const stock::transfer_received& e) const {
    const auto was = s.end_transfer(e.transfer);
    if (!was) return;
    s.put(was->to, was->quantity);
    s.arrived[e.transfer] = was->quantity;
  }
  void operator()(const stock::transfer_recalled& e) const {
    const auto was = s.end_transfer(e.transfer);
    if (!was) return;
    s.put(was->from, was->quantity);
    s.recalled.insert(e.transfer);
  }

 private:
  std::int64_t units_at(const std::string& location) const {
    const auto at = s.places.find(location);
    return at == s.places.end() ? 0 : at->second;
  }
};

void stock_sum::require(bool holds_true, const char* law, const std::string& what) {
  if (!holds_true && !broken_) broken_ = broken_law{law, what};
}

void stock_sum::add(const stock::event& what) {
  std::visit(adder{*this}, what);
  const auto* end = std::get_if<stock::transfer_received>(&what);
  just_received_ = end ? end->transfer : "";
  may_be_lost_ = end ? arrived[end->transfer] : 0;
  require(available() >= -may_owe, no_oversell, std::to_string(available()) + " are available");
  require(at_no_location() >= -may_owe, by_location, "more is at locations than on hand");
  require(put_in == on_hand + sold - returned, adds_up, "received, sold and returned");
}

void stock_sum::end_hold(const std::string& id) {
  const auto at = holds.find(id);
  require(at != holds.end(), sound, "a hold ended that was not there");
  if (at == holds.end()) return;
  reserved -= at->second.quantity;
  holds.erase(at);
}

void stock_sum::put(const std::string& location, std::int64_t units) {
  if (location.empty() || units == 0) return;
  const auto at = places.try_emplace(location, 0).first;
  at->second += units;
  placed += units;
  require(at->second >= 0, by_location, location + " has less than nothing");
  if (at->second == 0) places.erase(at);
}

std::optional<stock::transfer_sent> stock_sum::end_transfer(const std::string& id) {
  const auto at = transfers.find(id);
  require(at != transfers.end(), once, id + " ended, and was not under way");
  if (at == transfers.end()) return std::nullopt;
  auto was = std::move(at->second);
  in_transfer -= was.quantity;
  reserved -= was.quantity;
  transfers.erase(at);
  return was;
}

// From the location that has most, then from the next.
void stock_sum::check_drawn(const stock::settled& sale, std::int64_t units) {
  std::vector<std::pair<std::int64_t, std::string>> by_units;
  for (const auto& [location, there] : places) by_units.emplace_back(-there, location);
  std::sort(by_units.begin(), by_units.end());
  std::size_t used = 0;
  bool same = true;
  for (; used < by_units.size() && units > 0; ++used) {
    const auto leave = std::min(units, -by_units[used].first);
    same = same && used < sale.drawn.size() && sale.drawn[used].units == leave &&
           sale.drawn[used].location == by_units[used].second;
    units -= leave;
  }
  require(same && used == sale.drawn.size(), by_location, "a sale leaves from where most is");
}

void stock_sum::count_claim(const std::string& claim, std::int64_t units) {
  const auto customer = orders_(order_of(claim)).customer;
  if (promised.customer_max == 0 || customer.empty()) return;
  auto& has = counted_[customer] += units;
  customer_of_claim_[claim] = customer;
  require(
      has <= promised.customer_max, by_customer,
      customer + " has " + std::to_string(has) + " of " + std::to_string(promised.customer_max));
}

void stock_sum::uncount_claim(const std::string& claim, std::int64_t units) {
  const auto at = customer_of_claim_.find(claim);
  if (at != customer_of_claim_.end()) counted_[at->second] -= units;
}

std::string stock_sum::difference(const stock::stock_view& shown) const {
  if (shown.on_hand != on_hand) return of("on_hand", shown.on_hand, on_hand);
  if (shown.reserved != reserved) return of("reserved", shown.reserved, reserved);
  if (shown.available != available()) return of("available", shown.available, available());
  if (shown.sold != sold) return of("sold", shown.sold, sold);
  if (shown.returned != returned) return of("returned", shown.returned, returned);
  if (shown.received + shown.adjusted != put_in)
    return of("received and adjusted", shown.received + shown.adjusted, put_in);
  if (shown.in_transfer != in_transfer) return of("in_transfer", shown.in_transfer, in_transfer);
  if (shown.at_no_location != at_no_location())
    return of("at_no_location", shown.at_no_location, at_no_location());
  if (shown.owed_floor != may_owe) return of("owed_floor", shown.owed_floor, may_owe);
  if (shown.promised != promised) return "other terms are shown";
  std::map<std::string, std::int64_t> there;
  for (const auto& each : shown.places) there[each.location] = each.units;
  if (there != places) return "other units by location are shown";
  std::map<std::string, std::int64_t> on_their_way, sent;
  for (const auto& each : shown.transfers) on_their_way[each.transfer] = each.quantity;
  for (const auto& [id, each] : transfers) sent[id] = each.quantity;
  return on_their_way == sent ? "" : "other transfers are shown";
}

std::string stock_sum::difference(const stock::state& kept) const {
  const auto shown = stock::reply_to(kept, stock::get{}, role::admin);
  if (auto text = difference(shown); !text.empty()) return text;
  std::vector<std::int64_t> here, there;  // the record has digests of its customers
  for (const auto& [customer, units] : counted_) {
    if (units != 0) here.push_back(units);
  }
  for (const auto& [customer, units] : kept.customers) there.push_back(units);
  std::sort(here.begin(), here.end());
  std::sort(there.begin(), there.end());
  return here == there ? "" : "the units by customer";
}

}  // namespace omnicart::sim
