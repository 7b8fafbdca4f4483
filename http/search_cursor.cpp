#include "http/search_cursor.hpp"

#include <bit>

#include "runtime/base/codec.hpp"
#include "runtime/base/hex.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t text_bytes_max = 4'000;

struct stored {
  std::string key, id;
  std::uint64_t score_bits = 0, before = 0;
  OMNICART_FIELDS(key, id, score_bits, before)
};

}  // namespace

std::string to_text(const search_cursor& at) {
  const stored bytes{.key = at.key,
                     .id = at.id,
                     .score_bits = std::bit_cast<std::uint64_t>(at.score),
                     .before = at.before};
  return to_hex(codec::encode(bytes));
}

std::optional<search_cursor> read_search_cursor(std::string_view text) {
  if (text.size() > text_bytes_max) return std::nullopt;
  const auto bytes = from_hex(text);
  if (!bytes) return std::nullopt;
  auto read = codec::decode<stored>(*bytes);
  if (!read) return std::nullopt;
  return search_cursor{.key = std::move(read->key),
                       .id = std::move(read->id),
                       .score = std::bit_cast<double>(read->score_bits),
                       .before = read->before};
}

}  // namespace omnicart::http
