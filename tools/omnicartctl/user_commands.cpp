#include "tools/omnicartctl/user_commands.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/base/text.hpp"
#include "tools/omnicartctl/cluster_commands.hpp"
#include "tools/omnicartctl/front_client.hpp"
#include "tools/omnicartctl/report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;

outcome<json> body_of(const outcome<front_answer>& got) {
  if (!got) return tl::unexpected<failure>(got.error());
  if (got->status / 100 != 2) return tl::unexpected<failure>(failure_of(got->status, got->body, "the shop"));
  if (got->status == 204) return json::object();
  auto body = json::parse(got->body, nullptr, false);
  if (body.is_discarded()) return fail_with(exit_code::failed, "the shop: an answer that is no JSON");
  return body;
}

// The id of the user who is meant: an address is looked up.
outcome<std::string> id_of(const std::string& target, front_client& shop) {
  if (target.find('@') == target.npos) return target;
  const auto found = body_of(shop.get("/api/users?email=" + percent_encoded(target)));
  if (!found) return tl::unexpected<failure>(found.error());
  const json none = json::array();
  const json& items = found->is_object() && found->contains("items") ? (*found)["items"] : none;
  if (items.empty()) return fail_with(exit_code::failed, "there is no account with this address");
  const std::string id = items[0].is_object() ? items[0].value("user_id", "") : "";
  if (id.empty()) return fail_with(exit_code::unreachable, "the shop: a user without an id");
  return id;
}

outcome<std::string> reason_of(const command_line& given) {
  const std::string who = given.who.empty() ? who_is_here() : given.who;
  try {
    return json{{"reason", who + ": " + given.why}}.dump();
  } catch (const json::exception&) {  // only strings from outside can make it throw
    return fail_with(exit_code::usage, "--who and --reason must be UTF-8");
  }
}

}  // namespace

ending export_user(const command_line& given, operator_client& node, const surroundings& with) {
  auto shop = front_client::open(node, with);
  if (!shop) return tl::unexpected<failure>(shop.error());
  const auto id = id_of(given.target, *shop);
  if (!id) return tl::unexpected<failure>(id.error());
  const auto known = body_of(shop->get("/api/users/" + percent_encoded(*id) + "/export"));
  if (!known) return tl::unexpected<failure>(known.error());
  with.out << known->dump(2) << '\n';
  return exit_code::ok;
}

ending erase_user(const command_line& given, operator_client& node, const surroundings& with) {
  if (given.target.empty() == given.order.empty())
    return fail_with(exit_code::usage, "say who: a user by id or address, or a guest by --order");
  const auto reason = reason_of(given);
  if (!reason) return tl::unexpected<failure>(reason.error());
  const std::string whom = given.order.empty() ? "user " + printable(given.target)
                                               : "the guest who placed order " + printable(given.order);
  if (!given.yes) {
    const std::string loss = given.order.empty() ? "" : " An account that they signed in to loses these orders' addresses, too.";
    const auto sure =
        with.confirm("Erase " + whom + " for good? Nobody will be able to read any more where their orders go." + loss);
    if (!sure) return tl::unexpected<failure>(sure.error());
    if (!*sure) return fail_with(exit_code::failed, "nothing was done");
  }
  auto shop = front_client::open(node, with);
  if (!shop) return tl::unexpected<failure>(shop.error());
  std::string path = "/api/orders/" + percent_encoded(given.order) + "/guest";
  if (given.order.empty()) {
    const auto id = id_of(given.target, *shop);
    if (!id) return tl::unexpected<failure>(id.error());
    path = "/api/users/" + percent_encoded(*id);
  }
  const auto done = body_of(shop->remove(path, *reason));
  if (!done) return tl::unexpected<failure>(done.error());
  with.out << (given.as == form::json ? "{}\n" : "erased " + whom + '\n');
  return exit_code::ok;
}

}  // namespace omnicart::ctl
