#include "http/order_asker.hpp"

#include <algorithm>

#include "actors/order/order_messages.hpp"
#include "actors/user/user_messages.hpp"

namespace omnicart::http {

namespace {

bool unanswered(const answer& got) { return !got.ok() && is_fault(got.failure->number); }

}  // namespace

task<result<std::vector<std::string>>> guests_of(const shop& in, const authority& who) {
  std::vector<std::string> guests = who.absorbed;
  if (who.who.user.empty()) co_return guests;
  auto asked = inquire(in, {"user", who.who.user}, user::encode(user::get{}), who.who);
  const answer got = co_await asked;
  if (unanswered(got)) co_return fail(*got.failure);
  const auto view = got.ok() ? user::decode_reply(got.payload) : result<user::reply>(fail(base_errc::not_found));
  if (view) guests.insert(guests.end(), view->absorbed.begin(), view->absorbed.end());
  std::sort(guests.begin(), guests.end());
  guests.erase(std::unique(guests.begin(), guests.end()), guests.end());
  co_return guests;
}

task<result<caller>> asker_of(const shop& in, const authority& who, const std::string& order_id) {
  if (who.staff() || who.who.user.empty()) co_return who.who;
  auto asked = inquire(in, {"order", order_id}, order::encode(order::get{}), who.who);
  const answer own = co_await asked;
  if (unanswered(own)) co_return fail(*own.failure);
  if (own.ok()) co_return who.who;
  // One question, however many guests there are: they may be a thousand.
  auto placed = inquire(in, {"order", order_id}, order::encode(order::get{}), engine());
  const answer known = co_await placed;
  if (unanswered(known)) co_return fail(*known.failure);
  const auto view = known.ok() ? order::decode_reply(known.payload) : result<order::reply>(fail(*known.failure));
  if (!view || !view->buyer.user.empty()) co_return who.who;
  auto asked_guests = guests_of(in, who);
  const auto guests = co_await std::move(asked_guests);
  if (!guests) co_return tl::unexpected(guests.error());
  if (!std::binary_search(guests->begin(), guests->end(), view->buyer.session)) co_return who.who;
  caller found;
  found.session = view->buyer.session;
  co_return found;
}

}  // namespace omnicart::http
