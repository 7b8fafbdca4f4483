#include "http/person_cipher.hpp"

#include <sodium.h>

#include <array>
#include <vector>

namespace omnicart::http {
namespace {

constexpr std::string_view mark = "enc1:";
constexpr std::string_view gone = "(erased)";
constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t nonce_bytes = crypto_secretbox_NONCEBYTES;
constexpr std::size_t key_bytes = crypto_secretbox_KEYBYTES;

using key_array = std::array<unsigned char, key_bytes>;

std::optional<key_array> key_of(std::string_view hex) {
  key_array key;
  std::size_t size = 0;
  const bool read =
      sodium_hex2bin(key.data(), key.size(), hex.data(), hex.size(), nullptr, &size, nullptr) == 0;
  if (!read || size != key.size() || hex.size() != 2 * key.size()) return std::nullopt;
  return key;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string make_person_key() {
  key_array key;
  randombytes_buf(key.data(), key.size());
  std::array<char, 2 * key_bytes + 1> hex;
  sodium_bin2hex(hex.data(), hex.size(), key.data(), key.size());
  return hex.data();
}

bool is_sealed(std::string_view text) { return text.starts_with(mark); }

std::string seal(std::string_view text, std::string_view person_key) {
  const auto key = key_of(person_key);
  if (text.empty() || !key) return std::string(text);
  std::vector<unsigned char> box(nonce_bytes + crypto_secretbox_MACBYTES + text.size());
  crypto_generichash(box.data(), nonce_bytes, bytes_of(text), text.size(), key->data(),
                     key->size());
  crypto_secretbox_easy(box.data() + nonce_bytes, bytes_of(text), text.size(), box.data(),
                        key->data());
  std::string encoded(sodium_base64_encoded_len(box.size(), variant), '\0');
  sodium_bin2base64(encoded.data(), encoded.size(), box.data(), box.size(), variant);
  encoded.pop_back();  // its final zero
  return std::string(mark) + encoded;
}

std::string open_sealed(std::string_view text, std::string_view person_key) {
  if (!is_sealed(text)) return std::string(text);
  const auto key = key_of(person_key);
  text.remove_prefix(mark.size());
  if (text.empty()) return std::string(gone);
  std::vector<unsigned char> box(text.size());
  std::size_t size = 0;
  const bool read = sodium_base642bin(box.data(), box.size(), text.data(), text.size(), nullptr,
                                      &size, nullptr, variant) == 0;
  constexpr std::size_t least = nonce_bytes + crypto_secretbox_MACBYTES;
  if (!key || !read || size < least) return std::string(gone);
  std::string plain(size - least, '\0');
  const bool opened = crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()),
                                                 box.data() + nonce_bytes, size - nonce_bytes,
                                                 box.data(), key->data()) == 0;
  return opened ? plain : std::string(gone);
}

void seal(order::address& at, std::string_view person_key) {
  for (std::string* text : {&at.name, &at.line1, &at.line2, &at.city, &at.postal_code, &at.phone})
    *text = seal(*text, person_key);
}

void open_sealed(order::order_view& view, std::string_view person_key) {
  view.email = open_sealed(view.email, person_key);
  if (!view.ship_to) return;
  order::address& at = *view.ship_to;
  for (std::string* text : {&at.name, &at.line1, &at.line2, &at.city, &at.postal_code, &at.phone})
    *text = open_sealed(*text, person_key);
}

bool has_sealed(const order::order_view& view) {
  return is_sealed(view.email) || (view.ship_to && is_sealed(view.ship_to->line1));
}

}  // namespace omnicart::http
