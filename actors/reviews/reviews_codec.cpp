#include "actors/reviews/reviews_kind.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

// Stored and sent forms of a product's reviews, schema 1: the field rules of runtime/base/codec.hpp
// over the structs of reviews.hpp and reviews_messages.hpp, alternatives numbered as in their
// variants. Append only.
namespace omnicart::reviews {

std::string encode(const command& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }

std::string kind::encode_command(const command& what) { return codec::encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return codec::decode<command>(bytes);
}
std::string kind::encode_event(const event& what) { return codec::encode(what); }
result<event> kind::decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string kind::encode_state(const state& s) { return codec::encode(s); }
result<state> kind::decode_state(std::string_view bytes) { return codec::decode<state>(bytes); }
std::string kind::describe_event(const event& what) { return describe::to_json(what); }
std::string kind::describe_state(const state& s) { return describe::to_json(s); }

}  // namespace omnicart::reviews
