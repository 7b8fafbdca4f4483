#include "persistence/key_layout.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::persistence {
namespace key_layout_test {

using namespace std::string_literals;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

const entity_ref cart_x{"cart", "x"};
const timestamp_ms moment{duration_ms{0x123}};

BOOST_AUTO_TEST_SUITE(key_layout)

BOOST_AUTO_TEST_CASE(the_bytes_of_format_1_do_not_change) {
  const auto prefix = entity_prefix(0x0102, cart_x);
  struct row {
    std::string written;
    const char* expected;
  };
  const row rows[] = {
      {prefix, "0102636172742f7800"},
      {event_key(prefix, 7), "0102636172742f78000000000000000007"},
      {receipt_key(prefix, {.high = 1, .low = 2}),
       "0102636172742f780000000000000000010000000000000002"},
      {timer_key(0x0102, moment, cart_x), "01028000000000000123636172742f78"},
      {log_key(0x0102, 9), "01020000000000000009"},
      {row_key("orders", "k"), "646f7264657273006b"},
      {position_key("orders", 3), "706f7264657273000003"},
      {encode(store_format{.version = 1, .shard_count = 64}), "9201920140"},
      {encode(snapshot{.version = 3, .state = "ab"}), "92019203c4026162"},
      {encode(event_record{.at = moment, .by = {role::guest, "s", ""}, .event = "e"}),
       "920193cd01239300c40173c400c40165"},
      {encode(receipt{
           .id = {1, 2}, .body = 5, .expires_at = moment, .refused = 4, .detail = "d", .data = ""}),
       "920196920102"
       "05cd012304c40164c400"},
      {encode(log_entry{.term = 1, .time = moment, .items = {{.kind = "cart", .id = "x", .first_version = 2, .records = {"r"}}}}),
       "92019501cd0123919bc40463617274c4017802"
       "91c40172c0c0c00000c2c200c400"},
  };
  for (const auto& r : rows) BOOST_TEST(hex(r.written) == r.expected);
}

// As they were written before entries carried more than events.
BOOST_AUTO_TEST_CASE(log_entries_of_events_alone_are_read_for_ever) {
  const auto bytes = "\x92\x01\x93\x01\xcd\x01\x23\x91\x94\xc4\x04""cart\xc4\x01x\x02\x91\xc4\x01r"s;
  const log_entry expected{.term = 1, .time = moment, .items = {{.kind = "cart", .id = "x", .first_version = 2, .records = {"r"}}}};
  BOOST_TEST((decode_log_entry(bytes).value() == expected));
}

// As they were written before proofs could be brief.
BOOST_AUTO_TEST_CASE(a_proof_in_an_older_log_entry_is_not_brief) {
  const auto bytes = "\x92\x01\x95\x01\xcd\x01\x23\x91\x9a\xc4\x04""cart\xc4\x01x\x02\x91\xc4\x01r"
                     "\x96\x92\x01\x02\x05\x00\x00\xc4\x00\xc4\x00\xc0\xc0\x00\x00\xc2\x00\xc4\x00"s;
  log_entry expected{.term = 1, .time = moment, .items = {{.kind = "cart", .id = "x"}}};
  expected.items.front().first_version = 2;
  expected.items.front().records = {"r"};
  expected.items.front().proof = receipt{.id = {1, 2}, .body = 5, .expires_at = {}, .refused = 0, .detail = "", .data = ""};
  const auto read = decode_log_entry(bytes);
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST((*read == expected));
  BOOST_TEST(!read->items.front().brief);
  expected.items.front().brief = true;
  BOOST_TEST((decode_log_entry(encode(expected)).value() == expected));
}

BOOST_AUTO_TEST_CASE(keys_parse_back_whatever_bytes_the_id_has) {
  for (const auto& id : {"x"s, "a\0b"s, "\0"s, "\1\2"s, "a\0\1\xff"s, "käse/2"s}) {
    const entity_ref entity{"cart", id};
    const auto events = event_key(entity_prefix(0, entity), 1);
    const auto key = parse_entity_key(events);
    BOOST_TEST_REQUIRE(key.has_value());
    BOOST_TEST((key->entity == entity));
    BOOST_TEST(key->rest.size() == 8u);
    const auto timer_bytes = timer_key(5, moment, entity);
    const auto timer = parse_timer_key(timer_bytes);
    BOOST_TEST_REQUIRE(timer.has_value());
    BOOST_TEST((timer->entity == entity && timer->shard == 5 && timer->due == moment));
  }
}

BOOST_AUTO_TEST_CASE(no_entitys_range_holds_another_entitys_keys) {
  const std::string ids[] = {"a", "a\0"s, "a\0\0\0\0\0\0\0\0\1"s, "a\1"s, "ab"};
  for (const auto& one : ids) {
    for (const auto& other : ids) {
      const bool inside = event_key(entity_prefix(1, {"cart", other}), 1)
                              .starts_with(entity_prefix(1, {"cart", one}));
      BOOST_TEST(inside == (one == other));
    }
  }
}

BOOST_AUTO_TEST_CASE(times_before_1970_sort_before_later_ones) {
  BOOST_TEST(
      (encode_time(timestamp_ms{duration_ms{-5}}) < encode_time(timestamp_ms{duration_ms{0}})));
  BOOST_TEST(
      (*decode_time(encode_time(timestamp_ms{duration_ms{-5}})) == timestamp_ms{duration_ms{-5}}));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_key_are_told) {
  for (const auto& bytes :
       {""s, "\0"s, "\0\0cart/x"s, "\0\0/x\0"s, "\0\0cart\0"s, "\0\0c/\1\5\0"s, "\0\0c/\1\0"s}) {
    BOOST_TEST(!parse_entity_key(bytes).has_value());
  }
  BOOST_TEST(!parse_timer_key("\0\0too short"s.substr(0, 6)).has_value());
  BOOST_TEST(!parse_log_key("\0\0\0"s).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace key_layout_test
}  // namespace omnicart::persistence
