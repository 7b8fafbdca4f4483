#include "actors/stock/stock.hpp"
#include "runtime/base/limits.hpp"

// The names of a stock's refusals, and what terms are valid.
namespace omnicart::stock {

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
    case errc::not_there:
      return "not_there";
    case errc::invalid_terms:
      return "invalid_terms";
    case errc::customer_limit:
      return "customer_limit";
    case errc::customer_count_full:
      return "customer_count_full";
    case errc::no_such_transfer:
      return "no_such_transfer";
    case errc::transfer_conflict:
      return "transfer_conflict";
    case errc::transfer_limit:
      return "transfer_limit";
    case errc::place_limit:
      return "place_limit";
  }
  return "";
}

const char* to_string(backorder kind) {
  switch (kind) {
    case backorder::none:
      return "none";
    case backorder::later:
      return "back_order";
    case backorder::ahead:
      return "pre_order";
  }
  return "";
}

status validate(const terms& what) {
  const auto within = [](std::int64_t units, std::int64_t least, std::int64_t most) {
    return units >= least && units <= most;
  };
  const bool sells_more = what.more == backorder::later || what.more == backorder::ahead;
  if (!sells_more && what.more != backorder::none)
    return fail(errc::invalid_terms, "back-order, pre-order or neither");
  if (!within(what.owed_max, sells_more ? 1 : 0, sells_more ? owed_units_max : 0))
    return fail(errc::invalid_terms, "limit");
  const bool has_date_it_may = what.available_from ? sells_more : what.more != backorder::ahead;
  if (!has_date_it_may) return fail(errc::invalid_terms, "available_from");
  if (!within(what.low_stock, 0, owed_units_max)) return fail(errc::invalid_terms, "low_stock");
  if (!within(what.customer_max, 0, limits::line_quantity_max))
    return fail(errc::invalid_terms, "customer_limit");
  return {};
}

}  // namespace omnicart::stock
