#include "http/provider_word.hpp"

#include "http/flat_json.hpp"

namespace omnicart::http {

std::optional<payment::news_kind> news_kind_of(std::string_view entry_kind) {
  using payment::news_kind;
  if (entry_kind == "authorisation") return news_kind::authorised;
  if (entry_kind == "capture") return news_kind::captured;
  if (entry_kind == "decline") return news_kind::declined;
  if (entry_kind == "void") return news_kind::voided;
  if (entry_kind == "refund") return news_kind::refunded;
  return std::nullopt;
}

result<provider_word> parse_provider_word(std::string_view body) {
  const auto in = flat_object::parse(body);
  const auto text = [&](std::string_view name) {
    const auto* found = in->text(name);
    return found ? *found : std::string();
  };
  if (!in) return fail(base_errc::malformed, "a webhook is one flat JSON object");
  const auto kind = news_kind_of(text("kind"));
  const auto* amount = in->integer("amount");
  const auto currency = currency_code::parse(text("currency"));
  provider_word word{.key = text("key"), .what = {}};
  if (!kind || !amount || *amount < 0 || !currency || word.key.empty() || word.key.size() > payment_key_bytes_max)
    return fail(base_errc::malformed, "a webhook has kind, key, amount and currency");
  word.what = {.kind = *kind,
               .amount = {*amount, *currency},
               .refund_key = text("refund_key"),
               .decline_code = text("decline_code"),
               .last4 = text("last4")};
  return word;
}

}  // namespace omnicart::http
