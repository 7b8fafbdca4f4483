#include "http/search_cursor.hpp"

#include <bit>

#include "runtime/base/codec.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t text_bytes_max = 4'000;

struct stored {
  std::string key, id;
  std::uint64_t score_bits = 0, before = 0;
  OMNICART_FIELDS(key, id, score_bits, before)
};

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string to_text(const search_cursor& at) {
  constexpr std::string_view digits = "0123456789abcdef";
  const stored bytes{.key = at.key,
                     .id = at.id,
                     .score_bits = std::bit_cast<std::uint64_t>(at.score),
                     .before = at.before};
  std::string text;
  for (const char c : codec::encode(bytes)) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::optional<search_cursor> read_search_cursor(std::string_view text) {
  if (text.size() % 2 != 0 || text.size() > text_bytes_max) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) return std::nullopt;
    bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  auto read = codec::decode<stored>(bytes);
  if (!read) return std::nullopt;
  return search_cursor{.key = std::move(read->key),
                       .id = std::move(read->id),
                       .score = std::bit_cast<double>(read->score_bits),
                       .before = read->before};
}

}  // namespace omnicart::http
