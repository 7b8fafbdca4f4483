#include "persistence/search/query_text.hpp"

#include <algorithm>
#include <optional>

#include "persistence/search/synonyms.hpp"
#include "persistence/search/words.hpp"

namespace omnicart::search {
namespace {

constexpr std::size_t code_bytes_max = 64;

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(' ');
  if (from == text.npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

// One written word: its parts and, if there are several, the whole.
struct chunk {
  std::vector<std::string> parts;
  std::string whole;  // "" for one part
};

chunk chunk_of(std::string_view written) {
  chunk made;
  for (auto& each : words_of(written)) {
    if (!each.joined) {
      made.parts.push_back(std::move(each.text));
    } else if (each.text.size() > made.whole.size()) {
      made.whole = std::move(each.text);
    }
  }
  return made;
}

class reader {
 public:
  explicit reader(std::string_view text) : text_(folded(text)) {}

  query_text run() {
    for (std::size_t at = 0; at < text_.size();) at = step(at);
    query_text query;
    query.phrases = std::move(phrases_);
    query.unwanted = std::move(unwanted_);
    leave_out_stop_words();
    query.wishes = wishes();
    query.code = code();
    if (query.unwanted.empty()) query.code_key = code_key(text_);
    return query;
  }

 private:
  // Takes what begins at `at`; returns where to go on.
  std::size_t step(std::size_t at) {
    const char c = text_[at];
    const bool begins = at == 0 || text_[at - 1] == ' ';
    if (c == ' ') return at + 1;
    if (c == '"' && begins) {
      const auto end = text_.find('"', at + 1);
      if (end != text_.npos) {
        if (auto words = plain_words(text_.substr(at + 1, end - at - 1)); !words.empty() && room())
          phrases_.push_back(words);
        return end + 1;
      }
    }
    const auto end = std::min(text_.find(' ', at), text_.size());
    const bool refused = c == '-' && begins && end > at + 1;
    auto made = chunk_of(std::string_view(text_).substr(at, end - at));
    if (made.parts.empty() || !room()) return end;
    if (refused) {
      unwanted_.push_back(std::move(made.parts));
    } else {
      chunks_.push_back(std::move(made));
    }
    return end;
  }

  bool room() const {
    return chunks_.size() + phrases_.size() + unwanted_.size() < query_words_max;
  }

  void leave_out_stop_words() {
    std::vector<chunk> telling;
    for (const auto& each : chunks_) {
      if (each.parts.size() > 1 || !is_stop_word(each.parts.front())) telling.push_back(each);
    }
    if (!telling.empty()) chunks_ = std::move(telling);
  }

  // The longest run of chunks at `at` that the table of synonyms knows becomes one wish.
  std::vector<wish> wishes() const {
    std::vector<wish> made;
    for (std::size_t at = 0; at < chunks_.size();) {
      std::size_t taken = 1;
      wish each = of_one(chunks_[at]);
      for (std::size_t count = std::min(synonym_words_max, chunks_.size() - at); count > 1;
           --count) {
        if (auto known = of_several(at, count)) {
          each = std::move(*known);
          taken = count;
          break;
        }
      }
      at += taken;
      if (std::find(made.begin(), made.end(), each) == made.end()) made.push_back(std::move(each));
    }
    return made;
  }

  static wish of_one(const chunk& from) {
    wish made{.words = from.parts, .alternatives = {}};
    if (!from.whole.empty()) made.alternatives.push_back({from.whole});
    for (auto& other : synonyms_of(from.parts)) made.alternatives.push_back(std::move(other));
    if (!from.whole.empty()) {
      for (auto& other : synonyms_of({from.whole})) made.alternatives.push_back(std::move(other));
    }
    return made;
  }

  std::optional<wish> of_several(std::size_t at, std::size_t count) const {
    wish made;
    for (std::size_t i = at; i < at + count; ++i) {
      made.words.insert(made.words.end(), chunks_[i].parts.begin(), chunks_[i].parts.end());
    }
    made.alternatives = synonyms_of(made.words);
    if (made.alternatives.empty()) return std::nullopt;
    return made;
  }

  std::string code() const {
    const std::string whole = trimmed(text_);
    return whole.size() <= code_bytes_max ? whole : std::string();
  }

  std::string text_;
  std::vector<chunk> chunks_;
  std::vector<std::vector<std::string>> phrases_, unwanted_;
};

}  // namespace

query_text parse_query(std::string_view text) { return reader(text).run(); }

std::string code_key(std::string_view text) {
  std::string key = folded(text);
  std::erase_if(key, [](char c) { return c == ' ' || c == '-' || c == '"' || c == '\''; });
  const bool has_digit =
      std::any_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  return has_digit && key.size() <= code_bytes_max ? key : std::string();
}

std::string gtin_key(std::string_view text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() < 8 || text.size() > 14) return {};
  const auto from = text.find_first_not_of('0');
  return from == text.npos ? std::string() : std::string(text.substr(from));
}

}  // namespace omnicart::search
