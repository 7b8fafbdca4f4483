// libFuzzer's entry point of the body FUZZ_BODY; the bodies run without it in tests/unit/fuzz/.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/bodies.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  omnicart::fuzz::FUZZ_BODY(data, size);
  return 0;
}
