#include "runtime/base/codec.hpp"

namespace omnicart::codec {

result<parsed_message> parse_message(std::string_view bytes) {
  const auto bad = [] { return fail(base_errc::malformed, "not a msgpack message"); };
  // An element takes at least one byte, so no count may exceed the bytes there are: a short message that
  // announces a billion elements is refused before memory is taken for them.
  const auto most = bytes.size();
  const msgpack::unpack_limit limit(most, most, most, most, most, 32);
  parsed_message message;
  try {
    std::size_t offset = 0;
    message.handle = msgpack::unpack(bytes.data(), bytes.size(), offset, nullptr, nullptr, limit);
    if (offset != bytes.size()) return bad();
  } catch (const std::exception&) {  // msgpack-c's errors and bad_alloc
    return bad();
  }
  const msgpack::object& outer = message.handle.get();
  if (outer.type != msgpack::type::ARRAY || outer.via.array.size < 2) return bad();
  if (!unpack(outer.via.array.ptr[0], message.schema)) return bad();
  message.value = &outer.via.array.ptr[1];
  return message;
}

}  // namespace omnicart::codec
