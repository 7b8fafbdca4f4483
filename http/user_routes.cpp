#include "http/user_routes.hpp"

#include <algorithm>

#include "actors/email/email.hpp"
#include "http/access_token.hpp"
#include "http/cart_json.hpp"
#include "http/server/headers.hpp"
#include "http/session_tokens.hpp"
#include "http/user_json.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

// How long a call waits for what it started elsewhere: an address claimed, a cart merged, sessions
// revoked.
constexpr duration_ms settle_patience{5'000};
// How often a profile is read afresh because its user changed meanwhile.
constexpr int merge_tries_max = 5;

// Receipts keep a fast hash of a request's body; one over a password would undo what Argon2id is
// there for.
std::uint64_t hash_without_passwords(const request& req, const std::optional<json_value>& body) {
  json_value open_part = body.value_or(json_value{});
  std::erase_if(open_part.members,
                [](const json_member& m) { return m.name.find("password") != m.name.npos; });
  return body_hash(std::string(req.method_name) + ' ' + std::string(req.path) + '\n' +
                   to_text(open_part));
}

std::string read_password(object_reader& read, std::string_view name) {
  return read.required_string(name, password_bytes_max, password_bytes_min);
}

// Nobody gets the tokens of a session that its user could not end.
response still_opening(const request& req) {
  return refuse(req, 503, "unavailable", "the session is still being opened");
}

// Of the guest's cart, what did not arrive in the user's.
void write_takeover(json_writer& json, const session::session_view& view) {
  if (view.merging) json.member("guest_cart_pending", true);
  write_left_behind(json, session::decode_left(view.left).value_or(cart::left_behind{}));
}

// A user registers from a session that becomes theirs, so what names the caller must be the session
// before and after.
authority as_session(authority who) {
  if (!who.who.session.empty()) who.who.user.clear();
  return who;
}

}  // namespace

void user_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (user_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.post("/api/users/register", bound(&user_routes::register_user));
  routes.post("/api/users/login", bound(&user_routes::login));
  routes.get("/api/users/profile", bound(&user_routes::show_profile));
  routes.put("/api/users/profile", bound(&user_routes::change_profile));
  routes.put("/api/users/{id}/status", bound(&user_routes::set_status));
}

task<response> user_routes::register_user(request& req) {
  auto who = co_await authenticate(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = creating_options(req, as_session(*who));
  if (!options) co_return std::move(options.error());

  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  user::register_user wanted;
  wanted.email = read.required_string("email", email::address_bytes_max);
  if (!wanted.email.empty() && !email::is_plausible_address(wanted.email)) {
    read.report("email", "malformed", "not an e-mail address");
  }
  std::string password = read_password(read, "password");
  wanted.name = read.optional_string("name", 200).value_or("");
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);

  const bool keyed = static_cast<bool>(options->id);
  const std::string id =
      to_base32(keyed ? digest_128({"user", to_base32(options->id)}) : shop_.ids.next());
  wanted.id = user_id(id);
  const bool guest_caller = !who->staff() && (who->who.user.empty() || who->who.user == id);
  if (guest_caller) wanted.guest_session = who->who.session;
  if (!wanted.guest_session.empty()) wanted.cart = cart_id(who->cart);
  auto hash = co_await hash_password(shop_, req, password);
  if (!hash) co_return std::move(hash.error());
  wanted.password_hash = *hash;
  options->body = hash_without_passwords(req, body);
  options->expected_version.reset();
  options->wait = settle_patience;
  const entity_ref to{"user", id};
  auto asked = ask(shop_, to, user::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return user_failure(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (view->status == user::user_status::refused) {
    co_return refuse(req, 409, "email_taken",
                     "there is an account with this e-mail address already");
  }
  if (view->status == user::user_status::registering) {
    co_return refuse(req, 503, "unavailable", "the registration is still under way");
  }
  if (keyed) {
    if (auto other = co_await other_password(req, id, *hash, std::move(password)))
      co_return std::move(*other);
  }
  response made = json_response(201, user_json(id, *view));
  made.add_header("Location", "/api/users/profile");
  mark_replayed(made, got);
  co_return made;
}

task<std::optional<response>> user_routes::other_password(request& req, std::string user,
                                                          std::string ours, std::string password) {
  const entity_ref to{"user", user};
  auto asked = inquire(shop_, to, user::encode(user::credentials{}), engine());
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto kept = user::decode_reply(got.payload);
  if (!kept) co_return failure_response(kept.error(), req);
  if (kept->password_hash == ours)
    co_return std::nullopt;  // salted anew each time: this very request made it
  const auto same = co_await matches_password(shop_, req, kept->password_hash, std::move(password));
  if (!same) co_return same.error();
  if (*same) co_return std::nullopt;
  co_return failure_response(
      make_error(base_errc::id_reused, "this key was used for another request"), req);
}

task<tl::expected<user_routes::guest, response>> user_routes::guest_of(request& req) {
  guest found;
  auto token = bearer_token(req);
  if (!token) token = cookie(req, session_cookie);
  if (!token) co_return found;
  const auto now_s =
      std::chrono::floor<std::chrono::seconds>(shop_.time.wall()).time_since_epoch().count();
  if (const auto claims = shop_.tokens.verify(*token, now_s)) found.held = claims->session;
  auto who = co_await authenticate(shop_, req);
  if (!who && who.error().status >= 500) co_return tl::unexpected(std::move(who.error()));
  if (!who || !who->who.user.empty() || who->who.as != role::guest) co_return found;
  found.session = who->who.session;
  found.cart = who->cart;
  co_return found;
}

task<std::optional<response>> user_routes::no_room_for(request& req, const signed_in& account,
                                                       std::string guest_session) {
  if (guest_session.empty() || !account.view.guests_full) co_return std::nullopt;
  const auto& known = account.view.absorbed;
  if (std::find(known.begin(), known.end(), guest_session) != known.end()) co_return std::nullopt;
  const entity_ref to{"session", guest_session};
  auto asked = inquire(shop_, to, session::encode(session::authorize{}), engine());
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = session::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (view->keyless) co_return std::nullopt;
  co_return refuse(req, 409, "too_many_guests",
                   "this account has taken over 1,000 guests; sign in without the guest's token");
}

task<tl::expected<user_routes::opened, response>> user_routes::open_session(
    request& req, const signed_in& account, const guest& from, std::string key) {
  const bool keyed = !key.empty();
  const std::string id =
      to_base32(keyed ? digest_128({"login", account.user, from.held, key}) : shop_.ids.next());
  const entity_ref to{"session", id};
  caller self;
  self.as = account.view.as;
  self.session = id;
  self.user = account.user;
  command_options options;
  options.wait = settle_patience;
  if (keyed) {
    // Repeated: the guest session has ended by now and cannot be named a second time.
    command_options asking = options;
    asking.repeatable = true;
    auto known_asked = ask(shop_, to, session::encode(session::authorize{}), self, asking);
    const answer known = co_await known_asked;
    if (!known.ok() && !refused_by_rules(known)) {
      co_return tl::unexpected(failure_response(*known.failure, req));
    }
    if (known.ok()) {
      auto view = session::decode_reply(known.payload);
      if (!view) co_return tl::unexpected(failure_response(view.error(), req));
      if (view->untold) co_return tl::unexpected(still_opening(req));
      co_return opened{.session = id, .view = std::move(*view), .repeated = true};
    }
  }
  if (auto full = co_await no_room_for(req, account, from.session))
    co_return tl::unexpected(std::move(*full));
  session::open opening = opening_of(shop_, req, id, shop_.user_session_ttl);
  opening.as = account.view.as;
  opening.user = account.user;
  opening.cart = account.view.cart;
  opening.credentials = account.view.credentials;
  opening.absorb = from.session;
  opening.absorb_cart = cart_id(from.cart);
  auto asked = ask(shop_, to, session::encode(opening), self, options);
  const answer got = co_await asked;
  const auto spent = [&] {
    return tl::unexpected(refuse(req, 409, "key_spent", "the session that was opened with this key has ended"));
  };
  // Opened before, from a guest session that cannot be named again.
  if (keyed && !got.ok() && got.failure->is(session::errc::already_open)) co_return spent();
  if (!got.ok()) co_return tl::unexpected(failure_response(*got.failure, req));
  auto view = session::decode_reply(got.payload);
  if (!view) co_return tl::unexpected(failure_response(view.error(), req));
  if (has_ended(shop_, *view) && keyed) co_return spent();
  if (has_ended(shop_, *view))
    co_return tl::unexpected(refuse(
        req, 403, "disabled", "this account was disabled, or its password changed, meanwhile"));
  if (view->untold) co_return tl::unexpected(still_opening(req));
  co_return opened{.session = id, .view = std::move(*view), .repeated = false};
}

task<response> user_routes::login(request& req) {
  auto key = idempotency_key(req);
  if (!key) co_return refuse(req, 400, "bad_idempotency_key", key.error().detail);
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  std::string email = read.required_string("email", email::address_bytes_max);
  std::string password = read.required_string("password", password_bytes_max);
  const bool with_cookie = read.optional_bool("cookie").value_or(false);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);

  auto account = co_await sign_in(shop_, req, std::move(email), std::move(password));
  if (!account) co_return std::move(account.error());
  auto from = co_await guest_of(req);
  if (!from) co_return std::move(from.error());
  auto session = co_await open_session(req, *account, *from, key->value_or(""));
  if (!session) co_return std::move(session.error());

  const session_tokens given = issue_tokens(shop_, session->session, session->view);
  std::string text;
  json_writer json(text);
  json.begin_object();
  write_tokens(json, given);
  json.member("session_id", session->session)
      .member("cart_id", session->view.cart.str())
      .key("user");
  write_user(json, account->user, account->view);
  write_takeover(json, session->view);
  json.end_object();
  response answered = json_response(200, std::move(text));
  if (with_cookie) set_session_cookie(answered, req, shop_, given.access);
  if (session->repeated) answered.add_header("Idempotent-Replayed", "true");
  co_return answered;
}

task<response> user_routes::show_profile(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  co_return co_await profile_of(req, *who);
}

task<response> user_routes::profile_of(request& req, const authority& who) {
  const entity_ref to{"user", who.who.user};
  if (to.id.empty())
    co_return refuse(req, 403, "forbidden", "a guest has no profile: register first");
  auto asked = inquire(shop_, to, user::encode(user::get{}), who.who);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const std::string tag = etag_of(got.version);
  if (req.verb != method::put && not_modified(req, tag)) co_return not_modified_response(tag);
  response shown = json_response(200, user_json(to.id, *view));
  shown.add_header("ETag", tag);
  co_return shown;
}

task<response> user_routes::change_profile(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  if (who->who.user.empty())
    co_return refuse(req, 403, "forbidden", "a guest has no profile: register first");
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  (void)read_profile(read, {}, errors);
  const bool changes_password = read.has("new_password") || read.has("current_password");
  std::string current =
      changes_password ? read.required_string("current_password", password_bytes_max) : "";
  std::string wanted = changes_password ? read_password(read, "new_password") : "";
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);

  const bool keyed = static_cast<bool>(options->id);
  if (keyed) options->body = hash_without_passwords(req, body);
  std::optional<std::string> hash;
  if (changes_password) {
    auto made = co_await new_hash(req, *who, std::move(current), std::move(wanted), keyed);
    if (!made) co_return std::move(made.error());
    hash = std::move(*made);
  }
  const auto updated = co_await update_profile(req, *who, *body, *options);
  if (!updated) co_return updated.error();
  if (changes_password) {
    if (auto failed = co_await set_password(req, *who, hash, *options)) co_return std::move(*failed);
  }
  response shown = co_await profile_of(req, *who);
  if (shown.status == 200) mark_replayed(shown, *updated);
  co_return shown;
}

task<tl::expected<std::optional<std::string>, response>> user_routes::new_hash(
    request& req, const authority& who, std::string current, std::string wanted, bool repeatable) {
  // Named: GCC 12 copies a conditional's temporary inside an awaited expression bit by bit.
  const std::string alternative = repeatable ? wanted : std::string();
  const auto checked = co_await check_own_password(shop_, req, who.who.user, std::move(current), alternative);
  if (!checked) co_return tl::unexpected(checked.error());
  if (*checked == shown::alternative) co_return std::optional<std::string>();
  auto hash = co_await hash_password(shop_, req, std::move(wanted));
  if (!hash) co_return tl::unexpected(std::move(hash.error()));
  co_return std::optional<std::string>(std::move(*hash));
}

task<tl::expected<answer, response>> user_routes::update_profile(request& req, const authority& who,
                                                                 const json_value& body,
                                                                 command_options options) {
  const entity_ref to{"user", who.who.user};
  const bool conditional = options.expected_version.has_value();
  answer got;
  for (int tries = 0; tries < merge_tries_max; ++tries) {
    auto known_asked = inquire(shop_, to, user::encode(user::get{}), who.who);
    const answer known = co_await known_asked;
    if (!known.ok()) co_return tl::unexpected(failure_response(*known.failure, req));
    auto now = user::decode_reply(known.payload);
    if (!now) co_return tl::unexpected(failure_response(now.error(), req));
    std::vector<field_error> errors;
    object_reader read(body, "", errors);
    const user::update_profile command{.to = read_profile(read, std::move(now->details), errors)};
    if (!conditional) options.expected_version = known.version;
    auto asked = ask(shop_, to, user::encode(command), who.who, options);
    got = co_await asked;
    if (conditional || got.ok() || !got.failure->is(base_errc::precondition_failed)) break;
  }
  if (!got.ok()) co_return tl::unexpected(user_failure(*got.failure, req));
  co_return got;
}

// Whoever knew the old password may have signed in with it: the answer waits until those sessions have ended.
task<std::optional<response>> user_routes::set_password(request& req, const authority& who,
                                                        const std::optional<std::string>& hash,
                                                        const command_options& given) {
  command_options options;
  options.wait = settle_patience;
  // No new hash: a repeated change, which may have been cut short on its way to the sessions.
  user::command what = user::get{};
  options.repeatable = !hash;
  if (hash) {
    what = user::change_password{*hash};
    options.body = given.body;
    if (given.id) options.id = digest_128({"password", to_base32(given.id)});
  }
  const entity_ref to{"user", who.who.user};
  auto asked = ask(shop_, to, user::encode(what), who.who, options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (view->ending == 0) co_return std::nullopt;
  co_return refuse(req, 503, "unavailable",
                   "the password is changed, but other sessions are still being ended");
}

task<response> user_routes::set_status(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  const bool disabled = read.required_word("status", {"active", "disabled"}) == 1;
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  const entity_ref to{"user", std::string(req.param("id"))};
  if (!is_url_id(to.id)) co_return refuse(req, 404, "no_such_user", "no such user");
  options->wait = settle_patience;
  auto asked = ask(shop_, to, user::encode(user::set_disabled{disabled}), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = user::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  response shown = json_response(200, user_json(to.id, *view));
  shown.add_header("ETag", etag_of(got.version));
  mark_replayed(shown, got);
  co_return shown;
}

}  // namespace omnicart::http
