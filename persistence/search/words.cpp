#include "persistence/search/words.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace omnicart::search {
namespace {

constexpr std::size_t word_bytes_max = 60;
constexpr std::size_t joined_parts_max = 4;

struct code_point {
  std::uint32_t value = 0;  // 0xFFFD: no UTF-8
  std::size_t bytes = 1;
};

code_point next_of(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xF0 && first < 0xF5 ? 4
                            : first >= 0xE0               ? 3
                            : first >= 0xC2               ? 2
                                                          : 0;
  if (bytes == 0 || first >= 0xF5 || text.size() < bytes) return {0xFFFD, 1};
  std::uint32_t value = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return {0xFFFD, 1};
    value = value << 6 | (at(i) & 0x3FU);
  }
  return {value, bytes};
}

// U+00C0..U+017F as the letters they are written with without accents; '?' stands for a sign that
// is no letter.
constexpr std::array<std::string_view, 192> latin = {
    "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",   // C0
    "d", "n", "o",  "o",  "o", "o", "o",  "?", "o", "u", "u", "u", "u", "y", "th", "ss",  // D0
    "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",   // E0
    "d", "n", "o",  "o",  "o", "o", "o",  "?", "o", "u", "u", "u", "u", "y", "th", "y",   // F0
    "a", "a", "a",  "a",  "a", "a", "c",  "c", "c", "c", "c", "c", "c", "c", "d",  "d",   // 100
    "d", "d", "e",  "e",  "e", "e", "e",  "e", "e", "e", "e", "e", "g", "g", "g",  "g",   // 110
    "g", "g", "g",  "g",  "h", "h", "h",  "h", "i", "i", "i", "i", "i", "i", "i",  "i",   // 120
    "i", "i", "ij", "ij", "j", "j", "k",  "k", "k", "l", "l", "l", "l", "l", "l",  "l",   // 130
    "l", "l", "l",  "n",  "n", "n", "n",  "n", "n", "n", "n", "n", "o", "o", "o",  "o",   // 140
    "o", "o", "oe", "oe", "r", "r", "r",  "r", "r", "r", "s", "s", "s", "s", "s",  "s",   // 150
    "s", "s", "t",  "t",  "t", "t", "t",  "t", "u", "u", "u", "u", "u", "u", "u",  "u",   // 160
    "u", "u", "u",  "u",  "w", "w", "y",  "y", "y", "z", "z", "z", "z", "z", "z",  "s"};  // 170

// Signs, spaces and quotes that are neither letters nor digits.
bool is_sign(std::uint32_t value) {
  return (value >= 0x80 && value < 0xC0 && value != 0xB5) || (value >= 0x2000 && value < 0x2E00) ||
         (value >= 0x3000 && value < 0x3040) || (value >= 0xFE00 && value < 0xFF10) ||
         value >= 0xFFF0 || (value >= 0xE000 && value < 0xF900);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool is_wordly(char c) { return is_digit(c) || is_letter(c); }

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
}

template <std::size_t N>
bool one_of(const std::string_view (&sorted)[N], std::string_view word) {
  return std::binary_search(std::begin(sorted), std::end(sorted), word);
}

constexpr std::string_view units[] = {"a",    "ah",   "bit", "cd",  "cl", "cm",   "dpi",  "fps",
                                      "ft",   "g",    "gb",  "ghz", "hz", "inch", "k",    "kb",
                                      "kg",   "khz",  "kva", "kw",  "l",  "m",    "mah",  "mb",
                                      "mbps", "mhz",  "ml",  "mm",  "mp", "oz",   "pack", "pcs",
                                      "pin",  "port", "s",   "tb",  "u",  "v",    "va",   "w"};
bool is_unit(std::string_view word) { return one_of(units, word); }

// "128gb" -> 3; 0 when it is no number with a short unit.
std::size_t number_before_unit(std::string_view part) {
  std::size_t digits = 0;
  while (digits < part.size() && (is_digit(part[digits]) || part[digits] == '.')) ++digits;
  return digits > 0 && digits < part.size() && is_unit(part.substr(digits)) ? digits : 0;
}

class splitter {
 public:
  explicit splitter(std::string_view folded_text) : text_(folded_text) {}

  std::vector<word> run() {
    for (std::size_t at = 0; at < text_.size();) {
      if (text_[at] == '"' && !words_.empty() && at == number_end_) inch();
      if (!is_wordly(text_[at])) {
        ++at;
        continue;
      }
      at = chunk(at);
    }
    return std::move(words_);
  }

 private:
  static bool joins(char c) { return c == '-' || c == '/' || c == '_' || c == '&'; }

  // One run of parts from `at`; returns its end.
  std::size_t chunk(std::size_t at) {
    std::vector<std::string> parts(1);
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      const char next = at + 1 < text_.size() ? text_[at + 1] : ' ';
      if (is_wordly(c)) {
        parts.back() += c;
      } else if (c == '\'' && is_wordly(next)) {
        continue;  // "kid's" is "kids"
      } else if (c == '.' && is_digit(next) && all_digits(parts.back())) {
        parts.back() += c;
      } else if (joins(c) && is_wordly(next)) {
        parts.emplace_back();
      } else {
        break;
      }
    }
    const std::uint32_t first = position_;
    std::string joined;
    for (auto& part : parts) {
      joined += part;
      add_part(std::move(part));
    }
    if (parts.size() > 1 && parts.size() <= joined_parts_max) add(std::move(joined), first, true);
    number_end_ = !words_.empty() && last_number_ ? at : std::string_view::npos;
    return at;
  }

  void add_part(std::string part) {
    const bool number = all_digits(part);
    if (!number && last_number_ && is_unit(part)) add(*last_number_ + part, position_ - 1, true);
    if (const auto digits = number_before_unit(part)) {
      add(part, position_, true);
      add(part.substr(0, digits), position_++, false);
      last_number_.reset();
      return add(part.substr(digits), position_++, false);
    }
    last_number_ = number ? std::optional(part) : std::nullopt;
    add(std::move(part), position_++, false);
  }

  // 15.6" is called 15 inch as well.
  void inch() {
    const auto point = last_number_->find('.');
    if (point != last_number_->npos) add(last_number_->substr(0, point), position_ - 1, true);
    add(*last_number_ + "inch", position_ - 1, true);
    add("inch", position_++, false);
    last_number_.reset();
    number_end_ = std::string_view::npos;
  }

  void add(std::string text, std::uint32_t position, bool joined) {
    if (text.size() > word_bytes_max) text.resize(word_bytes_max);
    words_.push_back({std::move(text), position, joined});
  }

  std::string_view text_;
  std::vector<word> words_;
  std::uint32_t position_ = 1;
  std::optional<std::string> last_number_;  // when the last part was one
  std::size_t number_end_ = std::string_view::npos;
};

// What follows the name of a thing without being part of it.
constexpr std::string_view describing[] = {
    "aluminium", "anthracite",   "beige",      "black",       "blue",        "bronze",
    "brown",     "chrome",       "compatible", "cyan",        "dark",        "external",
    "female",    "freestanding", "gloss",      "glossy",      "gold",        "graphite",
    "gray",      "green",        "grey",       "indoor",      "internal",    "ivory",
    "large",     "light",        "magenta",    "male",        "matt",        "matte",
    "medium",    "metallic",     "multicolor", "multicolour", "new",         "orange",
    "original",  "outdoor",      "pink",       "pixels",      "purple",      "rackmount",
    "red",       "refurbished",  "retail",     "rose",        "silver",      "single",
    "small",     "stainless",    "steel",      "titanium",    "transparent", "violet",
    "white",     "wired",        "wireless",   "yellow"};
constexpr std::string_view relating[] = {"by",  "compatible", "dla", "for", "from",
                                         "fur", "in",         "on",  "with"};
constexpr std::string_view stop_words[] = {
    "a",     "an",   "and",  "any",   "are",  "as",    "at",    "be",   "best",
    "buy",   "by",   "can",  "cheap", "for",  "from",  "good",  "have", "i",
    "in",    "is",   "it",   "its",   "me",   "my",    "need",  "of",   "on",
    "or",    "our",  "some", "that",  "the",  "their", "there", "this", "to",
    "under", "want", "was",  "we",    "what", "which", "with",  "you",  "your"};

bool has_digit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_digit); }

class head_finder {
 public:
  std::vector<std::string> run(std::string_view name) {
    std::string raw;
    for (const char c : name) {
      if (c != ' ') {
        raw += c;
        continue;
      }
      take(raw);
      raw.clear();
    }
    take(raw);
    end_group();
    return std::move(heads_);
  }

 private:
  void take(std::string_view raw) {
    if (raw.empty()) return;
    const bool opens = !is_wordly(raw.front()) && raw.front() != '\'';
    if (opens) end_clause();
    const auto parts = plain_words(raw);
    const bool closes = raw.size() > 1 && (raw.back() == ',' || raw.back() == ')' ||
                                           raw.back() == ';' || raw.back() == ':');
    if (parts.empty()) return;
    const std::string& word = parts.back();
    if (word == "to" || word == "and") {
      last_.clear();  // "DisplayPort to DVI converter": what comes is named yet
    } else if (one_of(relating, word)) {
      end_group();
      related_ = true;
    } else if (has_digit(raw) || is_unit(word) || one_of(describing, word)) {
      end_group();
    } else {
      last_ = word;
    }
    if (closes) end_clause();
  }
  void end_group() {
    if (!last_.empty() && !related_ && last_.size() > 1) heads_.push_back(std::move(last_));
    last_.clear();
  }
  void end_clause() {
    end_group();
    related_ = false;
  }

  std::vector<std::string> heads_;
  std::string last_;      // of the group under way
  bool related_ = false;  // behind "for": another thing
};

void append_reference(std::string& out, std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> known = {
      {{"amp", "&"},
       {"lt", "<"},
       {"gt", ">"},
       {"quot", "\""},
       {"apos", "'"},
       {"#39", "'"},
       {"eacute", "e"},
       {"egrave", "e"},
       {"uuml", "u"},
       {"ouml", "o"},
       {"auml", "a"},
       {"szlig", "ss"}}};
  for (const auto& [reference, text] : known) {
    if (reference == name) {
      out += text;
      return;
    }
  }
  out += ' ';
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [value, bytes] = next_of(text);
    if (value < 0x80) {
      const char c = static_cast<char>(value);
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (value >= 0xC0 && value < 0x180) {
      const auto letters = latin[value - 0xC0];
      out += letters == "?" ? " " : letters;
    } else if (value >= 0x2018 && value <= 0x2019) {
      out += '\'';
    } else if ((value >= 0x201C && value <= 0x201F) || value == 0x2033) {
      out += '"';
    } else if (value >= 0x2010 && value <= 0x2015) {
      out += '-';
    } else if (is_sign(value)) {
      out += ' ';
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::string without_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    const bool tag = c == '<' && (next == '/' || next == '!' || (next >= 'a' && next <= 'z') ||
                                  (next >= 'A' && next <= 'Z'));
    if (const auto end = tag ? text.find('>', at) : text.npos; end != text.npos) {
      out += ' ';
      at = end;
    } else if (const auto stop = c == '&' ? text.substr(at, 12).find(';') : text.npos;
               stop != text.npos && stop > 1) {
      append_reference(out, text.substr(at + 1, stop - 1));
      at += stop;
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<word> words_of(std::string_view text) {
  const std::string plain = folded(text);
  return splitter(plain).run();
}

std::vector<std::string> plain_words(std::string_view text) {
  std::vector<std::string> plain;
  for (auto& each : words_of(text)) {
    if (!each.joined) plain.push_back(std::move(each.text));
  }
  return plain;
}

bool is_stop_word(std::string_view word) { return one_of(stop_words, word); }

std::vector<std::string> head_words(std::string_view name, std::string_view brand) {
  const std::string plain = folded(name), maker = folded(brand);
  std::string_view rest = plain;
  if (!maker.empty() && rest.starts_with(maker) && rest.size() > maker.size() &&
      rest[maker.size()] == ' ') {
    rest.remove_prefix(maker.size());
  }
  return head_finder().run(rest);
}

}  // namespace omnicart::search
