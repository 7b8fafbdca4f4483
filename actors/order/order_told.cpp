#include <algorithm>

#include "actors/order/order_after.hpp"
#include "actors/order/order_promotions.hpp"
#include "actors/order/order_refund.hpp"
#include "actors/order/order_steps.hpp"

// What the provider tells by itself, and what operators say of orders that do not get on.
namespace omnicart::order {
namespace {

using payment::news;

events fresh_stray(const news& told, timestamp_ms now) {
  return {stray_charge{told.amount, told.last4, now}};
}

// What was held is taken, with or without our asking.
events captured_early(const state& s, const news& told, timestamp_ms now) {
  events out;
  if (s.status == order_status::authorised) out.push_back(status_changed{order_status::paid, now});
  out.push_back(captured_later{told.amount, now});
  return out;
}

// Money was taken. Either the order waits for that, or it is given back.
result<events> told_captured(const state& s, const news& told, timestamp_ms now) {
  if (s.captured.amount_minor > 0 || told.amount.amount_minor <= 0) return events{};
  const bool whole = told.amount == due(s);
  if (paying(s)) {
    if (!whole) return fail(errc::conflict, "another amount than the order's was captured");
    return events{paid{told.amount, told.last4, now}};
  }
  switch (s.after.hold) {
    case holding::held:
    case holding::to_capture:
    case holding::lost:
      if (!whole) return fail(errc::conflict, "another amount than the order's was captured");
      return captured_early(s, told, now);
    case holding::none:
    case holding::taken:
    case holding::to_void:
    case holding::voided:
      break;
  }
  return fresh_stray(told, now);
}

result<events> told_authorised(const state& s, const news& told, timestamp_ms now) {
  const bool awaited = s.at == step::charging && told.amount == due(s) &&
                       s.content.capture == payment::capture_when::at_shipment;
  return awaited ? events{authorised{told.amount, told.last4, now}} : events{};
}

result<events> told_declined(const state& s, const news& told, timestamp_ms now) {
  return paying(s) ? events{declined{told.decline_code, told.last4, now}} : events{};
}

result<events> told_voided(const state& s, timestamp_ms now) {
  if (s.at == step::charging) return events{declined{"voided", {}, now}};
  if (s.at == step::voiding) return events{rejected{rejection::payment_timeout, {}, now}};
  switch (s.after.hold) {
    case holding::held:
      return events{authorisation_voided{now}, cancelled{"the provider voided the payment", now}};
    case holding::to_void:
      return events{authorisation_voided{now}};
    case holding::to_capture:
      return events{capture_failed{"voided", now}};
    case holding::none:
    case holding::taken:
    case holding::lost:
    case holding::voided:
      break;
  }
  return events{};
}

result<events> told_refunded(const state& s, const news& told, timestamp_ms now) {
  if (s.captured.amount_minor == 0) return events{};
  if (told.refund_key == "cancel") return s.refund_owed ? events{refund_made{}} : events{};
  const auto& all = s.after.refunds;
  const auto at = std::find_if(all.begin(), all.end(), [&](const refund_record& each) {
    return each.key == told.refund_key;
  });
  if (at != all.end()) {
    return owes_provider(*at) ? events{part_refund_made{at->number, now}} : events{};
  }
  if (told.amount.currency != s.captured.currency || told.amount.amount_minor <= 0 ||
      told.amount.amount_minor > left_to_refund(s).provider_minor) {
    return fail(errc::conflict, "the provider gave back more than was left");
  }
  const auto number = static_cast<std::uint32_t>(all.size() + 1);
  if (all.size() >= refunds_max) return fail(errc::record_limit, "too many refunds");
  return events{refund_told{number, told.refund_key, told.amount, now}};
}

bool owes_stock(const state& s) {
  const bool over = s.at == step::over;
  return over && (!s.owing.empty() || !s.after.to_shelve.empty());
}

bool applies(const state& s, resolution how) {
  switch (how) {
    case resolution::give_up:
      return s.at == step::charging;
    case resolution::refunds_done:
      return s.refund_owed || provider_owes_refund(s);
    case resolution::stock_done:
      return owes_stock(s);
    case resolution::written_off:
      return s.after.hold == holding::lost;
  }
  return false;
}

}  // namespace

result<events> decide_after(const state& s, const payment_told& what, const context& ctx) {
  if (ctx.asker.as != role::system)
    return fail(base_errc::forbidden, "the provider's word comes through the engine");
  const bool before_payment = in_progress(s) && !paying(s);
  const bool of_money = what.what.kind == payment::news_kind::captured;
  if (before_payment && of_money)
    return fail(errc::illegal_step, "the order has not asked for its payment yet");
  switch (what.what.kind) {
    case payment::news_kind::authorised:
      return told_authorised(s, what.what, ctx.now);
    case payment::news_kind::captured:
      return told_captured(s, what.what, ctx.now);
    case payment::news_kind::declined:
      return told_declined(s, what.what, ctx.now);
    case payment::news_kind::voided:
      return told_voided(s, ctx.now);
    case payment::news_kind::refunded:
      return told_refunded(s, what.what, ctx.now);
  }
  return events{};
}

result<events> decide_after(const state& s, const retry&, const context& ctx) {
  if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden, "operators do this");
  if (s.after.hold == holding::lost) return events{capture_asked_again{ctx.now}};
  return events{};
}

result<events> decide_after(const state& s, const resolve& what, const context& ctx) {
  if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden, "operators do this");
  if (what.note.empty() || what.note.size() > reason_bytes_max)
    return fail(base_errc::malformed, "say in a line of at most 200 bytes what was done");
  if (!applies(s, what.how)) return fail(errc::not_stuck, "the order owes nothing of the kind");
  events out{resolved{what.how, what.note, ctx.now}};
  if (what.how == resolution::give_up) out.push_back(giving_up{});
  return out;
}

}  // namespace omnicart::order
