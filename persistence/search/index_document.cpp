#include "persistence/search/index_document.hpp"

#include <xapian.h>

#include <algorithm>
#include <set>

#include "persistence/search/index_terms.hpp"
#include "persistence/search/query_text.hpp"
#include "persistence/search/words.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::search {
namespace {

constexpr std::uint32_t index_layout =
    3;  // raised when documents are indexed otherwise: then all are, anew
constexpr std::size_t term_bytes_max = 200;  // Xapian's own limit is 245
constexpr std::uint32_t field_gap = 100;     // phrases do not reach from one field into the next
constexpr std::size_t description_bytes_max = 8'000;
constexpr std::size_t attribute_bytes_max = 300;

std::string term(std::string_view prefix, std::string_view text) {
  std::string made(prefix);
  made += text;
  if (made.size() > term_bytes_max) made.resize(term_bytes_max);
  return made;
}

struct field {
  unsigned counts = 1;           // occurrences that a word is worth
  std::string_view prefix = {};  // of its own stems; empty: none
  bool written = false;          // words are offered as completions
  bool placed = true;            // phrases are looked for
};

class builder {
 public:
  builder(Xapian::Document& out, const Xapian::Stem& stem) : out_(out), stem_(stem) {}

  void add(std::string_view text, const field& as) {
    std::uint32_t last = position_;
    for (const auto& each : words_of(text)) {
      if (as.placed && !each.joined) out_.add_posting(each.text, position_ + each.position);
      last = std::max(last, position_ + each.position);
      if (is_stop_word(each.text)) continue;
      const std::string stem = stem_(each.text);
      out_.add_term(term(prefix::any, stem), as.counts);
      if (!as.prefix.empty()) add_once(term(as.prefix, stem));
      if (as.written && !each.joined && each.text.size() > 1)
        out_.add_boolean_term(term(prefix::written, each.text));
    }
    position_ = last + field_gap;
  }

  void add_head(const std::string& word) { add_once(term(prefix::head, stem_(word))); }

 private:
  // Said twice ("Photo Printer inkjet printer") is not more of it.
  void add_once(const std::string& made) {
    if (once_.insert(made).second) out_.add_term(made);
  }

  Xapian::Document& out_;
  const Xapian::Stem& stem_;
  std::uint32_t position_ = 0;
  std::set<std::string> once_;
};

// "product_type", "t_type", "Type of product": the attribute that says what the thing is.
bool is_type(std::string_view attribute) {
  const std::string name = folded(attribute);
  return name == "type" || name == "t_type" || name.find("product_type") != name.npos ||
         name == "product type";
}

// Numbers and yes/no say nothing without the attribute's name, and shops have them by the dozen.
bool is_text(std::string_view value) {
  return value != "true" && value != "false" &&
         std::any_of(value.begin(), value.end(),
                     [](unsigned char c) { return (c | 0x20U) >= 'a' && (c | 0x20U) <= 'z'; });
}

// As they are found by code_query().
void add_codes(Xapian::Document& out, const document& of) {
  const std::string id = folded(of.id);
  out.add_term(term(prefix::id, id));
  if (const auto key = code_key(id); !key.empty() && key != id) out.add_term(term(prefix::code, key));
  for (const auto& code : of.codes) {
    const auto key = code_key(code);
    if (const auto gtin = gtin_key(key); !gtin.empty()) {
      out.add_term(term(prefix::gtin, gtin));
    } else if (!key.empty()) {
      out.add_term(term(prefix::code, key));
    }
  }
}

std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, number >>= 8)
    *at = static_cast<char>(number & 0xFF);
  return bytes;
}

void add_attributes(builder& to, const document& of) {
  for (const auto& [name, value] : of.attributes) {
    if (!is_text(value)) continue;
    const std::string_view shown = std::string_view(value).substr(0, attribute_bytes_max);
    const bool type = is_type(name);
    to.add(shown, {.counts = type ? occurrences::type_attribute : occurrences::attribute,
                   .placed = false});
    if (!type) continue;
    for (const auto& head : head_words(shown, "")) to.add_head(head);
  }
  // A size is looked for, although it may be a bare number.
  for (const auto& [name, value] : of.options)
    to.add(value, {.counts = occurrences::attribute, .placed = false});
}

}  // namespace

std::uint64_t text_hash(const document& of) {
  document looked_at = of;
  looked_at.price = {};
  looked_at.rating_centi = -1;
  looked_at.created_at = {};
  looked_at.other_prices.clear();
  return body_hash(codec::encode(looked_at, index_layout));
}

Xapian::Document index_document(const document& of, std::uint64_t hash, const Xapian::Stem& stem) {
  Xapian::Document out;
  builder to(out, stem);
  to.add(of.name, {.counts = occurrences::name, .prefix = prefix::name, .written = true});
  to.add(of.brand, {.counts = occurrences::brand, .prefix = prefix::brand, .written = true});
  to.add(of.category, {.counts = occurrences::category, .prefix = prefix::category});
  to.add(without_markup(std::string_view(of.description).substr(0, description_bytes_max)),
         {.counts = occurrences::description});
  add_attributes(to, of);
  for (const auto& head : head_words(of.name, of.brand)) to.add_head(head);
  add_codes(out, of);
  out.add_value(value_slot::hash, big_endian(hash));
  out.add_value(value_slot::id, of.id);
  if (!of.family.empty()) out.add_value(value_slot::family, of.family);
  out.set_data(joined_words(spelling_words(of)));
  return out;
}

std::vector<std::string> spelling_words(const document& of) {
  std::set<std::string> words;
  for (const auto* text : {&of.name, &of.brand, &of.category}) {
    for (auto& each : plain_words(*text)) {
      const bool digit =
          std::any_of(each.begin(), each.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!digit && each.size() > 2) words.insert(std::move(each));
    }
  }
  return {words.begin(), words.end()};
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string joined;
  for (const auto& each : words) joined += '\n' + each;
  return joined;
}

std::vector<std::string> split_words(const std::string& joined) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < joined.size();) {
    const auto end = std::min(joined.find('\n', at + 1), joined.size());
    words.push_back(joined.substr(at + 1, end - at - 1));
    at = end;
  }
  return words;
}

}  // namespace omnicart::search
