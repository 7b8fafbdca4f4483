#include "actors/session/session.hpp"

namespace omnicart::session {

const char* to_string(errc code) {
  switch (code) {
    case errc::already_open:
      return "already_open";
    case errc::revoked:
      return "revoked";
    case errc::expired:
      return "expired";
    case errc::bad_refresh_token:
      return "bad_refresh_token";
    case errc::no_such_session:
      return "no_such_session";
    case errc::hold_limit:
      return "hold_limit";
    case errc::taken_over:
      return "taken_over";
  }
  return "";
}

const char* to_string(session_status status) {
  switch (status) {
    case session_status::unopened:
      return "unopened";
    case session_status::open:
      return "open";
    case session_status::revoked:
      return "revoked";
    case session_status::expired:
      return "expired";
  }
  return "";
}

const char* to_string(absorb_step step) {
  switch (step) {
    case absorb_step::none:
      return "none";
    case absorb_step::surrender:
      return "surrender";
    case absorb_step::open_cart:
      return "open_cart";
    case absorb_step::merge:
      return "merge";
    case absorb_step::revoke_guest:
      return "revoke_guest";
    case absorb_step::tell_user:
      return "tell_user";
    case absorb_step::done:
      return "done";
    case absorb_step::forget_guest:
      return "forget_guest";
  }
  return "";
}

}  // namespace omnicart::session
