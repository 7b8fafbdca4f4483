#include "persistence/search/text_index.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "persistence/search/fact_table.hpp"

namespace omnicart::search {
namespace text_index_test {

class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-search.XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::string path;
};

struct thing {
  const char *id, *name, *brand, *category, *description, *code;
};

// A shop in small: each kind of thing with what goes with it.
constexpr thing things[] = {
    {"n1", "Acme 14p Notebook Gray 35 cm", "Acme", "computers > notebooks", "Fast and light", ""},
    {"n2", "Bolt Air 13 Notebook Black", "Bolt", "computers > notebooks",
     "A notebook for every day", ""},
    {"s1", "Acme Notebook sleeve", "Acme", "computers > bags", "Keeps a notebook safe", ""},
    {"c1", "Corda Notebook power cable", "Corda", "computers > cables", "For notebook and printer",
     ""},
    {"p1", "Acme LQ-680 laser printer", "Acme", "computers > printers", "Prints 20 pages a minute",
     "5000000000017"},
    {"p2", "Acme printer cable", "Acme", "computers > cables", "USB-C, 2 m", ""},
    {"k1", "Red kettle", "Bolt", "home > kitchen", "Boils water; stainless steel", "0088698629123"},
    {"k2", "Kettle descaler", "Corda", "home > kitchen", "For a kettle of any colour, red ones too",
     ""},
    {"h1", "Sona wireless headphones", "Sona", "audio", "Hear everything", ""},
    {"h2", "Sona headset", "Sona", "audio", "With a microphone", ""},
    {"d1", "Seacrest 2 TB hard drive", "Seacrest", "computers > storage", "", ""},
    {"m1", "Sandy memory card 128 GB", "Sandy", "computers > storage", "Class 10", ""},
};

document document_of(const thing& from) {
  document made;
  made.id = from.id;
  made.name = from.name;
  made.brand = from.brand;
  made.category = from.category;
  made.description = from.description;
  if (*from.code) made.codes.push_back(from.code);
  return made;
}

struct shop {
  shop() {
    for (const auto& each : things) {
      const auto at = static_cast<slot>(&each - things);
      BOOST_REQUIRE(index->put(at, document_of(each), text_hash(document_of(each))).has_value());
    }
  }
  found ask(const std::string& text, std::size_t count = 20) const {
    auto got = index->find(parse_query(text), count, [](slot) { return true; });
    BOOST_REQUIRE(got.has_value());
    return std::move(*got);
  }
  std::string ids(const found& got, std::size_t most = 20) const {
    std::string all;
    for (std::size_t i = 0; i < std::min(most, got.best.size()); ++i)
      all += (i ? " " : "") + std::string(things[got.best[i].at].id);
    return all;
  }
  std::set<std::string> set_of(const std::string& text) const {
    std::set<std::string> all;
    for (const auto& each : ask(text).best) all.insert(things[each.at].id);
    return all;
  }

  folder home;
  std::unique_ptr<text_index> index = std::move(*text_index::open(home.path));
};

BOOST_FIXTURE_TEST_SUITE(text_indexes, shop)

BOOST_AUTO_TEST_CASE(the_thing_itself_stands_before_what_goes_with_it) {
  const std::pair<const char*, std::set<std::string>> table[] = {
      {"notebook", {"n1", "n2"}}, {"printer", {"p1"}},         {"kettle", {"k1"}},
      {"printer cable", {"p2"}},  {"notebook sleeve", {"s1"}}, {"acme notebook", {"n1"}},
      {"notebook acme", {"n1"}},
  };
  for (const auto& [text, first] : table) {
    BOOST_TEST_CONTEXT(text) {
      const auto got = ask(text);
      std::set<std::string> best;
      for (std::size_t i = 0; i < std::min(first.size(), got.best.size()); ++i)
        best.insert(things[got.best[i].at].id);
      BOOST_TEST((best == first), ids(got));
    }
  }
}

BOOST_AUTO_TEST_CASE(other_forms_and_words_find_the_same_thing) {
  const std::pair<const char*, const char*> table[] = {
      {"kettles", "k1"},     {"laptop", "n1"},     {"hdd", "d1"},        {"harddrive", "d1"},
      {"lap top", "n1"},     {"usbc cable", "p2"}, {"128gb card", "m1"}, {"128 gb card", "m1"},
      {"usb-c cable", "p2"}, {"lq680", "p1"},      {"boiling", "k1"},    {"LASER", "p1"},
  };
  for (const auto& [text, id] : table) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(set_of(text).contains(id)); }
  }
}

// One product that writes two words as one does not hide those that have both.
BOOST_AUTO_TEST_CASE(words_are_joined_only_where_the_catalogue_does_so) {
  constexpr slot first = 100, last = 111;
  for (slot at = first; at <= last; ++at) {
    document made;
    made.id = "t" + std::to_string(at);
    made.name = at == first ? "Okido Toner/Black" : "Epsy black toner cartridge " + std::to_string(at);
    BOOST_REQUIRE(index->put(at, made, text_hash(made)).has_value());
  }
  BOOST_TEST(ask("toner black").best.size() == 12u);
  BOOST_TEST(ask("black toner").best.size() == 12u);
}

BOOST_AUTO_TEST_CASE(typing_errors_are_corrected_and_said) {
  const struct {
    const char *text, *from, *to, *id;
  } table[] = {{"ketle", "ketle", "kettle", "k1"},
               {"notebok", "notebok", "notebook", "n2"},
               {"haedphones", "haedphones", "headphones", "h1"}};
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.text) {
      const auto got = ask(row.text);
      BOOST_TEST((got.corrections == std::vector<correction>{{row.from, row.to}}));
      BOOST_TEST(set_of(row.text).contains(row.id));
    }
  }
  BOOST_TEST(ask("kettle").corrections.empty());
  BOOST_TEST(ask("qqqqzzzz").total == 0u);
}

BOOST_AUTO_TEST_CASE(quoted_words_stand_side_by_side_and_refused_ones_nowhere) {
  BOOST_TEST((set_of("\"red kettle\"") == std::set<std::string>{"k1"}));
  BOOST_TEST((set_of("\"kettle red\"").empty()));
  BOOST_TEST((set_of("kettle -descaler") == std::set<std::string>{"k1"}));
  BOOST_TEST(!set_of("-kettle").contains("k1"));
  BOOST_TEST(set_of("-kettle").size() == std::size(things) - 2);
}

BOOST_AUTO_TEST_CASE(a_code_finds_its_product_first) {
  const std::pair<const char*, const char*> table[] = {{"5000000000017", "p1"},
                                                       {"0088698629123", "k1"},
                                                       {"088698629123", "k1"},
                                                       {"N2", "n2"},
                                                       {"k2", "k2"}};
  for (const auto& [code, id] : table) {
    BOOST_TEST_CONTEXT(code) { BOOST_TEST(ids(ask(code), 1) == id); }
  }
}

// Things that are known by nothing but their ids and codes.
BOOST_AUTO_TEST_CASE(a_code_is_found_however_it_is_grouped_or_quoted) {
  const struct {
    const char *id, *code;
  } coded[] = {{"b-2041", "978-0-306-40615-7"},
               {"x9", "ZK-07/b"},
               {"acme-14p", ""},
               {"laser-kettle", ""},
               {"haedphones-7", ""}};
  for (slot i = 0; i < std::size(coded); ++i) {
    document made;
    made.id = coded[i].id;
    made.name = "Gizmo";
    if (*coded[i].code) made.codes.push_back(coded[i].code);
    BOOST_REQUIRE(index->put(std::size(things) + i, made, text_hash(made)).has_value());
  }
  const auto found_by = [&](const std::string& text) {
    std::string all;
    for (const auto& [at, score] : ask(text).best) {
      all += (all.empty() ? "" : " ");
      all += at < std::size(things) ? things[at].id : coded[at - std::size(things)].id;
    }
    return all;
  };
  const std::pair<const char*, const char*> table[] = {
      {"\"0088698629123\"", "k1"},
      {"0088 698629123", "k1"},
      {"0088-698-629-123", "k1"},
      {"\xE2\x80\x9C"
       "88698629123\xE2\x80\x9D",
       "k1"},
      {"'5000000000017'", "p1"},
      {"\"n2\"", "n2"},
      {"N 2", "n2"},
      {"b-2041", "b-2041"},
      {"B2041", "b-2041"},
      {"\"b 2041\"", "b-2041"},
      {"978-0-306-40615-7", "b-2041"},
      {"9780306406157", "b-2041"},
      {"978 0 306 40615 7", "b-2041"},
      {"zk07/b", "x9"},
      {"haedphones 7", "haedphones-7"},  // rather than another spelling of it
      // What matches as words stays so, and words are no code.
      {"acme 14p", "n1 s1 p2 p1"},
      {"\"14p notebook\"", "n1"},
      {"laser kettle", "k1 p1 k2"},
      // More than the code, or less.
      {"\"0088698629123\" -red", ""},
      {"0088 69862912", ""},
      {"0088698629123 gizmos", "acme-14p b-2041 haedphones-7 laser-kettle x9"},
  };
  for (const auto& [text, wanted] : table) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(found_by(text) == wanted); }
  }
  BOOST_TEST(!ask("0088 698629123").relaxed);
  BOOST_TEST(ask("haedphones 7").corrections.empty());
  BOOST_TEST(ask("laser kettle").relaxed);
}

BOOST_AUTO_TEST_CASE(with_too_little_that_has_every_word_a_part_will_do) {
  const auto got = ask("red wireless kettle");
  BOOST_TEST(got.relaxed);
  BOOST_TEST(ids(got, 1) == "k1");
  BOOST_TEST(!ask("kettle").relaxed);
}

BOOST_AUTO_TEST_CASE(what_is_replaced_or_erased_is_found_as_it_is_now) {
  document changed = document_of(things[6]);
  changed.name = "Blue teapot";
  changed.description.clear();
  BOOST_REQUIRE(index->put(6, changed, text_hash(changed)).has_value());
  BOOST_TEST(!set_of("kettle").contains("k1"));
  BOOST_TEST(set_of("teapot").contains("k1"));
  BOOST_REQUIRE(index->erase(6).has_value());
  BOOST_TEST(set_of("teapot").empty());
  BOOST_REQUIRE(index->erase(6).has_value());
  BOOST_TEST(index->hashes()->at(6) == 0u);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_opened_again_holds_what_was_put) {
  const auto before = ids(ask("notebook"));
  const auto hashes = *index->hashes();
  index.reset();
  index = std::move(*text_index::open(home.path));
  BOOST_TEST(*index->hashes() == hashes, boost::test_tools::per_element());
  BOOST_TEST(ids(ask("notebook")) == before);
}

BOOST_AUTO_TEST_CASE(a_damaged_folder_begins_anew) {
  index.reset();
  for (const auto& each : std::filesystem::directory_iterator(home.path)) {
    if (each.is_regular_file()) std::ofstream(each.path(), std::ios::trunc) << "damaged";
  }
  auto opened = text_index::open(home.path);
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST((*opened)->hashes()->empty());
}

BOOST_AUTO_TEST_CASE(alike_is_what_shares_words_and_kind) {
  const auto got = index->alike(0, 3, [](slot) { return true; });
  BOOST_REQUIRE(got.has_value());
  BOOST_REQUIRE(!got->empty());
  BOOST_TEST(things[got->front().at].id == "n2");
}

BOOST_AUTO_TEST_CASE(words_are_completed_most_frequent_first) {
  const auto words = index->words_beginning("no", 5);
  BOOST_REQUIRE(words.has_value());
  BOOST_REQUIRE(!words->empty());
  BOOST_TEST(words->front().text == "notebook");
  BOOST_TEST(words->front().documents == 4u);
  BOOST_TEST(index->words_beginning("zzz", 5)->empty());
  BOOST_TEST(index->names_with({"acme"}, {"notebook"}, 5)->size() == 2u);
}

BOOST_AUTO_TEST_CASE(every_document_that_matches_is_shown_to_the_counter_once) {
  std::multiset<slot> seen;
  const auto got = index->find(parse_query("acme"), 1, [&](slot each) {
    seen.insert(each);
    return each != 0;
  });
  BOOST_REQUIRE(got.has_value());
  BOOST_TEST(got->best.size() == 1u);
  BOOST_TEST(got->total == 3u);
  BOOST_TEST(seen.size() == 4u);
  BOOST_TEST(seen.count(0) == 1u);
}

// Twelve cups in three families and four of none; the ones of a family differ in how well they fit.
BOOST_AUTO_TEST_CASE(collapsed_the_best_of_each_family_stands_for_it) {
  constexpr slot first = 200, count = 12;
  for (slot i = 0; i < count; ++i) {
    document made;
    made.id = "cup" + std::to_string(10 + i);
    made.name = i % 3 == 0 ? "Cup" : i % 3 == 1 ? "Saucer" : "Cup and saucer with a spoon";
    made.description = "Goes with a cup";
    if (i < 8) made.family = "family" + std::to_string(i % 2);
    made.options = made.family.empty() ? std::vector<std::pair<std::string, std::string>>()
                                       : std::vector<std::pair<std::string, std::string>>{
                                             {"glaze", i == 3 ? "celadon" : "white"},
                                             {"size", "7" + std::to_string(i)}};
    BOOST_REQUIRE(index->put(first + i, made, text_hash(made)).has_value());
  }
  const auto all = ask("cup", 100);
  BOOST_REQUIRE(all.best.size() == count);
  for (const std::size_t most :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{100}}) {
    for (const slot left_out : {slot{0}, all.best.front().at}) {
      std::multiset<slot> seen;
      const auto accept = [&](slot at) {
        seen.insert(at);
        return at != left_out;
      };
      const auto got = index->find(parse_query("cup"), most, accept, collapse::family);
      BOOST_REQUIRE(got.has_value());
      // The same list, without what comes behind one of its family.
      std::vector<slot> wanted;
      std::set<slot> families;
      for (const auto& each : all.best) {
        const slot i = each.at - first;
        const bool is_better_there = i < 8 && each.at != left_out && !families.insert(i % 2).second;
        if (each.at != left_out && !is_better_there) wanted.push_back(each.at);
      }
      wanted.resize(std::min(most, wanted.size()));
      std::vector<slot> shown;
      for (const auto& each : got->best) shown.push_back(each.at);
      BOOST_TEST(shown == wanted, boost::test_tools::per_element());
      BOOST_TEST(got->total == (left_out == 0 ? count : count - 1));
      BOOST_TEST(seen.size() == count);
      BOOST_TEST((std::set<slot>(seen.begin(), seen.end()).size() == count));
    }
  }
  // Options are words of the product, a bare number too.
  BOOST_TEST(ask("cup celadon").best.front().at == first + 3);
  BOOST_TEST(ask("cup 75").best.front().at == first + 5);
}

BOOST_AUTO_TEST_CASE(what_tells_variants_apart_is_indexed_anew_when_it_changes) {
  document cup;
  cup.id = "cup";
  cup.name = "Cup";
  const auto none = text_hash(cup);
  cup.family = "cups";
  const auto family = text_hash(cup);
  cup.options = {{"size", "L"}};
  BOOST_TEST((std::set{none, family, text_hash(cup)}.size() == 3u));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace text_index_test
}  // namespace omnicart::search
