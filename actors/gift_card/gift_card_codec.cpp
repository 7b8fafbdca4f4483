#include "actors/gift_card/gift_card.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

// Grammar (schema 1, runtime/base/codec.hpp):
//
//   event    = message of the variant in gift_card.hpp
//   snapshot = message of [exists, issue, enabled, created_at, balance, held, spent, returned,
//   holds, ended, returns] holds    = array of [order, amount];  ended = array of [order, how,
//   amount, at, returned];  returns = array of [name, amount, at];  the last two oldest first
namespace omnicart::gift_card {
namespace {

struct stored_hold {
  order_id order;
  std::int64_t amount_minor = 0;
  OMNICART_FIELDS(order, amount_minor)
};
struct stored_end {
  std::string order;
  ending how{};
  std::int64_t amount_minor = 0;
  timestamp_ms at;
  std::int64_t returned_minor = 0;
  OMNICART_FIELDS(order, how, amount_minor, at, returned_minor)
};
struct stored_return {
  std::string name;
  std::int64_t amount_minor = 0;
  timestamp_ms at;
  OMNICART_FIELDS(name, amount_minor, at)
};
struct snapshot {
  bool exists = false;
  issue content;
  bool enabled = true;
  timestamp_ms created_at;
  std::int64_t balance_minor = 0;
  std::int64_t held_minor = 0;
  std::int64_t spent_minor = 0;
  std::int64_t returned_minor = 0;
  std::vector<stored_hold> holds;
  std::vector<stored_end> ended;
  std::vector<stored_return> returns;
  OMNICART_FIELDS(exists, content, enabled, created_at, balance_minor, held_minor, spent_minor,
                  returned_minor, holds, ended, returns)
};

snapshot to_snapshot(const state& now) {
  snapshot s{.exists = now.exists,
             .content = now.content,
             .enabled = now.enabled,
             .created_at = now.created_at,
             .balance_minor = now.balance_minor,
             .held_minor = now.held_minor,
             .spent_minor = now.spent_minor,
             .returned_minor = now.returned_minor,
             .holds = {},
             .ended = {},
             .returns = {}};
  for (const auto& [order, amount] : now.holds) s.holds.push_back({order, amount});
  for (const auto& [at, order] : now.ended.order()) {
    const past& end = *now.ended.find(order);
    s.ended.push_back({order, end.how, end.amount_minor, at, end.returned_minor});
  }
  for (const auto& [at, name] : now.returns.order())
    s.returns.push_back({name, *now.returns.find(name), at});
  return s;
}

}  // namespace

std::string encode(const command& what) { return codec::encode(what); }
result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_event(const event& what) { return codec::encode(what); }
result<event> decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string encode_state(const state& now) { return codec::encode(to_snapshot(now)); }

result<state> decode_state(std::string_view bytes) {
  auto stored = codec::decode<snapshot>(bytes);
  if (!stored) return fail(std::move(stored.error()));
  state now;
  now.exists = stored->exists;
  now.content = std::move(stored->content);
  now.enabled = stored->enabled;
  now.created_at = stored->created_at;
  now.balance_minor = stored->balance_minor;
  now.held_minor = stored->held_minor;
  now.spent_minor = stored->spent_minor;
  now.returned_minor = stored->returned_minor;
  for (auto& each : stored->holds) now.holds.emplace(std::move(each.order), each.amount_minor);
  for (const auto& each : stored->ended) {
    // Before refunds in parts whatever came back was all of it, and was not counted here.
    const bool uncounted = each.how == ending::given_back && each.returned_minor == 0;
    now.ended.record(
        each.order,
        {each.how, each.amount_minor, uncounted ? each.amount_minor : each.returned_minor},
        each.at);
  }
  for (const auto& each : stored->returns)
    now.returns.record(each.name, each.amount_minor, each.at);
  return now;
}

std::string describe_event(const event& what) { return describe::to_json(what); }
std::string describe_state(const state& now) { return describe::to_json(to_snapshot(now)); }

}  // namespace omnicart::gift_card
