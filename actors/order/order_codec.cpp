#include "actors/order/order_codec.hpp"

#include <type_traits>

#include "actors/order/order_after.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

namespace omnicart::order {

std::string encode(const command& what) { return codec::encode(what); }
result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode_reply(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_event(const event& what) { return codec::encode(what); }
result<event> decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string encode_state(const state& s) { return codec::encode(s); }

result<state> decode_state(std::string_view bytes) {
  auto s = codec::decode<state>(bytes);
  if (s && !records_fit(*s))
    return fail(base_errc::malformed, "an order's records name lines that it does not have");
  if (s) index(*s);
  return s;
}

std::string describe_event(const event& what) {
  if (const auto* first = std::get_if<placed>(&what)) {
    placed shown = *first;
    shown.content.payment.token = "***";
    return describe::to_json(event{std::move(shown)});
  }
  if (const auto* note = std::get_if<noted>(&what)) {
    noted shown = *note;
    shown.text = "***";
    return describe::to_json(event{std::move(shown)});
  }
  return describe::to_json(what);
}

std::string describe_state(const state& s) {
  state shown = s;
  shown.content.payment.token = "***";
  return describe::to_json(shown);
}

std::optional<order_id> decode_order_id(std::string_view data) {
  auto id = codec::decode<order_id>(data);
  return id ? std::optional(std::move(*id)) : std::nullopt;
}

std::optional<std::int64_t> decode_available(std::string_view data) {
  const auto count = codec::decode<std::int64_t>(data);
  return count ? std::optional(*count) : std::nullopt;
}

}  // namespace omnicart::order
