#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Text as the words it is indexed and asked for by. Pure; the same for documents and queries.
namespace omnicart::search {

// Lower case, with the accents of Latin letters left out ("Café" -> "cafe"). Bytes that are not
// UTF-8 become spaces.
std::string folded(std::string_view text);

// HTML tags become spaces, character references the characters they stand for (the common ones).
std::string without_markup(std::string_view text);

struct word {
  std::string text;
  std::uint32_t position = 0;  // forms of one word share it
  // The same written otherwise: "usbc" beside "usb", "c"; "128gb" beside "128", "gb".
  bool joined = false;
};

// Letters and digits make words; "-", "/", "_" and "&" within one part it, and the whole is a word
// too; "." stays within a number. A number and its unit are joined as well, and `"` behind a number
// says "inch". Words longer than 60 bytes are cut.
std::vector<word> words_of(std::string_view text);

// The words without their joined forms, in order.
std::vector<std::string> plain_words(std::string_view text);

// Says nothing about what is meant: "the", "with".
bool is_stop_word(std::string_view folded_word);

// What a thing is called, as far as its name's grammar tells: the last word of each group of words
// that numbers, colours, prepositions and punctuation part ("HP 2510p Notebook Gray 30.7 cm" ->
// "notebook"; "Monitor VGA Cable - M/M"
// -> "cable"; what stands behind "for" is what it goes with, not what it is).
std::vector<std::string> head_words(std::string_view name, std::string_view brand);

}  // namespace omnicart::search
