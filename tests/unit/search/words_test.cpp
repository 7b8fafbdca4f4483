#include "persistence/search/words.hpp"

#include <boost/test/unit_test.hpp>

#include "persistence/search/query_text.hpp"
#include "persistence/search/synonyms.hpp"

namespace omnicart::search {
namespace words_test {

std::string line(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& each : words) text += (text.empty() ? "" : " ") + each;
  return text;
}

std::string all_forms(std::string_view text) {
  std::vector<std::string> words;
  for (const auto& each : words_of(text))
    words.push_back(each.joined ? "=" + each.text : each.text);
  return line(words);
}

std::string line(const std::vector<std::vector<std::string>>& groups) {
  std::string text;
  for (const auto& each : groups) text += (text.empty() ? "" : " | ") + line(each);
  return text;
}

BOOST_AUTO_TEST_SUITE(search_words)

BOOST_AUTO_TEST_CASE(text_becomes_words_in_all_the_ways_they_are_written) {
  const std::pair<const char*, const char*> table[] = {
      {"Black Kettle", "black kettle"},
      {"", ""},
      {" ,;!  ", ""},
      {"USB-C", "usb c =usbc"},
      {"Wi-Fi", "wi fi =wifi"},
      {"FC6148/01", "fc6148 01 =fc614801"},
      {"Kid's", "kids"},
      {"Caf\xC3\xA9 Cr\xC3\xA8me", "cafe creme"},
      {"2.66 GHz", "2.66 =2.66ghz ghz"},
      {"128GB", "=128gb 128 gb"},
      {"128 GB", "128 =128gb gb"},
      {"15.6\"", "15.6 =15 =15.6inch inch"},
      {"23\" wide", "23 =23inch inch wide"},
      {"he said \"so\"", "he said so"},
      {"Intel\xC2\xAE Core\xE2\x84\xA2", "intel core"},
      {"broken \xFF\xC3 bytes", "broken bytes"},
      {"\xE8\x8C\xB6", "\xE8\x8C\xB6"},
  };
  for (const auto& [text, words] : table) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(all_forms(text) == words); }
  }
}

BOOST_AUTO_TEST_CASE(a_word_is_never_longer_than_the_index_takes) {
  for (const auto& each : words_of(std::string(10'000, 'a') + "-" + std::string(10'000, 'b'))) {
    BOOST_TEST(each.text.size() <= 60u);
  }
}

BOOST_AUTO_TEST_CASE(markup_is_left_out) {
  BOOST_TEST(without_markup("a<br />b &amp; c&nbsp;d 3 < 4 & 5") == "a b & c d 3 < 4 & 5");
  BOOST_TEST(without_markup("<p>unclosed <b") == " unclosed <b");
}

BOOST_AUTO_TEST_CASE(the_last_word_of_a_group_says_what_a_thing_is) {
  const struct {
    const char *name, *brand, *heads;
  } table[] = {
      {"HP Compaq 2510p Notebook Gray 30.7 cm (12.1\")", "HP", "compaq notebook"},
      {"Epson LQ-680 Pro dot matrix printer", "Epson", "printer"},
      {"C2G 6 ft Monitor VGA Cable - HD15 M/M", "C2G", "cable"},
      {"Xerox Replacement Paper Tray", "Xerox", "tray"},
      {"Leather case for iPhone", "", "case"},
      {"Stand with wheels, folding ladder", "", "stand ladder"},
      {"StarTech.com DisplayPort to DVI Converter", "StarTech.com", "converter"},
      {"SATA Hard Drive to 3.5in Drive Bay Kit", "", "kit"},
      {"Kettle", "", "kettle"},
      {"123 45", "", ""},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.name) { BOOST_TEST(line(head_words(row.name, row.brand)) == row.heads); }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(search_queries)

BOOST_AUTO_TEST_CASE(what_is_typed_becomes_wishes_phrases_and_refusals) {
  const struct {
    const char *text, *wishes, *phrases, *unwanted;
  } table[] = {
      {"red kettle", "red | kettle", "", ""},
      {"the red kettle", "red | kettle", "", ""},
      {"the", "the", "", ""},
      {"\"red kettle\" hob", "hob", "red kettle", ""},
      {"\"red kettle", "red | kettle", "", ""},
      {"kettle -red", "kettle", "", "red"},
      {"kettle - red", "kettle | red", "", ""},
      {"usb-c", "usb c", "", ""},
      {"hard drive case", "hard drive | case", "", ""},
      {"red red kettle", "red | kettle", "", ""},
      {"  ", "", "", ""},
      {"\"\"", "", "", ""},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.text) {
      const auto query = parse_query(row.text);
      std::vector<std::vector<std::string>> wishes;
      for (const auto& each : query.wishes) wishes.push_back(each.words);
      BOOST_TEST(line(wishes) == row.wishes);
      BOOST_TEST(line(query.phrases) == row.phrases);
      BOOST_TEST(line(query.unwanted) == row.unwanted);
    }
  }
}

BOOST_AUTO_TEST_CASE(words_beyond_the_limit_are_not_looked_at) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word" + std::to_string(i) + ' ';
  BOOST_TEST(parse_query(text).wishes.size() == query_words_max);
}

BOOST_AUTO_TEST_CASE(a_gtin_is_the_same_with_and_without_leading_zeros) {
  BOOST_TEST(gtin_key("0088698629123") == "88698629123");
  BOOST_TEST(gtin_key("088698629123") == "88698629123");
  for (const char* none : {"", "1234567", "123456789012345", "12345678a", "00000000"}) {
    BOOST_TEST_CONTEXT(none) { BOOST_TEST(gtin_key(none).empty()); }
  }
}

BOOST_AUTO_TEST_CASE(a_code_is_the_same_however_it_is_grouped_or_quoted) {
  const std::pair<std::string, const char*> table[] = {
      {"978-0-306-40615-7", "9780306406157"},
      {" \"0037 332013422\"", "0037332013422"},
      {"978\xE2\x80\x93" "0\xC2\xA0" "306", "9780306"},
      {"AB-12/c", "ab12/c"},
      {"red kettle", ""},
      {"", ""},
      {" - ", ""},
      {std::string(64, '1') + "-", "1111111111111111111111111111111111111111111111111111111111111111"},
      {std::string(65, '1'), ""},
  };
  for (const auto& [text, key] : table) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(code_key(text) == key);
      BOOST_TEST(parse_query(text).code_key == key);
    }
  }
  BOOST_TEST(parse_query("-12345678").code_key.empty());
}

BOOST_AUTO_TEST_CASE(synonyms_hold_both_ways_and_in_plural_but_narrower_words_one_way) {
  const auto has = [](const std::vector<std::string>& of, const std::vector<std::string>& other) {
    const auto all = synonyms_of(of);
    return std::find(all.begin(), all.end(), other) != all.end();
  };
  BOOST_TEST(has({"laptop"}, {"notebook"}));
  BOOST_TEST(has({"laptops"}, {"notebook"}));
  BOOST_TEST(has({"notebook"}, {"laptop"}));
  BOOST_TEST(has({"hdd"}, {"hard", "drive"}));
  BOOST_TEST(has({"laptop"}, {"ultrabook"}));
  BOOST_TEST(!has({"ultrabook"}, {"laptop"}));
  BOOST_TEST(synonyms_of({"kumquat"}).empty());
  BOOST_TEST(synonyms_of({}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace words_test
}  // namespace omnicart::search
