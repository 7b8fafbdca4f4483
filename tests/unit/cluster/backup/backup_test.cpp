#include <boost/test/unit_test.hpp>
#include <random>

#include "cluster/backup/chunk_cutter.hpp"
#include "persistence/key_layout.hpp"
#include "runtime/system_ports.hpp"
#include "tests/unit/cluster/backup/backup_bench.hpp"

namespace omnicart::cluster {
namespace backup_test {

using persistence::family;

constexpr const char* first = "20260301T120000Z-00000001";
constexpr const char* second = "20260301T130000Z-00000002";

std::vector<std::string> cut_up(const std::map<std::string, std::string>& records,
                                chunk_sizes sizes) {
  std::vector<std::string> chunks;
  chunk_cutter cutter(
      [&](const std::string& chunk, std::size_t) {
        chunks.push_back(chunk);
        return status{};
      },
      sizes);
  for (const auto& [key, value] : records)
    BOOST_TEST(cutter.add(family::events, key, value).has_value());
  BOOST_TEST(cutter.finish().has_value());
  return chunks;
}

BOOST_AUTO_TEST_SUITE(backup_chunks)

BOOST_AUTO_TEST_CASE(records_put_between_others_change_few_chunks) {
  const chunk_sizes sizes{.least = 1'000, .usual = 4'096, .most = 20'000};
  std::mt19937_64 random(4);
  std::map<std::string, std::string> records;
  for (int i = 0; i < 5'000; ++i) records[std::to_string(random())] = std::string(100, 'v');
  const auto before = cut_up(records, sizes);
  BOOST_TEST(before.size() > 50u);
  std::size_t most = 0;
  for (const auto& chunk : before) most = std::max(most, chunk.size());
  BOOST_TEST(most < 20'200u);
  for (int i = 0; i < 5; ++i) records[std::to_string(random())] = "new";
  const auto after = cut_up(records, sizes);
  const std::set<std::string> had(before.begin(), before.end());
  const auto fresh =
      std::ranges::count_if(after, [&](const auto& chunk) { return !had.contains(chunk); });
  BOOST_TEST(fresh <= 10);
}

BOOST_AUTO_TEST_CASE(families_do_not_share_a_chunk_and_nothing_makes_none) {
  int chunks = 0;
  chunk_cutter cutter([&](const std::string&, std::size_t records) {
    ++chunks;
    BOOST_TEST(records == 1u);
    return status{};
  });
  BOOST_TEST(cutter.finish().has_value());
  BOOST_TEST(chunks == 0);
  BOOST_TEST(cutter.add(family::events, "a", "1").has_value());
  BOOST_TEST(cutter.add(family::receipts, "a", "1").has_value());
  BOOST_TEST(cutter.finish().has_value());
  BOOST_TEST(chunks == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(backup_files, backup_bench)

BOOST_AUTO_TEST_CASE(a_backup_holds_what_was_written_before_the_cut_and_nothing_after) {
  write("a", 1, 3);
  const auto made = back_up(first);
  write("b", 1);
  BOOST_TEST(made.shards.size() == 4u);
  BOOST_TEST(made.records() == 4u);  // three events and a receipt
  const auto found = check(first);
  BOOST_TEST(found.ok());
  BOOST_TEST(found.records == 4u);
  BOOST_TEST(found.bytes == made.bytes());
}

BOOST_AUTO_TEST_CASE(the_second_backup_writes_only_what_is_new) {
  for (int i = 0; i < 50; ++i) write("cart" + std::to_string(i), 1, 20);
  back_up(first);
  const auto all = new_bytes;
  BOOST_TEST(all > 0u);
  back_up(second);
  BOOST_TEST(new_bytes == 0u);
  write("late", 1);
  back_up("20260301T140000Z-00000003");
  BOOST_TEST(new_bytes > 0u);
  BOOST_TEST(new_bytes < all);
  for (const char* id : {first, second, "20260301T140000Z-00000003"}) BOOST_TEST(check(id).ok());
}

BOOST_AUTO_TEST_CASE(a_manifest_reads_as_it_was_written) {
  write("a", 1);
  auto made = back_up(first);
  made.totals = {.orders = 3,
                 .orders_by_status = {{"paid", 2}, {"pending", 1}},
                 .in_flight = 1,
                 .gross = {{"GBP", 100}},
                 .captures = 2,
                 .captured = {{"GBP", 100}},
                 .refunded = {},
                 .products = 1,
                 .on_hand = 5,
                 .reserved = 1,
                 .sold = 2,
                 .returned = 0};
  made.why = "„quotes\" and\nlines";
  const auto read = decode_manifest(encode_manifest(made));
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST((*read == made));
}

BOOST_AUTO_TEST_CASE(each_flipped_byte_of_a_backup_is_found) {
  write("a", 1, 2);
  write("b", 1);
  back_up(first);
  std::size_t flips = 0;
  for (const auto& file : files_in(path)) {
    if (file.ends_with("omnicart-backup")) continue;
    const auto sound = bytes_of(file);
    for (std::size_t at = 0; at < sound.size(); ++at) {
      auto bad = sound;
      bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
      put_bytes(file, bad);
      const auto found = check(first);
      BOOST_TEST(!found.ok(), file << " at byte " << at);
      ++flips;
    }
    put_bytes(file, sound);
  }
  BOOST_TEST(flips > 500u);
  BOOST_TEST(check(first).ok());
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_missing_or_cut_short_is_found_by_name) {
  write("a", 1, 2);
  const auto made = back_up(first);
  for (const auto& file : files_in(path + "/chunks")) {
    const auto sound = bytes_of(file);
    std::filesystem::resize_file(file, sound.size() - 1);
    auto found = check(first);
    BOOST_TEST_REQUIRE(found.problems.size() == 1u);
    BOOST_TEST(found.problems[0].what.find(file) != std::string::npos);
    std::filesystem::remove(file);
    found = check(first);
    BOOST_TEST_REQUIRE(found.problems.size() == 1u);
    BOOST_TEST(found.problems[0].what.find("missing") != std::string::npos);
    put_bytes(file, sound);
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_chunk_of_another_length_is_put_right_by_the_next_backup) {
  write("a", 1, 2);
  back_up(first);
  std::filesystem::resize_file(files_in(path + "/chunks").front(), 3);
  back_up(second);
  BOOST_TEST(check(first).ok());
}

BOOST_AUTO_TEST_CASE(without_its_manifest_there_is_no_backup) {
  write("a", 1);
  back_up(first);
  std::filesystem::remove(path + "/backups/" + first + ".manifest");
  const auto folder = backup_folder::open(path, backup_folder::use::read).value();
  BOOST_TEST(folder->ids()->empty());
  BOOST_TEST(folder->find("").error().is(base_errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_folder_of_something_else_is_refused_and_one_writer_keeps_others_out) {
  std::filesystem::create_directories(path);
  put_bytes(path + "/letter", "dear");
  const auto refused = backup_folder::open(path, backup_folder::use::write);
  BOOST_TEST_REQUIRE(!refused);
  BOOST_TEST(refused.error().is(base_errc::precondition_failed));
  BOOST_TEST(backup_folder::open(path, backup_folder::use::read).error().is(base_errc::not_found));
  std::filesystem::remove(path + "/letter");
  const auto one = backup_folder::open(path, backup_folder::use::write);
  BOOST_TEST_REQUIRE(one.has_value());
  BOOST_TEST(
      backup_folder::open(path, backup_folder::use::write).error().is(base_errc::in_progress));
  BOOST_TEST(backup_folder::open(path, backup_folder::use::read).has_value());
}

BOOST_AUTO_TEST_CASE(what_a_killed_backup_left_is_cleared_away) {
  write("a", 1);
  back_up(first);
  const auto left = files_in(path + "/chunks").front() + ".new-1";
  put_bytes(left, "half");
  back_up(second);
  BOOST_TEST(!std::filesystem::exists(left));
}

BOOST_AUTO_TEST_SUITE_END()

struct restorer : backup_bench {
  std::string data = scratch.path() + "/restored";
  system_clock real;
  status restore(const std::string& id, const record_visitor& seen = see_nothing) {
    const auto folder = backup_folder::open(path, backup_folder::use::read).value();
    const auto what = folder->manifest(id);
    if (!what) return fail(what.error());
    return restore_backup(*folder, *what,
                          {.data_directory = data, .files = {{"tokens.key", what->token_keys}}},
                          real, seen);
  }
  result<std::unique_ptr<persistence::store>> open_restored() {
    persistence::store_options options;
    options.directory = data;
    return persistence::store::open(options, real);
  }
};

BOOST_FIXTURE_TEST_SUITE(backup_restore, restorer)

BOOST_AUTO_TEST_CASE(a_node_goes_on_where_the_cut_was_as_a_cluster_of_one) {
  write("a", 1, 2);
  write("a", 3);
  const auto made = back_up(first);
  write("a", 4);
  BOOST_TEST_REQUIRE(restore(first).has_value());
  BOOST_TEST(bytes_of(data + "/tokens.key") == std::string(64, 'k'));
  persistence::store_options options;
  options.directory = data;
  persistence::open_store node(options, real);
  BOOST_TEST(node.data->shard_count() == 4u);
  const auto shard = node.data->shard_of({"cart", "a"});
  BOOST_TEST(node.journal->last_index(shard) > made.shards[shard].index);
  BOOST_TEST(node.journal->term(shard) > made.shards[shard].term);
  std::optional<stored_entity> found;
  node.reader->load({"cart", "a"}, [&](auto loaded) { found = *loaded; });
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(found->events.size() == 3u);
  BOOST_TEST(
      (node.reader->receipt_presence({"cart", "a"}, {3, 1}) != entity_store::presence::absent));
  std::optional<status> told;
  auto next = persistence::events_item({"cart", "a"}, 4, 1);
  next.done = [&](status how) { told = how; };
  node.journal->append(std::move(next));
  while (node.journal->flush_once()) {
  }
  BOOST_TEST_REQUIRE(told.has_value());
  BOOST_TEST(told->has_value());
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_empty_is_refused) {
  write("a", 1);
  back_up(first);
  std::filesystem::create_directories(data);
  put_bytes(data + "/x", "");
  BOOST_TEST(restore(first).error().is(base_errc::precondition_failed));
  BOOST_TEST(files_in(data).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_restore_that_is_cut_short_is_refused_by_nodes_and_by_the_next_restore) {
  write("a", 1, 2);
  back_up(first);
  int left = 1;
  const auto cut_short = restore(
      first, [&](auto...) { return left-- > 0 ? status{} : fail(base_errc::io, "killed"); });
  BOOST_TEST(!cut_short);
  const auto node = open_restored();
  BOOST_TEST_REQUIRE(!node);
  BOOST_TEST(node.error().is(base_errc::malformed));
  BOOST_TEST(node.error().detail.find("did not end") != std::string::npos);
  BOOST_TEST(restore(first).error().detail.find("did not end") != std::string::npos);
  std::filesystem::remove_all(data);
  BOOST_TEST(restore(first).has_value());
  BOOST_TEST(open_restored().has_value());
}

BOOST_AUTO_TEST_CASE(damage_ends_a_restore) {
  write("a", 1, 2);
  back_up(first);
  const auto file = files_in(path + "/chunks").front();
  auto bytes = bytes_of(file);
  bytes[bytes.size() / 2] ^= 1;
  put_bytes(file, bytes);
  const auto done = restore(first);
  BOOST_TEST_REQUIRE(!done);
  BOOST_TEST(done.error().is(base_errc::malformed));
  BOOST_TEST(!open_restored());
}

BOOST_AUTO_TEST_CASE(a_newer_builds_backup_is_refused_in_plain_words) {
  write("a", 1);
  const auto made = back_up(first);
  auto text = encode_manifest(made);
  auto body = text.substr(0, text.find('\n') + 1);
  body.replace(body.find("\"format\":1"), 10, "\"format\":9");
  const auto newer = decode_manifest(body + "blake2b " + hash_of(body) + '\n');
  BOOST_TEST_REQUIRE(!newer);
  BOOST_TEST(newer.error().detail == "the backup has format 9; this program reads formats up to 1");
  auto store = made;
  store.store_format = 7;
  const auto folder = backup_folder::open(path, backup_folder::use::read).value();
  const auto done =
      restore_backup(*folder, store, {.data_directory = data, .files = {}}, real, see_nothing);
  BOOST_TEST_REQUIRE(!done);
  BOOST_TEST(done.error().detail.find("format 7") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace backup_test
}  // namespace omnicart::cluster
