#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

// What heap memory really costs, for memory_bytes() of states: glibc malloc adds 8 bytes of header,
// rounds up to 16 and hands out at least 32.
namespace omnicart {

constexpr std::size_t heap_block_bytes(std::size_t asked_bytes) {
  return asked_bytes == 0 ? 0 : std::max<std::size_t>(32, (asked_bytes + 8 + 15) / 16 * 16);
}

// What a string has outside itself; 0 while the text fits into the object.
inline std::size_t heap_bytes(const std::string& text) {
  const bool is_inside = text.capacity() <= std::string().capacity();
  return is_inside ? 0 : heap_block_bytes(text.capacity() + 1);
}

// The block of a std::vector of plain elements (what these own themselves is not counted).
template <class Vector>
std::size_t vector_heap_bytes(const Vector& items) {
  return heap_block_bytes(items.capacity() * sizeof(typename Vector::value_type));
}

}  // namespace omnicart
