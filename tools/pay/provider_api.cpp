#include "tools/pay/provider_api.hpp"

#include <charconv>
#include <limits>
#include <vector>

#include "http/flat_json.hpp"

namespace omnicart::pay {
namespace {

using http::flat_object;

// Builds {"name":value,…}. Texts are keys and names of ours: they need no escaping.
class json_object {
 public:
  json_object& text(std::string_view name, std::string_view value) {
    member(name) += '"';
    out_ += value;
    out_ += '"';
    return *this;
  }
  template <std::integral T>
  json_object& number(std::string_view name, T value) {
    member(name) += std::to_string(value);
    return *this;
  }
  json_object& raw(std::string_view name, std::string_view value) {
    member(name) += value;
    return *this;
  }
  std::string done() { return std::move(out_ += '}'); }

 private:
  std::string& member(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  std::string out_ = "{";
};

api_reply problem(unsigned status, std::string_view code, std::string_view detail) {
  return {.status = status,
          .body = json_object{}.text("error", code).text("detail", detail).done()};
}

api_reply malformed(std::string_view detail) { return problem(400, "malformed", detail); }

api_reply not_allowed(const char* allow) {
  auto reply = problem(405, "method_not_allowed", allow);
  reply.allow = allow;
  return reply;
}

unsigned status_of(refusal why) {
  switch (why) {
    case refusal::malformed:
      return 400;
    case refusal::unknown_method:
      return 422;
    case refusal::key_reused:
    case refusal::voided:
    case refusal::captured:
    case refusal::not_captured:
    case refusal::over_refund:
    case refusal::not_authorised:
      return 409;
    case refusal::pending:
      return 202;
    case refusal::no_answer:
      break;  // never sent
  }
  return 500;
}

api_reply refused(refusal why, const std::string& key, delivery how) {
  if (why == refusal::malformed) return malformed("key, refund_key or amount out of range");
  return {.status = status_of(why),
          .body = json_object{}.text("key", key).text("error", to_string(why)).done(),
          .how = how};
}

std::optional<money> money_of(const flat_object& in) {
  const auto* amount = in.integer("amount");
  const auto* code = in.text("currency");
  if (!amount || !code) return std::nullopt;
  const auto currency = currency_code::parse(*code);
  if (!currency) return std::nullopt;
  return money{*amount, *currency};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 section 2.1. Nothing: a broken escape.
std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool parse_count(std::string_view text, std::uint64_t& out) {
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  return wrong == std::errc{} && end == text.data() + text.size() && out > 0;
}

api_reply charge_reply(const std::string& key, const verdict& said) {
  if (!said.result) return refused(said.result.error(), key, said.how);
  const auto& done = *said.result;
  return {.body = json_object{}
                      .text("key", key)
                      .text("status", to_string(done.status))
                      .number("amount", done.amount.amount_minor)
                      .text("currency", done.amount.currency.text())
                      .text("last4", done.last4)
                      .text("decline_code", to_string(done.declined))
                      .done(),
          .how = said.how};
}

// "from=3&limit=10", either or both.
api_reply get_ledger(std::string_view query) {
  ledger_page page{.limit = std::numeric_limits<std::uint64_t>::max()};
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const bool good = pair.starts_with("from=")    ? parse_count(pair.substr(5), page.from_seq)
                      : pair.starts_with("limit=") ? parse_count(pair.substr(6), page.limit)
                                                   : false;
    if (!good) return malformed("the query is from=SEQ and limit=N, both at least 1");
  }
  return {.page = page};
}

// "/charges/KEY/refunds" in its parts, the key decoded.
struct charge_path {
  std::string key;
  std::string_view action;
};

std::optional<charge_path> parse_charge_path(std::string_view path) {
  path.remove_prefix(std::string_view("/charges/").size());
  const auto slash = path.find('/');
  auto key = percent_decode(path.substr(0, slash));
  if (!key || !is_key(*key)) return std::nullopt;
  return charge_path{std::move(*key),
                     slash == std::string_view::npos ? "" : path.substr(slash + 1)};
}

}  // namespace

api_reply provider_api::handle(const api_request& asked) {
  const auto question = asked.target.find('?');
  const auto path = asked.target.substr(0, question);
  const auto query =
      question == std::string_view::npos ? std::string_view{} : asked.target.substr(question + 1);
  const bool get = asked.method == "GET", post = asked.method == "POST";
  if (path == "/charges") return post ? post_charge(asked.body) : not_allowed("POST");
  if (path == "/ledger") return get ? get_ledger(query) : not_allowed("GET");
  if (path == "/ledger/summary") return get ? get_summary() : not_allowed("GET");
  if (path == "/health") return get ? api_reply{.body = R"({"status":"ok"})"} : not_allowed("GET");
  if (!path.starts_with("/charges/")) return problem(404, "not_found", "no such path");
  const auto what = parse_charge_path(path);
  if (!what) return malformed("the key in the path");
  if (what->action.empty()) return get ? get_charge(what->key) : not_allowed("GET");
  if (what->action == "void") return post ? post_void(what->key, asked.body) : not_allowed("POST");
  if (what->action == "capture")
    return post ? post_capture(what->key, asked.body) : not_allowed("POST");
  if (what->action == "refunds")
    return post ? post_refund(what->key, asked.body) : not_allowed("POST");
  return problem(404, "not_found", "no such path");
}

verdict provider_api::decide(const request& asked) {
  std::vector<entry> made;
  auto said = book_.handle(asked, time_.wall(), made);
  enter(made);
  return said;
}

void provider_api::enter(const std::vector<entry>& made) {
  for (const auto& what : made) ledger_.append(what);
  entered_.insert(entered_.end(), made.begin(), made.end());
}

void provider_api::tick() {
  std::vector<entry> made;
  book_.decide_due(time_.wall(), made);
  enter(made);
}

api_reply provider_api::post_charge(std::string_view body) {
  const auto in = flat_object::parse(body);
  const auto* later = in ? in->text("capture") : nullptr;
  if (!in || in->size() != (later ? 6U : 5U) || (later && *later != "later"))
    return malformed("the body is {key, amount, currency, method, token}");
  const auto* key = in->text("key");
  const auto* how = in->text("method");
  const auto* token = in->text("token");
  const auto amount = money_of(*in);
  if (!key || !how || !token || !amount)
    return malformed("the body is {key, amount, currency, method, token}");
  if (!is_key(*key)) return malformed("key");
  // A method nobody knows is refused as one that is not charged here.
  const auto said =
      decide(charge_request{*key, *amount, parse_method(*how).value_or(method::invoice), *token,
                            later ? capture_mode::later : capture_mode::at_once});
  return charge_reply(*key, said);
}

api_reply provider_api::post_capture(const std::string& key, std::string_view body) {
  const auto in = flat_object::parse(body);
  const auto amount = in ? money_of(*in) : std::nullopt;
  if (!amount || in->size() != 2) return malformed("the body is {amount, currency}");
  return charge_reply(key, decide(capture_request{key, *amount}));
}

api_reply provider_api::post_void(const std::string& key, std::string_view body) {
  if (!body.empty()) return malformed("a void has no body");
  const auto said = decide(void_request{key});
  if (!said.result) return refused(said.result.error(), key, said.how);
  return {.body =
              json_object{}.text("key", key).text("status", to_string(said.result->status)).done()};
}

api_reply provider_api::post_refund(const std::string& key, std::string_view body) {
  const auto in = flat_object::parse(body);
  if (!in || in->size() != 3) return malformed("the body is {refund_key, amount, currency}");
  const auto* refund_key = in->text("refund_key");
  const auto amount = money_of(*in);
  if (!refund_key || !amount) return malformed("the body is {refund_key, amount, currency}");
  const auto said = decide(refund_request{key, *refund_key, *amount});
  if (!said.result) return refused(said.result.error(), key, said.how);
  return {.body = json_object{}
                      .text("key", key)
                      .text("refund_key", *refund_key)
                      .text("status", to_string(said.result->status))
                      .number("amount", amount->amount_minor)
                      .text("currency", amount->currency.text())
                      .done()};
}

api_reply provider_api::get_charge(const std::string& key) const {
  const auto* known = book_.find(key);
  if (!known) return problem(404, "not_found", "no such key");
  return {.body = json_object{}
                      .text("key", key)
                      .text("status", to_string(known->state))
                      .number("amount", known->amount.amount_minor)
                      .text("currency", known->amount.currency.text())
                      .text("method", to_string(known->how))
                      .text("last4", last4_of(known->how, known->card))
                      .text("decline_code", to_string(known->declined))
                      .number("refunded", known->refunded_minor)
                      .done()};
}

api_reply provider_api::get_summary() const {
  const auto& sum = book_.summary();
  std::string totals;
  for (const auto& [currency, total] : sum.totals) {
    if (!totals.empty()) totals += ',';
    totals += json_object{}
                  .text("currency", currency)
                  .number("captured", total.captured_minor)
                  .number("refunded", total.refunded_minor)
                  .done();
  }
  return {.body = json_object{}
                      .number("entries", sum.entries)
                      .number("authorisations", sum.authorisations)
                      .number("captures", sum.captures)
                      .number("declines", sum.declines)
                      .number("voids", sum.voids)
                      .number("refunds", sum.refunds)
                      .raw("totals", '[' + totals + ']')
                      .done()};
}

}  // namespace omnicart::pay
