#include "actors/user/user.hpp"
#include "runtime/base/text.hpp"

// What a profile may hold, and the names of a user's codes and states.
namespace omnicart::user {
namespace {

status bad(std::string pointer, std::string why) {
  std::string detail = pointer + ": " + why;
  return fail(errc::invalid_profile, std::move(detail), std::move(pointer));
}

status text(const std::string& value, std::size_t bytes_max, std::string pointer) {
  if (value.size() > bytes_max)
    return bad(std::move(pointer), "at most " + std::to_string(bytes_max) + " bytes");
  if (!is_single_line(value))
    return bad(std::move(pointer), "not UTF-8, or with control characters");
  return {};
}

bool is_country(const std::string& code) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  return code.size() == 2 && capital(code[0]) && capital(code[1]);
}

status validate_address(const order::address& a, const std::string& pointer) {
  const std::pair<const char*, const std::string*> members[] = {{"/name", &a.name},
                                                                {"/line1", &a.line1},
                                                                {"/line2", &a.line2},
                                                                {"/city", &a.city},
                                                                {"/postal_code", &a.postal_code},
                                                                {"/region", &a.region},
                                                                {"/phone", &a.phone}};
  for (const auto& [name, value] : members) {
    if (auto ok = text(*value, address_field_bytes_max, pointer + name); !ok) return ok;
  }
  if (!is_country(a.country))
    return bad(pointer + "/country", "two capital letters (ISO 3166 alpha-2)");
  return {};
}

status validate_notifications(const profile& p) {
  const auto& all = p.notifications;
  if (all.size() > notifications_max)
    return bad("/notifications", "at most " + std::to_string(notifications_max));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string pointer = "/notifications/" + std::to_string(i);
    if (all[i].first.empty()) return bad(pointer, "a preference without name");
    if (auto ok = text(all[i].first, notification_name_bytes_max, pointer); !ok) return ok;
    for (std::size_t j = 0; j < i; ++j) {
      if (all[j].first == all[i].first) return bad(pointer, "the same preference twice");
    }
  }
  return {};
}

}  // namespace

status validate(const profile& p) {
  if (auto ok = text(p.name, name_bytes_max, "/name"); !ok) return ok;
  if (auto ok = text(p.phone, phone_bytes_max, "/phone"); !ok) return ok;
  if (p.addresses.size() > addresses_max)
    return bad("/addresses", "at most " + std::to_string(addresses_max));
  for (std::size_t i = 0; i < p.addresses.size(); ++i) {
    if (auto ok = validate_address(p.addresses[i], "/addresses/" + std::to_string(i)); !ok)
      return ok;
  }
  return validate_notifications(p);
}

const char* to_string(errc code) {
  switch (code) {
    case errc::email_taken:
      return "email_taken";
    case errc::no_such_user:
      return "no_such_user";
    case errc::disabled:
      return "disabled";
    case errc::conflict:
      return "conflict";
    case errc::invalid_profile:
      return "invalid_profile";
    case errc::password_changed:
      return "password_changed";
    case errc::invalid_ticket:
      return "invalid_ticket";
    case errc::too_many_guests:
      return "too_many_guests";
  }
  return "";
}

const char* to_string(user_status status) {
  switch (status) {
    case user_status::unregistered:
      return "unregistered";
    case user_status::registering:
      return "registering";
    case user_status::active:
      return "active";
    case user_status::refused:
      return "refused";
    case user_status::disabled:
      return "disabled";
    case user_status::erasing:
      return "erasing";
  }
  return "";
}

}  // namespace omnicart::user
