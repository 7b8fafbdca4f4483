#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/search/document.hpp"
#include "persistence/search/query_text.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::search {

// A document by its number: 0, 1, … as its owner counts.
using slot = std::uint32_t;

struct hit {
  slot at = 0;
  double score = 0;
};

struct correction {
  std::string asked, used;
  friend bool operator==(const correction&, const correction&) = default;
};

// What stands for several in a list.
enum class collapse : std::uint8_t {
  none,    // nothing: all are shown
  family,  // the best of its family, which is shown once; those of no family all are
};

struct found {
  std::vector<hit> best;  // by score, equal ones by id
  std::uint64_t total = 0;  // documents that match and were accepted, collapsed or not
  bool relaxed = false;  // few documents have everything that was asked for: some have only a part
  std::vector<correction> corrections;
};

// Full text of documents in a folder of its own (Xapian, glass). What is put is found at once; what
// is on disk is a cache: after a crash, or when the folder is lost, hashes() tells what has to be
// put again. Ranking: docs/search.md.
//
// One thread. Every call may fail with base_errc::io; then the folder is to be dropped and the
// index opened anew.
class text_index {
 public:
  // Makes the folder if it is absent, and begins anew where what lies there does not read.
  static result<std::unique_ptr<text_index>> open(const std::string& folder);
  ~text_index();
  text_index(const text_index&) = delete;
  text_index& operator=(const text_index&) = delete;

  // Replaces what the slot held. `hash`: text_hash(of).
  status put(slot at, const document& of, std::uint64_t hash);
  status erase(slot at);
  // Writes to the disk what was put since; not synced. put() does so by itself every some thousand
  // documents.
  status commit();
  // By slot: the hash it was put with; 0: nothing is there.
  result<std::vector<std::uint64_t>> hashes() const;

  // The best `count` of the documents that match and that `accept` takes, which is called once for
  // each that matches. What it does not take stands for no others.
  using accept_fn = std::function<bool(slot at)>;
  result<found> find(const query_text& query, std::size_t count, const accept_fn& accept,
                     collapse to = collapse::none) const;
  // Documents that share words with this one, best first; `accept` as above.
  result<std::vector<hit>> alike(slot at, std::size_t count, const accept_fn& accept) const;

  // Words of names and brands that begin with `prefix` (folded), most frequent first.
  struct counted_word {
    std::string text;
    std::uint64_t documents = 0;
  };
  result<std::vector<counted_word>> words_beginning(const std::string& prefix,
                                                    std::size_t count) const;
  // Documents whose names hold all `words` and one of `endings`, unless that is empty.
  result<std::vector<slot>> names_with(const std::vector<std::string>& words,
                                       const std::vector<std::string>& endings,
                                       std::size_t count) const;
  // The nearest word of the catalogue; "" when the word is known, or nothing is near.
  result<std::string> corrected(const std::string& word) const;

 private:
  class impl;
  explicit text_index(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

}  // namespace omnicart::search
