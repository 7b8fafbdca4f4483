#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/order/order_messages.hpp"

// Personal data in an order: encrypted with a key of its user's own, or of the guest session it was
// placed in, which goes when the user is erased (person_keys.hpp). Orders, their history and their
// totals stay, and nobody can read who it was. Country and region stay readable: tax and shipping
// go by them.
//
// A text becomes "enc1:" and base64url of XSalsa20-Poly1305 (libsodium's secretbox) under a nonce
// that is BLAKE2b-192 of key and text: the same text gives the same bytes, so that a repeated order
// is seen to be the same.
namespace omnicart::http {

// A fresh key: 32 random bytes in hexadecimal.
std::string make_person_key();

// What it was is written as "(erased)" by open when the key is gone or another.
std::string seal(std::string_view text, std::string_view person_key);
std::string open_sealed(std::string_view text, std::string_view person_key);
bool is_sealed(std::string_view text);

void seal(order::address& at, std::string_view person_key);
// Texts that are not sealed stay as they are.
void open_sealed(order::order_view& view, std::string_view person_key);
bool has_sealed(const order::order_view& view);

}  // namespace omnicart::http
