#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "actors/order/order_messages.hpp"

// The order's state machine, in one table. Rules ask it, apply() holds every stored step to it, and the page
// docs/order-states.md is written from it.
namespace omnicart::order {

// Who makes an order take a step.
enum class mover_role : std::uint8_t {
  checkout = 0,  // the order itself, while it is placed
  staff = 1,
  buyer = 2,     // or staff in the buyer's place
  shipping = 3,  // the order itself, when its shipments allow it
  provider = 4,  // the payment provider, by itself
};
const char* to_string(mover_role by);

struct transition {
  order_status from{};
  order_status to{};
  mover_role by{};
  const char* when;     // what must be so
  const char* follows;  // what the order owes from then on; "" for nothing
};

// Every step there is; a step may stand twice, for two roles.
std::span<const transition> transitions();

bool is_step(order_status from, order_status to);
// A step that staff ask for by name (the conditions in `when` are the rules' to check).
bool is_staff_step(order_status from, order_status to);
// No step leads away from it.
bool is_end(order_status status);

// docs/order-states.md, whole.
std::string lifecycle_page();

}  // namespace omnicart::order
