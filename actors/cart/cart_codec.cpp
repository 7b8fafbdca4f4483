#include <limits>

#include "actors/cart/cart.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"
#include "runtime/base/limits.hpp"

// Grammar (schema 1, runtime/base/codec.hpp):
//
//   event    = message of the variant in cart.hpp
//   snapshot = message of [session, user, currency, lines, next_line_id, updated_at, seal,
//   finished, merged_from, closed, wishes, left] line     = [line_id, product, name, quantity,
//   price_minor, list_price, remaining]; remaining for sealed lines only seal     = nil or [order,
//   currency, lines, wishes];  closed = nil or [cart, currency, lines, wishes] finished = array of
//   order;  merged_from = array of cart; left = nil or [cart, left_behind] of the latest merge
namespace omnicart::cart {
namespace {

struct stored_line {
  std::uint32_t line_id = 0;
  std::string product;
  std::string name;
  std::uint32_t quantity = 0;
  std::int64_t price_minor = 0;
  bool list_price = true;
  std::uint32_t remaining = 0;
  OMNICART_FIELDS(line_id, product, name, quantity, price_minor, list_price, remaining)
};
struct stored_seal {
  order_id order;
  currency_code currency;
  std::vector<stored_line> lines;
  wishes with;
  OMNICART_FIELDS(order, currency, lines, with)
};
struct stored_close {
  cart_id to;
  currency_code currency;
  std::vector<stored_line> lines;
  wishes with = {};
  OMNICART_FIELDS(to, currency, lines, with)
};

struct snapshot {
  std::string session;
  std::string user;
  currency_code currency;
  std::vector<stored_line> lines;
  std::uint32_t next_line_id = 1;
  timestamp_ms updated_at;
  std::optional<stored_seal> seal;
  std::vector<order_id> finished;
  std::vector<cart_id> merged_from;
  std::optional<stored_close> closed;
  wishes with;
  std::optional<merge_rest> left;
  OMNICART_FIELDS(session, user, currency, lines, next_line_id, updated_at, seal, finished,
                  merged_from, closed, with, left)
};

stored_line store(const line& l, std::uint32_t remaining = 0) {
  return {.line_id = l.line_id,
          .product = std::string(l.text.product()),
          .name = std::string(l.text.name()),
          .quantity = l.quantity,
          .price_minor = l.price_minor,
          .list_price = l.list_price,
          .remaining = remaining};
}

line restore(const stored_line& l) {
  return {.text = {l.product, l.name},
          .price_minor = l.price_minor,
          .line_id = l.line_id,
          .quantity = l.quantity,
          .list_price = l.list_price};
}

snapshot to_snapshot(const state& now) {
  snapshot s{.session = now.session,
             .user = now.user,
             .currency = now.currency,
             .lines = {},
             .next_line_id = now.lines.next_line_id(),
             .updated_at = now.updated_at,
             .seal = {},
             .finished = {},
             .merged_from = {},
             .closed = {},
             .with = {},
             .left = {}};
  for (const auto& l : now.lines.with_graves()) {
    if (l.is_live()) s.lines.push_back(store(l));
  }
  if (!now.rare) return s;
  s.finished = now.rare->finished;
  s.merged_from = now.rare->merged_from;
  s.with = now.rare->with;
  s.left = now.rare->left;
  if (const auto* seal = now.seal()) {
    s.seal = stored_seal{seal->order, seal->currency, {}, seal->with};
    for (const auto& l : seal->lines) s.seal->lines.push_back(store(l.as_sealed, l.remaining));
  }
  if (const auto* closed = now.closed()) {
    s.closed = stored_close{closed->to, closed->currency, {}, closed->with};
    for (const auto& l : closed->lines) s.closed->lines.push_back(store(l));
  }
  return s;
}

// Lines that a cart cannot hold would break its promises (and its memory): such a snapshot is not
// one of ours.
bool is_sound(const std::vector<stored_line>& lines) {
  std::uint32_t last_id = 0;
  std::int64_t subtotal = 0;
  for (const auto& l : lines) {
    constexpr std::size_t text_bytes_max = std::numeric_limits<std::uint16_t>::max();
    if (l.line_id <= last_id || l.line_id == std::numeric_limits<std::uint32_t>::max())
      return false;
    if (l.quantity == 0 || l.product.size() > text_bytes_max || l.name.size() > text_bytes_max)
      return false;
    std::int64_t total = 0;
    if (l.price_minor < 0 ||
        __builtin_mul_overflow(l.price_minor, std::int64_t{l.quantity}, &total) ||
        __builtin_add_overflow(subtotal, total, &subtotal))
      return false;
    last_id = l.line_id;
  }
  return lines.size() <= limits::cart_lines_max;
}

}  // namespace

std::string encode_id(const std::string& id) { return codec::encode(id); }
std::optional<currency_code> decode_currency(std::string_view data) {
  const auto text = codec::decode<std::string>(data);
  const auto code = text ? currency_code::parse(*text) : result<currency_code>(fail(text.error()));
  return code ? std::optional(*code) : std::nullopt;
}
std::string encode(const command& what) { return codec::encode(what); }
std::string encode_touched(const std::vector<std::uint32_t>& line_ids) {
  return line_ids.empty() ? std::string{} : codec::encode(line_ids);
}
std::vector<std::uint32_t> decode_touched(std::string_view bytes) {
  if (bytes.empty()) return {};
  return codec::decode<std::vector<std::uint32_t>>(bytes).value_or(std::vector<std::uint32_t>{});
}

result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_event(const event& what) { return codec::encode(what); }
result<event> decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string encode_state(const state& now) { return codec::encode(to_snapshot(now)); }

result<state> decode_state(std::string_view bytes) {
  auto stored = codec::decode<snapshot>(bytes);
  if (!stored) return fail(std::move(stored.error()));
  const bool sound = is_sound(stored->lines) && (!stored->seal || is_sound(stored->seal->lines)) &&
                     (!stored->closed || is_sound(stored->closed->lines));
  if (!sound) return fail(base_errc::malformed, "no lines of a cart");
  state now;
  now.session = std::move(stored->session);
  now.user = std::move(stored->user);
  now.currency = stored->currency;
  now.updated_at = stored->updated_at;
  for (const auto& l : stored->lines) now.lines.restore(restore(l));
  now.lines.skip_ids_to(stored->next_line_id);
  if (!stored->seal && !stored->closed && stored->finished.empty() &&
      stored->merged_from.empty() && stored->with == wishes{} && !stored->left)
    return now;
  rare_state& rare = now.make_rare();
  rare.finished = std::move(stored->finished);
  rare.merged_from = std::move(stored->merged_from);
  rare.with = std::move(stored->with);
  rare.left = std::move(stored->left);
  if (stored->seal) {
    rare.seal = seal_state{std::move(stored->seal->order), stored->seal->currency, {},
                           std::move(stored->seal->with)};
    for (const auto& l : stored->seal->lines) rare.seal->lines.push_back({restore(l), l.remaining});
  }
  if (stored->closed) {
    rare.closed = closed_state{std::move(stored->closed->to), stored->closed->currency, {},
                               std::move(stored->closed->with)};
    for (const auto& l : stored->closed->lines) rare.closed->lines.push_back(restore(l));
  }
  return now;
}

std::string describe_event(const event& what) { return describe::to_json(what); }
std::string describe_state(const state& now) { return describe::to_json(to_snapshot(now)); }

}  // namespace omnicart::cart
