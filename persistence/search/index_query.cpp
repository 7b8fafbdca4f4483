#include "persistence/search/index_query.hpp"

#include <xapian.h>

#include <algorithm>

#include "persistence/search/index_terms.hpp"
#include "persistence/search/words.hpp"

namespace omnicart::search {
namespace {

using Xapian::Query;

constexpr std::size_t corrected_bytes_min = 4;
constexpr std::size_t half_bytes_min = 3;  // of a word that was written together with another one
constexpr unsigned edits_max = 2;

std::string joined(std::string_view prefix, std::string_view text) {
  return std::string(prefix) + std::string(text);
}

bool has_digit(const std::string& word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// --- words that the index does not know
// ---------------------------------------------------------------------

class adapter {
 public:
  adapter(const Xapian::Database& index, const Xapian::Stem& stem) : index_(index), stem_(stem) {}

  adapted_query run(query_text query) {
    for (auto& each : query.wishes) correct(each);
    add_joined(query.wishes);
    return {std::move(query), std::move(corrections_)};
  }

 private:
  Xapian::doccount documents(const std::string& word) const {
    return index_.get_termfreq(joined(prefix::any, stem_(word)));
  }
  bool known(const std::string& word) const { return documents(word) > 0; }
  bool all_known(const std::vector<std::string>& words) const {
    return std::all_of(words.begin(), words.end(),
                       [this](const auto& word) { return known(word); });
  }

  void correct(wish& of) {
    if (std::any_of(of.alternatives.begin(), of.alternatives.end(),
                    [this](const auto& way) { return all_known(way); }))
      return;
    std::vector<std::string> words;
    bool changed = false;
    for (const auto& word : of.words) {
      if (known(word)) {
        words.push_back(word);
        continue;
      }
      auto better = halves_of(word);
      if (better.empty()) better = {nearest_word(index_, word)};
      if (better.front().empty()) {
        words.push_back(word);
        continue;
      }
      std::string used;
      for (const auto& part : better) used += (used.empty() ? "" : " ") + part;
      corrections_.push_back({word, used});
      words.insert(words.end(), better.begin(), better.end());
      changed = true;
    }
    if (changed) of = with_synonyms(words);
  }

  static wish with_synonyms(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    auto wishes = parse_query(text).wishes;
    if (wishes.size() == 1) return std::move(wishes.front());
    return {.words = words, .alternatives = {}};
  }

  // Two words written as one: those that most documents have. Empty: it is none.
  std::vector<std::string> halves_of(const std::string& word) const {
    std::vector<std::string> best;
    Xapian::doccount most = 1;  // a single document proves nothing
    for (std::size_t cut = half_bytes_min; cut + half_bytes_min <= word.size(); ++cut) {
      const std::string left = word.substr(0, cut), right = word.substr(cut);
      const auto both = std::min(index_.get_termfreq(joined(prefix::written, left)),
                                 index_.get_termfreq(joined(prefix::written, right)));
      if (both <= most) continue;
      most = both;
      best = {left, right};
    }
    return best;
  }

  // "note book", and not "toner black", although "Toner/Black" stands somewhere: the catalogue writes
  // it as one about as often as it has the rarer of the two.
  bool is_one_word(const std::string& one, const std::string& left,
                   const std::string& right) const {
    constexpr Xapian::doccount share = 4;
    return known(one) && documents(one) * share >= std::min(documents(left), documents(right));
  }

  void add_joined(std::vector<wish>& wishes) const {
    for (std::size_t i = 0; i + 1 < wishes.size(); ++i) {
      if (wishes[i].words.size() != 1 || wishes[i + 1].words.size() != 1) continue;
      const std::string one = wishes[i].words.front() + wishes[i + 1].words.front();
      if (has_digit(one)) continue;
      wish whole = with_synonyms({one});
      const auto there = [this](const auto& way) { return all_known(way); };
      const bool is_named = std::any_of(whole.alternatives.begin(), whole.alternatives.end(), there);
      if (!is_named && !is_one_word(one, wishes[i].words.front(), wishes[i + 1].words.front()))
        continue;
      whole.alternatives.insert(whole.alternatives.begin(),
                                {wishes[i].words.front(), wishes[i + 1].words.front()});
      wishes[i] = std::move(whole);
      wishes.erase(wishes.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }

  const Xapian::Database& index_;
  const Xapian::Stem& stem_;
  std::vector<correction> corrections_;
};

// --- words as Xapian's queries
// ------------------------------------------------------------------------------

Query scaled(const Query& what, double by) { return Query(Query::OP_SCALE_WEIGHT, what, by); }

Query of_phrase(const std::vector<std::string>& words) {
  if (words.size() == 1) return Query(words.front());
  return Query(Query::OP_PHRASE, words.begin(), words.end(),
               static_cast<Xapian::termcount>(words.size()));
}

// Words of one query in each field. The ways to say one thing count as one term, as frequent as all
// of them: a synonym is not worth more for being the rarer word. What was asked for literally is
// worth a little more.
class weigher {
 public:
  weigher(const Xapian::Database& index, const Xapian::Stem& stem) : index_(index), stem_(stem) {}

  Query of(const wish& what, double head_boost) const {
    const std::pair<std::string_view, double> fields[] = {{prefix::any, weight::any},
                                                          {prefix::name, weight::name},
                                                          {prefix::brand, weight::brand},
                                                          {prefix::category, weight::category},
                                                          {prefix::head, head_boost}};
    std::vector<Query> all;
    for (const auto& [field, counts] : fields) {
      const Query literal = way(field, what.words);
      if (what.alternatives.empty()) {
        all.push_back(scaled(literal, counts));
        continue;
      }
      std::vector<Query> ways{literal};
      for (const auto& other : what.alternatives) {
        const Query words = way(field, other);
        ways.push_back(other.size() == 1 ? words
                                         : Query(Query::OP_FILTER, words, of_phrase(other)));
      }
      all.push_back(
          scaled(Query(Query::OP_SYNONYM, ways.begin(), ways.end()), counts * weight::synonym));
      all.push_back(scaled(literal, counts * (1 - weight::synonym)));
    }
    return Query(Query::OP_OR, all.begin(), all.end());
  }

  // The wish that names the thing, as English has it: the last one, unless that is rather a brand.
  std::size_t naming(const std::vector<wish>& wishes) const {
    for (std::size_t i = wishes.size(); i-- > 0;) {
      const std::string root = stem_(wishes[i].words.back());
      if (documents(prefix::head, root) > documents(prefix::brand, root)) return i;
    }
    return wishes.empty() ? 0 : wishes.size() - 1;
  }

 private:
  Xapian::doccount documents(std::string_view field, const std::string& root) const {
    return index_.get_termfreq(joined(field, root));
  }

  // All the words in the field; of several the last one says what the thing is.
  Query way(std::string_view field, const std::vector<std::string>& words) const {
    const Query last(joined(field, stem_(words.back())));
    if (words.size() == 1) return last;
    const bool head = field == prefix::head;
    std::vector<Query> all{last};
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
      all.emplace_back(joined(head ? prefix::any : field, stem_(words[i])));
    if (!head) return Query(Query::OP_AND, all.begin(), all.end());
    return Query(Query::OP_FILTER, last, Query(Query::OP_AND, all.begin() + 1, all.end()));
  }

  const Xapian::Database& index_;
  const Xapian::Stem& stem_;
};

std::vector<Query> of_wishes(const Xapian::Database& index, const query_text& query,
                             const Xapian::Stem& stem) {
  const weigher weights(index, stem);
  const auto naming = weights.naming(query.wishes);
  std::vector<Query> all;
  for (std::size_t i = 0; i < query.wishes.size(); ++i) {
    all.push_back(weights.of(query.wishes[i], i == naming ? weight::head : weight::other_head));
  }
  return all;
}

std::vector<std::string> terms_of_code(const std::string& code) {
  std::vector<std::string> terms{joined(prefix::id, code)};
  if (const auto gtin = gtin_key(code); !gtin.empty()) terms.push_back(joined(prefix::gtin, gtin));
  return terms;
}

Query any_of(const std::vector<std::string>& terms) {
  return Query(Query::OP_OR, terms.begin(), terms.end());
}

Query of_code(const std::string& code) { return any_of(terms_of_code(code)); }

Query without(const Query& what, const query_text& query) {
  Query rest = what;
  for (const auto& words : query.unwanted) rest = Query(Query::OP_AND_NOT, rest, of_phrase(words));
  return rest;
}

// What all documents that match have: the phrases, or nothing.
void add_phrases(std::vector<Query>& to, const query_text& query) {
  for (const auto& words : query.phrases) to.push_back(of_phrase(words));
}

Query with_code(const Query& words, const query_text& query) {
  if (query.code.empty()) return words;
  if (words.empty()) return scaled(of_code(query.code), weight::code);
  return Query(Query::OP_OR, words, scaled(of_code(query.code), weight::code));
}

// Side by side, in any order, for two wishes or more that are a word each.
Query near_query(const query_text& query) {
  std::vector<std::string> words;
  for (const auto& each : query.wishes) {
    if (each.words.size() == 1) words.push_back(each.words.front());
  }
  if (words.size() < 2) return Query();
  return Query(Query::OP_NEAR, words.begin(), words.end(),
               static_cast<Xapian::termcount>(words.size() + 2));
}

Query all_of(std::vector<Query> all, const query_text& query) {
  add_phrases(all, query);
  if (all.empty()) return query.unwanted.empty() ? Query() : Query::MatchAll;
  return Query(Query::OP_AND, all.begin(), all.end());
}

// Any one of two wishes, two of three or more. Groups of wishes that must meet are spelled out.
Query half_of(const std::vector<Query>& wishes) {
  if (wishes.empty()) return Query();
  const Query any(Query::OP_OR, wishes.begin(), wishes.end());
  const std::size_t needed = (wishes.size() + 1) / 2;
  if (needed < 2) return any;
  // Two of them: pairs. That more are not asked for makes no difference to what stands on the first
  // pages.
  std::vector<Query> pairs;
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    std::vector<Query> others(wishes.begin() + static_cast<std::ptrdiff_t>(i) + 1, wishes.end());
    if (!others.empty())
      pairs.emplace_back(Query::OP_AND, wishes[i],
                         Query(Query::OP_OR, others.begin(), others.end()));
  }
  return Query(Query::OP_FILTER, any, Query(Query::OP_OR, pairs.begin(), pairs.end()));
}

}  // namespace

std::string nearest_word(const Xapian::Database& index, const std::string& word) {
  if (word.size() < corrected_bytes_min || has_digit(word)) return {};
  return index.get_spelling_suggestion(word, word.size() < 6 ? 1 : edits_max);
}

adapted_query adapt(const Xapian::Database& index, const query_text& query,
                    const Xapian::Stem& stem) {
  return adapter(index, stem).run(query);
}

Xapian::Query code_query(const Xapian::Database& index, const query_text& query) {
  const auto known = [&](const std::vector<std::string>& terms) {
    return std::any_of(terms.begin(), terms.end(),
                       [&](const auto& term) { return index.term_exists(term); });
  };
  if (query.code_key.empty() || known(terms_of_code(query.code))) return Query();
  auto terms = terms_of_code(query.code_key);
  terms.push_back(joined(prefix::code, query.code_key));
  return known(terms) ? scaled(any_of(terms), weight::code) : Query();
}

Xapian::Query strict_query(const Xapian::Database& index, const query_text& query,
                           const Xapian::Stem& stem) {
  Query all = all_of(of_wishes(index, query, stem), query);
  if (const Query near = near_query(query); !near.empty()) {
    all = Query(Query::OP_AND_MAYBE, all, scaled(near, weight::side_by_side));
  }
  return without(with_code(all, query), query);
}

Xapian::Query relaxed_query(const Xapian::Database& index, const query_text& query,
                            const Xapian::Stem& stem) {
  const auto wishes = of_wishes(index, query, stem);
  Query half = half_of(wishes);
  std::vector<Query> phrases;
  add_phrases(phrases, query);
  if (!phrases.empty()) {
    const Query quoted(Query::OP_AND, phrases.begin(), phrases.end());
    half = Query(Query::OP_AND_MAYBE, quoted, half);
  }
  half = Query(Query::OP_AND_MAYBE, half, scaled(all_of(wishes, query), weight::all_wishes));
  if (const Query near = near_query(query); !near.empty()) {
    half = Query(Query::OP_AND_MAYBE, half, scaled(near, weight::side_by_side));
  }
  return without(with_code(half, query), query);
}

}  // namespace omnicart::search
