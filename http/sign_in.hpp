#pragma once

#include <string>

#include "actors/user/user_messages.hpp"
#include "http/shop.hpp"

// Passwords: made, checked, and slowed when they are wrong. Nothing here writes one to a log or an
// answer.
namespace omnicart::http {

inline constexpr std::size_t password_bytes_min = 8;
inline constexpr std::size_t password_bytes_max = 1'000;

// An account whose password was shown.
struct signed_in {
  std::string user;
  user::user_view view;
};

// Looks an account up and checks its password. An unknown address and a wrong password are one: the
// same questions, the same hashing, the same 401 bad_credentials, the same 429 sign_in_slowed with
// Retry-After. 403 disabled only for the right password. Faults: 503.
task<tl::expected<signed_in, response>> sign_in(const shop& in, request& req, std::string email,
                                                std::string password);

// Checks the password of an account that is known to be the caller's, slowed like a sign-in. 403
// bad_credentials. `alternative` counts as right too, if it is not empty: a change of password that
// is repeated finds itself done.
enum class shown { current, alternative };
task<tl::expected<shown, response>> check_own_password(const shop& in, request& req,
                                                       std::string user, std::string current,
                                                       std::string alternative);

// Argon2id on its own threads. 503 when too many wait.
task<tl::expected<std::string, response>> hash_password(const shop& in, request& req,
                                                        std::string password);
task<tl::expected<bool, response>> matches_password(const shop& in, request& req, std::string hash,
                                                    std::string password);

}  // namespace omnicart::http
