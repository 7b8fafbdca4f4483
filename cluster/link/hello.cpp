#include "cluster/link/hello.hpp"

#include <algorithm>

#include "runtime/base/codec.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::size_t cluster_id_bytes_max = 64;

bool makes_sense(const hello& said) {
  return said.versions.min >= 1 && said.versions.min <= said.versions.max &&
         is_cluster_id(said.cluster) && said.node != no_node;
}

bool makes_sense(const confirm& said) { return said.version >= 1; }

template <class T>
bool makes_sense(const T&) {
  return true;
}

}  // namespace

std::optional<std::uint8_t> common_version(version_range ours, version_range theirs) {
  const std::uint8_t highest = std::min(ours.max, theirs.max);
  if (highest < ours.min || highest < theirs.min) return std::nullopt;
  return highest;
}

std::string encode(const link_message& message) { return codec::encode(message); }

result<link_message> decode_link_message(std::string_view bytes) {
  auto message = codec::decode<link_message>(bytes);
  if (!message) return message;
  const bool sound = std::visit([](const auto& said) { return makes_sense(said); }, *message);
  if (!sound) return fail(base_errc::malformed, "a greeting that makes no sense");
  return message;
}

bool is_cluster_id(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= cluster_id_bytes_max && std::ranges::all_of(text, plain);
}

}  // namespace omnicart::cluster
