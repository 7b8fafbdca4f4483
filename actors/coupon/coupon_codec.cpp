#include "actors/coupon/coupon.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

// Grammar (schema 1, runtime/base/codec.hpp):
//
//   event    = message of the variant in coupon.hpp
//   snapshot = message of [exists, definition, enabled, created_at, redeemed, given_back, claims,
//   ended, customers] claims   = array of [order, customer];  ended = array of [order, how, at],
//   oldest first;  customers = array of [name, uses]
namespace omnicart::coupon {
namespace {

struct stored_claim {
  order_id order;
  std::string customer;
  OMNICART_FIELDS(order, customer)
};
struct stored_end {
  std::string order;
  ending how{};
  timestamp_ms at;
  OMNICART_FIELDS(order, how, at)
};
struct snapshot {
  bool exists = false;
  definition content;
  bool enabled = true;
  timestamp_ms created_at;
  std::uint64_t redeemed = 0;
  std::uint64_t given_back = 0;
  std::vector<stored_claim> claims;
  std::vector<stored_end> ended;
  std::vector<std::pair<std::string, std::uint64_t>> customers;
  OMNICART_FIELDS(exists, content, enabled, created_at, redeemed, given_back, claims, ended,
                  customers)
};

snapshot to_snapshot(const state& now) {
  snapshot s{.exists = now.exists,
             .content = now.content,
             .enabled = now.enabled,
             .created_at = now.created_at,
             .redeemed = now.redeemed,
             .given_back = now.given_back,
             .claims = {},
             .ended = {},
             .customers = {now.customers.begin(), now.customers.end()}};
  for (const auto& [order, customer] : now.claims) s.claims.push_back({order, customer});
  for (const auto& [at, order] : now.ended.order())
    s.ended.push_back({order, *now.ended.find(order), at});
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
  state now{.exists = stored->exists,
            .content = std::move(stored->content),
            .enabled = stored->enabled,
            .created_at = stored->created_at,
            .redeemed = stored->redeemed,
            .given_back = stored->given_back,
            .claims = {},
            .ended = {},
            .customers = {stored->customers.begin(), stored->customers.end()}};
  for (auto& each : stored->claims)
    now.claims.emplace(std::move(each.order), std::move(each.customer));
  for (const auto& each : stored->ended) now.ended.record(each.order, each.how, each.at);
  return now;
}

std::string describe_event(const event& what) { return describe::to_json(what); }
std::string describe_state(const state& now) { return describe::to_json(to_snapshot(now)); }

}  // namespace omnicart::coupon
