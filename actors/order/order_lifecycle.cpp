#include "actors/order/order_lifecycle.hpp"

#include <algorithm>
#include <array>

namespace omnicart::order {
namespace {

using s = order_status;
using by = mover_role;

constexpr std::array table{
    transition{s::pending, s::paid, by::checkout,
               "the provider captured the total, or there is nothing to pay",
               "holds become sales, the cart forgets what was bought"},
    transition{s::pending, s::authorised, by::checkout,
               "the provider holds the total, to be captured with the first shipment",
               "holds become sales, the cart forgets what was bought"},
    transition{s::pending, s::declined, by::checkout, "the provider declined",
               "holds are released, the cart is opened"},
    transition{s::pending, s::rejected, by::checkout,
               "the cart, a price, the stock or a stated total stood in the way, or the provider "
               "never answered",
               "holds are released, the cart is opened"},
    transition{s::pending, s::processing, by::staff,
               "it is to be paid by invoice, and was accepted", ""},
    transition{s::pending, s::processing, by::shipping,
               "it is to be paid by invoice, and its first shipment was made", ""},
    transition{s::pending, s::cancelled, by::buyer,
               "it is to be paid by invoice, and nothing was shipped",
               "units go back to the shelf"},
    transition{s::paid, s::processing, by::staff, "", ""},
    transition{s::paid, s::processing, by::shipping, "its first shipment was made", ""},
    transition{s::paid, s::cancelled, by::buyer, "nothing was shipped",
               "the payment is refunded, units go back to the shelf"},
    transition{s::authorised, s::paid, by::provider, "the provider took the money already", ""},
    transition{s::authorised, s::processing, by::staff, "", ""},
    transition{s::authorised, s::processing, by::shipping, "its first shipment was made",
               "the payment is captured"},
    transition{s::authorised, s::cancelled, by::buyer, "nothing was shipped",
               "the authorisation is voided, units go back to the shelf"},
    transition{s::authorised, s::cancelled, by::provider, "the provider voided the authorisation",
               "units go back to the shelf"},
    transition{s::processing, s::cancelled, by::provider,
               "the provider voided the authorisation, and nothing was shipped",
               "units go back to the shelf"},
    transition{s::processing, s::shipped, by::staff,
               "whatever was not shipped counts as shipped now", ""},
    transition{s::processing, s::shipped, by::shipping, "the last unit was shipped", ""},
    transition{s::processing, s::cancelled, by::buyer, "nothing was shipped",
               "the payment is refunded, units go back to the shelf"},
    transition{s::shipped, s::delivered, by::staff, "every shipment counts as delivered now", ""},
    transition{s::shipped, s::delivered, by::shipping, "the last shipment was delivered", ""},
};

constexpr std::array statuses{s::pending,   s::authorised, s::paid,     s::processing, s::shipped,
                              s::delivered, s::rejected,   s::declined, s::cancelled};

const char* meaning(order_status status) {
  switch (status) {
    case s::pending:
      return "it is being placed; or, by invoice, it was accepted and is to be paid later";
    case s::authorised:
      return "the provider holds the money for the shop, which takes it with the first shipment "
             "(`payment.capture = \"shipment\"`)";
    case s::paid:
      return "the provider took the money for the shop";
    case s::processing:
      return "staff work on it; it may be shipped in part";
    case s::shipped:
      return "every unit is on its way or there";
    case s::delivered:
      return "every unit is there";
    case s::rejected:
      return "it could not be placed: `reason` says why; nothing was taken";
    case s::declined:
      return "the payment was declined; nothing was taken";
    case s::cancelled:
      return "it was called off; what was taken is given back";
  }
  return "";
}

template <class Fits>
bool any_step(Fits fits) {
  return std::any_of(table.begin(), table.end(), fits);
}

std::string diagram() {
  std::string text = "```mermaid\nstateDiagram-v2\n  [*] --> pending\n";
  for (const order_status from : statuses) {
    for (const order_status to : statuses) {
      if (!is_step(from, to)) continue;
      text += std::string("  ") + to_string(from) + " --> " + to_string(to) + '\n';
    }
    if (is_end(from)) text += std::string("  ") + to_string(from) + " --> [*]\n";
  }
  return text + "```\n";
}

std::string step_row(const transition& step) {
  return std::string("| ") + to_string(step.from) + " | " + to_string(step.to) + " | " +
         to_string(step.by) + " | " + step.when + " | " + step.follows + " |\n";
}

}  // namespace

const char* to_string(mover_role by) {
  switch (by) {
    case mover_role::checkout:
      return "the checkout";
    case mover_role::staff:
      return "staff";
    case mover_role::buyer:
      return "the buyer, or staff";
    case mover_role::shipping:
      return "its shipments";
    case mover_role::provider:
      return "the provider";
  }
  return "";
}

std::span<const transition> transitions() { return table; }

bool is_step(order_status from, order_status to) {
  return any_step([&](const transition& t) { return t.from == from && t.to == to; });
}

bool is_staff_step(order_status from, order_status to) {
  return any_step([&](const transition& t) {
    return t.from == from && t.to == to && t.by == mover_role::staff;
  });
}

bool is_end(order_status status) {
  return !any_step([&](const transition& t) { return t.from == status; });
}

std::string lifecycle_page() {
  std::string page =
      "# The states of an order\n\n"
      "Written from the table in `actors/order/order_lifecycle.cpp`, which the engine itself asks; "
      "a test\n"
      "fails when this page says something else.\n\n";
  page += diagram();
  page += "\n| status | means |\n|---|---|\n";
  for (const order_status each : statuses)
    page += std::string("| ") + to_string(each) + " | " + meaning(each) + " |\n";
  page +=
      "\nEvery word of the provider ends in one of these: what it captured for an order that is "
      "rejected, declined\n"
      "or cancelled is refunded by the order itself, and a charge for no order by whoever hears of "
      "it.\n"
      "\nWhat was shipped cannot be called off. When the provider refuses its capture then, the order "
      "goes on to delivered\n"
      "with a payment that is `capture_failed`, until a person settles that "
      "([operations](operations.md#shipped-and-not-paid)).\n"
      "\nReturns and refunds do not change the status: they are records of their own, with their "
      "own states\n"
      "(a shipment is shipped, then delivered; a return requested, then received or refused; a "
      "refund owed, then "
      "made).\n\n"
      "| from | to | by | when | then the order owes |\n|---|---|---|---|---|\n";
  for (const transition& each : table) page += step_row(each);
  return page;
}

}  // namespace omnicart::order
