#include "actors/location/location.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

// Grammar (schema 1, runtime/base/codec.hpp):
//
//   event    = message of the variant in location.hpp
//   snapshot = message of [exists, details, active, created_at, updated_at]
namespace omnicart::location {

std::string encode(const command& what) { return codec::encode(what); }
result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_event(const event& what) { return codec::encode(what); }
result<event> decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string encode_state(const state& now) { return codec::encode(now); }
result<state> decode_state(std::string_view bytes) { return codec::decode<state>(bytes); }
std::string describe_event(const event& what) { return describe::to_json(what); }
std::string describe_state(const state& now) { return describe::to_json(now); }

}  // namespace omnicart::location
