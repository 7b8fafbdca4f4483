#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "http/shop.hpp"

// Whose key the personal data in an order is sealed with: the user's whose order it is, or that of
// the guest session it was placed in. A user has it destroyed with all they placed as a guest.
namespace omnicart::http {

// The key of the user, made if there is none yet; empty for no such user. Fault: of the user's
// entity.
task<result<std::string>> person_key_of(const shop& in, std::string user);
// The key of a guest's session, the same way; empty for a session that has ended.
task<result<std::string>> guest_key_of(const shop& in, std::string session);
// The key that there is, of "user/…" or "session/…"; empty: none (any more).
task<result<std::string>> kept_key_of(const shop& in, const entity_ref& owner);

// The keys that orders are read with, each asked for once. One request's.
class person_keys {
 public:
  // `in` outlives it.
  explicit person_keys(const shop& in) : shop_(in) {}
  // Asks for several at once. Nothing, or the fault.
  task<std::optional<error>> learn(std::vector<entity_ref> owners);
  // A key that was asked for; empty: there is none (any more).
  const std::string& of(const entity_ref& owner) { return known_[owner.str()]; }
  // Makes readable what is sealed; "(erased)" where the key is gone. Nothing, or the fault.
  task<std::optional<error>> open(order::order_view& view);
  // The same of many, whose keys are asked for at once.
  task<std::optional<error>> open(std::vector<order::order_view*> views);

 private:
  const shop& shop_;
  std::map<std::string, std::string> known_;  // by entity
};

// What orders answered to order::get, made readable; those that refused are left out. Fault: of an order, or of an owner.
struct opened_order {
  std::size_t at;  // of its answer
  order::order_view view;
};
task<result<std::vector<opened_order>>> opened_orders(const shop& in, const std::vector<answer>& answers);

}  // namespace omnicart::http
