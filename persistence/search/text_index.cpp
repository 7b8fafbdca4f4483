#include "persistence/search/text_index.hpp"

#include <xapian.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "persistence/search/index_document.hpp"
#include "persistence/search/index_query.hpp"
#include "persistence/search/index_terms.hpp"
#include "persistence/search/words.hpp"

namespace omnicart::search {
namespace {

constexpr std::size_t puts_per_commit = 5'000;
constexpr Xapian::doccount strict_enough =
    10;  // documents with everything: nobody needs those with less
constexpr std::size_t words_alike_max = 20;
constexpr int open_flags = Xapian::DB_BACKEND_GLASS | Xapian::DB_NO_SYNC;

Xapian::docid id_of(slot at) { return at + 1; }
slot slot_of(Xapian::docid id) { return id - 1; }

std::uint64_t from_big_endian(const std::string& bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

// Asked for every document that matches, since counts depend on it.
class decider final : public Xapian::MatchDecider {
 public:
  explicit decider(const text_index::accept_fn& accept) : accept_(accept) {}
  bool operator()(const Xapian::Document& document) const override {
    return accept_(slot_of(document.get_docid()));
  }

 private:
  const text_index::accept_fn& accept_;
};

}  // namespace

class text_index::impl {
 public:
  explicit impl(const std::string& folder, int how) : index_(folder, how | open_flags) {}

  void put(slot at, const document& of, std::uint64_t hash) {
    forget_spelling(at);
    index_.replace_document(id_of(at), index_document(of, hash, stem_));
    for (const auto& word : spelling_words(of)) index_.add_spelling(word);
    changed();
  }

  void erase(slot at) {
    if (!forget_spelling(at)) return;
    index_.delete_document(id_of(at));
    changed();
  }

  void commit() {
    if (std::exchange(uncommitted_, 0) > 0) index_.commit();
  }

  std::vector<std::uint64_t> hashes() const {
    std::vector<std::uint64_t> all(index_.get_lastdocid(), 0);
    for (auto at = index_.valuestream_begin(value_slot::hash);
         at != index_.valuestream_end(value_slot::hash); ++at) {
      all.at(slot_of(at.get_docid())) = from_big_endian(*at);
    }
    return all;
  }

  found find(const query_text& query, std::size_t count, const accept_fn& accept,
             collapse to) const {
    const adapted_query adapted = adapt(index_, query, stem_);
    found all;
    const Xapian::Query strict = strict_query(index_, adapted.query, stem_);
    const bool several = adapted.query.wishes.size() > 1;
    const auto matching = count_of(strict, several ? strict_enough : 1);
    // Words that were corrected did not match as they were typed.
    if (matching == 0 || !adapted.corrections.empty()) {
      if (const auto code = code_query(index_, query); !code.empty()) {
        all.best = match(code, count, accept, all.total, to);
        return all;
      }
    }
    all.corrections = adapted.corrections;
    all.relaxed = several && matching < strict_enough;
    all.best = match(all.relaxed ? relaxed_query(index_, adapted.query, stem_) : strict, count,
                     accept, all.total, to);
    return all;
  }

  std::vector<hit> alike(slot at, std::size_t count, const accept_fn& accept) const {
    std::vector<Xapian::Query> words;
    const std::string mark(prefix::name);
    Xapian::TermIterator term = index_.termlist_begin(id_of(at));
    for (term.skip_to(mark); term != index_.termlist_end(id_of(at)) && (*term).starts_with(mark);
         ++term) {
      if (words.size() < words_alike_max) words.emplace_back(*term);
    }
    const std::string head(prefix::head);
    for (auto each = index_.termlist_begin(id_of(at)); each != index_.termlist_end(id_of(at));
         ++each) {
      if ((*each).starts_with(head))
        words.emplace_back(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(*each), 2 * weight::head);
    }
    std::uint64_t total = 0;
    return match(
        Xapian::Query(Xapian::Query::OP_OR, words.begin(), words.end()), count,
        [&](slot other) { return other != at && accept(other); }, total, collapse::none);
  }

  std::vector<counted_word> words_beginning(const std::string& beginning, std::size_t count) const {
    const std::string from = std::string(prefix::written) + beginning;
    std::vector<counted_word> words;
    for (auto at = index_.allterms_begin(from); at != index_.allterms_end(from); ++at) {
      words.push_back({(*at).substr(prefix::written.size()), at.get_termfreq()});
    }
    const auto most = std::min(count, words.size());
    std::partial_sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(most), words.end(),
                      [](const auto& a, const auto& b) {
                        return std::pair(b.documents, a.text) < std::pair(a.documents, b.text);
                      });
    words.resize(most);
    return words;
  }

  std::vector<slot> names_with(const std::vector<std::string>& words,
                               const std::vector<std::string>& endings, std::size_t count) const {
    std::vector<Xapian::Query> all, any;
    for (const auto& word : words) all.emplace_back(std::string(prefix::written) + word);
    for (const auto& word : endings) any.emplace_back(std::string(prefix::written) + word);
    if (!any.empty()) all.emplace_back(Xapian::Query::OP_OR, any.begin(), any.end());
    Xapian::Enquire ask(index_);
    ask.set_query(Xapian::Query(Xapian::Query::OP_AND, all.begin(), all.end()));
    ask.set_weighting_scheme(Xapian::BoolWeight());
    ask.set_docid_order(Xapian::Enquire::DONT_CARE);
    std::vector<slot> slots;
    const auto got = ask.get_mset(0, static_cast<Xapian::doccount>(count));
    for (auto at = got.begin(); at != got.end(); ++at) slots.push_back(slot_of(*at));
    return slots;
  }

  std::string corrected(const std::string& word) const {
    if (index_.get_termfreq(std::string(prefix::any) + stem_(word)) > 0) return {};
    return nearest_word(index_, word);
  }

 private:
  void changed() {
    if (++uncommitted_ >= puts_per_commit) commit();
  }

  // False: there is no such document.
  bool forget_spelling(slot at) {
    try {
      for (const auto& word : split_words(index_.get_document(id_of(at)).get_data()))
        index_.remove_spelling(word);
      return true;
    } catch (const Xapian::DocNotFoundError&) {
      return false;
    }
  }

  // Documents that match; not counted further than to `most`.
  Xapian::doccount count_of(const Xapian::Query& query, Xapian::doccount most) const {
    Xapian::Enquire ask(index_);
    ask.set_query(query);
    ask.set_weighting_scheme(Xapian::BoolWeight());
    ask.set_docid_order(Xapian::Enquire::DONT_CARE);
    return ask.get_mset(0, most).size();
  }

  std::vector<hit> match(const Xapian::Query& query, std::size_t count, const accept_fn& accept,
                         std::uint64_t& total, collapse to) const {
    Xapian::Enquire ask(index_);
    ask.set_query(query);
    ask.set_weighting_scheme(Xapian::BM25Weight(bm25::k1, 0, 1, bm25::b, bm25::min_normlen));
    ask.set_sort_by_relevance_then_value(value_slot::id, false);
    if (to == collapse::family) ask.set_collapse_key(value_slot::family);
    std::uint64_t accepted = 0;
    const accept_fn counted = [&](slot at) {
      const bool taken = accept(at);
      accepted += taken ? 1 : 0;
      return taken;
    };
    const decider which(counted);
    const auto got = ask.get_mset(0, static_cast<Xapian::doccount>(count), index_.get_doccount(),
                                  nullptr, &which);
    total = accepted;
    std::vector<hit> hits;
    hits.reserve(got.size());
    for (auto at = got.begin(); at != got.end(); ++at)
      hits.push_back({slot_of(*at), at.get_weight()});
    return hits;
  }

  Xapian::WritableDatabase index_;
  Xapian::Stem stem_{"english"};
  std::size_t uncommitted_ = 0;
};

namespace {

template <class Call>
auto guarded(Call call) -> result<decltype(call())> {
  try {
    return call();
  } catch (const Xapian::Error& why) {
    return fail(base_errc::io, "search index: " + why.get_description());
  }
}

template <class Call>
status guarded_status(Call call) {
  try {
    call();
    return {};
  } catch (const Xapian::Error& why) {
    return fail(base_errc::io, "search index: " + why.get_description());
  }
}

}  // namespace

text_index::text_index(std::unique_ptr<impl> inner) : impl_(std::move(inner)) {}
// Closing writes what was put; a destructor has nobody to tell of a failure, and the index is only
// a cache.
text_index::~text_index() {
  if (!impl_) return;
  [[maybe_unused]] const auto written = guarded_status([this] { impl_->commit(); });
}

result<std::unique_ptr<text_index>> text_index::open(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const auto opened = [&](int how) {
    return guarded([&] {
      return std::unique_ptr<text_index>(new text_index(std::make_unique<impl>(folder, how)));
    });
  };
  if (auto found = opened(Xapian::DB_CREATE_OR_OPEN)) return found;
  return opened(Xapian::DB_CREATE_OR_OVERWRITE);
}

status text_index::put(slot at, const document& of, std::uint64_t hash) {
  return guarded_status([&] { impl_->put(at, of, hash); });
}
status text_index::erase(slot at) {
  return guarded_status([&] { impl_->erase(at); });
}
status text_index::commit() {
  return guarded_status([&] { impl_->commit(); });
}
result<std::vector<std::uint64_t>> text_index::hashes() const {
  return guarded([&] { return impl_->hashes(); });
}
result<found> text_index::find(const query_text& query, std::size_t count, const accept_fn& accept,
                               collapse to) const {
  return guarded([&] { return impl_->find(query, count, accept, to); });
}
result<std::vector<hit>> text_index::alike(slot at, std::size_t count,
                                           const accept_fn& accept) const {
  return guarded([&] { return impl_->alike(at, count, accept); });
}
result<std::vector<text_index::counted_word>> text_index::words_beginning(const std::string& prefix,
                                                                          std::size_t count) const {
  return guarded([&] { return impl_->words_beginning(prefix, count); });
}
result<std::vector<slot>> text_index::names_with(const std::vector<std::string>& words,
                                                 const std::vector<std::string>& endings,
                                                 std::size_t count) const {
  return guarded([&] { return impl_->names_with(words, endings, count); });
}
result<std::string> text_index::corrected(const std::string& word) const {
  return guarded([&] { return impl_->corrected(word); });
}

}  // namespace omnicart::search
