#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/bodies.hpp"
#include "tests/unit/source_dir.hpp"

// The fuzzers' bodies without libFuzzer: every file of their corpora as it is, and damaged at
// random. OMNICART_FUZZ_SEED repeats a run.
namespace omnicart::fuzz {
namespace corpus_test {

constexpr int mutations_per_file = 2'000;

struct target {
  const char* name;
  target_body run;
};
std::ostream& operator<<(std::ostream& out, const target& t) { return out << t.name; }

constexpr target targets[] = {{"fuzz_http", fuzz_http},
                              {"fuzz_json", fuzz_json},
                              {"fuzz_tokens", fuzz_tokens},
                              {"fuzz_codecs", fuzz_codecs},
                              {"fuzz_provider_answer", fuzz_provider_answer},
                              {"fuzz_link", fuzz_link},
                              {"fuzz_remote", fuzz_remote},
                              {"fuzz_raft", fuzz_raft}};

std::vector<std::filesystem::path> files_of(const target& t) {
  const auto folder = std::filesystem::path(omnicart::trial::source_dir) / "tests/fuzz/corpus" / t.name;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    BOOST_REQUIRE_MESSAGE(entry.is_regular_file(), entry.path() << " is no file");
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(in.good(), "cannot read " << file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Printed at its first use: a sanitizer ends the process before anything could report a failure.
std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("OMNICART_FUZZ_SEED");
    const std::uint64_t chosen = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cerr << "OMNICART_FUZZ_SEED=" << chosen << std::endl;
    return chosen;
  }();
  return value;
}

// One to four small damages: a bit, a byte of interest, a cut, a repeated or a moved piece.
class mutator {
 public:
  explicit mutator(std::uint64_t from) : random_(from) {}

  std::string operator()(std::string bytes) {
    for (auto left = 1 + below(4); left > 0; --left) damage(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void damage(std::string& bytes) {
    constexpr unsigned char interesting[] = {0x00, 0x01, 0x7f, 0x80, 0x90, 0x93, 0xc0,
                                             0xc4, 0xc6, 0xdc, 0xdd, 0xff, '\r', '\n',
                                             '"',  '\\', '{',  '[',  '.',  '0'};
    const auto at = below(bytes.size() + 1);
    const auto length = 1 + below(8);
    const char byte = static_cast<char>(interesting[below(std::size(interesting))]);
    switch (below(6)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        return;
      case 1:
        if (at < bytes.size()) bytes[at] = byte;
        return;
      case 2:
        bytes.insert(at, 1, byte);
        return;
      case 3:
        bytes.erase(at, length);
        return;
      case 4:
        bytes.insert(below(bytes.size() + 1), bytes.substr(at, length));
        return;
      default:
        bytes.resize(at);
        return;
    }
  }

  std::mt19937_64 random_;
};

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// False after reporting, so that one fault is shown once and not two thousand times. What was
// running is written down first: a sanitizer or a failed assertion ends the process.
bool holds(const target& t, const std::string& bytes, const std::string& what) {
  BOOST_TEST_CHECKPOINT(t.name << ' ' << what);
  try {
    t.run(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return true;
  } catch (const std::exception& broken) {
    BOOST_ERROR(t.name << ' ' << what << ": " << broken.what() << "; bytes " << hex(bytes));
    return false;
  }
}

BOOST_AUTO_TEST_SUITE(fuzz)

BOOST_DATA_TEST_CASE(every_target_has_a_corpus_and_keeps_its_promises_over_it, targets) {
  const auto files = files_of(sample);
  BOOST_TEST(!files.empty());
  for (const auto& file : files) holds(sample, bytes_of(file), file.filename().string());
}

BOOST_DATA_TEST_CASE(damaged_inputs_break_no_promise, targets) {
  std::size_t runs = 0;
  for (const auto& file : files_of(sample)) {
    const std::string bytes = bytes_of(file);
    const std::string name = file.filename().string();
    mutator mutate(seed() ^ std::hash<std::string>{}(name));
    for (int i = 0; i < mutations_per_file; ++i, ++runs) {
      const auto what =
          name + ", OMNICART_FUZZ_SEED=" + std::to_string(seed()) + " #" + std::to_string(i);
      if (!holds(sample, mutate(bytes), what)) return;
    }
  }
  BOOST_TEST_MESSAGE(sample << ": " << runs << " damaged inputs");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace corpus_test
}  // namespace omnicart::fuzz
