#pragma once

#include <string>
#include <variant>
#include <vector>

#include "actors/stock/stock_kind.hpp"
#include "runtime/crash_point.hpp"

namespace omnicart::node {

// The stock with crash points around whatever holds units, for a session or for an order. Kinds are pure and know of
// no such thing, so the points stand here, where the node is put together. Without OMNICART_CRASH_POINTS it is the
// plain kind.
struct marked_stock : stock::kind {
  static result<std::vector<event>> decide(const state& now, const command& what, const context& ctx) {
    if (holds_units(what)) OMNICART_CRASH_POINT("before_hold");
    return stock::kind::decide(now, what, ctx);
  }
  // Called once the events of the command are applied, and for a command that ran before.
  static std::string reply(const state& now, const command& what, const context& ctx) {
    if (holds_units(what)) OMNICART_CRASH_POINT("after_hold");
    return stock::kind::reply(now, what, ctx);
  }

 private:
  static bool holds_units(const command& what) {
    return std::holds_alternative<stock::reserve>(what) || std::holds_alternative<stock::claim>(what);
  }
};

}  // namespace omnicart::node
