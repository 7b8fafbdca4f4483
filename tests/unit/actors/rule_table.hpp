#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "kind_trial.hpp"

// Tables of rules for kinds whose commands depend on who asked and when.
namespace omnicart::trial {

template <class K>
struct step {
  typename K::command what;
  caller asker = system;
  std::int64_t later_s = 0;  // time that passes before it
};

template <class K>
struct rule {
  const char* claim;
  std::vector<step<K>> given;  // all accepted
  step<K> then;
  error_number code = 0;
  std::string events;  // the names of those it makes
};

// The state by way of its bytes: equal bytes again, and sound.
template <class K>
typename K::state reread(const typename K::state& s) {
  const std::string bytes = K::encode_state(s);
  auto read = K::decode_state(bytes);
  BOOST_REQUIRE(read.has_value());
  K::check_full(*read);
  BOOST_REQUIRE(K::encode_state(*read) == bytes);
  return std::move(*read);
}

template <class K>
void check_rules(const std::vector<rule<K>>& table) {
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.claim) {
      subject<K> one;
      for (const auto& s : row.given) {
        one.now += std::chrono::seconds{s.later_s};
        BOOST_TEST(one.give(s.what, s.asker) == 0);
      }
      one.now += std::chrono::seconds{row.then.later_s};
      const auto before = K::encode_state(one.s);
      BOOST_TEST(one.give(row.then.what, row.then.asker) == row.code);
      BOOST_TEST(one.names == row.events);
      if (row.events.empty()) BOOST_TEST((K::encode_state(one.s) == before));
      one.check_replay();
      reread<K>(one.s);
    }
  }
}

template <class K>
void check_every_code_is_in(const std::vector<rule<K>>& table,
                            std::initializer_list<error_number> codes) {
  std::set<error_number> seen;
  for (const auto& row : table) seen.insert(row.code);
  for (const auto code : codes) BOOST_TEST(seen.contains(code), "no row for code " << code);
}

inline std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// A message of schema 1 and an array value, as a newer build might write it: the array one element
// longer.
inline std::string with_one_more_field(std::string message) {
  BOOST_REQUIRE(message.size() > 4);
  const auto first = static_cast<unsigned char>(message[2]);
  const bool is_short = (first & 0xF0) == 0x90 && first != 0x9F;
  BOOST_REQUIRE((is_short || first == 0xDC));
  char& length = message[is_short ? 2 : 4];  // the low byte of an array of 16 or more
  length = static_cast<char>(length + 1);
  return message + '\x07';
}

// The same bytes under schema number 2.
inline std::string of_unknown_schema(std::string message) {
  message[1] = 2;
  return message;
}

}  // namespace omnicart::trial
