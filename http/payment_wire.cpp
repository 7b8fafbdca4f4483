#include "http/payment_wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

#include "http/flat_json.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::http {
namespace {

using payment::authorise;
using payment::capture;
using payment::charge;
using payment::charge_result;
using payment::charge_status;
using payment::refund;
using payment::void_charge;

constexpr std::size_t decline_code_bytes_max = 64;

// Bytes that are no UTF-8 become U+FFFD: the provider declines such a token like any other it does
// not know.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string amount_members(const money& amount) {
  return "\"amount\":" + std::to_string(amount.amount_minor) + ",\"currency\":\"" +
         std::string(amount.currency.text()) + '"';
}

tl::unexpected<error> unknown(const char* why) { return fail(base_errc::timeout, why); }

bool says(const flat_object& in, std::string_view name, std::string_view value) {
  const auto* text = in.text(name);
  return text && *text == value;
}

bool says_amount(const flat_object& in, const money& amount) {
  const auto* minor = in.integer("amount");
  return minor && *minor == amount.amount_minor && says(in, "currency", amount.currency.text());
}

bool is_last4(std::string_view text) {
  return text.empty() || (text.size() == 4 &&
                          std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }));
}

const order_id& key_of(const payment::command& asked) {
  return std::visit([](const auto& what) -> const order_id& { return what.order; }, asked);
}

result<charge_result> definite(const charge& asked, const flat_object& in) {
  const auto* last4 = in.text("last4");
  const auto* code = in.text("decline_code");
  if (in.size() != 6 || !says_amount(in, asked.amount) || !last4 || !code || !is_last4(*last4)) {
    return unknown("the provider's answer to a charge is not one");
  }
  if (says(in, "status", "captured") && code->empty()) {
    return charge_result{.status = charge_status::captured, .decline_code = {}, .last4 = *last4};
  }
  if (says(in, "status", "declined") && !code->empty() && code->size() <= decline_code_bytes_max) {
    return charge_result{.status = charge_status::declined, .decline_code = *code, .last4 = *last4};
  }
  return unknown("the provider's answer to a charge is neither captured nor declined");
}

result<charge_result> definite(const authorise& asked, const flat_object& in) {
  const auto* last4 = in.text("last4");
  if (in.size() == 6 && says(in, "status", "authorised") && says_amount(in, asked.amount) && last4 &&
      is_last4(*last4) && says(in, "decline_code", "")) {
    return charge_result{.status = charge_status::authorised, .decline_code = {}, .last4 = *last4};
  }
  return definite(charge{asked.order, asked.amount, asked.how}, in);
}

result<charge_result> definite(const capture& asked, const flat_object& in) {
  auto said = definite(charge{asked.order, asked.amount, {}}, in);
  if (said && said->status != charge_status::captured)
    return unknown("the provider's answer to a capture is not one");
  return said;
}

result<charge_result> definite(const void_charge&, const flat_object& in) {
  if (in.size() != 2 || !says(in, "status", "voided"))
    return unknown("the provider's answer to a void is not one");
  return charge_result{.status = charge_status::voided, .decline_code = {}, .last4 = {}};
}

result<charge_result> definite(const refund& asked, const flat_object& in) {
  if (in.size() != 5 || !says(in, "status", "refunded") ||
      !says(in, "refund_key", asked.refund_key) || !says_amount(in, asked.amount)) {
    return unknown("the provider's answer to a refund is not one");
  }
  return charge_result{.status = charge_status::refunded, .decline_code = {}, .last4 = {}};
}

struct possible_refusal {
  unsigned http_status;
  payment::errc code;
};
using possible_refusals = std::initializer_list<possible_refusal>;

result<charge_result> refusal(possible_refusals possible, unsigned http_status,
                              const flat_object& in) {
  if (in.size() != 2) return unknown("the provider's refusal is not one");
  for (const auto& [status_code, code] : possible) {
    if (status_code == http_status && says(in, "error", payment::to_string(code)))
      return fail(code);
  }
  return unknown("the provider's refusal is not one of this command");
}

result<charge_result> refused(const charge&, unsigned http_status, const flat_object& in) {
  return refusal({{409, payment::errc::key_reused},
                  {409, payment::errc::voided},
                  {422, payment::errc::unknown_method}},
                 http_status, in);
}

result<charge_result> refused(const authorise& asked, unsigned http_status, const flat_object& in) {
  return refused(charge{asked.order, asked.amount, asked.how}, http_status, in);
}

result<charge_result> refused(const capture&, unsigned http_status, const flat_object& in) {
  return refusal({{409, payment::errc::not_authorised}, {409, payment::errc::voided}}, http_status, in);
}

result<charge_result> refused(const void_charge&, unsigned http_status, const flat_object& in) {
  return refusal({{409, payment::errc::captured}}, http_status, in);
}

result<charge_result> refused(const refund&, unsigned http_status, const flat_object& in) {
  return refusal({{409, payment::errc::key_reused},
                  {409, payment::errc::not_captured},
                  {409, payment::errc::over_refund}},
                 http_status, in);
}

wire_request charge_wire(const charge& what, std::string_view more) {
  return {.target = "/charges",
          .body = "{\"key\":" + quoted(what.order.str()) + ',' + amount_members(what.amount) +
                  ",\"method\":\"" + payment::to_string(what.how.type) +
                  "\",\"token\":" + quoted(what.how.token) + std::string(more) + '}'};
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), port);
  return wrong == std::errc{} && end == text.data() + text.size() && port > 0;
}

}  // namespace

result<provider_address> parse_provider_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  const auto wrong = fail(base_errc::malformed,
                          "the provider's URL is http://HOST[:PORT], not " + std::string(url));
  if (!url.starts_with(scheme)) return wrong;
  url.remove_prefix(scheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.empty() || url.find_first_of("/?#@ ") != std::string_view::npos) return wrong;
  provider_address at;
  const auto bracket = url.front() == '[' ? url.find(']') : std::string_view::npos;
  const auto colon = url.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const bool has_port = colon != std::string_view::npos;
  if (has_port && !parse_port(url.substr(colon + 1), at.port)) return wrong;
  auto host = url.substr(0, colon);
  if (bracket != std::string_view::npos) {
    if (host.back() != ']') return wrong;
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || host.find('[') != std::string_view::npos) return wrong;
  at.host = host;
  return at;
}

wire_request to_wire(const payment::command& asked) {
  if (const auto* what = std::get_if<charge>(&asked)) return charge_wire(*what, "");
  if (const auto* what = std::get_if<authorise>(&asked)) {
    return charge_wire({what->order, what->amount, what->how}, ",\"capture\":\"later\"");
  }
  const std::string charge_target = "/charges/" + percent_encoded(key_of(asked).str());
  if (const auto* what = std::get_if<refund>(&asked)) {
    return {.target = charge_target + "/refunds",
            .body = "{\"refund_key\":" + quoted(what->refund_key) + ',' +
                    amount_members(what->amount) + '}'};
  }
  if (const auto* what = std::get_if<capture>(&asked)) {
    return {.target = charge_target + "/capture", .body = '{' + amount_members(what->amount) + '}'};
  }
  return {.target = charge_target + "/void", .body = {}};
}

result<charge_result> from_wire(const payment::command& asked, unsigned http_status,
                                std::string_view body) {
  if (http_status == 202) return unknown("the provider has not decided yet");
  if (http_status == 503) return fail(base_errc::unavailable, "the provider is busy");
  const bool ok = http_status == 200;
  if (!ok && http_status != 400 && http_status != 409 && http_status != 422) {
    return unknown("the provider answered with an HTTP status that says nothing");
  }
  const auto in = flat_object::parse(body);
  if (!in) return unknown("the provider's answer is not one JSON object");
  if (http_status == 400) {
    if (in->size() != 2 || !says(*in, "error", "malformed") || !in->text("detail")) {
      return unknown("the provider's refusal is not one");
    }
    return fail(base_errc::malformed, "the provider refuses: " + *in->text("detail"));
  }
  if (!says(*in, "key", key_of(asked).str()))
    return unknown("the provider's answer is for another key");
  return std::visit(
      [&](const auto& what) { return ok ? definite(what, *in) : refused(what, http_status, *in); },
      asked);
}

}  // namespace omnicart::http
