#include "http/sign_in.hpp"

#include <algorithm>

#include "actors/email/email_messages.hpp"
#include "http/password_hasher.hpp"
#include "http/server/async_reply.hpp"
#include "http/server/problem.hpp"
#include "http/session_tokens.hpp"
#include "http/sign_in_guard.hpp"

namespace omnicart::http {
namespace {

response slowed(const request& req, duration_ms wait) {
  problem what;
  what.status = 429;
  what.code = "sign_in_slowed";
  what.detail = "too many wrong passwords; try again later";
  what.retryable = true;
  what.retry_after_s =
      static_cast<std::uint32_t>(std::max<std::int64_t>((wait.count() + 999) / 1000, 1));
  return problem_response(what, req.request_id);
}

// The account with its password's hash, by its own id or by the address it claimed. An address that
// nobody claimed names an account that does not exist, so that both take the same way; it is then
// shown without hash.
task<tl::expected<signed_in, response>> credentials_of(const shop& in, request& req,
                                                       std::string user) {
  signed_in found{.user = std::move(user), .view = {}};
  const entity_ref to{"user", found.user};
  auto asked = inquire(in, to, user::encode(user::credentials{}), engine());
  const answer got = co_await asked;
  if (!got.ok() && !refused_by_rules(got))
    co_return tl::unexpected(failure_response(*got.failure, req));
  if (!got.ok()) co_return found;
  auto view = user::decode_reply(got.payload);
  if (!view) co_return tl::unexpected(failure_response(view.error(), req));
  found.view = std::move(*view);
  co_return found;
}

task<tl::expected<std::string, response>> owner_of(const shop& in, request& req,
                                                   entity_ref address) {
  auto asked = inquire(in, address, email::encode(email::look_up{}), engine());
  const answer got = co_await asked;
  if (!got.ok() && !refused_by_rules(got))
    co_return tl::unexpected(failure_response(*got.failure, req));
  if (!got.ok()) co_return to_base32(digest_128({"nobody", address.id}));
  const auto owner = email::decode_reply(got.payload);
  if (!owner) co_return tl::unexpected(failure_response(owner.error(), req));
  co_return owner->user.str();
}

}  // namespace

task<tl::expected<std::string, response>> hash_password(const shop& in, request& req,
                                                        std::string password) {
  auto hash = co_await async_reply<result<std::string>>(
      [&](auto done) { in.passwords.hash(std::move(password), std::move(done)); });
  if (!hash) co_return tl::unexpected(failure_response(hash.error(), req));
  co_return std::move(*hash);
}

task<tl::expected<bool, response>> matches_password(const shop& in, request& req, std::string hash,
                                                    std::string password) {
  const auto same = co_await async_reply<result<bool>>([&](auto done) {
    in.passwords.verify(std::move(hash), std::move(password), std::move(done));
  });
  if (!same) co_return tl::unexpected(failure_response(same.error(), req));
  co_return *same;
}

task<tl::expected<signed_in, response>> sign_in(const shop& in, request& req, std::string email,
                                                std::string password) {
  const entity_ref address = email::entity_for(email);
  if (const auto wait = in.sign_ins.begin(address.id, req.peer))
    co_return tl::unexpected(slowed(req, *wait));
  auto owner = co_await owner_of(in, req, address);
  if (!owner) {
    in.sign_ins.withdrawn(address.id, req.peer);
    co_return tl::unexpected(std::move(owner.error()));
  }
  auto account = co_await credentials_of(in, req, std::move(*owner));
  if (!account) {
    in.sign_ins.withdrawn(address.id, req.peer);
    co_return tl::unexpected(std::move(account.error()));
  }
  auto right = co_await matches_password(in, req, std::move(account->view.password_hash),
                                         std::move(password));
  if (!right) {
    in.sign_ins.withdrawn(address.id, req.peer);
    co_return tl::unexpected(std::move(right.error()));
  }
  if (!*right)
    co_return tl::unexpected(
        refuse(req, 401, "bad_credentials", "the e-mail address or the password is wrong"));
  in.sign_ins.succeeded(address.id, req.peer);
  if (account->view.status == user::user_status::disabled) {
    co_return tl::unexpected(refuse(req, 403, "disabled", "this account is disabled"));
  }
  account->view.password_hash.clear();
  co_return std::move(*account);
}

task<tl::expected<shown, response>> check_own_password(const shop& in, request& req,
                                                       std::string user, std::string current,
                                                       std::string alternative) {
  auto account = co_await credentials_of(in, req, std::move(user));
  if (!account) co_return tl::unexpected(std::move(account.error()));
  const entity_ref address = email::entity_for(account->view.email);
  if (const auto wait = in.sign_ins.begin(address.id, req.peer))
    co_return tl::unexpected(slowed(req, *wait));
  for (const shown which : {shown::current, shown::alternative}) {
    std::string& tried = which == shown::current ? current : alternative;
    if (tried.empty()) continue;
    auto right = co_await matches_password(in, req, account->view.password_hash, std::move(tried));
    if (!right) {
      in.sign_ins.withdrawn(address.id, req.peer);
      co_return tl::unexpected(std::move(right.error()));
    }
    if (!*right) continue;
    in.sign_ins.succeeded(address.id, req.peer);
    co_return which;
  }
  co_return tl::unexpected(refuse(req, 403, "bad_credentials", "the current password is wrong"));
}

}  // namespace omnicart::http
