#include "actors/stock/stock.hpp"

#include <set>

#include "runtime/base/limits.hpp"

namespace omnicart::stock {
namespace {

using events = std::vector<event>;

constexpr duration_ms ttl_min{1000};

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
    if (s.is_counted) {
      if (auto fits = correction_fits(c.on_hand - s.units.on_hand); !fits)
        return fail(fits.error());
    }
    as_of book(s, ctx.now);
    if (c.on_hand < book.reserved()) return fail(errc::below_reserved);
    if (s.is_counted && c.on_hand == s.units.on_hand) return std::move(book).nothing_more();
    return std::move(book).then(counted{c.on_hand, c.reason, ctx.asker, ctx.now});
  }

  result<events> operator()(const adjust& c) const {
    if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
    if (c.delta == 0) return fail(errc::invalid_quantity, "an adjustment is not 0");
    if (auto fits = correction_fits(c.delta); !fits) return fail(fits.error());
    as_of book(s, ctx.now);
    if (s.units.on_hand + c.delta < book.reserved()) return fail(errc::below_reserved);
    return std::move(book).then(adjusted{c.delta, c.reason, ctx.asker, ctx.now});
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
    if (c.quantity > book.available()) return refuse_short(c.quantity, book.available());
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
    as_of book(s, ctx.now);
    if (const ended_claim* past = s.ended.find(c.order.str())) {
      if (!past->sold) return fail(errc::no_such_reservation, "this order gave up its claim");
      return repeated_claim(past->quantity, c.quantity, std::move(book));
    }
    if (const auto open = s.claims.find(c.order); open != s.claims.end()) {
      return repeated_claim(open->second, c.quantity, std::move(book));
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
    return std::move(book).then(settled{c.order, ctx.now});
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

  // Everything on hand is available, in a session's hold or in an order's claim.
  tl::unexpected<error> refuse_short(std::int64_t wanted, std::int64_t available) const {
    const errc code = wanted <= s.units.on_hand ? errc::contended : errc::out_of_stock;
    return fail(code, {}, encode_available(available));
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
    if (c.quantity > free) return refuse_short(c.quantity, free);
    return std::move(book).then(claimed{c.order, c.quantity, std::move(taken), ctx.now});
  }
};

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid_quantity:
      return "invalid_quantity";
    case errc::out_of_stock:
      return "out_of_stock";
    case errc::contended:
      return "contended";
    case errc::below_reserved:
      return "below_reserved";
    case errc::no_such_reservation:
      return "no_such_reservation";
    case errc::reservation_conflict:
      return "reservation_conflict";
    case errc::hold_limit:
      return "hold_limit";
    case errc::invalid_duration:
      return "invalid_duration";
    case errc::quantity_limit:
      return "quantity_limit";
  }
  return "";
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

}  // namespace omnicart::stock
