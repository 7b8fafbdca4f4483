#include <array>

#include "cluster/remote/envelope_format.hpp"

namespace omnicart::cluster {

std::span<const envelope_format> envelope_formats() {
  static constexpr std::array<envelope_format, 1> formats{{
      {1, &encode_command, &decode_command, &encode_answer, &decode_answer},
  }};
  return formats;
}

}  // namespace omnicart::cluster
