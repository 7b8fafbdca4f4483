#include "actors/product/product.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

// Grammar (schema 1, runtime/base/codec.hpp):
//
//   event    = message of the variant in product.hpp
//   snapshot = message of [life, details, created_at, updated_at, average of reviews, their number, their revision]
namespace omnicart::product {
namespace {

struct snapshot {
  std::uint8_t life = 0;
  details content;
  timestamp_ms created_at;
  timestamp_ms updated_at;
  std::int64_t review_average_centi = 0;
  std::int64_t review_count = 0;
  std::uint64_t review_revision = 0;
  OMNICART_FIELDS(life, content, created_at, updated_at, review_average_centi, review_count, review_revision)
};

const char* to_string(lifecycle life) {
  switch (life) {
    case lifecycle::unknown:
      return "unknown";
    case lifecycle::living:
      return "living";
    case lifecycle::retired:
      return "retired";
  }
  return "";
}

struct description {
  std::string life;
  details content;
  timestamp_ms created_at;
  timestamp_ms updated_at;
  std::int64_t review_average_centi = 0;
  std::int64_t review_count = 0;
  OMNICART_FIELDS(life, content, created_at, updated_at, review_average_centi, review_count)
};

}  // namespace

std::string encode(const command& what) { return codec::encode(what); }
result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_event(const event& what) { return codec::encode(what); }
result<event> decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }

std::string encode_state(const state& now) {
  return codec::encode(snapshot{.life = static_cast<std::uint8_t>(now.life),
                                .content = now.content,
                                .created_at = now.created_at,
                                .updated_at = now.updated_at,
                                .review_average_centi = now.review_average_centi,
                                .review_count = now.review_count,
                                .review_revision = now.review_revision});
}

result<state> decode_state(std::string_view bytes) {
  auto stored = codec::decode<snapshot>(bytes);
  if (!stored) return fail(std::move(stored.error()));
  if (stored->life > static_cast<std::uint8_t>(lifecycle::retired)) {
    return fail(base_errc::malformed, "no such life of a product");
  }
  return state{.life = static_cast<lifecycle>(stored->life),
               .content = std::move(stored->content),
               .created_at = stored->created_at,
               .updated_at = stored->updated_at,
               .review_average_centi = stored->review_average_centi,
               .review_count = stored->review_count,
               .review_revision = stored->review_revision};
}

std::string describe_event(const event& what) { return describe::to_json(what); }

std::string describe_state(const state& now) {
  return describe::to_json(description{.life = to_string(now.life),
                                       .content = now.content,
                                       .created_at = now.created_at,
                                       .updated_at = now.updated_at,
                                       .review_average_centi = now.review_average_centi,
                                       .review_count = now.review_count});
}

}  // namespace omnicart::product
