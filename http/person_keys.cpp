#include "http/person_keys.hpp"

#include <algorithm>
#include <utility>

#include "actors/session/session_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "http/person_cipher.hpp"
#include "http/session_tokens.hpp"

namespace omnicart::http {
namespace {

std::string question_for(const entity_ref& owner) {
  return owner.kind == "user" ? user::encode(user::get{})
                              : session::encode(session::read_person_key{});
}

entity_ref owner_of(const order::order_view& view) {
  return view.buyer.user.empty() ? entity_ref{"session", view.buyer.session} : entity_ref{"user", view.buyer.user};
}

result<std::string> key_in(const entity_ref& owner, std::string_view payload) {
  if (owner.kind == "user") {
    auto view = user::decode_reply(payload);
    if (!view) return fail(view.error());
    return std::move(view->person_key);
  }
  auto view = session::decode_reply(payload);
  if (!view) return fail(view.error());
  return std::move(view->person_key);
}

// Of an answer of the owner; empty: the owner is no more, or has none.
result<std::string> key_told(const entity_ref& owner, const answer& got) {
  if (got.ok()) return key_in(owner, got.payload);
  if (!refused_by_rules(got)) return fail(*got.failure);
  return std::string();
}

}  // namespace

task<result<std::string>> person_key_of(const shop& in, std::string user) {
  const entity_ref to{"user", user};
  auto asked = inquire(in, to, user::encode(user::get{}), engine());
  const answer got = co_await asked;
  auto known = key_told(to, got);
  if (!got.ok() || !known || !known->empty()) co_return known;
  const user::command keep = user::keep_person_key{.key = make_person_key()};
  auto keep_asked = ask(in, to, user::encode(keep), engine());
  const answer kept = co_await keep_asked;
  co_return key_told(to, kept);
}

// One call: a guest has no key before their first order, and seldom places another.
task<result<std::string>> guest_key_of(const shop& in, std::string session) {
  const entity_ref to{"session", session};
  const session::command keep = session::keep_person_key{.key = make_person_key()};
  auto asked = ask(in, to, session::encode(keep), engine());
  const answer got = co_await asked;
  co_return key_told(to, got);
}

task<result<std::string>> kept_key_of(const shop& in, const entity_ref& owner) {
  person_keys one(in);
  std::vector<entity_ref> owners{owner};
  const auto failed = co_await one.learn(std::move(owners));
  if (failed) co_return fail(*failed);
  co_return one.of(owner);
}

task<std::optional<error>> person_keys::learn(std::vector<entity_ref> owners) {
  const auto by_name = [](const auto& a, const auto& b) { return a.str() < b.str(); };
  const auto same = [](const auto& a, const auto& b) { return a.str() == b.str(); };
  std::sort(owners.begin(), owners.end(), by_name);
  owners.erase(std::unique(owners.begin(), owners.end(), same), owners.end());
  std::erase_if(owners, [&](const auto& each) { return known_.contains(each.str()); });
  if (owners.empty()) co_return std::nullopt;
  std::vector<envelope> questions;
  for (const auto& each : owners) {
    questions.push_back(make_envelope(shop_, each, question_for(each), engine(), {.repeatable = true}));
  }
  const auto answers = co_await ask_all(shop_, std::move(questions));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& got = answers[i];
    if (!got.ok() && is_fault(got.failure->number)) co_return *got.failure;
    auto key = got.ok() ? key_in(owners[i], got.payload) : result<std::string>(std::string());
    if (!key) co_return key.error();
    known_[owners[i].str()] = std::move(*key);
  }
  co_return std::nullopt;
}

task<std::optional<error>> person_keys::open(order::order_view& view) {
  std::vector<order::order_view*> views{&view};
  auto failed = co_await open(std::move(views));
  co_return failed;
}

task<std::optional<error>> person_keys::open(std::vector<order::order_view*> views) {
  std::erase_if(views, [](const auto* view) { return !has_sealed(*view); });
  std::vector<entity_ref> owners;
  for (const auto* view : views) owners.push_back(owner_of(*view));
  auto failed = co_await learn(std::move(owners));
  if (failed) co_return failed;
  for (auto* view : views) open_sealed(*view, of(owner_of(*view)));
  co_return std::nullopt;
}

task<result<std::vector<opened_order>>> opened_orders(const shop& in, const std::vector<answer>& answers) {
  std::vector<opened_order> opened;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok() && is_fault(answers[i].failure->number)) co_return fail(*answers[i].failure);
    if (!answers[i].ok()) continue;
    if (auto view = order::decode_reply(answers[i].payload)) opened.push_back({i, std::move(*view)});
  }
  std::vector<order::order_view*> views;
  for (auto& each : opened) views.push_back(&each.view);
  person_keys keys(in);
  const auto failed = co_await keys.open(std::move(views));
  if (failed) co_return fail(*failed);
  co_return opened;
}

}  // namespace omnicart::http
