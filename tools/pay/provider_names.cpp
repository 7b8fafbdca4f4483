#include <algorithm>
#include <array>

#include "tools/pay/provider_rules.hpp"

// The test cards, and the stable names of the provider's numbers.
namespace omnicart::pay {
namespace {

struct card_row {
  test_card card;
  const char* token;
  const char* last4;
  delivery first_answer;
};

constexpr std::array cards{
    card_row{test_card::ok, "tok_ok", "4242", delivery::normal},
    card_row{test_card::declined, "tok_declined", "0002", delivery::normal},
    card_row{test_card::timeout_before, "tok_timeout_before", "0119", delivery::normal},
    card_row{test_card::timeout_after, "tok_timeout_after", "0127", delivery::none},
    card_row{test_card::twice, "tok_twice", "0222", delivery::twice},
    card_row{test_card::late, "tok_late", "0259", delivery::late},
    card_row{test_card::garbage, "tok_garbage", "0341", delivery::garbage},
    card_row{test_card::slow, "tok_async", "0366", delivery::normal},
    card_row{test_card::slow_declined, "tok_async_declined", "0374", delivery::normal},
};

const card_row* row_of(test_card card) {
  const auto found = std::ranges::find(cards, card, &card_row::card);
  return found == cards.end() ? nullptr : &*found;
}

template <class E>
std::optional<E> parse_name(std::string_view text, std::initializer_list<E> all) {
  for (const E value : all) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(method how) {
  switch (how) {
    case method::card:
      return "card";
    case method::paypal:
      return "paypal";
    case method::invoice:
      return "invoice";
  }
  return "";
}

std::optional<method> parse_method(std::string_view text) {
  return parse_name(text, {method::card, method::paypal, method::invoice});
}

test_card card_of(std::string_view token) {
  const auto found =
      std::ranges::find_if(cards, [&](const card_row& row) { return token == row.token; });
  return found == cards.end() ? test_card::invalid : found->card;
}

const char* token_of(test_card card) {
  const auto* row = row_of(card);
  return row ? row->token : "";
}

const char* last4_of(method how, test_card card) {
  const auto* row = row_of(card);
  return row && how == method::card ? row->last4 : "";
}

const char* to_string(charge_status status) {
  switch (status) {
    case charge_status::captured:
      return "captured";
    case charge_status::declined:
      return "declined";
    case charge_status::voided:
      return "voided";
    case charge_status::refunded:
      return "refunded";
    case charge_status::authorised:
      return "authorised";
  }
  return "";
}

const char* to_string(decline_reason reason) {
  switch (reason) {
    case decline_reason::none:
      return "";
    case decline_reason::card_declined:
      return "card_declined";
    case decline_reason::invalid_token:
      return "invalid_token";
    case decline_reason::amount_too_large:
      return "amount_too_large";
  }
  return "";
}

std::optional<decline_reason> parse_decline_reason(std::string_view text) {
  return parse_name(text, {decline_reason::card_declined, decline_reason::invalid_token,
                           decline_reason::amount_too_large});
}

const char* to_string(refusal why) {
  switch (why) {
    case refusal::malformed:
      return "malformed";
    case refusal::unknown_method:
      return "unknown_method";
    case refusal::key_reused:
      return "key_reused";
    case refusal::voided:
      return "voided";
    case refusal::captured:
      return "captured";
    case refusal::not_captured:
      return "not_captured";
    case refusal::over_refund:
      return "over_refund";
    case refusal::no_answer:
      return "no_answer";
    case refusal::not_authorised:
      return "not_authorised";
    case refusal::pending:
      return "pending";
  }
  return "";
}

const char* to_string(entry_kind kind) {
  switch (kind) {
    case entry_kind::authorisation:
      return "authorisation";
    case entry_kind::capture:
      return "capture";
    case entry_kind::decline:
      return "decline";
    case entry_kind::void_charge:
      return "void";
    case entry_kind::refund:
      return "refund";
  }
  return "";
}

std::optional<entry_kind> parse_entry_kind(std::string_view text) {
  return parse_name(text, {entry_kind::authorisation, entry_kind::capture, entry_kind::decline,
                           entry_kind::void_charge, entry_kind::refund});
}

const char* to_string(key_state state) {
  switch (state) {
    case key_state::authorised:
      return "authorised";
    case key_state::captured:
      return "captured";
    case key_state::declined:
      return "declined";
    case key_state::voided:
      return "voided";
  }
  return "";
}

delivery first_answer_of(test_card card) {
  const auto* row = row_of(card);
  return row ? row->first_answer : delivery::normal;
}

}  // namespace omnicart::pay
