#include "http/password_hasher.hpp"

#include <sodium.h>

#include <array>

#include "runtime/base/assert.hpp"

namespace omnicart::http {
namespace {

result<std::string> argon2id(const std::string& password, const password_options& options) {
  std::array<char, crypto_pwhash_STRBYTES> encoded;
  if (crypto_pwhash_str_alg(encoded.data(), password.data(), password.size(), options.passes, options.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(base_errc::overloaded, "no memory to hash a password");
  }
  return std::string(encoded.data());
}

}  // namespace

password_hasher::password_hasher(const password_options& options)
    : options_(options), pool_("passwords", options.threads, options.queue_max) {
  ensure(sodium_init() >= 0, "libsodium starts");
  std::array<char, 32> random;
  randombytes_buf(random.data(), random.size());
  auto decoy = argon2id(std::string(random.data(), random.size()), options_);
  ensure(decoy.has_value(), "a password can be hashed at start");
  decoy_ = *decoy;
}

void password_hasher::hash(std::string password, std::function<void(result<std::string>)> done) {
  auto work = [this, password = std::move(password), done] { done(argon2id(password, options_)); };
  if (!pool_.submit(std::move(work))) done(fail(base_errc::overloaded, "too many sign-ins at once"));
}

void password_hasher::verify(std::string encoded, std::string password, std::function<void(result<bool>)> done) {
  auto work = [this, encoded = std::move(encoded), password = std::move(password), done] {
    const std::string& against = encoded.empty() ? decoy_ : encoded;
    const bool same = crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
    done(same && !encoded.empty());
  };
  if (!pool_.submit(std::move(work))) done(fail(base_errc::overloaded, "too many sign-ins at once"));
}

}  // namespace omnicart::http
