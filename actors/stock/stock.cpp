#include "actors/stock/stock.hpp"

#include <algorithm>
#include <set>

#include "runtime/base/limits.hpp"

namespace omnicart::stock {
namespace {

using events = std::vector<event>;

constexpr duration_ms ttl_min{1000};
constexpr std::size_t location_bytes_max = 64;  // of a transfer's id too

bool sum_fits(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return !__builtin_add_overflow(a, b, &sum);
}

// The state as it would be once everything due at `now` had expired, without changing it: decisions
// are made on this.
class as_of {
 public:
  as_of(const state& s, timestamp_ms now) : state_(s), now_(now), available_(s.units.available) {
    for (const auto& [expires_at, id] : s.holds.expiries()) {
      if (expires_at > now) break;
      expiries_.push_back(expired{id, now});
      available_ += s.holds.find(id)->quantity;
    }
  }

  std::int64_t available() const { return available_; }
  std::int64_t reserved() const { return state_.units.on_hand - available_; }
  const hold* find(const reservation_id& id) const {
    const hold* found = state_.holds.find(id);
    return found && found->expires_at > now_ ? found : nullptr;
  }
  std::vector<reservation_id> holds_of(const std::string& session) const {
    std::vector<reservation_id> live;
    for (const auto& id : state_.holds.of_session(session)) {
      if (find(id)) live.push_back(id);
    }
    return live;
  }
  // What happened: the expiries, then `event`.
  template <class Event>
  events then(Event&& what) && {
    expiries_.emplace_back(std::forward<Event>(what));
    return std::move(expiries_);
  }
  events nothing_more() && { return std::move(expiries_); }

 private:
  const state& state_;
  timestamp_ms now_;
  std::int64_t available_;
  events expiries_;
};

struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const set_on_hand& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    if (c.on_hand < 0) return fail(errc::invalid_quantity, "on hand is 0 or more");
    if (auto named = is_location(c.location); !named) return fail(named.error());
    const std::int64_t there = c.location.empty() ? s.units.on_hand : s.places.at(c.location);
    if (!sum_fits(c.on_hand, -there))
      return fail(errc::invalid_quantity, "a figure would leave 64 bits");
    const std::int64_t delta = c.on_hand - there;
    if (auto fits = correction_fits(delta); !fits) return fail(fits.error());
    as_of book(s, ctx.now);
    if (delta < 0 && s.units.on_hand + delta < book.reserved()) return fail(errc::below_reserved);
    if (delta < 0 && c.location.empty() && at_no_location(s) + delta < 0)
      return refuse_not_there(at_no_location(s));
    if (delta > 0 && !has_place(c.location)) return fail(errc::place_limit);
    if (s.is_counted && delta == 0) return std::move(book).nothing_more();
    return std::move(book).then(counted{.on_hand = s.units.on_hand + delta,
                                        .reason = c.reason,
                                        .by = ctx.asker,
                                        .at = ctx.now,
                                        .location = c.location,
                                        .location_units = c.location.empty() ? 0 : c.on_hand});
  }

  result<events> operator()(const adjust& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    if (c.delta == 0) return fail(errc::invalid_quantity, "an adjustment is not 0");
    if (auto named = is_location(c.location); !named) return fail(named.error());
    if (auto fits = correction_fits(c.delta); !fits) return fail(fits.error());
    as_of book(s, ctx.now);
    if (c.delta < 0) {
      if (s.units.on_hand + c.delta < book.reserved()) return fail(errc::below_reserved);
      if (units_at(c.location) + c.delta < 0) return refuse_not_there(units_at(c.location));
    } else if (!has_place(c.location)) {
      return fail(errc::place_limit);
    }
    return std::move(book).then(
        adjusted{.delta = c.delta,
                 .reason = c.reason,
                 .by = ctx.asker,
                 .at = ctx.now,
                 .location = c.location,
                 .location_delta = c.location.empty() ? 0 : c.delta - owed_first(c.delta)});
  }

  result<events> operator()(const set_terms& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    if (auto valid = validate(c.to); !valid) return fail(valid.error());
    as_of book(s, ctx.now);
    if (c.to == s.promised) return std::move(book).nothing_more();
    return std::move(book).then(terms_set{c.to, ctx.asker, ctx.now});
  }

  result<events> operator()(const send_transfer& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    if (c.transfer.empty() || c.transfer.size() > location_bytes_max)
      return fail(base_errc::malformed, "transfer");
    for (const auto* name : {&c.from, &c.to}) {
      if (auto named = is_location(*name); !named) return fail(named.error());
    }
    if (c.from == c.to) return fail(base_errc::malformed, "from and to are the same");
    if (c.quantity < 1) return fail(errc::invalid_quantity, "a transfer is of 1 or more");
    as_of book(s, ctx.now);
    if (const auto open = s.transfers.find(c.transfer); open != s.transfers.end()) {
      const open_transfer& was = open->second;
      const bool equal = was.from == c.from && was.to == c.to && was.quantity == c.quantity;
      if (!equal) return fail(errc::transfer_conflict);
      return std::move(book).nothing_more();
    }
    if (s.transfers.size() >= transfers_max) return fail(errc::transfer_limit);
    if (!has_place(c.to)) return fail(errc::place_limit);
    if (units_at(c.from) < c.quantity) return refuse_not_there(units_at(c.from));
    if (book.available() < c.quantity)
      return refuse_short(c.quantity, book.available(), s.units.on_hand);
    return std::move(book).then(
        transfer_sent{c.transfer, c.from, c.to, c.quantity, c.reason, ctx.asker, ctx.now});
  }

  result<events> operator()(const receive_transfer& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    const auto open = s.transfers.find(c.transfer);
    if (open == s.transfers.end()) return fail(errc::no_such_transfer);
    const std::int64_t lost = open->second.quantity - c.quantity;
    if (c.quantity < 0 || lost < 0) return fail(errc::invalid_quantity, "from 0 to what was sent");
    if (auto fits = correction_fits(-lost); !fits) return fail(fits.error());
    if (!has_place(open->second.to)) return fail(errc::place_limit);
    events made = as_of(s, ctx.now).then(transfer_received{c.transfer, ctx.asker, ctx.now});
    if (lost > 0) {
      const std::string& where = open->second.to;
      made.emplace_back(adjusted{.delta = -lost,
                                 .reason = "lost in transfer " + c.transfer,
                                 .by = ctx.asker,
                                 .at = ctx.now,
                                 .location = where,
                                 .location_delta = where.empty() ? 0 : -lost});
    }
    return made;
  }

  result<events> operator()(const recall_transfer& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    if (!s.transfers.contains(c.transfer)) return fail(errc::no_such_transfer);
    return as_of(s, ctx.now).then(transfer_recalled{c.transfer, ctx.asker, ctx.now});
  }

  result<events> operator()(const reserve& c) const {
    if (c.quantity < 1) return fail(errc::invalid_quantity, "a reservation is of 1 or more");
    if (c.quantity > limits::line_quantity_max)
      return fail(errc::quantity_limit, "a reservation is of at most 999,999");
    if (auto valid = valid_ttl(c.ttl); !valid) return fail(valid.error());
    as_of book(s, ctx.now);
    if (const hold* same = book.find(c.reservation)) {
      const bool equal =
          same->quantity == c.quantity && same->session == c.session && same->ttl == c.ttl;
      if (!equal) return fail(errc::reservation_conflict);
      return std::move(book).nothing_more();
    }
    if (auto room = has_room(c, book); !room) return fail(room.error());
    if (auto counted = is_counted(c.counted_until, c.ttl); !counted) return fail(counted.error());
    if (c.quantity > book.available())
      return refuse_short(c.quantity, book.available(), s.units.on_hand);
    return std::move(book).then(
        reserved{c.reservation, c.quantity, c.session, c.ttl, ctx.now + c.ttl, ctx.now});
  }

  result<events> operator()(const extend& c) const {
    if (auto valid = valid_ttl(c.ttl); !valid) return fail(valid.error());
    as_of book(s, ctx.now);
    const hold* found = book.find(c.reservation);
    if (!found || !may_change(*found)) return fail(errc::no_such_reservation);
    if (auto counted = is_counted(c.counted_until, c.ttl); !counted) return fail(counted.error());
    const timestamp_ms expires_at = ctx.now + c.ttl;
    if (expires_at <= found->expires_at) return std::move(book).nothing_more();
    return std::move(book).then(extended{c.reservation, expires_at, ctx.now});
  }

  result<events> operator()(const release& c) const {
    as_of book(s, ctx.now);
    const hold* found = book.find(c.reservation);
    if (!found || !may_change(*found)) return fail(errc::no_such_reservation);
    return std::move(book).then(released{c.reservation, ctx.now});
  }

  result<events> operator()(const claim& c) const {
    if (c.quantity < 1) return fail(errc::invalid_quantity, "a claim is of 1 or more");
    if (c.customer.size() > customer_bytes_max) return fail(base_errc::malformed, "customer");
    as_of book(s, ctx.now);
    if (const ended_claim* past = s.ended.find(c.order.str())) {
      if (!past->sold) return fail(errc::no_such_reservation, "this order gave up its claim");
      return repeated_claim(past->quantity, c.quantity, std::move(book));
    }
    if (const auto open = s.claims.find(c.order); open != s.claims.end()) {
      return repeated_claim(open->second.quantity, c.quantity, std::move(book));
    }
    return new_claim(c, std::move(book));
  }

  result<events> operator()(const unclaim& c) const {
    const ended_claim* past = s.ended.find(c.order.str());
    if (past && past->sold) return fail(errc::no_such_reservation, "the claim has become a sale");
    as_of book(s, ctx.now);
    if (past) return std::move(book).nothing_more();
    return std::move(book).then(unclaimed{c.order, ctx.now});
  }

  result<events> operator()(const settle& c) const {
    const ended_claim* past = s.ended.find(c.order.str());
    if (!(past && past->sold) && !s.claims.contains(c.order))
      return fail(errc::no_such_reservation);
    as_of book(s, ctx.now);
    if (past) return std::move(book).nothing_more();
    settled done{.order = c.order, .at = ctx.now, .drawn = {}};
    for (auto& [location, units] : s.places.drawn(s.claims.at(c.order).quantity))
      done.drawn.push_back({location, units});
    return std::move(book).then(std::move(done));
  }

  result<events> operator()(const restock& c) const {
    if (c.quantity < 1) return fail(errc::invalid_quantity, "a return is of 1 or more");
    as_of book(s, ctx.now);
    if (const auto* units = s.returns.find(return_name(c.order, c.return_key))) {
      if (*units != c.quantity) return fail(errc::reservation_conflict);
      return std::move(book).nothing_more();
    }
    const ended_claim* past = s.ended.find(c.order.str());
    if (s.claims.contains(c.order) || (past && !past->sold)) return fail(errc::no_such_reservation);
    const std::int64_t sold = past ? past->quantity - past->returned : c.quantity;
    if (c.quantity > sold || c.quantity > s.units.sold - s.units.returned) {
      return fail(errc::invalid_quantity, "more would come back than was sold");
    }
    return std::move(book).then(restocked{c.order, c.return_key, c.quantity, ctx.now});
  }

  result<events> operator()(const get&) const { return as_of(s, ctx.now).nothing_more(); }
  result<events> operator()(const wake&) const { return as_of(s, ctx.now).nothing_more(); }

 private:
  // on_hand, adjusted and their sums stay within 64 bits.
  status correction_fits(std::int64_t delta) const {
    const bool fits = sum_fits(s.units.on_hand, delta) && sum_fits(s.units.adjusted, delta) &&
                      sum_fits(s.units.received + s.units.adjusted, delta);
    if (!fits) return fail(errc::invalid_quantity, "a figure would leave 64 bits");
    return {};
  }

  static status valid_ttl(duration_ms ttl) {
    if (ttl < ttl_min || ttl > limits::session_hold_ttl_max) return fail(errc::invalid_duration);
    return {};
  }

  status is_counted(std::optional<timestamp_ms> until, duration_ms ttl) const {
    if (until && ctx.now + ttl > *until)
      return fail(base_errc::expired, "the hold would outlast its session's count");
    return {};
  }

  // Staff's holds have no session, and may be so many that nobody counts them.
  static status has_room(const reserve& c, const as_of& book) {
    if (c.session.empty()) return {};
    const bool is_full = book.holds_of(c.session).size() >= limits::session_holds_max;
    if (is_full || c.counted_until == timestamp_ms{}) return fail(errc::hold_limit);
    return {};
  }

  bool may_change(const hold& what) const {
    const bool is_owner = !what.session.empty() && what.session == ctx.asker.session;
    return is_owner || is_staff(ctx.asker.as);
  }

  static status is_location(const std::string& name) {
    if (name.size() > location_bytes_max) return fail(base_errc::malformed, "location");
    return {};
  }

  bool has_place(const std::string& location) const {
    return location.empty() || s.places.at(location) > 0 || s.places.all().size() < places_max;
  }

  std::int64_t units_at(const std::string& location) const {
    return location.empty() ? at_no_location(s) : s.places.at(location);
  }

  // Of `units` that come in, those that were sold before.
  std::int64_t owed_first(std::int64_t units) const {
    return std::max<std::int64_t>(0, std::min(-at_no_location(s), units));
  }

  static tl::unexpected<error> refuse_not_there(std::int64_t units) {
    return fail(errc::not_there, {}, encode_available(std::max<std::int64_t>(0, units)));
  }

  // What there is (and may be owed) is available, in a session's hold, on its way or in an order's
  // claim: contended when it would be enough altogether.
  static tl::unexpected<error> refuse_short(std::int64_t wanted, std::int64_t available,
                                            std::int64_t altogether) {
    const errc code = wanted <= altogether ? errc::contended : errc::out_of_stock;
    return fail(code, {}, encode_available(std::max<std::int64_t>(0, available)));
  }

  // Whether the limit per customer lets him have these; what is left is told.
  status may_have(const std::string& customer, std::int64_t units) const {
    const auto at = s.customers.find(customer);
    const std::int64_t has = at == s.customers.end() ? 0 : at->second;
    const std::int64_t left = std::max<std::int64_t>(0, s.promised.customer_max - has);
    if (units > left) return fail(errc::customer_limit, {}, encode_available(left));
    const bool is_full = has == 0 && s.customers.size() >= counted_customers_max;
    if (is_full) return fail(errc::customer_count_full, {}, encode_available(0));
    return {};
  }

  static result<events> repeated_claim(std::int64_t was, std::int64_t wanted, as_of&& book) {
    if (was != wanted) return fail(errc::reservation_conflict);
    return std::move(book).nothing_more();
  }

  result<events> new_claim(const claim& c, as_of&& book) const {
    // So that neither settling this claim nor any open one can take `sold` out of 64 bits.
    if (!sum_fits(s.units.sold, s.units.reserved) ||
        !sum_fits(s.units.sold + s.units.reserved, c.quantity)) {
      return fail(errc::invalid_quantity, "a figure would leave 64 bits");
    }
    const bool is_counted_for = s.promised.customer_max > 0 && !c.customer.empty();
    if (is_counted_for) {
      if (auto may = may_have(c.customer, c.quantity); !may) return fail(may.error());
    }
    std::vector<reservation_id> taken;
    std::int64_t free = book.available();
    const std::set<std::string> sessions(c.sessions.begin(), c.sessions.end());
    for (const auto& session : sessions) {
      if (session.empty()) continue;
      for (const auto& id : book.holds_of(session)) {
        free += book.find(id)->quantity;
        taken.push_back(id);
      }
    }
    const std::int64_t owed_max = s.promised.owed_max;
    if (c.quantity > free + owed_max)
      return refuse_short(c.quantity, free + owed_max, s.units.on_hand + owed_max);
    const std::int64_t there = std::max<std::int64_t>(0, free);
    return std::move(book).then(claimed{.order = c.order,
                                        .quantity = c.quantity,
                                        .taken = std::move(taken),
                                        .at = ctx.now,
                                        .customer = is_counted_for ? c.customer : std::string(),
                                        .short_of = std::max<std::int64_t>(0, c.quantity - there)});
  }
};

}  // namespace

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

}  // namespace omnicart::stock
