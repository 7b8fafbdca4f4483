#include <string>
#include <string_view>

#include "cluster/remote/remote_codec.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/placement.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

using namespace cluster;

const timestamp_ms noon{duration_ms{1'800'000'000'000}};

void check_command(std::string_view bytes) {
  const auto read = decode_command(bytes, noon);
  if (!read) {
    require(read.error().is(base_errc::malformed), "bytes that do not read are malformed");
    return;
  }
  const envelope& said = read->message;
  require(read->request != 0, "a request has a number");
  require(!said.to.kind.empty() && said.to.kind.size() <= limits::kind_bytes_max,
          "a kind has a name");
  require(!said.to.id.empty() && said.to.id.size() <= limits::id_bytes_max, "an entity has an id");
  require(said.wait >= duration_ms{0} && said.wait <= remote_wait_max, "nobody waits for ever");
  require(said.deadline >= noon, "a deadline is not before the command came");
  require(!said.reply, "a message does not say who answers");
  const auto once = encode_command(read->request, said, noon);
  const auto again = decode_command(once, noon);
  require(again.has_value(), "what was read is written so that it reads again");
  require(encode_command(again->request, again->message, noon) == once, "and as the same bytes");
}

void check_answer(std::string_view bytes) {
  const auto read = decode_answer(bytes);
  if (!read) {
    require(read.error().is(base_errc::malformed), "bytes that do not read are malformed");
    return;
  }
  const auto once = encode_answer(read->request, read->got);
  const auto again = decode_answer(once);
  require(again.has_value(), "what was read is written so that it reads again");
  require(encode_answer(again->request, again->got) == once, "and as the same bytes");
  if (!read->got.failure) return;
  require(read->got.failure->number != 0, "a failure has a number");
  const auto leader = leader_named_by(*read->got.failure);
  require(!leader || *leader != 0, "a leader that is named is a node");
}

}  // namespace

void fuzz_remote(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  data[0] % 2 == 0 ? check_command(bytes) : check_answer(bytes);
}

}  // namespace omnicart::fuzz
