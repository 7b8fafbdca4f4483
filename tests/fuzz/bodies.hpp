#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

// What the fuzzers run: each body feeds any bytes to one reader of foreign bytes and checks what it
// promises. The same code runs under libFuzzer (entry.cpp) and as a plain test over the corpora
// (tests/unit/fuzz/corpus_test.cpp). Deterministic: the bytes alone decide what happens.
namespace omnicart::fuzz {

// A promise that did not hold. Nobody catches it under libFuzzer, which then keeps the input.
struct broken_promise : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* promise) {
  if (!holds) throw broken_promise(promise);
}

// Requests as bytes of a connection, fed whole, byte by byte and in pieces: all must agree.
void fuzz_http(const std::uint8_t* data, std::size_t size);
// A JSON text: parsed, written, parsed again; its members taken by an object_reader.
void fuzz_json(const std::uint8_t* data, std::size_t size);
// A token as text, and as claims signed with the right key (HEADER '\n' PAYLOAD).
void fuzz_tokens(const std::uint8_t* data, std::size_t size);
// Byte 0 selects the codec (fuzz_codecs.cpp has the table), the rest are its bytes.
void fuzz_codecs(const std::uint8_t* data, std::size_t size);
// Byte 0 selects the command, byte 1 the HTTP status, the rest is the provider's body.
void fuzz_provider_answer(const std::uint8_t* data, std::size_t size);
// Byte 0: 0 a greeting's stream of frames, 1 a stream that is up after its first frame, 2 a message of the link.
void fuzz_link(const std::uint8_t* data, std::size_t size);
// Byte 0: 0 a command from another node, 1 an answer; the rest are its bytes.
void fuzz_remote(const std::uint8_t* data, std::size_t size);
// Byte 0: 0 a frame of Raft's messages, 1 a configuration, 2 a control message, 3 a frame of a shard's copy.
void fuzz_raft(const std::uint8_t* data, std::size_t size);

using target_body = void (*)(const std::uint8_t*, std::size_t);

}  // namespace omnicart::fuzz
