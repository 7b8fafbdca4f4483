#pragma once

#include <string>

#include "actors/session/session_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"
#include "http/sign_in.hpp"

namespace omnicart::http {

// Users: registering, signing in, the profile, and what admins do to accounts.
class user_routes {
 public:
  explicit user_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  // The guest session that a sign-in brings along. `held`: the id a genuine token names, also when
  // the session has ended since (by the very sign-in that is now repeated).
  struct guest {
    std::string held;
    std::string session;  // empty: none to take over
    std::string cart;
  };
  struct opened {
    std::string session;
    session::session_view view;
    bool repeated = false;
  };

  task<response> register_user(request& req);
  task<response> login(request& req);
  task<response> show_profile(request& req);
  task<response> change_profile(request& req);
  task<response> set_status(request& req);

  task<response> profile_of(request& req, const authority& who);
  // Nothing, or 422 when a registration found in place was made with another password.
  task<std::optional<response>> other_password(request& req, std::string user, std::string ours,
                                               std::string password);
  task<tl::expected<guest, response>> guest_of(request& req);
  // 409 too_many_guests when the account can take over no further guest with orders. Their session then stays as it is.
  task<std::optional<response>> no_room_for(request& req, const signed_in& account,
                                            std::string guest_session);
  task<tl::expected<opened, response>> open_session(request& req, const signed_in& account,
                                                    const guest& from, std::string key);
  // The hash to be stored, or nothing when the account has this password already (the request is a
  // repetition).
  task<tl::expected<std::optional<std::string>, response>> new_hash(
      request& req, const authority& who, std::string current, std::string wanted, bool repeatable);
  // Reads the profile, merges what the body has and writes it back, again when somebody was faster.
  task<tl::expected<answer, response>> update_profile(request& req, const authority& who,
                                                      const json_value& body,
                                                      command_options options);
  // Nothing when it is done and no other session of the user is left. Without `hash`: it was done
  // before.
  task<std::optional<response>> set_password(request& req, const authority& who,
                                             const std::optional<std::string>& hash,
                                             const command_options& given);

  const shop& shop_;
};

}  // namespace omnicart::http
