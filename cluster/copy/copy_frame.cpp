#include "cluster/copy/copy_frame.hpp"

#include "runtime/base/codec.hpp"

namespace omnicart::cluster {

std::string encode_copy_frame(const copy_frame& frame) { return codec::encode(frame); }

result<copy_frame> decode_copy_frame(std::string_view bytes) {
  return codec::decode<copy_frame>(bytes);
}

}  // namespace omnicart::cluster
