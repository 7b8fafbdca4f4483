#include "cluster/remote/remote_codec.hpp"

#include <boost/test/unit_test.hpp>
#include <random>

#include "runtime/base/codec.hpp"
#include "runtime/placement.hpp"

namespace omnicart::cluster {
namespace remote_codec_test {

const timestamp_ms noon{duration_ms{1'800'000'000'000}};

envelope full_message() {
  envelope message;
  message.to = {"cart", "c-1"};
  message.command = "bytes";
  message.asker = {.as = role::shopper, .session = "s-1", .user = "u-1"};
  message.id = {1, 2};
  message.body = 3;
  message.expected_version = 4;
  message.deadline = noon + duration_ms{5'000};
  message.wait = duration_ms{6};
  message.repeatable = true;
  message.brief = true;
  message.doubt = duration_ms{7};
  return message;
}

// What another build writes: any fields, as msgpack.
template <class... Fields>
std::string packed(const Fields&... fields) {
  msgpack::sbuffer buffer;
  codec::packer out(buffer);
  out.pack_array(2);
  codec::pack(out, std::uint64_t{1});
  out.pack_array(sizeof...(fields));
  (codec::pack(out, fields), ...);
  return {buffer.data(), buffer.size()};
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(remote_codec)

BOOST_AUTO_TEST_CASE(a_command_arrives_as_it_was_sent) {
  const envelope sent = full_message();
  const auto read = decode_command(encode_command(9, sent, noon), noon);
  BOOST_TEST_REQUIRE(read.has_value());
  const envelope& got = read->message;
  BOOST_TEST(read->request == 9u);
  BOOST_TEST((got.to == sent.to && got.command == sent.command && got.asker == sent.asker));
  BOOST_TEST((got.id == sent.id && got.body == sent.body));
  BOOST_TEST((got.expected_version == sent.expected_version && got.deadline == sent.deadline));
  BOOST_TEST((got.wait == sent.wait && got.repeatable));
  BOOST_TEST((got.brief && got.doubt == duration_ms{7}));
  BOOST_TEST(!got.reply);
  const auto plain = decode_command(encode_command(1, {.to = {"cart", "c"}}, noon), noon);
  BOOST_TEST((plain->message.deadline == timestamp_ms::max() && !plain->message.expected_version));
  BOOST_TEST((!plain->message.brief && !plain->message.doubt));
  for (const auto doubt : {duration_ms{0}, doubt_max}) {
    const auto doubtful = decode_command(encode_command(1, {.to = {"cart", "c"}, .doubt = doubt}, noon), noon);
    BOOST_TEST_REQUIRE(doubtful.has_value());
    BOOST_TEST((doubtful->message.doubt == doubt));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_arrives_as_it_was_given) {
  answer good;
  good.payload = "state";
  good.version = 7;
  good.replayed = true;
  const auto read = decode_answer(encode_answer(9, good));
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST((read->request == 9 && read->got.ok() && read->got.payload == "state" &&
              read->got.version == 7 && read->got.replayed));
  answer bad;
  bad.failure = error{.number = 201, .detail = "only 3", .data = "x"};
  BOOST_TEST((decode_answer(encode_answer(9, bad))->got.failure == bad.failure));
}

BOOST_AUTO_TEST_CASE(the_bytes_stay_as_they_are) {
  BOOST_TEST(hex(encode_command(9, full_message(), noon)) ==
             "92019c0992c40463617274c403632d31c405627974657393"
             "01c403732d31c403752d3192010203"
             "04cd138806c3c307");
  answer bad;
  bad.failure = error{.number = 201, .detail = "d", .data = ""};
  bad.version = 7;
  BOOST_TEST(hex(encode_answer(9, bad)) ==
             "92019509"
             "93ccc9c40164c400"
             "c400"
             "07"
             "c2");
}

BOOST_AUTO_TEST_CASE(deadlines_are_spans_so_clocks_may_differ) {
  const auto bytes = encode_command(1, full_message(), noon);
  const auto hours_off = noon - std::chrono::hours(2);
  BOOST_TEST(
      (decode_command(bytes, hours_off)->message.deadline == hours_off + duration_ms{5'000}));
  // One that has passed stays passed; one beyond all time is none.
  envelope late = full_message();
  late.deadline = noon - duration_ms{1};
  BOOST_TEST((decode_command(encode_command(1, late, noon), noon)->message.deadline == noon));
  const auto endless =
      packed(std::uint64_t{1}, entity_ref{"cart", "c"}, std::string(), caller{}, command_id{},
             std::uint64_t{0}, std::optional<std::uint64_t>{}, duration_ms::max());
  BOOST_TEST((decode_command(endless, noon)->message.deadline == timestamp_ms::max()));
}

BOOST_AUTO_TEST_CASE(an_older_build_sends_fewer_fields_and_a_newer_one_more) {
  const entity_ref to{"cart", "c-1"};
  const auto older = decode_command(packed(std::uint64_t{9}, to, std::string("bytes")), noon);
  BOOST_TEST_REQUIRE(older.has_value());
  BOOST_TEST((older->message.to == to && older->message.command == "bytes" && !older->message.id));
  const auto unnamed = decode_command(
      packed(std::uint64_t{9}, to, std::string("bytes"), caller{}, command_id{1, 2}, std::uint64_t{3},
             std::optional<std::uint64_t>{}, std::optional<duration_ms>{}, duration_ms{4}, true),
      noon);
  BOOST_TEST_REQUIRE(unnamed.has_value());
  BOOST_TEST((unnamed->message.id == command_id{1, 2} && unnamed->message.repeatable));
  BOOST_TEST((!unnamed->message.brief && !unnamed->message.doubt));
  const auto newer = decode_command(
      packed(std::uint64_t{9}, to, std::string("bytes"), caller{}, command_id{1, 2},
             std::uint64_t{3}, std::optional<std::uint64_t>{}, std::optional<duration_ms>{},
             duration_ms{4}, true, true, std::optional(duration_ms{5}), std::string("a trace"),
             std::vector<std::uint64_t>{1, 2}),
      noon);
  BOOST_TEST_REQUIRE(newer.has_value());
  BOOST_TEST((newer->message.id == command_id{1, 2} && newer->message.repeatable));
  BOOST_TEST((newer->message.brief && newer->message.doubt == duration_ms{5}));
  BOOST_TEST(decode_answer(packed(std::uint64_t{9}))->got.ok());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_malformed) {
  const entity_ref to{"cart", "c-1"};
  const std::string command;
  const auto with = [&](const entity_ref& whom, caller who, std::optional<duration_ms> within,
                        duration_ms wait, std::uint64_t request = 1) {
    return packed(request, whom, command, who, command_id{}, std::uint64_t{0},
                  std::optional<std::uint64_t>{}, within, wait);
  };
  const auto doubting = [&](duration_ms doubt) {
    return packed(std::uint64_t{1}, to, command, caller{}, command_id{1, 2}, std::uint64_t{0},
                  std::optional<std::uint64_t>{}, std::optional<duration_ms>{}, duration_ms{}, false, true,
                  std::optional(doubt));
  };
  BOOST_TEST(decode_command(doubting(doubt_max), noon).has_value());
  struct row {
    const char* what;
    std::string bytes;
  };
  caller unknown;
  unknown.as = static_cast<role>(4);
  const std::vector<row> rows{
      {"nothing", ""},
      {"no array", "\x01"},
      {"another schema", "\x92\x02\x90"},
      {"no request", with(to, {}, {}, {}, 0)},
      {"no kind", with({"", "c"}, {}, {}, {})},
      {"no id", with({"cart", ""}, {}, {}, {})},
      {"a long kind", with({std::string(17, 'k'), "c"}, {}, {}, {})},
      {"a long id", with({"cart", std::string(161, 'i')}, {}, {}, {})},
      {"an unknown role", with(to, unknown, {}, {})},
      {"a deadline before it was sent", with(to, {}, duration_ms{-1}, {})},
      {"a negative wait", with(to, {}, {}, duration_ms{-1})},
      {"an endless wait", with(to, {}, {}, duration_ms::max())},
      {"a copy that has not left yet", doubting(duration_ms{-1})},
      {"one that left before all", doubting(duration_ms::min())},
      {"one that left too long ago", doubting(doubt_max + duration_ms{1})},
      {"one that left at no time", doubting(duration_ms::max())},
      {"something behind it", encode_command(1, full_message(), noon) + "x"},
  };
  for (const auto& [what, bytes] : rows) {
    BOOST_TEST_CONTEXT(what) {
      const auto read = decode_command(bytes, noon);
      BOOST_TEST_REQUIRE(!read.has_value());
      BOOST_TEST(read.error().is(base_errc::malformed));
    }
  }
  BOOST_TEST(!decode_answer("").has_value());
  BOOST_TEST(!decode_answer(packed(std::uint64_t{0})).has_value());
  answer no_reason;
  no_reason.failure = error{};
  BOOST_TEST(!decode_answer(encode_answer(1, no_reason)).has_value());
}

BOOST_AUTO_TEST_CASE(random_bytes_never_do_more_than_not_read) {
  const std::uint64_t seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string command = encode_command(9, full_message(), noon);
  const std::string said = encode_answer(9, {.payload = "state", .version = 7});
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = i % 2 == 0 ? command : said;
    for (auto left = 1 + random() % 4; left > 0; --left)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    (void)decode_command(bytes, noon);
    (void)decode_answer(bytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(leader_hint)

BOOST_AUTO_TEST_CASE(a_node_that_does_not_lead_names_who_does) {
  BOOST_TEST(leader_named_by(not_the_leader(7)).value() == 7u);
  BOOST_TEST(!leader_named_by(not_the_leader(std::nullopt)).has_value());
  for (const char* data : {"", "0", "x", "7x", "-7", "99999999999999999999"}) {
    BOOST_TEST(!leader_named_by(make_error(base_errc::unavailable, "", data)).has_value(), data);
  }
  BOOST_TEST(!leader_named_by(make_error(base_errc::overloaded, "", "7")).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace remote_codec_test
}  // namespace omnicart::cluster
