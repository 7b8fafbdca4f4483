#include "http/code_explanations.hpp"

#include <algorithm>
#include <iterator>

namespace omnicart::http {
namespace {

struct entry {
  std::string_view code, text;
};

constexpr entry entries[] = {
    // The engine's own.
    {"malformed", "The request does not read."},
    {"precondition_failed", "The record has changed since the version that If-Match names."},
    {"id_reused", "This Idempotency-Key was used for another request."},
    {"not_found", "There is no such record."},
    {"forbidden", "The caller may not do this."},
    {"overflow", "An amount would become too large."},
    {"unknown_kind", "There is no such record."},
    {"in_progress", "The same request is still being worked on."},
    {"overloaded", "Too much is being done at once; try again later."},
    {"timeout", "No answer came in time; what was asked for may have been done."},
    {"unavailable", "The node cannot reach what it needs; try again later."},
    {"storage_full", "The node takes no writes for want of disk space."},
    {"shutting_down", "The node is stopping; try again on another one, or later."},
    {"expired", "The request waited too long to be handled; nothing was done."},
    {"unknown_outcome", "Whether this was done is not known; ask again with the same Idempotency-Key."},
    {"io", "A stored record could not be read."},
    {"internal", "The request failed here."},
    // Carts.
    {"invalid_quantity", "A quantity is 1 or more."},
    {"line_limit", "There may be at most 5,000 lines."},
    {"quantity_limit", "There may be at most 999,999 of one thing."},
    {"no_such_line", "There is no such line."},
    {"empty", "The cart is empty."},
    {"checkout_in_progress", "An order is being placed from this cart."},
    {"currency_mismatch", "A cart holds prices of one currency."},
    {"closed", "The cart has become part of another one."},
    {"already_open", "This belongs to somebody else."},
    {"no_such_code", "The cart has no such coupon or gift card."},
    {"code_limit", "A cart takes at most 10 coupons and 10 gift cards."},
    // Promotions, tax and shipping.
    {"no_such_coupon", "There is no such coupon."},
    {"coupon_exists", "There is another coupon with this code."},
    {"coupon_disabled", "The coupon is no longer accepted."},
    {"coupon_not_yet_valid", "The coupon is not valid yet."},
    {"coupon_expired", "The coupon is no longer valid."},
    {"coupon_used_up", "The coupon has been used as often as it may be."},
    {"coupon_in_use", "What is left of the coupon is held by orders on their way; try again later."},
    {"coupon_customer_limit", "You have used this coupon as often as one may."},
    {"invalid_coupon", "The coupon's description is not as it should be."},
    {"coupon_released", "The order has given the coupon up."},
    {"no_such_gift_card", "There is no such gift card."},
    {"gift_card_exists", "There is another gift card with this code."},
    {"gift_card_disabled", "The gift card is blocked."},
    {"gift_card_expired", "The gift card is no longer valid."},
    {"gift_card_spent", "Nothing is left on the gift card."},
    {"gift_card_in_use", "Orders on their way hold what is on the gift card; try again later."},
    {"gift_card_currency", "The gift card is of another currency."},
    {"invalid_gift_card", "The gift card's description is not as it should be."},
    {"gift_card_released", "The order has given the gift card up."},
    {"invalid_tax_rates", "The tax rates are not as they should be."},
    {"invalid_shipping_methods", "The shipping methods are not as they should be."},
    {"shipping_address_required", "An order that is shipped needs a shipping address."},
    {"coupon_refused", "A coupon cannot be used for this order."},
    {"gift_card_refused", "A gift card cannot pay for this order."},
    {"not_deliverable", "No shipping method carries the goods to this destination."},
    {"nothing_eligible", "Nothing in the cart is of what the coupon is for."},
    {"minimum_not_met", "The cart holds less than the coupon asks for."},
    {"other_currency", "The coupon knows no amount in this currency."},
    {"not_combinable", "The coupon goes together with no other."},
    {"nothing_to_ship", "Nothing is charged for shipping."},
    // Stock.
    {"out_of_stock", "There is not so much of it."},
    {"contended", "What is left of it is held by others for the moment."},
    {"below_reserved", "More of it than that is reserved."},
    {"no_such_reservation", "There is no such reservation (any more)."},
    {"reservation_conflict", "The reservation exists with other content."},
    {"hold_limit", "A session may hold 10 reservations at a time."},
    {"invalid_duration", "A hold lasts from a second to half an hour."},
    // Products.
    {"invalid_name", "A product has a name of at most 500 bytes."},
    {"invalid_price", "A price is not negative, and not beyond the limit."},
    {"retired", "The product is no longer sold."},
    {"already_exists", "There is a product with this id."},
    {"invalid_details", "The product's description is not as it should be."},
    {"no_such_product", "There is no such product."},
    {"no_such_price", "The product has no price in this currency."},
    {"invalid_rating", "A review gives one to five stars."},
    {"invalid_text", "A review's text is too long or holds control characters."},
    {"reviews_full", "The product has as many reviews as it may have."},
    {"not_a_buyer", "A review may be written by those who bought the product."},
    // Orders and payments.
    {"no_such_order", "There is no such order."},
    {"illegal_step", "An order does not take this step."},
    {"not_cancellable", "The order can no longer be cancelled, or not yet."},
    {"conflict", "This was done before, with other content."},
    {"no_lines", "An order has lines."},
    {"exceeds_left", "So many units are not left: of those ordered, shipped or not yet refunded."},
    {"no_such_shipment", "The order has no such shipment."},
    {"no_such_return", "The order has no such return."},
    {"record_limit", "An order has at most so many shipments, returns, refunds and notes."},
    {"key_reused", "The payment's key was used for another payment."},
    {"voided", "The payment was given up."},
    {"not_captured", "Nothing was captured."},
    {"over_refund", "More would be refunded than was captured."},
    {"captured", "The payment was captured."},
    {"not_authorised", "The payment was not authorised."},
    {"not_stuck", "The order owes nothing of the kind."},
    {"unknown_method", "The payment method is not known."},
    // People.
    {"revoked", "The session has ended."},
    {"bad_refresh_token", "The refresh token is not valid (any more); sign in again."},
    {"no_such_session", "There is no such session."},
    {"email_taken", "There is an account with this e-mail address."},
    {"unclaimed", "There is no account with this e-mail address."},
    {"no_such_user", "There is no such user."},
    {"disabled", "The account is disabled."},
    {"invalid_profile", "The profile is not as it should be."},
    {"password_changed", "The password was changed meanwhile."},
    {"too_many_keys", "There are as many keys as there may be; revoke one first."},
    {"no_such_key", "There is no such key."},
    {"key_exists", "There is a key with this id."},
    {"invalid_api_key", "The key is not as it should be."},
    {"missing_scope", "The key is not good for this call."},
    {"no_such_action", "There is no such action in the log."},
    {"invalid_ticket", "What the mail said is not valid (any more); ask for a new one."},
    // The cluster's record.
    {"not_founded", "This node belongs to no cluster yet."},
    {"already_founded", "This node belongs to another cluster."},
    {"no_such_node", "The cluster has no such node."},
    {"node_exists", "The number is another node's."},
    {"another_store", "The node's number with a store that is not its own: its disk was lost. Let it join under a new number and replace the old one."},
    {"node_removed", "The node was removed; its number is used up."},
    {"name_taken", "Another node has this name."},
    {"address_taken", "Another node has this address."},
    {"too_many_nodes", "The cluster takes no more nodes."},
    {"illegal_state", "The node's state does not allow it."},
    {"last_node", "No active node would be left."},
    {"still_placed", "The node still holds shards; drain it first."},
    {"no_majority", "Shards would be left without a majority of their voters."},
    {"not_placeable", "The node may not hold shards."},
    {"not_a_replica", "The node is no voter of the shard."},
    {"no_such_shard", "There is no such shard."},
    {"invalid_settings", "The cluster's settings are out of range."},
    {"invalid_key", "The key cannot be used."},
};

}  // namespace

std::string_view explanation_of(std::string_view code) {
  const auto at = std::find_if(std::begin(entries), std::end(entries), [&](const entry& e) { return e.code == code; });
  return at == std::end(entries) ? std::string_view() : at->text;
}

}  // namespace omnicart::http
