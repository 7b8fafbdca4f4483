#include "tools/pay/ledger_file.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "tests/unit/pay/pay_fixture.hpp"
#include "tools/pay/entry_codec.hpp"
#include "tools/pay/ledger_scan.hpp"

namespace omnicart::pay {
namespace ledger_file_test {

const currency_code gbp = *currency_code::parse("GBP");
constexpr timestamp_ms noon{duration_ms{1'700'000'000'000}};

std::vector<std::uint64_t> starts_of_records(const std::string& ledger) {
  std::vector<std::uint64_t> found;
  for (auto at = ledger.find('\n'); at + 1 < ledger.size(); at = ledger.find('\n', at + 1))
    found.push_back(at + 1);
  return found;
}

// A book and its ledger in one folder, as the provider holds them.
struct ledger_fixture {
  temporary_folder folder;
  provider_book book;
  std::string notice;
  std::unique_ptr<ledger_file> file;

  status open() {
    file.reset();
    book = {};
    notice.clear();
    auto opened = ledger_file::open(folder.path(), book, notice);
    if (!opened) return fail(opened.error());
    file = std::move(*opened);
    return {};
  }
  void charge(const std::string& key) {
    std::vector<entry> made;
    book.handle(charge_request{key, {100, gbp}, method::card, "tok_ok"}, noon, made);
    for (const auto& what : made) file->append(what);
  }
  void charge_and_commit(const std::string& key) {
    charge(key);
    BOOST_REQUIRE(file->commit().has_value());
  }
  std::filesystem::path log() const { return folder.path() / "ledger.log"; }
  std::filesystem::path mark() const { return folder.path() / "ledger.synced"; }
  // As a crash leaves it that came while the entries behind `synced` were written.
  void crashed(std::uint64_t synced, const std::string& ledger) {
    file.reset();
    write_whole(log(), ledger);
    write_whole(mark(), synced_mark(synced));
  }
  std::string entries(std::uint64_t from, std::uint64_t limit) {
    auto at = file->seek(from);
    BOOST_REQUIRE(at.has_value());
    std::string out;
    for (std::uint64_t left = limit; left > 0;) {
      const auto count = file->read(*at, left, out);
      BOOST_REQUIRE(count.has_value());
      if (*count == 0) break;
      left -= *count;
    }
    return out;
  }
};

BOOST_FIXTURE_TEST_SUITE(pay_ledger_file, ledger_fixture)

BOOST_AUTO_TEST_CASE(an_entry_reads_back_as_it_was_written) {
  const std::vector<entry> all{
      {1, noon, entry_kind::authorisation, "a/b:c", {INT64_MAX, gbp}, method::card, test_card::ok},
      {2, noon, entry_kind::capture, "k", {0, gbp}, method::paypal, test_card::garbage},
      {3,
       noon,
       entry_kind::decline,
       "k",
       {1, gbp},
       method::card,
       test_card::invalid,
       decline_reason::invalid_token},
      {4, noon, entry_kind::void_charge, "k"},
      {5, noon, entry_kind::refund, "k", {1, gbp}, method::card, test_card::late, {}, "r,}"},
  };
  for (const auto& what : all) {
    std::string line;
    append_entry(line, what);
    const auto again = parse_entry(line);
    BOOST_TEST_REQUIRE(again.has_value(), line);
    BOOST_TEST((*again == what), line);
    for (std::size_t cut = 0; cut < line.size(); ++cut)
      BOOST_TEST(!parse_entry(line.substr(0, cut)).has_value());
    BOOST_TEST(!parse_entry(line + ' ').has_value());
  }
}

BOOST_AUTO_TEST_CASE(the_stored_format_is_guarded_by_golden_bytes) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("order-1");
  BOOST_TEST(read_whole(log()) ==
             "omnicart-pay ledger 1\n"
             "fc93c7ea1806e81e 0 "
             "{\"seq\":1,\"at\":\"2023-11-14T22:13:20.000Z\",\"kind\":\"authorisation\",\"key\":"
             "\"order-1\",\"amount\":100,\"currency\":\"GBP\",\"method\":\"card\",\"token\":\"tok_"
             "ok\",\"last4\":"
             "\"4242\"}\n"
             "d6432bb16d96b124 1 "
             "{\"seq\":2,\"at\":\"2023-11-14T22:13:20.000Z\",\"kind\":\"capture\",\"key\":"
             "\"order-1\",\"amount\":100,\"currency\":\"GBP\",\"method\":\"card\",\"token\":\"tok_"
             "ok\",\"last4\":"
             "\"4242\"}\n");
  BOOST_TEST(read_whole(mark()) == synced_mark(2));
  BOOST_TEST(synced_mark(2) == "253a9f18260e1103 00000000000000000002\n");
}

BOOST_AUTO_TEST_CASE(what_was_committed_is_there_when_it_is_opened_again) {
  BOOST_REQUIRE(open().has_value());
  for (int i = 0; i < 300; ++i) charge(std::to_string(i));
  BOOST_REQUIRE(file->commit().has_value());
  charge_and_commit("last");
  const auto before = book.summary();
  BOOST_REQUIRE(open().has_value());
  BOOST_TEST(notice == "");
  BOOST_TEST((book.summary().totals == before.totals));
  BOOST_TEST(file->durable_seq() == 602u);
  BOOST_TEST((book.find("last")->state == key_state::captured));
  charge_and_commit("later");
  BOOST_REQUIRE(open().has_value());
  BOOST_TEST(file->durable_seq() == 604u);
}

BOOST_AUTO_TEST_CASE(an_uncommitted_group_is_not_there_when_it_is_opened_again) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  charge("b");
  BOOST_TEST(file->durable_seq() == 2u);
  BOOST_TEST(entries(1, 100).find("\"b\"") == std::string::npos);
  BOOST_REQUIRE(open().has_value());
  BOOST_TEST(book.find("b") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_tail_torn_anywhere_is_cut_with_a_message) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  const auto kept = read_whole(log()).size();
  charge_and_commit("b");
  const auto whole = read_whole(log());
  const auto second = whole.find('\n', kept) + 1;  // b's capture
  for (auto size = kept + 1; size < whole.size(); ++size) {
    crashed(2, whole.substr(0, size));
    BOOST_REQUIRE(open().has_value());
    BOOST_TEST((notice != "") == (size != second));
    BOOST_TEST(file->durable_seq() == (size < second ? 2u : 3u));
    BOOST_TEST(read_whole(log()).size() == (size < second ? kept : second));
  }
}

BOOST_AUTO_TEST_CASE(a_group_torn_in_its_middle_is_cut_whole_from_there) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  const auto kept = read_whole(log()).size();
  charge("b");
  charge("c");
  BOOST_REQUIRE(file->commit().has_value());
  auto torn = read_whole(log());
  const auto sector_end = (kept / 512 + 1) * 512;
  torn.replace(
      kept, sector_end - kept,
      std::string(sector_end - kept, '\0'));  // the disk wrote the group's later sectors first
  crashed(2, torn);
  BOOST_REQUIRE(open().has_value());
  BOOST_TEST(notice != "");
  BOOST_TEST(file->durable_seq() == 2u);
}

BOOST_AUTO_TEST_CASE(a_damaged_byte_before_the_last_group_is_refused) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  const auto checked = read_whole(log()).size();
  charge_and_commit("b");
  const auto whole = read_whole(log());
  for (std::size_t at = 0; at < checked; ++at) {
    file.reset();
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_whole(log(), damaged);
    const auto opened = open();
    BOOST_TEST_REQUIRE(!opened.has_value(), "byte " << at);
    BOOST_TEST(opened.error().is(base_errc::io));
    BOOST_TEST(read_whole(log()) == damaged);  // left for whoever looks into it
  }
}

// What a flipped byte leaves in the last group is no torn write: its line is there to the end.
BOOST_AUTO_TEST_CASE(a_damaged_byte_of_the_last_group_is_refused_naming_its_record) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  const auto kept = read_whole(log()).size();
  charge_and_commit("b");
  const auto whole = read_whole(log());
  const auto second = whole.find('\n', kept) + 1;  // b's capture
  for (std::size_t at = kept; at < whole.size(); ++at) {
    for (const char flip : {'\x01', '\x20', whole[at]}) {  // the last makes it a zero
      auto damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      crashed(2, damaged);
      const auto opened = open();
      BOOST_TEST_REQUIRE(!opened.has_value(), "byte " << at << " with " << int{flip});
      // Some flips make two lines of one, the first of which is damaged.
      const auto named = "corrupted at byte " + std::to_string(at < second ? kept : second) +
                         ": entry " + (at < second ? "3" : "4");
      BOOST_TEST(opened.error().detail.find(named) != std::string::npos,
                 opened.error().detail << " for byte " << at);
      BOOST_TEST(read_whole(log()) == damaged);
    }
  }
}

// No crash takes away what was synced, and somebody may have been answered from it.
BOOST_AUTO_TEST_CASE(a_synced_end_that_is_cut_off_or_zeroed_is_refused_naming_the_first_lost_record) {
  BOOST_REQUIRE(open().has_value());
  for (const char* key : {"a", "b", "c"}) charge_and_commit(key);
  file.reset();
  const auto whole = read_whole(log());
  const auto lines = starts_of_records(whole);
  const auto check = [&](const std::string& damaged, std::size_t sound_bytes) {
    write_whole(log(), damaged);
    const auto opened = open();
    BOOST_TEST_REQUIRE(!opened.has_value(), damaged.size() << " bytes, sound " << sound_bytes);
    const auto second = lines.begin() + 1;
    const auto whole_ones = std::upper_bound(second, lines.end(), sound_bytes) - second;
    const auto named = ": entry " + std::to_string(whole_ones + 1) + " is ";
    BOOST_TEST(opened.error().detail.find(named) != std::string::npos, opened.error().detail);
    BOOST_TEST(opened.error().detail.ends_with("ledger.synced says that it was synced"),
               opened.error().detail);
    BOOST_TEST(read_whole(log()) == damaged);
    BOOST_TEST(read_whole(mark()) == synced_mark(6));
    const auto found = verify_ledger(log());
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->damages.size() == 1u);
  };
  for (std::size_t size = 0; size < whole.size(); ++size) check(whole.substr(0, size), size);
  for (std::size_t sector = 512; sector < whole.size(); sector += 512)
    check(whole.substr(0, sector) + std::string(whole.size() - sector, '\0'), sector);
  for (const auto record : lines)
    check(whole.substr(0, record) + std::string(whole.size() - record, '\0'), record);
  std::filesystem::remove(log());
  const auto none = open();
  BOOST_TEST_REQUIRE(!none.has_value());
  BOOST_TEST(none.error().detail.find("is missing, and ledger.synced says") != std::string::npos, none.error().detail);
  BOOST_TEST(!std::filesystem::exists(log()));
  const auto found = verify_ledger(log());
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST_REQUIRE(found->damages.size() == 1u);
  BOOST_TEST(found->damages[0].what.starts_with("entry 1 is missing"), found->damages[0].what);
  write_whole(log(), whole);
  BOOST_TEST(open().has_value());
}

BOOST_AUTO_TEST_CASE(a_ledger_whose_mark_is_missing_or_unreadable_is_opened_and_gets_one) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  charge_and_commit("b");
  const auto whole = read_whole(log());
  auto changed = synced_mark(4);
  changed[changed.size() - 2] = '7';
  for (const std::string& unreadable :
       {std::string(), std::string(changed.size(), '\0'), changed, synced_mark(4) + "x"}) {
    crashed(0, whole);
    write_whole(mark(), unreadable);
    BOOST_REQUIRE(open().has_value());
    BOOST_TEST(read_whole(mark()) == synced_mark(4));
  }
  crashed(0, whole.substr(0, whole.size() - 10));
  std::filesystem::remove(mark());
  BOOST_REQUIRE(open().has_value());
  BOOST_TEST(notice != "");
  BOOST_TEST(read_whole(mark()) == synced_mark(3));
}

BOOST_AUTO_TEST_CASE(a_scan_names_every_damage_and_reads_on_behind_it) {
  BOOST_REQUIRE(open().has_value());
  for (const char* key : {"a", "b", "c"}) charge_and_commit(key);
  auto damaged = read_whole(log());
  const auto lines = starts_of_records(damaged);
  damaged[lines[1] + 40] = '#';
  damaged[lines[4] + 40] = '#';
  crashed(4, damaged.substr(0, damaged.size() - 5));
  const auto found = verify_ledger(log());
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(found->entries == 1u);
  BOOST_TEST_REQUIRE(found->damages.size() == 2u);
  BOOST_TEST(found->damages[0].offset == lines[1]);
  BOOST_TEST(found->damages[0].what ==
             "entry 2 is damaged, and a later one says that it was synced");
  BOOST_TEST(found->damages[1].offset == lines[4]);
  BOOST_TEST(found->damages[1].what == "entry 5 is damaged, and no crash leaves such a line");
  BOOST_TEST((found->torn_at == lines[5]));
  BOOST_TEST(verify_ledger(folder.path() / "elsewhere" / "none").error().is(base_errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_missing_or_repeated_record_is_refused) {
  BOOST_REQUIRE(open().has_value());
  charge_and_commit("a");
  charge_and_commit("b");
  file.reset();
  const auto whole = read_whole(log());
  const auto first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
  write_whole(log(), whole.substr(0, first) + whole.substr(second));
  BOOST_TEST(!open().has_value());
  write_whole(log(), whole.substr(0, second) + whole.substr(first));
  BOOST_TEST(!open().has_value());
}

BOOST_AUTO_TEST_CASE(another_format_is_refused_and_an_unfinished_new_file_is_not) {
  for (const std::string other : {"omnicart-pay ledger 2\n", "{}", "\n"}) {
    write_whole(log(), other);
    BOOST_TEST(!open().has_value());
    BOOST_TEST(read_whole(log()) == other);
  }
  write_whole(log(), "omnicart-pa");
  BOOST_TEST(open().has_value());
}

BOOST_AUTO_TEST_CASE(a_ledger_in_use_is_refused) {
  BOOST_REQUIRE(open().has_value());
  provider_book other_book;
  std::string ignored;
  const auto other = ledger_file::open(folder.path(), other_book, ignored);
  BOOST_TEST_REQUIRE(!other.has_value());
  BOOST_TEST(other.error().detail.find("in use") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(any_part_of_the_ledger_can_be_read) {
  BOOST_REQUIRE(open().has_value());
  for (int i = 0; i < 1'000; ++i) charge(std::to_string(i));
  BOOST_REQUIRE(file->commit().has_value());
  for (const std::uint64_t from : {1u, 2u, 256u, 257u, 258u, 1999u, 2000u}) {
    const auto two = entries(from, 2);
    BOOST_TEST(two.starts_with("{\"seq\":" + std::to_string(from) + ','));
    BOOST_TEST((two.find("},{") != std::string::npos) == (from < 2000));
  }
  BOOST_TEST(entries(2'001, 10) == "");
  BOOST_TEST(entries(9'999, 10) == "");
  const auto all = entries(1, UINT64_MAX);
  BOOST_TEST(std::count(all.begin(), all.end(), '{') == 2'000);
}

BOOST_AUTO_TEST_CASE(a_write_that_fails_is_reported) {
  BOOST_REQUIRE(open().has_value());
  charge("a");
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 100, .rlim_max = before.rlim_max};
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto done = file->commit();
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_handler);
  BOOST_TEST_REQUIRE(!done.has_value());
  BOOST_TEST(done.error().is(base_errc::io));
  BOOST_REQUIRE(open().has_value());  // the half-written record is a torn tail
  BOOST_TEST(file->durable_seq() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace ledger_file_test
}  // namespace omnicart::pay
