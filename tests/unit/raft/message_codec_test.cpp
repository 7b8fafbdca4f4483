#include "cluster/raft/message_codec.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>

namespace omnicart::raft {
namespace message_codec_test {

payload bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

message from_1_to_2(message_body body) { return {.from = 1, .to = 2, .body = std::move(body)}; }

const snapshot_metadata taken{
    .index = 9, .term = 3, .configuration_index = 1, .members = {{{1, role::voter}}}};

// One of each kind, with numbers that tell the fields apart.
std::vector<group_message> samples() {
  const append_request append{
      .term = 7,
      .prev_index = 10,
      .prev_term = 6,
      .leader_commit = 8,
      .sent_at = monotonic_time{123'456},
      .entries = {{.index = 11,
                   .term = 6,
                   .type = entry_type::command,
                   .bytes = bytes(std::string("a\0b", 3))},
                  {.index = 12, .term = 7, .type = entry_type::barrier, .bytes = nullptr},
                  {.index = 13, .term = 7, .type = entry_type::command, .bytes = bytes("")}}};
  const vote_request vote{
      .term = 5, .last_index = 4, .last_term = 3, .disrupt_leader = true, .pre_vote = false};
  return {{1, from_1_to_2(vote)},
          {2, from_1_to_2(vote_result{.term = 5, .granted = true, .pre_vote = true})},
          {3, from_1_to_2(append)},
          {63, from_1_to_2(append_result{
                   .term = 5, .rejected = 4, .last_index = 3, .echo = monotonic_time{2}})},
          {64, from_1_to_2(install_request{.term = 5, .snapshot = taken})},
          {65, from_1_to_2(timeout_now{.term = 5, .last_index = 4, .last_term = 3})}};
}

BOOST_AUTO_TEST_SUITE(raft_message_codec)

BOOST_AUTO_TEST_CASE(every_kind_of_message_reads_back) {
  const auto encoded = encode_frame(samples());
  const auto decoded = decode_frame(encoded);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_REQUIRE(decoded->size() == 6);
  BOOST_TEST(encode_frame(*decoded) == encoded);
  for (std::size_t i = 0; i < 6; ++i) BOOST_TEST((*decoded)[i].content.body.index() == i);

  BOOST_TEST((*decoded)[3].group == 63);
  BOOST_TEST((*decoded)[3].content.from == 1);
  BOOST_TEST((*decoded)[3].content.to == 2);
  const auto& append = std::get<append_request>((*decoded)[2].content.body);
  BOOST_TEST(append.leader_commit == 8);
  BOOST_TEST(append.sent_at.count() == 123'456);
  BOOST_REQUIRE(append.entries.size() == 3);
  BOOST_TEST(append.entries[2].index == 13);
  BOOST_TEST(*append.entries[0].bytes == std::string("a\0b", 3));
  BOOST_TEST(append.entries[1].bytes == nullptr);
  BOOST_TEST(append.entries[2].bytes->empty());
  const auto& vote = std::get<vote_request>((*decoded)[0].content.body);
  BOOST_TEST(vote.disrupt_leader);
  BOOST_TEST(!vote.pre_vote);
  BOOST_TEST((std::get<install_request>((*decoded)[4].content.body).snapshot == taken));
}

BOOST_AUTO_TEST_CASE(the_bytes_of_a_frame_stay) {
  const std::vector<group_message> one{
      {5, from_1_to_2(timeout_now{.term = 3, .last_index = 2, .last_term = 1})}};
  BOOST_TEST(encode_frame(one) == "\x92\x01\x93\x01\x02\x91\x93\x05\x05\x93\x03\x02\x01");
}

BOOST_AUTO_TEST_CASE(fields_of_a_later_build_are_skipped) {
  const auto decoded =
      decode_frame("\x92\x01\x94\x01\x02\x91\x94\x05\x05\x94\x03\x02\x01\x2a\x2a\x2a");
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST(std::get<timeout_now>(decoded->front().content.body).last_term == 1);
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_is_refused) {
  const std::string good = encode_frame(samples());
  const auto refused = [](const std::string& text) {
    const auto decoded = decode_frame(text);
    return !decoded && decoded.error().is(base_errc::malformed);
  };
  BOOST_TEST(refused(""));
  BOOST_TEST(refused("x"));
  BOOST_TEST(refused(good + "x"));
  for (std::size_t size = 0; size < good.size(); ++size) BOOST_TEST(refused(good.substr(0, size)));
  BOOST_TEST(refused("\x92\x02\x93\x01\x02\x91\x93\x05\x05\x93\x03\x02\x01"));  // schema 2
  BOOST_TEST(refused("\x92\x01\x93\x01\x02\x90"));                              // no messages
  BOOST_TEST(refused("\x92\x01\x93\x01\x02\x91\x93\x05\x06\x93\x03\x02\x01"));  // kind 6
  BOOST_TEST(refused("\x92\x01\x93\x01\x02\x91\x93\x05\x05\x92\x03\x02"));      // a field short
  BOOST_TEST(refused("\x92\x01\x93\x01\x02\x91\x93\x05\x05\x93\x03\xff\x01"));  // a negative index
  BOOST_TEST(refused("\x92\x01\x93\x01\x02\xdd\xff\xff\xff\xff"));  // four billion messages
  BOOST_TEST(refused(std::string(frame_bytes_max + 1, '\x92')));
}

BOOST_AUTO_TEST_CASE(too_many_messages_are_refused) {
  const group_message one{5, from_1_to_2(vote_result{.term = 1})};
  auto text = encode_frame(std::vector<group_message>(frame_messages_max, one));
  BOOST_TEST(decode_frame(text).has_value());
  // [.. 0xdc 0x10 0x00: an array of 4096, made one of 4097
  const auto at = text.find(std::string("\xdc\x10\x00", 3));
  BOOST_REQUIRE(at != std::string::npos);
  text[at + 2] = 1;
  text += text.substr(text.size() - 6);
  BOOST_TEST(!decode_frame(text).has_value());
}

BOOST_AUTO_TEST_CASE(a_frame_is_no_longer_than_said) {
  for (const auto& m : samples()) {
    BOOST_TEST(encode_frame({m}).size() <= frame_bytes_of(m.content));
  }
  const vote_request large{.term = ~0ULL, .last_index = ~0ULL, .last_term = ~0ULL};
  const group_message widest{~0U, {.from = ~0ULL, .to = ~0ULL, .body = large}};
  BOOST_TEST(encode_frame({widest}).size() <= frame_bytes_of(widest.content));
}

BOOST_AUTO_TEST_CASE(damaged_frames_do_no_harm) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const std::string good = encode_frame(samples());
  std::size_t read = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = good;
    if (i % 5 == 0) text.assign(random() % 100, '\0');
    for (std::size_t changes = 1 + random() % 8; changes > 0 && !text.empty(); --changes) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    if (const auto decoded = decode_frame(text)) {
      ++read;
      BOOST_REQUIRE(decode_frame(encode_frame(*decoded)).has_value());
    }
  }
  BOOST_TEST(read > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace message_codec_test
}  // namespace omnicart::raft
