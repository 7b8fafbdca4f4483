#include "http/user_json.hpp"

#include "http/order_json.hpp"
#include "http/shop.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t phone_bytes_max = 40;
constexpr std::size_t addresses_max = 20;
constexpr std::size_t preferences_max = 50;
constexpr std::size_t preference_name_bytes_max = 64;

std::vector<std::pair<std::string, bool>> read_preferences(object_reader& read,
                                                           const json_value& given) {
  std::vector<std::pair<std::string, bool>> preferences;
  if (given.members.size() > preferences_max)
    read.report("notifications", "out_of_range", "at most 50 preferences");
  for (const auto& [name, value] : given.members) {
    if (name.empty() || name.size() > preference_name_bytes_max) {
      read.report("notifications", "out_of_range", "names of preferences have 1 to 64 bytes");
    } else if (value.is != json_value::type::boolean) {
      read.report("notifications", "wrong_type", "preferences are true or false");
    }
    preferences.emplace_back(name, value.flag);
  }
  return preferences;
}

}  // namespace

void write_user(json_writer& json, const std::string& id, const user::user_view& view) {
  json.begin_object()
      .member("user_id", id)
      .member("email", view.email)
      .member("email_confirmed", view.email_confirmed)
      .member("name", view.details.name)
      .member("phone", view.details.phone);
  json.key("addresses").begin_array();
  for (const auto& address : view.details.addresses) write_address(json, address);
  json.end_array().key("notifications").begin_object();
  for (const auto& [name, on] : view.details.notifications) json.escaped_key(name).value(on);
  json.end_object()
      .member("role", role_name(view.as))
      .member("status", user::to_string(view.status))
      .member("cart_id", view.cart.str())
      .member("created_at", to_rfc3339(view.created_at))
      .end_object();
}

std::string user_json(const std::string& id, const user::user_view& view) {
  std::string text;
  json_writer json(text);
  write_user(json, id, view);
  return text;
}

user::profile read_profile(object_reader& read, user::profile now,
                           std::vector<field_error>& errors) {
  if (auto name = read.optional_string("name", name_bytes_max)) now.name = std::move(*name);
  if (auto phone = read.optional_string("phone", phone_bytes_max)) now.phone = std::move(*phone);
  if (const auto* addresses = read.optional_array("addresses", addresses_max)) {
    now.addresses.clear();
    for (std::size_t i = 0; i < addresses->items.size(); ++i) {
      now.addresses.push_back(read_address(
          object_reader(addresses->items[i], read.pointer_of("addresses", i), errors)));
    }
  }
  if (const auto* given = read.optional_object("notifications"))
    now.notifications = read_preferences(read, *given);
  return now;
}

response user_failure(const error& why, const request& req) {
  if (!why.is(user::errc::invalid_profile)) return failure_response(why, req);
  std::string errors;
  json_writer json(errors);
  json.begin_array()
      .begin_object()
      .member("pointer", why.data)
      .member("code", "malformed")
      .member("detail", why.detail)
      .end_object()
      .end_array();
  return failure_response(why, req, "\"errors\":" + errors);
}

}  // namespace omnicart::http
